"""Who may send which invoice: entries are claimed for a time, and what becomes of them is recorded under the claim.

An entry is claimed by one run at a time. Another one takes it over only when the run is gone, and its lease and the
time in which something it sent may still appear are over, all by the ledger's clock.
"""

import time
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import attrs
import sqlalchemy as sa

from tollbridge.errors import LedgerError
from tollbridge.ledger.database import Database
from tollbridge.ledger.events import Event, last_approval, note
from tollbridge.ledger.invoices import entry_of, row_of, state_change
from tollbridge.ledger.runs import ended, holders, team
from tollbridge.ledger.schema import Moment, accounts, invoices, runs
from tollbridge.model import Receipt
from tollbridge.reference import reference
from tollbridge.rules.calendar import Month
from tollbridge.rules.entry import Entry, State

# In which rows are locked, whoever changes several: two who do so at once wait for each other and never both.
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
_ROW_ORDER = (invoices.c.month, invoices.c.client_id)
_OF_CLAIM = sa.and_(
    invoices.c.client_id == sa.bindparam("b_client_id"),
    invoices.c.month == sa.bindparam("b_month"),
    invoices.c.run_id == sa.bindparam("b_run_id"),
    invoices.c.attempt == sa.bindparam("b_attempt"),
    invoices.c.state == State.SENDING,
)


@attrs.frozen
class Claim:
    """An entry that is this run's to send, as it was claimed; ``in_doubt``: it may be in the billing system."""

    entry: Entry
    in_doubt: bool


@attrs.frozen
class Result:
    """What came of sending one entry.

    Attributes:
        state: issued, with the ``receipt`` that proves it; written: it is not there; sending: not known.
        problem: why it is not issued, or what is wrong with it as it is there.
        differs: whether it was created with another total than was shown.
        asked_at: by the monotonic clock, when it was asked for last, if an answer never came.
        begun: whether it was tried at all.
    """

    claim: Claim
    state: State
    problem: str | None = None
    receipt: Receipt | None = None
    differs: bool = False
    asked_at: float | None = None
    begun: bool = True


