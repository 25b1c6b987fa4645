"""Who signs up chooses a currency and a country; and the address that an enrolled client proved by a link."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Three columns. Sign-ups under way leave currency and country to the billing system."""
    op.add_column("signups", sa.Column("currency", sa.String(3), nullable=False, server_default=""))
    op.add_column("signups", sa.Column("country", sa.String(2), nullable=False, server_default=""))
    op.add_column("enrolments", sa.Column("proved_address", sa.String(320)))
