"""Prices are remembered, fetched by one caller at a time, and outlive a billing system that is down."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from unittest import mock

import httpx
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.server.asking import ask, counting, endpoint, exact, metric, out_of_reach
from tests.world import World, a_world
from tollbridge import Client
from tollbridge.errors import NotFound, TollbridgeError, Unavailable
from tollbridge.kept import Kept
from tollbridge.rules.calendar import Month
from tollbridge.rules.pricing import MonthPrices, PriceList
from tollbridge.server.prices import LookupThreads, Prices


def fetches(url: str, outcome: str = "ok") -> float:
    return metric(url, "tollbridge_price_fetches_total", outcome=outcome)


def test_a_price_is_fetched_once_however_often_it_is_asked_for(world: World) -> None:
    with counting(world) as (url, adapter):
        assert {ask(url).content for _ in range(5)} == {ask(url).content}
        assert adapter.asked == [1042]
        assert (fetches(url), metric(url, "tollbridge_price_lookups_total", status="200")) == (1, 6)


def test_with_no_cache_every_look_up_asks_the_billing_system(world: World) -> None:
    with counting(world, cache_seconds=0) as (url, adapter):
        for _ in range(3):
            assert ask(url).status_code == 200
        assert adapter.asked == [1042] * 3


def test_many_callers_at_once_share_one_fetch(world: World) -> None:
    with counting(world) as (url, adapter), ThreadPoolExecutor(21) as callers:
        adapter.may_answer.clear()
        waiting = [callers.submit(ask, url) for _ in range(20)]
        other = callers.submit(ask, url, 1043)
        adapter.wait_for(2)
        adapter.may_answer.set()
        assert {each.result().status_code for each in waiting} == {200}
        assert other.result().status_code == 200
        assert sorted(adapter.asked) == [1042, 1043]


def test_a_failure_is_shared_by_the_callers_that_waited_and_not_remembered(world: World) -> None:
    with counting(world) as (url, adapter), ThreadPoolExecutor(10) as callers:
        adapter.down = True
        adapter.may_answer.clear()
        waiting = [callers.submit(ask, url) for _ in range(10)]
        adapter.wait_for(1)
        adapter.may_answer.set()
        assert {each.result().status_code for each in waiting} == {503}
        adapter.down = False
        assert ask(url).status_code == 200


def test_a_billing_system_that_is_down_means_503_and_when_to_come_back(world: World) -> None:
    with counting(world) as (url, adapter):
        adapter.down = True
        answer = ask(url)
        assert (answer.status_code, answer.json()["result"]) == (503, "error")
        assert int(answer.headers["retry-after"]) > 0
        assert "down" not in answer.text, "the reason is for the log"


def test_a_remembered_price_is_served_while_the_billing_system_is_down(world: World) -> None:
    with counting(world, cache_seconds=0) as (url, adapter):
        before = ask(url)
        adapter.down = True
        assert (ask(url).status_code, ask(url).content) == (200, before.content)
        assert ask(url, 1043).status_code == 503, "another client's price was never fetched"
        assert fetches(url, "failed") == 3


def test_a_stale_price_is_not_served_for_ever(world: World) -> None:
    with counting(world, cache_seconds=0, stale_seconds=0) as (url, adapter):
        assert ask(url).status_code == 200
        adapter.down = True
        assert ask(url).status_code == 503


def test_an_unknown_client_is_not_remembered(world: World) -> None:
    with counting(world) as (url, adapter):
        assert ask(url, 5).status_code == 404
        adapter.known[5] = Client(5, "c@example.com", "USD")
        assert ask(url, 5).status_code == 200
        assert fetches(url, "not_found") == 1


def test_a_client_that_is_gone_is_gone_though_its_price_was_remembered(world: World) -> None:
    with counting(world, cache_seconds=0) as (url, adapter):
        assert ask(url).status_code == 200
        del adapter.known[1042]
        assert ask(url).status_code == 404
        adapter.down = True
        assert ask(url).status_code == 503, "a price that is known to be void is not served again"


def test_no_client_ever_sees_anothers_price(world: World) -> None:
    currencies = ["USD", "EUR", "JPY", "KWD"]
    with counting(world, cache_seconds=0) as (url, adapter), ThreadPoolExecutor(16) as callers:
        adapter.known = {each: Client(each, "x@example.com", currencies[each % 4]) for each in range(1, 41)}
        asked = [1 + number * 7 % 40 for number in range(200)]
        answers = callers.map(lambda client_id: exact(ask(url, client_id))["currency"]["code"], asked)
        assert list(answers) == [currencies[client_id % 4] for client_id in asked]


def test_an_adapter_that_answers_for_another_client_is_not_believed(world: World) -> None:
    with counting(world) as (url, adapter):
        adapter.known[7] = adapter.known[1042]
        assert ask(url, 7).status_code == 503


def test_a_client_without_a_token_price_is_not_given_a_price(world: World) -> None:
    with counting(world) as (url, adapter):
        adapter.known[1042] = Client(1042, "a@example.com", "CHF")
        assert ask(url).status_code == 503


def test_a_real_database_that_cannot_be_reached_is_outlived(tmp_path: Path, postgresql_url: str) -> None:
    with a_world(tmp_path, postgresql_url, f"sqlite:///{tmp_path}/tollbridge.db") as world:
        world.add_client(1042)
        with endpoint(world) as url:
            before = ask(url).content
            with out_of_reach(postgresql_url):
                assert ask(url).content == before
                assert ask(url, 1043).status_code == 503
                assert httpx.get(f"{url}/readyz").status_code == 503
            assert ask(url, 1043).status_code == 404, "and found again when it is back"
            assert httpx.get(f"{url}/readyz").status_code == 200


steps = st.lists(
    st.one_of(
        st.tuples(st.just("ask"), st.integers(1, 3)),
        st.tuples(st.just("wait"), st.integers(1, 30)),
        st.tuples(st.sampled_from(["up", "down", "gone"]), st.just(0)),
    ),
    max_size=30,
)


@given(steps=steps)
@settings(max_examples=100, deadline=None)
def test_an_answer_is_never_older_than_it_may_be(steps: list[tuple[str, int]]) -> None:
    """Below 10 s it is served; below 50 s only while billing is down: whatever happens, in whatever order."""
    asyncio.run(_Story().tell(steps))


class _Story:
    """Prices on a clock of their own, and a billing system that comes and goes."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.billing = "up"
        self.fetched: dict[int, float] = {}
        lists = Kept(lambda: MonthPrices(Month(2026, 7), PriceList({})))
        self.prices = Prices(self.fetch, lambda: lists, _AtOnce(1), fresh_seconds=10, stale_seconds=50)

    def fetch(self, client_id: int, _prices: MonthPrices) -> bytes:
        if self.billing == "down":
            raise Unavailable("down")
        if self.billing == "gone":
            self.fetched.pop(client_id, None)
            raise NotFound("gone")
        self.fetched[client_id] = self.now
        return f"{client_id}@{self.now}".encode()

    async def tell(self, steps: list[tuple[str, int]]) -> None:
        with mock.patch("tollbridge.kept.time.monotonic", side_effect=lambda: self.now):
            for what, value in steps:
                if what == "wait":
                    self.now += value
                elif what == "ask":
                    await self.ask(value)
                else:
                    self.billing = what

    async def ask(self, client_id: int) -> None:
        age = self.now - self.fetched.get(client_id, -1000.0)
        try:
            answer = (await self.prices.answer(client_id)).decode()
        except TollbridgeError:
            assert self.billing != "up"
            assert age >= (10 if self.billing == "gone" else 50)
            return
        who, _, when = answer.partition("@")
        assert int(who) == client_id
        assert self.now - float(when) < (50 if self.billing == "down" else 10)


class _AtOnce(LookupThreads):
    """Whoever asks looks up."""

    def start(self, look_up: Callable[[], None]) -> None:
        look_up()
