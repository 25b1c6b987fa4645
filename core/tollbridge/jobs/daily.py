"""The daily job: accounts, then invoices, then overdue, in one run that holds the ledger alone."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from urllib.parse import urlsplit

import attrs

from tollbridge.config import is_loopback
from tollbridge.errors import UsageError
from tollbridge.jobs.accounts import Accounts, AccountsReport
from tollbridge.jobs.invoicing import Invoicing, InvoicingReport, OnInvoice, months_due, refuse_unended
from tollbridge.jobs.overdue import Overdue, OverdueReport
from tollbridge.jobs.parts import Parts, Progress, When
from tollbridge.rules.calendar import Month, end_of_day

_WAIT_FOR_ANOTHER_RUN = 1800


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
            return self._accounts()

    def invoices(self, month: Month | None) -> InvoicingReport:
        """Invoice one month, or every month that is due; a dry run also shows a month that has not ended yet."""
        if month is not None and not self.dry_run:
            refuse_unended(self.parts, month, self.when)
        with self._held() as still_held:
            return self._invoices([month] if month else months_due(self.parts, self.when), still_held)

    def overdue(self) -> OverdueReport:
        """Lock, suspend and release."""
        with self._held():
            return self._overdue()

    def daily(self) -> tuple[AccountsReport, InvoicingReport, OverdueReport]:
        """All three; whoever listens hears of the end."""
        with self._held() as still_held:
            return (
                self._accounts(),
                self._invoices(months_due(self.parts, self.when), still_held),
                self._overdue(),
            )

    def _accounts(self) -> AccountsReport:
        job = Accounts(self.parts, self.when, dry_run=self.dry_run, progress=self.progress)
        job.sync()
        return job.report

    def _invoices(self, months: list[Month], still_held: Callable[[], None]) -> InvoicingReport:
        job = Invoicing(
            self.parts,
            self.when,
            dry_run=self.dry_run,
            on_invoice=self.on_invoice,
            progress=self.progress,
            still_held=still_held,
        )
        for month in months:
            job.close(month)
        return job.report

    def _overdue(self) -> OverdueReport:
        job = Overdue(self.parts, self.when, dry_run=self.dry_run, progress=self.progress)
        job.enforce()
        return job.report

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
        UsageError: ``day`` is yet to come. Real usage and payments of the days between would be missing, so only a
            dry run and a panel on this machine (a sandbox) may look ahead.
    """
    zone = parts.settings.billing.timezone
    now = datetime.now(UTC)
    if day is None:
        return When(now, now.astimezone(zone).date())
    ahead = day > now.astimezone(zone).date()
    if ahead and not dry_run and not is_loopback(urlsplit(parts.settings.solus.url).hostname or ""):
        raise UsageError(f"{day} is yet to come, and what happens until then is not known: use --dry-run to look ahead")
    return When(end_of_day(day, zone), day)
