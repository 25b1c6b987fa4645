"""Tokens to money: the one place where the two meet.

A token's price for a client is base × every discount multiplier × tax (step 6 of the custom billing guide). The same
:class:`TokenPrice` answers SolusIO's look-up and prices the invoice, so that what is shown is what is billed.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from hashlib import sha256
from math import prod
from typing import Self

import attrs

from tollbridge.errors import Refused
from tollbridge.model import EXACT, Client, Currency, Discount, TaxRate, Terms, tax_factor
from tollbridge.rules.calendar import Month

_SHOWN_STATES = 5


@attrs.frozen
class DiscountRule:
    """A discount of bridge.toml; without ``client_group`` it is everybody's."""

    discount: Discount
    client_group: str | None = None


@attrs.frozen
class TaxRule:
    """A tax of bridge.toml; without ``country`` (or ``state``) it is due everywhere."""

    tax: TaxRate
    level: int = 1
    country: str | None = None
    state: str | None = None


@attrs.frozen
class Place:
    """Where a client lives, as far as taxes ask for it: a country, and a state by all of its names."""

    country: str
    states: tuple[str, ...]

    @classmethod
    def of(cls, client: Client) -> Self:
        """The client's."""
        return cls(client.country, tuple(filter(None, (client.state, *client.state_names))))


@attrs.frozen
class PriceList:
    """What bridge.toml says of the prices of one month: a token's base price per currency, and terms of last resort.

    Together with what the billing system says of a client it is all that a price is made of.
    """

    tokens: dict[str, Decimal]
    prices_include_tax: bool = False
    compound_tax: bool = False
    discounts: tuple[DiscountRule, ...] = ()
    taxes: tuple[TaxRule, ...] = ()

    @property
    def digest(self) -> str:
        """Sixteen characters that another list does not have: by them it is known which list a draft was made with."""
        return sha256(repr(self).encode()).hexdigest()[:16]

    def joined(self, other: "PriceList") -> "PriceList":
        """This list, with the token prices of ``other`` in those currencies that have none here."""
        missing = {code: price for code, price in other.tokens.items() if code not in self.tokens}
        return attrs.evolve(self, tokens={**self.tokens, **missing}) if missing else self

    def __str__(self) -> str:
        """All of it but descriptions, in one line."""
        words = [f"{code} {plain(price)}" for code, price in self.tokens.items()]
        if self.prices_include_tax:
            words.append("tax included")
        if self.compound_tax:
            words.append("compound tax")
        words += [f"{each.discount.name} x {plain(each.discount.multiplier)}{_for(each)}" for each in self.discounts]
        words += [f"{each.tax.label} {plain(each.tax.rate)} %{_due(each)}" for each in self.taxes]
        return ", ".join(words)


def _for(rule: DiscountRule) -> str:
    return f" for {rule.client_group}" if rule.client_group is not None else ""


def _due(rule: TaxRule) -> str:
    place = " ".join(part for part in (rule.country, rule.state) if part is not None)
    return f" in {place}" if place else ""


@attrs.frozen
class MonthPrices:
    """The price list that a month is billed with."""

    month: Month
    prices: PriceList


def differences(kept: PriceList, other: PriceList) -> list[str]:
    """What ``other`` has that ``kept`` has not, by the keys of bridge.toml: ``USD 0.002 instead of 0.001``."""
    codes = list(dict.fromkeys([*kept.tokens, *other.tokens]))
    found = [
        f"{code} {_price(other, code)} instead of {_price(kept, code)}"
        for code in codes
        if kept.tokens.get(code) != other.tokens.get(code)
    ]
    terms = ("prices_include_tax", "compound_tax", "discounts", "taxes")
    return found + [f"other {name}" for name in terms if getattr(kept, name) != getattr(other, name)]


def _price(prices: PriceList, code: str) -> str:
    price = prices.tokens.get(code)
    return "no price" if price is None else plain(price)


@attrs.frozen
class TokenPrice:
    """The price of one token for one client, and how it comes about.

    Attributes:
        base: the price before discounts and, unless ``prices_include_tax``, before tax.
        without_tax: the base that an exempt client pays; the same as ``base`` for everybody else.
        net: what invoice lines are computed with: base × discounts, holding tax only if ``prices_include_tax``.
        taxes: those the client pays; none if exempt.
    """

    base: Decimal
    without_tax: Decimal
    net: Decimal
    currency: Currency
    discounts: tuple[Discount, ...]
    taxes: tuple[TaxRate, ...]
    compound: bool
    prices_include_tax: bool

    @property
    def user(self) -> Decimal:
        """The full and final price of one token: with discounts and with tax."""
        if self.prices_include_tax:
            return self.net
        return self.net * tax_factor(self.taxes, compound=self.compound)

    @property
    def zero(self) -> Decimal:
        """Nothing, with the currency's decimals: ``0.00``."""
        return rounded(Decimal(0), self.currency.decimals)


