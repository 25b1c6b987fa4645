"""The ledger's queries, each named for what it means to billing."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Self

import attrs
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from tollbridge.ledger.entries import Account, Document, Entry, State, documents
from tollbridge.ledger.opening import READ_ONLY, exclusive, ledger_errors, open_engine
from tollbridge.ledger.schema import accounts, invoices, months
from tollbridge.model import InvoiceStatus, UserStatus
from tollbridge.reference import month_and_client
from tollbridge.rules.calendar import Month
from tollbridge.rules.overdue import Hold
from tollbridge.secret import DatabaseUrl

_UNFINISHED = sa.or_(invoices.c.state == "written", invoices.c.state == "sending")
_OPEN = [status for status in InvoiceStatus if not status.is_settled]
_BATCH = 500


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


class Ledger:
    """The ledger, open."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._insert: Any = sqlite.insert if engine.dialect.name == "sqlite" else postgresql.insert

    @classmethod
    def open(cls, url: DatabaseUrl) -> Self:
        """Open the ledger at ``url``, creating its tables or bringing them up to date; LedgerError if that fails."""
        return cls(open_engine(url))

    @property
    def engine(self) -> sa.Engine:
        """The database, for the parts of the ledger that stand in modules of their own."""
        return self._engine

    def close(self) -> None:
        """Close the connections."""
        self._engine.dispose()

    def exclusive(
        self, *, wait_seconds: float, on_wait: Callable[[], None] = lambda: None
    ) -> AbstractContextManager[Callable[[], None]]:
        """Hold the ledger alone for one run; see :func:`tollbridge.ledger.opening.exclusive`."""
        return exclusive(self._engine, wait_seconds=wait_seconds, on_wait=on_wait)

    def ping(self) -> None:
        """Raise unless the database answers and has the ledger in it."""
        with self._read() as connection:
            connection.execute(sa.select(months.c.month).limit(1))

    def numbers(self) -> tuple[dict[str, int], datetime | None]:
        """For monitoring: how many entries are in each state, and when a month was closed last."""
        states = sa.select(invoices.c.state, sa.func.count().label("entries")).group_by(invoices.c.state)
        with self._read() as connection:
            counts = {row.state: row.entries for row in connection.execute(states)}
            return counts, connection.scalar(sa.select(sa.func.max(months.c.closed_at)))

    # Months

    def is_closed(self, month: Month) -> bool:
        """Whether every client's usage of the month has found its place."""
        with self._read() as connection:
            return connection.scalar(sa.select(months.c.month).where(months.c.month == str(month))) is not None

    def close_month(self, month: Month, at: datetime) -> None:
        """Mark the month as done."""
        insert = self._insert(months).values(month=str(month), closed_at=at)
        with self._write() as connection:
            connection.execute(insert.on_conflict_do_update(index_elements=["month"], set_={"closed_at": at}))

    # Invoices

    def entries(self, month: Month, client_ids: Sequence[int]) -> dict[int, Entry]:
        """The month's entries of these clients."""
        return {entry.client_id: entry for entry in self._entries(client_ids, invoices.c.month == str(month))}

    def entry(self, month: Month, client_id: int) -> Entry | None:
        """One client's month."""
        return self.entries(month, [client_id]).get(client_id)

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

    def invoices_of(self, client_id: int, most: int) -> list[Entry]:
        """A client's issued invoices, newest first."""
        query = (
            sa.select(invoices)
            .where(invoices.c.client_id == client_id, invoices.c.state == State.ISSUED)
            .order_by(invoices.c.month.desc())
            .limit(most)
        )
        with self._read() as connection:
            return [_entry(row) for row in connection.execute(query)]

    def clients_in_waiting(self, month: Month) -> Iterator[list[int]]:
        """Clients for whom something waits whether or not they used anything, in batches by id.

        That is an earlier month that was carried, or an entry of this month that has not come to its end.
        """
        carried = sa.and_(
            invoices.c.month < str(month), invoices.c.state == State.CARRIED, invoices.c.carried_into.is_(None)
        )
        condition = sa.or_(carried, sa.and_(invoices.c.month == str(month), _UNFINISHED))
        query = sa.select(invoices.c.client_id).where(condition).distinct().order_by(invoices.c.client_id)
        return self._client_batches(query, invoices.c.client_id)

    def write(self, entries: Sequence[Entry]) -> None:
        """Write entries whole, in one transaction; one per client and month, and none that is final is replaced."""
        if not entries:
            return
        insert = self._insert(invoices)
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
        with self._write() as connection:
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
        self._update_invoices(rows)

    def clients_with_open_invoices(self) -> Iterator[list[int]]:
        """Clients with an issued invoice that was open when last looked at, in batches by id."""
        condition = sa.and_(invoices.c.state == State.ISSUED, invoices.c.billing_status.in_(_OPEN))
        query = sa.select(invoices.c.client_id).where(condition).distinct().order_by(invoices.c.client_id)
        return self._client_batches(query, invoices.c.client_id)

    def open_invoices(self, client_ids: Sequence[int], reopened: Collection[str]) -> list[Entry]:
        """These clients' issued invoices that were open when last looked at, or are among ``reopened``."""
        months_reopened = {named[0] for each in reopened if (named := month_and_client(each))}
        condition = sa.and_(
            invoices.c.state == State.ISSUED,
            sa.or_(invoices.c.billing_status.in_(_OPEN), invoices.c.month.in_(months_reopened)),
        )
        found = self._entries(client_ids, condition)
        return [entry for entry in found if entry.billing_status in _OPEN or entry.reference in reopened]

    def note_billing_status(self, changes: Iterable[tuple[Entry, InvoiceStatus, date, datetime | None]]) -> None:
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
        self._update_invoices(rows)

    def revenue(self) -> list[tuple[Month, str, int, Decimal]]:
        """Per month and currency: how many invoices were issued, and their subtotals added up."""
        query = (
            sa.select(invoices.c.month, invoices.c.currency, invoices.c.subtotal)
            .where(invoices.c.state == State.ISSUED)
            .order_by(invoices.c.month, invoices.c.currency)
        )
        sums: dict[tuple[str, str], tuple[int, Decimal]] = {}
        with self._read() as connection:
            for month, currency, subtotal in connection.execute(query):
                count, amount = sums.get((month, currency), (0, Decimal(0)))
                sums[month, currency] = (count + 1, amount + subtotal)
        return [(Month.parse(month), currency, *total) for (month, currency), total in sums.items()]

    # Accounts

    def accounts(self, client_ids: Sequence[int]) -> dict[int, Account]:
        """The SolusIO users of these clients."""
        query = sa.select(accounts).where(accounts.c.client_id.in_(client_ids))
        with self._read() as connection:
            return {row.client_id: _account(row) for row in connection.execute(query)}

    def clients_of_users(self, user_ids: Sequence[int]) -> dict[int, int]:
        """The clients that these SolusIO users are known to belong to."""
        known = sa.select(accounts.c.user_id, accounts.c.client_id)
        with self._read() as connection:
            return {
                row.user_id: row.client_id
                for start in range(0, len(user_ids), _BATCH)
                for row in connection.execute(known.where(accounts.c.user_id.in_(user_ids[start : start + _BATCH])))
            }

    def accounts_in_question(self) -> Iterator[list[Account]]:
        """Accounts that are held or closed, in batches by client id."""
        condition = sa.or_(accounts.c.closed, accounts.c.hold_status.is_not(None))
        query = sa.select(accounts.c.client_id).where(condition).order_by(accounts.c.client_id)
        for client_ids in self._client_batches(query, accounts.c.client_id):
            found = self.accounts(client_ids)
            yield [found[client_id] for client_id in client_ids if client_id in found]

    def save_account(self, account: Account) -> None:
        """Write an account whole; a user that belonged to another client before belongs to this one now."""
        row = _account_row(account)
        changed = {key: value for key, value in row.items() if key != "client_id"}
        with self._write() as connection:
            connection.execute(
                sa.delete(accounts).where(
                    accounts.c.user_id == account.user_id, accounts.c.client_id != account.client_id
                )
            )
            statement = self._insert(accounts).values(row)
            connection.execute(statement.on_conflict_do_update(index_elements=["client_id"], set_=changed))

    def forget_account(self, client_id: int) -> None:
        """Forget an account whose user was deleted."""
        with self._write() as connection:
            connection.execute(sa.delete(accounts).where(accounts.c.client_id == client_id))

    # The plumbing of the above

    @contextmanager
    def _read(self) -> Iterator[sa.Connection]:
        with ledger_errors(), self._engine.connect().execution_options(**READ_ONLY) as connection:
            yield connection

    @contextmanager
    def _write(self) -> Iterator[sa.Connection]:
        with ledger_errors(), self._engine.begin() as connection:
            yield connection

    def _entries(self, client_ids: Sequence[int], condition: sa.ColumnElement[bool]) -> list[Entry]:
        query = (
            sa.select(invoices)
            .where(invoices.c.client_id.in_(client_ids), condition)
            .order_by(invoices.c.client_id, invoices.c.month)
        )
        with self._read() as connection:
            return [_entry(row) for row in connection.execute(query)]

    def _client_batches(self, query: sa.Select[int], column: sa.Column[Any]) -> Iterator[list[int]]:
        after = None
        while True:
            page = query if after is None else query.where(column > after)
            with self._read() as connection:
                client_ids = list(connection.scalars(page.limit(_BATCH)))
            if not client_ids:
                return
            yield client_ids
            after = client_ids[-1]

    def _update_invoices(self, rows: list[dict[str, Any]]) -> None:
        if not rows:
            return
        columns: dict[str, Any] = {name: sa.bindparam(name) for name in rows[0] if not name.startswith("b_")}
        statement = (
            sa.update(invoices)
            .where(invoices.c.client_id == sa.bindparam("b_client_id"), invoices.c.month == sa.bindparam("b_month"))
            .values(columns)
        )
        with self._write() as connection:
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


def _account(row: sa.Row[Any]) -> Account:
    attempted = row.hold_attempted
    hold = Hold(
        UserStatus(row.hold_status), UserStatus(row.hold_found), None if attempted is None else UserStatus(attempted)
    ) if row.hold_status is not None else None  # fmt: skip
    return Account(
        client_id=row.client_id,
        user_id=row.user_id,
        email=row.email,
        closed=row.closed,
        hold=hold,
    )


def _account_row(account: Account) -> dict[str, Any]:
    hold = account.hold
    return {
        "client_id": account.client_id,
        "user_id": account.user_id,
        "email": account.email,
        "closed": account.closed,
        "hold_status": hold and hold.status,
        "hold_found": hold and hold.found,
        "hold_attempted": hold and hold.attempted,
    }
