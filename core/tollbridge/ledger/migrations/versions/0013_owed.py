"""Indexes of what is owed, by the day it was due, and of the few entries that wait for a human."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Only indexes are new."""
    owed = ["state", "billing_status", "due_date", "client_id", "currency", "total"]
    op.create_index("invoices_owed", "invoices", owed)
    there = sa.text("held IS NOT NULL")
    op.create_index("invoices_held", "invoices", ["state"], sqlite_where=there, postgresql_where=there)
