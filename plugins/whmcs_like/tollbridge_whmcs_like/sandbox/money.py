"""Amounts and rates as the database's columns keep them, and taxes as WHMCS's documentation computes them."""

import re
from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal

import attrs

from tollbridge_whmcs_like.sandbox.problems import InstallError

_NUMBER = re.compile(r"-?[0-9]{1,14}(\.[0-9]+)?")
_CENT = Decimal("0.01")
_THOUSANDTH = Decimal("0.001")
_ZERO = Decimal("0.00")


def cents(value: Decimal | int | str) -> Decimal:
    """An amount with the two decimals of its column, rounded half up, whatever the currency."""
    return _number(value).quantize(_CENT, ROUND_HALF_UP)


def percent(value: Decimal | int | str) -> Decimal:
    """A tax rate with the three decimals of its column."""
    rate = _number(value).quantize(_THOUSANDTH, ROUND_HALF_UP)
    if not 0 <= rate <= 100:
        raise InstallError(f"{value} is not a percentage")
    return rate


def _number(value: Decimal | int | str) -> Decimal:
    """PHP makes some number of any text; here grouped, padded or empty text is refused, so that it is found."""
    if isinstance(value, str) and not _NUMBER.fullmatch(value):
        raise InstallError(f"{value!r} is not a number")
    if isinstance(value, bool | float):
        raise TypeError(f"{value!r} is a {type(value).__name__}, and money is a Decimal")
    return Decimal(value)


@attrs.frozen
class TaxMode:
    """How an invoice is taxed.

    Attributes:
        inclusive: the lines' amounts hold the tax already.
        compound: the second rate is charged on top of the first.
        by_line: tax is rounded for every line instead of once for the invoice, as it is an option since 7.5.
    """

    inclusive: bool = False
    compound: bool = False
    by_line: bool = False

    def taxes(self, taxed: Iterable[Decimal], rate: Decimal, rate2: Decimal) -> tuple[Decimal, Decimal]:
        """The first and the second tax on these amounts, each rounded to cents."""
        amounts = [*taxed]
        shares = [
            self._taxes(amount, rate / 100, rate2 / 100) for amount in (amounts if self.by_line else [sum(amounts)])
        ]
        return sum((first for first, _ in shares), _ZERO), sum((second for _, second in shares), _ZERO)

    def _taxes(self, amount: Decimal | int, rate: Decimal, rate2: Decimal) -> tuple[Decimal, Decimal]:
        """With one rate this is amount × rate, or amount ÷ (1 + rate) × rate out of it."""
        second = rate2 * (1 + rate) if self.compound else rate2
        net = amount / (1 + rate + second) if self.inclusive else amount
        return cents(net * rate), cents(net * second)
