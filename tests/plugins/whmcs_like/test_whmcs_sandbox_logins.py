"""Users, who are no clients, and links that log them in."""

from collections.abc import Iterator

import httpx
import pytest

from tests.plugins import TLS
from tests.plugins.whmcs_like import Api
from tollbridge_whmcs_like.sandbox import Install, running


@pytest.fixture
def install() -> Install:
    made = Install()
    owner = made.add_user("owner@example.com", "a-password", first_name="Olga")
    made.add_client("one@example.com", user_id=owner)
    made.add_client("two@example.com", user_id=owner)
    made.add_client("three@example.com", password="another", first_name="Theo")
    return made


@pytest.fixture
def api(install: Install) -> Iterator[Api]:
    with running(install) as root, httpx.Client(verify=TLS) as http:
        yield Api(root, install, http)


def test_a_login_gives_the_users_id_as_text_and_notes_the_time(install: Install, api: Api) -> None:
    answer = api("ValidateLogin", email="OWNER@example.com", password2="a-password")
    assert len(answer.pop("passwordhash")) == 40
    assert answer == {"result": "success", "userid": "501", "twoFactorEnabled": "false"}
    assert install.user(501).last_login is not None
    assert api("GetClientsDetails", clientid=1)["client"]["lastlogin"].endswith("<br>Host: localhost")


def test_a_second_factor_leaves_out_the_password_hash(install: Install, api: Api) -> None:
    install.add_user("careful@example.com", "a-password", two_factor=True)
    answer = api("ValidateLogin", email="careful@example.com", password2="a-password")
    assert answer == {"result": "success", "userid": "503", "twoFactorEnabled": "true"}


@pytest.mark.parametrize(
    ("email", "password"),
    [("owner@example.com", "A-password"), ("owner@example.com", ""), ("one@example.com", "a-password"), ("", "")],
)
def test_a_wrong_address_or_password_is_not_told_apart(api: Api, email: str, password: str) -> None:
    assert api.refusal("ValidateLogin", email=email, password2=password) == "Email or Password Invalid"


def test_nobody_logs_in_with_an_empty_password(install: Install, api: Api) -> None:
    install.add_client("four@example.com")
    assert api.refusal("ValidateLogin", email="four@example.com", password2="") == "Email or Password Invalid"


def test_users_come_as_a_plain_list_with_the_clients_they_own(api: Api) -> None:
    answer = api("GetUsers")
    assert (answer["totalresults"], answer["startnumber"], answer["numreturned"]) == (2, 0, 2)
    owner, other = answer["users"]
    assert (owner["id"], owner["email"], owner["firstname"]) == (501, "owner@example.com", "Olga")
    assert owner["clients"] == [{"id": 1, "isOwner": True}, {"id": 2, "isOwner": True}]
    assert other["clients"] == [{"id": 3, "isOwner": True}]
    assert [user["id"] for user in api("GetUsers", search="the")["users"]] == [502]
    assert [user["id"] for user in api("GetUsers", sorting="DESC", limitnum=1)["users"]] == [502]
    assert api("GetUsers", search="nobody")["users"] == []


def test_a_login_link_works_once(api: Api) -> None:
    answer = api("CreateSsoToken", client_id=1, destination="clientarea:invoices")
    assert answer["redirect_url"] == f"{api.root}/oauth/singlesignon.php?access_token={answer['access_token']}"
    opened = api.http.get(answer["redirect_url"])
    assert (opened.status_code, "owner@example.com" in opened.text) == (200, True)
    assert api.http.get(answer["redirect_url"]).status_code == 403


def test_a_login_link_is_for_a_user_or_for_the_owner_of_a_client(api: Api) -> None:
    for fields in ({"client_id": 3}, {"user_id": 502}, {"client_id": 3, "user_id": 502}):
        link = api("CreateSsoToken", **fields)["redirect_url"]
        assert "three@example.com" in api.http.get(link).text


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({}, "A valid client_id or user_id is required"),
        ({"client_id": 99}, "Invalid client_id"),
        ({"client_id": 501}, "Invalid client_id"),
        ({"user_id": 1}, "Invalid user_id"),
        ({"client_id": 1, "user_id": 502}, "Invalid user_id for client"),
        ({"client_id": 1, "destination": "invoices"}, "Invalid destination"),
        ({"client_id": 2}, "SSO authentication blocked for client 2"),
        (
            {"client_id": 3},
            'Token could not be provisioned: Single Sign-On authentication denied for "Closed" User ID: 3',
        ),
    ],
)
def test_there_is_no_login_link_for_the_wrong_or_the_blocked(
    install: Install, api: Api, fields: dict[str, object], message: str
) -> None:
    install.set_client(2, single_sign_on=False)
    install.set_client(3, status="Closed")
    assert api("GetClientsDetails", clientid=2)["client"]["allowSingleSignOn"] == 0
    assert api.refusal("CreateSsoToken", **fields) == message


def test_before_version_8_clients_log_in_themselves(install: Install, api: Api) -> None:
    install.quirks.version = "7.10"
    assert api("ValidateLogin", email="three@example.com", password2="another")["userid"] == "3"
    assert api.refusal("ValidateLogin", email="owner@example.com", password2="a-password")
    details = api("GetClientsDetails", clientid=3)["client"]
    assert not {"owner_user_id", "users"} & details.keys()
    assert api("CreateSsoToken", client_id=3)["result"] == "success"
    assert "required" in api.refusal("CreateSsoToken", user_id=502)


@pytest.mark.parametrize(("version", "status"), [("7.10", 403), ("8.0", 403), ("8.1", 200)])
def test_users_can_be_listed_since_version_8_1(install: Install, api: Api, version: str, status: int) -> None:
    install.quirks.version = version
    assert api.post(api.fields("GetUsers")).status_code == status