class Claims:
    """The claims of the ledger."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def claim(  # noqa: PLR0917
        self, run_id: int, months: Collection[Month], issue: date, due: date, lease: timedelta, most: int
    ) -> list[Claim]:
        """Claim written entries, oldest month first; they are *sending* from now on, and dated as of today.

        One that this run began and could not send, or that was refused, is not claimed by it again, and one that is
        held by nobody. A worker leaves alone what the run that it helps, or another worker, could not send.
        """
        return self._take(
            run_id, claimable(run_id, months), lease, most, {"issue_date": issue, "due_date": due}, in_doubt=False
        )

    def take_over(
        self, run_id: int, months: Collection[Month], in_doubt: timedelta, lease: timedelta, most: int
    ) -> list[Claim]:
        """Claim entries that runs which are gone have left in doubt, when nothing they sent can appear any more."""
        with self._database.read() as connection:
            over = self._database.now(connection) - in_doubt
        left = sa.and_(self._abandoned(run_id, months), invoices.c.leased_until <= over)
        return self._take(run_id, left, lease, most, {}, in_doubt=True)

    def _take(
        self,
        run_id: int,
        condition: sa.ColumnElement[bool],
        lease: timedelta,
        most: int,
        values: dict[str, Any],
        *,
        in_doubt: bool,
    ) -> list[Claim]:
        pick = sa.select(invoices.c.id).where(condition).order_by(*_ROW_ORDER).limit(most)
        with self._database.write() as connection:
            ids = list(connection.scalars(pick.with_for_update(skip_locked=True)))
            if not ids:
                return []
            now = self._be_alive(connection, run_id)
            taken = sa.update(invoices).where(invoices.c.id.in_(ids)).values(
                **values, state=State.SENDING, run_id=run_id, attempt=invoices.c.attempt + 1, sent_at=now,
                leased_until=now + lease,
            )  # fmt: skip
            connection.execute(taken)
            rows = connection.execute(sa.select(invoices).where(invoices.c.id.in_(ids)).order_by(*_ROW_ORDER))
            claims = [Claim(entry_of(row), in_doubt) for row in rows]
            before = State.SENDING if in_doubt else State.WRITTEN
            note(connection, now, (state_change(claim.entry, before, run_id) for claim in claims))
            return claims

    def renew(self, run_id: int, lease: timedelta) -> None:
        """Renew all that this run has claimed; LedgerError if it counts as dead.

        Nobody takes over from a run that lives, so one whose lease is over by now is renewed like any other.
        """
        with self._database.write() as connection:
            now = self._be_alive(connection, run_id)
            mine = sa.and_(invoices.c.run_id == run_id, invoices.c.state == State.SENDING)
            pick = sa.select(invoices.c.id).where(mine).order_by(*_ROW_ORDER).with_for_update()
            ids = list(connection.scalars(pick))
            connection.execute(sa.update(invoices).where(invoices.c.id.in_(ids)).values(leased_until=now + lease))

    def keep(self, run_id: int, claim: Claim, text: str, lease: timedelta) -> None:
        """Keep what an attempt has got so far, and renew its claim; LedgerError if it is not this run's any more."""
        with self._database.write() as connection:
            now = self._be_alive(connection, run_id)
            kept = sa.update(invoices).where(_OF_CLAIM, invoices.c.leased_until > now)
            kept = kept.values(kept=text, leased_until=now + lease)
            if connection.execute(kept, _key(run_id, claim)).rowcount != 1:
                raise LedgerError(f"{claim.entry.reference}: another run has taken it over; run again")

    def redate(self, run_id: int, claim: Claim, issue: date, due: date) -> None:
        """Date an entry that was looked for and is not there as of today; LedgerError if it is another run's by now."""
        with self._database.write() as connection:
            dated = sa.update(invoices).where(_OF_CLAIM).values(issue_date=issue, due_date=due)
            if connection.execute(dated, _key(run_id, claim)).rowcount != 1:
                raise LedgerError(f"{claim.entry.reference}: another run has taken it over; run again")

    def give_back(self, run_id: int, claims: Iterable[Claim]) -> None:
        """Entries that were claimed and not begun are as they were, and anybody's to claim."""
        self.record(run_id, [
            Result(claim, State.SENDING if claim.in_doubt else State.WRITTEN, claim.entry.problem, begun=False)
            for claim in claims
        ])  # fmt: skip

    def record(self, run_id: int, results: Sequence[Result]) -> dict[str, str]:
        """Note what came of sending, in one transaction.

        A receipt is proof, whoever has it and however late. Anything else is noted only as far as the claim still
        holds.

        Returns:
            By reference, what is wrong with invoices that turn out to be in the billing system a second time.
        """
        if not results:
            return {}
        issued = [result for result in results if result.receipt is not None]
        others = [result for result in results if result.receipt is None]
        with self._database.write() as connection:
            now = self._database.now(connection)
            changes = _changes(connection, run_id, results)
            if issued:
                connection.execute(_ISSUED, [_proved(run_id, result, now) for result in issued])
                _take_back(connection, issued)
                _doubt_locks(connection, issued)
            if others:
                connection.execute(_NOT_ISSUED, [_undone(run_id, result, now) for result in others])
            note(connection, now, changes)
            return _noted_twice(connection, run_id, issued, now)

    def known_references(self, first: Month, run_id: int) -> set[str]:
        """The references, of this month and later ones, that this ledger issued, or that are another run's to send."""
        others = sa.and_(invoices.c.state == State.SENDING, invoices.c.run_id.is_distinct_from(run_id))
        own = sa.and_(invoices.c.state == State.ISSUED, ~invoices.c.taken_back)
        known = sa.and_(invoices.c.month >= str(first), sa.or_(own, others))
        with self._database.read() as connection:
            rows = connection.execute(sa.select(invoices.c.client_id, invoices.c.month).where(known))
            return {reference(row.month, row.client_id) for row in rows}

    def time_until_free(self, run_id: int, months: Collection[Month], in_doubt: timedelta) -> timedelta | None:
        """How long it takes until the first entry that a run which is gone left in doubt can be taken over."""
        first = sa.select(sa.func.min(invoices.c.leased_until)).where(self._abandoned(run_id, months))
        with self._database.read() as connection:
            until: datetime | None = connection.scalar(first)
            return None if until is None else until + in_doubt - self._database.now(connection)

    def held_by_the_frozen(self, run_id: int, months: Collection[Month]) -> list[tuple[int, str, int]]:
        """Runs that live, and have claimed entries without renewing the claim: number, machine and how many."""
        with self._database.read() as connection:
            stale = invoices.c.leased_until <= self._database.now(connection)
            sending = sa.and_(invoices.c.state == State.SENDING, _of(months))
            return holders(connection, invoices, run_id, stale, sending, runs.c.ended_at.is_(None))

    def differing(self) -> list[str]:
        """The invoices that were created with another total than was shown, since a human last approved of that."""
        since = sa.func.coalesce(last_approval("totals"), sa.literal(_LONG_AGO, Moment))
        query = sa.select(invoices.c.client_id, invoices.c.month).where(invoices.c.differs_at > since)
        with self._database.read() as connection:
            return [
                reference(row.month, row.client_id)
                for row in connection.execute(query.order_by(invoices.c.differs_at, invoices.c.id))
            ]

    def _abandoned(self, run_id: int, months: Collection[Month]) -> sa.ColumnElement[bool]:
        """Entries in doubt whose run is gone; of ledgers older than runs, those of no run."""
        gone = sa.or_(invoices.c.run_id.is_(None), ended(invoices.c.run_id))
        another = invoices.c.run_id.is_distinct_from(run_id)
        return sa.and_(invoices.c.state == State.SENDING, gone, another, _of(months))

    def _be_alive(self, connection: sa.Connection, run_id: int) -> datetime:
        """The time; LedgerError if others take this run for gone, as when its connection was lost."""
        alive = sa.select(runs.c.id).where(runs.c.id == run_id, runs.c.ended_at.is_(None)).with_for_update(read=True)
        if connection.scalar(alive) is None:
            raise LedgerError("this run was taken for dead, since its connection to the ledger was lost; run again")
        return self._database.now(connection)


