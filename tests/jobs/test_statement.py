"""What a client is shown of the running month, while everybody's usage is read anew."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from tests.small_world import SmallWorld
from tollbridge import Unavailable, UserUsage
from tollbridge.jobs import statement
from tollbridge.jobs.price_lists import now, running_month
from tollbridge.jobs.statement import UsageMemory
from tollbridge.kept import Freshness
from tollbridge.usage import UsageSource

LONG = Freshness(0, stale_seconds=3600, most_seconds=30)


def test_a_visitor_is_shown_the_older_figures_with_their_time_while_newer_ones_are_read(
    world: SmallWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.client_with_server(7)
    go_on, begun = threading.Event(), threading.Semaphore(0)

    real = UsageSource.read

    def slow(source: UsageSource, start: datetime, end: datetime) -> Iterator[UserUsage]:
        begun.release()
        go_on.wait(30)
        return real(source, start, end)

    monkeypatch.setattr(statement, "_FRESHNESS", LONG)
    with world.parts() as parts:
        memory, month = UsageMemory(parts), running_month(parts, now())
        before = datetime.now(UTC)
        first = memory.of_client(7, month)
        assert before <= first.as_of <= datetime.now(UTC)
        monkeypatch.setattr(UsageSource, "read", slow)
        assert [memory.of_client(7, month).as_of for _ in range(3)] == [first.as_of] * 3
        assert begun.acquire(timeout=30)
        assert not begun.acquire(blocking=False), "one reads for all"
        go_on.set()
        while memory.of_client(7, month).as_of == first.as_of:
            pass


def test_the_first_visitor_waits_no_longer_than_it_may(world: SmallWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    go_on = threading.Event()

    def hang(*_arguments: object) -> list[object]:
        go_on.wait(30)
        return []

    monkeypatch.setattr(statement, "_FRESHNESS", Freshness(300, most_seconds=0.01))
    monkeypatch.setattr(UsageSource, "read", hang)
    with world.parts() as parts:
        with pytest.raises(Unavailable):
            UsageMemory(parts).of_client(7, running_month(parts, now()))
        go_on.set()
