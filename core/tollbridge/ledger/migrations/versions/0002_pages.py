"""What customers' pages need: mails, sign-ups, enrolments, used links, attempts."""

import sqlalchemy as sa
from alembic import op

from tollbridge.ledger.schema import Moment

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Create the five tables; those of before stay as they are."""
    op.create_table(
        "mails",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("key", sa.Text, nullable=False, unique=True),
        sa.Column("recipient", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("body_text", sa.Text, nullable=False),
        sa.Column("body_html", sa.Text, nullable=False),
        sa.Column("message_id", sa.String(64), nullable=False),
        sa.Column("state", sa.String(7), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("next_attempt_at", Moment, nullable=False),
        sa.Column("leased_until", Moment),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("sent_at", Moment),
        sa.Column("problem", sa.Text),
    )
    op.create_index("mails_due", "mails", ["state", "next_attempt_at"])
    op.create_table(
        "signups",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("email", sa.String(320), nullable=False),
        sa.Column("first_name", sa.Text, nullable=False),
        sa.Column("last_name", sa.Text, nullable=False),
        sa.Column("company", sa.Text, nullable=False),
        sa.Column("language", sa.String(35), nullable=False),
        sa.Column("nonce", sa.String(64), nullable=False, unique=True),
        sa.Column("state", sa.String(9), nullable=False),
        sa.Column("client_id", sa.BigInteger),
        sa.Column("terms_accepted_at", Moment),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("expires_at", Moment, nullable=False),
        sa.Column("done_at", Moment),
        sa.Column("problem", sa.Text),
    )
    op.create_index("signups_of_email", "signups", ["email", "state"])
    op.create_index("signups_in_state", "signups", ["state", "expires_at"])
    op.create_table(
        "enrolments",
        sa.Column("client_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("accepted_at", Moment, nullable=False),
        sa.Column("terms_url", sa.Text, nullable=False),
        sa.Column("postpay_terms_url", sa.Text),
    )
    op.create_table(
        "used_links",
        sa.Column("nonce", sa.String(64), primary_key=True),
        sa.Column("used_at", Moment, nullable=False),
        sa.Column("expires_at", Moment, nullable=False),
    )
    op.create_index("used_links_expiry", "used_links", ["expires_at"])
    op.create_table(
        "attempts",
        sa.Column("bucket", sa.Text, nullable=False),
        sa.Column("at", Moment, nullable=False),
    )
    op.create_index("attempts_in_bucket", "attempts", ["bucket", "at"])
