"""The month in two phases: claims, readings, holds with reasons, runs and events."""

import sqlalchemy as sa
from alembic import op

from tollbridge.ledger.schema import Moment

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """What is there keeps its meaning: closed months stay closed, and holds get the reason they were made for."""
    with op.batch_alter_table("months") as table:
        for name in ("starts_at", "ends_at", "drafted_at"):
            table.add_column(sa.Column(name, Moment))
        table.add_column(sa.Column("source", sa.Text))
        table.alter_column("closed_at", existing_type=Moment(), nullable=True)
    op.execute(sa.text("UPDATE months SET drafted_at = closed_at"))
    for column in (
        sa.Column("prices", sa.String(16)),
        sa.Column("other_billing_id", sa.String(64)),
        sa.Column("differs_at", Moment),
        sa.Column("run_id", sa.Integer),
        sa.Column("attempt", sa.Integer, nullable=False, server_default="0"),
        sa.Column("leased_until", Moment),
        sa.Column("kept", sa.Text, nullable=False, server_default=""),
    ):
        op.add_column("invoices", column)
    op.execute(
        sa.text("UPDATE invoices SET leased_until = COALESCE(sent_at, CURRENT_TIMESTAMP) WHERE state = 'sending'")
    )
    op.create_index("invoices_of_month", "invoices", ["month", "state", "client_id"])
    op.create_index("invoices_of_run", "invoices", ["run_id"])
    op.create_index("invoices_differing", "invoices", ["differs_at"])
    _holds()
    _new_tables()


def _holds() -> None:
    """A closed client's user is held for that; whoever else the bridge has locked or suspended is overdue."""
    op.create_table(
        "holds",
        sa.Column("client_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("reason", sa.String(16), primary_key=True),
        sa.Column("status", sa.String(9), nullable=False),
        sa.Column("since", Moment, nullable=False),
    )
    now = "SELECT client_id, {reason}, {status}, CURRENT_TIMESTAMP FROM accounts WHERE {condition}"
    for reason, status, condition in (
        ("'closed'", "'suspended'", "closed"),
        ("'overdue'", "hold_status", "hold_status IN ('locked', 'suspended') AND NOT closed"),
        (
            "'overdue'",
            "hold_attempted",
            "hold_attempted IN ('locked', 'suspended') AND hold_status NOT IN ('locked', 'suspended') AND NOT closed",
        ),
    ):
        rows = now.format(reason=reason, status=status, condition=condition)
        op.execute(sa.text(f"INSERT INTO holds (client_id, reason, status, since) {rows}"))
    with op.batch_alter_table("accounts") as table:
        table.alter_column("hold_status", new_column_name="set_status", existing_type=sa.String(9))
        table.alter_column("hold_found", new_column_name="found_status", existing_type=sa.String(9))
        table.alter_column("hold_attempted", new_column_name="attempted_status", existing_type=sa.String(9))
        table.drop_column("closed")
        table.add_column(sa.Column("judged_at", Moment))
        table.add_column(sa.Column("run_id", sa.Integer))
        table.add_column(sa.Column("leased_until", Moment))


def _new_tables() -> None:
    op.create_table(
        "readings",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("run_id", sa.Integer),
        sa.Column("month", sa.String(7), nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("starts_at", Moment, nullable=False),
        sa.Column("ends_at", Moment, nullable=False),
        sa.Column("read_at", Moment, nullable=False),
        sa.Column("users", sa.Integer, nullable=False),
        sa.Column("tokens", sa.BigInteger, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
    )
    op.create_index("readings_of_month", "readings", ["month", "id"])
    op.create_table(
        "unbilled",
        sa.Column("reading_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("user_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("tokens", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "runs",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("command", sa.String(32), nullable=False),
        sa.Column("host", sa.Text, nullable=False),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("began_at", Moment, nullable=False),
        sa.Column("ended_at", Moment),
        sa.Column("outcome", sa.String(8)),
        sa.Column("report", sa.Text),
    )
    op.create_index("runs_alive", "runs", ["ended_at"])
    op.create_table(
        "leases",
        sa.Column("name", sa.String(16), primary_key=True),
        sa.Column("run_id", sa.Integer),
        sa.Column("epoch", sa.Integer, nullable=False),
        sa.Column("leased_until", Moment, nullable=False),
    )
    op.create_table(
        "events",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("at", Moment, nullable=False),
        sa.Column("run_id", sa.Integer),
        sa.Column("client_id", sa.BigInteger),
        sa.Column("month", sa.String(7)),
        sa.Column("what", sa.String(16), nullable=False),
        sa.Column("before", sa.Text),
        sa.Column("after", sa.Text),
        sa.Column("why", sa.Text),
    )
    op.create_index("events_of_client", "events", ["client_id", "id"])
    op.create_index("events_of_month", "events", ["month", "id"])
