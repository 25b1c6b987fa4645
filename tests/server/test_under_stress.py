"""A billing system that is slow, or hangs, while many ask for prices that nobody asked for before."""

import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from types import SimpleNamespace

import httpx
import pytest

from tests.server.asking import CountingAdapter, ask, counting, metric
from tests.world import World
from tollbridge import Client, Unavailable
from tollbridge.server import app, prices, probe

STRANGERS = range(1, 41)


@contextmanager
def hanging(world: World) -> Iterator[tuple[str, CountingAdapter, list[Future[httpx.Response]]]]:
    """Forty look-ups of as many clients, all of them waiting for a billing system that says nothing for now."""
    with counting(world) as (url, adapter), ThreadPoolExecutor(len(STRANGERS)) as callers:
        adapter.known = {each: Client(each, "x@example.com", "USD") for each in STRANGERS}
        adapter.may_answer.clear()
        try:
            waiting = [callers.submit(ask, url, each) for each in STRANGERS]
            adapter.wait_for(4)
            yield url, adapter, waiting
        finally:
            adapter.may_answer.set()


def test_never_more_look_ups_at_once_than_the_adapter_says_its_system_stands(world: World) -> None:
    with hanging(world) as (_, adapter, waiting):
        adapter.may_answer.set()
        assert {each.result().status_code for each in waiting} == {200}
        assert sorted(adapter.asked) == [*STRANGERS]
        assert adapter.most_at_once == 4


def test_bridge_toml_says_otherwise_and_workers_share(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    with world.parts() as parts:
        own = app._at_once(parts)
        monkeypatch.setenv(app.WORKERS_VARIABLE, "2")
        assert app._at_once(parts) == max(1, own // 2)
    world.billing += "\nat_once = 12"
    with world.parts() as parts:
        assert app._at_once(parts) == 6
        monkeypatch.setenv(app.WORKERS_VARIABLE, "50")
        assert app._at_once(parts) == 1


def test_many_cold_look_ups_ask_for_the_currencies_once(world: World) -> None:
    with hanging(world) as (_, adapter, waiting):
        adapter.may_answer.set()
        assert {each.result().status_code for each in waiting} == {200}
        assert adapter.asked_for_currencies == 1


def test_health_readiness_and_metrics_answer_while_every_look_up_hangs(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probe, "_SECONDS", 0.05)
    with hanging(world) as (url, adapter, _):
        assert httpx.get(f"{url}/healthz").status_code == 200
        assert metric(url, "tollbridge_price_fetches_total", outcome="ok") == 0
        for _ in range(3):
            ready = httpx.get(f"{url}/readyz")
            assert (ready.status_code, ready.json()["problems"]) == (503, ["the billing system does not answer"])
        assert adapter.asked.count(0) == 1, "and whoever asks again does not make it worse"


def test_a_look_up_that_takes_too_long_is_answered_and_goes_on(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prices, "_MOST_SECONDS", 0.05)
    with counting(world) as (url, adapter):
        adapter.may_answer.clear()
        answer = ask(url)
        assert (answer.status_code, answer.json()["result"]) == (503, "error")
        assert int(answer.headers["retry-after"]) > 0
        adapter.may_answer.set()
        while ask(url).status_code != 200:
            pass
        assert adapter.asked == [1042], "its price was remembered when it came"


def test_a_remembered_price_is_served_while_the_billing_system_hangs(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prices, "_PATIENCE_SECONDS", 0.05)
    with counting(world, cache_seconds=0) as (url, adapter):
        before = ask(url)
        adapter.may_answer.clear()
        assert [(each.status_code, each.content) for each in (ask(url), ask(url))] == [(200, before.content)] * 2
        adapter.may_answer.set()


class Clock:
    """Two threads for look-ups, on a clock that is moved by hand."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 100.0
        monkeypatch.setattr(prices, "time", SimpleNamespace(monotonic=lambda: self.now))
        self.threads = prices.LookupThreads(2)
        self.may_end = threading.Semaphore(0)
        self.begun = threading.Semaphore(0)

    def look_up(self) -> None:
        self.begun.release()
        self.may_end.acquire()

    def begin(self, count: int) -> None:
        for _ in range(count):
            self.threads.start(self.look_up)

    def end(self, count: int) -> None:
        """Let so many end, and wait until they have."""
        wanted = self.open - count
        for _ in range(count):
            self.may_end.release()
        while self.open > wanted:
            pass

    @property
    def open(self) -> int:
        return self.threads._running + len(self.threads._waiting)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clock]:
    made = Clock(monkeypatch)
    yield made
    made.end(made.open)


def test_nobody_joins_a_queue_that_does_not_move(clock: Clock) -> None:
    clock.begin(4)
    clock.now += 3
    with pytest.raises(Unavailable, match="none of the look-ups"):
        clock.begin(1)
    clock.end(1)
    clock.begin(1)


def test_nobody_joins_a_queue_too_long_to_be_answered_in_five_seconds(clock: Clock) -> None:
    for _ in range(40):
        clock.begin(2)
        clock.begun.acquire()
        clock.begun.acquire()
        clock.now += 1
        clock.end(2)
    clock.begin(7)  # a second each, two at a time
    with pytest.raises(Unavailable, match="in time"):
        clock.begin(5)


def test_look_ups_that_wait_are_forgotten_when_the_server_ends(clock: Clock) -> None:
    clock.begin(5)
    clock.threads.stop()
    assert clock.open == 2


def test_a_single_look_up_that_hangs_keeps_nobody_waiting(clock: Clock) -> None:
    clock.begin(1)
    clock.now += 600
    clock.begin(3)
