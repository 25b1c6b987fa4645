"""Logging in, by password and by link; forms that nobody else can send; sessions that are one's own."""

import re

import httpx
import pytest

from tests.server.pages.site import PASSWORD, Browser, Cloud
from tollbridge.sandbox import Fault

EMAIL = "ada@example.com"


@pytest.fixture
def ada(cloud: Cloud) -> int:
    return cloud.install.add_client(EMAIL, password=PASSWORD, first_name="Ada", country="GB")


def test_the_right_password_leads_to_ones_own_account(cloud: Cloud, browser: Browser, ada: int) -> None:
    assert browser.log_in(EMAIL).headers["location"] == "/cloud/account"
    assert "Ada" in browser.get("/cloud/account").text
    browser.send("/cloud/logout", on="/cloud/account")
    assert browser.get("/cloud/account").headers["location"] == "/cloud/login"


def test_every_wrong_log_in_gets_the_same_answer(cloud: Cloud, ada: int) -> None:
    answers = [
        cloud.browser().log_in(email, password)
        for email, password in ((EMAIL, "wrong"), ("nobody@example.com", PASSWORD), (EMAIL, ""))
    ]
    assert {answer.status_code for answer in answers} == {403}
    ours = re.compile(rf'value="({EMAIL}|nobody@example.com|[0-9a-f]{{64}})?"')
    texts = {ours.sub("", answer.text) for answer in answers}
    assert len(texts) == 1


def test_guessing_passwords_comes_to_an_end(cloud: Cloud, browser: Browser, ada: int) -> None:
    statuses = [browser.log_in(EMAIL, f"guess-{number}").status_code for number in range(12)]
    assert statuses == [403] * 10 + [429] * 2
    assert browser.log_in(EMAIL).status_code == 429


def test_a_form_without_its_token_does_nothing(cloud: Cloud, browser: Browser, ada: int) -> None:
    browser.get("/cloud/login")
    fields = {"email": EMAIL, "password": PASSWORD}
    for forged in ({}, {"csrf": ""}, {"csrf": "x"}, {"csrf": cloud.browser().csrf("/cloud/login")}):
        assert browser.http.post("/cloud/login", data={**fields, **forged}).status_code == 403
    assert browser.get("/cloud/account").status_code == 303


def test_a_form_from_another_site_does_nothing(cloud: Cloud, browser: Browser, ada: int) -> None:
    csrf = browser.csrf("/cloud/login")
    fields = {"email": EMAIL, "password": PASSWORD, "csrf": csrf}
    for origin in ("https://evil.example", "null", "http://127.0.0.1.evil.example"):
        assert browser.http.post("/cloud/login", data=fields, headers={"Origin": origin}).status_code == 403
    assert browser.http.post("/cloud/login", data=fields, headers={"Origin": cloud.url}).status_code == 303


def test_a_session_planted_before_logging_in_is_worth_nothing_after(cloud: Cloud, browser: Browser, ada: int) -> None:
    browser.get("/cloud/login")
    planted = dict(browser.http.cookies)
    assert browser.log_in(EMAIL).status_code == 303
    with httpx.Client(base_url=cloud.url, cookies=planted) as thief:
        assert thief.get("/cloud/account").status_code == 303
    assert browser.http.cookies["tollbridge_visit"] != planted["tollbridge_visit"]


@pytest.mark.parametrize("change", [(0, -1), (1, None), (0, 0)])
def test_an_altered_session_is_none(cloud: Cloud, browser: Browser, ada: int, change: tuple[int, int | None]) -> None:
    browser.log_in(EMAIL)
    value = browser.http.cookies["tollbridge_session"]
    with httpx.Client(base_url=cloud.url, cookies={"tollbridge_session": value[slice(*change)]}) as thief:
        assert thief.get("/cloud/account").status_code == 303


def asked(cloud: Cloud, **fields: str) -> httpx.Response:
    return httpx.post(f"{cloud.url}/solusio/api/", data={"action": "CreateSsoToken", "token": "bridge-token", **fields})


def test_a_billing_system_sends_its_client_in_by_a_link_for_one_use(cloud: Cloud, browser: Browser, ada: int) -> None:
    answer = asked(cloud, userid=str(ada))
    assert answer.json()["result"] == "success"
    path = "/cloud/" + answer.json()["redirect_url"].partition("/cloud/")[2]
    assert browser.get(path).headers["location"] == "/cloud/account"
    assert "Ada" in browser.get("/cloud/account").text
    assert cloud.browser().get(path).status_code == 410
    assert cloud.browser().get(path[:-3]).status_code == 410


def test_only_who_has_the_bridges_token_gets_links(cloud: Cloud, ada: int) -> None:
    assert asked(cloud, userid=str(ada), token="wrong").status_code == 401
    assert asked(cloud, userid="x").status_code == 400


def test_a_link_is_no_session_and_no_signup(cloud: Cloud, browser: Browser, ada: int) -> None:
    token = asked(cloud, userid=str(ada)).json()["redirect_url"].rpartition("/")[2]
    with httpx.Client(base_url=cloud.url, cookies={"tollbridge_session": token}) as thief:
        assert thief.get("/cloud/account").status_code == 303
    assert browser.get(f"/cloud/confirm/{token}").status_code == 410


def test_pages_forbid_what_they_do_not_need(cloud: Cloud, browser: Browser, ada: int) -> None:
    browser.log_in(EMAIL)
    for path in ("/cloud", "/cloud/signup", "/cloud/account"):
        headers = browser.get(path).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["cache-control"] == "no-store"
        assert headers["x-content-type-options"] == "nosniff"
    cookies = cloud.browser().log_in(EMAIL).headers.get_list("set-cookie")
    assert all("HttpOnly" in cookie and "SameSite=lax" in cookie for cookie in cookies)


def test_a_form_that_is_too_large_is_refused(cloud: Cloud, browser: Browser) -> None:
    assert browser.send("/cloud/login", email="a", password="x" * 20_000).status_code == 413


def test_a_billing_system_that_is_down_is_said_in_plain_words(cloud: Cloud, browser: Browser, ada: int) -> None:
    browser.log_in(EMAIL)
    csrf = browser.csrf("/cloud/account")
    cloud.install.faults.add(Fault("html", times=None))
    assert browser.get("/cloud/account").status_code == 503
    fields = {"email": EMAIL, "password": PASSWORD, "csrf": csrf}
    assert browser.http.post("/cloud/login", data=fields).status_code == 503
