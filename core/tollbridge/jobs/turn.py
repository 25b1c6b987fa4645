"""A run's turn at drafting: what all that it drafts with has in common."""

import attrs

from tollbridge.jobs.former_invoices import FormerInvoices
from tollbridge.jobs.parts import Failures
from tollbridge.jobs.price_lists import ListsToBill
from tollbridge.jobs.pricing import Pricer
from tollbridge.jobs.reports import InvoicingReport
from tollbridge.jobs.scratch import ClientUsage
from tollbridge.jobs.work import LeaseClock, Work
from tollbridge.ledger.leases import Lease
from tollbridge.model import Client
from tollbridge.rules.calendar import Month
from tollbridge.rules.pricing import TokenPrice


@attrs.frozen
class Turn:
    """One run drafts at a time: it holds a lease that every page of clients renews in its own transaction.

    Attributes:
        former: invoices that a ledger which was lost has made.
        lists: the months' price lists; from now on nobody replaces one.
    """

    work: Work
    report: InvoicingReport
    failures: Failures
    former: FormerInvoices
    lease: Lease
    lists: ListsToBill = attrs.field(init=False)
    _pricer: Pricer = attrs.field(init=False)
    _clock: LeaseClock = attrs.field(init=False)

    @lists.default
    def _lists_of_this_run(self) -> ListsToBill:
        return ListsToBill(self.work.parts, self.work.live.id)

    @_pricer.default
    def _pricer_of_this_run(self) -> Pricer:
        return Pricer(self.work.parts.billing)

    @_clock.default
    def _clock_of_the_lease(self) -> LeaseClock:
        return LeaseClock(self.work.lease)

    def keep(self) -> None:
        """Called now and then while usage is read: to read it may take longer than a lease lasts.

        Late as it may be, drafting is still this run's if nobody has taken it over; LedgerError if somebody has.
        """
        if not self._clock.still_holds(self.lease.keep):
            self.lease.keep()

    def price(self, month: Month, client: Client) -> TokenPrice:
        """What a token of the month costs the client; errors as of :class:`Pricer`."""
        return self._pricer.price(client, self.lists.of(month))

    def priced(self, month: Month, usage: ClientUsage) -> tuple[Client, TokenPrice]:
        """Whose the usage is, and what a token of it costs; NotFound if the client is gone."""
        client = self.work.client(usage.client_id)
        return client, self.price(month, client)
