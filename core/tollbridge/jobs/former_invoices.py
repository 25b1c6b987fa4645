"""Invoices of ours that the billing system has and the ledger does not know: another ledger made them, and was lost.

They are listed once in a run, before anything is drafted. Each is taken back with the figures it has, and the months
that its notes name are billed by it.
"""

from collections.abc import Iterator, Mapping
from itertools import islice

import structlog

from tollbridge.errors import Refused
from tollbridge.jobs.work import Work
from tollbridge.model import Receipt
from tollbridge.reference import month_and_client
from tollbridge.reference import reference as reference_of
from tollbridge.rules.calendar import Month, look_back

_PAGE = 200

_log = structlog.get_logger("tollbridge.jobs")


class FormerInvoices:
    """What there is of them, as far as the billing system can list what was made since a day.

    Attributes:
        there: by reference; None where one stands on several invoices, which is left for the adapter to refuse.
    """

    def __init__(self, work: Work) -> None:
        self._work = work
        self._first: Month | None = None
        self._asked = False
        self._named: dict[tuple[int, str], Month] = {}
        self._of_client: dict[int, list[tuple[Month, Receipt]]] = {}
        self.there: Mapping[str, Receipt | None] = {}

    def look(self, first: Month) -> None:
        """List once what was made for ``first`` and later months.

        If anything of it cannot be read, nothing is known, and each invoice is looked for by itself; so are those of
        months before ``first``.
        """
        if self._asked or not self._work.parts.billing.can("invoices_since"):
            return
        self._asked = True
        parts = self._work.parts
        _, end = parts.ledger.months.interval(first, parts.settings.billing.timezone)
        there: dict[str, Receipt | None] = {}
        for receipt in parts.billing.invoices_since(look_back(end)):
            if isinstance(receipt, Refused):
                _log.warning("an invoice cannot be read, so each is looked for by itself", reason=str(receipt))
                return
            there[receipt.reference] = None if receipt.reference in there else receipt
        # Whatever a run of this ledger creates is in the ledger before it is in the list.
        for known in parts.ledger.claims.known_references(first, self._work.live.id):
            there.pop(known, None)
        self.there, self._first = there, first
        for reference, there_once in there.items():
            named = month_and_client(reference)
            if there_once is not None and named is not None:
                self._note(Month.parse(named[0]), named[1], there_once)

    def _note(self, month: Month, client_id: int, receipt: Receipt) -> None:
        self._of_client.setdefault(client_id, []).append((month, receipt))
        others = [each for each in receipt.months or () if each != str(month)]
        for each in others:
            self._named[client_id, each] = month
        if others:
            self._work.parts.ledger.invoices.note_carried(client_id, others, month)

    def covers(self, month: Month) -> bool:
        """Whether all that was made for the month is listed, so that what is not in it is not there."""
        return self._first is not None and month >= self._first

    def has(self, client_id: int, month: Month) -> bool:
        """Whether the client's invoice of the month is there."""
        return self.there.get(reference_of(month, client_id)) is not None

    def clients(self, month: Month) -> Iterator[list[int]]:
        """The clients whose invoice of the month is there, whether or not any usage is reported of them, in batches."""
        ids = iter(sorted(client_id for client_id in self._of_client if self.has(client_id, month)))
        while page := list(islice(ids, _PAGE)):
            yield page

    def naming(self, client_id: int, month: Month) -> Month | None:
        """The month of the invoice that has the lines of this one, though it is another month's."""
        if reference_of(month, client_id) in self.there:
            return None
        return self._named.get((client_id, str(month)))

    def later(self, client_id: int, month: Month) -> str | None:
        """An invoice of a later month, where there is none of this month and none that names it: was it billed?"""
        if reference_of(month, client_id) in self.there or self.naming(client_id, month) is not None:
            return None
        return next(
            (receipt.reference for made_for, receipt in self._of_client.get(client_id, ()) if made_for > month), None
        )
