from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from tollbridge.solus.sandbox import Panel, User

JULY = datetime(2026, 7, 1, tzinfo=UTC)
AUGUST = datetime(2026, 8, 1, tzinfo=UTC)
SEPTEMBER = datetime(2026, 9, 1, tzinfo=UTC)


def items(panel: Panel, start: datetime = JULY, end: datetime = AUGUST) -> list[dict[str, Any]]:
    return [item for row in panel.usage(start, end) for item in row["items"]]


def ran(panel: Panel, user: User, uptime: timedelta, plan_id: int = 1, **more: Any) -> list[dict[str, Any]]:
    server = panel.create_server(user.id, plan_id, "web-1", **more)
    panel.advance(uptime)
    panel.stop_server(server.id)
    return items(panel)


@pytest.mark.parametrize(
    ("uptime", "hours", "tokens"),
    [
        (timedelta(hours=700), 700, 4900),
        (timedelta(hours=730), 730, 5000),
        (timedelta(hours=744), 744, 5000),
        (timedelta(minutes=5), 1, 7),
        (timedelta(hours=1), 1, 7),
        (timedelta(hours=1, microseconds=1), 2, 14),
    ],
)
def test_a_server_costs_what_the_guide_says(
    panel: Panel, ada: User, uptime: timedelta, hours: int, tokens: int
) -> None:
    (server,) = ran(panel, ada, uptime)
    assert (server["uptime_hours"], server["tokens"]) == (hours, tokens)


def test_ten_percent_backups_of_a_full_month_cost_500(panel: Panel, ada: User) -> None:
    server, backup = ran(panel, ada, timedelta(days=31), backups=True)
    assert server["tokens"] == 5000
    assert backup == {"type": "backup", "id": server["id"], "name": "web-1", "tokens": 500}


def test_additional_addresses_are_metered_by_their_own_prices(panel: Panel, ada: User) -> None:
    plan = panel.add_plan("Addressed", 7, 5000, ip_tokens_per_hour=1, ip_tokens_per_month=600)
    server = panel.create_server(ada.id, plan.id, "web-1", additional_ips=2)
    panel.advance(timedelta(hours=100))
    assert items(panel)[1] == {
        "type": "additional_ip",
        "id": server.id,
        "name": "web-1",
        "count": 2,
        "tokens": 200,
    }
    panel.set_time(AUGUST)
    assert items(panel)[1]["tokens"] == 1200


def test_uptime_is_added_up_before_it_is_rounded(panel: Panel, ada: User) -> None:
    server = panel.create_server(ada.id, 1, "web-1")
    for _ in range(3):
        panel.advance(timedelta(minutes=20))
        panel.stop_server(server.id)
        panel.advance(timedelta(minutes=20))
        panel.start_server(server.id)
    assert items(panel)[0]["uptime_hours"] == 1


def test_a_month_sees_only_its_own_hours(panel: Panel, ada: User) -> None:
    panel.set_time(AUGUST - timedelta(hours=3))
    server = panel.create_server(ada.id, 1, "web-1")
    panel.set_time(AUGUST + timedelta(hours=5))
    panel.stop_server(server.id)
    assert [items(panel)[0]["uptime_hours"], items(panel, AUGUST, SEPTEMBER)[0]["uptime_hours"]] == [3, 5]


def test_what_has_not_happened_yet_is_not_metered(panel: Panel, ada: User) -> None:
    panel.create_server(ada.id, 1, "web-1")
    panel.advance(timedelta(hours=10))
    assert items(panel)[0]["uptime_hours"] == 10
    assert panel.usage(AUGUST, SEPTEMBER) == []


def test_a_deleted_server_is_billed_for_the_month_it_ran_in_and_no_longer(panel: Panel, ada: User) -> None:
    server = panel.create_server(ada.id, 1, "web-1")
    panel.advance(timedelta(minutes=5))
    panel.delete_server(server.id)
    panel.set_time(SEPTEMBER)
    (billed,) = items(panel)
    assert billed["is_deleted"] is True
    assert billed["tokens"] == 7
    assert panel.usage(AUGUST, SEPTEMBER) == []


