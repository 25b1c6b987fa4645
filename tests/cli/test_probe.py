"""``probe``: what it prints makes a feed of another shape work, and holds nothing of the panel."""

import json
import random
import stat
import tomllib
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.cli.company import Operator, Told
from tests.world import World
from tollbridge.loopback import running
from tollbridge.solus.sandbox import Fault, FeedShape

JUNE = ("probe", "--month", "2026-06")
METER = 'source = "meter"'
BILLED = {"TB-2026-06-1042": "5", "TB-2026-06-1043": "105", "TB-2026-06-1044": "6.28"}


@pytest.fixture
def operator(world: World, capsys: pytest.CaptureFixture[str]) -> Operator:
    """Three clients with June behind them, one with several servers, backups and addresses; pages of two rows."""
    for client, currency in ((1042, "USD"), (1043, "JPY"), (1044, "EUR")):
        world.add_client(client, currency)
    world.run_server(world.add_user(1042), 720)
    world.run_server(world.add_user(1043), 100, name="kumo")
    user = world.add_user(1044)
    world.run_server(user, 50, plan="2 Cores, 4 GB RAM", name="big")
    world.panel.create_server(user, 1, "web-1", backups=True, additional_ips=2)
    world.panel.set_time(datetime(2026, 7, 1, 4, tzinfo=UTC))
    world.panel.per_page = 2
    return Operator(world, capsys)


def words(told: Told) -> str:
    """What was said, without what the width of the terminal made of it."""
    return " ".join(told.out.split())


def pasted(printed: str) -> str:
    """The tables that are to be pasted."""
    return "\n\n".join(block for block in printed.split("\n\n") if block.startswith("[solus.usage"))


@pytest.mark.parametrize("shape", ["names", "flat", "text", "paging"])
def test_a_feed_of_another_shape_is_billed_to_the_cent_with_what_probe_prints(
    operator: Operator, shape: FeedShape
) -> None:
    world = operator.world
    world.panel.feed = shape
    told = operator(*JUNE)
    assert (told.code, told.err) == (0, "")
    assert "The usage feed fits" in words(told)
    document = operator(*JUNE, "--json").json
    table = tomllib.loads(pasted(told.out)).get("solus", {"usage": {"fields": {}}})["usage"]
    assert (document["fits"], {"fields": document["fields"]}) == (True, table)
    world.more = f"\n{pasted(told.out)}\n"
    assert operator("run", "--date", "2026-07-01").code == 0
    assert world.billed() == BILLED
    again = operator(*JUNE)
    assert "fits, as bridge.toml has it" in words(again)
    assert operator("usage", "--month", "2026-06", "--json").json["remarks"] == []


def test_a_feed_as_it_was_declared_needs_nothing(operator: Operator) -> None:
    told = operator(*JUNE)
    assert told.code == 0
    assert "The usage feed fits, as bridge.toml has it." in told.out
    assert pasted(told.out) == ""
    assert operator("run", "--date", "2026-07-01").code == 0
    assert operator.world.billed() == BILLED


@pytest.mark.parametrize("shape", ["totals", "none"])
def test_a_panel_without_items_is_refused_with_the_words_to_use_the_meter(operator: Operator, shape: FeedShape) -> None:
    operator.world.panel.feed = shape
    told = operator(*JUNE)
    assert (told.code, told.err) == (1, "")
    assert METER in words(told)
    assert pasted(told.out) == ""
    document = operator(*JUNE, "--json").json
    assert (document["fits"], document["fields"]) == (False, None)
    assert operator("run", "--date", "2026-07-01").code == 3
    assert operator.world.billed() == {}


def test_a_month_without_usage_tells_nothing(operator: Operator) -> None:
    told = operator("probe")
    assert told.code == 1, "the last month that has ended is long after June 2026"
    assert "nothing was used in that month" in words(told)
    assert METER not in words(told)


