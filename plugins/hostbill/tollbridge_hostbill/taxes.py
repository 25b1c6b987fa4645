"""The taxes of a client as HostBill tells them, and whether an invoice can be made with what was shown.

HostBill keeps two rates on each invoice. They are set there in any case, 0 included, so that its own rules decide
nothing; its tax settings decide what it makes of them, and that is compared before an invoice counts.
"""

import re
from typing import Any

from tollbridge import Invoice, Refused, TaxRate
from tollbridge.reading import Row, decimal, made, records
from tollbridge_hostbill.clients import words

_LEVEL = re.compile(r"L[0-9]+", re.IGNORECASE)
MOST_RATES = 2


def rates(answer: Row, who: str) -> tuple[TaxRate, ...]:
    """``getClientTaxDetails``: at most one rate of each of two levels.

    Raises:
        Refused: it tells no taxes, not even none, or more than an invoice can have.
    """
    if "taxes" not in answer:
        raise Refused(f"HostBill's getClientTaxDetails tells nothing of the taxes of {who}")
    levels = answer["taxes"] or {}
    if not isinstance(levels, dict) or not all(_LEVEL.fullmatch(name) for name in levels):
        raise Refused(f"HostBill tells the taxes of {who} as {str(levels)[:60]!r}, where L1 and L2 are needed")
    found = [_rate(level, row, who) for level in sorted(levels) for row in _of_level(levels[level])]
    if len(found) > MOST_RATES:
        raise Refused(f"HostBill tells {len(found)} taxes of {who}, and an invoice there has two")
    return tuple(found)


def _of_level(value: Any) -> list[dict[str, Any]]:
    return [value] if isinstance(value, dict) and "rate" in value else records(value)


def _rate(level: str, row: Row, who: str) -> TaxRate:
    return made(who, TaxRate, label=words(row, "name") or f"Tax {level}", rate=decimal(row, "rate", f"a tax of {who}"))


def refuse_what_cannot_be_kept(invoice: Invoice, decimals: int) -> None:
    """Say no to what HostBill would keep otherwise than it was shown, before anything is written.

    Raises:
        Refused: amounts finer than the currency, more than two taxes, or prices that hold their tax.
    """
    if not invoice.lines:
        raise Refused(f"{invoice.reference} has no lines")
    for line in invoice.lines:
        if line.amount != round(line.amount, decimals):
            raise Refused(
                f"{invoice.reference}: HostBill keeps {decimals} decimals of {invoice.currency}, and a line comes to"
                f" {line.amount:f}"
            )
    if len(invoice.taxes) > MOST_RATES:
        raise Refused(f"{invoice.reference} has {len(invoice.taxes)} taxes, and an invoice in HostBill has two")
    if invoice.taxes and invoice.prices_include_tax:
        raise Refused(
            f"{invoice.reference}: HostBill adds tax to prices, and these hold it already: set"
            f" pricing.prices_include_tax = false, and net prices"
        )


def fields(invoice: Invoice) -> dict[str, str]:
    """The two rates of ``editInvoiceDetails``."""
    shown = [f"{tax.rate:f}" for tax in invoice.taxes]
    return dict(zip(("taxrate", "taxrate2"), [*shown, "0", "0"], strict=False))
