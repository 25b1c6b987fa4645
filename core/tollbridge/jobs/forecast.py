"""What the running month will come to: everybody's usage so far, at what each client's tokens cost last month.

An estimate for the operator alone: nobody is billed by it, and the billing system is not asked.
"""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

import attrs

from tollbridge.jobs.parts import Parts
from tollbridge.jobs.price_lists import Clock, running_month, shown_prices
from tollbridge.jobs.statement import RunningMonth, UsageMemory
from tollbridge.kept import Freshness, Kept, aside
from tollbridge.ledger.finder import LastMonth
from tollbridge.rules.calendar import Month
from tollbridge.rules.pricing import PriceList

_FRESHNESS = Freshness(900, stale_seconds=86400, most_seconds=0.5)


@attrs.frozen
class Estimate:
    """Net amounts, not rounded: used so far, and by the month's end if all goes on so."""

    so_far: Decimal
    in_the_end: Decimal


@attrs.frozen
class Forecast:
    """The running month as of a moment.

    Attributes:
        estimates: by currency.
        new_tokens: the projected tokens of clients who had no entry last month: in which currency they pay is the
            billing system's to know.
    """

    month: Month
    as_of: datetime
    estimates: Mapping[str, Estimate]
    tokens: int
    projected_tokens: int
    new_tokens: int


class Forecasts:
    """The forecast, made aside and kept for a quarter of an hour."""

    def __init__(self, parts: Parts, clock: Clock) -> None:
        self._parts = parts
        self._clock = clock
        self._usage = UsageMemory(parts)
        self._kept = Kept(self._make, _FRESHNESS, aside)

    def get(self) -> Forecast:
        """The forecast; Unavailable if there is none yet, or the usage source does not answer."""
        return self._kept.get()

    def _make(self) -> Forecast:
        now = self._clock()
        month = running_month(self._parts, now)
        usage = self._usage.of_everybody(month)
        lists = shown_prices(self._parts, month).prices, shown_prices(self._parts, month.previous).prices
        return forecast(month, now, usage, self._parts.ledger.finder.last_month(month.previous), lists)


def forecast(
    month: Month,
    as_of: datetime,
    usage: Mapping[int, RunningMonth],
    before: Mapping[int, LastMonth],
    lists: tuple[PriceList, PriceList],
) -> Forecast:
    """What usage comes to at last month's prices per token; ``lists``: this month's and last month's."""
    estimates: dict[str, Estimate] = {}
    new_tokens = 0
    usual = _usual_prices(before)
    for client_id, running in usage.items():
        last = before.get(client_id)
        if last is None:
            new_tokens += running.projected
            continue
        code = last.currency
        price = last.net / last.tokens if last.tokens > 0 and last.net > 0 else usual.get(code, Decimal(0))
        price *= _changed(code, *lists)
        so_far = estimates.get(code, Estimate(Decimal(0), Decimal(0)))
        estimates[code] = Estimate(
            so_far.so_far + running.tokens * price, so_far.in_the_end + running.projected * price
        )
    tokens = sum(running.tokens for running in usage.values())
    projected = sum(running.projected for running in usage.values())
    return Forecast(month, as_of, estimates, tokens, projected, new_tokens)


def _usual_prices(before: Mapping[int, LastMonth]) -> dict[str, Decimal]:
    """What a token cost on the whole, by currency."""
    sums: dict[str, tuple[int, Decimal]] = {}
    for each in before.values():
        tokens, net = sums.get(each.currency, (0, Decimal(0)))
        sums[each.currency] = tokens + each.tokens, net + each.net
    return {code: net / tokens for code, (tokens, net) in sums.items() if tokens > 0}


def _changed(code: str, now: PriceList, then: PriceList) -> Decimal:
    """By what factor a token's base price has changed since."""
    before, today = then.tokens.get(code), now.tokens.get(code)
    return today / before if before and today else Decimal(1)
