from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tollbridge.solus.sandbox import Panel, PanelError, User


def test_without_a_known_token_nothing_is_told(api: httpx.Client) -> None:
    for headers in (
        {"Authorization": "Bearer wrong"},
        {"Authorization": "Basic sandbox-token"},
        {"Authorization": ""},
    ):
        answer = api.get("users", headers=headers)
        assert (answer.status_code, answer.json()) == (401, {"message": "Unauthenticated."})


def test_a_new_user_is_an_active_client(api: httpx.Client) -> None:
    answer = api.post("users", json={"email": "ada@example.com", "billing_user_id": "1042"})
    assert answer.status_code == 201
    user = answer.json()["data"]
    assert (user["status"], user["billing_user_id"]) == ("active", 1042)
    assert user["roles"] == [{"id": 2, "name": "CLIENT", "is_default": True, "users_count": 1}]
    assert user["created_at"] == "2026-07-01T00:00:00.000000Z"


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        ({}, {"email": ["The email field is required."]}),
        ({"email": "nobody"}, {"email": ["The email must be a valid email address."]}),
        ({"email": 7}, {"email": ["The email must be a string."]}),
        ({"email": "ADA@Example.com"}, {"email": ["The email has already been taken."]}),
        ({"email": "a@b.example", "status": "asleep"}, {"status": ["The selected status is invalid."]}),
        ({"email": "a@b.example", "roles": 2}, {"roles": ["The roles must be an array."]}),
        ({"email": "a@b.example", "roles": [{"id": 2}]}, {"roles.0": ["The roles.0 must be an integer."]}),
        ({"email": "a@b.example", "roles": [2, 99]}, {"roles.1": ["The selected roles.1 is invalid."]}),
        (
            {"email": "a@b.example", "limit_group_id": 99},
            {"limit_group_id": ["The selected limit_group_id is invalid."]},
        ),
        (
            {"email": "a@b.example", "billing_user_id": "x"},
            {"billing_user_id": ["The billing_user_id must be an integer."]},
        ),
        (
            {"email": "a@b.example", "billing_user_id": 1.5},
            {"billing_user_id": ["The billing_user_id must be an integer."]},
        ),
        (
            {"email": "a@b.example", "billing_user_id": True},
            {"billing_user_id": ["The billing_user_id must be an integer."]},
        ),
    ],
)
def test_a_bad_user_is_refused_with_the_field_that_is_to_blame(
    panel: Panel, ada: User, api: httpx.Client, body: dict[str, Any], errors: dict[str, list[str]]
) -> None:
    answer = api.post("users", json=body)
    assert answer.status_code == 422
    assert answer.json() == {"message": "The given data was invalid.", "errors": errors}
    assert len(panel.users) == 2


def test_the_same_billing_id_may_be_given_twice(ada: User, api: httpx.Client) -> None:
    body = {"email": "twin@example.com", "billing_user_id": ada.billing_user_id}
    assert api.post("users", json=body).status_code == 201


@pytest.mark.parametrize("body", [b"{", b"[1]", b"\xff"])
def test_a_body_that_is_no_object_is_refused(api: httpx.Client, body: bytes) -> None:
    assert api.post("users", content=body).status_code == 400


def test_put_keeps_what_was_not_sent(panel: Panel, ada: User, api: httpx.Client) -> None:
    answer = api.put(f"users/{ada.id}", json={"status": "locked"})
    assert answer.json()["data"]["status"] == "locked"
    changed = panel.user(ada.id)
    assert (changed.billing_user_id, changed.role_ids, changed.email) == (1042, (2,), ada.email)


def test_put_takes_roles_as_ids_and_refuses_them_as_they_are_read(ada: User, api: httpx.Client) -> None:
    user = api.get(f"users/{ada.id}").json()["data"]
    assert api.put(f"users/{ada.id}", json=user).status_code == 422
    assert api.put(f"users/{ada.id}", json={"roles": [1, 2]}).json()["data"]["roles"][0]["name"] == "ADMIN"


def test_the_email_is_changed_by_patch_and_by_nothing_else(panel: Panel, ada: User, api: httpx.Client) -> None:
    api.put(f"users/{ada.id}", json={"email": "put@example.com"})
    assert panel.user(ada.id).email == "ada@example.com"
    api.patch(f"users/{ada.id}", json={"email": "lovelace@example.com", "status": "locked"})
    assert panel.user(ada.id).email == "lovelace@example.com"
    assert panel.user(ada.id).status == "active"
    assert panel.user_by_email("ada@example.com") is None
    panel.add_user("ada@example.com")
    assert api.patch(f"users/{ada.id}", json={"email": "Ada@example.com"}).status_code == 422
    assert api.patch(f"users/{ada.id}", json={"email": "LOVELACE@example.com"}).status_code == 200


def test_a_billing_id_can_be_taken_away_with_null(panel: Panel, ada: User, api: httpx.Client) -> None:
    api.put(f"users/{ada.id}", json={"billing_user_id": None})
    assert panel.user(ada.id).billing_user_id is None


