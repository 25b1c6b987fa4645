"""Blesta's tax rules as the bridge's taxes, and the line amounts with which Blesta comes to what was shown.

Blesta's source documentation, class Taxes: a rule is ``exclusive`` (added), ``inclusive`` (added, too, and shown within
the price: "Inclusive (Additive)") or ``inclusive_calculated`` (a part of the amount as entered: "Inclusive").
"""

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import attrs

from tollbridge import Invoice, Refused, TaxRate, tax_factor
from tollbridge.reading import decimal, made, records, text, whole

_KINDS = ("exclusive", "inclusive", "inclusive_calculated")
_AMOUNT_DECIMALS = 4


@attrs.frozen
class Rule:
    """A tax rule in force; ``included`` says that amounts as entered hold it already."""

    rate: TaxRate
    level: int
    included: bool


def rules(answer: Any) -> tuple[Rule, ...]:
    """``invoices/getTaxRules`` and ``getTaxRulesByLocation``: the active ones, level 1 before level 2."""
    found = [_rule(row) for row in records(answer) if text(row, "status").lower() in {"", "active"}]
    return tuple(sorted(found, key=lambda rule: rule.level))


def _rule(row: dict[str, Any]) -> Rule:
    who = f"Blesta's tax rule {text(row, 'name')}"
    kind = text(row, "type").lower()
    if kind not in _KINDS:
        raise Refused(f"{who} is of type {kind!r}, where one of {', '.join(_KINDS)} is needed")
    rate = made(who, TaxRate, label=text(row, "name"), rate=decimal(row, "amount", who))
    return Rule(rate, whole(row, "level", who), included=kind == "inclusive_calculated")


def are_shown(found: tuple[Rule, ...], invoice: Invoice, *, cascade: bool) -> bool:
    """Whether these rules charge what the customer was shown."""
    same = sorted(rule.rate.rate for rule in found) == sorted(tax.rate for tax in invoice.taxes)
    return same and (cascade == invoice.compound or len(found) < 2)


def entered_amounts(invoice: Invoice, found: tuple[Rule, ...], *, cascade: bool) -> list[Decimal]:
    """The line amounts to enter, so that Blesta's total is the invoice's.

    They are the invoice's own, unless Blesta takes amounts to hold tax that the bridge's prices do not: then taxed
    lines are entered with their tax.

    Raises:
        Refused: Blesta would charge another tax than was shown, or amounts have more than its four decimals.
    """
    if any(round(line.amount, _AMOUNT_DECIMALS) != line.amount for line in invoice.lines):
        raise Refused(f"{invoice.reference}: Blesta keeps four decimals of an amount")
    amounts = [line.amount for line in invoice.lines]
    if not invoice.taxes:
        return amounts
    if not are_shown(found, invoice, cascade=cascade):
        charged = ", ".join(f"{rule.rate.label} {rule.rate.rate.normalize():f} %" for rule in found) or "no tax"
        raise Refused(f"{invoice.reference}: Blesta now charges {charged}, which is not what was shown")
    included = {rule.included for rule in found}
    if included == {invoice.prices_include_tax}:
        return amounts
    if included == {True}:
        return _with_tax(invoice)
    added = ", ".join(rule.rate.label for rule in found if not rule.included)
    raise Refused(
        f"{invoice.reference}: Blesta adds {added} to amounts that hold tax already: make its type Inclusive for all"
        f" rules there, or set pricing.prices_include_tax = false and make it Exclusive for all"
    )


def _with_tax(invoice: Invoice) -> list[Decimal]:
    """Taxed lines with their tax, rounded; what rounding leaves over goes to the largest of them."""
    factor = tax_factor(invoice.taxes, compound=invoice.compound)
    step = Decimal(1).scaleb(-invoice.decimals)
    amounts = [
        (line.amount * factor).quantize(step, ROUND_HALF_UP) if line.taxed else line.amount for line in invoice.lines
    ]
    taxed = [place for place, line in enumerate(invoice.lines) if line.taxed]
    if taxed:
        largest = max(taxed, key=lambda place: amounts[place])
        amounts[largest] += invoice.total - sum(amounts, Decimal(0))
    return amounts
