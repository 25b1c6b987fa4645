"""From a complete reading of a month to an entry for each client. Nothing is written outside the ledger.

One run drafts at a time: it holds a lease that every page of clients renews in its own transaction.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from tollbridge.errors import NotFound, Refused, TollbridgeError
from tollbridge.jobs.month_usage import read_month
from tollbridge.jobs.parts import Failures
from tollbridge.jobs.pricing import Pricer
from tollbridge.jobs.reports import InvoicingReport
from tollbridge.jobs.scratch import ClientUsage, StagedUsage
from tollbridge.jobs.work import LeaseClock, Work
from tollbridge.ledger.invoices import Draft
from tollbridge.ledger.leases import Lease
from tollbridge.model import Client
from tollbridge.rules.calendar import Month
from tollbridge.rules.closing import as_written, draft, is_to_draft, late_tokens
from tollbridge.rules.entry import Entry, State
from tollbridge.rules.pricing import TokenPrice
from tollbridge.secret import redact

_MOST_TOKENS = 2**63 - 1  # what the ledger keeps as an integer


class Drafting:
    """The drafts of one run."""

    def __init__(self, work: Work, report: InvoicingReport, lease: Lease, failures: Failures) -> None:
        self._work = work
        self._report = report
        self._lease = lease
        self._clock = LeaseClock(work.lease)
        self._failures = failures
        pricing, billing = work.parts.settings.pricing, work.parts.settings.billing
        self._list = pricing.price_list()
        self._rules = billing.invoice_rules
        self._pricer = Pricer(work.parts.billing, self._list)

    def draft(self, month: Month) -> None:
        """Read the month's usage whole, and give every client its entry.

        The month counts as drafted if that leaves no client out.

        Raises:
            Incomplete: the usage is not whole, so nothing was drafted.
        """
        ledger = self._work.parts.ledger
        failed_before = len(self._failures.all)
        with StagedUsage() as staged:
            reading = read_month(self._work, staged, month, self._still_ours)
            self._report.unbilled.extend((month, user) for user in staged.unbilled())
            ledger.months.begin(month, reading, self._lease)
            done = 0
            for page in staged.batches():
                self._draft_page(month, page)
                done += len(page)
                self._work.progress(f"drafts for {month}", done)
            for client_ids in ledger.invoices.waiting(month):
                idle = [ClientUsage(client_id, ()) for client_id in client_ids if not staged.has(client_id)]
                self._draft_page(month, idle)
        if len(self._failures.all) == failed_before:
            ledger.months.draft(month, reading, self._lease)

    def _still_ours(self) -> None:
        """Called now and then while usage is read: to read it may take longer than a lease lasts.

        Late as it may be, drafting is still this run's if nobody has taken it over; LedgerError if somebody has.
        """
        if not self._clock.still_holds(self._lease.keep):
            self._lease.keep()

    def _draft_page(self, month: Month, page: Sequence[ClientUsage]) -> None:
        """One page of clients, in one transaction of the ledger."""
        invoices = self._work.parts.ledger.invoices
        found = invoices.of_month(month, [usage.client_id for usage in page])
        day, prices = self._work.when.day, self._list.digest
        to_draft = []
        for usage in page:
            entry = found.get(usage.client_id)
            anew = is_to_draft(entry, day, prices)
            if anew:
                to_draft.append(usage)
            if entry is not None:
                self._tell_changed_usage(usage, entry, anew)
        drafts = [*self._drafts(month, to_draft, found)]
        drafts.sort(key=lambda each: each.entry.client_id)
        for entry in invoices.draft(drafts, self._lease):
            self._report.count(entry)

    def _drafts(self, month: Month, usages: Sequence[ClientUsage], found: dict[int, Entry]) -> Iterable[Draft]:
        carried = self._work.parts.ledger.invoices.carried(month, [usage.client_id for usage in usages])
        to_price = []
        for usage in usages:
            entry = found.get(usage.client_id)
            if entry is not None and entry.document.lines and not usage.items:
                self._report.warnings.append(
                    f"{entry.reference}: SolusIO no longer reports this client's usage; what it reported before is"
                    " invoiced"
                )
                yield Draft(as_written(entry, self._rules, day=self._work.when.day), entry)
            else:
                to_price.append(usage)
        for usage, priced in self._work.at_billing.each(self._priced, to_price):
            if isinstance(priced, TollbridgeError):
                self._not_drafted(month, usage, priced)
                continue
            self._failures.went_well()
            client, price = priced
            entry = draft(
                month, client, usage.items, carried.get(client.id, ()), price,
                rules=self._rules, prices=self._list.digest, day=self._work.when.day, now=datetime.now(UTC),
            )  # fmt: skip
            if entry.tokens > _MOST_TOKENS:
                words = f"what was carried makes {entry.tokens:,} tokens in all, which cannot be right"
                self._failures.add(f"client {client.id} in {month}", Refused(words))
                continue
            before = found.get(client.id)
            if entry.document.lines or entry.state is State.WRITTEN or before is not None:
                yield Draft(entry, before)

    def _priced(self, usage: ClientUsage) -> tuple[Client, TokenPrice]:
        client = self._work.client(usage.client_id)
        return client, self._pricer.price(client)

    def _not_drafted(self, month: Month, usage: ClientUsage, error: TollbridgeError) -> None:
        """A failure; but what was carried for a client that has gone since must not keep months open for ever."""
        who = f"client {usage.client_id} in {month}"
        if not isinstance(error, NotFound):
            self._failures.add(who, error)
        elif usage.items:
            charged = f"SolusIO charges {usage.tokens} tokens to it: correct the user's billing id in the panel"
            self._failures.add(who, NotFound(f"{error}, but {charged}"))
        else:
            words = f"{who}: {error} any more, so what was carried for it cannot be invoiced"
            self._report.warnings.append(redact(words))

    def _tell_changed_usage(self, usage: ClientUsage, entry: Entry, anew: bool) -> None:
        """Usage that came after the client's month was done is told, for nothing can be added to it any more.

        So is less usage than before where an entry is written anew, for a user of the client may have got lost.
        """
        late = late_tokens(entry, usage.items)
        if anew and late < 0:
            what_to_do = "it is written anew for what is reported now"
        elif late and entry.state is not State.WRITTEN:
            what_to_do = "settle the difference by hand"
        else:
            return
        self._report.warnings.append(
            f"client {entry.client_id} in {entry.month}: SolusIO now reports {late:+,} tokens against what"
            f" {entry.reference} was made from ({entry.state}); {what_to_do}"
        )
