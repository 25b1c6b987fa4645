"""The bound on locks: who is held back until a human confirms; and locks that nobody can explain."""

import sqlalchemy as sa
from alembic import op

from tollbridge.ledger.schema import Moment

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Of users that are known already a lock without a mark stays a human's, as it was."""
    op.create_table(
        "held_back",
        sa.Column("client_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("reason", sa.String(16), primary_key=True),
        sa.Column("since", Moment, nullable=False),
    )
    op.add_column("accounts", sa.Column("explained", sa.Boolean, nullable=False, server_default=sa.true()))
