"""Feeds as a panel may have them: ``probe`` finds fields by which their tokens are read, or says why there are none."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.solus.panels import settings_for
from tests.world import QUICK
from tollbridge.config import UsageFields, UsageSettings
from tollbridge.http import InProcess
from tollbridge.model import UserUsage
from tollbridge.solus.panel import Panel
from tollbridge.usage import panel_feed
from tollbridge.usage.probe import Findings, Probe

JUNE, JULY = datetime(2026, 6, 1, tzinfo=UTC), datetime(2026, 7, 1, tzinfo=UTC)
PEOPLE = {2: 1042, 3: 1043}
HOURS = {2: 700, 3: 100}
TOKENS = {2: 4900 + 490, 3: 700 + 70}
UUIDS = {2: "f5a25d27-8104-56a4-a234-2a40f73c379c", 3: "0b9c2a5e-8104-46a4-a234-2a40f73c3701"}

Row = dict[str, Any]
Feed = Callable[[], tuple[list[Row], Row]]


def answering(make: Feed) -> Panel:
    """A panel with two users, and that feed for June, whole on its first page."""
    rows, envelope = make()

    def answer(request: Request) -> Response:
        path, june = request.path_params["path"], request.query_params.get("from", "").startswith("2026-06")
        if path == "users":
            people = [{"id": user, "billing_user_id": client} for user, client in PEOPLE.items()]
            document: Any = {"data": people, "meta": {"total": 2, "last_page": 1, "current_page": 1}}
        elif path == "usage":
            document = filled(envelope, rows if june else [])
        elif path == "account":
            document = {"data": {}}
        else:
            return Response("{}", 404)
        return Response(json.dumps(document), media_type="application/json")

    app = Starlette(routes=[Route("/api/v1/{path:path}", answer)])
    return Panel(settings_for("http://127.0.0.1"), QUICK, InProcess(app))


def filled(envelope: Any, rows: list[Row]) -> Any:
    """The envelope with rows where it says ROWS, and their number where it says COUNT."""
    if isinstance(envelope, dict):
        return {key: filled(value, rows) for key, value in envelope.items()}
    return {"ROWS": rows, "COUNT": len(rows)}.get(envelope, envelope)


META = {"current_page": 1, "last_page": 1, "per_page": 15, "total": "COUNT"}


def camel() -> tuple[list[Row], Row]:
    rows = [
        {"userId": user, "billingUserId": str(PEOPLE[user]), "items": [
            {"itemType": "server", "itemId": user, "itemName": "a", "planName": "S", "tokensPerHour": 7,
             "tokensPerMonth": 5000, "uptimeHours": HOURS[user], "totalTokens": HOURS[user] * 7},
            {"itemType": "backup", "itemId": user, "itemName": "a", "totalTokens": HOURS[user] * 7 // 10}]}
        for user in PEOPLE
    ]  # fmt: skip
    return rows, {"content": "ROWS", "page": {"number": 1, "size": 20, "totalPages": 1, "totalItems": "COUNT"}}


def by_user() -> tuple[list[Row], Row]:
    rows = [
        {"id": user, "email": "x", "external_id": PEOPLE[user], "services": [
            {"id": user, "name": "a", "kind": "server", "tariff": "S", "hours": HOURS[user], "hourly_price": 7,
             "monthly_price": 5000, "cost": HOURS[user] * 7},
            {"id": user + 10, "name": "a", "kind": "backup", "cost": HOURS[user] * 7 // 10}]}
        for user in PEOPLE
    ]  # fmt: skip
    return rows, {"data": {"users": "ROWS", "total": "COUNT", "pages": 1, "page": 1}}


def records() -> tuple[list[Row], Row]:
    """Rows with numbers of their own beside the servers', without types, prices or clients."""
    number = iter(range(900, 1000))
    rows = [
        {"id": next(number), "user": {"id": user}, "vm": {"id": user * 10 + part, "label": "a"}, "tokens_used": tokens}
        for part, share in ((0, 1), (1, 10))
        for user in PEOPLE
        for tokens in [HOURS[user] * 7 // share]
    ]
    return rows, {"records": "ROWS", "total_records": "COUNT", "page_size": 100, "page": 1}


def uuids() -> tuple[list[Row], Row]:
    rows = [
        {"user_id": user, "billing_user_id": PEOPLE[user], "type": kind, "uuid": UUIDS[user], "name": "a",
         "tokens": HOURS[user] * 7 // share, "hours": HOURS[user]}
        for user in PEOPLE for kind, share in (("server", 1), ("backup", 10))
    ]  # fmt: skip
    return rows, {"data": "ROWS", "meta": META}


FITTING: list[Feed] = [camel, by_user, records, uuids]


def probed(panel: Panel) -> Findings:
    return Probe(panel, UsageSettings()).look(JUNE, JULY)


@pytest.mark.parametrize("make", FITTING)
def test_a_feed_of_another_make_is_read_to_the_token_by_what_is_found(make: Feed) -> None:
    panel = answering(make)
    found = probed(panel)
    assert found.feed is not None, found.reason
    usage: list[UserUsage] = list(panel_feed(panel, found.feed).read(JUNE, JULY))
    assert {user.user_id: user.tokens for user in usage} == TOKENS
    clients = {user.user_id: user.billing_user_id for user in usage}
    assert clients == (PEOPLE if found.feed.fields.billing_user else dict.fromkeys(PEOPLE))
    assert all(len(user.items) == 2 for user in usage)
    assert not found.as_declared


def test_hours_and_prices_are_found_where_they_make_the_tokens() -> None:
    for make in (camel, by_user):
        found = probed(answering(make)).feed
        assert found is not None
        fields = found.fields
        assert fields.hours
        assert fields.tokens_per_hour in {"tokensPerHour", "hourly_price"}


def declared() -> list[Row]:
    items = [{"type": "server", "id": 1, "name": "a", "tokens": 7}]
    return [{"user_id": user, "billing_user_id": PEOPLE[user], "items": items} for user in PEOPLE]


def without_pages() -> tuple[list[Row], Row]:
    return [{**row, "items": [{**item, "type": "backup"} for item in row["items"]]} for row in declared()], {
        "data": "ROWS"
    }


def prices_only() -> tuple[list[Row], Row]:
    rows = [{**row, "items": [{"type": "backup", "id": 1, "name": "a", "cost": 7}]} for row in declared()]
    return rows, {"data": "ROWS", "meta": META}


def sums() -> tuple[list[Row], Row]:
    return [{"user_id": user, "billing_user_id": PEOPLE[user], "tokens": 7} for user in PEOPLE], {
        "data": "ROWS",
        "meta": META,
    }


def fractions() -> tuple[list[Row], Row]:
    rows = [{**row, "items": [{"type": "backup", "id": 1, "name": "a", "tokens": 7.5}]} for row in declared()]
    return rows, {"data": "ROWS", "meta": META}


@pytest.mark.parametrize(
    ("make", "reason"),
    [(without_pages, "how many rows"), (prices_only, "has no items, or"), (sums, "sums per user"),
     (fractions, "has no items, or")],
)  # fmt: skip
def test_what_cannot_be_invoiced_from_is_not_taken_for_a_feed(make: Feed, reason: str) -> None:
    found = probed(answering(make))
    assert found.feed is None
    assert reason in found.reason


def test_bridge_tomls_own_fields_come_first() -> None:
    panel = answering(camel)
    found = probed(panel).feed
    assert found is not None
    again = Probe(panel, found).look(JUNE, JULY)
    assert (again.feed, again.as_declared) == (found, True)
    assert UsageSettings(fields=UsageFields()) != found
