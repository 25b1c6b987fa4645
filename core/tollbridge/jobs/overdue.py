"""Unpaid invoices: who is locked, suspended or released today."""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from itertools import groupby

import attrs

from tollbridge.errors import NotFound, Refused, TollbridgeError
from tollbridge.jobs.parts import Failure, Failures, Parts, Progress, When
from tollbridge.jobs.staging import Scratch
from tollbridge.jobs.statuses import StatusChange, apply_status
from tollbridge.ledger import Account
from tollbridge.model import InvoiceStatus, Receipt, UserStatus
from tollbridge.rules.entry import Entry
from tollbridge.rules.overdue import OpenInvoice, overdue_status

_BATCH = 500


@attrs.define
class OverdueReport:
    """What became of unpaid invoices in one run; ``complete`` once all of them were looked at."""

    complete: bool = False
    open: int = 0
    overdue: int = 0
    settled: int = 0
    waiting: list[int] = attrs.Factory(list)
    changes: list[StatusChange] = attrs.Factory(list)
    warnings: list[str] = attrs.Factory(list)
    failures: list[Failure] = attrs.Factory(list)


class StagedReceipts(Scratch):
    """The billing system's unpaid invoices, as far as they carry a reference."""

    tables = """
        CREATE TABLE receipts (
            reference TEXT, billing_id TEXT, client_id INTEGER, status TEXT, due_date TEXT,
            PRIMARY KEY (reference, billing_id)
        );
        CREATE INDEX receipts_of_client ON receipts (client_id);
        CREATE TABLE clients (id INTEGER PRIMARY KEY);
    """

    def fill(self, receipts: Iterable[Receipt]) -> None:
        """Add ``receipts``; what is paid to the last cent counts as paid, whatever its status says."""
        self.connection.executemany(
            "INSERT OR REPLACE INTO receipts VALUES (?, ?, ?, ?, ?)",
            (
                (receipt.reference, str(receipt.id), receipt.client_id, _status(receipt), receipt.due_date.isoformat())
                for receipt in receipts
                if receipt.reference
            ),
        )

    def add_clients(self, client_ids: Iterable[int]) -> None:
        """Add clients to look at, besides those of the receipts."""
        self.connection.executemany("INSERT OR IGNORE INTO clients VALUES (?)", ((each,) for each in client_ids))

    def client_batches(self) -> Iterator[list[int]]:
        """Every client to look at, by id, some hundred at a time."""
        self.connection.execute("INSERT OR IGNORE INTO clients SELECT DISTINCT client_id FROM receipts")
        cursor = self.connection.execute("SELECT id FROM clients ORDER BY id")
        while rows := cursor.fetchmany(_BATCH):
            yield [row[0] for row in rows]

    def references(self, client_ids: list[int]) -> set[str]:
        """The references of these clients' receipts that the bridge may have given."""
        query = f"SELECT reference FROM receipts WHERE client_id IN ({','.join('?' * len(client_ids))})"  # noqa: S608
        found = self.connection.execute(f"{query} AND reference LIKE 'TB-____-__-%'", client_ids)
        return {row[0] for row in found}

    def find(self, entry: Entry) -> OpenInvoice | None:
        """What was staged for the entry's invoice; another one that carries its reference is not it."""
        query = "SELECT status, due_date FROM receipts WHERE reference = ? AND client_id = ? AND billing_id = ?"
        row = self.connection.execute(query, (entry.reference, entry.client_id, entry.billing_id)).fetchone()
        return OpenInvoice(InvoiceStatus(row[0]), date.fromisoformat(row[1])) if row else None


