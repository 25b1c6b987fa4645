"""Hours to tokens: the guide's step 2."""

from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tollbridge.rules.metering import Metered, backup_tokens, billable_hours, meter

HOURS = st.integers(0, 800)
TOKENS = st.integers(0, 50_000)


@pytest.mark.parametrize(
    ("hours", "tokens", "price"),
    [(700, 4_900, "hourly"), (714, 4_998, "hourly"), (715, 5_000, "monthly"), (730, 5_000, "monthly"),
     (744, 5_000, "monthly"), (1, 7, "hourly"), (0, 0, "hourly")],
)  # fmt: skip
def test_seven_tokens_an_hour_are_capped_at_five_thousand(hours: int, tokens: int, price: str) -> None:
    assert meter(hours, 7, 5_000) == Metered(tokens, price)


def test_a_whole_month_of_31_days_at_7_tokens_costs_5208_without_a_monthly_price() -> None:
    assert meter(24 * 31, 7, 0) == Metered(5_208, "hourly")


def test_exactly_the_monthly_price_still_counts_as_hourly() -> None:
    assert meter(100, 50, 5_000) == Metered(5_000, "hourly")


def test_without_an_hourly_price_the_monthly_one_is_always_due() -> None:
    assert [meter(hours, 0, 5_000) for hours in (0, 1, 744)] == [Metered(5_000, "monthly")] * 3


def test_a_plan_without_prices_is_free() -> None:
    assert meter(744, 0, 0) == Metered(0, "free")


def test_five_minutes_are_one_hour() -> None:
    assert billable_hours(timedelta(minutes=5)) == 1


@pytest.mark.parametrize(
    ("uptime", "hours"),
    [(timedelta(0), 0), (timedelta(microseconds=1), 1), (timedelta(hours=1), 1),
     (timedelta(hours=1, microseconds=1), 2), (timedelta(days=31), 744)],
)  # fmt: skip
def test_a_started_hour_is_a_whole_hour(uptime: timedelta, hours: int) -> None:
    assert billable_hours(uptime) == hours


@pytest.mark.parametrize("arguments", [(-1, 7, 5_000), (1, -7, 5_000), (1, 7, -5_000)])
def test_nothing_negative_is_metered(arguments: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="negative"):
        meter(*arguments)
    with pytest.raises(ValueError, match="negative"):
        billable_hours(timedelta(microseconds=-1))


@pytest.mark.parametrize(
    ("tokens", "percent", "backup"),
    [(5_000, "10", 500), (4_900, "10", 490), (5, "10", 1), (4, "10", 0), (15, "10", 2), (25, "10", 3), (1_000, "0", 0)],
)
def test_backups_cost_a_percentage_rounded_half_up(tokens: int, percent: str, backup: int) -> None:
    assert backup_tokens(tokens, Decimal(percent)) == backup


@given(st.timedeltas(timedelta(0), timedelta(days=40)))
def test_hours_billed_cover_the_uptime_by_less_than_an_hour(uptime: timedelta) -> None:
    hours = timedelta(hours=billable_hours(uptime))
    assert timedelta(0) <= hours - uptime < timedelta(hours=1)


@given(st.timedeltas(timedelta(0), timedelta(days=20)), st.timedeltas(timedelta(0), timedelta(days=20)))
def test_running_in_two_parts_never_costs_less_hours_than_in_one(one: timedelta, other: timedelta) -> None:
    parts = billable_hours(one) + billable_hours(other)
    assert billable_hours(one + other) <= parts <= billable_hours(one + other) + 1


@given(HOURS, HOURS, TOKENS, TOKENS)
def test_cost_never_falls_when_hours_grow(hours: int, more: int, per_hour: int, per_month: int) -> None:
    assert meter(hours, per_hour, per_month).tokens <= meter(hours + more, per_hour, per_month).tokens


@given(HOURS, TOKENS, st.integers(1, 50_000))
def test_cost_never_passes_the_monthly_price(hours: int, per_hour: int, per_month: int) -> None:
    assert meter(hours, per_hour, per_month).tokens <= per_month


@given(HOURS, st.integers(1, 50_000), TOKENS)
def test_a_server_costs_the_cheaper_of_its_two_prices(hours: int, per_hour: int, per_month: int) -> None:
    offers = {"hourly": hours * per_hour, **({"monthly": per_month} if per_month else {})}
    metered = meter(hours, per_hour, per_month)
    assert metered.tokens == min(offers.values())
    assert offers[metered.price] == metered.tokens


@given(HOURS, st.integers(1, 50_000))
def test_without_a_monthly_price_every_hour_costs_the_same(hours: int, per_hour: int) -> None:
    assert meter(hours + 1, per_hour, 0).tokens - meter(hours, per_hour, 0).tokens == per_hour


@given(TOKENS, st.decimals(0, 100, places=2))
def test_backups_are_within_half_a_token_of_their_percentage(tokens: int, percent: Decimal) -> None:
    assert abs(backup_tokens(tokens, percent) - tokens * percent / 100) <= Decimal("0.5")
