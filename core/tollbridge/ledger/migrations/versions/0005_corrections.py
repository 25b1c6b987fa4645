"""Corrections, held and written-off invoices, and usage that belongs to nobody."""

import sqlalchemy as sa
from alembic import op

from tollbridge.ledger.schema import Moment, Money

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Nothing that is there changes."""
    op.add_column("invoices", sa.Column("held", sa.Text))
    op.add_column("invoices", sa.Column("written_off", sa.Text))
    op.add_column("invoices", sa.Column("taken_back", sa.Boolean, nullable=False, server_default=sa.false()))
    op.add_column("unbilled", sa.Column("used", sa.Text, nullable=False, server_default="[]"))
    op.create_table(
        "corrections",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("client_id", sa.BigInteger, nullable=False),
        sa.Column("month", sa.String(7), nullable=False),
        sa.Column("stands_on", sa.String(7), nullable=False),
        sa.Column("user_id", sa.BigInteger, nullable=False),
        sa.Column("item_type", sa.Text, nullable=False),
        sa.Column("item_id", sa.BigInteger, nullable=False),
        sa.Column("tokens", sa.BigInteger, nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("amount", Money, nullable=False),
        sa.Column("line", sa.Text, nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("taken_into", sa.String(7)),
        sa.Column("reason", sa.Text),
        sa.Column("found_at", Moment, nullable=False),
        sa.Column("run_id", sa.Integer),
    )
    op.create_index("corrections_of_client", "corrections", ["client_id", "state"])
    op.create_index("corrections_of_month", "corrections", ["month", "id"])
    op.create_index("corrections_in_state", "corrections", ["state", "taken_into", "client_id"])
    op.create_table(
        "write_offs",
        sa.Column("user_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("month", sa.String(7), primary_key=True),
        sa.Column("onwards", sa.Boolean, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("at", Moment, nullable=False),
    )
