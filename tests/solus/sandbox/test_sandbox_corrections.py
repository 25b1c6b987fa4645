"""Usage of a month that is over can be reported late or taken back, as a live panel may do."""

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from tollbridge.rules.calendar import Month
from tollbridge.solus.sandbox import Panel, PanelError, User

JULY, AUGUST = Month(2026, 7), datetime(2026, 8, 1, 4, tzinfo=UTC)


def _items(panel: Panel, month: int = 7) -> list[tuple[int, str, int, int]]:
    rows = panel.usage(datetime(2026, month, 1, tzinfo=UTC), datetime(2026, month + 1, 1, tzinfo=UTC))
    return [(row["user_id"], item["type"], item["id"], item["tokens"]) for row in rows for item in row["items"]]


@pytest.fixture
def server(panel: Panel, ada: User) -> int:
    """A server of Ada's that ran all July, which is over."""
    made = panel.create_server(ada.id, 1, "web-1").id
    panel.set_time(AUGUST)
    return made


def test_a_servers_tokens_are_reported_late_and_taken_back(
    panel: Panel, ada: User, server: int, controls: httpx.Client
) -> None:
    for tokens, left in ((44, 5_044), (-1_000, 4_044), (-4_044, 0)):
        body = {"month": "2026-07", "server_id": server, "tokens": tokens}
        assert controls.post("usage", json=body).status_code == 201
        assert _items(panel) == [(ada.id, "server", server, left)]
    assert _items(panel, 8) == [(ada.id, "server", server, 7 * 4)]


def test_a_user_without_any_usage_gets_some(panel: Panel, ada: User, api: httpx.Client, controls: httpx.Client) -> None:
    panel.set_time(AUGUST)
    body = {"month": "2026-07", "user_id": ada.id, "tokens": 44}
    assert controls.post("usage", json=body).json()["data"] == {**body, "server_id": None}
    row = api.get("usage?from=2026-07-01T00:00:00Z&to=2026-08-01T00:00:00Z").json()["data"][0]
    assert row["items"] == [{"type": "correction", "id": 1, "name": "Reported later", "tokens": 44}]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"tokens": 44}, "server_id"),
        ({"user_id": 2, "server_id": 1, "tokens": 44}, "server_id"),
        ({"server_id": 1, "tokens": 0}, "tokens"),
        ({"server_id": 1, "tokens": -5_001}, "tokens"),
        ({"server_id": 1, "tokens": "44"}, "tokens"),
        ({"user_id": 2, "tokens": -1}, "tokens"),
        ({"server_id": 9, "tokens": 44}, "server_id"),
        ({"server_id": 1, "tokens": 44, "month": "2026-08"}, "month"),
        ({"server_id": 1, "tokens": 44, "month": "July"}, "month"),
    ],
)
def test_what_cannot_be_reported_is_refused_by_its_field(
    panel: Panel, server: int, controls: httpx.Client, body: dict[str, Any], field: str
) -> None:
    refused = controls.post("usage", json={"month": "2026-07", **body})
    assert (refused.status_code, refused.json()["errors"].keys()) == (422, {field})
    assert panel.usage(datetime(2026, 7, 1, tzinfo=UTC), AUGUST)[0]["items"][0]["tokens"] == 5_000


def test_usage_is_corrected_without_http_too(panel: Panel, ada: User, server: int) -> None:
    panel.correct_usage(JULY, 44, server_id=server)
    assert _items(panel) == [(ada.id, "server", server, 5_044)]
    with pytest.raises(PanelError, match="404"):
        panel.correct_usage(JULY, 44, user_id=99)