_ISSUED = (
    sa.update(invoices)
    .where(
        invoices.c.client_id == sa.bindparam("b_client_id"),
        invoices.c.month == sa.bindparam("b_month"),
        sa.or_(invoices.c.state == State.WRITTEN, invoices.c.state == State.SENDING),
    )
    .values(
        state=State.ISSUED,
        billing_id=sa.bindparam("b_billing_id"),
        printed_number=sa.bindparam("b_printed_number"),
        billing_status=sa.bindparam("b_status"),
        due_date=sa.bindparam("b_due"),
        problem=sa.bindparam("b_problem"),
        differs_at=sa.bindparam("b_differs_at", type_=Moment),
        issued_at=sa.bindparam("b_now", type_=Moment),
        run_id=sa.bindparam("b_run_id"),
        leased_until=None,
        kept="",
    )
)
_NOT_ISSUED = (
    sa.update(invoices)
    .where(_OF_CLAIM)
    .values(
        state=sa.bindparam("b_state"),
        problem=sa.bindparam("b_problem"),
        leased_until=sa.bindparam("b_until", type_=Moment),
        run_id=sa.bindparam("b_by", type_=sa.Integer),
    )
)


def claimable(run_id: int, months: Collection[Month]) -> sa.ColumnElement[bool]:
    """Written entries that this run may claim, for use in other queries."""
    sendable = sa.or_(invoices.c.problem.is_(None), invoices.c.kept != "")
    not_tried = sa.or_(invoices.c.run_id.is_(None), invoices.c.run_id.not_in(team(run_id)))
    return sa.and_(invoices.c.state == State.WRITTEN, invoices.c.held.is_(None), sendable, not_tried, _of(months))


def _take_back(connection: sa.Connection, issued: Sequence[Result]) -> None:
    """Of invoices that a lost ledger had made the billing system's figures count."""
    taken = ("currency", "subtotal", "total", "tax", "document", "taken_back")
    for result in issued:
        entry = result.claim.entry
        if entry.taken_back:
            mine = sa.and_(invoices.c.client_id == entry.client_id, invoices.c.month == str(entry.month))
            as_there = sa.and_(mine, invoices.c.billing_id == str(result.receipt.id if result.receipt else None))
            row = row_of(entry)
            connection.execute(sa.update(invoices).where(as_there).values({name: row[name] for name in taken}))


def _doubt_locks(connection: sa.Connection, issued: Sequence[Result]) -> None:
    """An invoice that was due before it was claimed is of a ledger that was lost, as a lock of its client may be."""
    older = {
        result.claim.entry.client_id
        for result in issued
        if result.receipt and not result.claim.in_doubt and result.receipt.due_date < result.claim.entry.issue_date
    }
    if older:
        theirs = accounts.c.client_id.in_(sorted(older))
        connection.execute(sa.update(accounts).where(theirs).values(explained=False))


def _of(months: Collection[Month]) -> sa.ColumnElement[bool]:
    return invoices.c.month.in_([str(month) for month in months])


def _key(run_id: int, claim: Claim) -> dict[str, Any]:
    entry = claim.entry
    return {
        "b_client_id": entry.client_id,
        "b_month": str(entry.month),
        "b_run_id": run_id,
        "b_attempt": entry.attempt,
    }


