"""Unpaid invoices: who is released, locked or suspended today.

What is owed is what the billing system says today, invoice by invoice, by its own numbers. A client is judged by all
that it owes; an invoice that was moved to another client is that client's.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import date, datetime
from itertools import groupby
from operator import itemgetter

import attrs

from tollbridge.errors import NotFound, Refused, TollbridgeError
from tollbridge.jobs.lock_bound import Plan
from tollbridge.jobs.parts import Failures
from tollbridge.jobs.reports import OverdueReport, StatusChange
from tollbridge.jobs.scratch import Scratch
from tollbridge.jobs.statuses import apply_status, present_user
from tollbridge.jobs.work import Work
from tollbridge.ledger import Account
from tollbridge.ledger.invoices import Seen
from tollbridge.model import InvoiceStatus, Receipt, UserStatus
from tollbridge.rules.entry import Entry
from tollbridge.rules.overdue import (
    HoldReason,
    Ladder,
    OpenInvoice,
    may_be_paid_as_printed,
    overdue_status,
    owed_status,
)

_BATCH = 500
_PAGE = 100  # so many accounts are claimed at a time


class ReceiptsRead(Scratch):
    """The billing system's unpaid invoices, and what clients owe the bridge as far as it was found out."""

    tables = """
        CREATE TABLE receipts (
            billing_id TEXT PRIMARY KEY, client_id INTEGER, status TEXT, due_date TEXT, total TEXT, balance TEXT,
            number TEXT
        );
        CREATE INDEX receipts_of_client ON receipts (client_id);
        CREATE TABLE clients (id INTEGER PRIMARY KEY);
        CREATE TABLE owed (
            client_id INTEGER, status TEXT, due_date TEXT, billing_id TEXT, reference TEXT, decimals INTEGER
        );
        CREATE INDEX owed_by_client ON owed (client_id);
    """

    def fill(self, receipts: Iterable[Receipt]) -> None:
        """Add unpaid invoices, whoever made them."""
        self.connection.executemany(
            "INSERT OR REPLACE INTO receipts VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                (
                    str(each.id),
                    each.client_id,
                    each.status,
                    each.due_date.isoformat(),
                    f"{each.total:f}",
                    None if each.balance is None else f"{each.balance:f}",
                    each.number,
                )
                for each in receipts
            ),
        )

    def add_clients(self, client_ids: Iterable[int]) -> None:
        """Add clients to look at."""
        self.connection.executemany("INSERT OR IGNORE INTO clients VALUES (?)", ((each,) for each in client_ids))

    def add_all_clients(self) -> None:
        """Add the clients of all unpaid invoices."""
        self.connection.execute("INSERT OR IGNORE INTO clients SELECT DISTINCT client_id FROM receipts")

    def client_batches(self) -> Iterator[list[int]]:
        """Every client to look at, by id, some hundred at a time."""
        cursor = self.connection.execute("SELECT id FROM clients ORDER BY id")
        while rows := cursor.fetchmany(_BATCH):
            yield [row[0] for row in rows]

    def numbers(self, client_ids: Sequence[int]) -> list[str]:
        """The numbers of these clients' unpaid invoices."""
        query = f"SELECT billing_id FROM receipts WHERE client_id IN ({','.join('?' * len(client_ids))})"  # noqa: S608
        return [row[0] for row in self.connection.execute(query, client_ids)]

    def find(self, entry: Entry) -> "Found | None":
        """What the list said of an invoice; None if it did not, or not whether it is paid as it is printed."""
        query = "SELECT client_id, status, due_date, total, balance, number FROM receipts WHERE billing_id = ?"
        row = self.connection.execute(query, (entry.billing_id or "",)).fetchone()
        if row is None:
            return None
        client_id, status, due, total, balance, number = row
        receipt = Receipt(
            entry.billing_id or "", entry.reference, client_id, status, date.fromisoformat(due), total, balance,
            number=number,
        )  # fmt: skip
        return None if may_be_paid_as_printed(receipt, _decimals(entry)) else _found(receipt, entry)

    def owe(self, entry: Entry, found: "Found") -> None:
        """Note that an invoice is to be paid by the client that it is of today."""
        row = (
            found.client_id, found.status, found.due_date.isoformat(), entry.billing_id, entry.reference,
            _decimals(entry),
        )  # fmt: skip
        self.connection.execute("INSERT INTO owed VALUES (?, ?, ?, ?, ?, ?)", row)

    def debts(self) -> Iterator[tuple[int, "list[Debt]"]]:
        """What each client owes, by client."""
        query = "SELECT * FROM owed ORDER BY client_id, due_date"
        for client_id, rows in groupby(self.connection.execute(query), key=itemgetter(0)):
            yield (
                client_id,
                [Debt(OpenInvoice(InvoiceStatus(row[1]), date.fromisoformat(row[2])), *row[3:]) for row in rows],
            )


