"""Hours to tokens, as step 2 of the custom billing guide has it.

A started hour is a whole hour. A server costs its hourly price until the monthly price is reached, which is
then the price: 7 tokens an hour with 5,000 a month make 4,900 for 700 hours and 5,000 for 730. Of a server that was on
several plans within a month each is paid by its own hours, and all together are at most the dearest monthly price.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from itertools import groupby
from operator import attrgetter

import attrs

from tollbridge.model import PlanHours, ServerMeter, UsageItem

_HOUR = timedelta(hours=1)


@attrs.frozen
class Metered:
    """Tokens, and which price they come from: ``hourly``, ``monthly``, ``free``, or ``mixed`` for several plans."""

    tokens: int
    price: str


@attrs.frozen
class PlanPrices:
    """A plan as servers on it are metered, in whole tokens; backups cost so many percent of the server's tokens.

    Two are equal if they cost the same, whatever they are called.
    """

    id: int
    name: str = attrs.field(eq=False)
    tokens_per_hour: int
    tokens_per_month: int
    backup_percent: Decimal = Decimal(0)
    ip_tokens_per_hour: int = 0
    ip_tokens_per_month: int = 0


@attrs.frozen
class Stay:
    """A time in which a server was one user's, on one plan, and nothing about it changed: ``[start, end)``.

    Attributes:
        runs: whether the time counts as uptime.
        addresses: the ids of its additional addresses.
    """

    start: datetime
    end: datetime
    plan: PlanPrices
    runs: bool = True
    backups: bool = False
    addresses: frozenset[int] = frozenset()

    def within(self, start: datetime, end: datetime) -> "Stay | None":
        """The part of it in ``[start, end)``; None if there is none."""
        first, last = max(self.start, start), min(self.end, end)
        return attrs.evolve(self, start=first, end=last) if first < last else None


@attrs.frozen
class ServerTokens:
    """What one server comes to, with its paid backups and its additional addresses.

    ``hours`` are those on each plan, the present one last; without any nothing is paid, for addresses neither.
    """

    hours: tuple[PlanHours, ...] = ()
    server: int = 0
    backups: int = 0
    addresses: int = 0


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


def meter_plans(plans: Sequence[PlanHours]) -> Metered:
    """Tokens for a server's hours on several plans in one calendar month, or on one.

    They are at most the dearest monthly price, unless one of the plans with an hourly price has no monthly one.
    """
    if len(plans) == 1:
        return meter(plans[0].hours, plans[0].tokens_per_hour, plans[0].tokens_per_month)
    tokens = sum(each.hours * each.tokens_per_hour if each.tokens_per_hour else each.tokens_per_month for each in plans)
    if any(each.tokens_per_hour and not each.tokens_per_month for each in plans):
        return Metered(tokens, "mixed")
    return Metered(min(tokens, max((each.tokens_per_month for each in plans), default=0)), "mixed")


def server_tokens(server: ServerMeter) -> Metered:
    """What the rules make of a server's hours and its plans' prices."""
    return meter_plans([*server.earlier, server])


def computed_tokens(item: UsageItem) -> int | None:
    """What the rules make of an item; None where they have nothing to compute from."""
    return server_tokens(item.server).tokens if item.server else None


def backup_tokens(server_tokens: int, percent: Decimal) -> int:
    """Tokens for paid backups: ``percent`` of the server's tokens, rounded half up to a whole token.

    The guide gives 10 % of 5,000 = 500; how SolusIO rounds a fraction is not documented.
    """
    return int((server_tokens * percent / 100).to_integral_value(ROUND_HALF_UP))


def meter_stays(stays: Iterable[Stay]) -> ServerTokens:
    """What the stays of one user's server in one calendar month come to.

    Uptime is added up per plan, and then rounded up once. Backups are their percentage of what the server comes to in
    the time with backups. Each additional address is metered like a server, by the prices that its plan has for it.
    Never less for a longer stay or for one more, so that bounds of the stays are bounds of the tokens.
    """
    there = sorted(stays, key=attrgetter("start", "end"))
    hours = tuple(_hours(there, _server_price))
    if not hours:
        return ServerTokens()
    return ServerTokens(hours, meter_plans(hours).tokens, _backups(there), _addresses(there))


def _backups(stays: Sequence[Stay]) -> int:
    paid = sorted((stay for stay in stays if stay.backups), key=lambda stay: stay.plan.backup_percent)
    return sum(
        backup_tokens(meter_plans(list(_hours(list(each), _server_price))).tokens, percent)
        for percent, each in groupby(paid, key=lambda stay: stay.plan.backup_percent)
    )


def _addresses(stays: Sequence[Stay]) -> int:
    everyone = sorted({address for stay in stays for address in stay.addresses})
    return sum(
        meter_plans(list(_hours([stay for stay in stays if address in stay.addresses], _address_price))).tokens
        for address in everyone
    )


def _server_price(plan: PlanPrices) -> tuple[int, int]:
    return plan.tokens_per_hour, plan.tokens_per_month


def _address_price(plan: PlanPrices) -> tuple[int, int]:
    return plan.ip_tokens_per_hour, plan.ip_tokens_per_month


def _hours(stays: Sequence[Stay], price: Callable[[PlanPrices], tuple[int, int]]) -> Iterable[PlanHours]:
    """The hours on each plan at each price, that of the last stay last.

    A plan without an hourly price counts for whoever was on it, running or not.
    """
    uptimes: dict[tuple[int, int, int], tuple[str, timedelta]] = {}
    for stay in stays:
        key = (stay.plan.id, *price(stay.plan))
        _, before = uptimes.pop(key, ("", timedelta(0)))
        uptimes[key] = stay.plan.name, before + (stay.end - stay.start if stay.runs else timedelta(0))
    for (_, per_hour, per_month), (name, uptime) in uptimes.items():
        if uptime or (per_month and not per_hour):
            yield PlanHours(name, per_hour, per_month, billable_hours(uptime))
