"""The life of one client's month, on one page: when it is drafted, from what, and what a receipt makes of it.

                    draft              claim              receipt
    usage, carried ───────▶ written ───────────▶ sending ─────────▶ issued
                     │         ▲                    │
                     │         └──── refused, or ───┘
                     │            given back unsent
                     ├─────▶ carried    less than the minimum: a later month's draft takes it in
                     └─────▶ nothing    nothing to pay, or written off

A draft that is held stays *written* until a human approves of it, or writes it off. Nothing else changes an entry's
state. From *sending* there is no way back before it is known that nothing is there, and none at all from *issued*.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import reduce

import attrs

from tollbridge.model import EXACT, Client, ClientStatus, Currency, InvoiceStatus, Receipt, tax_explains, tax_factor
from tollbridge.rules.calendar import Month, due_date
from tollbridge.rules.corrections import Correction, fits
from tollbridge.rules.entry import Document, Entry, Line, State, UserItem
from tollbridge.rules.lines import carried_line, item_line, server_line
from tollbridge.rules.metering import server_tokens
from tollbridge.rules.pricing import TokenPrice, line_amount, rounded
from tollbridge.texts.invoice_words import InvoiceWords, invoice_words
from tollbridge.texts.languages import Language, language_called


@attrs.frozen
class InvoiceRules:
    """What bridge.toml says of invoices.

    Attributes:
        minimum: by currency; less is carried, but for no longer than ``carry_months``.
        zero_invoices: whether a month that costs nothing makes one.
        language: of clients whose own is not known, or is none of ours.
        hold_above: a draft that is more than so many times the client's dearest month so far waits for a human, if it
            comes to more than ``hold_from`` in its currency; None: nothing is held.
    """

    minimum: Mapping[str, Decimal]
    grace_days: int
    zero_invoices: bool
    language: Language = "en"
    carry_months: int = 3
    hold_above: Decimal | None = None
    hold_from: Mapping[str, Decimal] = attrs.field(factory=dict)


def is_to_draft(entry: Entry | None, day: date, prices: str) -> bool:
    """Whether a client's month is drafted (anew).

    Not once it may be in the billing system, or an attempt has kept something of it; and what was written is written
    anew only if it was refused, or stands for another day or price list than this run's.
    """
    if entry is None:
        return True
    if entry.state is not State.WRITTEN or entry.kept:
        return False
    return entry.problem is not None or entry.issue_date != day or entry.prices != prices


def draft(
    month: Month,
    client: Client,
    used: Sequence[UserItem],
    carried: Iterable[Entry],
    corrections: Iterable[Correction],
    *,
    price: TokenPrice,
    rules: InvoiceRules,
    prices: str,
    day: date,
    now: datetime,
    is_there: bool = False,
) -> Entry:
    """A client's month as it is to be invoiced, carried, or left as nothing to pay.

    Other months that were carried come first, line by line, as they were priced then, and what is to be corrected of
    earlier ones; only where the client's currency has changed since are their tokens priced anew. They keep the words
    they were written with, too. ``is_there``: a ledger that was lost has made the invoice, so it is one whatever it
    comes to.
    """
    words = invoice_words(language_called(client.language) or rules.language)
    own = tuple(_line(month, each, price, words, taxed=not client.tax_exempt) for each in used)
    return _entry(
        month,
        client,
        own,
        carried,
        corrections,
        price=price,
        rules=rules,
        prices=prices,
        day=day,
        now=now,
        is_there=is_there,
    )


def last_invoice(
    carried: Sequence[Entry],
    client: Client,
    corrections: Iterable[Correction],
    *,
    price: TokenPrice,
    rules: InvoiceRules,
    prices: str,
    day: date,
    now: datetime,
) -> Entry:
    """All that was carried for a client who is closed now, oldest first, under the month it was first carried from."""
    first, *others = carried
    own = tuple(_priced(line, first.currency, price) for line in first.document.lines)
    return _entry(
        first.month, client, own, others, corrections, price=price, rules=rules, prices=prices, day=day, now=now
    )


def _entry(
    month: Month,
    client: Client,
    own: tuple[Line, ...],
    carried: Iterable[Entry],
    corrections: Iterable[Correction],
    *,
    price: TokenPrice,
    rules: InvoiceRules,
    prices: str,
    day: date,
    now: datetime,
    is_there: bool = False,
) -> Entry:
    words = invoice_words(language_called(client.language) or rules.language)
    others, later = list(carried), [each for each in corrections if fits(each, client.currency)]
    taken = tuple(_carried_line(entry, line, price, words) for entry in others for line in entry.document.lines)
    corrected = (_priced(each.line, each.currency, price) for each in later)
    taken += tuple(attrs.evolve(line, taxed=not client.tax_exempt) for line in corrected)
    first = min([month, *(each.month for each in others), *(each.stands_on for each in later)])
    has_waited = client.status is ClientStatus.CLOSED or month.months_since(first) >= rules.carry_months
    minimum = None if has_waited else rules.minimum.get(client.currency)
    state = State.WRITTEN if is_there else _state((*taken, *own), price, minimum, rules)
    if state is not State.WRITTEN:
        others, later, taken = [], [], ()
    lines = taken + own
    carries = tuple(str(each.month) for each in others)
    return Entry(
        client_id=client.id,
        month=month,
        state=state,
        currency=client.currency,
        issue_date=day,
        due_date=due_date(day, rules.grace_days),
        tokens=sum(line.tokens for line in lines),
        subtotal=_sum(lines, price),
        total=_total(lines, price),
        document=Document(lines, price, carries, words.language, tuple(each.id for each in later if each.id)),
        written_at=now,
        prices=prices,
    )


def _state(lines: Sequence[Line], price: TokenPrice, minimum: Decimal | None, rules: InvoiceRules) -> State:
    """What is taken back may leave nothing or less to pay, tax counted: then no invoice is made, and all waits."""
    if not any(line.amount for line in lines):
        return State.WRITTEN if rules.zero_invoices else State.NOTHING
    subtotal = _sum(lines, price)
    if min(subtotal, _total(lines, price)) <= 0 or (minimum is not None and subtotal < minimum):
        return State.CARRIED
    return State.WRITTEN


def hold(entry: Entry, dearest: Decimal | None, approved: Decimal | None, rules: InvoiceRules) -> str | None:
    """Why a draft waits for a human, who is to see it before the client does; None if it does not.

    Args:
        entry: the draft.
        dearest: the most that the client was asked for in an earlier month, before tax; None or 0: never anything.
        approved: up to which sum a human has approved of it.
        rules: above what.
    """
    if entry.state is not State.WRITTEN or rules.hold_above is None or not dearest:
        return None
    enough = entry.subtotal <= max(
        EXACT.multiply(dearest, rules.hold_above), rules.hold_from.get(entry.currency, dearest)
    )
    if enough or (approved is not None and entry.subtotal <= approved):
        return None
    name = entry.reference
    return (
        f"it comes to {entry.subtotal:f} {entry.currency}, more than {rules.hold_above:f} times the client's dearest"
        f" month so far ({dearest:f}): look at it with `tollbridge explain {name}`, then let it go with"
        f" `tollbridge approve {name} --reason TEXT`, or not with `tollbridge write-off {name} --reason TEXT`"
    )


def _sum(lines: Iterable[Line], price: TokenPrice) -> Decimal:
    return reduce(EXACT.add, (line.amount for line in lines), price.zero)


def _total(lines: Sequence[Line], price: TokenPrice) -> Decimal:
    """The lines with tax, as an invoice of them would come to."""
    if price.prices_include_tax:
        return _sum(lines, price)
    taxed = _sum((line for line in lines if line.taxed), price)
    with_tax = EXACT.multiply(taxed, tax_factor(price.taxes, compound=price.compound))
    untaxed = _sum((line for line in lines if not line.taxed), price)
    return EXACT.add(rounded(with_tax, price.currency.decimals), untaxed)


def _line(month: Month, used: UserItem, price: TokenPrice, words: InvoiceWords, *, taxed: bool) -> Line:
    item, server = used.item, used.item.server
    line = Line(
        description=item_line(words, item.type, item.name, item.tokens),
        tokens=item.tokens,
        amount=line_amount(item.tokens, price),
        taxed=taxed,
        month=str(month),
        item_type=item.type,
        item_id=item.id,
        item_name=item.name,
        user_id=used.user_id,
    )
    if server is None:
        return line
    metered, plans, hours = server_tokens(server), server.all_plans, server.all_hours
    return attrs.evolve(
        line,
        description=server_line(
            words, item.name, plans, hours, server.tokens_per_hour, tokens=item.tokens, metered=metered
        ),
        plan=plans,
        hours=hours,
        tokens_per_hour=None if server.earlier else server.tokens_per_hour,
        tokens_per_month=None if server.earlier else server.tokens_per_month,
    )


def _carried_line(entry: Entry, line: Line, price: TokenPrice, words: InvoiceWords) -> Line:
    """A line of an earlier month; its price is what was shown then, unless the currency is another now."""
    return _priced(
        attrs.evolve(line, description=carried_line(words, entry.month, line.description)), entry.currency, price
    )


def _priced(line: Line, currency: str, price: TokenPrice) -> Line:
    return line if currency == price.currency.code else attrs.evolve(line, amount=line_amount(line.tokens, price))


def as_written(entry: Entry, rules: InvoiceRules, *, day: date) -> Entry:
    """An entry whose usage is not reported any more, as when its user was deleted: it is owed all the same."""
    return attrs.evolve(entry, issue_date=day, due_date=due_date(day, rules.grace_days), problem=None)


def late_tokens(entry: Entry, used: Sequence[UserItem]) -> int:
    """What is reported now, less what the entry was made from; 0 where nothing is reported any more."""
    if not used:
        return 0
    own = sum(line.tokens for line in entry.own_lines)
    return sum(each.item.tokens for each in used) - own


def taken_back(entry: Entry, receipt: Receipt) -> Entry:
    """An entry whose invoice turns out to be there, made by a ledger that was lost: what was billed counts, not today.

    Where the billing system tells no subtotal it is what today's taxes leave of the total.
    """
    price, currency = entry.document.price, receipt.currency or entry.currency
    if currency != price.currency.code:
        decimals = max(0, -int(receipt.total.as_tuple().exponent))
        price = attrs.evolve(price, currency=Currency(currency, suffix=f" {currency}", decimals=decimals))
    subtotal = receipt.subtotal
    if subtotal is None:
        factor = Decimal(1) if price.prices_include_tax else tax_factor(price.taxes, compound=price.compound)
        as_today = receipt.total == entry.total
        subtotal = entry.subtotal if as_today else rounded(receipt.total / factor, price.currency.decimals)
    document = attrs.evolve(entry.document, price=price)
    return attrs.evolve(
        entry, currency=currency, subtotal=subtotal, total=receipt.total, document=document, taken_back=True
    )


def billed_in(entry: Entry, month: Month) -> Entry:
    """An entry whose lines stand on the invoice of another month, which a ledger that was lost had made."""
    return attrs.evolve(entry, state=State.CARRIED, carried_into=str(month))


def doubted(entry: Entry, later: str, approved: Decimal | None) -> Entry:
    """An entry of a month that may have been billed by a ledger that was lost: a human is to say so."""
    if entry.subtotal <= 0 or (approved is not None and entry.subtotal <= approved):
        return entry
    name = entry.reference
    why = (
        f"the billing system has {later}, which this ledger did not make, and no invoice of {entry.month}: if that"
        f" month was never billed, `tollbridge approve {name} --reason TEXT` sends it; if it was, `tollbridge write-off"
        f" {name} --reason TEXT` says so"
    )
    return attrs.evolve(entry, state=State.WRITTEN, held=why)


@attrs.frozen
class Proof:
    """What a receipt says of an entry.

    Attributes:
        issued: whether the invoice is there; a draft is only an adapter's unfinished work.
        problem: what is wrong with it as it is there, a failure until it is settled.
        warning: what differs, and taxes can explain.
    """

    issued: bool
    problem: str | None = None
    warning: str | None = None

    @property
    def differs(self) -> bool:
        """Whether the customer is asked for another sum than was shown."""
        return self.problem is not None or self.warning is not None


def rounding(entry: Entry) -> tuple[Decimal, Decimal]:
    """How far the sum of the lines and the total may be off in a billing system that rounds in other places."""
    unit = Decimal(1).scaleb(-entry.document.price.currency.decimals) / 2
    of_lines = unit * len(entry.document.lines)
    return of_lines, of_lines + unit * len(entry.document.price.taxes)


def proof(entry: Entry, receipt: Receipt) -> Proof:  # noqa: PLR0911 - one page for one judgement
    """Compare what the billing system has with what was asked for."""
    if receipt.status is InvoiceStatus.DRAFT:
        return Proof(issued=False, problem="the billing system has it as a draft, which nobody is asked to pay")
    if receipt.status in {InvoiceStatus.CANCELLED, InvoiceStatus.REFUNDED}:
        return Proof(issued=True)
    number = f"invoice {receipt.id}"
    if receipt.currency is not None and receipt.currency != entry.currency:
        return _wrong(f"{number} is in {receipt.currency}, where {entry.currency} was asked for")
    of_lines, of_total = rounding(entry)
    if receipt.subtotal is not None and abs(receipt.subtotal - entry.subtotal) > of_lines:
        return _wrong(
            f"the lines of invoice {receipt.id} come to {receipt.subtotal:f} {entry.currency}, and those that were"
            f" asked for to {entry.subtotal:f}"
        )
    if abs(receipt.total - entry.total) <= of_total:
        return Proof(issued=True)
    words = (
        f"the billing system makes it {receipt.total:f} {entry.currency}, and the price that was shown makes it"
        f" {entry.total:f}"
    )
    if not tax_explains(entry.invoice(), receipt.total):
        return _wrong(f"{words}, which no tax explains ({number})")
    compare = f"compare its taxes and discounts with `tollbridge price {entry.client_id}`"
    return Proof(issued=True, warning=f"{words}: {compare}")


def _wrong(words: str) -> Proof:
    return Proof(issued=True, problem=f"{words}: correct it or cancel it in the billing system")