def test_a_user_with_servers_is_not_deleted(panel: Panel, ada: User, api: httpx.Client) -> None:
    server = panel.create_server(ada.id, 1, "web-1")
    answer = api.delete(f"users/{ada.id}")
    assert (answer.status_code, answer.json()) == (409, {"message": "The user has servers."})
    panel.delete_server(server.id)
    assert api.delete(f"users/{ada.id}").status_code == 204
    assert api.get(f"users/{ada.id}").status_code == 404


@pytest.mark.parametrize("path", ["users/99", "servers/99", "plans/99", "projects/99", "roles/99", "tasks/99"])
def test_what_there_is_not_is_404(api: httpx.Client, path: str) -> None:
    assert api.get(path).status_code == 404


def test_a_one_time_token_opens_the_user_area_once(ada: User, api: httpx.Client, url: str) -> None:
    answer = api.post(f"users/{ada.id}/tokens", json={"is_one_time": True}).json()
    token = answer["data"]["access_token"]
    assert answer["access_token"] == token
    first, second = (httpx.get(f"{url}/auth/by_token/{token}") for _ in range(2))
    assert first.status_code == 200
    assert "ada@example.com" in first.text
    assert second.status_code == 404
    assert "expired" in second.text


@pytest.mark.parametrize("status", ["locked", "suspended"])
def test_who_is_locked_or_suspended_can_still_log_in(panel: Panel, ada: User, url: str, status: str) -> None:
    panel.update_user(ada.id, status=status)
    token = panel.issue_token(ada.id, is_one_time=True)
    assert status in httpx.get(f"{url}/auth/by_token/{token.value}").text


def test_the_permanent_token_is_no_login_link(panel: Panel, url: str) -> None:
    assert httpx.get(f"{url}/auth/by_token/{panel.api_token}").status_code == 404


@pytest.fixture
def as_ada(panel: Panel, ada: User) -> Callable[[], dict[str, str]]:
    return lambda: {"Authorization": f"Bearer {panel.issue_token(ada.id, is_one_time=True).value}"}


def test_a_one_time_token_is_good_for_one_call(
    ada: User, api: httpx.Client, as_ada: Callable[[], dict[str, str]]
) -> None:
    headers = as_ada()
    assert api.get("account", headers=headers).json()["data"]["id"] == ada.id
    assert api.get("account", headers=headers).status_code == 401


def test_a_client_sees_and_does_only_what_is_their_own(
    panel: Panel, api: httpx.Client, as_ada: Callable[[], dict[str, str]]
) -> None:
    other = panel.create_server(panel.add_user("eve@example.com").id, 1, "web-eve")
    assert api.get("servers", headers=as_ada()).json()["data"] == []
    assert api.get(f"servers/{other.id}", headers=as_ada()).status_code == 404
    assert api.delete(f"servers/{other.id}", headers=as_ada()).status_code == 404
    assert api.get("users", headers=as_ada()).status_code == 403
    assert api.patch("settings", json={}, headers=as_ada()).status_code == 403


@pytest.mark.parametrize("status", ["locked", "suspended"])
def test_who_is_locked_or_suspended_creates_nothing(
    panel: Panel, ada: User, api: httpx.Client, as_ada: Callable[[], dict[str, str]], status: str
) -> None:
    assert api.post("servers", json={"plan": 1}, headers=as_ada()).status_code == 201
    panel.update_user(ada.id, status=status)
    assert api.post("servers", json={"plan": 1}, headers=as_ada()).status_code == 403
    assert api.post("projects", json={"name": "more"}, headers=as_ada()).status_code == 403


def test_passwords_are_neither_kept_nor_told(panel: Panel, api: httpx.Client) -> None:
    answer = api.post("users", json={"email": "ada@example.com", "password": "correct horse"})
    assert "correct horse" not in answer.text
    user = panel.user(answer.json()["data"]["id"])
    assert b"correct horse" not in (user.password_hash or b"")
    assert "password_hash" not in repr(user)
    assert panel.journal.list()[-1].body == {"email": "ada@example.com", "password": "********"}


def test_a_password_logs_in_and_a_wrong_one_does_not(api: httpx.Client) -> None:
    api.post("users", json={"email": "ada@example.com", "password": "correct horse"})
    login = {"email": "ADA@example.com", "password": "correct horse"}
    credentials = api.post("auth/login", json=login).json()["data"]["credentials"]
    headers = {"Authorization": f"Bearer {credentials['access_token']}"}
    assert api.get("account", headers=headers).json()["data"]["email"] == "ada@example.com"
    assert api.post("auth/login", json={**login, "password": "battery"}).status_code == 422


def test_without_http_a_refusal_is_an_exception(panel: Panel, ada: User) -> None:
    with pytest.raises(PanelError, match="already been taken") as refusal:
        panel.add_user("Ada@example.com")
    assert refusal.value.status == 422
    with pytest.raises(PanelError, match="There is no user 99"):
        panel.user(99)
    with pytest.raises(PanelError, match="status is invalid"):
        panel.update_user(ada.id, status="asleep")
    assert panel.user(ada.id) == ada


def test_the_default_limit_group_is_given_to_new_users(panel: Panel, api: httpx.Client) -> None:
    api.patch("settings", json={"limit_group": {"id": 2, "name": "trial"}})
    assert panel.add_user("new@example.com").limit_group_id == 2
