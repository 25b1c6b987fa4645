"""The usage feed: nothing is invoiced from an answer that lacks anything."""

import copy
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.solus.panels import Bank, a_bank, settings_for
from tests.world import QUICK
from tollbridge.config import UsageSettings
from tollbridge.errors import Incomplete, Unavailable
from tollbridge.loopback import running
from tollbridge.model import ServerMeter, UsageItem, UserUsage
from tollbridge.rules.metering import computed_tokens
from tollbridge.sandbox import Kind
from tollbridge.solus.panel import Panel as Calls
from tollbridge.solus.sandbox import Fault
from tollbridge.usage import panel_feed

JULY, AUGUST = datetime(2026, 7, 1, tzinfo=UTC), datetime(2026, 8, 1, tzinfo=UTC)
FEED = UsageSettings()
Path = tuple[str | int, ...]

ROW: dict[str, Any] = {
    "user_id": 7,
    "billing_user_id": 1042,
    "items": [
        {
            "type": "server",
            "id": 11,
            "uuid": "0f5e",
            "name": "web-1",
            "plan": {"id": 3, "name": "1 Core, 1 GB RAM", "tokens_per_hour": 7, "tokens_per_month": 5000},
            "uptime_hours": 700,
            "tokens": 4900,
            "is_deleted": False,
        },
        {"type": "backup", "id": 11, "name": "web-1", "tokens": 490},
    ],
}
NUMBERS: list[Path] = [
    ("items", 0, "plan", "tokens_per_hour"), ("items", 0, "plan", "tokens_per_month"), ("items", 0, "uptime_hours"),
    ("items", 0, "tokens"), ("items", 1, "tokens"),
]  # fmt: skip
IDS: list[Path] = [("user_id",), ("items", 0, "id"), ("items", 1, "id")]
TEXTS: list[Path] = [("items", 0, "type"), ("items", 0, "name"), ("items", 1, "type"), ("items", 1, "name"),
                     ("items", 0, "plan", "name")]  # fmt: skip
OTHERS: list[Path] = [("billing_user_id",), ("items",), ("items", 0, "plan"), ("items", 0, "is_deleted")]
NEEDED = [*NUMBERS, *IDS, *TEXTS, *OTHERS]

NO_NUMBER: st.SearchStrategy[Any] = st.sampled_from(
    [None, True, "seven", "7.0", " 7", "", 7.0, 0.5, -1, [], {}, [7], 2**63, 10**30]
)
NO_ID: st.SearchStrategy[Any] = st.sampled_from(
    [None, True, "", "x7", "7.0", " 7", "-7", 7.5, -7, [], {}, 2**63, "\u0667", "1" * 30]
)
NO_TEXT: st.SearchStrategy[Any] = st.sampled_from([None, True, 7, 7.5, [], {}])

Answers = tuple[dict[str, Any], Calls]


@pytest.fixture(scope="module")
def feed() -> Iterator[Answers]:
    """A panel that answers with whatever document a test puts there."""
    answers: dict[str, Any] = {}

    def usage(request: Request) -> Response:
        answers["query"] = dict(request.query_params)
        return Response(json.dumps(answers["document"]), media_type="application/json")

    with running(Starlette(routes=[Route("/api/v1/usage", usage), Route("/api/v1/v2/metering", usage)])) as url:
        calls = Calls(settings_for(url), QUICK)
        yield answers, calls
        calls.close()


def _page(*rows: Any) -> dict[str, Any]:
    return {"data": list(rows), "meta": {"current_page": 1, "last_page": 1, "per_page": 100, "total": len(rows)}}


def _read(feed: Answers, document: Any) -> list[UserUsage]:
    answers, calls = feed
    answers["document"] = document
    return list(panel_feed(calls, FEED).read(JULY, AUGUST))


def _with(path: Path, change: Callable[[Any, str | int], None]) -> dict[str, Any]:
    row = copy.deepcopy(ROW)
    holder: Any = row
    for key in path[:-1]:
        holder = holder[key]
    change(holder, path[-1])
    return row


def _dotted(path: Path) -> str:
    """The path as bridge.toml and messages have it: from the item, or from the row."""
    return ".".join(str(key) for key in path if key not in {"items", 0, 1} or len(path) == 1)


