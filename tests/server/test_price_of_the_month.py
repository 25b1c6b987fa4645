"""The endpoint answers with the list of the month that it is, from its first second on, whoever has seen another."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import attrs
import httpx
import pytest

from tests.server.asking import ask, exact, out_of_reach
from tests.small_world import SmallWorld, a_small_world
from tollbridge.jobs import price_lists
from tollbridge.kept import Freshness
from tollbridge.ledger.price_lists import KeptList, PriceLists
from tollbridge.loopback import running
from tollbridge.rules.calendar import Month
from tollbridge.rules.pricing import PriceList
from tollbridge.server.app import create_app

JULY = Month(2026, 7)
NOON = datetime(2026, 7, 15, 12, tzinfo=UTC)
FROM_AUGUST = """
[[pricing.changes]]
from = "2026-08"
tokens = { USD = "0.002" }
"""
ALWAYS = Freshness(0, stale_seconds=float("inf"), patience_seconds=9, most_seconds=9)


@attrs.define
class Clock:
    """It stands still until it is moved."""

    now: datetime = NOON

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture(params=["sqlite", "postgresql"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SmallWorld]:
    """A small world with a ledger of each kind, and one client."""
    url = "" if request.param == "sqlite" else request.getfixturevalue("postgresql_url")
    with a_small_world(tmp_path, url) as made:
        made.add_client(1042)
        yield made


@contextmanager
def serving(world: SmallWorld, clock: Clock) -> Iterator[str]:
    """A server that was started with bridge.toml as it is now."""
    with world.parts() as parts, running(create_app(parts, clock)) as url:
        yield url


def shown(url: str) -> str:
    """What a token costs the client."""
    return str(exact(ask(url))["user_token_unit_cost"])


def warnings(url: str) -> list[str]:
    answer = httpx.get(f"{url}/readyz", timeout=30)
    assert (answer.status_code, answer.json()["ready"], answer.json()["problems"]) == (200, True, [])
    told: list[str] = answer.json()["warnings"]
    return told


@pytest.mark.parametrize(
    ("zone", "first"),
    [
        ("UTC", "2026-08-01T00:00:00+00:00"),
        ("America/New_York", "2026-08-01T04:00:00+00:00"),
        ("Pacific/Kiritimati", "2026-07-31T10:00:00+00:00"),
    ],
)
def test_a_server_that_lives_across_the_months_edge_shows_the_new_price_from_its_first_second_on(
    world: SmallWorld, zone: str, first: str
) -> None:
    world.billing = f'timezone = "{zone}"'
    world.more = FROM_AUGUST
    edge, clock = datetime.fromisoformat(first), Clock()
    with serving(world, clock) as url:
        assert shown(url) == "0.001"
        clock.now = edge - timedelta(microseconds=1)
        assert shown(url) == "0.001"
        clock.now = edge
        assert shown(url) == "0.002", "what was remembered a second ago was July's"
        assert warnings(url) == []
        clock.now = edge - timedelta(seconds=1)
        assert shown(url) == "0.001", "a clock that is set back"


def test_an_edited_price_is_not_shown_before_the_next_month_and_is_a_warning_until_then(world: SmallWorld) -> None:
    clock = Clock()
    with serving(world, clock) as url:
        assert (shown(url), warnings(url)) == ("0.001", [])
    world.usd = "0.002"
    with serving(world, clock) as url:
        assert shown(url) == "0.001"
        [warning] = warnings(url)
        assert "2026-07" in warning
        assert "tollbridge check" in warning
        assert "0.00" not in warning, "anybody may ask"
        clock.now = datetime(2026, 8, 1, tzinfo=UTC)
        assert (shown(url), warnings(url)) == ("0.002", [])


def test_a_month_has_its_list_though_nobody_asks_for_a_price(world: SmallWorld) -> None:
    with serving(world, Clock()):
        pass
    world.usd = "0.002"
    with serving(world, Clock()) as url:
        assert shown(url) == "0.001"


def test_a_server_shows_what_another_machine_saw_first(world: SmallWorld) -> None:
    clock = Clock()
    with serving(world, clock) as url:
        assert shown(url) == "0.001"
        with world.parts() as other:
            other.ledger.price_lists.keep(JULY.next, attrs.evolve(other.settings.pricing, tokens={
                **other.settings.pricing.tokens, "USD": other.settings.pricing.tokens["USD"] * 3,
            }).price_list(JULY.next), None)  # fmt: skip
        clock.now = datetime(2026, 8, 1, tzinfo=UTC)
        assert shown(url) == "0.003"


def test_what_a_human_said_otherwise_is_shown_at_the_next_look_into_the_ledger_however_long_prices_are_remembered(
    world: SmallWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(price_lists, "_FRESHNESS", ALWAYS)
    with serving(world, Clock()) as url:
        assert shown(url) == "0.001"
        world.usd = "0.002"
        with world.parts() as parts:
            assert parts.ledger.price_lists.replace(JULY, parts.settings.pricing.price_list(JULY), None, "a mistake")
        assert shown(url) == "0.002"
        assert warnings(url) != [], "this server has the old file"


def test_the_ledger_is_asked_once_for_many_look_ups(world: SmallWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Month] = []
    real = PriceLists.look

    def look(self: PriceLists, month: Month, seen: PriceList, file: str | None) -> KeptList:
        asked.append(month)
        return real(self, month, seen, file)

    monkeypatch.setattr(PriceLists, "look", look)
    clock = Clock()
    for client_id in range(1, 21):
        world.add_client(client_id)
    with serving(world, clock) as url:
        assert {ask(url, client_id).status_code for client_id in [*range(1, 21)] * 2} == {200}
        assert asked == [JULY]
        clock.now = datetime(2026, 8, 1, tzinfo=UTC)
        assert {ask(url, client_id).status_code for client_id in range(1, 21)} == {200}
        assert asked == [JULY, JULY.next]


def test_while_the_ledger_is_down_a_month_keeps_its_list_and_a_new_month_is_not_guessed(
    tmp_path: Path, postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(price_lists, "_FRESHNESS", ALWAYS)
    clock = Clock()
    with a_small_world(tmp_path, postgresql_url) as world:
        world.add_client(1042)
        with serving(world, clock) as url:
            assert shown(url) == "0.001"
            with out_of_reach(postgresql_url):
                assert shown(url) == "0.001"
                clock.now = datetime(2026, 8, 1, tzinfo=UTC)
                assert ask(url).status_code == 503
                assert httpx.get(f"{url}/readyz", timeout=30).json()["problems"] == ["the ledger does not answer"]
            assert shown(url) == "0.001", "and it is when the ledger is back"
