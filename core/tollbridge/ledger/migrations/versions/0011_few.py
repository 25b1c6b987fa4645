"""An index of the few entries that wait for a human, among the many that are on their way at a month's end."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Only an index is new."""
    there = sa.text("held IS NOT NULL")
    op.create_index("invoices_held", "invoices", ["state"], sqlite_where=there, postgresql_where=there)
