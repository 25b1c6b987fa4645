"""What is worth waking up for: a few figures of the whole ledger, by queries that cost little.

An index leads to what is waiting or owed; nothing is read of the many entries that have come to their end but how many
they are.
"""

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import attrs
import orjson
import sqlalchemy as sa

from tollbridge.ledger.database import Database
from tollbridge.ledger.invoices import OPEN, UNFINISHED
from tollbridge.ledger.outbox import REFUSED, SENDING, WAITING, WEBHOOK
from tollbridge.ledger.schema import corrections, events, held_back, holds, invoices, mails, runs, snapshots
from tollbridge.model import EXACT
from tollbridge.rules.corrections import CorrectionState
from tollbridge.rules.entry import State
from tollbridge.rules.overdue import Age, age

HELD = "held"
_MAIL = "mail"
_MOST_LOOKED_AT = 1000


@attrs.frozen
class Owed:
    """What clients owe in one currency for invoices of one age, and how many invoices that are."""

    currency: str
    age: Age
    invoices: int
    amount: Decimal


@attrs.frozen
class CommandRuns:
    """The runs of one command.

    Attributes:
        good: when the last one ended that did everything it could: not stopped, and not died. None: there was none.
        outcome: how the one ended that ended last.
        failures: how many clients, users or months it named.
    """

    good: datetime | None
    outcome: str
    failures: int


@attrs.frozen
class Waiting:
    """How many, and since when the one that has waited longest does."""

    count: int
    since: datetime | None


@attrs.frozen
class Figures:
    """The ledger in figures.

    Attributes:
        unfinished: entries that are not issued yet, by ``written``, ``sending`` and ``held``.
        late: corrections that are on no invoice yet, by state: how many, and their tokens without sign.
        runs: by command, of those that have ended.
        users_held: by reason and status.
        held_back: users that runs would have locked or suspended, and did not, since they were too many.
        messages: those of the outbox that are still to be sent, by ``mail`` and ``webhook``.
        refused: how many were given up, by the same.
        last_snapshot: of the bridge's own meter.
    """

    unfinished: dict[str, Waiting]
    late: dict[CorrectionState, tuple[int, int]]
    runs: dict[str, CommandRuns]
    owed: list[Owed]
    users_held: dict[tuple[str, str], int]
    held_back: int
    messages: dict[str, Waiting]
    refused: dict[str, int]
    last_snapshot: datetime | None


def read_figures(database: Database, day: date) -> Figures:
    """All of them, as they are now; ``day`` is the one by which invoices are late.

    Raises:
        LedgerError: the ledger cannot be used.
    """
    with database.read() as connection:
        held = sa.select(holds.c.reason, holds.c.status, sa.func.count()).group_by(holds.c.reason, holds.c.status)
        back = sa.select(sa.func.count(held_back.c.client_id.distinct()))
        return Figures(
            unfinished=_unfinished(connection),
            late=_late(connection),
            runs=dict(_runs(connection)),
            owed=owed_by_age(connection, day),
            users_held={(row[0], row[1]): row[2] for row in connection.execute(held)},
            held_back=connection.scalar(back) or 0,
            messages=_messages(connection, [WAITING, SENDING]),
            refused={by: found.count for by, found in _messages(connection, [REFUSED]).items()},
            last_snapshot=connection.scalar(sa.select(sa.func.max(snapshots.c.taken_at))),
        )


