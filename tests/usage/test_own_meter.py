"""A month is billed from the bridge's own meter, at the least that was used, or not at all."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import attrs
import pytest

from tests.small_world import SmallWorld, a_small_world
from tests.usage import looking
from tollbridge.errors import ClockWrong, Incomplete, LedgerError
from tollbridge.jobs.comparison import compare_usage
from tollbridge.jobs.parts import Parts
from tollbridge.model import UserUsage
from tollbridge.rules.calendar import Month
from tollbridge.solus.sandbox import Fault
from tollbridge.usage.snapshot import take_snapshot

MAY, JUNE, JULY = (datetime(2026, month, 1, tzinfo=UTC) for month in (5, 6, 7))
HOUR = timedelta(hours=1)
BY_METER = '\n[solus.usage]\nsource = "meter"\n'


@pytest.fixture
def world(tmp_path: Path) -> Iterator[SmallWorld]:
    with a_small_world(tmp_path, more=BY_METER) as made:
        yield made


def look(parts: Parts, world: SmallWorld) -> None:
    looking.look(parts.ledger, world.panel)


def ask(parts: Parts, world: SmallWorld) -> None:
    take_snapshot(parts.ledger, parts.solus, at_once=2, at=world.panel.now)


def live(parts: Parts, world: SmallWorld, until: datetime, every: timedelta = 3 * HOUR) -> None:
    """Let time pass, with a snapshot now and then, the last one at the very end."""
    while world.panel.now < until:
        world.panel.set_time(min(world.panel.now + every, until))
        look(parts, world)


def june(parts: Parts) -> list[UserUsage]:
    return list(parts.usage.read(JUNE, JULY))


def a_month(world: SmallWorld, parts: Parts) -> int:
    """June with one server of one client, made after the first snapshot; the user's id."""
    world.add_client(1042)
    user_id = world.add_user(1042)
    look(parts, world)
    world.panel.advance(timedelta(minutes=30))
    world.panel.create_server(user_id, 1, "web-1")
    look(parts, world)
    live(parts, world, JULY + HOUR)
    return user_id


def test_a_month_is_invoiced_from_the_meter_and_the_panel_s_feed_is_never_asked(world: SmallWorld) -> None:
    with world.parts() as parts:
        a_month(world, parts)
    with world.run("2026-07-01") as run:
        assert run.daily().failures == []
    assert world.billed() == {"TB-2026-06-1042": "5"}
    ((entry, _),) = world.invoices
    assert entry.document.lines[0].description == "web-1, 1 Core, 1 GB RAM: 720 h, 5000 tokens (monthly price)"
    assert [entry.path for entry in world.panel.journal.list() if "usage" in entry.path] == []


def test_a_server_that_was_resized_is_one_line_with_the_hours_of_both_plans(world: SmallWorld) -> None:
    with world.parts() as parts:
        world.add_client(1042)
        user_id = world.add_user(1042)
        look(parts, world)
        server = world.panel.create_server(user_id, 1, "web-1")
        live(parts, world, JUNE + 10 * HOUR, every=HOUR)
        world.panel.resize_server(server.id, 2)
        look(parts, world)
        live(parts, world, JUNE + 15 * HOUR, every=HOUR)
        world.panel.delete_server(server.id)
        live(parts, world, JULY + HOUR)
        [usage] = june(parts)
    assert [(item.tokens, item.server and item.server.all_hours) for item in usage.items] == [(10 * 7 + 5 * 14, 15)]
    with world.run("2026-07-01") as run:
        run.daily()
    ((entry, _),) = world.invoices
    [line] = entry.document.lines
    assert line.description == "web-1, 1 Core, 1 GB RAM, then 1 Core, 2 GB RAM: 15 h, 140 tokens"
    assert (line.hours, line.tokens_per_hour, line.tokens_per_month) == (15, None, None)


def test_three_hours_without_a_snapshot_are_billed_and_a_minute_more_is_not(world: SmallWorld) -> None:
    with world.parts() as parts:
        a_month(world, parts)
        assert june(parts)
    with world.run("2026-07-01") as run:
        assert run.daily().stopped_by is None
    with world.parts() as parts:
        look(parts, world)
        world.panel.advance(3 * HOUR + timedelta(minutes=1))
        look(parts, world)
        live(parts, world, datetime(2026, 8, 1, 1, tzinfo=UTC))
    with world.run("2026-08-01") as run:
        stopped = str(run.daily().stopped_by)
    assert "no snapshot from 2026-07-01 01:00 to 2026-07-01 04:01 UTC" in stopped
    assert "set meter.longest_gap_hours to 4" in stopped
    assert list(world.billed()) == ["TB-2026-06-1042"]
    world.more = f"{BY_METER}\n[meter]\nlongest_gap_hours = 4\n"
    with world.run("2026-08-01") as run:
        assert run.daily().stopped_by is None
    assert list(world.billed()) == ["TB-2026-06-1042", "TB-2026-07-1042"]


