"""The ledger's invoices: an entry for each client and month, and how far it is."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import attrs
import sqlalchemy as sa
from cattrs.preconf.orjson import OrjsonConverter, make_converter

from tollbridge.ledger.database import Database
from tollbridge.ledger.events import Event, note
from tollbridge.ledger.leases import Lease
from tollbridge.ledger.schema import Moment, invoices
from tollbridge.model import InvoiceStatus
from tollbridge.rules.calendar import Month
from tollbridge.rules.entry import Document, Entry, State

UNFINISHED = invoices.c.state.in_([State.WRITTEN, State.SENDING])
_DRAFTED = {column.name for column in invoices.c} - {"id", "client_id", "month", "attempt", "kept"}
OPEN = invoices.c.billing_status.in_([status for status in InvoiceStatus if not status.is_settled])


@attrs.frozen
class Draft:
    """An entry as it is to be, and as it was found when that was decided; None: there was none."""

    entry: Entry
    found: Entry | None = None


@attrs.frozen
class Seen:
    """What the billing system says of an issued invoice today."""

    entry: Entry
    status: InvoiceStatus
    due_date: date


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
        """Earlier months of these clients that still wait for an invoice, or were taken into this month's."""
        waiting = sa.or_(
            invoices.c.carried_into.is_(None),
            invoices.c.carried_into == str(month),
        )
        found: dict[int, list[Entry]] = {}
        condition = sa.and_(invoices.c.month < str(month), invoices.c.state == State.CARRIED, waiting)
        for entry in self._entries(client_ids, condition):
            found.setdefault(entry.client_id, []).append(entry)
        return found

    def issued_to(self, client_id: int, most: int) -> list[Entry]:
        """A client's issued invoices, newest first."""
        query = (
            sa.select(invoices)
            .where(invoices.c.client_id == client_id, invoices.c.state == State.ISSUED)
            .order_by(invoices.c.month.desc())
            .limit(most)
        )
        with self._database.read() as connection:
            return [entry_of(row) for row in connection.execute(query)]

    def waiting(self, month: Month) -> Iterator[list[int]]:
        """Clients for whom something waits whether or not they used anything, in batches by id.

        That is an earlier month that was carried, or an entry of this month that has not come to its end.
        """
        carried = sa.and_(
            invoices.c.month < str(month), invoices.c.state == State.CARRIED, invoices.c.carried_into.is_(None)
        )
        condition = sa.or_(carried, sa.and_(invoices.c.month == str(month), UNFINISHED))
        query = sa.select(invoices.c.client_id).where(condition).distinct().order_by(invoices.c.client_id)
        return self._database.batches(query, invoices.c.client_id)

    def written(self, month: Month) -> Iterator[list[Entry]]:
        """The month's entries that are written, in batches."""
        return self._pages(sa.and_(invoices.c.month == str(month), invoices.c.state == State.WRITTEN))

    def draft(self, drafts: Sequence[Draft], lease: Lease) -> list[Entry]:
        """Write a page of drafts, in one transaction under the lease; those that were written.

        One that is not as it was found any more (somebody has claimed it since) is left as it is.
        """
        if not drafts:
            return []
        with self._database.write() as connection:
            lease.renew(connection)
            now = self._database.now(connection)
            insert = self._database.insert(invoices)
            replaced = {name: insert.excluded[name] for name in _DRAFTED}
            as_found = sa.and_(
                invoices.c.state == State.WRITTEN, invoices.c.attempt == insert.excluded.attempt, invoices.c.kept == ""
            )
            statement = insert.on_conflict_do_update(
                index_elements=["client_id", "month"], set_=replaced, where=as_found
            )
            rows = [{**row_of(each.entry), "attempt": each.found.attempt if each.found else 0} for each in drafts]
            connection.execute(statement, rows)
            written = self._still_as_drafted(connection, drafts)
            self._carry(connection, written)
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
        """The invoices that a run issued, or found to be there, by month and client."""
        condition = sa.and_(invoices.c.run_id == run_id, invoices.c.state == State.ISSUED)
        query = sa.select(invoices).where(condition).order_by(invoices.c.month, invoices.c.client_id).limit(most)
        with self._database.read() as connection:
            for row in connection.execute(query):
                yield entry_of(row)

    def note_status(self, seen: Iterable[Seen]) -> None:
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
                    "b_settled_at": now if each.status.is_settled else None,
                }
                for each in changed
            ]
            connection.execute(statement, rows)
            note(connection, now, (
                Event("payment", each.entry.client_id, str(each.entry.month), each.entry.billing_status, each.status)
                for each in changed if each.status is not each.entry.billing_status
            ))  # fmt: skip

    def settle(self, entry: Entry, problem: str | None, billing_id: str | None = None) -> None:
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
                event = Event("problem", entry.client_id, str(entry.month), why=why)
                note(connection, self._database.now(connection), [event])

    def revenue(self) -> list[tuple[Month, str, int, Decimal]]:
        """Per month and currency: how many invoices were issued, and their subtotals added up."""
        query = (
            sa.select(invoices.c.month, invoices.c.currency, invoices.c.subtotal)
            .where(invoices.c.state == State.ISSUED)
            .order_by(invoices.c.month, invoices.c.currency)
        )
        sums: dict[tuple[str, str], tuple[int, Decimal]] = {}
        with self._database.read() as connection:
            for month, currency, subtotal in connection.execute(query):
                count, amount = sums.get((month, currency), (0, Decimal(0)))
                sums[month, currency] = (count + 1, amount + subtotal)
        return [(Month.parse(month), currency, *total) for (month, currency), total in sums.items()]

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
    return row


def entry_of(row: sa.Row[Any]) -> Entry:
    """A row of the table as a value."""
    fields = row._asdict()
    del fields["id"]
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


def _document_converter() -> OrjsonConverter:
    converter = make_converter(detailed_validation=False)
    converter.register_unstructure_hook(Decimal, lambda amount: f"{amount:f}")
    converter.register_structure_hook(Decimal, lambda text, _: Decimal(text))
    return converter


documents = _document_converter()
