"""Hours to tokens, as step 2 of the custom billing guide has it.

A started hour is a whole hour. A server costs its hourly price until the monthly price is reached, which is
then the price: 7 tokens an hour with 5,000 a month make 4,900 for 700 hours and 5,000 for 730.
"""

from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal

import attrs

from tollbridge.model import ServerMeter, UsageItem

_HOUR = timedelta(hours=1)


@attrs.frozen
class Metered:
    """Tokens, and which price they come from: ``hourly``, ``monthly`` or ``free``."""

    tokens: int
    price: str


def billable_hours(uptime: timedelta) -> int:
    """Whole hours to pay for ``uptime``: five minutes are one hour, no time is none."""
    if uptime < timedelta(0):
        raise ValueError(f"uptime cannot be negative: {uptime}")
    return -(-uptime // _HOUR)


def meter(hours: int, tokens_per_hour: int, tokens_per_month: int) -> Metered:
    """Tokens for ``hours`` billable hours of one server in one calendar month.

    ``tokens_per_month`` 0: hourly without a cap. ``tokens_per_hour`` 0: always the monthly price, even for no hours.
    Both 0: free.
    """
    if hours < 0 or tokens_per_hour < 0 or tokens_per_month < 0:
        raise ValueError("hours and tokens cannot be negative")
    if tokens_per_hour == 0:
        return Metered(tokens_per_month, "monthly" if tokens_per_month else "free")
    hourly = hours * tokens_per_hour
    if tokens_per_month and hourly > tokens_per_month:
        return Metered(tokens_per_month, "monthly")
    return Metered(hourly, "hourly")


def server_tokens(server: ServerMeter) -> Metered:
    """What the rules make of a server's hours and its plan's prices."""
    return meter(server.hours, server.tokens_per_hour, server.tokens_per_month)


def computed_tokens(item: UsageItem) -> int | None:
    """What the rules make of an item; None where they have nothing to compute from."""
    return server_tokens(item.server).tokens if item.server else None


def backup_tokens(server_tokens: int, percent: Decimal) -> int:
    """Tokens for paid backups: ``percent`` of the server's tokens, rounded half up to a whole token.

    The guide gives 10 % of 5,000 = 500; how SolusIO rounds a fraction is not documented.
    """
    return int((server_tokens * percent / 100).to_integral_value(ROUND_HALF_UP))
