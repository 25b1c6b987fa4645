"""The running month as the account shows it: each thing with its hours, tokens and amount, and the chart of it."""

from collections.abc import Sequence

from babel.dates import format_skeleton
from babel.numbers import format_decimal

from tollbridge.jobs.month_days import DayTokens
from tollbridge.model import UsageItem
from tollbridge.rules.calendar import Month
from tollbridge.rules.pricing import TokenPrice, money
from tollbridge.server.pages.amounts import exact_price
from tollbridge.server.pages.views import BarView, ChartView, UsageView

_KINDS = {"backup", "additional_ip"}
_MOST_BARS = 8
_LONGEST_LABEL = 24


def usage_views(items: Sequence[UsageItem], price: TokenPrice | None, language: str) -> tuple[UsageView, ...]:
    """Each thing that was used."""
    return tuple(_usage_view(item, price, language) for item in items)


def _usage_view(item: UsageItem, price: TokenPrice | None, language: str) -> UsageView:
    tokens, amount = format_decimal(item.tokens, locale=language), _amount(item.tokens, price) if price else ""
    server = item.server
    if server is None:
        return UsageView(
            item.name or item.type, f"item.{item.type}" if item.type in _KINDS else "", item.type, tokens, amount
        )
    hour, most = server.tokens_per_hour, server.tokens_per_month
    return UsageView(
        item.name or item.type,
        "",
        server.plan,
        tokens,
        amount,
        hours=format_decimal(server.all_hours, locale=language),
        hourly=exact_price(hour * price.user, price.currency) if price and hour else "",
        monthly=_amount(most, price) if price and most else "",
        is_at_most=bool(most) and item.tokens >= most,
        is_gone=server.is_deleted,
    )


def chart_of_days(days: Sequence[DayTokens], month: Month, price: TokenPrice, language: str) -> ChartView | None:
    """A bar for each day so far, on a ground as wide as the month; None if nothing was used."""
    most = max((each.tokens for each in days), default=0)
    bars = [
        BarView(
            str(each.day.day),
            format_skeleton("MMMMd", each.day, locale=language),
            _amount(each.tokens, price),
            _length(each.tokens, most),
        )
        for each in days
    ]
    return _chart("days", bars, month.last_day.day) if most else None


def chart_of_servers(items: Sequence[UsageItem], price: TokenPrice, others: str) -> ChartView | None:
    """A bar for each name, with all that is billed under it, the dearest first; None if there are not several.

    Those that there is no room for share the last bar, which is called ``others``.
    """
    tokens: dict[str, int] = {}
    for item in items:
        name = item.name or item.type
        tokens[name] = tokens.get(name, 0) + item.tokens
    dearest = sorted(((name, each) for name, each in tokens.items() if each), key=lambda pair: -pair[1])
    if len(dearest) < 2:
        return None
    if len(dearest) > _MOST_BARS:
        rest = sum(each for _, each in dearest[_MOST_BARS - 1 :])
        dearest = [*dearest[: _MOST_BARS - 1], (others, rest)]
    most = max(each for _, each in dearest)
    bars = [BarView(_short(name), name, _amount(each, price), _length(each, most)) for name, each in dearest]
    return _chart("servers", bars, len(bars))


def _chart(by: str, bars: Sequence[BarView], slots: int) -> ChartView:
    return ChartView(by, tuple(bars), slots, max(bars, key=lambda bar: bar.length))


def _amount(tokens: int, price: TokenPrice) -> str:
    return money(tokens * price.user, price.currency)


def _length(tokens: int, most: int) -> int:
    return tokens * 1000 // most if most else 0


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST_LABEL else f"{name[: _LONGEST_LABEL - 1]}…"