@pytest.mark.parametrize("edge", [JUNE, JULY])
def test_a_gap_across_an_edge_of_the_month_counts_whole(world: SmallWorld, edge: datetime) -> None:
    world.panel.set_time(JUNE)
    with world.parts() as parts:
        if edge == JUNE:
            take_snapshot(parts.ledger, parts.solus, at_once=1, at=JUNE - 2 * HOUR)
            world.panel.advance(2 * HOUR)
        look(parts, world)
        live(parts, world, JULY - 2 * HOUR)
        world.panel.set_time(JULY + (2 * HOUR if edge == JULY else HOUR))
        look(parts, world)
        with pytest.raises(Incomplete, match=r"longer than meter\.longest_gap_hours"):
            june(parts)


def test_a_month_that_was_begun_without_the_meter_is_not_billed(world: SmallWorld) -> None:
    with world.parts() as parts:
        with pytest.raises(Incomplete, match="nothing of the time before its first snapshot:"):
            june(parts)
        world.panel.advance(HOUR)
        live(parts, world, JULY + HOUR)
        with pytest.raises(Incomplete, match=r"before its first snapshot \(2026-06-01 04:00 UTC\)"):
            june(parts)


def test_a_month_is_not_billed_before_there_is_a_snapshot_from_after_its_end(world: SmallWorld) -> None:
    with world.parts() as parts:
        look(parts, world)
        live(parts, world, JULY - timedelta(minutes=1))
        with pytest.raises(Incomplete, match="last snapshot is of 2026-06-30 23:59 UTC"):
            june(parts)
        live(parts, world, JULY)
        assert june(parts) == []


def test_the_present_is_shown_as_long_as_the_last_snapshot_is_not_too_long_ago(world: SmallWorld) -> None:
    now = datetime.now(UTC)
    with world.parts() as parts:
        for hours in (5, 2):
            take_snapshot(parts.ledger, parts.solus, at_once=1, at=now - hours * HOUR)
        assert list(parts.usage.read(now - 4 * HOUR, now)) == []
        with pytest.raises(Incomplete, match="last snapshot is of"):
            list(parts.usage.read(now - 4 * HOUR, now - HOUR))


def test_a_user_is_the_client_s_that_the_panel_names_now_or_named_last(world: SmallWorld) -> None:
    with world.parts() as parts:
        user_id = a_month(world, parts)
        world.panel.update_user(user_id, billing_user_id=1043)
        assert [row.billing_user_id for row in june(parts)] == [1043]
        world.panel.delete_server(world.panel.servers[0].id)
        world.panel.delete_user(user_id)
        assert [row.billing_user_id for row in june(parts)] == [1042]


def test_a_server_that_was_moved_is_billed_to_each_owner_by_its_own_time(world: SmallWorld) -> None:
    with world.parts() as parts:
        first, second = world.panel.add_user("a@example.com").id, world.panel.add_user("b@example.com").id
        look(parts, world)
        server = world.panel.create_server(first, 1, "web-1")
        live(parts, world, JUNE + 10 * HOUR, every=HOUR)
        world.panel.move_server(server.id, second)
        look(parts, world)
        live(parts, world, JUNE + 14 * HOUR, every=HOUR)
        world.panel.delete_server(server.id)
        live(parts, world, JULY + HOUR)
        assert [(row.user_id, row.tokens) for row in june(parts)] == [(first, 70), (second, 28)]


@pytest.mark.parametrize(("stopped_servers", "tokens"), [("false", 7 * 7), ("true", 17 * 7)])
def test_a_stopped_server_counts_if_bridge_toml_says_so(world: SmallWorld, stopped_servers: str, tokens: int) -> None:
    world.more = f"{BY_METER}\n[meter]\nstopped_servers = {stopped_servers}\n"
    with world.parts() as parts:
        look(parts, world)
        server = world.panel.create_server(world.panel.add_user("a@example.com").id, 1, "web-1")
        live(parts, world, JUNE + 7 * HOUR, every=HOUR)
        world.panel.stop_server(server.id)
        look(parts, world)
        live(parts, world, JUNE + 17 * HOUR, every=HOUR)
        world.panel.delete_server(server.id)
        live(parts, world, JULY + HOUR)
        assert [row.tokens for row in june(parts)] == [tokens]


