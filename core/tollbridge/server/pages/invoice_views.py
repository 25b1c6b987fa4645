"""Invoices as the account shows them: each with its lines and taxes, what is owed, and what is overdue."""

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from decimal import Decimal
from functools import reduce

from babel.numbers import format_decimal

from tollbridge.model import EXACT, Currency, InvoiceStatus, TaxRate, UserStatus
from tollbridge.rules.calendar import Month
from tollbridge.rules.entry import Entry, Line
from tollbridge.rules.lines import LineFacts, reworded
from tollbridge.rules.overdue import Ladder
from tollbridge.rules.pricing import money, tax_amounts
from tollbridge.server.pages.standing import Standing
from tollbridge.server.pages.views import InvoiceView, LineView, NoticeView, OwedView, TaxView
from tollbridge.texts.invoice_words import day_in_words, invoice_words, month_in_words
from tollbridge.texts.languages import Language

PayUrl = Callable[[Entry], str]


def is_unpaid(entry: Entry) -> bool:
    """Whether the client has to pay it; what is on its way needs nothing more."""
    return entry.billing_status in {None, InvoiceStatus.UNPAID}


def name_of(entry: Entry) -> str:
    """What the customer knows an invoice by: the number that is printed on it, else our reference."""
    return entry.printed_number or entry.billing_id or entry.reference


def is_overdue(entry: Entry, today: date) -> bool:
    """Whether it is unpaid after its due date."""
    return entry.billing_status is InvoiceStatus.UNPAID and entry.due_date < today


def invoice_view(invoice: Standing, today: date, language: Language, pay_url: str) -> InvoiceView:
    """One invoice, its lines in the page's language as far as they are the bridge's own words."""
    entry = invoice.entry
    currency = entry.document.price.currency
    with_tax = entry.total != entry.subtotal
    return InvoiceView(
        reference=entry.reference,
        number=entry.printed_number or entry.billing_id or "",
        month=month_in_words(entry.month.first_day, language),
        issued=day_in_words(entry.issue_date, language),
        due=day_in_words(entry.due_date, language),
        status=str(entry.billing_status or InvoiceStatus.UNPAID),
        total=money(entry.total, currency),
        lines=tuple(
            LineView(worded(line, entry.document.language, language), money(line.amount, currency))
            for line in entry.document.lines
        ),
        is_overdue=is_overdue(entry, today),
        subtotal=money(entry.subtotal, currency) if with_tax else "",
        taxes=tuple(_tax_view(tax, amount, currency, language) for tax, amount in taxes_of(entry)),
        pay_url=pay_url,
        left=money(invoice.left, currency) if invoice.is_part_paid else "",
    )


def worded(line: Line, written: Language, language: Language) -> str:
    """A line in another language than it was written in, if its words are the bridge's own."""
    facts = LineFacts(
        Month.parse(line.month), line.item_name, line.item_type, line.tokens,
        line.plan, line.hours, line.tokens_per_hour,
    )  # fmt: skip
    return reworded(line.description, facts, invoice_words(written), invoice_words(language))


def taxes_of(entry: Entry) -> list[tuple[TaxRate | None, Decimal]]:
    """The taxes that were shown, if they make the sum that was charged; else that sum, of which no more is known."""
    price, charged = entry.document.price, EXACT.subtract(entry.total, entry.subtotal)
    shown = tax_amounts(price, entry.document.taxed)
    amount = reduce(EXACT.add, (each for _, each in shown), Decimal(0))
    held = price.prices_include_tax and not charged and not entry.taken_back
    if held or (charged and amount == charged):
        return list(shown)
    return [(None, charged)] if charged else []


def _tax_view(tax: TaxRate | None, amount: Decimal, currency: Currency, language: str) -> TaxView:
    rate = format_decimal(tax.rate, format="#,##0.####", locale=language) if tax else ""
    return TaxView(tax.label if tax else "", rate, money(amount, currency))


def owed_view(
    unpaid: Sequence[Standing], currency: Currency, today: date, language: str, pay_url: PayUrl, *, is_fresh: bool
) -> OwedView:
    """What is left to pay of these invoices; ``currency`` is the client's, for whoever owes nothing."""
    if not unpaid:
        return OwedView(money(Decimal(0), currency), is_open=False, is_fresh=is_fresh)
    oldest_first = sorted(unpaid, key=lambda each: (each.entry.due_date, each.entry.month))
    late = [each for each in oldest_first if is_overdue(each.entry, today)]
    to_come = next((each.entry for each in oldest_first if each not in late), None)
    first = oldest_first[0].entry
    return OwedView(
        sums((each.entry.document.price.currency, each.left) for each in oldest_first),
        is_open=True,
        overdue=sums((each.entry.document.price.currency, each.left) for each in late) if late and to_come else "",
        due=day_in_words(to_come.due_date, language) if to_come else "",
        reference=first.reference,
        pay_url=pay_url(first),
        name=name_of(first),
        is_fresh=is_fresh,
    )


def sums(amounts: Iterable[tuple[Currency, Decimal]]) -> str:
    """What they come to; of a client whose currency was changed, in each currency."""
    found: dict[str, tuple[Currency, Decimal]] = {}
    for currency, amount in amounts:
        before = found.get(currency.code, (currency, Decimal(0)))[1]
        found[currency.code] = currency, EXACT.add(before, amount)
    return " + ".join(money(amount, currency) for currency, amount in found.values())


def notice_view(
    invoice: Standing, today: date, language: str, *, ladder: Ladder, status: UserStatus, pay_url: str
) -> NoticeView:
    """An overdue invoice, with what has come of it and what will."""
    entry = invoice.entry
    steps = {UserStatus.LOCKED: "", UserStatus.SUSPENDED: ""}
    step = ladder.next_step(entry.due_date, today)
    while step is not None:
        steps[step[1]] = day_in_words(step[0], language)
        step = ladder.next_step(entry.due_date, step[0])
    return NoticeView(
        entry.reference,
        day_in_words(entry.due_date, language),
        money(invoice.left, entry.document.price.currency),
        lock_on=steps[UserStatus.LOCKED],
        suspend_on=steps[UserStatus.SUSPENDED],
        is_locked=status is UserStatus.LOCKED,
        is_suspended=status is UserStatus.SUSPENDED,
        pay_url=pay_url,
        name=name_of(entry),
        is_part=invoice.is_part_paid,
    )
