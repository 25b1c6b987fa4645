"""What has happened to one client or invoice, the newest first."""

from collections.abc import Iterable

from tollbridge.ledger.lists import Change
from tollbridge.server.operator.sheets import Asked, Column, Link, Table, Told, Value, rows_shown

_MOST = 60


def time_line(asked: Asked, changes: Iterable[Change]) -> Table:
    """The events as a table."""
    rows = [_row(change) for change in changes][::-1]
    shown, more = rows_shown(asked, rows, _MOST)
    columns = (Column("at"), Column("changed"), Column("invoice"), Column("by"))
    return Table("time-line", columns, shown, "table.nothing_yet", more=more)


def _row(change: Change) -> tuple[Value, ...]:
    return change.event.at, Told(change.words), invoice_link(change.reference), change.by


def invoice_link(reference: str | None) -> Link | None:
    """The page of an invoice."""
    return Link(reference, f"invoices/{reference}") if reference else None
