"""Whether a ledger, or a backup of one, is whole: every row is read, and what belongs together agrees."""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal

import attrs
import sqlalchemy as sa

from tollbridge.ledger import Ledger
from tollbridge.ledger.database import BATCH
from tollbridge.ledger.invoices import entry_of
from tollbridge.ledger.schema import (
    accounts,
    corrections,
    events,
    held_back,
    holds,
    invoices,
    metadata,
    months,
    readings,
    runs,
    unbilled,
)
from tollbridge.ledger.upgrade import NEWEST
from tollbridge.model import EXACT
from tollbridge.rules.entry import Entry, State

_ENDED = (State.ISSUED, State.CARRIED, State.NOTHING)
_PROBLEMS = 100


@attrs.frozen
class Verified:
    """What a ledger holds, and what is wrong with it.

    Attributes:
        tables: how many rows each has.
        last_event: when it was changed last, so how old a backup is.
        problems: in words; a hundred at most.
    """

    revision: str
    tables: dict[str, int]
    last_event: datetime | None
    problems: list[str]


def verify(ledger: Ledger) -> Verified:
    """Read all of it, as of one moment.

    Raises:
        LedgerError: it cannot be read.
    """
    with ledger.database.snapshot() as connection:
        counts = {table.name: _count(connection, table) for table in metadata.sorted_tables}
        problems = []
        for problem in _problems(connection, is_sqlite=ledger.database.is_sqlite):
            problems.append(problem)
            if len(problems) == _PROBLEMS:
                break
        last = connection.scalar(sa.select(sa.func.max(events.c.at)))
    return Verified(NEWEST, counts, last, problems)


def _count(connection: sa.Connection, table: sa.Table) -> int:
    """By reading every row of it, with every value as what it should be."""
    rows = connection.execution_options(yield_per=BATCH).execute(sa.select(table))
    return sum(1 for _ in rows)


def _problems(connection: sa.Connection, *, is_sqlite: bool) -> Iterator[str]:
    if is_sqlite:
        said = connection.exec_driver_sql("PRAGMA integrity_check").scalars()
        yield from (f"the file is damaged: {words}" for words in said if words != "ok")
    yield from _entries(connection)
    yield from _states(connection)
    yield from _strays(connection)


def _entries(connection: sa.Connection) -> Iterator[str]:
    """Each entry's document can be read, and its lines come to its subtotal, but where the billing system's counts."""
    query = sa.select(invoices).order_by(invoices.c.id)
    for row in connection.execution_options(yield_per=BATCH).execute(query):
        try:
            entry = entry_of(row)
        except (ValueError, ArithmeticError, TypeError, KeyError) as error:
            yield f"TB-{row.month}-{row.client_id}: its document cannot be read ({type(error).__name__})"
            continue
        yield from _entry(entry)


def _entry(entry: Entry) -> Iterator[str]:
    lines = Decimal(0)
    for line in entry.document.lines:
        lines = EXACT.add(lines, line.amount)
    if not entry.taken_back and lines != entry.subtotal:
        yield f"{entry.reference}: its lines come to {lines:f}, and its subtotal is {entry.subtotal:f}"
    if entry.state is State.ISSUED and entry.billing_id is None:
        yield f"{entry.reference}: it is issued, and has no number of the billing system"


def _states(connection: sa.Connection) -> Iterator[str]:
    """The last event about an entry that has come to its end is the one that brought it there.

    Entries from before there were events have none.
    """
    last = (
        sa.select(events.c.client_id, events.c.month, sa.func.max(events.c.id).label("id"))
        .where(events.c.what == "invoice")
        .group_by(events.c.client_id, events.c.month)
        .subquery()
    )
    query = (
        sa.select(invoices.c.month, invoices.c.client_id, invoices.c.state, events.c.after)
        .join(last, sa.and_(last.c.client_id == invoices.c.client_id, last.c.month == invoices.c.month))
        .join(events, events.c.id == last.c.id)
        .where(invoices.c.state.in_(_ENDED), events.c.after != invoices.c.state)
        .order_by(invoices.c.id)
    )
    for row in connection.execute(query):
        yield f"TB-{row.month}-{row.client_id}: it is {row.state}, and its last event says {row.after}"
    orphans = (
        sa.select(events.c.month, events.c.client_id)
        .distinct()
        .outerjoin(invoices, sa.and_(invoices.c.client_id == events.c.client_id, invoices.c.month == events.c.month))
        .where(events.c.what == "invoice", events.c.client_id.is_not(None), invoices.c.id.is_(None))
    )
    for month, client_id in connection.execute(orphans):
        yield f"TB-{month}-{client_id}: there are events of it, and no entry"


def _strays(connection: sa.Connection) -> Iterator[str]:
    """Rows that belong to one of another table which is not there."""
    other = invoices.alias()
    of_client = other.c.client_id == invoices.c.client_id
    queries = (
        (
            "the month {} of client {} is carried into {}, of which it has no entry",
            sa.select(invoices.c.month, invoices.c.client_id, invoices.c.carried_into).where(
                invoices.c.carried_into.is_not(None),
                ~sa.exists().where(of_client, other.c.month == invoices.c.carried_into),
            ),
        ),
        (
            "correction {} of client {} is on the invoice of {}, which is not there",
            sa.select(corrections.c.id, corrections.c.client_id, corrections.c.taken_into).where(
                corrections.c.taken_into.is_not(None),
                ~sa.exists().where(
                    invoices.c.client_id == corrections.c.client_id, invoices.c.month == corrections.c.taken_into
                ),
            ),
        ),
        (
            "client {} is held ({}), and has no account",
            sa.select(holds.c.client_id, holds.c.reason).where(
                ~sa.exists().where(accounts.c.client_id == holds.c.client_id)
            ),
        ),
        (
            "client {} is held back ({}), and has no account",
            sa.select(held_back.c.client_id, held_back.c.reason).where(
                ~sa.exists().where(accounts.c.client_id == held_back.c.client_id)
            ),
        ),
        (
            "user {} has usage of a reading ({}) that is not there",
            sa.select(unbilled.c.user_id, unbilled.c.reading_id).where(
                ~sa.exists().where(readings.c.id == unbilled.c.reading_id)
            ),
        ),
        (
            "event {} is of a run ({}) that is not there",
            sa.select(events.c.id, events.c.run_id).where(
                events.c.run_id.is_not(None), ~sa.exists().where(runs.c.id == events.c.run_id)
            ),
        ),
        (
            "{} has an entry, and is not known as a month",
            sa.select(invoices.c.month).distinct().where(~sa.exists().where(months.c.month == invoices.c.month)),
        ),
    )
    for words, query in queries:
        for row in connection.execute(query.limit(_PROBLEMS)):
            yield words.format(*row)
