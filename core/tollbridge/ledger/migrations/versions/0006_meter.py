"""The bridge's own meter: when it looked, and in which stretches of time each server was the same."""

import sqlalchemy as sa
from alembic import op

from tollbridge.ledger.schema import Moment, Money

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Two new tables; nothing that is there changes."""
    op.create_table(
        "snapshots",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("taken_at", Moment, nullable=False),
        sa.Column("servers", sa.Integer, nullable=False),
    )
    op.create_index("snapshots_in_time", "snapshots", ["taken_at"])
    op.create_table(
        "stretches",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("uuid", sa.String(64), nullable=False),
        sa.Column("server_id", sa.BigInteger, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("user_id", sa.BigInteger, nullable=False),
        sa.Column("billing_user_id", sa.BigInteger),
        sa.Column("plan_id", sa.BigInteger, nullable=False),
        sa.Column("plan_name", sa.Text, nullable=False),
        sa.Column("tokens_per_hour", sa.BigInteger, nullable=False),
        sa.Column("tokens_per_month", sa.BigInteger, nullable=False),
        sa.Column("backup_percent", Money, nullable=False),
        sa.Column("ip_tokens_per_hour", sa.BigInteger, nullable=False),
        sa.Column("ip_tokens_per_month", sa.BigInteger, nullable=False),
        sa.Column("runs", sa.Boolean),
        sa.Column("backups", sa.Boolean, nullable=False),
        sa.Column("addresses", sa.Text, nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("not_before", Moment),
        sa.Column("first_seen", Moment, nullable=False),
        sa.Column("last_seen", Moment),
        sa.Column("not_after", Moment),
    )
    op.create_index("stretches_of_server", "stretches", ["uuid", "first_seen"])
    op.create_index("stretches_in_time", "stretches", ["not_after"])
    op.create_index("stretches_of_user", "stretches", ["user_id"])
