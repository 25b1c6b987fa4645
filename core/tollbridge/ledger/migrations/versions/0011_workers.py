"""Which run a worker helped."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Nobody has helped anybody yet."""
    op.add_column("runs", sa.Column("helps", sa.Integer))
