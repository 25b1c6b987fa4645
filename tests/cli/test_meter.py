"""``tollbridge meter``: a snapshot, by hand or by a timer."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.cli.company import Operator

FIRST = "2026-06-01T00:00:00Z"


def by_meter(operator: Operator) -> Path:
    path = operator.world.config
    text = path.read_text().replace("[pricing.tokens]", '[solus.usage]\nsource = "meter"\n\n[pricing.tokens]')
    path.write_text(text)
    return path


def test_a_snapshot_says_what_it_saw(operator: Operator) -> None:
    first = operator("meter", "--at", FIRST)
    assert (first.code, first.err) == (0, "")
    assert first.out.strip() == f"Snapshot of {FIRST}: 2 servers, 2 new, 0 changed, 0 gone"
    operator.world.panel.delete_server(operator.world.panel.servers[0].id)
    second = operator("meter", "--at", "2026-06-01 02:20", "--json").json
    assert second == {
        "taken_at": "2026-06-01T02:20:00Z", "before": FIRST, "gap_too_long": False,
        "servers": 1, "new": 0, "changed": 0, "gone": 1,
    }  # fmt: skip


def test_a_gap_that_is_too_long_is_told_at_once(operator: Operator) -> None:
    operator("meter", "--at", FIRST)
    told = operator("meter", "--at", "2026-06-01T03:00:01Z")
    assert told.code == 0
    assert "cannot be billed from the meter" in told.err


def test_without_at_it_is_the_panel_s_own_time(operator: Operator) -> None:
    taken = datetime.fromisoformat(operator("meter", "--json").json["taken_at"])
    assert abs(taken - datetime.now(UTC)) < timedelta(minutes=1)


def test_time_goes_forwards_only_and_a_moment_must_be_one(operator: Operator) -> None:
    operator("meter", "--at", "2026-06-02T00:00:00Z")
    told = operator("meter", "--at", FIRST)
    assert told.code == 2
    assert "before the meter's last snapshot" in told.err
    assert operator("meter", "--at", "yesterday").code == 2


def test_only_a_panel_on_this_machine_may_be_given_another_time(operator: Operator) -> None:
    path = operator.world.config
    path.write_text(path.read_text().replace(operator.world.solus_url, "https://solus.example.com"))
    told = operator("meter", "--at", FIRST, config=path)
    assert told.code == 2
    assert "--at is for a panel on this machine" in told.err


def test_a_month_with_a_gap_is_3_and_the_gap_is_told(operator: Operator) -> None:
    path = by_meter(operator)
    operator("meter", "--at", FIRST, config=path)
    operator("meter", "--at", "2026-07-01T00:00:00Z", config=path)
    told = operator("run", "--date", "2026-07-01", "--json", config=path)
    assert told.code == 3
    assert "no snapshot from 2026-06-01 00:00 to 2026-07-01 00:00 UTC" in told.json["stopped_by"]
    assert operator.world.billed() == {}


def test_check_asks_for_snapshots_where_the_meter_is_to_bill(operator: Operator) -> None:
    path = by_meter(operator)
    assert "run `tollbridge meter`" in " ".join(operator("check", config=path).out.split())
    operator("meter", config=path)
    checks = {each["name"]: each for each in operator("check", "--json", config=path).json["checks"]}
    assert checks["meter"]["ok"] is True
    assert "SolusIO usage feed" not in checks


def test_usage_and_explain_show_at_least_and_at_most_within_eighty_columns(operator: Operator) -> None:
    operator.world.more = "\n[meter]\nstopped_servers = true\n"  # as the sandbox has those of a world
    for moment in (FIRST, "2026-06-10T00:00:00Z", "2026-07-01T00:00:00Z"):
        operator("meter", "--at", moment)
    usage = operator("usage", "--month", "2026-06")
    assert "at least" in usage.out
    assert "at most" in usage.out
    assert max(map(len, usage.out.splitlines())) <= 80
    items = operator("usage", "--month", "2026-06", "--json").json["items"]
    assert all(each["at_least"] <= each["at_most"] for each in items)
    operator("run", "--date", "2026-07-01")
    assert "By the bridge's own meter" in operator("explain", "TB-2026-06-1042").out
    [line] = operator("explain", "TB-2026-06-1042", "--json").json["lines"]
    assert line["at_least"] <= line["at_most"]


def test_where_nothing_was_metered_nothing_is_shown(operator: Operator) -> None:
    operator("run", "--date", "2026-07-01")
    assert "at least" not in operator("usage", "--month", "2026-06").out + operator("explain", "TB-2026-06-1042").out
    [line] = operator("explain", "TB-2026-06-1042", "--json").json["lines"]
    assert (line["at_least"], line["at_most"]) == (None, None)
