"""The daily job: release who has paid, then accounts, then invoices, then locks and suspensions of all reasons."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, date, datetime
from urllib.parse import urlsplit

import attrs

from tollbridge.errors import ClockWrong, LedgerError, TollbridgeError, UsageError
from tollbridge.fields import is_loopback
from tollbridge.jobs.accounts import Sync
from tollbridge.jobs.clock import compare_clocks
from tollbridge.jobs.closed_clients import ClosedClients
from tollbridge.jobs.crew import Crew
from tollbridge.jobs.drafting import Drafting
from tollbridge.jobs.dry import dry_parts
from tollbridge.jobs.former_invoices import FormerInvoices
from tollbridge.jobs.lock_bound import decide
from tollbridge.jobs.notices import Occasion, notify_of_run
from tollbridge.jobs.overdue import Overdue
from tollbridge.jobs.parts import Failures, Parts, Progress, When
from tollbridge.jobs.price_lists import another_list, prices_to_bill, running_month, shown_prices
from tollbridge.jobs.problems import settle_problems
from tollbridge.jobs.recheck import tell_undecided
from tollbridge.jobs.reports import AccountsReport, DailyReport, InvoicingReport, OverdueReport, invoice_json
from tollbridge.jobs.sending import Sending
from tollbridge.jobs.turn import Turn
from tollbridge.jobs.unbilled import find_owners, tell_unbilled
from tollbridge.jobs.unexplained import doubt_all, say_whose, tell_unexplained
from tollbridge.jobs.work import ClientsRead, Work
from tollbridge.rules.calendar import Month, end_of_day, months_to_invoice
from tollbridge.rules.closing import is_to_draft

_FIRST_YEAR, _NO_YEAR = 1900, 3000  # as months are counted

Job = Callable[[Work, DailyReport], None]


@attrs.frozen
class Run:
    """How one command runs a job: for which moment, for real or not.

    Attributes:
        show: how many of the invoices the report is to have; None: all.
        confirmed_by: who lets this run lock as many users as it would; None: nobody.
        only: the one month that somebody asks for.
        crew: how it works together with other machines.
    """

    parts: Parts
    when: When
    dry_run: bool
    progress: Progress
    show: int | None = None
    confirmed_by: str | None = None
    only: Month | None = None
    crew: Crew = Crew()

    def daily(self) -> DailyReport:
        """Everything; what stopped it is in the report."""
        return self._do("run", _daily, works=True)

    def accounts(self) -> AccountsReport:
        """Bring SolusIO's users in step with the clients."""

        def job(work: Work, report: DailyReport) -> None:
            sync = Sync(work, report.accounts)
            with report.going_on():
                sync.sync()
            _hold(work, report, sync, None)

        return _whole(self._do("sync", job)).accounts

    def invoices(self, month: Month | None) -> InvoicingReport:
        """Invoice one month, or every month that is due; a dry run also shows a month that has not ended yet."""
        if month is not None and not self.dry_run:
            refuse_unended(self.parts, month, self.when)

        def job(work: Work, report: DailyReport) -> None:
            _refuse_wrong_clock(work)
            _keep_prices(work, report.invoicing)
            _invoice(work, report.invoicing, month)

        run = attrs.evolve(self, only=month)
        return _whole(run._do("invoice", job, works=True)).invoicing  # noqa: SLF001 - itself, for one month

    def overdue(self) -> OverdueReport:
        """Release, lock and suspend."""

        def job(work: Work, report: DailyReport) -> None:
            _release(work, report)
            _hold(work, report, None, Overdue(work, report.overdue))

        return _whole(self._do("overdue", job)).overdue

    def confirmed(self) -> DailyReport:
        """Release, lock and suspend, however many there are, and close the users of closed clients."""

        def job(work: Work, report: DailyReport) -> None:
            _release(work, report)
            sync = Sync(work, report.accounts)
            with report.going_on():
                sync.sync(only_closed=True)
            _hold(work, report, sync, Overdue(work, report.overdue))

        return _whole(self._do("overdue", job))

    def say_whose(self, client_id: int, who: str, *, ours: bool) -> str:
        """Note that a lock is the bridge's own, or that it was made by hand; what was noted, in words."""
        said: list[str] = []
        _whole(self._do("hold", lambda work, _: said.append(say_whose(work, client_id, who, ours=ours))))
        return said[0]

    def doubt_all(self) -> list[int]:
        """After the ledger was restored: put locks without a mark in question; the clients."""
        doubtful: list[int] = []
        _whole(self._do("hold", lambda work, _: doubtful.extend(doubt_all(work))))
        return doubtful

    def _do(self, command: str, job: Job, *, works: bool = False) -> DailyReport:
        """One run: alive in the ledger while it works, with its report there when it has ended."""
        report = DailyReport(self.when.day, self.dry_run)
        with self._work(command, works=works) as work:
            try:
                job(work, report)
            except TollbridgeError as error:
                report.stopped_by = report.stopped_by or error
            with suppress(LedgerError) if report.stopped_by else ExitStack():
                report.invoicing.invoices.extend(work.parts.ledger.invoices.of_run(work.live.id, self.show))
                work.parts.ledger.runs.end(work.live.id, report.outcome, report.json())
                self._notify(work, command, report)
                if command == "run" and work.parts.billing.is_heard("run_finished"):
                    issued = work.parts.ledger.invoices.of_run(work.live.id, None)
                    document = {**report.json(), "invoices": [invoice_json(entry) for entry in issued]}
                    work.parts.billing.tell("run_finished", report=document)
        return report

    def _notify(self, work: Work, command: str, report: DailyReport) -> None:
        """Let the operator know what is new; a dry run changes nothing, so it tells nobody."""
        notify = self.parts.settings.notify
        if notify is not None and not self.dry_run and command != "hold":
            occasion = Occasion(command, work.live.id, report.day.isoformat(), report.outcome)
            notify_of_run(work.parts.ledger, notify, occasion, report, only_part=self.only is not None)

    @contextmanager
    def _work(self, command: str, *, works: bool) -> Iterator[Work]:
        with ExitStack() as stack:
            parts = stack.enter_context(dry_parts(self.parts, self.when, self.only)) if self.dry_run else self.parts
            clients = stack.enter_context(ClientsRead())
            live = stack.enter_context(parts.ledger.runs.live(command, self.when.day, works=works))
            yield Work(parts, self.when, live, clients, self.progress, self.confirmed_by, self.crew)


