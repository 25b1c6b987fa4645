"""The words of invoice lines."""

from tollbridge.rules.metering import Metered


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
