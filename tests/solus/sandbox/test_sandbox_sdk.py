"""What the official Go SDK insists on: for every call one success code, and every key of the right type."""

from typing import Any

import httpx
import pytest

from tollbridge.solus.sandbox import Panel, User

PLAN = {"name": "SDK", "tokens_per_hour": 7, "tokens_per_month": 8, "backup_price": 11, "params": {"vcpu": 3}}


@pytest.mark.parametrize(
    "call",
    [
        ("GET", "account", None, 200),
        ("POST", "account/tokens", {"name": "ci"}, 201),
        ("GET", "users", None, 200),
        (
            "POST",
            "users",
            {"email": "new@example.com", "password": "x", "status": "active", "roles": [2]},
            201,
        ),
        ("PUT", "users/2", {"status": "locked", "language_id": 1, "roles": [2]}, 200),
        ("PATCH", "users/2", {"email": "new@example.com"}, 200),
        ("DELETE", "users/3", None, 204),
        ("POST", "users/2/tokens", {"is_one_time": True}, 200),
        ("GET", "roles", None, 200),
        ("GET", "roles/1", None, 200),
        ("POST", "roles", {"name": "auditor", "permissions": [1]}, 201),
        ("GET", "permissions", None, 200),
        ("GET", "limit_groups", None, 200),
        ("POST", "limit_groups", {"name": "vip", "vms": {"limit": 3, "is_enabled": True}}, 201),
        ("GET", "plans", None, 200),
        ("GET", "plans/1", None, 200),
        ("POST", "plans", PLAN, 201),
        ("PUT", "plans/1", PLAN, 200),
        ("PATCH", "plans/1", {"is_visible": False}, 200),
        ("DELETE", "plans/4", None, 204),
        ("GET", "settings", None, 200),
        ("PATCH", "settings", {"hostname": "other.example"}, 200),
        ("GET", "servers", None, 200),
        ("GET", "servers/1", None, 200),
        ("PATCH", "servers/1", {"name": "renamed"}, 200),
        ("POST", "servers", {"name": "web-2", "plan": 1, "project": 1, "location": 1, "os": 1}, 201),
        ("POST", "servers/1/start", None, 200),
        ("POST", "servers/1/stop", {"force": True}, 200),
        ("POST", "servers/1/restart", None, 200),
        ("POST", "servers/1/resize", {"plan_id": 2, "preserve_disk": True}, 200),
        ("DELETE", "servers/1", None, 200),
        ("POST", "servers/1/backups", None, 201),
        ("POST", "servers/1/snapshots", {"name": "before"}, 201),
        ("GET", "projects", None, 200),
        ("GET", "projects/1", None, 200),
        ("POST", "projects", {"name": "shop", "description": "d"}, 201),
        ("PUT", "projects/1", {"name": "shop"}, 200),
        ("DELETE", "projects/2", None, 204),
        ("GET", "projects/1/servers", None, 200),
        ("POST", "projects/1/servers", {"name": "web-3", "plan": 1}, 201),
        ("GET", "tasks", None, 200),
        ("GET", "tasks/1", None, 200),
        ("GET", "activity_logs", None, 200),
        ("GET", "locations", None, 200),
        ("GET", "os_images", None, 200),
        ("GET", "applications", None, 200),
        ("POST", "auth/login", {"email": "third@example.com", "password": "secret"}, 200),
    ],
)
def test_each_call_answers_with_the_code_the_sdk_requires(
    panel: Panel, ada: User, api: httpx.Client, call: tuple[str, str, Any, int]
) -> None:
    method, path, body, status = call
    third = panel.add_user("third@example.com", password="secret")
    panel.create_server(ada.id, 1, "web-1")
    panel.add_project(third.id, "empty")
    answer = api.request(method, path, json=body)
    assert answer.status_code == status, answer.text
    if status == 204:
        assert answer.content == b""
    else:
        assert "data" in answer.json()


