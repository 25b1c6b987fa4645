"""Invoices as the account shows them: each with its lines and taxes, what is owed, and what is overdue."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from functools import reduce

from babel.numbers import format_decimal

from tollbridge.model import EXACT, Currency, InvoiceStatus, UserStatus
from tollbridge.rules.calendar import Month
from tollbridge.rules.entry import Entry, Line
from tollbridge.rules.lines import LineFacts, reworded
from tollbridge.rules.overdue import Ladder
from tollbridge.rules.pricing import money, tax_amounts
from tollbridge.server.pages.views import InvoiceView, LineView, NoticeView, OwedView, TaxView
from tollbridge.texts.invoice_words import day_in_words, invoice_words, month_in_words
from tollbridge.texts.languages import Language

PayUrl = Callable[[Entry], str]


def is_unpaid(entry: Entry) -> bool:
    """Whether the client has to pay it; what is on its way needs nothing more."""
    return entry.billing_status in {None, InvoiceStatus.UNPAID}


def is_overdue(entry: Entry, today: date) -> bool:
    """Whether it is unpaid after its due date."""
    return entry.billing_status is InvoiceStatus.UNPAID and entry.due_date < today


def invoice_view(entry: Entry, today: date, language: Language, pay_url: str) -> InvoiceView:
    """One invoice, its lines in the page's language as far as they are the bridge's own words."""
    currency = entry.document.price.currency
    with_tax = entry.total != entry.subtotal
    return InvoiceView(
        reference=entry.reference,
        number=entry.billing_id or "",
        month=month_in_words(entry.month.first_day, language),
        issued=day_in_words(entry.issue_date, language),
        due=day_in_words(entry.due_date, language),
        status=str(entry.billing_status or InvoiceStatus.UNPAID),
        total=money(entry.total, currency),
        lines=tuple(
            LineView(_worded(line, entry.document.language, language), money(line.amount, currency))
            for line in entry.document.lines
        ),
        is_overdue=is_overdue(entry, today),
        subtotal=money(entry.subtotal, currency) if with_tax else "",
        taxes=tuple(_taxes(entry, language)),
        pay_url=pay_url,
    )


def _worded(line: Line, written: Language, language: Language) -> str:
    facts = LineFacts(
        Month.parse(line.month), line.item_name, line.item_type, line.tokens,
        line.plan, line.hours, line.tokens_per_hour,
    )  # fmt: skip
    return reworded(line.description, facts, invoice_words(written), invoice_words(language))


def _taxes(entry: Entry, language: str) -> Iterator[TaxView]:
    """The taxes that were shown, if they make the sum that was charged; else that sum, of which no more is known."""
    price, charged = entry.document.price, EXACT.subtract(entry.total, entry.subtotal)
    shown = tax_amounts(price, entry.document.taxed)
    amount = reduce(EXACT.add, (each for _, each in shown), Decimal(0))
    held = price.prices_include_tax and not charged and not entry.taken_back
    if held or (charged and amount == charged):
        for tax, each in shown:
            rate = format_decimal(tax.rate, format="#,##0.####", locale=language)
            yield TaxView(tax.label, rate, money(each, price.currency))
    elif charged:
        yield TaxView("", "", money(charged, price.currency))


def owed_view(unpaid: Sequence[Entry], currency: Currency, today: date, language: str, pay_url: PayUrl) -> OwedView:
    """What these invoices come to; ``currency`` is the client's, for whoever owes nothing."""
    if not unpaid:
        return OwedView(money(Decimal(0), currency), is_open=False)
    oldest_first = sorted(unpaid, key=lambda entry: (entry.due_date, entry.month))
    late = [entry for entry in oldest_first if is_overdue(entry, today)]
    to_come = next((entry for entry in oldest_first if entry not in late), None)
    return OwedView(
        _sums(oldest_first),
        is_open=True,
        overdue=_sums(late) if late and to_come else "",
        due=day_in_words(to_come.due_date, language) if to_come else "",
        reference=oldest_first[0].reference,
        pay_url=pay_url(oldest_first[0]),
    )


def _sums(entries: Iterable[Entry]) -> str:
    """What they come to; of a client whose currency was changed, in each currency."""
    sums: dict[str, tuple[Currency, Decimal]] = {}
    for entry in entries:
        currency = entry.document.price.currency
        before = sums.get(currency.code, (currency, Decimal(0)))[1]
        sums[currency.code] = currency, EXACT.add(before, entry.total)
    return " + ".join(money(amount, currency) for currency, amount in sums.values())


def notice_view(
    entry: Entry, today: date, language: str, *, ladder: Ladder, status: UserStatus, pay_url: str
) -> NoticeView:
    """An overdue invoice, with what has come of it and what will."""
    steps = {UserStatus.LOCKED: "", UserStatus.SUSPENDED: ""}
    step = ladder.next_step(entry.due_date, today)
    while step is not None:
        steps[step[1]] = day_in_words(step[0], language)
        step = ladder.next_step(entry.due_date, step[0])
    return NoticeView(
        entry.reference,
        day_in_words(entry.due_date, language),
        money(entry.total, entry.document.price.currency),
        lock_on=steps[UserStatus.LOCKED],
        suspend_on=steps[UserStatus.SUSPENDED],
        is_locked=status is UserStatus.LOCKED,
        is_suspended=status is UserStatus.SUSPENDED,
        pay_url=pay_url,
    )