class Overdue:
    """One run over all open invoices and all held users."""

    def __init__(self, parts: Parts, when: When, *, dry_run: bool, progress: Progress) -> None:
        self._parts = parts
        self._when = when
        self._dry_run = dry_run
        self._progress = progress
        self._failures = Failures()
        self.report = OverdueReport(failures=self._failures.all)

    def enforce(self) -> None:
        """Look at every open invoice the bridge issued, then lock, suspend or release as they call for."""
        wanted: dict[int, UserStatus] = {}
        unsure: set[int] = set()
        with StagedReceipts() as receipts:
            receipts.fill(self._receipts())
            for client_ids in self._parts.ledger.invoices.clients_with_open():
                receipts.add_clients(client_ids)
            for client_ids in receipts.client_batches():
                entries = self._parts.ledger.invoices.open(client_ids, receipts.references(client_ids))
                self._look_at(entries, receipts, wanted, unsure)
                self._progress("open invoices", self.report.open)
        self._change_statuses(wanted, unsure)
        self.report.complete = True

    def _receipts(self) -> Iterator[Receipt]:
        """The unpaid invoices; those that cannot be read are looked for one by one later, so they are only reported."""
        for receipt in self._parts.billing.unpaid_invoices():
            if isinstance(receipt, Refused):
                self._failures.add("an unpaid invoice", receipt)
            else:
                yield receipt

    def _look_at(
        self, entries: list[Entry], receipts: StagedReceipts, wanted: dict[int, UserStatus], unsure: set[int]
    ) -> None:
        changes = []
        for client_id, group in groupby(entries, key=lambda entry: entry.client_id):
            still_open = []
            for entry in group:
                try:
                    seen = receipts.find(entry) or self._asked(entry)
                except TollbridgeError as error:
                    unsure.add(client_id)
                    self._failures.add(entry.reference, error)
                    continue
                self._failures.went_well()
                settled = datetime.now(UTC) if seen.status.is_settled else None
                if (seen.status, seen.due_date) != (entry.billing_status, entry.due_date):
                    changes.append((entry, seen.status, seen.due_date, settled))
                if settled is None:
                    still_open.append(seen)
                else:
                    self.report.settled += 1
            self._judge(client_id, still_open, wanted, unsure)
        if not self._dry_run:
            self._parts.ledger.invoices.note_status(changes)

    def _judge(
        self, client_id: int, invoices: list[OpenInvoice], wanted: dict[int, UserStatus], unsure: set[int]
    ) -> None:
        payable = [invoice for invoice in invoices if invoice.status.is_open]
        self.report.open += len(payable)
        late = [invoice for invoice in payable if invoice.due_date < self._when.day]
        self.report.overdue += len(late)
        status = overdue_status(self._parts.settings.billing.ladder, payable, self._when.day)
        if status is None:
            self.report.waiting.append(client_id)
            unsure.add(client_id)
        elif status is not UserStatus.ACTIVE:
            wanted[client_id] = status

    def _asked(self, entry: Entry) -> OpenInvoice:
        """What the billing system says of an invoice that is not among the unpaid ones any more."""
        receipt = self._parts.billing.find_invoice(entry.client_id, entry.reference)
        if receipt is not None:
            return OpenInvoice(_status(receipt), receipt.due_date)
        self.report.warnings.append(f"{entry.reference} is gone from the billing system: nothing is owed for it")
        return OpenInvoice(InvoiceStatus.CANCELLED, entry.due_date)

    def _change_statuses(self, wanted: dict[int, UserStatus], unsure: set[int]) -> None:
        """Apply what is wanted; whoever something is not known of, or who is paying, stays as is."""
        ledger = self._parts.ledger
        known: set[int] = set()
        for client_ids in _batches(sorted(wanted.keys() - unsure)):
            found = ledger.accounts.of_clients(client_ids)
            for client_id in client_ids:
                if client_id not in found:
                    self._failures.add(
                        f"client {client_id}",
                        NotFound("no SolusIO user is known for it: `tollbridge sync` finds or makes one"),
                    )
                    continue
                known.add(client_id)
                self._apply(found[client_id], wanted[client_id])
        for accounts in ledger.accounts.in_question():
            for account in accounts:
                if account.client_id not in known and account.client_id not in unsure:
                    self._apply(account, UserStatus.ACTIVE)

    def _apply(self, account: Account, overdue: UserStatus) -> None:
        wanted = UserStatus.SUSPENDED if account.closed else overdue
        try:
            user = self._parts.solus.find_user(account.email)
            if user is None:
                raise NotFound(f"SolusIO has no user {account.email} any more: `tollbridge sync` looks again")
            change = apply_status(self._parts, account, user, wanted, dry_run=self._dry_run)
        except TollbridgeError as error:
            self._failures.add(f"client {account.client_id}", error)
            return
        self._failures.went_well()
        if change is not None:
            self.report.changes.append(change)


def _status(receipt: Receipt) -> InvoiceStatus:
    """The receipt's status, with an open one that has nothing left to pay counted as paid."""
    return InvoiceStatus.PAID if receipt.status.is_open and not receipt.is_open else receipt.status


def _batches(client_ids: list[int]) -> Iterator[list[int]]:
    for start in range(0, len(client_ids), _BATCH):
        yield client_ids[start : start + _BATCH]