def test_the_document_has_the_contracts_keys_and_every_list_the_bridge_reads(operator: Operator) -> None:
    document = operator(*JUNE, "--json").json
    assert document.keys() == {"fits", "fields", "calls"}
    assert all(call.keys() == {"path", "status", "shape"} for call in document["calls"])
    asked = {call["path"].partition("?")[0] for call in document["calls"]}
    assert {"account", "users", "roles", "limit_groups", "plans", "servers", "settings", "usage"} <= asked
    usage = next(call for call in document["calls"] if call["path"].startswith("usage?"))
    assert usage["path"] == "usage?from=2026-06-01T00:00:00Z&to=2026-07-01T00:00:00Z&page=1"
    assert usage["shape"]["data"][0]["items"][0]["plan"] == {
        "id": "whole number", "name": "text", "tokens_per_hour": "whole number", "tokens_per_month": "whole number",
    }  # fmt: skip


def test_nothing_is_written_anywhere(operator: Operator) -> None:
    world = operator.world
    config = world.config.read_text()
    before = {file.name: file.read_bytes() for file in world.folder.iterdir() if file.is_file()}
    operator(*JUNE)
    assert {entry.method for entry in world.panel.journal.list()} == {"GET"}
    world.config.write_text(config)
    assert {file.name: file.read_bytes() for file in world.folder.iterdir() if file.is_file()} == before


@pytest.mark.parametrize("there_before", [False, True])
def test_the_file_is_its_owners_alone(operator: Operator, tmp_path: Path, there_before: bool) -> None:
    file = tmp_path / "probe.txt"
    if there_before:
        file.write_text("x" * 100_000)
        file.chmod(0o644)
    told = operator(*JUNE, "--out", str(file))
    assert told.code == 0
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "GET usage" in file.read_text()
    assert "GET usage" not in told.out
    assert "The usage feed fits" in file.read_text()
    document = operator(*JUNE, "--json", "--out", str(file))
    assert json.loads(file.read_text()) == document.json


def test_a_file_that_cannot_be_written_is_2(operator: Operator, tmp_path: Path) -> None:
    told = operator(*JUNE, "--out", str(tmp_path / "gone" / "probe.txt"))
    assert (told.code, told.out) == (2, "")
    assert "--out" in told.err


def test_a_panel_that_is_not_there_is_3_and_is_not_named(operator: Operator) -> None:
    path = operator.world.config
    path.write_text(path.read_text().replace(operator.world.solus_url, "http://localhost:1"))
    told = operator(*JUNE, config=path)
    assert (told.code, told.out) == (3, "")
    assert "localhost" not in told.err
    assert "solus.url" in told.err


def test_a_token_that_is_not_accepted_is_3_and_says_so(operator: Operator) -> None:
    told = operator(*JUNE, config=operator.configured(api_token="another-token"))
    assert (told.code, told.out) == (3, "")
    assert "does not accept the API token" in told.err
    assert "another-token" not in told.err


@pytest.mark.parametrize("kind", ["500", "503", "429"])
def test_a_feed_that_does_not_answer_just_now_is_3_and_no_reason_for_the_meter(operator: Operator, kind: Any) -> None:
    operator.world.panel.faults.add(Fault(kind, "GET", "usage", times=None))
    told = operator(*JUNE)
    assert told.code == 3
    assert "Try again later" in told.out
    assert METER not in words(told)
    assert f"{kind}  GET usage" in told.out


# What follows is a panel that answers anything.

USER = {"id": 2, "email": "ada@example.com", "status": "active", "billing_user_id": 1042, "roles": [{"id": 2}]}
SERVER = {
    "type": "server", "id": 1, "uuid": "f5a25d27-8104-56a4-a234-2a40f73c379c", "name": "web-1", "uptime_hours": 700,
    "plan": {"name": "Small", "tokens_per_hour": 7, "tokens_per_month": 5000}, "tokens": 4900, "is_deleted": False,
}  # fmt: skip
ROW = {"user_id": 2, "billing_user_id": 1042, "items": [SERVER]}
META = {"current_page": 1, "last_page": 1, "per_page": 15, "total": 1}


