from datetime import timedelta

import httpx
import pytest

from tollbridge.solus.sandbox import Panel, User


def test_an_administrator_orders_a_server_for_somebody(ada: User, panel: Panel, api: httpx.Client) -> None:
    body = {
        "name": "web-1",
        "plan": 2,
        "user": ada.id,
        "additional_ip_count": 2,
        "backup_settings": {"enabled": True},
    }
    server = api.post("servers", json=body).json()["data"]
    assert (server["user"]["id"], server["plan"]["id"], server["status"]) == (ada.id, 2, "started")
    assert [address["is_primary"] for address in server["ip_addresses"]["ipv4"]] == [True, False, False]
    assert server["backup_settings"]["enabled"] is True
    assert server["project"]["owner"]["id"] == ada.id
    assert panel.server(server["id"]).user_id == ada.id


def test_a_server_needs_a_plan_and_an_owner_there_is(api: httpx.Client) -> None:
    errors = api.post("servers", json={"user": 99, "project": 99, "additional_ip_count": -1}).json()["errors"]
    assert set(errors) == {"plan", "user", "project", "additional_ip_count"}


def test_an_action_answers_with_a_task_that_is_done(ada: User, panel: Panel, api: httpx.Client) -> None:
    server = panel.create_server(ada.id, 1, "web-1")
    task = api.post(f"servers/{server.id}/stop").json()["data"]
    assert (task["action"], task["status"], task["compute_resource_vm_id"]) == ("vm-stop", "done", server.id)
    assert api.get(f"tasks/{task['id']}").json()["data"] == task
    assert panel.server(server.id).status == "stopped"
    api.post(f"servers/{server.id}/start")
    assert panel.server(server.id).is_running
    assert len(api.get(f"tasks?filter[compute_resource_vm_id]={server.id}").json()["data"]) == 3
    assert len(api.get("tasks?filter[action]=vm-start").json()["data"]) == 1


def test_a_suspended_users_servers_stop_and_cannot_be_started(panel: Panel, ada: User, api: httpx.Client) -> None:
    server = panel.create_server(ada.id, 1, "web-1")
    api.put(f"users/{ada.id}", json={"status": "suspended"})
    seen = api.get(f"servers/{server.id}").json()["data"]
    assert (seen["status"], seen["is_suspended"]) == ("stopped", True)
    for action in ("start", "restart"):
        assert api.post(f"servers/{server.id}/{action}").status_code == 409
    api.put(f"users/{ada.id}", json={"status": "active"})
    assert not panel.server(server.id).is_running
    assert api.post(f"servers/{server.id}/start").status_code == 200


def test_a_server_made_for_a_suspended_user_does_not_start(panel: Panel) -> None:
    user = panel.add_user("late@example.com", status="suspended")
    assert not panel.create_server(user.id, 1, "web-1").is_running


def test_one_server_can_be_suspended_on_its_own(panel: Panel, ada: User, api: httpx.Client) -> None:
    server = panel.create_server(ada.id, 1, "web-1")
    assert api.post(f"servers/{server.id}/suspend").status_code == 200
    assert api.post(f"servers/{server.id}/start").status_code == 409
    assert api.post(f"servers/{server.id}/resume").status_code == 200
    assert api.post(f"servers/{server.id}/start").status_code == 200


def test_a_deleted_server_is_gone(panel: Panel, ada: User, api: httpx.Client) -> None:
    server = panel.create_server(ada.id, 1, "web-1")
    assert api.delete(f"servers/{server.id}").json()["data"]["action"] == "vm-delete"
    assert api.get(f"servers/{server.id}").status_code == 404
    assert api.delete(f"servers/{server.id}").status_code == 404
    assert panel.servers == []


def test_addresses_come_and_go_and_the_first_one_stays(panel: Panel, ada: User, api: httpx.Client) -> None:
    server = panel.create_server(ada.id, 1, "web-1")
    addresses = api.post(f"servers/{server.id}/ips", json={"count": 2}).json()["data"]["ip_addresses"]["ipv4"]
    assert len({address["ip"] for address in addresses}) == 3
    ids = [address["id"] for address in addresses]
    assert api.request("DELETE", f"servers/{server.id}/ips", json={"ids": ids[:1]}).status_code == 422
    assert api.request("DELETE", f"servers/{server.id}/ips", json={"ids": ids[1:2]}).status_code == 204
    assert [address.id for address in panel.server(server.id).additional_ips] == ids[2:]


def test_backups_are_switched_by_patch_and_by_resize(panel: Panel, ada: User, api: httpx.Client) -> None:
    server = panel.create_server(ada.id, 1, "web-1")
    api.patch(f"servers/{server.id}", json={"backup_settings": {"enabled": True}, "name": "web-2"})
    assert (panel.server(server.id).backups, panel.server(server.id).name) == (True, "web-2")
    api.post(f"servers/{server.id}/resize", json={"plan_id": 3, "backup_settings": {"enabled": False}})
    assert (panel.server(server.id).backups, panel.server(server.id).plan_id) == (False, 3)
    assert api.post(f"servers/{server.id}/resize", json={"plan_id": 99}).status_code == 422


def test_a_plan_in_use_is_not_deleted(panel: Panel, ada: User, api: httpx.Client) -> None:
    panel.create_server(ada.id, 1, "web-1")
    assert api.delete("plans/1").status_code == 409
    assert api.delete("plans/2").status_code == 204


def test_a_backup_price_keeps_its_digits(api: httpx.Client) -> None:
    body = '{"name": "Odd", "tokens_per_hour": 4, "tokens_per_month": 5, "backup_price": 3.10}'
    answer = api.post("plans", content=body)
    assert answer.status_code == 201
    assert '"backup_price":3.10' in answer.text


@pytest.mark.parametrize("price", [-1, 1.5, "seven", None])
def test_tokens_are_whole_numbers(api: httpx.Client, price: object) -> None:
    answer = api.post("plans", json={"name": "Odd", "tokens_per_hour": price})
    assert answer.status_code == (201 if price is None else 422)


def test_the_activity_log_tells_of_servers(panel: Panel, ada: User, api: httpx.Client) -> None:
    server = panel.create_server(ada.id, 1, "web-1")
    panel.advance(timedelta(minutes=5))
    panel.delete_server(server.id)
    lines = api.get("activity_logs", params={"filter[user_id]": ada.id}).json()["data"]
    assert [line["event"] for line in lines] == [
        "user_created",
        "compute_resource_vm_created",
        "compute_resource_vm_delete_requested",
    ]
    assert lines[-1]["created_at"] == "2026-07-01T00:05:00.000000Z"
    assert len(api.get("activity_logs?filter[event]=user_deleted").json()["data"]) == 0
