"""Real processes, killed without warning at random moments, also two at once, until the month is done."""

import os
import random
import signal
import subprocess
import sys
import time
from decimal import Decimal
from pathlib import Path

import pytest

from tests import TRIALS
from tests.world import World, a_world
from tollbridge.rules.calendar import Month
from tollbridge.rules.entry import State
from tollbridge.rules.pricing import rounded

JUNE = Month(2026, 6)
CLIENTS = 60
KILLS = 6 * TRIALS
LEASE_SECONDS = 5


def start(world: World) -> "subprocess.Popen[bytes]":
    """The daily job in a process of its own, as cron starts it."""
    arguments = ["-m", "tollbridge", "--config", str(world.config), "run", "--date", "2026-07-01"]
    return subprocess.Popen([sys.executable, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def kill_runs(world: World, dice: random.Random) -> int:
    """Start runs, one or two at a time, and kill them at random moments; how many were killed before their end."""
    killed = 0
    for _ in range(KILLS):
        runs = [start(world) for _ in range(dice.choice([1, 1, 2]))]
        # A run needs about a second; the first half of it is Python's own start.
        time.sleep(dice.uniform(0.5, 1.4))
        for run in runs:
            if run.poll() is None:
                killed += 1
                os.kill(run.pid, signal.SIGKILL)
            run.communicate()
    return killed


def end_undisturbed(world: World) -> None:
    """Two runs at once, again and again until all is done: until then they may only name what the dead still hold."""
    for _ in range(5):
        runs = [start(world), start(world)]
        errors = [run.communicate(timeout=120)[1].decode() for run in runs]
        if [run.returncode for run in runs] == [0, 0]:
            return
        for error in errors:
            assert all("run again when its lease is over" in line for line in error.splitlines() if line.strip()), error
        time.sleep(LEASE_SECONDS)
    raise AssertionError(errors)


def check_month(world: World) -> None:
    """Every client once, every total right, in the billing database and in the ledger."""
    rows = world.query("SELECT reference, client_id, subtotal FROM invoices ORDER BY client_id")
    assert [row[0] for row in rows] == [f"TB-2026-06-{client_id}" for client_id in range(1, CLIENTS + 1)]
    for _, client_id, subtotal in rows:
        assert Decimal(str(subtotal)) == rounded(Decimal(min(7 * (600 + client_id), 5000)) / 1000, 2)
    lines = world.query("SELECT invoice_id, count(*) FROM invoice_lines GROUP BY invoice_id")
    assert {count for _, count in lines} == {1}
    assert len(lines) == CLIENTS
    with world.parts() as parts:
        entries = parts.ledger.invoices.of_month(JUNE, list(range(1, CLIENTS + 1)))
        assert parts.ledger.months.is_closed(JUNE)
    assert {entry.state for entry in entries.values()} == {State.ISSUED}
    assert len(entries) == CLIENTS


@pytest.mark.parametrize("kinds", ["sqlite+sqlite", "postgresql+mariadb"])
def test_runs_killed_at_random_moments_bill_every_client_exactly_once(
    kinds: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    seed = random.SystemRandom().randrange(10**6)
    print(f"seed {seed}")
    ledger, billing = kinds.split("+")
    ledger_url = (
        f"sqlite:///{tmp_path}/tollbridge.db" if ledger == "sqlite" else request.getfixturevalue("postgresql_url")
    )
    billing_url = request.getfixturevalue(f"{billing}_url")
    with a_world(tmp_path, billing_url, ledger_url) as world:
        world.lease_seconds = LEASE_SECONDS
        for client_id in range(1, CLIENTS + 1):
            world.client_with_server(client_id, hours=600 + client_id)
        world.at("2026-07-01")
        killed = kill_runs(world, random.Random(seed))
        end_undisturbed(world)
        check_month(world)
    assert killed, "the machine is too fast for this test: the moments of death are all after the end"
