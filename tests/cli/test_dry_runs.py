"""A dry run shows what a real one would do, and writes nothing: not in the ledger, not in billing, not in SolusIO."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.cli.company import Operator, snapshot
from tests.world import World

DRY = [
    ["run", "--date", "2026-07-01"], ["run", "--date", "2026-07-22"], ["sync"], ["invoice"],
    ["invoice", "--month", "2026-06"], ["overdue", "--date", "2026-07-22"],
]  # fmt: skip


@pytest.mark.parametrize("command", DRY, ids=" ".join)
@pytest.mark.parametrize("billed", [False, True])
def test_a_dry_run_changes_nothing_anywhere(operator: Operator, world: World, command: list[str], billed: bool) -> None:
    world.add_client(1044)
    world.add_client(1045, status="closed")
    world.add_user(1045)
    assert operator("run", "--date", "2026-07-01" if billed else "2026-06-02").code == 0
    world.panel.add_user("client1046@example.com", billing_user_id=None)
    world.add_client(1046)
    world.panel.set_time(datetime(2026, 7, 22, tzinfo=UTC))
    before = snapshot(world)
    told = operator(*command, "--dry-run")
    assert told.code == 0, told
    assert snapshot(world) == before


def test_what_it_shows_is_what_is_done(operator: Operator) -> None:
    planned = operator("run", "--date", "2026-07-01", "--dry-run", "--json").json
    before = snapshot(operator.world)
    done = operator("run", "--date", "2026-07-01", "--json").json
    assert snapshot(operator.world) != before, "a real run does write"
    for each in planned["invoices"]:
        each["status"] = "unpaid"
    assert planned["invoices"] == done["invoices"]
    assert planned["accounts"] == done["accounts"]


@pytest.mark.parametrize(
    "command", [["check"], ["usage", "--month", "2026-06"], ["price", "1042"], ["plans"]], ids=" ".join
)
def test_looking_changes_nothing_either(operator: Operator, world: World, command: list[str]) -> None:
    operator("run", "--date", "2026-07-01")
    before = snapshot(world)
    assert operator(*command).code == 0
    assert snapshot(world) == before


def test_a_day_to_come_is_only_looked_at(operator: Operator, tmp_path: Path) -> None:
    """On a real panel, what happens until then is not known; the sandbox may look ahead."""
    path = operator.world.config
    path.write_text(path.read_text().replace(operator.world.solus_url, "https://solus.example.invalid"))
    told = operator("run", "--date", "2099-01-01", config=path)
    assert told.code == 2
    assert "--dry-run" in told.err