@pytest.fixture(scope="module")
def anything() -> Iterator[tuple[str, dict[str, Any]]]:
    """A panel whose answers a test puts there, by path; ``""`` is that for all other paths."""
    answers: dict[str, Any] = {}

    def answer(request: Request) -> Response:
        given = answers.get(request.path_params["path"], answers.get("", Response(status_code=404)))
        made = given(request) if callable(given) and not isinstance(given, Response) else given
        return made if isinstance(made, Response) else Response(json.dumps(made), media_type="application/json")

    with running(Starlette(routes=[Route("/api/v1/{path:path}", answer)])) as url:
        yield url, answers


def ask(anything: tuple[str, dict[str, Any]], operator: Operator, answers: dict[str, Any], *options: str) -> Told:
    url, there = anything
    there.clear()
    there |= {"account": {"data": USER}, "users": {"data": [USER], "meta": META}, **answers}
    path = operator.world.config
    path.write_text(path.read_text().replace(operator.world.solus_url, url))
    return operator(*JUNE, *options, config=path)


def only(first: str, last: str, rows: list[Any]) -> Any:
    """A feed that looks at the parameters of these names, and at no others."""

    def answer(request: Request) -> Any:
        query = request.query_params
        if first not in query or last not in query:
            return Response(json.dumps({"message": "The interval is missing."}), 422)
        found = rows if query[first].startswith("2026-06") else []
        return {"data": found, "meta": {**META, "total": len(found)}}

    return answer


def test_a_feed_at_another_path_with_other_parameters_is_found(
    anything: tuple[str, dict[str, Any]], operator: Operator
) -> None:
    told = ask(anything, operator, {"billing/usage": only("start", "end", [ROW])})
    assert told.code == 0
    table = tomllib.loads(pasted(told.out))["solus"]["usage"]
    assert table == {"path": "billing/usage", "from_parameter": "start", "to_parameter": "end", "fields": {}}
    document = ask(anything, operator, {"billing/usage": only("start", "end", [ROW])}, "--json").json
    assert document["usage"] == {"path": "billing/usage", "from_parameter": "start", "to_parameter": "end"}


def test_a_feed_that_answers_every_interval_alike_does_not_fit(
    anything: tuple[str, dict[str, Any]], operator: Operator
) -> None:
    told = ask(anything, operator, {"usage": {"data": [ROW], "meta": META}})
    assert told.code == 1
    assert "year 2000" in words(told)


def test_a_feed_that_answers_every_page_alike_does_not_fit(
    anything: tuple[str, dict[str, Any]], operator: Operator
) -> None:
    meta = {**META, "per_page": 1, "last_page": 2, "total": 2}
    del meta["current_page"]
    told = ask(anything, operator, {"usage": {"data": [ROW], "meta": meta}})
    assert told.code == 1
    assert "second page" in words(told)


def test_a_feed_whose_users_belong_to_other_clients_than_the_list_says_does_not_fit(
    anything: tuple[str, dict[str, Any]], operator: Operator
) -> None:
    row = {"customer_id": 2, "client_id": 1043, "items": [SERVER]}
    told = ask(anything, operator, {"usage": only("from", "to", [row])})
    assert (told.code, "client_id" in pasted(told.out)) == (0, False), "the bridge's own links say whose it is"
    assert 'billing_user = ""' in pasted(told.out)
    swapped = {"customer_id": 1042, "client_id": 2, "items": [SERVER]}
    told = ask(anything, operator, {"usage": only("from", "to", [swapped])})
    assert 'user = "client_id"' in pasted(told.out)
    assert 'billing_user = "customer_id"' in pasted(told.out)
    told = ask(anything, operator, {"usage": only("from", "to", [{"customer_id": 77, "items": [SERVER]}])})
    assert told.code == 1
    assert "GET users" in words(told)


def test_hours_that_are_no_started_hours_are_left_out_and_a_price_is_not_taken_for_usage(
    anything: tuple[str, dict[str, Any]], operator: Operator
) -> None:
    item = {**SERVER, "hours": 700 * 3600, "used_tokens": 4900}
    del item["uptime_hours"], item["tokens"]
    told = ask(anything, operator, {"usage": only("from", "to", [{**ROW, "items": [item]}])})
    assert told.code == 0
    table = tomllib.loads(pasted(told.out))["solus"]["usage"]["fields"]
    assert (table["tokens"], table["hours"]) == ("used_tokens", "")


