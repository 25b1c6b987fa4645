"""The first ledger: months, invoices, accounts."""

import sqlalchemy as sa
from alembic import op

from tollbridge.ledger.schema import Moment, Money

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create the three tables."""
    op.create_table(
        "months",
        sa.Column("month", sa.String(7), primary_key=True),
        sa.Column("closed_at", Moment, nullable=False),
    )
    op.create_table(
        "invoices",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("client_id", sa.BigInteger, nullable=False),
        sa.Column("month", sa.String(7), nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("issue_date", sa.Date, nullable=False),
        sa.Column("due_date", sa.Date, nullable=False),
        sa.Column("tokens", sa.BigInteger, nullable=False),
        sa.Column("subtotal", Money, nullable=False),
        sa.Column("total", Money, nullable=False),
        sa.Column("document", sa.Text, nullable=False),
        sa.Column("billing_id", sa.String(64)),
        sa.Column("billing_status", sa.String(10)),
        sa.Column("carried_into", sa.String(7)),
        sa.Column("problem", sa.Text),
        sa.Column("written_at", Moment, nullable=False),
        sa.Column("sent_at", Moment),
        sa.Column("issued_at", Moment),
        sa.Column("settled_at", Moment),
        sa.UniqueConstraint("client_id", "month", name="one_invoice_per_client_and_month"),
    )
    op.create_index("invoices_open", "invoices", ["state", "billing_status", "client_id"])
    op.create_table(
        "accounts",
        sa.Column("client_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("user_id", sa.BigInteger, nullable=False, unique=True),
        sa.Column("email", sa.String(320), nullable=False),
        sa.Column("closed", sa.Boolean, nullable=False),
        sa.Column("hold_status", sa.String(9)),
        sa.Column("hold_found", sa.String(9)),
        sa.Column("hold_attempted", sa.String(9)),
    )
