"""``holds``: every user the bridge holds has a reason, and everyone the ladder holds is held.

By the day of the last run that looked: what has come due or was paid since then is the next run's.
"""

from collections.abc import Sequence
from datetime import date

import attrs

from tollbridge.audit.evidence import Evidence
from tollbridge.audit.findings import Tally, client
from tollbridge.audit.receipts import Asked, Debt, asked
from tollbridge.errors import NotFound
from tollbridge.ledger import Account
from tollbridge.model import ClientStatus, InvoiceStatus, UserStatus
from tollbridge.rules.entry import Entry
from tollbridge.rules.overdue import HoldReason, OpenInvoice, held_status, overdue_status
from tollbridge.solus import SolusUser

_ACTIVE = UserStatus.ACTIVE
_RUN = "`tollbridge overdue` sets it right; if it does not, its failures say why"


def check_holds(evidence: Evidence, tally: Tally) -> None:
    """Look at every account beside what its client owes and what SolusIO says of its user."""
    evidence.read_users()
    evidence.read_clients()
    evidence.read_unpaid()
    _read_debts(evidence)
    held_back = evidence.sources.ledger.accounts.held_back(HoldReason.OVERDUE)
    for page in evidence.sources.ledger.accounts.all():
        for account in page:
            tally.checked += 1
            debts = evidence.receipts.debts(account.client_id)
            _Account(evidence, tally, account, debts, account.client_id in held_back).check()
        evidence.progress("accounts", tally.checked)


def _read_debts(evidence: Evidence) -> None:
    """What became of the invoices that were open when a run looked last."""
    billing = evidence.sources.billing

    def ask(entry: Entry) -> Asked:
        receipt = billing.invoice(entry.client_id, entry.billing_id or "", entry.reference)
        return asked(receipt, entry) if receipt else Asked(entry.client_id, InvoiceStatus.CANCELLED, entry.due_date)

    for page in evidence.sources.ledger.invoices.open():
        to_ask = []
        for entry in page:
            if (listed := evidence.receipts.unpaid(entry)) is not None:
                evidence.receipts.owe(entry, listed)
            else:
                to_ask.append(entry)
        for entry, today in evidence.at_once(ask, to_ask, "open invoices"):
            evidence.receipts.owe(entry, today)


@attrs.frozen
class _Account:
    """One account, and what its client owed when a run looked last."""

    evidence: Evidence
    tally: Tally
    account: Account
    debts: list[Debt]
    held_back: bool

    def check(self) -> None:
        overdue = self.account.held_for(HoldReason.OVERDUE)
        closed = self.account.held_for(HoldReason.CLOSED)
        if overdue is not None and self.evidence.day is not None:
            if not self._was_overdue(self.evidence.day):
                self._find(
                    "no hold for unpaid invoices: none was overdue when a run looked last",
                    f"{overdue.status} for unpaid invoices",
                )
                return
            if self._by_today(self.evidence.day) is _ACTIVE:
                self.tally.told.append(f"{self._who}: nothing is overdue since the last run, and the next releases it")
                return
        if closed is not None and not self._is_closed():
            self._find("no hold for a closed client: it is not closed", f"{closed.status} as closed")
            return
        if closed is None and self._is_to_be_closed():
            self.tally.told.append(f"{self._who} is closed, and the next run closes its user")
        if self.evidence.day is not None and self._is_missing(self.evidence.day):
            return
        self._check_user()

    @property
    def _who(self) -> str:
        return client(self.account.client_id)

    def _find(self, expected: str, found: str) -> None:
        self.tally.find(self._who, expected, found, _RUN)

    def _was_overdue(self, day: date) -> bool:
        """Whether anything called for a hold by what the last run knew, or calls for one by what is so today."""
        ladder = self.evidence.sources.settings.billing.ladder
        then = [OpenInvoice(each.noted_status, each.noted_due) for each in self.debts]
        return overdue_status(ladder, then, day) is not _ACTIVE or self._by_today(day) is not _ACTIVE

    def _by_today(self, day: date) -> UserStatus | None:
        return self._wanted([OpenInvoice(each.status, each.due_date) for each in self.debts], day)

    def _wanted(self, invoices: Sequence[OpenInvoice], day: date) -> UserStatus | None:
        """What the ladder calls for on a day, by what is still to be paid."""
        payable = [each for each in invoices if each.status.is_open]
        return overdue_status(self.evidence.sources.settings.billing.ladder, payable, day)

    def _is_missing(self, day: date) -> bool:
        """Whether the ladder called for more when a run looked last than the account is held for, which is told."""
        least = [OpenInvoice(each.status, max(each.due_date, each.noted_due)) for each in self.debts]
        wanted = self._wanted(least, day)
        held = held_status(self.account.holds)
        if wanted is None or wanted.severity <= held.severity:
            return False
        late = ", ".join(each.reference for each in self.debts if each.status.is_open and each.due_date < day)
        if self.held_back:
            self.tally.told.append(f"{self._who}: held back until `tollbridge overdue --confirm` ({late})")
        else:
            now = "not held" if held is _ACTIVE else f"held as {held}"
            self._find(f"{wanted}, for {late} {'are' if ', ' in late else 'is'} not paid", now)
        return True

    def _is_to_be_closed(self) -> bool:
        """Whether the client is listed as closed, and what becomes of its user hangs on that."""
        listed = self.evidence.people.client(self.account.client_id)
        closed = listed is not None and listed.status is ClientStatus.CLOSED
        return closed and self.evidence.sources.settings.accounts.on_closed != "keep"

    def _is_closed(self) -> bool:
        """Whether the client is closed, or gone."""
        client_id = self.account.client_id
        there = self.evidence.people.client(client_id)
        if there is None:
            try:
                there = self.evidence.sources.billing.client(client_id)
            except NotFound:
                return True
        return there.status is ClientStatus.CLOSED

    def _check_user(self) -> None:
        """SolusIO has the user as the holds call for, and as locked by the bridge nobody whom nothing holds."""
        user = self.evidence.people.user(self.account.user_id)
        if user is None or user.billing_user_id != self.account.client_id:
            return  # which is a matter of ``users``
        wanted = held_status(self.account.holds)
        if user.status.severity < wanted.severity:
            reasons = " and ".join(hold.reason for hold in self.account.holds)
            self._find(f"{wanted} in SolusIO ({reasons})", f"user {user.id} is {user.status}")
        elif not self.account.holds and self._is_ours(user):
            self._find("no lock that the bridge made: nothing holds it", f"user {user.id} is {user.status}")

    def _is_ours(self, user: SolusUser) -> bool:
        """Whether its present status is one that the bridge set, and not the one it found."""
        mark = self.account.mark
        return mark is not None and user.status in {mark.status, mark.attempted} and user.status is not mark.found
