"""The price list of each month, kept from the first time that it is seen."""

import sqlalchemy as sa
from alembic import op

from tollbridge.ledger.schema import Moment

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Nothing is kept of months gone by: their entries have the prices that they were made with."""
    op.create_table(
        "price_lists",
        sa.Column("month", sa.String(7), primary_key=True),
        sa.Column("prices", sa.Text, nullable=False),
        sa.Column("file", sa.Text),
        sa.Column("kept_at", Moment, nullable=False),
    )