def token_price(prices: PriceList, client: Client, terms: Terms | None, currency: Currency) -> TokenPrice:
    """One token's price for ``client``.

    ``terms`` come from the billing system; whatever it cannot say (None) comes from bridge.toml. An exempt client
    pays no tax, and where prices include tax it is taken out of the base.

    Raises:
        Refused: the client's currency has no token price.
    """
    base = prices.tokens.get(client.currency)
    if base is None:
        raise Refused(
            f"client {client.id} pays in {client.currency or 'no currency'}, for which bridge.toml has no token"
            f" price: add {client.currency or 'it'} to [pricing.tokens]"
        )
    terms = terms or Terms(None, None)
    discounts = terms.discounts if terms.discounts is not None else own_discounts(prices, client)
    taxes, compound = terms.taxes, terms.compound
    if taxes is None:
        taxes, compound = own_taxes(prices, client), prices.compound_tax
    without_tax = base
    if client.tax_exempt:
        if prices.prices_include_tax:
            without_tax = base / tax_factor(taxes, compound=compound)
        taxes = ()
    return TokenPrice(
        base=base,
        without_tax=without_tax,
        net=without_tax * prod((discount.multiplier for discount in discounts), start=Decimal(1)),
        currency=currency,
        discounts=discounts,
        taxes=taxes,
        compound=compound,
        prices_include_tax=prices.prices_include_tax,
    )


def own_discounts(prices: PriceList, client: Client) -> tuple[Discount, ...]:
    """bridge.toml's discounts for ``client``: everybody's and those of the client's group."""
    return tuple(
        rule.discount for rule in prices.discounts if rule.client_group is None or rule.client_group == client.group
    )


def own_taxes(prices: PriceList, client: Client) -> tuple[TaxRate, ...]:
    """bridge.toml's taxes for ``client``: every rule that its country and state meet, level 1 before level 2."""
    due = [rule for rule in prices.taxes if _in_country(rule, Place.of(client)) and _in_state(rule, Place.of(client))]
    return tuple(rule.tax for rule in sorted(due, key=lambda rule: rule.level))


def unmet_states(prices: PriceList, places: Iterable[Place]) -> list[str]:
    """Each tax for a state that is none of ``places``, though others of its country are, with their states.

    Perhaps nobody lives there yet; perhaps the billing system writes that state in another way.
    """
    known = [place for place in places if place.states]
    found = []
    for rule in prices.taxes:
        others = [place for place in known if _in_country(rule, place)]
        if rule.state is not None and others and not any(_in_state(rule, place) for place in others):
            states = sorted({place.states[0] for place in others})
            more = ", …" if len(states) > _SHOWN_STATES else ""
            found.append(f"{rule.tax.label}{_due(rule)}: clients live in {', '.join(states[:_SHOWN_STATES])}{more}")
    return found


def _in_country(rule: TaxRule, place: Place) -> bool:
    return _same(rule.country, place.country)


def _in_state(rule: TaxRule, place: Place) -> bool:
    """Whether the rule's state is the place's, by any of its names."""
    return rule.state is None or any(_same(rule.state, state) for state in place.states)


def _same(wanted: str | None, actual: str) -> bool:
    return wanted is None or wanted.casefold() == actual.casefold()


def line_amount(tokens: int, price: TokenPrice) -> Decimal:
    """What ``tokens`` cost on an invoice line: rounded once, half up, to the currency's decimals."""
    return rounded(EXACT.multiply(Decimal(tokens), price.net), price.currency.decimals)


def tax_amounts(price: TokenPrice, taxed: Decimal) -> list[tuple[TaxRate, Decimal]]:
    """What each of the client's taxes comes to on the sum of the taxed lines.

    They are rounded so that they add up to the invoice's total less its lines or, where prices include tax, to what
    the lines hold.
    """
    factor = tax_factor(price.taxes, compound=price.compound)
    net = EXACT.divide(taxed, factor) if price.prices_include_tax else taxed
    amounts, before = [], price.zero
    for count, tax in enumerate(price.taxes, start=1):
        so_far = tax_factor(price.taxes[:count], compound=price.compound) - 1
        until_here = rounded(EXACT.multiply(net, so_far), price.currency.decimals)
        amounts.append((tax, until_here - before))
        before = until_here
    return amounts


def rounded(amount: Decimal, decimals: int) -> Decimal:
    """``amount`` to ``decimals`` places, half up: 0.005 is 0.01 in a currency of two."""
    return amount.quantize(Decimal(1).scaleb(-decimals), context=EXACT)


def money(amount: Decimal, currency: Currency) -> str:
    """``amount`` rounded and written as the currency is: ``$5.21``, ``9,10 €``."""
    return exact_money(rounded(amount, currency.decimals), currency)


def exact_money(shown: Decimal, currency: Currency) -> str:
    """An amount with the decimals it has, written as the currency is: ``$0.00100``."""
    sign = "-" if shown < 0 else ""
    whole, _, fraction = f"{abs(shown):,f}".partition(".")
    digits = whole.replace(",", currency.thousands_separator)
    if fraction:
        digits += currency.decimal_separator + fraction
    return f"{sign}{currency.prefix}{digits}{currency.suffix}"


def plain(number: Decimal) -> str:
    """``number`` with all its digits and never an exponent: ``0.0000001``; trailing zeros are dropped."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def conversion(prices: Sequence[int], token_price: Decimal) -> Iterable[tuple[int, Decimal]]:
    """The guide's step 1 table: each number of tokens with its price."""
    return ((tokens, tokens * token_price) for tokens in prices)
