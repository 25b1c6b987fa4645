"""The life of one client's month, on one page: when it is drafted, from what, and what a receipt makes of it.

                    draft              claim              receipt
    usage, carried ───────▶ written ───────────▶ sending ─────────▶ issued
                     │         ▲                    │
                     │         └──── refused, or ───┘
                     │            given back unsent
                     ├─────▶ carried    less than the minimum: a later month's draft takes it in
                     └─────▶ nothing    nothing to pay

Nothing else changes an entry's state. From *sending* there is no way back before it is known that nothing is there,
and none at all from *issued*.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import reduce

import attrs

from tollbridge.model import EXACT, Client, InvoiceStatus, Receipt, UsageItem, tax_explains
from tollbridge.rules.calendar import Month, due_date
from tollbridge.rules.entry import Document, Entry, Line, State
from tollbridge.rules.lines import carried_line, item_line, server_line
from tollbridge.rules.metering import server_tokens
from tollbridge.rules.pricing import TokenPrice, line_amount
from tollbridge.texts.invoice_words import InvoiceWords, invoice_words
from tollbridge.texts.languages import Language, language_called


@attrs.frozen
class InvoiceRules:
    """What bridge.toml says of invoices.

    Attributes:
        minimum: by currency; less is carried.
        zero_invoices: whether a month that costs nothing makes one.
        language: of clients whose own is not known, or is none of ours.
    """

    minimum: Mapping[str, Decimal]
    grace_days: int
    zero_invoices: bool
    language: Language = "en"


@attrs.frozen
class UserItem:
    """One thing that a user of the client used."""

    user_id: int
    item: UsageItem


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
    price: TokenPrice,
    *,
    rules: InvoiceRules,
    prices: str,
    day: date,
    now: datetime,
) -> Entry:
    """A client's month as it is to be invoiced, carried, or left as nothing to pay.

    Earlier months that were carried come first, line by line, as they were priced then; only where the client's
    currency has changed since are their tokens priced anew. They keep the words they were written with, too.
    """
    words = invoice_words(language_called(client.language) or rules.language)
    earlier = list(carried)
    own = tuple(_line(month, each, price, words, taxed=not client.tax_exempt) for each in used)
    taken = tuple(_carried_line(entry, line, price, words) for entry in earlier for line in entry.document.lines)
    state = _state(_sum((*taken, *own), price), rules.minimum.get(client.currency), rules)
    if state is not State.WRITTEN:
        earlier, taken = [], ()
    lines = taken + own
    entry = Entry(
        client_id=client.id,
        month=month,
        state=state,
        currency=client.currency,
        issue_date=day,
        due_date=due_date(day, rules.grace_days),
        tokens=sum(line.tokens for line in lines),
        subtotal=_sum(lines, price),
        total=price.zero,
        document=Document(lines, price, tuple(str(each.month) for each in earlier), words.language),
        written_at=now,
        prices=prices,
    )
    return attrs.evolve(entry, total=entry.invoice().total)


def _state(subtotal: Decimal, minimum: Decimal | None, rules: InvoiceRules) -> State:
    if subtotal == 0:
        return State.WRITTEN if rules.zero_invoices else State.NOTHING
    return State.CARRIED if minimum is not None and subtotal < minimum else State.WRITTEN


def _sum(lines: Iterable[Line], price: TokenPrice) -> Decimal:
    return reduce(EXACT.add, (line.amount for line in lines), price.zero)


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
    metered = server_tokens(server)
    return attrs.evolve(
        line,
        description=server_line(
            words, item.name, server.plan, server.hours, server.tokens_per_hour, tokens=item.tokens, metered=metered
        ),
        plan=server.plan,
        hours=server.hours,
        tokens_per_hour=server.tokens_per_hour,
        tokens_per_month=server.tokens_per_month,
    )


def _carried_line(entry: Entry, line: Line, price: TokenPrice, words: InvoiceWords) -> Line:
    """A line of an earlier month; its price is what was shown then, unless the currency is another now."""
    kept = attrs.evolve(line, description=carried_line(words, entry.month, line.description))
    return kept if entry.currency == price.currency.code else attrs.evolve(kept, amount=line_amount(line.tokens, price))


def as_written(entry: Entry, rules: InvoiceRules, *, day: date) -> Entry:
    """An entry whose usage is not reported any more, as when its user was deleted: it is owed all the same."""
    return attrs.evolve(entry, issue_date=day, due_date=due_date(day, rules.grace_days), problem=None)


def late_tokens(entry: Entry, used: Sequence[UserItem]) -> int:
    """What is reported now, less what the entry was made from; 0 where nothing is reported any more."""
    if not used:
        return 0
    own = sum(line.tokens for line in entry.document.lines if line.month == str(entry.month))
    return sum(each.item.tokens for each in used) - own


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


def proof(entry: Entry, receipt: Receipt) -> Proof:  # noqa: PLR0911 - one page for one judgement
    """Compare what the billing system has with what was asked for."""
    if receipt.status is InvoiceStatus.DRAFT:
        return Proof(issued=False, problem="the billing system has it as a draft, which nobody is asked to pay")
    if receipt.status in {InvoiceStatus.CANCELLED, InvoiceStatus.REFUNDED}:
        return Proof(issued=True)
    number = f"invoice {receipt.id}"
    if receipt.currency is not None and receipt.currency != entry.currency:
        return _wrong(f"{number} is in {receipt.currency}, where {entry.currency} was asked for")
    unit = Decimal(1).scaleb(-entry.document.price.currency.decimals) / 2
    rounding = unit * len(entry.document.lines)
    if receipt.subtotal is not None and abs(receipt.subtotal - entry.subtotal) > rounding:
        return _wrong(
            f"the lines of invoice {receipt.id} come to {receipt.subtotal:f} {entry.currency}, and those that were"
            f" asked for to {entry.subtotal:f}"
        )
    if abs(receipt.total - entry.total) <= rounding + unit * len(entry.document.price.taxes):
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