def _whole(report: DailyReport) -> DailyReport:
    """The report of a part of the daily job, which is stopped by what stops it."""
    if report.stopped_by is not None:
        raise report.stopped_by
    return report


def _daily(work: Work, report: DailyReport) -> None:
    """Who has paid is released first, and whatever stops the rest, overdue is done all the same."""
    try:
        _release(work, report)
    except ClockWrong:
        raise
    except TollbridgeError as error:
        report.stopped_by = error
    sync = Sync(work, report.accounts)
    with report.going_on():
        _keep_prices(work, report.invoicing)
        sync.sync()
        _invoice(work, report.invoicing)
    _hold(work, report, sync, Overdue(work, report.overdue))


def _hold(work: Work, report: DailyReport, sync: Sync | None, overdue: Overdue | None) -> None:
    """Lock, suspend and release, for all reasons that this job looks at, after counting them all.

    If they cannot be counted nobody is locked or suspended; releases go on whatever happens.
    """
    failures = Failures(report.overdue.failures if overdue else report.accounts.failures)
    if overdue is not None:
        with report.going_on():
            overdue.judge()
    plans = [part.plan() for part in (sync, overdue) if part is not None]
    held_back = frozenset(account.client_id for plan in plans for account, _ in plan.candidates)
    with report.going_on():
        held_back = decide(work, plans, failures)
    if sync is not None:
        with report.going_on():
            sync.close(held_back)
    if overdue is not None:
        with report.going_on():
            overdue.carry_out(held_back)
    with report.going_on():
        tell_unexplained(work, failures)


def _release(work: Work, report: DailyReport) -> None:
    """By a wrong clock nobody is known to be in time, so only who owes nothing at all is released."""
    try:
        _refuse_wrong_clock(work)
    except ClockWrong:
        Overdue(work, report.overdue).release(only_who_owes_nothing=True)
        raise
    Overdue(work, report.overdue).release()


def _keep_prices(work: Work, report: InvoicingReport) -> None:
    """The month that it is has the first list that was seen in it; another one in bridge.toml changes nothing."""
    month = running_month(work.parts, work.when.now)
    prices_to_bill(work.parts, month, work.live.id)
    report.tell_once([another_list(work.parts, month)])