def test_tasks_have_an_id_that_is_not_zero(panel: Panel, ada: User, api: httpx.Client) -> None:
    server = panel.create_server(ada.id, 1, "web-1")
    for answer in (api.post(f"servers/{server.id}/stop"), api.delete(f"servers/{server.id}")):
        assert answer.json()["data"]["id"] > 0


def test_a_user_decodes_into_the_sdks_struct(ada: User, api: httpx.Client) -> None:
    user = api.get(f"users/{ada.id}").json()["data"]
    types = {name: type(value) for name, value in user.items()}
    assert types == {
        "id": int,
        "email": str,
        "password": str,
        "created_at": str,
        "status": str,
        "roles": list,
        "language": dict,
        "billing_user_id": int,
        "billing_token": str,
    }


def test_a_plan_decodes_into_the_sdks_struct(api: httpx.Client) -> None:
    plan = api.get("plans/1").json()["data"]
    for name in ("id", "tokens_per_hour", "tokens_per_month", "ip_tokens_per_hour", "ip_tokens_per_month"):
        assert type(plan[name]) is int
    assert all(type(limit["limit"]) is int for limit in plan["limits"].values())
    amounts = {name: value for name, value in plan["price"].items() if name not in {"taxes", "taxes_inclusive"}}
    assert all(isinstance(value, str) for value in amounts.values())
    assert plan["params"] | {"vcpu": 1, "ram": 2**30} == plan["params"]


def test_a_put_plan_reads_back_as_it_was_sent(api: httpx.Client) -> None:
    sent = {
        **PLAN,
        "limits": {"disk_iops": {"is_enabled": True, "limit": 5, "unit": "iops"}},
        "is_visible": False,
    }
    plan = api.put("plans/1", json=sent).json()["data"]
    assert plan["params"]["vcpu"] == 3
    assert plan["limits"]["disk_iops"] == {"is_enabled": True, "limit": 5, "unit": "iops"}
    assert plan["is_visible"] is False
    assert api.get("plans/1").json()["data"] == plan


@pytest.mark.parametrize("path", ["users", "plans", "servers", "projects", "roles", "tasks", "activity_logs"])
def test_every_page_has_every_key(panel: Panel, ada: User, api: httpx.Client, path: str) -> None:
    panel.create_server(ada.id, 1, "web-1")
    rows = api.get(path).json()["data"]
    assert len({frozenset(row) for row in rows}) == 1


def test_settings_hold_what_a_live_panels_do(api: httpx.Client) -> None:
    settings = api.get("settings").json()["data"]
    assert settings["mail"]["port"] == "25"
    assert settings["theme"]["favicon"] is None
    assert len(settings["features"]) == 7
    assert settings["features"]["allow_registration"] is True
    assert settings["billing_integration"]["drivers"]["whmcs"]["token"] == "token"


def test_settings_are_merged_deeply(panel: Panel, api: httpx.Client) -> None:
    before = panel.settings
    api.patch("settings", json={"billing_integration": {"drivers": {"whmcs": {"url": "https://bridge.example/"}}}})
    api.patch("settings", json={"features": {"allow_registration": False}})
    before["billing_integration"]["drivers"]["whmcs"]["url"] = "https://bridge.example/"
    before["features"]["allow_registration"] = False
    assert panel.settings == before


@pytest.mark.parametrize(("method", "path"), [("PUT", "users"), ("DELETE", "settings"), ("POST", "usage")])
def test_a_wrong_method_is_405(api: httpx.Client, method: str, path: str) -> None:
    answer = api.request(method, path)
    assert (answer.status_code, answer.json()) == (405, {"message": "Method Not Allowed"})


def test_an_unknown_path_is_404_in_json(api: httpx.Client) -> None:
    answer = api.get("nothing/here")
    assert (answer.status_code, answer.json()) == (404, {"message": "Not Found"})
