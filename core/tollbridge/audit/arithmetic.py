"""An entry's lines, added up again, at the net price that was shown in each line's month."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from functools import reduce
from math import prod

from tollbridge.ledger import Ledger
from tollbridge.model import EXACT
from tollbridge.rules.calendar import Month
from tollbridge.rules.entry import Entry, Line
from tollbridge.rules.pricing import PriceList, TokenPrice, line_amount, plain

Prices = Mapping[tuple[str, int], TokenPrice]
Fault = tuple[str, str, str]
"""The entry's reference, what is expected, and what is there instead."""


def faults(ledger: Ledger, page: Sequence[Entry], kept: PriceList | None) -> Iterator[Fault]:
    """What does not add up in some entries of a month, whose price list is ``kept``, if one was."""
    prices = _prices(ledger, page)
    for entry in page:
        for expected, found in _faults(entry, prices, kept):
            yield entry.reference, expected, found


def _prices(ledger: Ledger, page: Sequence[Entry]) -> Prices:
    """What was shown to these clients in the other months that their entries have lines of."""
    wanted: dict[str, list[int]] = {}
    for entry in page:
        for month in {line.month for line in entry.document.lines} - {str(entry.month)}:
            wanted.setdefault(month, []).append(entry.client_id)
    return {
        (month, client_id): entry.document.price
        for month, client_ids in wanted.items()
        for client_id, entry in ledger.invoices.of_month(Month.parse(month), client_ids).items()
    }


def _faults(entry: Entry, prices: Prices, kept: PriceList | None) -> list[tuple[str, str]]:
    """What is expected and what is there instead, of one entry."""
    document, price = entry.document, entry.document.price
    found = []
    tokens = sum(line.tokens for line in document.lines)
    if tokens != entry.tokens:
        found.append((f"{tokens:,} tokens, the sum of its lines", f"{entry.tokens:,} tokens"))
    if entry.taken_back:
        return found  # a lost ledger made it: its sums are the billing system's, and its lines are what is reported now
    subtotal = reduce(EXACT.add, (line.amount for line in document.lines), Decimal(0))
    if subtotal != entry.subtotal:
        expected = f"{_money(subtotal, entry)} before tax, the sum of its lines"
        found.append((expected, _money(entry.subtotal, entry)))
    found += _price_faults(entry, price, kept)
    for line in document.lines:
        shown = price if line.month == str(entry.month) else prices.get((line.month, entry.client_id))
        if shown is not None and (fault := _line_fault(line, shown, entry)):
            found.append(fault)
    try:
        total = entry.invoice().total
    except ValueError as error:
        found.append(("a sum that can be asked for", str(error)))
    else:
        if total != entry.total:
            found.append((f"{_money(total, entry)}, its lines with tax", f"{_money(entry.total, entry)} in all"))
    return found


def _price_faults(entry: Entry, price: TokenPrice, kept: PriceList | None) -> list[tuple[str, str]]:
    """The price is the month's list's, less the client's discounts."""
    found = []
    base = kept.tokens.get(entry.currency) if kept else None
    if base is not None and base != price.base:
        found.append(
            (f"{plain(base)} {entry.currency} a token, as {entry.month}'s price list has it", f"{plain(price.base)}")
        )
    net = price.without_tax * prod((each.multiplier for each in price.discounts), start=Decimal(1))
    if net != price.net:
        found.append((f"{plain(net)} {entry.currency} a token, with its discounts", f"{plain(price.net)}"))
    return found


def _line_fault(line: Line, shown: TokenPrice, entry: Entry) -> tuple[str, str] | None:
    """A line is its tokens at the price of its month, or, if the currency is another since, at the entry's own."""
    if shown.currency.code != entry.currency:
        shown = entry.document.price
    amount = line_amount(line.tokens, shown)
    if amount == line.amount:
        return None
    what = f"{line.item_name} ({line.month})"
    return (
        f"{_money(amount, entry)} for {what}: {line.tokens:,} tokens at {plain(shown.net)}",
        f"{_money(line.amount, entry)}",
    )


def _money(amount: Decimal, entry: Entry) -> str:
    return f"{amount:f} {entry.currency}"