def test_usage_outlives_the_user_and_the_plan(panel: Panel, ada: User) -> None:
    server = panel.create_server(ada.id, 1, "web-1")
    panel.advance(timedelta(minutes=5))
    panel.delete_server(server.id)
    panel.delete_user(ada.id)
    panel.delete_plan(1)
    assert panel.usage(JULY, AUGUST)[0]["billing_user_id"] == 1042


def test_a_plan_with_a_monthly_price_only_is_charged_for_a_server_that_never_ran(panel: Panel, ada: User) -> None:
    plan = panel.add_plan("Flat", 0, 3000)
    panel.create_server(ada.id, plan.id, "idle", started=False)
    panel.advance(timedelta(days=1))
    assert [(item["uptime_hours"], item["tokens"]) for item in items(panel)] == [(0, 3000)]
    assert panel.usage(AUGUST, SEPTEMBER) == []


def test_users_without_uptime_have_no_row_and_the_others_come_by_id(panel: Panel, ada: User) -> None:
    panel.add_user("idle@example.com")
    eve = panel.add_user("eve@example.com")
    for user in (eve, ada, eve):
        panel.create_server(user.id, 1, "web")
    panel.advance(timedelta(hours=1))
    assert [(row["user_id"], row["billing_user_id"], len(row["items"])) for row in panel.usage(JULY, AUGUST)] == [
        (ada.id, 1042, 1),
        (eve.id, None, 2),
    ]


def test_a_suspended_users_servers_stop_and_are_not_metered_from_then_on(panel: Panel, ada: User) -> None:
    panel.create_server(ada.id, 1, "web-1")
    panel.advance(timedelta(hours=10))
    panel.update_user(ada.id, status="suspended")
    panel.advance(timedelta(hours=10))
    panel.update_user(ada.id, status="active")
    panel.advance(timedelta(hours=10))
    assert items(panel)[0]["uptime_hours"] == 10


def test_a_locked_users_servers_run_on(panel: Panel, ada: User) -> None:
    panel.create_server(ada.id, 1, "web-1")
    panel.update_user(ada.id, status="locked")
    panel.advance(timedelta(hours=10))
    assert items(panel)[0]["uptime_hours"] == 10


def test_the_uuid_of_a_server_is_the_same_in_every_month(panel: Panel, ada: User) -> None:
    server = panel.create_server(ada.id, 1, "web-1")
    panel.set_time(SEPTEMBER)
    uuids = {item["uuid"] for item in items(panel) + items(panel, AUGUST, SEPTEMBER)}
    assert uuids == {str(server.uuid)}


def test_changing_the_answer_does_not_change_the_panel(panel: Panel, ada: User) -> None:
    ran(panel, ada, timedelta(hours=1))[0]["tokens"] = 0
    assert items(panel)[0]["tokens"] == 7


def test_usage_over_http_has_the_declared_shape(panel: Panel, ada: User, api: httpx.Client) -> None:
    server = panel.create_server(ada.id, 1, "web-1")
    panel.advance(timedelta(hours=700))
    panel.stop_server(server.id)
    answer = api.get("usage", params={"from": "2026-07-01T00:00:00Z", "to": "2026-08-01T02:00:00+02:00"}).json()
    assert answer["data"] == [
        {
            "user_id": ada.id,
            "billing_user_id": 1042,
            "items": [
                {
                    "type": "server",
                    "id": server.id,
                    "uuid": str(server.uuid),
                    "name": "web-1",
                    "plan": {
                        "id": 1,
                        "name": "1 Core, 1 GB RAM",
                        "tokens_per_hour": 7,
                        "tokens_per_month": 5000,
                    },
                    "uptime_hours": 700,
                    "tokens": 4900,
                    "is_deleted": False,
                }
            ],
        }
    ]
    assert answer["meta"]["total"] == 1


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        ({}, {"from", "to"}),
        ({"from": "2026-07-01T00:00:00Z"}, {"to"}),
        ({"from": "2026-07-01", "to": "2026-08-01T00:00:00Z"}, {"from"}),
        ({"from": "2026-07-01T00:00:00", "to": "2026-08-01T00:00:00Z"}, {"from"}),
        ({"from": "2026-07-32T00:00:00Z", "to": "2026-08-01T00:00:00Z"}, {"from"}),
        ({"from": "2026-08-01T00:00:00Z", "to": "2026-07-01T00:00:00Z"}, {"to"}),
        ({"from": "2026-08-01T00:00:00Z", "to": "2026-08-01T00:00:00Z"}, {"to"}),
    ],
)
def test_usage_wants_two_moments_in_order(api: httpx.Client, query: dict[str, str], fields: set[str]) -> None:
    answer = api.get("usage", params=query)
    assert answer.status_code == 422
    assert set(answer.json()["errors"]) == fields


