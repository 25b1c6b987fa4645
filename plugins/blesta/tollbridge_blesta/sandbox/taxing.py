"""From entered prices and tax rules to what an invoice comes to."""

from collections.abc import Iterable, Sequence
from decimal import ROUND_HALF_UP, Decimal

import attrs

LEVELS = (1, 2)
TYPES = ("exclusive", "inclusive", "inclusive_calculated")
INCLUDED = "inclusive_calculated"


@attrs.frozen
class Tax:
    """A tax rule.

    Attributes:
        amount: percent.
        level: 1 or 2.
        type: ``exclusive`` and ``inclusive`` are added to the entered price, the second one also where a price is
            shown; ``inclusive_calculated`` is part of it.
        country: None: everywhere.
        state: None: everywhere in the country.
    """

    id: int
    name: str
    amount: Decimal
    level: int = 1
    type: str = "exclusive"
    country: str | None = None
    state: str | None = None
    status: str = "active"

    def applies(self, country: str, state: str) -> bool:
        """Whether it is in force there."""
        return self.status == "active" and self.country in {None, country} and self.state in {None, state}


@attrs.frozen
class Entry:
    """A price as it was entered, and whether it is taxed."""

    amount: Decimal
    is_taxed: bool = True


@attrs.frozen
class Totals:
    """What an invoice comes to; ``subtotal`` and all ``taxes`` add up to ``total``.

    Attributes:
        taxes: each rule with its amount, rounded to the currency's decimals.
    """

    subtotal: Decimal
    taxes: tuple[tuple[Tax, Decimal], ...]
    total: Decimal


def shares(rules: Iterable[Tax], *, cascade: bool) -> list[tuple[Tax, Decimal]]:
    """Each rule with its part of the price without tax, 0.2 for 20 %, by level.

    With ``cascade`` the second level is taken of the price with the first level's taxes.
    """
    ordered = sorted(rules, key=lambda rule: (rule.level, rule.id))
    first = _sum(rule.amount / 100 for rule in ordered if rule.level == 1)
    return [(rule, rule.amount / 100 * (1 + first if cascade and rule.level == 2 else 1)) for rule in ordered]


def within(parts: Iterable[tuple[Tax, Decimal]]) -> Decimal:
    """Of shares or amounts, those that are part of an entered price."""
    return _sum(part for rule, part in parts if rule.type == INCLUDED)


def totals(entries: Sequence[Entry], rules: Iterable[Tax], *, cascade: bool, exempt: bool, precision: int) -> Totals:
    """What the entries come to. Every tax is rounded once, half up, over all lines together.

    Somebody exempt pays no tax, nor what the entered prices contain of it.
    """
    taxed = _sum(entry.amount for entry in entries if entry.is_taxed)
    parts = shares(rules, cascade=cascade)
    gross = 1 + within(parts)
    # Multiplied before it is divided: half a cent stays half a cent, and is not a hair less.
    taxes = tuple((rule, rounded(taxed * share / gross, precision)) for rule, share in parts)
    subtotal = _sum(entry.amount for entry in entries) - within(taxes)
    if exempt:
        return Totals(subtotal, (), subtotal)
    return Totals(subtotal, taxes, subtotal + _sum(amount for _, amount in taxes))


def rounded(amount: Decimal, precision: int) -> Decimal:
    """Half up, away from zero."""
    return amount.quantize(Decimal(1).scaleb(-precision), ROUND_HALF_UP)


def _sum(amounts: Iterable[Decimal]) -> Decimal:
    return sum(amounts, Decimal(0))
