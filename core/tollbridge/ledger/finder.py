"""What people search the ledger for: a page of rows at a time, each found by an index, without documents."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import attrs
import sqlalchemy as sa

from tollbridge.ledger.database import BATCH, Database
from tollbridge.ledger.figures import Owed, owed_by_age
from tollbridge.ledger.invoices import OPEN
from tollbridge.ledger.schema import accounts, has_number, holds, invoices
from tollbridge.model import InvoiceStatus, UserStatus
from tollbridge.reference import reference
from tollbridge.rules.calendar import Month
from tollbridge.rules.entry import State
from tollbridge.rules.overdue import Hold, HoldReason, held_status


@attrs.frozen
class FoundInvoice:
    """An entry, without its lines; ``tax`` as it was shown."""

    client_id: int
    month: str
    state: State
    status: InvoiceStatus | None
    currency: str
    issue_date: date
    due_date: date
    tokens: int
    total: Decimal
    tax: Decimal
    billing_id: str | None
    carried_into: str | None
    problem: str | None
    held: str | None
    written_at: datetime
    sent_at: datetime | None
    issued_at: datetime | None
    settled_at: datetime | None

    @property
    def reference(self) -> str:
        """What the invoice is found again by."""
        return reference(self.month, self.client_id)

    @property
    def is_owed(self) -> bool:
        """Whether somebody is still to pay it."""
        return self.state is State.ISSUED and self.status is not None and self.status.is_open


@attrs.frozen
class FoundClient:
    """A client with its SolusIO user, as the ledger knew it last, and the worst that it is held for."""

    client_id: int
    user_id: int
    email: str
    held: UserStatus


@attrs.frozen
class HeldClient:
    """One reason why a client's user is locked or suspended."""

    client_id: int
    hold: Hold
    since: datetime


@attrs.frozen
class LastMonth:
    """What a client's entry of a month came to, without tax."""

    currency: str
    tokens: int
    net: Decimal


_NAMES = [field.name for field in attrs.fields(FoundInvoice)]
_COLUMNS = [invoices.c.billing_status if name == "status" else invoices.c[name] for name in _NAMES]
_UNFINISHED = sa.and_(invoices.c.state.in_([State.WRITTEN, State.SENDING]), invoices.c.held.is_(None))
_REFUSED = sa.and_(invoices.c.state == State.WRITTEN, invoices.c.problem.is_not(None))
_HELD = sa.and_(invoices.c.state == State.WRITTEN, invoices.c.held.is_not(None))
_UNSENT = sa.and_(invoices.c.state == State.WRITTEN, invoices.c.held.is_(None), invoices.c.problem.is_(None))
# As one of the indexes has them: where a million are on their way, they are not put into another order first.
_AS_LISTED = (invoices.c.state, invoices.c.billing_status, invoices.c.client_id)
_WRONG = sa.and_(invoices.c.problem.is_not(None), invoices.c.state == State.ISSUED)
_OWED = sa.and_(invoices.c.state == State.ISSUED, OPEN)


