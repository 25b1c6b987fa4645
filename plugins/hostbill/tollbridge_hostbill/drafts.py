"""An invoice made in several calls: a draft, its lines one by one, dates and rates, and the end that makes it count.

The process may die between any two of them. The draft's number is kept with the attempt before anything more is sent,
and its first line begins with the reference. Whoever finds it by either goes on where it ends, if what is there is the
beginning of what is wanted; otherwise it is deleted, and made anew. It is compared whole before it counts.
"""

import time
from decimal import Decimal

import attrs

from tollbridge import Attempt, Invoice, OutcomeUnknown, Refused, Unavailable
from tollbridge.asking import made_certain
from tollbridge.reading import Row, day, text, whole
from tollbridge_hostbill import invoices, taxes
from tollbridge_hostbill.api import Api

# No try goes on for longer, so that an adapter's in_doubt_seconds can be told.
MOST_SECONDS = 120.0
# So long after the ledger was asked nobody can have taken the invoice over, for that takes in_doubt_seconds.
RENEW_SECONDS = 5.0
_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)  # the first goes on while the machine is suspended


def _now() -> float:
    return time.clock_gettime(_CLOCK)


@attrs.define
class Making:
    """One try at one invoice; ``currency_id`` is HostBill's number of the currency that was shown."""

    api: Api
    invoice: Invoice
    attempt: Attempt
    currency_id: int
    began: float = attrs.field(factory=_now)
    asked_at: float | None = None

    def make(self, draft: Row | None) -> Row:
        """The invoice, valid and whole, from the draft that an earlier try left or from nothing.

        Raises:
            Refused: HostBill said no, or makes another invoice of it than was shown; then no draft is left.
            Unavailable: it takes too long; the draft stays, for the next try.
            OutcomeUnknown: something was sent, and no answer came.
            LedgerError: the invoice is no longer this try's to make.
        """
        lines = invoices.lines(self.invoice)
        if draft is not None and not invoices.is_a_beginning(draft, lines):
            self._remove(whole(draft, "id", "a draft"))
            draft = None
        number = self._new_draft() if draft is None else whole(draft, "id", "a draft")
        for line in lines[0 if draft is None else len(invoices.items(draft)) :]:
            self._go_on(number)
            self.api.write("addInvoiceItem", id=number, **line.fields)
        self._go_on(number)
        row = self._dated(number)
        counts = invoices.status(row) != invoices.DRAFT
        if problem := self._problem(row, lines):
            if counts:
                raise Refused(
                    f"{self.invoice.reference}: {problem}, and invoice {number} counts there already, made so by hand:"
                    f" correct it or cancel it"
                )
            self._remove(number, because=problem)
            raise Refused(f"{self.invoice.reference} was not made in HostBill: {problem}")
        if counts:
            return row
        self._go_on(number)
        answer = self.api.write("convertInvoice", id=number)
        row = invoices.details(answer) or {}
        return row if invoices.has_lines(row) else self._read_back(number)

    def _go_on(self, number: int) -> None:
        """What the next try must know is in the ledger, and the invoice is still this try's, before more is sent."""
        now = _now()
        if now - self.began > MOST_SECONDS:
            raise Unavailable(f"HostBill is slow: {self.invoice.reference} is still draft {number}, to be finished")
        if self.asked_at is None or now - self.asked_at > RENEW_SECONDS:
            self.attempt.keep(str(number))
            self.asked_at = now

    def _new_draft(self) -> int:
        answer = self.api.write("addInvoice", client_id=self.invoice.client_id)
        try:
            return whole(answer, "invoice_id", "a new draft")
        except Refused as error:
            raise OutcomeUnknown(f"HostBill made a draft for {self.invoice.reference}, and {error}") from None

    def _dated(self, number: int) -> Row:
        """The draft with its dates and rates, read back."""
        dates = {"date": self.invoice.issue_date.isoformat(), "duedate": self.invoice.due_date.isoformat()}
        answer = self.api.write("editInvoiceDetails", id=number, **dates, **taxes.fields(self.invoice))
        row = invoices.details(answer) or {}
        return row if invoices.has_lines(row) else self._read_back(number)

    def _read_back(self, number: int) -> Row:
        return made_certain(
            lambda: invoices.details(self.api.read("getInvoiceDetails", id=number)), f"HostBill's invoice {number}"
        )

    def _remove(self, number: int, because: str = "") -> None:
        """Delete the draft, which nobody has seen; then nothing is left of it."""
        self._go_on(number)
        try:
            self.api.write("deleteInvoice", id=number)
        except Refused as error:
            told = f"{because}; " if because else ""
            raise Refused(
                f"{self.invoice.reference}: {told}draft {number} could not be deleted, so delete it there: {error}"
            ) from None
        self.attempt.keep("")

    def _problem(self, row: Row, lines: tuple[invoices.Line, ...]) -> str:
        """Why this invoice must not count; empty if it is what was shown, to the rounding of its lines."""
        invoice, who = self.invoice, f"HostBill's invoice {row.get('id')}"
        if whole(row, "client_id", who) != invoice.client_id:
            return f"it is of client {row['client_id']} there"
        if whole(row, "currency_id", who) != self.currency_id:
            return f"it is in another currency there, and {invoice.currency} was shown: look at the client's currency"
        if len(invoices.items(row)) != len(lines) or not invoices.is_a_beginning(row, lines):
            return "its lines are others there than those that were sent"
        if (day(row, "date", who), day(row, "duedate", who)) != (invoice.issue_date, invoice.due_date):
            return f"it is dated {text(row, 'date')} there, and due {text(row, 'duedate')}"
        comes_to = invoices.total(row, who)
        if abs(comes_to - invoice.total) <= self._rounding(lines):
            return ""
        return (
            f"it comes to {comes_to:f} {invoice.currency} there, and {invoice.total:f} was shown: HostBill's taxes must"
            f" be exclusive, and compound_tax in bridge.toml as it is there"
        )

    def _rounding(self, lines: tuple[invoices.Line, ...]) -> Decimal:
        """Half a smallest unit for each taxed line and each tax: HostBill may round by line."""
        half = Decimal(1).scaleb(-self.invoice.decimals) / 2
        return half * (sum(line.taxed for line in lines) + len(self.invoice.taxes))
