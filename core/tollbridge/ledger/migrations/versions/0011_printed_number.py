"""The number that customers know an invoice by."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """It is not known of invoices that are there, until the billing system is asked for them again."""
    op.add_column("invoices", sa.Column("printed_number", sa.Text))
    known = sa.text("printed_number IS NOT NULL")
    op.create_index("invoices_printed", "invoices", ["printed_number"], sqlite_where=known, postgresql_where=known)
