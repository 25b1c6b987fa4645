"""A server that is told to takes the meter's snapshots beside its work, one process for all."""

import time
from collections.abc import Callable
from datetime import timedelta

from tests.server.process import free_port, served
from tests.world import World
from tollbridge.server.snapshots import Snapshots
from tollbridge.solus.sandbox import Fault

INSIDE = "\n[meter]\ninside_serve = true\n"


def until(true: Callable[[], bool]) -> None:
    for _ in range(600):
        if true():
            return
        time.sleep(0.05)
    raise AssertionError("it did not come to be")


def lists_read(world: World) -> int:
    return sum(entry.path == "/api/v1/servers" for entry in world.panel.journal.list())


def test_serve_takes_snapshots_by_one_of_its_workers_if_bridge_toml_says_so(world: World) -> None:
    port = free_port()
    world.more = INSIDE
    with world.parts() as parts:
        path = world.config
        path.write_text(path.read_text().replace("[server]\n", f"[server]\nport = {port}\n"))
        with served(path, port, "--workers", "2"):
            until(lambda: parts.ledger.meter.last() is not None)
    assert lists_read(world) == 2, "two passes of one snapshot"


def test_a_snapshot_that_failed_is_tried_again_and_nothing_of_it_is_kept(world: World) -> None:
    world.panel.faults.add(Fault("no_meta", path="servers", times=None))
    with world.parts() as parts:
        beside = Snapshots(parts, look_every_seconds=0.01)
        beside.start()
        until(lambda: lists_read(world) >= 3)
        assert parts.ledger.meter.last() is None
        world.panel.faults.clear()
        parts.ledger.meter.give_turn_back(timedelta(0))
        until(lambda: parts.ledger.meter.last() is not None)
        beside.stop()