def _put(value: Any) -> Callable[[Any, str | int], None]:
    def put(holder: Any, key: str | int) -> None:
        holder[key] = value

    return put


def test_a_row_is_read_as_it_was_declared(feed: Answers) -> None:
    server = ServerMeter("1 Core, 1 GB RAM", 7, 5_000, 700, is_deleted=False)
    items = (UsageItem("server", 11, "web-1", 4_900, server), UsageItem("backup", 11, "web-1", 490))
    (row,) = _read(feed, _page(ROW))
    assert row == UserUsage(7, 1042, items)
    assert (row.tokens, *map(computed_tokens, row.items)) == (5_390, 4_900, None)


@pytest.mark.parametrize("path", NEEDED, ids=lambda path: ".".join(map(str, path)))
def test_a_row_without_a_field_we_rely_on_is_refused_by_that_fields_name(feed: Answers, path: Path) -> None:
    with pytest.raises(Incomplete, match=f"without '{_dotted(path)}"):
        _read(feed, _page(_with(path, lambda holder, key: holder.pop(key))))


@settings(deadline=None, max_examples=200)
@given(data=st.data())
def test_a_row_with_a_field_of_the_wrong_type_is_refused_by_that_fields_name(
    feed: Answers, data: st.DataObject
) -> None:
    path = data.draw(st.sampled_from([*NUMBERS, *IDS, *TEXTS]))
    wrong = NO_NUMBER if path in NUMBERS else NO_ID if path in IDS else NO_TEXT
    with pytest.raises(Incomplete, match=f"'{_dotted(path)}' is not"):
        _read(feed, _page(_with(path, _put(data.draw(wrong)))))


@pytest.mark.parametrize(
    ("path", "value"),
    [(("items",), None), (("items",), {}), (("items",), [1]), (("items", 0, "plan"), None), (("items", 0, "plan"), []),
     (("items", 0, "is_deleted"), 0), (("items", 0, "is_deleted"), "no"), (("billing_user_id",), "x"),
     (("billing_user_id",), 1.0), (("billing_user_id",), False), (("billing_user_id",), -1)],
)  # fmt: skip
def test_a_table_list_or_flag_of_the_wrong_type_is_refused(feed: Answers, path: Path, value: Any) -> None:
    with pytest.raises(Incomplete, match=f"'{path[-1]}' is not"):
        _read(feed, _page(_with(path, _put(value))))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)


@settings(deadline=None, max_examples=300)
@given(path=st.sampled_from(NEEDED), value=JSON)
def test_whatever_a_field_holds_the_answer_is_refused_or_every_token_in_it_is_counted(
    feed: Answers, path: Path, value: Any
) -> None:
    row = _with(path, _put(value))
    try:
        (usage,) = _read(feed, _page(row))
    except Unavailable:
        return
    assert usage.tokens == sum(int(item["tokens"]) for item in row["items"])
    assert len(usage.items) == len(row["items"])


@settings(deadline=None, max_examples=150)
@given(document=JSON | st.fixed_dictionaries({"data": JSON, "meta": JSON}))
def test_an_answer_of_another_shape_is_refused_and_never_taken_for_no_usage(feed: Answers, document: Any) -> None:
    try:
        rows = _read(feed, document)
    except Unavailable:
        return
    assert rows == [] == document["data"]
    assert document["meta"]["total"] == 0


@pytest.mark.parametrize(
    ("sent", "read"), [(1042, 1042), ("1042", 1042), ("007", 7), (None, None), (0, None), ("", None), ("0", None)]
)
def test_the_billing_id_is_a_number_numeric_text_or_null(feed: Answers, sent: Any, read: int | None) -> None:
    assert _read(feed, _page({**ROW, "billing_user_id": sent}))[0].billing_user_id == read


@given(kind=st.text(min_size=1, max_size=20).filter(lambda kind: kind != "server"), tokens=st.integers(0, 10**12))
def test_an_item_of_a_kind_nobody_knows_is_counted_all_the_same(feed: Answers, kind: str, tokens: int) -> None:
    item = {"type": kind, "id": "5", "name": "x", "tokens": tokens, "new": {"field": 1}}
    (row,) = _read(feed, _page({**ROW, "items": [item]}))
    assert row.items == (UsageItem(kind, 5, "x", tokens),)


