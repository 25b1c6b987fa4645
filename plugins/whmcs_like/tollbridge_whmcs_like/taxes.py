"""Tax in WHMCS: its rules cannot be read, so each invoice says its own rates, and the mode must be the bridge's."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Self

import attrs

from tollbridge import Invoice, NotFound, Refused, TaxRate
from tollbridge.reading import text
from tollbridge_whmcs_like.api import Api

_RATE_DECIMALS = 3
_ON = {"on", "1", "true", "yes"}


@attrs.frozen
class TaxSettings:
    """What WHMCS's tax configuration says; None where it cannot be read.

    Attributes:
        enabled: whether tax is charged at all.
        included: whether amounts hold their tax (TaxType "Inclusive").
        cascades: whether the second tax is charged on top of the first.
    """

    enabled: bool | None = None
    included: bool | None = None
    cascades: bool | None = None

    @classmethod
    def read(cls, api: Api) -> Self:
        """Ask for them. The names of WHMCS's settings are known from its database, not from its API reference."""
        enabled, kind, cascades = (_value(api, name) for name in ("TaxEnabled", "TaxType", "TaxL2Compound"))
        return cls(
            enabled=None if enabled is None else enabled in _ON,
            included={"inclusive": True, "exclusive": False}.get(kind or ""),
            cascades=None if cascades is None else cascades in _ON,
        )

    def refuse_other_mode(self, invoice: Invoice) -> None:
        """Raise Refused if WHMCS would charge another tax than the customer was shown."""
        if not invoice.taxes:
            return
        if self.enabled is False and not invoice.prices_include_tax:
            raise Refused(f"{invoice.reference} is taxed, and tax is switched off in WHMCS: switch it on there")
        if self.included not in {None, invoice.prices_include_tax}:
            mode = "includes tax in prices" if self.included else "adds tax to prices"
            wanted = "true" if self.included else "false"
            raise Refused(f"{invoice.reference}: WHMCS {mode}: set pricing.prices_include_tax = {wanted}")

    def described(self) -> str:
        """The settings in words, for ``tollbridge check``."""
        if self.included is None:
            return "cannot be read (GetConfigurationValue): compare the first invoice's tax with `tollbridge price`"
        mode = "holds" if self.included else "is added to"
        value = "true" if self.included else "false"
        off = ", but switched off" if self.enabled is False else ""
        return f"tax {mode} amounts{off}: pricing.prices_include_tax must be {value}"


def _value(api: Api, setting: str) -> str | None:
    try:
        answer = api.read("GetConfigurationValue", setting=setting)
    except (Refused, NotFound):
        return None
    return text(answer, "value").lower() if "value" in answer else None


def tax_rates(invoice: Invoice, *, cascades: bool | None) -> tuple[Decimal, Decimal]:
    """``taxrate`` and ``taxrate2``, with which WHMCS charges the tax that the customer was shown.

    Two taxes stay two where WHMCS combines them as the bridge does; else they are folded into one.

    Args:
        invoice: what is to be created.
        cascades: whether WHMCS charges the second tax on top of the first; None: it does not say.

    Raises:
        Refused: these taxes cannot be said with WHMCS's two rates of three decimals.
    """
    first, rest = _first_and_rest(invoice.taxes, compound=invoice.compound)
    agree = cascades == invoice.compound if cascades is not None else not invoice.compound
    if rest and not agree:
        first, rest = first + rest + (first * rest / 100 if invoice.compound else 0), Decimal(0)
    if max(_decimals(first), _decimals(rest)) > _RATE_DECIMALS:
        hint = "" if agree else f": switch its compound tax {'on' if invoice.compound else 'off'}"
        raise Refused(
            f"{invoice.reference}: WHMCS keeps three decimals of a tax rate, and these taxes make"
            f" {first.normalize():f} and {rest.normalize():f} per cent{hint}"
        )
    return first, rest


def _first_and_rest(taxes: Iterable[TaxRate], *, compound: bool) -> tuple[Decimal, Decimal]:
    """The first tax, and all others as one."""
    first, *others = [tax.rate for tax in taxes] or [Decimal(0)]
    rest = Decimal(0)
    for rate in others:
        rest += rate + (rest * rate / 100 if compound else 0)
    return first, rest


def _decimals(number: Decimal) -> int:
    exponent = number.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0
