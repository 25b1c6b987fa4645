"""Revenue: what was invoiced by month and currency, and where the running month leads."""

from collections.abc import Iterator
from decimal import Decimal

from tollbridge.errors import TollbridgeError
from tollbridge.jobs.forecast import Forecast, Forecasts
from tollbridge.jobs.parts import Parts
from tollbridge.ledger.lists import Revenue, revenue_of
from tollbridge.model import EXACT
from tollbridge.rules.calendar import Month
from tollbridge.rules.pricing import rounded
from tollbridge.server.operator.months_memory import MonthsMemory
from tollbridge.server.operator.sheets import (
    Amount,
    Asked,
    Bar,
    Chart,
    Column,
    Note,
    Part,
    Section,
    Sheet,
    Table,
    Value,
    Words,
    rows_shown,
)

_MOST_BARS = 24
_MOST_ROWS = 150


class RevenuePage:
    """The third page."""

    def __init__(self, parts: Parts, memory: MonthsMemory, forecasts: Forecasts) -> None:
        self._parts = parts
        self._memory = memory
        self._forecasts = forecasts

    def sheet(self, asked: Asked) -> Sheet:
        """The page as of now."""
        revenue = revenue_of(self._memory.sums())
        forecast = self._forecast()
        return Sheet("revenue", Words("revenue.title"), (
            Section("charts", Words("revenue.charts"), tuple(_charts(revenue, forecast))),
            Section("forecast-part", Words("revenue.forecast"), tuple(_forecast(forecast, revenue))),
            Section("months-part", Words("revenue.months"), (_months(asked, revenue),)),
        ))  # fmt: skip

    def _forecast(self) -> Forecast | None:
        """None: it is being made, or the usage source does not answer; neither is a reason to show nothing."""
        try:
            return self._forecasts.get()
        except TollbridgeError:
            return None


def _charts(revenue: list[Revenue], forecast: Forecast | None) -> Iterator[Part]:
    if not revenue:
        yield Note(Words("revenue.none"))
    for code in sorted({row.currency for row in revenue}):
        rows = [row for row in revenue if row.currency == code]
        bars = [Bar(Month.parse(row.month), (row.net, row.tax)) for row in rows[-_MOST_BARS:]]
        if forecast is not None and code in forecast.estimates:
            net = rounded(forecast.estimates[code].in_the_end, _decimals(rows, code))
            bars.append(Bar(forecast.month, (net, Decimal(0)), coming=True))
        title = Words("revenue.chart", {"currency": code})
        yield Chart(f"revenue-{code}", title, ("column.net", "column.tax"), bars, code)


def _forecast(forecast: Forecast | None, revenue: list[Revenue]) -> Iterator[Part]:
    if forecast is None:
        yield Note(Words("revenue.no_forecast"))
        return
    columns = (
        Column("month"), Column("currency", csv_only=True), Column("so_far", right=True),
        Column("in_the_end", right=True),
    )  # fmt: skip
    rows = [
        (
            forecast.month, code, Amount(rounded(each.so_far, _decimals(revenue, code)), code),
            Amount(rounded(each.in_the_end, _decimals(revenue, code)), code),
        )
        for code, each in sorted(forecast.estimates.items())
    ]  # fmt: skip
    yield Table("forecast", columns, rows, "revenue.no_usage")
    if not forecast.tokens:
        return
    values: dict[str, Value] = {
        "at": forecast.as_of, "tokens": forecast.tokens, "projected": forecast.projected_tokens,
        "month": forecast.month.previous,
    }  # fmt: skip
    yield Note(Words("revenue.forecast_told", values))
    if forecast.new_tokens:
        yield Note(Words("revenue.forecast_new", {"tokens": forecast.new_tokens}))


def _decimals(revenue: list[Revenue], code: str) -> int:
    """With how many decimals a currency is invoiced."""
    exponents = [row.net.as_tuple().exponent for row in revenue if row.currency == code and row.invoices]
    return max((-each for each in exponents if isinstance(each, int)), default=2)


def _months(asked: Asked, revenue: list[Revenue]) -> Table:
    columns = (
        Column("month"), Column("currency", csv_only=True), Column("invoices", right=True), Column("net", right=True),
        Column("tax", right=True), Column("total", right=True), Column("left_out", right=True),
    )  # fmt: skip
    rows = [
        (
            Month.parse(row.month), row.currency, row.invoices, Amount(row.net, row.currency),
            Amount(row.tax, row.currency), Amount(EXACT.add(row.net, row.tax), row.currency), row.left_out,
        )
        for row in sorted(revenue, key=lambda row: row.month, reverse=True)
    ]  # fmt: skip
    shown, more = rows_shown(asked, rows, _MOST_ROWS)
    return Table("months", columns, shown, "revenue.none", more=more)
