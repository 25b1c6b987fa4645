"""What the operator was told, so that one thing is told once; and copies of what other systems showed last."""

import sqlalchemy as sa
from alembic import op

from tollbridge.ledger.schema import Moment

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Nobody was told anything, and nothing was kept yet."""
    op.create_table(
        "told",
        sa.Column("scope", sa.String(16), primary_key=True),
        sa.Column("key", sa.String(64), primary_key=True),
        sa.Column("told_at", Moment, nullable=False),
    )
    op.create_table(
        "copies",
        sa.Column("name", sa.String(16), primary_key=True),
        sa.Column("document", sa.Text, nullable=False),
        sa.Column("kept_at", Moment, nullable=False),
    )
