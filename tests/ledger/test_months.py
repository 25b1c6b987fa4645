"""A month is closed once, when all of it is done; what it billed is kept, and the next begins where it ended."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from tests.ledger.books import (
    DUE,
    HOUR,
    JULY,
    JUNE,
    claim,
    draft,
    draft_month,
    entry,
    found,
    issued,
    reading,
)
from tollbridge.ledger import Ledger
from tollbridge.ledger.claims import Result
from tollbridge.ledger.runs import LiveRun
from tollbridge.rules.entry import State

BERLIN, NEW_YORK = ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York")
UTC_ZONE = ZoneInfo("UTC")


def test_a_month_is_closed_once_and_only_after_it_was_drafted(ledger: Ledger, run: LiveRun) -> None:
    assert not ledger.months.close(JUNE, run.id)
    assert not ledger.months.is_closed(JUNE)
    assert ledger.months.last_closed_at() is None
    draft_month(ledger, JUNE, reading(*JUNE.interval(BERLIN)))
    assert (ledger.months.is_drafted(JUNE), ledger.months.is_closed(JUNE)) == (True, False)
    assert [ledger.months.close(JUNE, run.id) for _ in range(2)] == [True, False]
    closed_at = ledger.months.last_closed_at()
    assert closed_at is not None
    assert (ledger.months.is_closed(JUNE), ledger.months.is_closed(JULY)) == (True, False)
    assert ledger.numbers() == ({}, closed_at)
    assert [(each.month, each.after, each.run_id) for each in ledger.events.of_kind("month")][1:] == [
        ("2026-06", "closed", run.id),
    ]  # fmt: skip


@pytest.mark.parametrize("state", [State.WRITTEN, State.SENDING])
def test_a_month_in_which_anything_is_unfinished_is_not_closed(ledger: Ledger, run: LiveRun, state: State) -> None:
    draft(ledger, entry(1), entry(2, state=State.CARRIED), entry(3, state=State.NOTHING))
    draft(ledger, entry(1, JULY))
    draft_month(ledger, JUNE, reading(*JUNE.interval(BERLIN)))
    claims = claim(ledger, run, most=1)
    ledger.claims.record(run.id, [Result(claims[0], state, "no answer came")])
    assert not ledger.months.close(JUNE, run.id)
    assert not ledger.months.is_closed(JUNE)
    ledger.claims.record(run.id, [issued(claims[0])])
    assert ledger.months.close(JUNE, run.id), "July's entry does not keep it open"
    assert ledger.months.is_closed(JUNE)


@pytest.mark.parametrize("state", [State.WRITTEN, State.SENDING])
def test_a_month_that_was_closed_does_not_count_as_closed_while_it_holds_unfinished_entries(
    ledger: Ledger, run: LiveRun, state: State
) -> None:
    draft_month(ledger, JUNE, reading(*JUNE.interval(BERLIN)))
    ledger.months.close(JUNE, run.id)
    draft(ledger, entry(1))
    claims = claim(ledger, run) if state is State.SENDING else []
    assert not ledger.months.is_closed(JUNE), "so the next run looks at it"
    assert not ledger.months.close(JUNE, run.id)
    ledger.claims.record(run.id, [issued(each) for each in claims or claim(ledger, run)])
    assert ledger.months.close(JUNE, run.id), "it was opened with the draft"
    assert ledger.months.is_closed(JUNE)
    assert found(ledger, 1).due_date == DUE


def test_a_month_that_nothing_is_known_of_is_what_the_zone_makes_it(ledger: Ledger) -> None:
    assert ledger.months.interval(JUNE, BERLIN) == (
        datetime(2026, 5, 31, 22, tzinfo=UTC), datetime(2026, 6, 30, 22, tzinfo=UTC),
    )  # fmt: skip


@pytest.mark.parametrize("zone", [NEW_YORK, UTC_ZONE, ZoneInfo("Asia/Tokyo")])
def test_a_month_that_was_billed_keeps_its_interval_and_the_next_begins_where_it_ended_when_the_zone_changes(
    ledger: Ledger, run: LiveRun, zone: ZoneInfo
) -> None:
    june = JUNE.interval(BERLIN)
    draft_month(ledger, JUNE, reading(*june))
    assert ledger.months.interval(JUNE, zone) == june
    ledger.months.close(JUNE, run.id)
    assert ledger.months.interval(JUNE, zone) == june
    assert ledger.months.interval(JULY, zone) == (june[1], JULY.interval(zone)[1])
    draft_month(ledger, JULY, reading(*ledger.months.interval(JULY, zone)))
    assert ledger.months.interval(JULY.next, BERLIN) == (JULY.interval(zone)[1], JULY.next.interval(BERLIN)[1])
    assert ledger.months.interval(JUNE.previous, zone) == JUNE.previous.interval(zone), "earlier months are not touched"


def test_a_month_that_is_drafted_anew_is_kept_as_it_was_read_last(ledger: Ledger) -> None:
    start, end = JUNE.interval(BERLIN)
    draft_month(ledger, JUNE, reading(start, end - HOUR))
    draft_month(ledger, JUNE, reading(start, end))
    assert ledger.months.interval(JUNE, UTC_ZONE) == (start, end)
