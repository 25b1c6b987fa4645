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
        (
            "POST",
            "projects/1/servers",
            {"name": "web-3", "plan_id": 1, "location_id": 1, "os_image_version_id": 1, "fqdns": ["web.example.com"]},
            201,
        ),
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


def test_a_server_is_ordered_in_a_project_by_the_names_the_sdk_sends(
    panel: Panel, ada: User, api: httpx.Client
) -> None:
    project = panel.add_project(ada.id, "shop")
    names = {"name": "web-1", "plan_id": 2, "location_id": 1, "os_image_version_id": 1}
    server = api.post(f"projects/{project.id}/servers", json=names).json()["data"]
    assert (server["plan"]["id"], server["user"]["id"], server["project"]["id"]) == (2, ada.id, project.id)
    for wrong in ({**names, "plan_id": 99}, {**names, "location_id": 2}, {**names, "os_image_version_id": 9}):
        assert api.post(f"projects/{project.id}/servers", json=wrong).status_code == 422
    refused = api.post(f"projects/{project.id}/servers", json={"name": "web-1", "plan": 2, "location": 1})
    assert refused.json()["errors"].keys() == {"plan_id", "location_id"}


def test_a_servers_names_and_boot_mode_are_kept(panel: Panel, ada: User, api: httpx.Client) -> None:
    body = {"name": "web-1", "plan": 1, "boot_mode": "rescue", "fqdns": ["web.example.com"]}
    server = api.post("servers", json=body).json()["data"]
    assert (server["boot_mode"], server["fqdns"]) == ("rescue", ["web.example.com"])
    changes = {"boot_mode": "disk", "fqdns": ["a.example.com", "b.example.com"]}
    changed = api.patch(f"servers/{server['id']}", json=changes).json()["data"]
    assert changed | changes == changed
    assert api.get(f"servers/{server['id']}").json()["data"] == changed
    assert api.patch(f"servers/{server['id']}", json={"fqdns": [7]}).status_code == 422


AVAILABLE = {"available_locations": [1], "available_os_image_versions": [1], "available_applications": []}


@pytest.mark.parametrize(("method", "path"), [("POST", "plans"), ("PUT", "plans/1"), ("PATCH", "plans/1")])
def test_what_a_plan_is_available_for_is_sent_as_numbers_and_shown_with_names(
    api: httpx.Client, method: str, path: str
) -> None:
    plan = api.request(method, path, json={**PLAN, **AVAILABLE}).json()["data"]
    assert plan["available_locations"] == [{"id": 1, "name": "Sandbox"}]
    assert plan["available_os_image_versions"] == [{"id": 1, "name": "Debian 12"}]
    assert plan["available_applications"] == []
    for shown in api.get("plans").json()["data"]:
        for field in AVAILABLE:
            assert all(row.keys() == {"id", "name"} for row in shown[field])
    again = api.put(f"plans/{plan['id']}", json=PLAN).json()["data"]
    assert again["available_locations"] == plan["available_locations"]
    assert api.request(method, path, json={**PLAN, "available_locations": [9]}).status_code == 422


def test_records_have_the_keys_the_sdk_decodes(panel: Panel, ada: User, api: httpx.Client) -> None:
    plan, location, image = (api.get(path).json()["data"][0] for path in ("plans", "locations", "os_images"))
    assert (plan["netfilter"], plan["ppp"], plan["tun_tap"]) == (
        {"value": "disabled", "is_editable": False}, {"value": False, "is_editable": False},
        {"value": False, "is_editable": False},
    )  # fmt: skip
    assert location["available_plans"] == []
    assert (image["is_visible"], image["position"]) == (True, 1)
    version = image["versions"][0]
    assert (version["virtualization_type"], version["is_visible"], version["available_plans"]) == ("kvm", True, [])
    rules = api.get("settings").json()["data"]["network_rules"]
    assert (rules["icmp_reply"], rules["portmapper"]) == (False, True)
    server = panel.create_server(ada.id, 1, "web-1")
    api.post(f"servers/{server.id}/backups")
    assert api.get("tasks?filter[action]=backup-create").json()["meta"]["total"] == 1


@pytest.mark.parametrize(
    ("path", "name"), [("locations", "sandbox"), ("os_images", "DEB"), ("plans", "1 core, 1"), ("projects", "sho")]
)
def test_lists_are_searched_by_name(panel: Panel, ada: User, api: httpx.Client, path: str, name: str) -> None:
    panel.add_project(ada.id, "shop")
    totals = [api.get(path, params={"filter[search]": part}).json()["meta"]["total"] for part in (name, "nowhere")]
    assert totals == [1, 0]


def test_plans_are_filtered_by_their_disk(api: httpx.Client) -> None:
    totals = [api.get("plans", params={"filter[disk]": size}).json()["meta"]["total"] for size in (25, 26)]
    assert totals == [4, 0]


def test_a_projects_description_can_be_emptied(panel: Panel, ada: User, api: httpx.Client) -> None:
    project = panel.add_project(ada.id, "shop", description="old")
    kept = api.put(f"projects/{project.id}", json={"name": "store"}).json()["data"]
    assert (kept["name"], kept["description"]) == ("store", "old")
    assert (
        api.put(f"projects/{project.id}", json={"name": "store", "description": ""}).json()["data"]["description"] == ""
    )
