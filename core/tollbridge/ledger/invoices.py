"""The ledger's invoices: an entry for each client and month, and how far it is."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import attrs
import sqlalchemy as sa
from cattrs.preconf.orjson import OrjsonConverter, make_converter

from tollbridge.ledger.database import Database
from tollbridge.ledger.schema import invoices
from tollbridge.model import InvoiceStatus
from tollbridge.reference import month_and_client
from tollbridge.rules.calendar import Month
from tollbridge.rules.entry import Document, Entry, State

_UNFINISHED = sa.or_(invoices.c.state == "written", invoices.c.state == "sending")
_OPEN = [status for status in InvoiceStatus if not status.is_settled]


@attrs.frozen
class Result:
    """What came of sending one entry; fields left out keep what the ledger has."""

    entry: Entry
    state: State
    problem: str | None = None
    billing_id: str | None = None
    billing_status: InvoiceStatus | None = None
    due_date: date | None = None
    issued_at: datetime | None = None


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
            return [_entry(row) for row in connection.execute(query)]

    def waiting(self, month: Month) -> Iterator[list[int]]:
        """Clients for whom something waits whether or not they used anything, in batches by id.

        That is an earlier month that was carried, or an entry of this month that has not come to its end.
        """
        carried = sa.and_(
            invoices.c.month < str(month), invoices.c.state == State.CARRIED, invoices.c.carried_into.is_(None)
        )
        condition = sa.or_(carried, sa.and_(invoices.c.month == str(month), _UNFINISHED))
        query = sa.select(invoices.c.client_id).where(condition).distinct().order_by(invoices.c.client_id)
        return self._database.batches(query, invoices.c.client_id)

    def write(self, entries: Sequence[Entry]) -> None:
        """Write entries whole, in one transaction; one per client and month, and none that is final is replaced."""
        if not entries:
            return
        insert = self._database.insert(invoices)
        replaced = {
            column.name: insert.excluded[column.name]
            for column in invoices.c
            if column.name not in {"id", "client_id", "month"}
        }
        statement = insert.on_conflict_do_update(
            index_elements=["client_id", "month"], set_=replaced, where=_UNFINISHED
        )
        of_client = invoices.c.client_id == sa.bindparam("b_client_id")
        released = sa.update(invoices).where(of_client, invoices.c.carried_into == sa.bindparam("b_into"))
        taken = sa.update(invoices).where(of_client, invoices.c.month == sa.bindparam("b_month"))
        into = [{"b_client_id": entry.client_id, "b_into": str(entry.month)} for entry in entries]
        carries = [
            {"b_client_id": entry.client_id, "b_month": month, "b_into": str(entry.month)}
            for entry in entries
            for month in entry.document.carries
        ]
        with self._database.write() as connection:
            connection.execute(statement, [_row(entry) for entry in entries])
            connection.execute(released.values(carried_into=None), into)
            if carries:
                connection.execute(taken.values(carried_into=sa.bindparam("b_into")), carries)

    def record(self, results: Iterable[Result]) -> None:
        """Note what came of sending entries, in one transaction."""
        rows = [
            {
                "b_client_id": result.entry.client_id,
                "b_month": str(result.entry.month),
                "state": result.state,
                "problem": result.problem,
                "billing_id": result.billing_id,
                "billing_status": result.billing_status,
                "due_date": result.due_date or result.entry.due_date,
                "issued_at": result.issued_at,
            }
            for result in results
        ]
        self._update(rows)

    def clients_with_open(self) -> Iterator[list[int]]:
        """Clients with an issued invoice that was open when last looked at, in batches by id."""
        condition = sa.and_(invoices.c.state == State.ISSUED, invoices.c.billing_status.in_(_OPEN))
        query = sa.select(invoices.c.client_id).where(condition).distinct().order_by(invoices.c.client_id)
        return self._database.batches(query, invoices.c.client_id)

    def open(self, client_ids: Sequence[int], reopened: Collection[str]) -> list[Entry]:
        """These clients' issued invoices that were open when last looked at, or are among ``reopened``."""
        months_reopened = {named[0] for each in reopened if (named := month_and_client(each))}
        condition = sa.and_(
            invoices.c.state == State.ISSUED,
            sa.or_(invoices.c.billing_status.in_(_OPEN), invoices.c.month.in_(months_reopened)),
        )
        found = self._entries(client_ids, condition)
        return [entry for entry in found if entry.billing_status in _OPEN or entry.reference in reopened]

    def note_status(self, changes: Iterable[tuple[Entry, InvoiceStatus, date, datetime | None]]) -> None:
        """Note what the billing system says now: status, due date, and when the invoice was seen settled."""
        rows = [
            {
                "b_client_id": entry.client_id,
                "b_month": str(entry.month),
                "billing_status": status,
                "due_date": due,
                "settled_at": settled_at,
            }
            for entry, status, due, settled_at in changes
        ]
        self._update(rows)

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
            return [_entry(row) for row in connection.execute(query)]

    def _update(self, rows: list[dict[str, Any]]) -> None:
        if not rows:
            return
        columns: dict[str, Any] = {name: sa.bindparam(name) for name in rows[0] if not name.startswith("b_")}
        statement = (
            sa.update(invoices)
            .where(invoices.c.client_id == sa.bindparam("b_client_id"), invoices.c.month == sa.bindparam("b_month"))
            .values(columns)
        )
        with self._database.write() as connection:
            connection.execute(statement, rows)


def _row(entry: Entry) -> dict[str, Any]:
    row = attrs.asdict(entry, recurse=False)
    row["month"] = str(entry.month)
    row["document"] = documents.dumps(entry.document).decode()
    return row


def _entry(row: sa.Row[Any]) -> Entry:
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
    converter = make_converter()
    converter.register_unstructure_hook(Decimal, lambda amount: f"{amount:f}")
    converter.register_structure_hook(Decimal, lambda text, _: Decimal(text))
    return converter


documents = _document_converter()
