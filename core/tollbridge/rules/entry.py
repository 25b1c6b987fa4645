"""An entry: one client's month, what is invoiced for it and how far that is."""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache, reduce

import attrs

from tollbridge.model import EXACT, Invoice, InvoiceLine, InvoiceStatus, UsageItem
from tollbridge.reference import reference
from tollbridge.rules.calendar import Month
from tollbridge.rules.lines import notes
from tollbridge.rules.pricing import TokenPrice, tax_amounts
from tollbridge.texts.invoice_words import invoice_words
from tollbridge.texts.languages import Language


class State(StrEnum):
    """How far an invoice is.

    written: in the ledger, and surely nowhere else. sending: perhaps in the billing system, perhaps not. issued: there.
    carried: too little for an invoice of its own. nothing: nothing to pay.
    """

    WRITTEN = "written"
    SENDING = "sending"
    ISSUED = "issued"
    CARRIED = "carried"
    NOTHING = "nothing"


@lru_cache(1000)
def _period(month: str) -> tuple[date, date]:
    """A month's first and last day."""
    found = Month.parse(month)
    return found.first_day, found.last_day


@attrs.frozen
class UserItem:
    """One thing that a user of the client used."""

    user_id: int
    item: UsageItem


@attrs.frozen
class Line:
    """One invoice line with what it was made from, for ``tollbridge explain``."""

    description: str
    tokens: int
    amount: Decimal
    taxed: bool
    month: str
    item_type: str
    item_id: int
    item_name: str
    plan: str = ""
    hours: int | None = None
    tokens_per_hour: int | None = None
    tokens_per_month: int | None = None
    user_id: int | None = None

    def as_sent(self) -> InvoiceLine:
        """The line as the billing system gets it."""
        start, end = _period(self.month)
        return InvoiceLine(
            self.description,
            self.tokens,
            self.amount,
            self.taxed,
            kind=self.item_type,
            name=self.item_name,
            plan=self.plan,
            hours=self.hours,
            tokens_per_hour=self.tokens_per_hour,
            period_start=start,
            period_end=end,
        )


@attrs.frozen
class Document:
    """An entry's lines and price, kept as one JSON text so that an invoice is written whole.

    Attributes:
        carries: other months, carried before, whose lines it has.
        corrects: the ledger's numbers of the corrections whose lines it has.
        language: the one that its lines were written in; those of earlier versions were English.
    """

    lines: tuple[Line, ...]
    price: TokenPrice
    carries: tuple[str, ...] = ()
    language: Language = "en"
    corrects: tuple[int, ...] = ()

    @property
    def taxed(self) -> Decimal:
        """The sum of the lines that tax is due on, or that hold it."""
        return reduce(EXACT.add, (line.amount for line in self.lines if line.taxed), Decimal(0))


@attrs.frozen
class Entry:
    """One client's month, as the ledger has it.

    Attributes:
        prices: which price list it was drafted with.
        printed_number: what the customer knows the invoice by, where that is not ``billing_id``.
        problem: why it is not issued yet, or what is wrong with it as it was issued.
        other_billing_id: a second invoice under the same reference, which somebody must remove.
        differs_at: when it was seen that the customer is asked for another total than was shown.
        run_id: the run that claimed it last, for the ``attempt``-th time, until ``leased_until``.
        kept: what the adapter's attempt has got so far.
        held: why it waits for a human before it is sent.
        written_off: why a human has let it be.
        taken_back: whether a ledger that was lost had made the invoice: then its sums are the billing system's, and its
            lines what was reported when it was found.
    """

    client_id: int
    month: Month
    state: State
    currency: str
    issue_date: date
    due_date: date
    tokens: int
    subtotal: Decimal
    total: Decimal
    document: Document
    written_at: datetime
    billing_id: str | None = None
    printed_number: str | None = None
    billing_status: InvoiceStatus | None = None
    carried_into: str | None = None
    problem: str | None = None
    sent_at: datetime | None = None
    issued_at: datetime | None = None
    settled_at: datetime | None = None
    prices: str | None = None
    other_billing_id: str | None = None
    differs_at: datetime | None = None
    run_id: int | None = None
    attempt: int = 0
    leased_until: datetime | None = None
    kept: str = ""
    held: str | None = None
    written_off: str | None = None
    taken_back: bool = False

    @property
    def tax(self) -> Decimal:
        """The tax that was shown: what is on top of the lines or, where prices include it, what they hold."""
        price = self.document.price
        if not price.prices_include_tax:
            return EXACT.subtract(self.total, self.subtotal)
        return reduce(EXACT.add, (amount for _, amount in tax_amounts(price, self.document.taxed)), price.zero)

    @property
    def own_lines(self) -> tuple[Line, ...]:
        """The lines of its own month; the others are of months that were carried, or corrected."""
        return tuple(line for line in self.document.lines if line.month == str(self.month))

    @property
    def reference(self) -> str:
        """What the invoice is found again by, here and in the billing system."""
        return reference(self.month, self.client_id)

    def invoice(self) -> Invoice:
        """The entry as the billing system gets it."""
        price = self.document.price
        language, lines = self.document.language, self.document.lines
        months = sorted({*self.document.carries, *(line.month for line in lines), str(self.month)})
        return Invoice(
            reference=self.reference,
            client_id=self.client_id,
            currency=self.currency,
            issue_date=self.issue_date,
            due_date=self.due_date,
            lines=tuple(line.as_sent() for line in lines),
            notes=notes(invoice_words(language), self.reference, months),
            taxes=price.taxes,
            compound=price.compound,
            prices_include_tax=price.prices_include_tax,
            decimals=price.currency.decimals,
            language=language,
        )
