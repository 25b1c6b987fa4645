"""Who signs up chooses a currency and a country."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Two more columns; sign-ups under way leave both to the billing system."""
    op.add_column("signups", sa.Column("currency", sa.String(3), nullable=False, server_default=""))
    op.add_column("signups", sa.Column("country", sa.String(2), nullable=False, server_default=""))
