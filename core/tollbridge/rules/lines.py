"""The words of invoice lines."""

from tollbridge.rules.calendar import Month
from tollbridge.rules.metering import Metered

_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip


def server_line(name: str, plan: str, hours: int, per_hour: int, *, tokens: int, metered: Metered) -> str:
    """A server's line: name, plan, hours, tokens, and how the tokens came about.

    Plain ASCII apart from names, since not every billing system keeps more. Where SolusIO's figure is not what the
    rules make of the hours, or comes from several plans, the line claims neither price.
    """
    how = f"{hours} h, {tokens} tokens"
    if metered.tokens == tokens and metered.price != "mixed":
        how = {
            "hourly": f"{hours} h x {per_hour} tokens = {tokens} tokens (hourly price)",
            "monthly": f"{hours} h, {tokens} tokens (monthly price)",
            "free": f"{hours} h, free of charge",
        }[metered.price]
    return f"{name}, {plan}: {how}"


def item_line(kind: str, name: str, tokens: int) -> str:
    """The line of anything but a server, under its kind's own name: ``web-1, backup: 490 tokens``."""
    return f"{name}, {kind.replace('_', ' ')}: {tokens} tokens"


def correction_line(month: Month, name: str, tokens: int) -> str:
    """The line of an item that was reported otherwise after its month was billed.

    ``July 2026, web-1: 44 tokens reported later``, or ``... taken back``.
    """
    what = "reported later" if tokens > 0 else "taken back"
    return f"{_MONTHS[month.number - 1]} {month.year}, {name}: {abs(tokens)} tokens {what}"