def _invoice(work: Work, report: InvoicingReport, only: Month | None = None) -> None:
    """Draft what is to be drafted, send what is written, and close the months in which nothing is left unfinished.

    ``only``: somebody asks for just this month, so its usage is read again in any case.
    """
    failures = Failures(report.failures)
    ledger = work.parts.ledger
    settle_problems(work, failures)
    months = [only] if only else months_due(work.parts, work.when)
    if not work.live.works:
        report.months.extend(months)
        report.left.extend(f"run {run.id} ({run.command}) on {run.host}" for run in ledger.runs.alive(work.live.id))
        return
    if work.parts.is_dry:
        report.tell_once(another_list(work.parts, month) for month in months)
    former = FormerInvoices(work)
    to_draft = [only] if only else [month for month in months if _is_to_draft(work, month)]
    _draft(work, to_draft, report, failures, former)
    months = [only] if only else months_due(work.parts, work.when)  # drafts may have opened one again
    report.months.extend(months)
    tell_undecided(work, failures)
    tell_unbilled(work, report, failures)
    Sending(work, months, report, failures, former).send()
    for month in months:
        ledger.months.close(month, work.live.id)


def _draft(
    work: Work, months: Sequence[Month], report: InvoicingReport, failures: Failures, former: FormerInvoices
) -> None:
    """The months' entries, and what has come up since for others; under the lease, for one run drafts at a time."""
    lease = work.parts.ledger.leases.take("drafting", work.live.id, work.lease)
    if lease is None:
        report.left.append("drafting")
        return
    try:
        if months:
            former.look(min(months))
        turn = Turn(work, report, failures, former, lease)
        drafting, closed = Drafting(turn), ClosedClients(turn)
        drafting.bill_found(find_owners(work, months))
        closed.bill_carried()
        for month in months:
            drafting.draft(month)
        closed.owe_what_no_invoice_gives_back()
    finally:
        work.parts.ledger.leases.give_back(lease)


def _is_to_draft(work: Work, month: Month) -> bool:
    """Whether somebody has no entry yet, or one that is to be drafted anew."""
    ledger, prices = work.parts.ledger, shown_prices(work.parts, month).prices.digest
    if not ledger.months.is_drafted(month):
        return True
    return any(is_to_draft(entry, work.when.day, prices) for page in ledger.invoices.written(month) for entry in page)


def months_due(parts: Parts, when: When) -> list[Month]:
    """The months that have ended, settled, and are not closed yet, oldest first."""
    billing, months = parts.settings.billing, parts.ledger.months
    ended = months_to_invoice(billing.start, when.now, billing.timezone, billing.settle)
    return [
        month
        for month in ended
        if not months.is_closed(month) and months.interval(month, billing.timezone)[1] + billing.settle <= when.now
    ]


def refuse_unended(parts: Parts, month: Month, when: When) -> None:
    """Raise UsageError unless the month may be invoiced: from ``billing.start`` on, ended and settled."""
    billing = parts.settings.billing
    if month < billing.start:
        raise UsageError(f"{month} is before billing.start ({billing.start}): it is not Tollbridge's to invoice")
    if month not in months_to_invoice(billing.start, when.now, billing.timezone, billing.settle):
        raise UsageError(
            f"{month} has not ended and settled yet: its usage would be billed in part; --dry-run shows it so far"
        )


def when(parts: Parts, day: date | None, *, dry_run: bool) -> When:
    """The moment a run stands for: now, or the end of another ``day`` in the configured zone.

    Raises:
        UsageError: ``day`` is not today. Of days to come, usage and payments are missing; on days gone by, invoices
            that are overdue now were not. So only a dry run, and a panel on this machine such as the sandbox, may
            pretend another day.
    """
    zone = parts.settings.billing.timezone
    now = datetime.now(UTC)
    today = now.astimezone(zone).date()
    if day is None or day == today:
        return When(now, today)
    if not _FIRST_YEAR <= day.year < _NO_YEAR:
        raise UsageError(f"{day} is no day that anything is billed on: give one from {_FIRST_YEAR} on")
    if not dry_run and not is_loopback(urlsplit(parts.settings.solus.url).hostname or ""):
        raise UsageError(
            f"{day} is not today: only --dry-run may look at another day, since {today} decides what is due"
        )
    return When(end_of_day(day, zone), day, pretended=True)


def _refuse_wrong_clock(work: Work) -> None:
    """A run that pretends another day has its own idea of the time."""
    if not work.when.pretended:
        compare_clocks(work.parts.solus)
