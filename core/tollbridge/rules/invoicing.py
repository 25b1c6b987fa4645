"""What becomes of a client's month, and the words of its lines."""

from decimal import Decimal
from enum import StrEnum

from tollbridge.rules.metering import Metered


class Verdict(StrEnum):
    """What becomes of a client's month."""

    INVOICE = "invoice"
    CARRY = "carry"
    NOTHING = "nothing"


def verdict(subtotal: Decimal, minimum: Decimal | None, *, zero_invoices: bool) -> Verdict:
    """Zero makes an invoice only on request; less than ``minimum`` is carried to the next month."""
    if subtotal == 0:
        return Verdict.INVOICE if zero_invoices else Verdict.NOTHING
    if minimum is not None and subtotal < minimum:
        return Verdict.CARRY
    return Verdict.INVOICE


def server_line(name: str, plan: str, hours: int, per_hour: int, *, tokens: int, metered: Metered) -> str:
    """A server's line: name, plan, hours, tokens, and how the tokens came about.

    Plain ASCII apart from names, since not every billing system keeps more. Where SolusIO's figure is not what the
    rules make of the hours, the line claims neither price.
    """
    how = f"{hours} h, {tokens} tokens"
    if metered.tokens == tokens:
        how = {
            "hourly": f"{hours} h x {per_hour} tokens = {tokens} tokens (hourly price)",
            "monthly": f"{hours} h, {tokens} tokens (monthly price)",
            "free": f"{hours} h, free of charge",
        }[metered.price]
    return f"{name}, {plan}: {how}"


def item_line(kind: str, name: str, tokens: int) -> str:
    """The line of anything but a server, under its kind's own name: ``web-1, backup: 490 tokens``."""
    return f"{name}, {kind.replace('_', ' ')}: {tokens} tokens"
