"""The ledger's lists, for people and programs that look: row by row, however many there are, and without documents."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import attrs
import sqlalchemy as sa

from tollbridge.ledger.database import BATCH, Database
from tollbridge.ledger.events import Event
from tollbridge.ledger.invoices import OPEN
from tollbridge.ledger.month_sums import MonthSum, Sums
from tollbridge.ledger.schema import accounts, events, has_number, holds, invoices, runs
from tollbridge.model import EXACT, InvoiceStatus
from tollbridge.reference import reference
from tollbridge.rules.calendar import Month
from tollbridge.rules.entry import State
from tollbridge.rules.overdue import HoldReason

_INVOICES = invoices.c.state.in_([State.WRITTEN, State.SENDING, State.ISSUED])
_NOT_OWED = frozenset({InvoiceStatus.CANCELLED, InvoiceStatus.REFUNDED})

# What did it, of events that no run did.
_COMMANDS = {"approval": "approve", "write-off": "write-off", "account": "serve"}


@attrs.frozen
class Row:
    """One entry of a list of invoices, without its lines.

    Attributes:
        status: the billing system's, when it was looked at last; None: it has none yet.
        problem: why it is not issued yet, or what is wrong with it as it was issued.
    """

    client_id: int
    month: str
    state: State
    status: InvoiceStatus | None
    currency: str
    issue_date: date
    due_date: date
    tokens: int
    subtotal: Decimal
    total: Decimal
    billing_id: str | None
    carried_into: str | None
    problem: str | None
    issued_at: datetime | None
    settled_at: datetime | None

    @property
    def reference(self) -> str:
        """What the invoice is found again by."""
        return reference(self.month, self.client_id)


@attrs.frozen
class Change:
    """An event, and what made it: the command, if it is known, and the day that its run stood for, if a run did."""

    event: Event
    command: str | None
    run_day: date | None

    @property
    def reference(self) -> str | None:
        """The invoice it is about, if it is about one."""
        event = self.event
        return reference(event.month, event.client_id) if event.month and event.client_id is not None else None

    @property
    def by(self) -> str:
        """Who made it: a run, with the day it stood for if it pretended one, or a command."""
        event, day = self.event, self.run_day
        if event.run_id is None:
            return self.command or ""
        pretended = day is not None and event.at is not None and abs((day - event.at.date()).days) > 1
        return f"run {event.run_id} for {day}" if pretended else f"run {event.run_id}"

    @property
    def words(self) -> str:
        """From what to what, and why."""
        event = self.event
        way = " → ".join(part for part in (event.before, event.after) if part)
        why = f"({event.why})" if event.why and way else event.why or ""
        return f"{event.what}: {' '.join(part for part in (way, why) if part)}"


@attrs.frozen
class Revenue:
    """What the issued invoices of a month come to in one currency; cancelled and refunded ones are only counted."""

    month: str
    currency: str
    invoices: int
    net: Decimal
    tax: Decimal
    left_out: int


@attrs.frozen
class Held:
    """A reason why a client's user is held, since when, and what was said of it then."""

    reason: HoldReason
    status: str
    since: datetime
    why: str | None