def _proved(run_id: int, result: Result, now: datetime) -> dict[str, Any]:
    receipt = result.receipt
    assert receipt is not None  # noqa: S101 - only called where there is one
    return {
        "b_client_id": result.claim.entry.client_id,
        "b_month": str(result.claim.entry.month),
        "b_run_id": run_id,
        "b_billing_id": str(receipt.id),
        "b_printed_number": receipt.number,
        "b_status": receipt.status,
        "b_due": receipt.due_date,
        "b_problem": result.problem,
        "b_differs_at": now if result.differs else None,
        "b_now": now,
    }


def _undone(run_id: int, result: Result, now: datetime) -> dict[str, Any]:
    """What may still land is counted from when it was asked for; nothing else is waited for."""
    ago = timedelta(0) if result.asked_at is None else timedelta(seconds=time.monotonic() - result.asked_at)
    return {
        **_key(run_id, result.claim),
        "b_state": result.state,
        "b_problem": result.problem,
        "b_until": now - ago,
        "b_by": run_id if result.begun or result.claim.in_doubt else None,
    }


def _changes(connection: sa.Connection, run_id: int, results: Sequence[Result]) -> list[Event]:
    """What the results are about to change; the entries are locked until that is done, so that it is what happens."""
    keys = [(result.claim.entry.client_id, str(result.claim.entry.month)) for result in results]
    columns = invoices.c.client_id, invoices.c.month, invoices.c.state, invoices.c.run_id, invoices.c.attempt
    query = sa.select(*columns).where(sa.tuple_(invoices.c.client_id, invoices.c.month).in_(keys))
    rows = connection.execute(query.order_by(*_ROW_ORDER).with_for_update())
    there = {(row.client_id, row.month): row for row in rows}
    changes = []
    for key, result in zip(keys, results, strict=True):
        row, entry = there[key], attrs.evolve(result.claim.entry, state=result.state)
        before = State(row.state)
        claimed = (before, row.run_id, row.attempt) == (State.SENDING, run_id, entry.attempt)
        if before in {State.WRITTEN, State.SENDING} if result.receipt else claimed:
            changes.append(state_change(entry, before, run_id, result.problem))
    return changes


def _noted_twice(connection: sa.Connection, run_id: int, issued: Sequence[Result], now: datetime) -> dict[str, str]:
    """Invoices that the ledger does not have as a receipt says: somebody has to look, and perhaps to remove one."""
    problems = {}
    results = {(each.claim.entry.client_id, str(each.claim.entry.month)): each for each in issued}
    columns = invoices.c.client_id, invoices.c.month, invoices.c.state, invoices.c.billing_id, invoices.c.carried_into
    query = sa.select(*columns).where(
        invoices.c.client_id.in_([client_id for client_id, _ in results]),
        invoices.c.month.in_([month for _, month in results]),
    )
    for row in connection.execute(query).all() if results else ():
        result = results.get((row.client_id, row.month))
        if result is None or result.receipt is None or str(result.receipt.id) == row.billing_id:
            continue
        words, values = _made_twice(row, result.receipt) if row.billing_id else _made_late(row, result, now)
        problems[reference(row.month, row.client_id)] = words
        own = sa.and_(invoices.c.client_id == row.client_id, invoices.c.month == row.month)
        connection.execute(sa.update(invoices).where(own).values(**values, problem=words))
        told = Event("invoice", row.client_id, row.month, row.state, values.get("state"), words, run_id)
        note(connection, now, [told])
    return problems


def _made_twice(row: Any, receipt: Receipt) -> tuple[str, dict[str, Any]]:
    words = (
        f"the billing system has it twice, as invoice {row.billing_id} and as invoice {receipt.id}: cancel one of them"
        " there"
    )
    return words, {"other_billing_id": str(receipt.id)}


def _made_late(row: Any, result: Result, now: datetime) -> tuple[str, dict[str, Any]]:
    """An invoice that turns out to be there after its month was drafted anew, as something not to be invoiced."""
    entry, receipt = result.claim.entry, result.receipt
    assert receipt is not None  # noqa: S101 - only called where there is one
    elsewhere = f", and its tokens are in the invoice of {row.carried_into}, too" if row.carried_into else ""
    words = (
        f"invoice {receipt.id} was made after its month was {row.state}{elsewhere}: cancel it in the billing system if"
        " it is not right"
    )
    kept = {"tokens", "subtotal", "total", "tax", "document", "currency", "prices"}
    sent = {name: value for name, value in row_of(entry).items() if name in kept}
    there = {
        "billing_id": str(receipt.id), "printed_number": receipt.number, "billing_status": receipt.status,
        "due_date": receipt.due_date,
    }  # fmt: skip
    return words, {**sent, **there, "state": State.ISSUED, "issued_at": now}
