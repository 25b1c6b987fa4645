"""Whatever goes wrong in a company stands on the first screen of Today, each in words and with what mends it."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.server.operator.office import Office
from tests.server.operator.plants import PLANTS, SECOND, Plant, a_morning, ask_price, audited, died, left_in_doubt
from tollbridge.cli import main
from tollbridge.texts.languages import LANGUAGES

CLIENTS = 16


def _troubles(office: Office) -> dict[str, dict[str, str]]:
    """The first row of each kind."""
    found: dict[str, dict[str, str]] = {}
    for row in office.operator().table("", "troubles"):
        found.setdefault(row["trouble"], row)
    return found


@pytest.fixture(scope="module")
def bad_morning(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """Everything at once."""
    with a_morning(tmp_path_factory.mktemp("morning"), *PLANTS, clients=CLIENTS) as office:
        yield office


@pytest.mark.parametrize("plant", PLANTS, ids=[plant.kind for plant in PLANTS])
def test_each_failure_is_told_with_its_command_among_all_others(bad_morning: Office, plant: Plant) -> None:
    told = _troubles(bad_morning)[plant.kind]
    commands = told["what_to_do"].split("; ")
    for command in plant.commands:
        assert any(each.startswith(command) for each in commands), told
    assert told["message"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_many_kinds_are_named_at_a_glance_and_lead_to_their_rows(bad_morning: Office, language: str) -> None:
    page = bad_morning.operator(language).page()
    links = page.one("ul", **{"class": "overview"}).all("a")
    assert len(links) == len(_troubles(bad_morning)) > 18
    for link in links:
        assert link.text.rpartition(" ")[0] in page.one("tr", id=link["href"].removeprefix("#")).text


def test_what_does_not_go_on_comes_before_what_waits(bad_morning: Office) -> None:
    kinds = [link["class"] for link in bad_morning.operator().page().one("ul", **{"class": "overview"}).all("a")]
    assert kinds == sorted(kinds)
    assert set(kinds) == {"bad", "wait"}


def test_clients_that_fail_alike_are_one_line_with_their_number(bad_morning: Office) -> None:
    (row,) = [row for row in bad_morning.operator().table("", "troubles") if "pays in CHF" in row["message"]]
    assert (row["count"], row["who"]) == ("2", f"client 6 in {SECOND}")


@pytest.mark.parametrize("kind", ["totals", "corrections", "whose", "doubtful"])
def test_the_command_mends_it_and_it_is_told_no_more(tmp_path: Path, kind: str) -> None:
    (plant,) = [each for each in PLANTS if each.kind == kind]
    with a_morning(tmp_path, plant, clients=11) as office:
        what = _troubles(office)[kind]["what_to_do"].split("; ")
        decides = [command for command in what if not command.startswith(("tollbridge explain", "tollbridge price"))]
        command = decides[-1] if kind == "unbilled" else decides[0]
        typed = ["somebody has looked" if word == "TEXT" else word for word in command.split()[1:]]
        assert main(["--config", str(office.world.config), *typed]) in {0, 1}
        assert kind not in _troubles(office)


def test_a_morning_on_which_all_is_well_says_so(tmp_path: Path) -> None:
    with a_morning(tmp_path, Plant("", (), after=audited), clients=3) as office:
        assert _troubles(office) == {}
        state = office.operator().page().one("section", **{"aria-labelledby": "state-title"}).text
        assert "Nothing is wrong, and nothing waits for you." in state


def test_the_price_endpoint_tells_who_is_refused_and_who_does_not_ask(tmp_path: Path) -> None:
    with a_morning(tmp_path, clients=3) as office:
        ask_price(office, token="wrong")
        assert "tollbridge connect" in _troubles(office)["endpoint_refused"]["what_to_do"]
        assert ask_price(office).status_code == 200
        assert not {"endpoint_refused", "endpoint_failed"} & _troubles(office).keys()
        office.world.execute("ALTER TABLE clients RENAME TO clients_away")
        assert ask_price(office, client=2).status_code == 503
        assert "tollbridge check" in _troubles(office)["endpoint_failed"]["what_to_do"]


def test_a_day_without_a_run_an_audit_or_a_look_up_is_told(tmp_path: Path) -> None:
    with a_morning(tmp_path, clients=3) as office:
        assert "tollbridge audit" in _troubles(office)["audit_none"]["what_to_do"]
        office.now += timedelta(hours=27)
        assert "endpoint_silent" in _troubles(office)
        state = office.operator().page().one("section", **{"aria-labelledby": "state-title"}).text
        assert "There was no run since" in state
        assert "tollbridge run" in state


def test_a_run_that_lives_and_does_not_go_on_hangs_and_what_another_left_is_told_all_the_same(tmp_path: Path) -> None:
    with a_morning(tmp_path, Plant("", (), after=left_in_doubt), clients=12) as office:
        with office.parts.ledger.runs.live("run", office.now.date(), works=True) as live:
            assert "run_hangs" not in _troubles(office)
            office.now += timedelta(hours=27)
            told = _troubles(office)
            assert (told["run_hangs"]["who"], told["doubtful"]["count"]) == (f"run {live.id}", "1")
        office.now -= timedelta(hours=27)
        assert "run_hangs" not in _troubles(office)


def test_a_run_that_was_killed_is_the_first_thing_to_read(tmp_path: Path) -> None:
    with a_morning(tmp_path, Plant("", (), after=died), clients=3) as office:
        state = office.operator().page().one("section", **{"aria-labelledby": "state-title"}).text
        assert "died without a word" in state