class Lists:
    """The ledger's lists. Nothing here changes anything."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def invoices(
        self,
        month: Month | None = None,
        client_id: int | None = None,
        state: State | InvoiceStatus | None = None,
        *,
        only_open: bool = False,
    ) -> Iterator[Row]:
        """Invoices by month and client; entries that are none (carried, nothing) only if ``state`` asks for them.

        ``state`` is the ledger's, or what the billing system said last. ``only_open``: issued, and not settled when
        last looked at.
        """
        of_state = invoices.c.state == state if isinstance(state, State) else _INVOICES
        conditions: list[sa.ColumnElement[bool]] = [of_state]
        if isinstance(state, InvoiceStatus):
            conditions.append(invoices.c.billing_status == state)
        if month is not None:
            conditions.append(invoices.c.month == str(month))
        if client_id is not None:
            conditions.append(invoices.c.client_id == client_id)
        if only_open:
            conditions += [invoices.c.state == State.ISSUED, OPEN]
        names = [field.name for field in attrs.fields(Row)]
        columns = [invoices.c.billing_status.label(name) if name == "status" else invoices.c[name] for name in names]
        query = sa.select(*columns).where(*conditions).order_by(invoices.c.month, invoices.c.client_id)
        for row in self._rows(query):
            client, of_month, found, status, *rest = row
            yield Row(client, of_month, State(found), None if status is None else InvoiceStatus(status), *rest)

    def events(
        self, client_id: int | None = None, about: tuple[Month, int] | None = None, since: datetime | None = None
    ) -> Iterator[Change]:
        """Events, oldest first: of a client, about one invoice, from a moment on, or all there are."""
        columns = [events.c[field.name] for field in attrs.fields(Event)]
        query = sa.select(*columns, runs.c.command, runs.c.day).outerjoin(runs, runs.c.id == events.c.run_id)
        if client_id is not None:
            query = query.where(events.c.client_id == client_id)
        if about is not None:
            query = query.where(events.c.month == str(about[0]), events.c.client_id == about[1])
        if since is not None:
            query = query.where(events.c.at >= since)
        for row in self._rows(query.order_by(events.c.id)):
            fields = row._asdict()
            day = fields.pop("day")
            command = fields.pop("command") or (None if row.run_id else _COMMANDS.get(row.what))
            yield Change(Event(**fields), command, day)

    def revenue(self) -> list[Revenue]:
        """Per month and currency: what was invoiced, by months and currencies. Tax is as it was shown."""
        return revenue_of(Sums(self._database).of_month())

    def numbered(self, billing_id: str) -> list[tuple[Month, int]]:
        """The entries that have this number of the billing system, its own or the printed one, by month and client."""
        query = sa.select(invoices.c.month, invoices.c.client_id).where(has_number(billing_id))
        rows = self._rows(query.order_by(invoices.c.month, invoices.c.client_id))
        return [(Month.parse(row.month), row.client_id) for row in rows]

    def clients_with_address(self, email: str) -> list[int]:
        """The clients whose user had this address when it was seen last; capitals make no difference."""
        query = sa.select(accounts.c.client_id).where(sa.func.lower(accounts.c.email) == email.lower())
        return [row.client_id for row in self._rows(query.order_by(accounts.c.client_id))]

    def holds(self, client_id: int) -> list[Held]:
        """Why a client's user is held, with what the last event about each hold said."""
        said = {
            change.event.after.partition(":")[0]: change.event.why
            for change in self.events(client_id)
            if change.event.what == "hold" and change.event.after
        }
        query = sa.select(holds).where(holds.c.client_id == client_id).order_by(holds.c.reason)
        return [Held(HoldReason(row.reason), row.status, row.since, said.get(row.reason)) for row in self._rows(query)]

    def _rows(self, query: sa.Select[Any]) -> Iterator[Any]:
        with self._database.read() as connection:
            yield from connection.execution_options(yield_per=BATCH).execute(query)


def revenue_of(sums: Iterable[MonthSum]) -> list[Revenue]:
    """What sums of entries come to as revenue, by months and currencies."""
    zero = Decimal(0)
    made: dict[tuple[str, str], Revenue] = {}
    for each in sums:
        if each.state is not State.ISSUED:
            continue
        key = each.month, each.currency
        found = made.get(key) or Revenue(*key, 0, zero, zero, 0)
        if each.status in _NOT_OWED:
            made[key] = attrs.evolve(found, left_out=found.left_out + each.entries)
        else:
            net, tax = EXACT.add(found.net, each.net), EXACT.add(found.tax, each.tax)
            made[key] = Revenue(*key, found.invoices + each.entries, net, tax, found.left_out)
    return [made[key] for key in sorted(made)]
