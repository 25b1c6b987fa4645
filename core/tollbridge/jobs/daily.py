"""The daily job: accounts, then invoices, then overdue, in one run that holds the ledger alone."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from urllib.parse import urlsplit

import attrs

from tollbridge.errors import TollbridgeError, UsageError
from tollbridge.fields import is_loopback
from tollbridge.jobs.accounts import Accounts, AccountsReport
from tollbridge.jobs.invoicing import Invoicing, InvoicingReport, OnInvoice, months_due, refuse_unended
from tollbridge.jobs.overdue import Overdue, OverdueReport
from tollbridge.jobs.parts import Failure, Parts, Progress, When
from tollbridge.rules.calendar import Month, end_of_day

_WAIT_FOR_ANOTHER_RUN = 1800


@attrs.define
class DailyReport:
    """The three parts of a daily job, and the failure of the machinery that stopped it, if one did."""

    accounts: AccountsReport
    invoicing: InvoicingReport
    overdue: OverdueReport
    stopped_by: TollbridgeError | None = None

    @property
    def failures(self) -> list[Failure]:
        """The failed clients of all three."""
        return [*self.accounts.failures, *self.invoicing.failures, *self.overdue.failures]


@attrs.frozen
class Run:
    """How one command runs a job: for which moment, for real or not, and who hears of it."""

    parts: Parts
    when: When
    dry_run: bool
    progress: Progress
    on_invoice: OnInvoice = lambda _entry, _status: None

    def accounts(self) -> AccountsReport:
        """Bring SolusIO's users in step with the clients."""
        with self._held():
            job = self._accounts()
            job.sync()
        return job.report

    def invoices(self, month: Month | None) -> InvoicingReport:
        """Invoice one month, or every month that is due; a dry run also shows a month that has not ended yet."""
        if month is not None and not self.dry_run:
            refuse_unended(self.parts, month, self.when)
        with self._held() as still_held:
            job = self._invoicing(still_held)
            for each in [month] if month else months_due(self.parts, self.when):
                job.close(each)
        return job.report

    def overdue(self) -> OverdueReport:
        """Lock, suspend and release."""
        with self._held():
            job = self._overdue()
            job.enforce()
        return job.report

    def daily(self) -> DailyReport:
        """All three. What stops accounts or invoices keeps nobody who has paid locked: overdue is done all the same."""
        with self._held() as still_held:
            accounts, invoicing, overdue = self._accounts(), self._invoicing(still_held), self._overdue()
            report = DailyReport(accounts.report, invoicing.report, overdue.report)
            try:
                accounts.sync()
                for month in months_due(self.parts, self.when):
                    invoicing.close(month)
            except TollbridgeError as error:
                report.stopped_by = error
            try:
                overdue.enforce()
            except TollbridgeError as error:
                report.stopped_by = report.stopped_by or error
        return report

    def _accounts(self) -> Accounts:
        return Accounts(self.parts, self.when, dry_run=self.dry_run, progress=self.progress)

    def _invoicing(self, still_held: Callable[[], None]) -> Invoicing:
        return Invoicing(
            self.parts,
            self.when,
            dry_run=self.dry_run,
            on_invoice=self.on_invoice,
            progress=self.progress,
            still_held=still_held,
        )

    def _overdue(self) -> Overdue:
        return Overdue(self.parts, self.when, dry_run=self.dry_run, progress=self.progress)

    @contextmanager
    def _held(self) -> Iterator[Callable[[], None]]:
        """The ledger held alone; a dry run writes nothing and needs not wait."""
        if self.dry_run:
            yield lambda: None
            return
        waiting = lambda: self.progress("waiting for another run to end", 0)  # noqa: E731
        with self.parts.ledger.exclusive(wait_seconds=_WAIT_FOR_ANOTHER_RUN, on_wait=waiting) as still_held:
            yield still_held


def when(parts: Parts, day: date | None, *, dry_run: bool) -> When:
    """The moment a run stands for: now, or the end of ``day`` in the configured zone.

    Raises:
        UsageError: ``day`` is not today. Of days to come, usage and payments are missing; on days gone by, invoices
            that are overdue now were not. So only a dry run, and a panel on this machine such as the sandbox, may
            pretend another day.
    """
    zone = parts.settings.billing.timezone
    now = datetime.now(UTC)
    today = now.astimezone(zone).date()
    if day is None:
        return When(now, today)
    if day != today and not dry_run and not is_loopback(urlsplit(parts.settings.solus.url).hostname or ""):
        raise UsageError(
            f"{day} is not today: only --dry-run may look at another day, since {today} decides what is due"
        )
    return When(end_of_day(day, zone), day)