@attrs.frozen
class Found:
    """What the billing system says of an invoice: whose it is today, its status and due date, the number on it."""

    client_id: int
    status: InvoiceStatus
    due_date: date
    printed_number: str | None = None

    def is_news_of(self, entry: Entry) -> bool:
        """Whether the ledger does not know it yet."""
        of_ledger = entry.billing_status, entry.due_date, entry.printed_number
        return (self.status, self.due_date, self.printed_number or entry.printed_number) != of_ledger


@attrs.frozen
class Debt:
    """An open invoice of the bridge, with its number in the billing system and the decimals of its currency."""

    invoice: OpenInvoice
    billing_id: str
    reference: str
    decimals: int


@attrs.define
class Judgement:
    """What follows for one client from what it owes."""

    client_id: int
    status: UserStatus
    debts: list[Debt]


class Overdue:
    """What one run does about unpaid invoices."""

    def __init__(self, work: Work, report: OverdueReport) -> None:
        self._work = work
        self._report = report
        self._failures = Failures(report.failures)
        self._ledger = work.parts.ledger
        self._unsure: set[int] = set()
        self._warned: set[str] = set()
        self._judgements: list[Judgement] = []
        self._judged_at: datetime | None = None

    def release(self, *, only_who_owes_nothing: bool = False) -> None:
        """Let in again who has paid, before anything else is done; nobody is locked by this."""
        with ReceiptsRead() as receipts:
            held = [account for page in self._ledger.accounts.in_question() for account in page]
            if not held:
                return
            judged_at = self._now()
            receipts.fill(self._unpaid())
            receipts.add_clients(account.client_id for account in held)
            self._gather(receipts)
            owing = {client_id: self._judged(client_id, debts) for client_id, debts in receipts.debts()}
            free = [
                Judgement(account.client_id, UserStatus.ACTIVE, [])
                for account in held
                if (judgement := owing.get(account.client_id)) is None
                or (judgement.status is UserStatus.ACTIVE and not only_who_owes_nothing)
            ]
            self._apply_all(free, judged_at)

    def judge(self) -> None:
        """Look at every open invoice the bridge issued, and at everybody who is held; nobody is touched yet."""
        with ReceiptsRead() as receipts:
            judged_at = self._now()
            receipts.fill(self._unpaid())
            receipts.add_all_clients()
            for entries in self._ledger.invoices.open():
                receipts.add_clients(entry.client_id for entry in entries)
            self._gather(receipts, count=True)
            judgements = (self._judged(client_id, debts, count=True) for client_id, debts in receipts.debts())
            wanted = {each.client_id: each for each in judgements if each.status is not UserStatus.ACTIVE}
            for page in self._ledger.accounts.in_question():
                for account in page:
                    wanted.setdefault(account.client_id, Judgement(account.client_id, UserStatus.ACTIVE, []))
        self._judgements, self._judged_at = list(wanted.values()), judged_at

    def plan(self) -> Plan:
        """Whom the judgements would lock or suspend."""
        sure = filter(self._is_sure, self._judgements)
        status = {each.client_id: each.status for each in sure if each.status is not UserStatus.ACTIVE}
        candidates = [
            (account, status[account.client_id])
            for start in range(0, len(status), _BATCH)
            for account in self._ledger.accounts.of_clients(list(status)[start : start + _BATCH]).values()
        ]
        before = self._ledger.accounts.held_back(HoldReason.OVERDUE)
        in_doubt = before if self._judged_at is None else before & self._unsure
        return Plan(HoldReason.OVERDUE, candidates, in_doubt, self._report.held_back)

    def carry_out(self, held_back: Collection[int]) -> None:
        """Lock, suspend or release as judged, but for the clients that are held back."""
        if self._judged_at is None:
            return
        self._apply_all([each for each in self._judgements if each.client_id not in held_back], self._judged_at)
        self._work.name_holders(self._failures)
        self._report.changes.sort(key=lambda change: change.client_id)  # they were made in no order
        self._report.complete = True

    def _now(self) -> datetime:
        with self._ledger.database.read() as connection:
            return self._ledger.database.now(connection)

    # What is owed

    def _unpaid(self) -> Iterator[Receipt]:
        """The unpaid invoices; one that cannot be read is asked for by itself later, so here it is only reported."""
        for receipt in self._work.parts.billing.unpaid_invoices():
            if not isinstance(receipt, Refused):
                yield receipt
            elif str(receipt) not in self._warned:
                self._warned.add(str(receipt))
                self._failures.add("an unpaid invoice", receipt)

    def _gather(self, receipts: ReceiptsRead, *, count: bool = False) -> None:
        """Note what the clients to look at owe, as the billing system has it today."""
        for client_ids in receipts.client_batches():
            entries = {entry.reference: entry for entry in self._ledger.invoices.open_of(client_ids)}
            listed = self._ledger.invoices.issued_as(receipts.numbers(client_ids))
            entries.update((entry.reference, entry) for entry in listed)
            seen = []
            for entry, found in self._found(list(entries.values()), receipts):
                if found.is_news_of(entry):
                    seen.append(Seen(entry, found.status, found.due_date, found.printed_number))
                if not found.status.is_settled:
                    receipts.owe(entry, found)
                elif not entry.billing_status or not entry.billing_status.is_settled:
                    self._report.settled += 1
            self._ledger.invoices.note_status(seen, self._work.live.id)
            if count:
                self._work.progress("open invoices", len(entries))

    def _found(self, entries: list[Entry], receipts: ReceiptsRead) -> Iterator[tuple[Entry, Found]]:
        """What the billing system says of each; what its list of unpaid ones lacks is asked for by number."""
        to_ask = []
        for entry in entries:
            if found := receipts.find(entry):
                yield entry, found
            else:
                to_ask.append(entry)
        for entry, asked in self._work.at_billing.each(self._asked, to_ask):
            if isinstance(asked, TollbridgeError):
                self._unsure.add(entry.client_id)
                self._failures.add(entry.reference, asked)
            else:
                self._failures.went_well()
                yield entry, asked

    def _asked(self, entry: Entry) -> Found:
        """An invoice by its own number: only if that is gone nothing is owed for it."""
        receipt = self._work.parts.billing.invoice(entry.client_id, entry.billing_id or "", entry.reference)
        if receipt is not None:
            return _found(receipt, entry)
        self._report.warnings.append(f"{entry.reference} is gone from the billing system: nothing is owed for it")
        return Found(entry.client_id, InvoiceStatus.CANCELLED, entry.due_date)

    def _judged(self, client_id: int, debts: list[Debt], *, count: bool = False) -> Judgement:
        payable = [debt for debt in debts if debt.invoice.status.is_open]
        day = self._work.when.day
        status = overdue_status(self._ladder, [debt.invoice for debt in payable], day)
        if count:
            self._report.open += len(payable)
            self._report.overdue += len([debt for debt in payable if debt.invoice.due_date < day])
            if status is None:
                self._report.waiting.append(client_id)
        if status is None:
            self._unsure.add(client_id)
        return Judgement(client_id, status or UserStatus.LOCKED, payable)

    # What follows

    def _apply_all(self, judgements: list[Judgement], judged_at: datetime) -> None:
        """Apply them, a page of claimed accounts at a time; whoever something is not known of stays as is."""
        sure = sorted(filter(self._is_sure, judgements), key=lambda each: each.client_id)
        for start in range(0, len(sure), _PAGE):
            page = {each.client_id: each for each in sure[start : start + _PAGE]}
            known = self._ledger.accounts.of_clients(list(page))
            for client_id, judgement in page.items():
                if client_id not in known and judgement.status is not UserStatus.ACTIVE:
                    words = "no SolusIO user is known for it: `tollbridge sync` finds or makes one"
                    self._failures.add(f"client {client_id}", NotFound(words))
            claimed = self._ledger.accounts.claim(self._work.live.id, list(known), self._work.lease)
            try:
                self._apply_page([(account, page[client_id]) for client_id, account in claimed.items()], judged_at)
            finally:
                self._ledger.accounts.let_go(self._work.live.id, list(claimed))

    def _is_sure(self, judgement: Judgement) -> bool:
        return judgement.client_id not in self._unsure

    def _apply_page(self, page: list[tuple[Account, Judgement]], judged_at: datetime) -> None:
        work = self._work.at_solus.each(lambda each: self._apply(*each, judged_at), page)
        for (account, _), change in work:
            if isinstance(change, TollbridgeError):
                self._failures.add(f"client {account.client_id}", change)
                continue
            self._failures.went_well()
            if change is not None:
                self._report.changes.append(change)

    def _apply(self, account: Account, judgement: Judgement, judged_at: datetime) -> StatusChange | None:
        self._ledger.accounts.renew(self._work.live.id, account, self._work.lease)
        before = account.held_for(HoldReason.OVERDUE)
        status, why = judgement.status, _overdue(judgement, self._work.when.day)
        if status is not UserStatus.ACTIVE and (before is None or status.severity > before.status.severity):
            judged_at = self._now()
            asked_again = self._asked_again(judgement)
            if asked_again is None:
                return None
            status = asked_again
        if status is UserStatus.ACTIVE:
            why = "nothing is overdue"
            if before is not None and not self._is_there(account.client_id):
                return None  # a client that is gone is closed by the accounts' part, never released
        if before is not None or status is not UserStatus.ACTIVE:
            held = self._ledger.accounts.hold(self._work.live.id, account, HoldReason.OVERDUE, status, why, judged_at)
            if held is None:
                return None
            account = held
        # Whoever owes nothing and is held for another reason is that job's to lock, which counts whom it locks.
        may_raise = status is not UserStatus.ACTIVE
        try:
            user = present_user(self._work, account)
        except NotFound:
            if may_raise:
                raise
            return None  # nobody is there to be let in; what becomes of the account is the accounts' part
        return apply_status(self._work, account, user, why, may_raise=may_raise)

    def _asked_again(self, judgement: Judgement) -> UserStatus | None:
        """Right before somebody is locked or suspended, their invoices are asked for once more, by number.

        None: a payment is under way by now, and all stays as it is.
        """
        invoices = []
        for debt in judgement.debts:
            receipt = self._work.parts.billing.invoice(judgement.client_id, debt.billing_id, debt.reference)
            if receipt is not None and receipt.client_id == judgement.client_id:
                invoices.append(OpenInvoice(owed_status(receipt, debt.decimals), receipt.due_date))
        payable = [invoice for invoice in invoices if invoice.status.is_open]
        return overdue_status(self._ladder, payable, self._work.when.day)

    def _is_there(self, client_id: int) -> bool:
        """Whether the billing system has the client; an error other than that it has not is the caller's."""
        try:
            self._work.client(client_id)
        except NotFound:
            return False
        return True

    @property
    def _ladder(self) -> Ladder:
        return self._work.parts.settings.billing.ladder


def _overdue(judgement: Judgement, day: date) -> str:
    """Why a client's user is held, in words that an operator can tell the client."""
    late = [debt for debt in judgement.debts if debt.invoice.due_date < day]
    return "not paid: " + ", ".join(f"{debt.reference} (due {debt.invoice.due_date})" for debt in late)


def _found(receipt: Receipt, entry: Entry) -> Found:
    return Found(receipt.client_id, owed_status(receipt, _decimals(entry)), receipt.due_date, receipt.number)


def _decimals(entry: Entry) -> int:
    """How many decimals amounts of the invoice were shown with."""
    return entry.document.price.currency.decimals