class Finder:
    """The ledger's pages of rows. Nothing here changes anything."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def invoices(
        self,
        most: int,
        *,
        month: Month | None = None,
        client_id: int | None = None,
        state: State | InvoiceStatus | None = None,
        billing_id: str | None = None,
        before: tuple[Month, int] | None = None,
    ) -> list[FoundInvoice]:
        """Entries by month and client, the newest month first; ``before``: only those that come after this one."""
        of = invoices.c
        conditions: list[sa.ColumnElement[bool]] = []
        if month is not None:
            conditions.append(of.month == str(month))
        if client_id is not None:
            conditions.append(of.client_id == client_id)
        if isinstance(state, State):
            conditions.append(of.state == state)
        elif state is not None:
            conditions += [of.state == State.ISSUED, of.billing_status == state]
        if billing_id is not None:
            conditions.append(has_number(billing_id))
        if before is not None:
            conditions.append(sa.tuple_(of.month, of.client_id) < sa.tuple_(str(before[0]), before[1]))
        return self._entries(sa.and_(True, *conditions), (of.month.desc(), of.client_id.desc()), most)

    def unfinished(self, most: int) -> tuple[list[FoundInvoice], int]:
        """Entries on their way into the billing system that nobody holds, by client; and how many there are."""
        states = invoices.c.state.in_([State.WRITTEN, State.SENDING])
        count = self._count(states) - self._count(_HELD)
        return self._entries(_UNFINISHED, _AS_LISTED, most), count

    def refused(self, most: int) -> tuple[list[FoundInvoice], int]:
        """Those of them that were tried, and are not there; and how many there are."""
        return self._entries(_REFUSED, _AS_LISTED, most), self._count(_REFUSED)

    def doubtful(self, most: int, living: Sequence[int]) -> tuple[list[FoundInvoice], int]:
        """Those that a run sent which is not among the living, and nobody knows what came of it; and how many."""
        left = sa.and_(invoices.c.state == State.SENDING, invoices.c.run_id.not_in(living))
        return self._entries(left, _AS_LISTED, most), self._count(left)

    def unsent(self, most: int) -> tuple[list[FoundInvoice], int]:
        """Those that nobody has tried yet; and how many there are."""
        count = self._count(invoices.c.state == State.WRITTEN) - self._count(_HELD) - self._count(_REFUSED)
        return self._entries(_UNSENT, _AS_LISTED, most), count

    def with_problems(self) -> set[str]:
        """The references of all entries of which something is said to be wrong."""
        query = sa.select(invoices.c.month, invoices.c.client_id).where(invoices.c.problem.is_not(None))
        with self._database.read() as connection:
            return {reference(row.month, row.client_id) for row in connection.execute(query)}

    def wrong(self, most: int) -> tuple[list[FoundInvoice], int]:
        """Issued invoices that are not right as they are; and how many there are."""
        return self._entries(_WRONG, (invoices.c.id,), most), self._count(_WRONG)

    def owed(self, client_ids: Sequence[int] | None = None) -> Iterator[FoundInvoice]:
        """Invoices that were open when last looked at, in batches: of these clients, or all."""
        if client_ids is None:
            some: list[sa.ColumnElement[bool]] = [_OWED]
        else:
            batches = [client_ids[start : start + BATCH] for start in range(0, len(client_ids), BATCH)]
            some = [sa.and_(_OWED, invoices.c.client_id.in_(batch)) for batch in batches]
        with self._database.read() as connection:
            for theirs in some:
                query = sa.select(*_COLUMNS).where(theirs)
                for row in connection.execution_options(yield_per=BATCH).execute(query):
                    yield _found(row)

    def owed_by_age(self, day: date) -> list[Owed]:
        """What is owed, by currency and age, and for how many invoices."""
        with self._database.read() as connection:
            return owed_by_age(connection, day)

    def pending(self) -> int:
        """How many invoices there are with a payment under way."""
        return self._count(
            sa.and_(invoices.c.state == State.ISSUED, invoices.c.billing_status == InvoiceStatus.PENDING)
        )

    def debtors(self, most: int) -> tuple[list[int], int]:
        """Those of the clients that owe whose open invoices, ``most`` of them, were due first; and how many owe."""
        of, oldest = invoices.c, dict[int, date]()
        with self._database.read() as connection:
            for status in InvoiceStatus:
                theirs = sa.and_(of.state == State.ISSUED, of.billing_status == status)
                query = sa.select(of.client_id, of.due_date).where(theirs).order_by(of.due_date, of.client_id)
                for client_id, due in connection.execute(query.limit(most)) if status.is_open else ():
                    oldest[client_id] = min(due, oldest.get(client_id, due))
            count = connection.scalar(sa.select(sa.func.count(of.client_id.distinct())).where(_OWED))
        return sorted(oldest, key=lambda client_id: (oldest[client_id], client_id)), count or 0

    def clients(self, most: int, *, text: str = "", after: int | None = None) -> list[FoundClient]:
        """Clients by number whose address has this text in it, or whose number, or user's number, it is."""
        of = accounts.c
        query = sa.select(of.client_id, of.user_id, of.email)
        if text.isascii() and text.isdecimal() and len(text) < 19:
            query = query.where(sa.or_(of.client_id == int(text), of.user_id == int(text)))
        elif text:
            query = query.where(sa.func.lower(of.email).contains(text.lower(), autoescape=True))
        if after is not None:
            query = query.where(of.client_id > after)
        with self._database.read() as connection:
            rows = connection.execute(query.order_by(of.client_id).limit(most)).all()
            reasons = _holds(connection, [row.client_id for row in rows])
        return [
            FoundClient(row.client_id, row.user_id, row.email, held_status(reasons.get(row.client_id, ())))
            for row in rows
        ]

    def held(self) -> list[HeldClient]:
        """Everybody who is locked or suspended, and why, by client."""
        query = sa.select(holds).order_by(holds.c.client_id, holds.c.reason)
        with self._database.read() as connection:
            return [
                HeldClient(row.client_id, Hold(HoldReason(row.reason), UserStatus(row.status)), row.since)
                for row in connection.execute(query)
            ]

    def last_month(self, month: Month) -> dict[int, LastMonth]:
        """What each client's entry of a month came to, by client."""
        of = invoices.c
        query = sa.select(of.client_id, of.currency, of.tokens, of.total, of.tax).where(of.month == str(month))
        with self._database.read() as connection:
            rows = connection.execute(query)
            return {row.client_id: LastMonth(row.currency, row.tokens, row.total - row.tax) for row in rows}

    def _entries(
        self, condition: sa.ColumnElement[bool], order: Sequence[sa.ColumnElement[Any]], most: int
    ) -> list[FoundInvoice]:
        with self._database.read() as connection:
            rows = connection.execute(sa.select(*_COLUMNS).where(condition).order_by(*order).limit(most))
            return [_found(row) for row in rows]

    def _count(self, condition: sa.ColumnElement[bool]) -> int:
        with self._database.read() as connection:
            return connection.execute(sa.select(sa.func.count()).select_from(invoices).where(condition)).scalar_one()


def _holds(connection: sa.Connection, client_ids: Sequence[int]) -> dict[int, list[Hold]]:
    found: dict[int, list[Hold]] = {}
    query = sa.select(holds).where(holds.c.client_id.in_(client_ids))
    for row in connection.execute(query):
        found.setdefault(row.client_id, []).append(Hold(HoldReason(row.reason), UserStatus(row.status)))
    return found


def _found(row: sa.Row[Any]) -> FoundInvoice:
    client_id, month, state, status, *rest = tuple(row)
    return FoundInvoice(client_id, month, State(state), None if status is None else InvoiceStatus(status), *rest)
