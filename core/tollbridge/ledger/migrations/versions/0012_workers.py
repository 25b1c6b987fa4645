"""Which run a worker helped."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Nobody has helped anybody yet."""
    op.add_column("runs", sa.Column("helps", sa.Integer))