@pytest.mark.parametrize("number", [0, 1], ids=["server", "backup"])
def test_an_item_that_comes_twice_is_not_billed_twice(feed: Answers, number: int) -> None:
    twice = {**ROW, "items": [*ROW["items"], ROW["items"][number]]}
    with pytest.raises(Incomplete, match=f"user 7 has {ROW['items'][number]['type']} 11 twice"):
        _read(feed, _page(twice))


def test_names_with_characters_that_no_terminal_and_no_database_takes_come_clean(feed: Answers) -> None:
    odd = _with(("items", 0, "name"), _put("web\ud800-1\x1b[2J"))
    odd["items"][0]["plan"]["name"] = "x" * 10_000
    (row,) = _read(feed, _page(odd))
    assert row.items[0].name == "web\ufffd-1\ufffd[2J"
    assert row.items[0].server is not None
    assert len(row.items[0].server.plan) == 200
    assert row.tokens == 5_390


def test_one_users_usage_twice_is_not_billed_twice(feed: Answers) -> None:
    for total in (1, 2):
        document = _page(ROW, ROW)
        document["meta"]["total"] = total
        with pytest.raises(Incomplete, match="row 7 of usage twice"):
            _read(feed, document)


def test_the_interval_is_asked_for_in_utc_under_the_names_of_the_file(feed: Answers) -> None:
    answers, calls = feed
    answers["document"] = _page()
    list(panel_feed(calls, FEED).read(JULY, AUGUST))
    assert answers["query"] == {"from": "2026-07-01T00:00:00Z", "to": "2026-08-01T00:00:00Z", "page": "1"}
    other = UsageSettings("feed", "v2/metering", "since", "until", "p")
    list(panel_feed(calls, other).read(JULY, AUGUST))
    assert answers["query"] == {"since": "2026-07-01T00:00:00Z", "until": "2026-08-01T00:00:00Z", "p": "1"}


def _three_servers(bank: Bank) -> None:
    for client in (1, 2, 3):
        user = bank.panel.add_user(f"c{client}@example.com", billing_user_id=client)
        bank.panel.create_server(user.id, 1, f"web-{client}", backups=True, additional_ips=client)
    bank.panel.set_time(datetime(2026, 8, 2, tzinfo=UTC))


@pytest.mark.parametrize("kind", ["half_page", "no_meta", "wrong_total", "shuffled_pages"])
@pytest.mark.parametrize("skip", [0, 1])
def test_a_months_usage_is_whole_or_refused(bank: Bank, kind: Kind, skip: int) -> None:
    _three_servers(bank)
    expected = sum(item["tokens"] for row in bank.panel.usage(JULY, AUGUST) for item in row["items"])
    if (kind, skip) != ("shuffled_pages", 0):
        bank.panel.faults.add(Fault(kind, "GET", "usage", skip=skip))
        with pytest.raises(Incomplete):
            list(panel_feed(bank.solus.panel, FEED).read(JULY, AUGUST))
        assert bank.panel.faults.list() == []
    rows = list(panel_feed(bank.solus.panel, FEED).read(JULY, AUGUST))
    assert [row.billing_user_id for row in rows] == [1, 2, 3]
    assert sum(row.tokens for row in rows) == expected == 3 * 5_500


@settings(max_examples=25, deadline=None)
@given(hours=st.lists(st.integers(1, 744), min_size=1, max_size=3))
def test_the_bridges_rules_agree_with_the_panels_metering(hours: list[int]) -> None:
    with a_bank() as bank:
        user = bank.panel.add_user("ada@example.com", billing_user_id=1042)
        bank.panel.set_time(JULY)
        servers = [bank.panel.create_server(user.id, number % 4 + 1, f"web-{number}") for number in range(len(hours))]
        for ran, server in sorted(zip(hours, servers, strict=True), key=lambda pair: pair[0]):
            bank.panel.set_time(datetime.fromtimestamp(JULY.timestamp() + ran * 3600, UTC))
            bank.panel.stop_server(server.id)
        (row,) = panel_feed(bank.solus.panel, FEED).read(JULY, AUGUST)
    assert [computed_tokens(item) for item in row.items] == [item.tokens for item in row.items]
    assert sorted(item.server.hours for item in row.items if item.server) == sorted(hours)
