"""The brand's tax rates, of which those that the customer was shown are attached to services by their numbers.

What ``uber.method_get`` says of ``uber.tax_rate_list`` and ``uber.tax_rate_add``: a rate is a fraction, 0.0525 for
5.25 %, has no place, and ``include_other`` says that it is charged on the other taxes as well.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal

import attrs

from tollbridge import Invoice, Refused, TaxRate
from tollbridge.reading import Row, decimal, flag, text, whole


@attrs.frozen
class Rate:
    """A rate in percent; ``on_others`` says that it is charged on the price with all other taxes."""

    id: int
    name: str
    percent: Decimal
    on_others: bool

    def __str__(self) -> str:
        return f"{self.name} {self.percent.normalize():f} %{' on the others' if self.on_others else ''}"


def rates(rows: Iterable[Row]) -> tuple[Rate, ...]:
    """The active ones of ``uber.tax_rate_list``."""
    return tuple(_rate(row) for row in rows if flag(row, "active", _who(row)))


def _who(row: Row) -> str:
    return f"Ubersmith's tax rate {text(row, 'name')}"


def _rate(row: Row) -> Rate:
    who = _who(row)
    number = whole(row, "tax_id" if text(row, "tax_id") else "id", who)
    return Rate(number, text(row, "name"), decimal(row, "rate", who) * 100, flag(row, "include_other", who))


def matched(invoice: Invoice, known: Sequence[Rate]) -> tuple[int, ...]:
    """The numbers of the rates that charge what the customer was shown.

    Raises:
        Refused: the brand has no such active rate, or it is charged on others where that was not shown.
    """
    if invoice.taxes and invoice.prices_include_tax:
        raise Refused(f"{invoice.reference}: Ubersmith adds tax to prices: set pricing.prices_include_tax = false")
    if len(invoice.taxes) > 2 and invoice.compound:
        raise Refused(f"{invoice.reference}: more than two taxes, one on the other, are not known to Ubersmith")
    several = len(invoice.taxes) > 1
    left = list(known)
    found = []
    for place, tax in enumerate(invoice.taxes):
        on_others = (invoice.compound and place == 1) if several else None
        rate = _matching(tax, on_others, left)
        if rate is None:
            raise Refused(_missing(invoice, tax, on_others, known))
        left.remove(rate)
        found.append(rate.id)
    return tuple(found)


def _matching(tax: TaxRate, on_others: bool | None, known: Iterable[Rate]) -> Rate | None:
    """The rate with the tax's name and height; alone it has no others to be charged on."""
    for rate in known:
        is_same = rate.name.casefold() == tax.label.strip().casefold() and rate.percent == tax.rate
        if is_same and on_others in {None, rate.on_others}:
            return rate
    return None


def _missing(invoice: Invoice, tax: TaxRate, on_others: bool | None, known: Sequence[Rate]) -> str:
    wanted = Rate(0, tax.label, tax.rate, bool(on_others))
    there = ", ".join(str(rate) for rate in known) or "none"
    return (
        f"{invoice.reference}: Ubersmith has no active tax rate {wanted} (there are: {there}): add it to the brand, by"
        " this name, or correct [[pricing.taxes]]"
    )