def test_two_servers_of_one_number_are_told_apart_by_their_uuids(world: SmallWorld) -> None:
    with world.parts() as parts:
        look(parts, world)
        user_id = world.panel.add_user("a@example.com").id
        for uuid in ("11111111-a", "22222222-b"):
            row = {"id": 7, "uuid": uuid}
            _only_server(world, user_id, row)
            live(parts, world, world.panel.now + 3 * HOUR, every=HOUR)
            world.panel.delete_server(7)
            look(parts, world)
        live(parts, world, JULY + HOUR)
        [usage] = june(parts)
    assert [(item.type, item.id, item.tokens) for item in usage.items] == [
        ("server", 7, 21),
        ("server 22222222", 7, 21),
    ]


def _only_server(world: SmallWorld, user_id: int, row: dict[str, Any]) -> None:
    panel = world.panel
    made = panel.create_server(user_id, 1, "web")
    panel.tables.servers._live.pop(made.id)
    panel.tables.servers.put(attrs.evolve(made, **row))


# Snapshots


def test_a_snapshot_is_whole_or_not_at_all(world: SmallWorld) -> None:
    with world.parts() as parts:
        look(parts, world)
        user_id = world.panel.add_user("a@example.com").id
        for number in range(40):
            world.panel.create_server(user_id, 1, f"web-{number}")
        world.panel.advance(HOUR)
        world.panel.faults.add(Fault("wrong_total", method="GET", path="servers", times=None))
        with pytest.raises(Incomplete, match="servers"):
            ask(parts, world)
        assert (parts.ledger.meter.last(), parts.ledger.meter.stretches(MAY, JULY)) == (JUNE, [])
        world.panel.faults.clear()
        ask(parts, world)
        assert len(parts.ledger.meter.stretches(MAY, JULY)) == 40


def test_a_snapshot_s_time_is_the_panel_s_and_a_wrong_clock_keeps_nothing(world: SmallWorld) -> None:
    def wrong(theirs: datetime) -> None:
        raise ClockWrong(f"{theirs:%Y}")

    with world.parts() as parts:
        with pytest.raises(ClockWrong):
            take_snapshot(parts.ledger, parts.solus, at_once=1, check_time=wrong)
        assert parts.ledger.meter.last() is None
        taken = take_snapshot(parts.ledger, parts.solus, at_once=1)
        assert abs(taken.taken_at - datetime.now(UTC)) < timedelta(minutes=1)
        assert taken.taken_at.microsecond == 0, "as a Date header has it"
        with pytest.raises(LedgerError, match="forwards only"):
            look(parts, world)


def test_a_meter_asks_nothing_but_documented_lists(world: SmallWorld) -> None:
    with world.parts() as parts:
        world.panel.journal.clear()
        take_snapshot(parts.ledger, parts.solus, at_once=1)
    paths = {entry.path.removeprefix("/api/v1/") for entry in world.panel.journal.list()}
    assert (paths, {entry.method for entry in world.panel.journal.list()}) == ({"account", "plans", "servers"}, {"GET"})


# Beside the feed


def test_the_meter_beside_the_feed_says_what_it_is_sure_of_and_where_the_feed_cannot_be_right(tmp_path: Path) -> None:
    with a_small_world(tmp_path) as world, world.parts() as parts:
        a_month(world, parts)
        fits = compare_usage(parts, Month(2026, 6), lambda _step, _done: None)
        world.panel.correct_usage(Month(2026, 6), 44, server_id=1)
        differs = compare_usage(parts, Month(2026, 6), lambda _step, _done: None)
    [row] = fits.rows
    assert (row.item.tokens, row.at_least, row.at_most, fits.gap) == (5000, 5000, 5000, None)
    assert fits.remarks() == []
    assert any("own meter at least 5,000 and at most 5,000" in remark for remark in differs.remarks())


def test_usage_is_shown_whatever_gaps_the_meter_has_and_they_are_told(world: SmallWorld) -> None:
    with world.parts() as parts:
        user_id = world.panel.add_user("a@example.com").id
        look(parts, world)
        world.panel.create_server(user_id, 1, "web-1")
        live(parts, world, JULY + HOUR, every=timedelta(days=1))
        shown = compare_usage(parts, Month(2026, 6), lambda _step, _done: None)
    assert [(row.at_least, row.at_most) for row in shown.rows] == [(5000, 5000)]
    assert any("took no snapshot from 2026-06-01 00:00 to 2026-06-02 00:00" in remark for remark in shown.remarks())
