"""From written entries to invoices in the billing system, by any number of threads, processes and machines.

Claim, look, create, record. An entry is *sending* before the billing system hears of it; what was sent without an
answer is looked for before anything is created again; whoever has a receipt notes it, late or not.
"""

import time
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager
from datetime import date, timedelta
from itertools import islice

import attrs
import structlog

from tollbridge.errors import (
    Conflict,
    LedgerError,
    NotFound,
    OutcomeUnknown,
    PriceMismatch,
    Refused,
    TollbridgeError,
    Unavailable,
)
from tollbridge.jobs.at_once import AtOnce
from tollbridge.jobs.crew import Errand
from tollbridge.jobs.former_invoices import FormerInvoices
from tollbridge.jobs.parts import Failures
from tollbridge.jobs.reports import InvoicingReport
from tollbridge.jobs.work import LeaseClock, Work
from tollbridge.ledger.claims import Claim, Result
from tollbridge.ledger.helpers import Left
from tollbridge.model import InvoiceStatus, Receipt
from tollbridge.rules.calendar import Month, due_date
from tollbridge.rules.closing import proof, taken_back
from tollbridge.rules.entry import Entry, State
from tollbridge.secret import redact
from tollbridge.words import counted

_PAGE = 50
_MOST_DIFFERING = 3
_RECORD_SECONDS = 1.0
_POLL_SECONDS = 0.5

_log = structlog.get_logger("tollbridge.jobs")


class ClaimLost(LedgerError):
    """An invoice is not this run's to create any more; whoever has taken it over goes on with it."""

    def __init__(self, reference: str) -> None:
        super().__init__(f"{reference}: the claim is over, as after a long pause of this machine; run again")


@attrs.frozen
class Sendable:
    """A claimed entry, and the lease that it shares with those that were claimed with it."""

    claim: Claim
    lease: LeaseClock

    @property
    def reference(self) -> str:
        """The entry's."""
        return self.claim.entry.reference


@attrs.frozen
class Sent:
    """What came of sending one entry.

    Attributes:
        created: whether this run created it, and did not only find it.
        warning: what differs from what was shown, and taxes can explain.
        error: why it is not issued.
    """

    result: Result
    created: bool = False
    warning: str | None = None
    error: TollbridgeError | None = None

    @property
    def reference(self) -> str:
        """The entry's."""
        return self.result.claim.entry.reference


@attrs.define
class LedgerAttempt:
    """One try at creating an invoice, as the adapter sees it: what it keeps is in the ledger, under the claim."""

    work: Work
    sendable: Sendable
    kept: str

    def keep(self, text: str) -> None:
        """Keep ``text``, and renew the claim; LedgerError if it is not this try's any more."""
        self.work.parts.ledger.claims.keep(self.work.live.id, self.sendable.claim, text, self.work.lease)
        self.kept = text


