"""The ledger's invoices: an entry for each client and month, and how far it is."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import attrs
import sqlalchemy as sa

from tollbridge.errors import UsageError
from tollbridge.ledger.corrections import take_in
from tollbridge.ledger.database import Database
from tollbridge.ledger.documents import documents
from tollbridge.ledger.events import Event, note
from tollbridge.ledger.leases import Lease, is_held
from tollbridge.ledger.runs import own_and_helpers
from tollbridge.ledger.schema import Moment, corrections, invoices, months
from tollbridge.model import InvoiceStatus
from tollbridge.rules.calendar import Month
from tollbridge.rules.corrections import CorrectionState
from tollbridge.rules.entry import Document, Entry, State

UNFINISHED = invoices.c.state.in_([State.WRITTEN, State.SENDING])
_WAITING = sa.and_(invoices.c.state == State.CARRIED, invoices.c.carried_into.is_(None))
_DRAFTED = {column.name for column in invoices.c} - {"id", "client_id", "month", "attempt", "kept"}
OPEN = invoices.c.billing_status.in_([status for status in InvoiceStatus if not status.is_settled])


@attrs.frozen
class Draft:
    """An entry as it is to be, and as it was found when that was decided; None: there was none."""

    entry: Entry
    found: Entry | None = None


@attrs.frozen
class Seen:
    """What the billing system says of an issued invoice today; ``printed_number`` None: it did not tell."""

    entry: Entry
    status: InvoiceStatus
    due_date: date
    printed_number: str | None = None


class Invoices:
    """The entries of the ledger, one for each client and month at most."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of_month(self, month: Month, client_ids: Sequence[int]) -> dict[int, Entry]:
        """The month's entries of these clients."""
        return {entry.client_id: entry for entry in self._entries(client_ids, invoices.c.month == str(month))}

    def find(self, month: Month, client_id: int) -> Entry | None:
        """One client's month."""
        return self.of_month(month, [client_id]).get(client_id)

    def carried(self, month: Month, client_ids: Sequence[int]) -> dict[int, list[Entry]]:
        """Earlier months of these clients that still wait for an invoice, and all that were taken into this month's."""
        earlier = sa.and_(invoices.c.month < str(month), _WAITING)
        taken = sa.and_(invoices.c.state == State.CARRIED, invoices.c.carried_into == str(month))
        return self._by_client(client_ids, sa.or_(earlier, taken))

    def all_carried(self, client_ids: Sequence[int]) -> dict[int, list[Entry]]:
        """All months of these clients that wait for an invoice, oldest first."""
        return self._by_client(client_ids, _WAITING)

    def clients_with_carried(self) -> Iterator[list[int]]:
        """Clients of whom a month waits for an invoice, in batches."""
        query = sa.select(invoices.c.client_id).where(_WAITING).distinct().order_by(invoices.c.client_id)
        return self._database.batches(query, invoices.c.client_id)

    def _by_client(self, client_ids: Sequence[int], condition: sa.ColumnElement[bool]) -> dict[int, list[Entry]]:
        found: dict[int, list[Entry]] = {}
        for entry in self._entries(client_ids, condition):
            found.setdefault(entry.client_id, []).append(entry)
        return found

    def issued_to(self, client_id: int, most: int, year: int | None = None) -> list[Entry]:
        """A client's issued invoices, newest first; of one year's months only if it is given."""
        query = sa.select(invoices).where(invoices.c.client_id == client_id, invoices.c.state == State.ISSUED)
        if year is not None:
            query = query.where(invoices.c.month.between(f"{year:04d}-01", f"{year:04d}-12"))
        query = query.order_by(invoices.c.month.desc()).limit(most)
        with self._database.read() as connection:
            return [entry_of(row) for row in connection.execute(query)]

    def years_of(self, client_id: int) -> tuple[int, ...]:
        """The years in which a client has months that were invoiced, newest first."""
        theirs = sa.and_(invoices.c.client_id == client_id, invoices.c.state == State.ISSUED)
        year = sa.func.substr(invoices.c.month, 1, 4)
        with self._database.read() as connection:
            return tuple(map(int, connection.scalars(sa.select(year).where(theirs).distinct().order_by(year.desc()))))

    def waiting(self, month: Month) -> Iterator[list[int]]:
        """Clients for whom something waits whether or not they used anything, in batches by id.

        That is an earlier month that was carried, or an entry of this month that has not come to its end.
        """
        condition = sa.or_(
            sa.and_(invoices.c.month < str(month), _WAITING), sa.and_(invoices.c.month == str(month), UNFINISHED)
        )
        query = sa.select(invoices.c.client_id).where(condition).distinct().order_by(invoices.c.client_id)
        return self._database.batches(query, invoices.c.client_id)

    def written(self, month: Month) -> Iterator[list[Entry]]:
        """The month's entries that are written, in batches."""
        return self._pages(sa.and_(invoices.c.month == str(month), invoices.c.state == State.WRITTEN))

    def note_carried(self, client_id: int, carried: Sequence[str], into: Month) -> None:
        """Note that months of a client that wait for an invoice stand on this one: a ledger that was lost made it."""
        these = sa.and_(invoices.c.client_id == client_id, invoices.c.month.in_(carried), _WAITING)
        with self._database.write() as connection:
            connection.execute(sa.update(invoices).where(these).values(carried_into=str(into)))

    def has_any(self, month: Month) -> bool:
        """Whether anybody has an entry of the month."""
        with self._database.read() as connection:
            any_of_it = sa.select(invoices.c.id).where(invoices.c.month == str(month)).limit(1)
            return connection.scalar(any_of_it) is not None

    def pages_of(self, month: Month) -> Iterator[list[Entry]]:
        """All entries of a month, in batches by number."""
        return self._pages(invoices.c.month == str(month))

    def dearest(self, before: Month, client_ids: Sequence[int]) -> dict[tuple[int, str], Decimal]:
        """By client and currency, the most they were asked for in a month before this one, if for anything."""
        asked = invoices.c.state.in_([State.ISSUED, State.CARRIED])
        earlier = sa.and_(invoices.c.client_id.in_(client_ids), invoices.c.month < str(before), asked)
        found: dict[tuple[int, str], Decimal] = {}
        query = sa.select(invoices.c.client_id, invoices.c.currency, invoices.c.subtotal).where(earlier)
        with self._database.read() as connection:
            for row in connection.execute(query):
                key = row.client_id, row.currency
                found[key] = max(row.subtotal, found.get(key, row.subtotal))
        return found

    def held(self) -> Iterator[list[Entry]]:
        """Entries that wait for a human, in batches by number."""
        return self._pages(sa.and_(invoices.c.state == State.WRITTEN, invoices.c.held.is_not(None)))

    def approve(self, month: Month, client_id: int, reason: str, more: Decimal = Decimal(0)) -> Entry | None:
        """Let a held entry be sent, also if it is drafted anew up to its sum and ``more``; None if it is not held."""
        held = sa.and_(invoices.c.state == State.WRITTEN, invoices.c.held.is_not(None))
        return self._decide(month, client_id, held, {"held": None}, "approval", reason, more)

    def write_off(self, month: Month, client_id: int, reason: str) -> Entry | None:
        """Let an entry be that is in no invoice yet: it counts as billed. None if it is sent, or there is none.

        The corrections on it are refused with it.

        Raises:
            UsageError: it is carried, and a run is drafting just now, perhaps the invoice that takes it in.
        """
        unsent = sa.or_(invoices.c.state == State.WRITTEN, _WAITING)
        gone = {"state": State.NOTHING, "written_off": reason, "held": None, "problem": None, "leased_until": None}
        return self._decide(month, client_id, sa.and_(unsent, invoices.c.kept == ""), gone, "written off", reason)

    def _decide(  # noqa: PLR0917
        self,
        month: Month,
        client_id: int,
        condition: sa.ColumnElement[bool],
        values: dict[str, Any],
        what: str,
        reason: str,
        more: Decimal = Decimal(0),
    ) -> Entry | None:
        mine = sa.and_(invoices.c.client_id == client_id, invoices.c.month == str(month), condition)
        with self._database.write() as connection:
            row = connection.execute(sa.select(invoices).where(mine).with_for_update()).first()
            if row is None:
                return None
            entry = entry_of(row)
            now = self._database.now(connection)
            if entry.state is State.CARRIED and is_held(connection, "drafting", now):
                raise UsageError("a run is drafting just now, perhaps its invoice: try again when it has ended")
            connection.execute(sa.update(invoices).where(invoices.c.id == row.id).values(values))
            if what == "approval":
                up_to = f"{entry.subtotal + max(more, Decimal(0)):f}"
                note(connection, now, [Event(what, client_id, str(month), after=up_to, why=reason)])
                return entry
            taken = sa.update(corrections).where(corrections.c.id.in_(entry.document.corrects))
            connection.execute(taken.values(state=CorrectionState.REFUSED, reason=reason))
            gone = Event("invoice", client_id, str(month), entry.state, State.NOTHING, f"{what}: {reason}")
            note(connection, now, [gone])
            return entry

    def draft(self, drafts: Sequence[Draft], lease: Lease) -> list[Entry]:
        """Write a page of drafts of one month, in one transaction under the lease; those that were written.

        One that is not as it was found any more (somebody has claimed it since) is left as it is. A month that was
        closed is open again if anything of it is to be sent.
        """
        if not drafts:
            return []
        with self._database.write() as connection:
            lease.renew(connection)
            now = self._database.now(connection)
            insert = self._database.insert(invoices)
            replaced = {name: insert.excluded[name] for name in _DRAFTED}
            as_found = sa.and_(
                sa.or_(invoices.c.state == State.WRITTEN, _WAITING),
                invoices.c.attempt == insert.excluded.attempt,
                invoices.c.kept == "",
            )
            statement = insert.on_conflict_do_update(
                index_elements=["client_id", "month"], set_=replaced, where=as_found
            )
            rows = [{**row_of(each.entry), "attempt": each.found.attempt if each.found else 0} for each in drafts]
            connection.execute(statement, rows)
            written = self._still_as_drafted(connection, drafts)
            self._carry(connection, written)
            take_in(connection, drafts[0].entry.month, written)
            self._open_month(connection, written, lease)
            before = {each.entry.client_id: each.found.state for each in drafts if each.found}
            note(connection, now, (state_change(entry, before.get(entry.client_id), lease.run_id) for entry in written))
            return written

    def _still_as_drafted(self, connection: sa.Connection, drafts: Sequence[Draft]) -> list[Entry]:
        """Those of a page of one month that are in the ledger as they were just written."""
        columns = invoices.c.client_id, invoices.c.written_at, invoices.c.state, invoices.c.attempt
        of_month = invoices.c.month == str(drafts[0].entry.month)
        of_page = invoices.c.client_id.in_([each.entry.client_id for each in drafts])
        rows = connection.execute(sa.select(*columns).where(of_month, of_page))
        there = {row.client_id: (row.written_at, row.state, row.attempt) for row in rows}
        return [
            each.entry
            for each in drafts
            if there.get(each.entry.client_id)
            == (each.entry.written_at, each.entry.state, each.found.attempt if each.found else 0)
        ]

    def _open_month(self, connection: sa.Connection, entries: Sequence[Entry], lease: Lease) -> None:
        """A month in which something is to be sent is not closed."""
        to_send = next((entry for entry in entries if entry.state is State.WRITTEN), None)
        if to_send is None:
            return
        closed = sa.update(months).where(months.c.month == str(to_send.month), months.c.closed_at.is_not(None))
        if connection.execute(closed.values(closed_at=None)).rowcount == 1:
            opened = Event("month", month=str(to_send.month), after="open", run_id=lease.run_id)
            note(connection, self._database.now(connection), [opened])

    def _carry(self, connection: sa.Connection, entries: Sequence[Entry]) -> None:
        """What was carried is taken into these months' invoices, or waits on."""
        of_client = invoices.c.client_id == sa.bindparam("b_client_id")
        released = sa.update(invoices).where(of_client, invoices.c.carried_into == sa.bindparam("b_into"))
        taken = sa.update(invoices).where(of_client, invoices.c.month == sa.bindparam("b_month"))
        into = [{"b_client_id": entry.client_id, "b_into": str(entry.month)} for entry in entries]
        carries = [
            {"b_client_id": entry.client_id, "b_month": month, "b_into": str(entry.month)}
            for entry in entries
            for month in entry.document.carries
        ]
        if into:
            connection.execute(released.values(carried_into=None), into)
        if carries:
            connection.execute(taken.values(carried_into=sa.bindparam("b_into")), carries)

    def open(self) -> Iterator[list[Entry]]:
        """Issued invoices that were open when last looked at, in batches by number."""
        return self._pages(sa.and_(invoices.c.state == State.ISSUED, OPEN))

    def open_of(self, client_ids: Sequence[int]) -> list[Entry]:
        """These clients' issued invoices that were open when last looked at."""
        condition = sa.and_(invoices.c.state == State.ISSUED, OPEN)
        return self._entries(client_ids, condition)

    def issued_as(self, billing_ids: Sequence[str]) -> list[Entry]:
        """The issued invoices with these numbers of the billing system."""
        query = sa.select(invoices).where(invoices.c.billing_id.in_(billing_ids), invoices.c.state == State.ISSUED)
        with self._database.read() as connection:
            return [entry_of(row) for row in connection.execute(query)]

    def with_problems(self) -> Iterator[list[Entry]]:
        """Issued invoices that are not right as they are, in batches by number."""
        return self._pages(sa.and_(invoices.c.state == State.ISSUED, invoices.c.problem.is_not(None)))

    def of_run(self, run_id: int, most: int | None) -> Iterator[Entry]:
        """The invoices that a run, or a worker for it, issued, or found to be there, by month and client."""
        condition = sa.and_(invoices.c.run_id.in_(own_and_helpers(run_id)), invoices.c.state == State.ISSUED)
        query = sa.select(invoices).where(condition).order_by(invoices.c.month, invoices.c.client_id).limit(most)
        with self._database.read() as connection:
            for row in connection.execute(query):
                yield entry_of(row)

    def note_status(self, seen: Iterable[Seen], run_id: int | None = None) -> None:
        """Note what the billing system says now of issued invoices: status, due date, and when first seen settled.

        Only of the invoice that was looked at: if the ledger has another number by now, nothing is changed.
        """
        # Rows are locked in one order, whoever changes several, so that two runs never wait for each other for ever.
        changed = sorted(seen, key=lambda each: (each.entry.month, each.entry.client_id))
        if not changed:
            return
        settled_at = sa.bindparam("b_settled_at", type_=Moment)
        statement = (
            sa.update(invoices)
            .where(
                invoices.c.client_id == sa.bindparam("b_client_id"),
                invoices.c.month == sa.bindparam("b_month"),
                invoices.c.state == State.ISSUED,
                invoices.c.billing_id.is_not_distinct_from(sa.bindparam("b_billing_id")),
            )
            .values(
                billing_status=sa.bindparam("b_status"),
                due_date=sa.bindparam("b_due"),
                printed_number=sa.func.coalesce(sa.bindparam("b_printed", type_=sa.Text), invoices.c.printed_number),
                settled_at=sa.case(
                    (settled_at.is_not(None), sa.func.coalesce(invoices.c.settled_at, settled_at)), else_=None
                ),
            )
        )
        with self._database.write() as connection:
            now = self._database.now(connection)
            rows = [
                {
                    "b_client_id": each.entry.client_id,
                    "b_month": str(each.entry.month),
                    "b_billing_id": each.entry.billing_id,
                    "b_status": each.status,
                    "b_due": each.due_date,
                    "b_printed": each.printed_number,
                    "b_settled_at": now if each.status.is_settled else None,
                }
                for each in changed
            ]
            connection.execute(statement, rows)
            note(connection, now, (
                Event("payment", each.entry.client_id, str(each.entry.month), each.entry.billing_status, each.status,
                      run_id=run_id)
                for each in changed if each.status is not each.entry.billing_status
            ))  # fmt: skip

    def settle(
        self, entry: Entry, problem: str | None, billing_id: str | None = None, run_id: int | None = None
    ) -> None:
        """Note what is still wrong with an issued invoice, None: nothing; ``billing_id`` is the one that is right."""
        mine = sa.and_(invoices.c.client_id == entry.client_id, invoices.c.month == str(entry.month))
        values: dict[str, Any] = {"problem": problem}
        if problem is None:
            values |= {"other_billing_id": None, "billing_id": billing_id or entry.billing_id}
        with self._database.write() as connection:
            unchanged = invoices.c.billing_id.is_not_distinct_from(entry.billing_id)
            connection.execute(sa.update(invoices).where(mine, unchanged).values(values))
            if problem != entry.problem:
                why = problem or f"settled: {entry.problem}"
                event = Event("problem", entry.client_id, str(entry.month), why=why, run_id=run_id)
                note(connection, self._database.now(connection), [event])

    def of_client(self, client_id: int, month: Month | None = None) -> list[Entry]:
        """A client's entries, whatever became of them, oldest month first; of one month only if it is given."""
        return self._entries([client_id], sa.true() if month is None else invoices.c.month == str(month))

    def count_by_state(self) -> dict[str, int]:
        """How many entries are in each state."""
        states = sa.select(invoices.c.state, sa.func.count().label("entries")).group_by(invoices.c.state)
        with self._database.read() as connection:
            return {row.state: row.entries for row in connection.execute(states)}

    def _entries(self, client_ids: Sequence[int], condition: sa.ColumnElement[bool]) -> list[Entry]:
        query = (
            sa.select(invoices)
            .where(invoices.c.client_id.in_(client_ids), condition)
            .order_by(invoices.c.client_id, invoices.c.month)
        )
        with self._database.read() as connection:
            return [entry_of(row) for row in connection.execute(query)]

    def _pages(self, condition: sa.ColumnElement[bool]) -> Iterator[list[Entry]]:
        query = sa.select(invoices.c.id).where(condition).order_by(invoices.c.id)
        for ids in self._database.batches(query, invoices.c.id):
            with self._database.read() as connection:
                rows = connection.execute(sa.select(invoices).where(invoices.c.id.in_(ids)).order_by(invoices.c.id))
                page = [entry_of(row) for row in rows]
            yield page


def state_change(entry: Entry, before: State | None, run_id: int | None, why: str | None = None) -> Event:
    """The event of an entry that has its present state now."""
    return Event("invoice", entry.client_id, str(entry.month), before, entry.state, why, run_id)


def row_of(entry: Entry) -> dict[str, Any]:
    """A value as a row of the table."""
    row = attrs.asdict(entry, recurse=False)
    row["month"] = str(entry.month)
    row["document"] = documents.dumps(entry.document).decode()
    row["tax"] = entry.tax
    return row


def entry_of(row: sa.Row[Any]) -> Entry:
    """A row of the table as a value."""
    fields = row._asdict()
    del fields["id"], fields["tax"]
    status = fields["billing_status"]
    return Entry(
        **{
            **fields,
            "month": Month.parse(fields["month"]),
            "state": State(fields["state"]),
            "billing_status": None if status is None else InvoiceStatus(status),
            "document": documents.loads(fields["document"], Document),
        }
    )
