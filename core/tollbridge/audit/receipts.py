"""What the billing system has of the bridge's invoices."""

from collections.abc import Iterable, Iterator
from datetime import date

import attrs

from tollbridge.audit.scratch import Scratch
from tollbridge.model import InvoiceStatus, Receipt
from tollbridge.rules.entry import Entry
from tollbridge.rules.overdue import may_be_paid_as_printed, owed_status

_ASKED_FOR = {InvoiceStatus.UNPAID, InvoiceStatus.PENDING, InvoiceStatus.PAID}


@attrs.frozen
class Asked:
    """An unpaid invoice as it is today; one with nothing left that could be paid counts as paid."""

    client_id: int
    status: InvoiceStatus
    due_date: date


@attrs.frozen
class Debt:
    """An invoice that was open when a run looked last: as the ledger noted it then, and as it is today."""

    reference: str
    status: InvoiceStatus
    due_date: date
    noted_status: InvoiceStatus
    noted_due: date


def asked(receipt: Receipt, entry: Entry) -> Asked:
    """What of a receipt decides on a hold."""
    status = owed_status(receipt, entry.document.price.currency.decimals)
    return Asked(receipt.client_id, status, receipt.due_date)


class Receipts(Scratch):
    """Receipts by number and by reference, and the unpaid ones."""

    tables = """
        CREATE TABLE receipts (
            id TEXT PRIMARY KEY, reference TEXT, client_id INTEGER, status TEXT, due_date TEXT, total TEXT,
            balance TEXT, subtotal TEXT, currency TEXT
        );
        CREATE INDEX receipts_by_reference ON receipts (reference);
        CREATE TABLE unpaid (
            id TEXT PRIMARY KEY, reference TEXT, client_id INTEGER, status TEXT, due_date TEXT, total TEXT, balance TEXT
        );
        CREATE TABLE ours (reference TEXT PRIMARY KEY);
        CREATE TABLE owed (
            client_id INTEGER, reference TEXT, status TEXT, due_date TEXT, noted_status TEXT, noted_due TEXT
        );
        CREATE INDEX owed_by_client ON owed (client_id);
    """

    def fill(self, receipts: Iterable[Receipt]) -> None:
        """Add what was listed."""
        self.connection.executemany(
            "INSERT OR REPLACE INTO receipts VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                (
                    str(each.id), each.reference, each.client_id, each.status, each.due_date.isoformat(),
                    f"{each.total:f}", None if each.balance is None else f"{each.balance:f}",
                    None if each.subtotal is None else f"{each.subtotal:f}", each.currency,
                )
                for each in receipts
            ),
        )  # fmt: skip

    def fill_unpaid(self, receipts: Iterable[Receipt]) -> None:
        """Add the list of unpaid ones, whoever made them."""
        self.connection.executemany(
            "INSERT OR REPLACE INTO unpaid VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                (
                    str(each.id),
                    each.reference,
                    each.client_id,
                    each.status,
                    each.due_date.isoformat(),
                    f"{each.total:f}",
                    None if each.balance is None else f"{each.balance:f}",
                )
                for each in receipts
            ),
        )

    def with_reference(self, reference: str) -> list[Receipt]:
        """Every invoice with this reference, by number."""
        query = "SELECT * FROM receipts WHERE reference = ? ORDER BY id"
        return [_receipt(row) for row in self.connection.execute(query, (reference,))]

    def has_just(self, reference: str, facts: tuple[object, ...]) -> bool:
        """Whether there is one invoice of this reference, asked for and not taken back, with just these facts.

        Those are its number, client, currency, the sum of its lines and its total.
        """
        query = "SELECT id, client_id, currency, subtotal, total, status FROM receipts WHERE reference = ?"
        rows = self.connection.execute(query, (reference,)).fetchall()
        return len(rows) == 1 and rows[0][:-1] == facts and rows[0][-1] in _ASKED_FOR

    def unpaid(self, entry: Entry) -> Asked | None:
        """What the list of unpaid invoices says of one; None if it does not, or not whether it is paid as printed."""
        row = self.connection.execute("SELECT * FROM unpaid WHERE id = ?", (entry.billing_id or "",)).fetchone()
        receipt = _receipt(row) if row else None
        if receipt is None or may_be_paid_as_printed(receipt, entry.document.price.currency.decimals):
            return None
        return asked(receipt, entry)

    def owe(self, entry: Entry, today: Asked) -> None:
        """Note what became of an invoice that was open; it counts for the client it is of today."""
        noted = entry.billing_status or InvoiceStatus.UNPAID
        self.connection.execute(
            "INSERT INTO owed VALUES (?, ?, ?, ?, ?, ?)",
            (
                today.client_id, entry.reference, today.status, today.due_date.isoformat(), noted,
                entry.due_date.isoformat(),
            ),
        )  # fmt: skip

    def debts(self, client_id: int) -> list[Debt]:
        """What a client owed when a run looked last, oldest first."""
        query = "SELECT * FROM owed WHERE client_id = ? ORDER BY noted_due, reference"
        return [
            Debt(row[1], InvoiceStatus(row[2]), date.fromisoformat(row[3]), InvoiceStatus(row[4]),
                 date.fromisoformat(row[5]))
            for row in self.connection.execute(query, (client_id,))
        ]  # fmt: skip

    def count(self) -> int:
        """How many were listed."""
        count: int = self.connection.execute("SELECT count(*) FROM receipts").fetchone()[0]
        return count

    def know(self, references: Iterable[str]) -> None:
        """Note references that the ledger knows invoices of."""
        self.connection.executemany("INSERT OR IGNORE INTO ours VALUES (?)", ((each,) for each in references))

    def is_ours(self, reference: str) -> bool:
        """Whether the ledger knows an invoice of this reference."""
        return self.connection.execute("SELECT 1 FROM ours WHERE reference = ?", (reference,)).fetchone() is not None

    def strange(self) -> Iterator[Receipt]:
        """Those listed whose reference is not among them, by reference."""
        query = "SELECT * FROM receipts WHERE reference NOT IN (SELECT reference FROM ours) ORDER BY reference, id"
        return (_receipt(row) for row in self.connection.execute(query))


def _receipt(row: tuple[str, ...]) -> Receipt:
    number, reference, client_id, status, due_date, *rest = row
    return Receipt(number, reference, int(client_id), status, date.fromisoformat(due_date), *rest)