def test_billing_ids_can_be_sent_as_text(panel: Panel, ada: User, api: httpx.Client) -> None:
    panel.ids_as_text = True
    panel.create_server(ada.id, 1, "web-1")
    panel.advance(timedelta(hours=1))
    assert panel.usage(JULY, AUGUST)[0]["billing_user_id"] == "1042"
    assert [row["billing_user_id"] for row in api.get("users").json()["data"]] == [None, "1042"]


# What was different earlier in the month


def test_a_server_resized_within_a_month_is_metered_by_each_plan_for_its_own_time(panel: Panel, ada: User) -> None:
    server = panel.create_server(ada.id, 1, "web-1")
    panel.advance(timedelta(hours=10))
    panel.resize_server(server.id, 2)
    panel.advance(timedelta(hours=5))
    (item,) = items(panel)
    assert (item["plan"]["id"], item["uptime_hours"], item["tokens"]) == (2, 15, 10 * 7 + 5 * 14)
    panel.set_time(AUGUST)
    assert items(panel)[0]["tokens"] == 10_000, "the dearest monthly price"


def test_a_new_price_of_a_plan_counts_from_when_it_is_there(panel: Panel, ada: User) -> None:
    panel.create_server(ada.id, 1, "web-1")
    panel.advance(timedelta(hours=10))
    panel.update_plan(1, tokens_per_hour=70)
    panel.advance(timedelta(hours=1))
    assert items(panel)[0]["tokens"] == 140


def test_a_server_that_was_moved_is_metered_for_each_owner(panel: Panel, ada: User) -> None:
    server, eve = panel.create_server(ada.id, 1, "web-1"), panel.add_user("eve@example.com")
    panel.advance(timedelta(hours=10))
    panel.move_server(server.id, eve.id)
    panel.advance(timedelta(hours=5))
    rows = [(row["user_id"], row["items"][0]["tokens"]) for row in panel.usage(JULY, AUGUST)]
    assert rows == [(ada.id, 70), (eve.id, 35)]


def test_backups_and_addresses_cost_for_as_long_as_they_were_there(panel: Panel, ada: User) -> None:
    plan = panel.add_plan("Addressed", 7, 5000, backup_price="10", ip_tokens_per_hour=3)
    server = panel.create_server(ada.id, plan.id, "web-1")
    panel.advance(timedelta(hours=10))
    panel.update_server(server.id, backups=True)
    made = panel.add_ips(server.id, 1).additional_ips
    panel.advance(timedelta(hours=20))
    panel.update_server(server.id, backups=False)
    panel.remove_ips(server.id, [made[0].id])
    panel.advance(timedelta(hours=10))
    assert [(item["type"], item["tokens"]) for item in items(panel)] == [
        ("server", 280),
        ("backup", 14),
        ("additional_ip", 60),
    ]


def test_the_sandbox_makes_a_server_another_user_s(panel: Panel, ada: User, controls: httpx.Client) -> None:
    server, eve = panel.create_server(ada.id, 1, "web-1"), panel.add_user("eve@example.com")
    answer = controls.post("owner", json={"server_id": server.id, "user_id": eve.id})
    assert (answer.status_code, panel.server(server.id).user_id) == (201, eve.id)
    assert controls.post("owner", json={"server_id": 99}).status_code == 422