class Sending:
    """All that one run sends."""

    def __init__(
        self,
        work: Work,
        months: Collection[Month],
        report: InvoicingReport,
        failures: Failures,
        former: FormerInvoices,
    ) -> None:
        self._work = work
        self._months = months
        self._report = report
        self._failures = failures
        self._run_id = work.live.id
        self._ledger = work.parts.ledger.claims
        self._billing = work.parts.billing
        self._in_doubt = timedelta(seconds=self._billing.in_doubt_seconds)
        self._former = former
        self._unbegun: dict[str, Claim] = {}
        self._differing: set[str] = set()
        self._stopped_by: TollbridgeError | None = None
        self._has_asked = False

    def send(self) -> None:
        """Send everything that is written, then what runs that are gone left in doubt.

        As soon as one came out right workers are asked to help, if there are any. A worker does not wait for anybody.

        Raises:
            Interrupted: it was told to stop, and nothing is wrong.
            PriceMismatch: too many invoices came to another total than was shown, so no more are made.
            Unavailable: the billing system cannot be reached for several clients in a row.
            LedgerError: the ledger, or this run's hold on it, was lost.
        """
        claims = self._claims()
        try:
            self._send_until_one_is_right(claims)
            with self._helped():
                self._send_all(self._work.at_billing, claims)
                if self._work.live.helps is None:
                    self._wait_for_others()
        finally:
            self._ledger.give_back(self._run_id, self._unbegun.values())
        if self._stopped_by is not None:
            raise self._stopped_by
        if self._work.live.helps is None:
            self._name_the_frozen()

    def _send_until_one_is_right(self, claims: Iterator[Sendable]) -> None:
        """One after the other until one came out as it was shown: if all are wrong, no more than three are made."""
        singly = AtOnce(1, self._work.at_billing.slot)
        while sent := self._send_all(singly, islice(claims, 1)):
            if sent[0].created and sent[0].error is None and not sent[0].result.differs:
                return

    def _wait_for_others(self) -> None:
        """Nothing else is left to do: wait until what runs that are gone have sent can land no more, then look.

        So it does for what workers hold that help this run, and sends what they give back.
        """
        while self._stopped_by is None:
            self._work.parts.ledger.runs.bury()
            wait = self._ledger.time_until_free(self._run_id, self._months, self._in_doubt)
            helpers = self._left_to_helpers()
            if wait is None and helpers == Left(0, 0):
                return
            if helpers.claimable or (wait is not None and wait <= timedelta(0)):
                if self._send_all(self._work.at_billing, self._claims()):
                    continue
                if not self._has_asked:
                    return
            if helpers.held:
                self._tell_progress()
            else:
                self._work.progress("waiting for invoices that an earlier run sent to appear or not", 0)
            time.sleep(_POLL_SECONDS if wait is None else min(max(wait.total_seconds(), 0.0), _POLL_SECONDS))

    def _name_the_frozen(self) -> None:
        """Entries that a run which lives and does not go on has claimed stay its own; it is named."""
        for run_id, host, count in self._ledger.held_by_the_frozen(self._run_id, self._months):
            words = (
                f"it holds {counted(count, 'invoice')} and does not go on: end that process, or let it go on; the next"
                " run takes up what it leaves"
            )
            self._failures.tell(f"run {run_id} on {host}", words)

    # With workers

    @contextmanager
    def _helped(self) -> Iterator[None]:
        """Workers help meanwhile, if there are any and something is left for them; then it is told what they did."""
        helpers, ask = self._work.parts.ledger.helpers, self._work.crew.ask
        left = helpers.left(self._run_id, self._months, timedelta(0)).claimable if ask is not None else 0
        if ask is None or not left or self._stopped_by is not None:
            yield
            return
        with ExitStack() as help_:
            try:
                errand = Errand(self._run_id, self._work.when, list(self._months), -(-left // _PAGE))
                help_.enter_context(ask(errand))
                self._has_asked = True
            except LedgerError as error:
                self._report.warnings.append(f"no worker could be asked to help: {error}")
            help_.callback(self._count_helped)
            yield

    def _count_helped(self) -> None:
        """What workers did for this run."""
        helpers = self._work.parts.ledger.helpers
        if self._has_asked:
            for issued in helpers.issued(self._run_id):
                self._report.issue_by_workers(issued.sample, issued.count, issued.subtotal)
            for entry in helpers.with_problem(self._run_id):
                self._failures.tell(entry.reference, (entry.problem or "").removeprefix(f"{entry.reference}: "))

    def _left_to_helpers(self) -> Left:
        if not self._has_asked:
            return Left(0, 0)
        return self._work.parts.ledger.helpers.left(self._run_id, self._months, self._work.lease)

    def _tell_progress(self) -> None:
        """How many invoices there are by now, whoever has issued them."""
        by_others = self._work.parts.ledger.helpers.count(self._run_id) if self._has_asked else 0
        self._work.progress("invoices", self._report.issued + by_others)

    # Claiming

    def _claims(self) -> Iterator[Sendable]:
        """Entries to send, claimed a page at a time: first what is written, then what can be taken over."""
        while self._may_go_on():
            lease = LeaseClock(self._work.lease)
            issue, due = self._dates
            page = self._ledger.claim(self._run_id, self._months, issue, due, self._work.lease, _PAGE)
            page = page or self._ledger.take_over(self._run_id, self._months, self._in_doubt, self._work.lease, _PAGE)
            if not page:
                return
            self._unbegun.update((claim.entry.reference, claim) for claim in page)
            if not all(claim.in_doubt for claim in page):
                self._former.look(min(claim.entry.month for claim in page))
            for claim in page:
                if not self._goes_on():
                    return
                del self._unbegun[claim.entry.reference]
                yield Sendable(claim, lease)

    @property
    def _dates(self) -> tuple[date, date]:
        day = self._work.when.day
        return day, due_date(day, self._work.parts.settings.billing.grace_days)

    def _may_go_on(self) -> bool:
        """Not before everybody gets an invoice that comes to another total than what was shown."""
        if not self._goes_on():
            return False
        self._differing.update(self._ledger.differing())
        if len(self._differing) >= _MOST_DIFFERING and self._stopped_by is None:
            self._stopped_by = PriceMismatch(
                f"{len(self._differing)} invoices came to another total in the billing system than what was shown, so"
                f" no more are made: {', '.join(sorted(self._differing)[:_MOST_DIFFERING])}. Compare each client's"
                " taxes and discounts with `tollbridge price CLIENT`, then let it go on with"
                " `tollbridge approve totals --reason TEXT`"
            )
        return self._stopped_by is None

    def _goes_on(self) -> bool:
        """Unless something has stopped it, or does so now."""
        if self._stopped_by is None:
            try:
                self._work.crew.go_on()
            except TollbridgeError as error:
                self._stopped_by = error
        return self._stopped_by is None

    def _found(self, claim: Claim) -> Receipt | None:
        """What the billing system has under the reference; asked for by itself if there is any doubt."""
        reference = claim.entry.reference
        if self._former.covers(claim.entry.month) and not claim.in_doubt:
            if reference not in self._former.there:
                return None
            if receipt := self._former.there[reference]:
                return receipt
        return self._billing.find_invoice(claim.entry.client_id, reference)

    # Sending one, in a thread of its own

    def _send_all(self, at_once: AtOnce, claims: Iterator[Sendable]) -> list[Sent]:
        """Send what is claimed; results are recorded as they come, a page at a time. The last page is given back."""
        results: list[Sent] = []
        recorded = time.monotonic()
        try:
            for _, sent in at_once.each(self._send, claims):
                if isinstance(sent, TollbridgeError):
                    raise sent  # _send lets none through
                if len(results) >= _PAGE or (results and time.monotonic() - recorded >= _RECORD_SECONDS):
                    self._record(results)
                    results, recorded = [], time.monotonic()
                    self._tell_progress()
                results.append(sent)
                self._judge(sent)
        finally:
            self._record(results)
        return results

    def _send(self, sendable: Sendable) -> Sent:
        claim, entry = sendable.claim, sendable.claim.entry
        asked_at: float | None = None
        try:
            receipt = self._found(claim)
            created = receipt is None or receipt.status is InvoiceStatus.DRAFT
            if receipt is None or receipt.status is InvoiceStatus.DRAFT:
                entry = self._dated(claim)
                if not sendable.lease.still_holds(lambda: self._ledger.renew(self._run_id, self._work.lease)):
                    raise ClaimLost(entry.reference)
                asked_at = time.monotonic()
                attempt = LedgerAttempt(self._work, sendable, entry.kept)
                receipt = self._billing.create_invoice(entry.invoice(), attempt)
        except TollbridgeError as error:
            return _failed(claim, error, asked_at)
        found = proof(entry, receipt)
        if not created and claim.entry.attempt == 1 and not claim.in_doubt:
            # No run of this ledger has ever sent it.
            claim = attrs.evolve(claim, entry=taken_back(entry, receipt))
            found = proof(claim.entry, receipt)
        if not found.issued:
            return _failed(claim, Refused(f"{found.problem}; the next run goes on with it"), asked_at, half_made=True)
        if created:
            self._billing.tell("invoice_issued", invoice=entry.invoice(), receipt=receipt)
        result = Result(claim, State.ISSUED, found.problem, receipt, differs=created and found.differs)
        return Sent(result, created, found.warning)

    def _dated(self, claim: Claim) -> Entry:
        """The entry with the dates that it is sent with: of today, now that it is known that nothing was sent."""
        issue, due = self._dates
        entry = claim.entry
        if (entry.issue_date, entry.due_date) != (issue, due):
            self._ledger.redate(self._run_id, claim, issue, due)
            entry = attrs.evolve(entry, issue_date=issue, due_date=due)
        return entry

    # What came of it, in the run's own thread

    def _judge(self, sent: Sent) -> None:
        if sent.error is not None:
            try:
                self._failures.add(sent.reference, sent.error)
            except TollbridgeError as error:
                self._stopped_by = self._stopped_by or error
            return
        self._failures.went_well()
        if sent.warning:
            self._report.warnings.append(f"{sent.reference}: {sent.warning}")
        if sent.result.problem:
            self._failures.tell(sent.reference, sent.result.problem)
        if sent.result.differs:
            self._differing.add(sent.reference)
            self._may_go_on()

    def _record(self, sent: list[Sent]) -> None:
        """Into the ledger; a second invoice that a receipt proves is a failure until it is settled."""
        twice = self._ledger.record(self._run_id, [each.result for each in sent])
        for reference, problem in twice.items():
            self._failures.tell(reference, problem)
        for each in sent:
            if each.result.state is State.ISSUED:
                self._report.issue(each.result.claim.entry)


def _failed(claim: Claim, error: TollbridgeError, asked_at: float | None, *, half_made: bool = False) -> Sent:
    """What a failure leaves the entry as: in doubt if anything may be there, else to be sent again.

    A system that said no has nothing, and one that could not be reached was not asked: then the claim is given back,
    and nothing is wrong with the entry.
    """
    said_no = isinstance(error, NotFound | Refused | Conflict)
    unreached = isinstance(error, Unavailable) and not isinstance(error, OutcomeUnknown)
    unknown = claim.in_doubt if asked_at is None else not (said_no or unreached)
    if unknown or half_made:
        return Sent(Result(claim, State.SENDING, redact(str(error)), asked_at=asked_at), error=error)
    given_back = isinstance(error, Unavailable | LedgerError)
    return Sent(Result(claim, State.WRITTEN, None if given_back else redact(str(error))), error=error)