def _unfinished(connection: sa.Connection) -> dict[str, Waiting]:
    """Since when: an entry that is drafted anew counts from the first time. Only the oldest rows are looked at."""
    kind = sa.case((invoices.c.held.is_not(None), HELD), else_=invoices.c.state).label("kind")
    counted = sa.select(invoices.c.state, sa.func.count().label("entries")).where(UNFINISHED).group_by(invoices.c.state)
    entries: dict[str, int] = {row.state: row.entries for row in connection.execute(counted)}
    waiting = sa.and_(invoices.c.held.is_not(None), UNFINISHED)  # counted by itself: an index has the few
    entries[HELD] = connection.scalar(sa.select(sa.func.count()).select_from(invoices).where(waiting)) or 0
    entries[State.WRITTEN] = entries.get(State.WRITTEN, 0) - entries[HELD]
    columns = invoices.c.id, invoices.c.client_id, invoices.c.month, invoices.c.written_at, kind
    oldest = sa.select(*columns).where(UNFINISHED).order_by(invoices.c.id).limit(_MOST_LOOKED_AT).subquery()
    written = sa.and_(
        events.c.client_id == oldest.c.client_id,
        events.c.month == oldest.c.month,
        events.c.what == "invoice",
        events.c.after == State.WRITTEN,
    )
    first = sa.select(sa.func.min(events.c.at)).where(written).scalar_subquery()
    since = sa.func.min(sa.func.coalesce(first, oldest.c.written_at), type_=invoices.c.written_at.type)
    moments = {row[0]: row[1] for row in connection.execute(sa.select(oldest.c.kind, since).group_by(oldest.c.kind))}
    return {name: Waiting(entries.get(name, 0), moments.get(name)) for name in (State.WRITTEN, State.SENDING, HELD)}


def _late(connection: sa.Connection) -> dict[CorrectionState, tuple[int, int]]:
    states = [CorrectionState.OPEN, CorrectionState.WAITING, CorrectionState.CREDIT]
    tokens = sa.func.sum(sa.func.abs(corrections.c.tokens))
    query = (
        sa.select(corrections.c.state, sa.func.count(), tokens)
        .where(corrections.c.state.in_(states), corrections.c.taken_into.is_(None))
        .group_by(corrections.c.state)
    )
    found = {row[0]: (int(row[1]), int(row[2])) for row in connection.execute(query)}
    return {state: found.get(state, (0, 0)) for state in states}


def _runs(connection: sa.Connection) -> Iterator[tuple[str, CommandRuns]]:
    """By the last of each command, whose report is read, and of no other. Workers do not count: their run does."""
    last = sa.select(sa.func.max(runs.c.id)).where(runs.c.ended_at.is_not(None), runs.c.helps.is_(None))
    last = last.group_by(runs.c.command)
    whole = runs.c.outcome.in_(["done", "failures"])
    good = (
        sa.select(runs.c.command, sa.func.max(runs.c.ended_at))
        .where(whole, runs.c.helps.is_(None))
        .group_by(runs.c.command)
    )
    moments = {row[0]: row[1] for row in connection.execute(good)}
    query = sa.select(runs.c.command, runs.c.outcome, runs.c.report).where(runs.c.id.in_(last))
    for row in connection.execute(query):
        report = orjson.loads(row.report) if row.report else {}
        failures = len(report.get("failures", report.get("findings", ())))  # an audit's
        yield row.command, CommandRuns(moments.get(row.command), row.outcome, failures)


def owed_by_age(connection: sa.Connection, day: date) -> list[Owed]:
    """What is owed on a day. It is added up here and exactly: SQLite would make floats of the sums."""
    columns: tuple[Any, ...] = (invoices.c.currency, invoices.c.due_date, invoices.c.total)
    is_open = sa.and_(invoices.c.state == State.ISSUED, OPEN)
    sums: dict[tuple[str, Age], Owed] = {}
    for row in connection.execute(sa.select(*columns, sa.func.count().label("n")).where(is_open).group_by(*columns)):
        key = row.currency, age(row.due_date, day)
        found = sums.get(key) or Owed(*key, 0, Decimal(0))
        amount = EXACT.add(found.amount, EXACT.multiply(row.total, Decimal(row.n)))
        sums[key] = Owed(*key, found.invoices + row.n, amount)
    return [sums[key] for key in sorted(sums)]


def _messages(connection: sa.Connection, states: list[str]) -> dict[str, Waiting]:
    by = sa.case((mails.c.recipient == WEBHOOK, WEBHOOK), else_=_MAIL).label("by")
    since = sa.func.min(mails.c.created_at)
    query = sa.select(by, sa.func.count().label("n"), since.label("since")).where(mails.c.state.in_(states))
    found = {row.by: Waiting(row.n, row.since) for row in connection.execute(query.group_by(by))}
    return {each: found.get(each, Waiting(0, None)) for each in (_MAIL, WEBHOOK)}
