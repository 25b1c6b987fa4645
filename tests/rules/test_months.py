"""Months and due dates, in every zone there is."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tollbridge.rules.calendar import Month, due_date, end_of_day, look_back, months_to_invoice

ZONES = st.sampled_from(sorted(available_timezones())).map(ZoneInfo)
MONTHS = st.builds(Month, st.integers(1900, 2999), st.integers(1, 12))
TEN_YEARS = [Month(year, number) for year in range(2019, 2037) for number in range(1, 13)]
MOMENTS = st.datetimes(datetime(2019, 1, 1), datetime(2036, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001
UTC_ZONE = ZoneInfo("UTC")


def test_months_tile_time_in_every_zone_for_ten_years_and_more() -> None:
    second = timedelta(seconds=1)
    for name in available_timezones():
        zone = ZoneInfo(name)
        starts = [month.start(zone) for month in TEN_YEARS]
        for month, start in zip(TEN_YEARS, starts, strict=True):
            assert (Month.of(start, zone), Month.of(start - second, zone)) == (month, month.previous), name
        lengths = {(after - before) // timedelta(days=1) for before, after in pairwise(starts)}
        assert lengths <= {27, 28, 29, 30, 31}, name


@given(MOMENTS, ZONES)
def test_every_moment_belongs_to_the_one_month_whose_interval_holds_it(moment: datetime, zone: ZoneInfo) -> None:
    month = Month.of(moment, zone)
    holders = [each for each in (month.previous, month, month.next) if _holds(each, moment, zone)]
    assert holders == [month]


def _holds(month: Month, moment: datetime, zone: ZoneInfo) -> bool:
    start, end = month.interval(zone)
    return start <= moment < end


@given(MONTHS, ZONES)
def test_a_month_ends_where_the_next_begins_in_utc(month: Month, zone: ZoneInfo) -> None:
    start, end = month.interval(zone)
    assert end == month.next.start(zone)
    assert start < end
    assert start.utcoffset() == end.utcoffset() == timedelta(0)


@given(MONTHS)
def test_a_month_reads_back_what_it_prints(month: Month) -> None:
    assert Month.parse(str(month)) == month


@given(MONTHS)
def test_next_and_previous_undo_each_other_and_order_months(month: Month) -> None:
    assert month.next.previous == month == month.previous.next
    assert month.previous < month < month.next


@example("2026-13")
@example("2026-00")
@example("2026-7")
@example("26-07")
@example("0000-07")
@example("9999-12")
@example("2026-07 ")
@example("2026-07\n")
@example("\uff12\uff10\uff12\uff16-07")
@example("2026-0\u0667")
@given(st.text())
def test_what_is_no_month_is_refused_and_what_is_one_prints_alike(text: str) -> None:
    try:
        month = Month.parse(text)
    except ValueError as error:
        assert repr(text) in str(error)  # noqa: PT017
    else:
        assert str(month) == text


def test_months_are_counted_across_years() -> None:
    july = Month.parse("2026-07")
    counted = [Month.parse(text).months_since(july) for text in ("2026-07", "2026-10", "2027-02", "2028-07", "2026-01")]
    assert counted == [0, 3, 7, 24, -6]


def test_where_clocks_skip_midnight_the_month_begins_when_they_do() -> None:
    start = Month(2023, 10).start(ZoneInfo("America/Asuncion"))
    assert start == datetime(2023, 10, 1, 4, tzinfo=UTC)  # 00:00 became 01:00 there


def test_july_in_new_york_begins_four_hours_after_utc_does() -> None:
    start, end = Month(2026, 7).interval(ZoneInfo("America/New_York"))
    assert (start, end) == (datetime(2026, 7, 1, 4, tzinfo=UTC), datetime(2026, 8, 1, 4, tzinfo=UTC))


def test_march_in_berlin_is_an_hour_short_and_october_an_hour_long() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    hours = {number: _hours(Month(2026, number), berlin) for number in (3, 7, 10)}
    assert hours == {3: 743, 7: 744, 10: 745}


def _hours(month: Month, zone: ZoneInfo) -> int:
    start, end = month.interval(zone)
    return (end - start) // timedelta(hours=1)


def test_a_month_is_invoiced_once_it_has_ended_and_settled_and_not_a_second_sooner() -> None:
    ready = datetime(2026, 8, 1, 1, tzinfo=UTC)
    june, july, hour = Month(2026, 6), Month(2026, 7), timedelta(hours=1)
    assert months_to_invoice(june, ready, UTC_ZONE, hour) == [june, july]
    assert months_to_invoice(june, ready - timedelta(seconds=1), UTC_ZONE, hour) == [june]


def test_a_month_has_ended_when_it_has_ended_in_the_companys_zone() -> None:
    new_york, july = ZoneInfo("America/New_York"), Month(2026, 7)
    end = datetime(2026, 8, 1, 4, tzinfo=UTC)
    assert months_to_invoice(july, end, new_york, timedelta(0)) == [july]
    assert months_to_invoice(july, end - timedelta(seconds=1), new_york, timedelta(0)) == []


def test_invoices_of_a_month_are_looked_for_from_two_days_before_its_end_on() -> None:
    assert look_back(datetime(2026, 8, 1, tzinfo=UTC)) == date(2026, 7, 30)


def test_a_start_in_the_future_leaves_nothing_to_invoice() -> None:
    assert months_to_invoice(Month(2027, 1), datetime(2026, 8, 1, tzinfo=UTC), UTC_ZONE, timedelta(0)) == []


@given(st.sampled_from(TEN_YEARS), MOMENTS, ZONES, st.timedeltas(timedelta(0), timedelta(days=40)))
def test_months_to_invoice_are_every_settled_one_from_the_start_oldest_first(
    start: Month, now: datetime, zone: ZoneInfo, settle: timedelta
) -> None:
    expected = [each for each in TEN_YEARS if each >= start and each.interval(zone)[1] + settle <= now]
    assert months_to_invoice(start, now, zone, settle) == expected


@given(st.dates(date(2019, 1, 1), date(2036, 12, 31)), ZONES)
def test_the_end_of_a_day_is_before_the_next_one_begins(day: date, zone: ZoneInfo) -> None:
    end = end_of_day(day, zone)
    assert end.astimezone(zone).date() <= day
    next_midnight = datetime(day.year, day.month, day.day, tzinfo=zone) + timedelta(days=1)
    assert end + timedelta(seconds=1) == next_midnight.astimezone(UTC)


@pytest.mark.parametrize(("grace", "due"), [(0, date(2026, 8, 1)), (14, date(2026, 8, 15)), (31, date(2026, 9, 1))])
def test_the_due_date_counts_from_the_issue_date(grace: int, due: date) -> None:
    assert due_date(date(2026, 8, 1), grace) == due
