"""Logging in, by password and by link; forms that nobody else can send; sessions that are one's own."""

import re

import httpx
import pytest

from tests.server.pages.site import PASSWORD, Browser, Cloud
from tollbridge.jobs.enrolment import enrol
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


def test_logging_out_ends_the_session_for_who_copied_it_too(cloud: Cloud, browser: Browser, ada: int) -> None:
    browser.log_in(EMAIL)
    copied = dict(browser.http.cookies)
    other = cloud.browser()
    other.log_in(EMAIL)
    assert browser.send("/cloud/logout", on="/cloud/account").status_code == 303
    with httpx.Client(base_url=cloud.url, cookies=copied) as thief:
        assert thief.get("/cloud/account").headers["location"] == "/cloud/login"
        assert "Your session has ended." in thief.get("/cloud/login").text
    assert other.get("/cloud/account").status_code == 200
    assert "Your session has ended." not in browser.get("/cloud/login").text


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


def cloud_url(cloud: Cloud) -> str:
    """Where links begin; these tests' server listens elsewhere."""
    server = cloud.parts.settings.server
    return f"http://{server.host}:{server.port}"


def test_a_billing_system_sends_its_client_in_by_a_link_for_one_use(cloud: Cloud, browser: Browser, ada: int) -> None:
    answer = asked(cloud, userid=str(ada))
    assert answer.json()["result"] == "success"
    path = answer.json()["redirect_url"].removeprefix(cloud_url(cloud))
    assert browser.get(path).headers["location"] == "/cloud/account"
    assert "Ada" in browser.get("/cloud/account").text
    assert cloud.browser().get(path).status_code == 410
    assert cloud.browser().get(path[:-3]).status_code == 410


def test_a_link_may_lead_right_into_solusio(cloud: Cloud, browser: Browser, ada: int) -> None:
    enrol(cloud.parts, cloud.parts.billing.client(ada), proved_address=None)
    path = asked(cloud, userid=str(ada), destination="solusio").json()["redirect_url"].removeprefix(cloud_url(cloud))
    to = browser.get(path).headers["location"]
    assert to.startswith("https://my.example.com/auth/by_token/")
    assert cloud.panel.redeem(to.rpartition("/")[2], for_login=True).billing_user_id == ada
    assert browser.get("/cloud/account").status_code == 200


def test_who_has_no_way_into_solusio_yet_is_led_to_the_account(cloud: Cloud, browser: Browser, ada: int) -> None:
    def follow() -> str:
        url = asked(cloud, userid=str(ada), destination="solusio").json()["redirect_url"]
        return browser.get(url.removeprefix(cloud_url(cloud))).headers["location"]

    assert follow() == "/cloud/account"
    enrol(cloud.parts, cloud.parts.billing.client(ada), proved_address=None)
    cloud.panel.faults.add(Fault("503", times=None))
    assert follow() == "/cloud/account"
    csrf = browser.csrf("/cloud/account")
    answer = browser.http.post("/cloud/account/solusio", data={"csrf": csrf})
    assert answer.status_code == 503
    assert "The control panel does not answer" in answer.text


def test_a_client_area_learns_whether_its_client_is_enrolled(cloud: Cloud, ada: int) -> None:
    def enrolled() -> object:
        return asked(cloud, userid=str(ada), action="GetEnrolment").json()

    assert enrolled() == {"result": "success", "enrolled": False}
    enrol(cloud.parts, cloud.parts.billing.client(ada), proved_address=None)
    assert enrolled() == {"result": "success", "enrolled": True}
    assert asked(cloud, userid=str(ada), action="GetEnrolment", token="wrong").status_code == 401


@pytest.mark.parametrize("destination", ["https://evil.example", "account/../x", "Solusio"])
def test_a_link_leads_nowhere_else(cloud: Cloud, ada: int, destination: str) -> None:
    assert asked(cloud, userid=str(ada), destination=destination).status_code == 400


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


def test_an_address_that_does_not_exist_is_a_page_too(cloud: Cloud, browser: Browser) -> None:
    answer = browser.get("/cloud/nothing/here")
    assert answer.status_code == 404
    assert "There is no such page" in answer.text
    assert browser.get("/cloud/").headers["location"] == "/cloud"
    assert browser.get("/cloud//evil.example/").headers["location"] == "/cloud//evil.example"


def test_a_fault_of_ours_is_said_in_a_page_and_its_words_are_not(
    cloud: Cloud, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_arguments: object) -> None:
        raise KeyError("an inner matter")

    monkeypatch.setattr("tollbridge.server.pages.landing.Landing._view", broken)
    answer = browser.get("/cloud")
    assert answer.status_code == 500
    assert "This is our mistake" in answer.text
    assert "inner" not in answer.text


def test_a_form_that_cannot_be_read_says_so(cloud: Cloud, browser: Browser) -> None:
    answer = browser.http.post("/cloud/login", content=b"email=%ff%fe", headers={"Content-Type": "text/xml"})
    assert answer.status_code == 400
    assert "could not be read" in answer.text


def test_the_stylesheet_is_kept_for_good_under_the_name_that_pages_give_it(cloud: Cloud, browser: Browser) -> None:
    found = re.search(r'href="(/cloud/static/style\.css\?v=\w+)"', browser.get("/cloud").text)
    assert found is not None
    assert "immutable" in browser.get(found[1]).headers["cache-control"]
    assert "immutable" not in browser.get("/cloud/static/style.css?v=old").headers["cache-control"]