def test_a_count_that_may_be_that_of_one_page_is_not_taken_for_the_total(
    anything: tuple[str, dict[str, Any]], operator: Operator
) -> None:
    def answer(request: Request) -> Any:
        rows = [ROW] if request.query_params.get("from", "").startswith("2026-06") else []
        return {"data": rows, "count": len(rows), "per_page": 1, "page": 1}

    assert ask(anything, operator, {"usage": answer}).code == 1


SECRETS = st.one_of(
    st.uuids().map(str),
    st.integers(10**8, 10**17),
    st.emails(),
    st.text("abcdefghijklmnopqrstuvwxyz", min_size=7, max_size=12).map(lambda text: f"zq{text}"),
    st.text(min_size=8, max_size=30).map(lambda text: f"§{text}"),
    st.sampled_from(["AcmeHosting", "web-frontend-7", "10.11.12.13", "panel.acme.example", "sk_live_4eC39HqLy",
                     "2019-08-27T13:04:39.000000Z", "https://panel.acme.example/x", "ada lovelace", "\ud800half"]),
)  # fmt: skip


def planted(value: Any, secrets: list[Any], chance: random.Random) -> Any:
    """``value`` with secrets in place of some of its values, beside and around them, and as keys."""
    if isinstance(value, dict):
        there = {key: planted(inner, secrets, chance) for key, inner in value.items()}
        if chance.random() < 0.2:
            there[str(chance.choice(secrets))] = chance.choice([value, chance.choice(secrets), {}])
        return there
    if isinstance(value, list):
        return [planted(inner, secrets, chance) for inner in value] + [chance.choice(secrets)] * chance.choice(
            [0, 0, 1]
        )
    if chance.random() < 0.4:
        secret = chance.choice(secrets)
        return chance.choice([secret, secret, [secret], {str(secret): secret}])
    return value


def hostile(document: Any, secrets: list[Any], chance: random.Random) -> Response:
    """An answer of any kind, with secrets in all of it."""
    body = json.dumps(planted(document, secrets, chance))
    if chance.random() < 0.15:
        body = chance.choice([f"<html>{secrets[0]}", f"{secrets[0]}", f'"{secrets[0]}', "[" * 5000, "1" * 5000])
    text = body.encode("utf-8", "replace")
    said = str(secrets[-1]).encode("ascii", "replace").decode()
    place = {
        "location": f"https://{uuid.uuid4()}.example/",
        "retry-after": "1",
        "x-secret": said if said.isprintable() else "",
    }
    return Response(text, chance.choice([200, 200, 200, 201, 302, 403, 404, 422, 429, 500, 503]), place)


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(secrets=st.lists(SECRETS, min_size=1, max_size=5), seed=st.integers(0, 2**32))
def test_no_value_of_the_panel_is_in_the_output_whatever_is_in_its_answers(
    anything: tuple[str, dict[str, Any]], operator: Operator, secrets: list[Any], seed: int
) -> None:
    chance = random.Random(seed)
    documents = [{"data": [ROW], "meta": META}, {"data": [USER], "meta": META}, {"data": USER}, [ROW], secrets,
                 {"message": secrets[0], "errors": {str(secrets[0]): secrets}}]  # fmt: skip
    answers: dict[str, Any] = {"": lambda _request: hostile(chance.choice(documents), secrets, chance)}
    answers["users"] = lambda _request: hostile(documents[1], secrets, chance)
    answers["usage"] = lambda _request: hostile(documents[0], secrets, chance)
    answers["account"] = lambda _request: planted(documents[2], secrets, chance)
    file = operator.world.folder / "probe.json"
    as_json = chance.choice([(), ("--json",)])
    told = ask(anything, operator, answers, "--out", str(file), *as_json)
    assert told.code in {0, 1, 3}
    assert "fault of Tollbridge" not in told.err
    shown = told.out + told.err + file.read_text()
    known = (*secrets, anything[0], "sandbox-token", "ada@example.com", "web-1", "4900", "1042", "f5a25d27")
    assert [secret for secret in known if str(secret).encode("utf-8", "replace").decode() in shown] == []
