"""Who is let in to the operator's pages, and for how long."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import unquote

import httpx
import pytest

from tests.server.operator.office import TOKEN, Office, an_office
from tests.small_world import a_small_world
from tollbridge.errors import ConfigError
from tollbridge.loopback import running as serving
from tollbridge.server.app import create_app
from tollbridge.server.operator.operator_sessions import SESSION_SECONDS, OperatorSessions

PAGES = ["", "/books", "/revenue", "/owed", "/clients", "/invoices", "/prices", "/clients/1", "/invoices/TB-2026-06-1"]


@pytest.fixture
def own_office(tmp_path: Path) -> Iterator[Office]:
    with an_office(tmp_path) as made:
        yield made


@pytest.mark.parametrize("path", PAGES)
def test_without_the_token_there_is_nothing_to_see(office: Office, path: str) -> None:
    for query in ("", "?csv=runs", "?csv=clients"):
        answer = office.browser().get(path + query)
        shown = answer.status_code, answer.headers.get("location")
        assert shown == ((200, None) if path == "" else (303, "/operator"))
        assert "TB-2026" not in answer.text
        assert "example.com" not in answer.text


def test_the_token_lets_in_and_the_cookie_is_the_operators_own(office: Office) -> None:
    browser = office.browser()
    cookie = browser.log_in().headers["set-cookie"]
    assert cookie.startswith("tollbridge_operator=")
    for attribute in ("Path=/operator", "HttpOnly", "SameSite=strict", f"Max-Age={SESSION_SECONDS}"):
        assert attribute in cookie
    assert TOKEN not in unquote(cookie)
    assert browser.page().one("h1").text == "Today"


@pytest.mark.parametrize("token", ["", "wrong", TOKEN[:-1], TOKEN + "x", TOKEN.upper(), "ü" * 30])
def test_any_other_token_does_not(office: Office, token: str) -> None:
    browser = office.browser()
    answer = browser.log_in(token)
    assert (answer.status_code, "set-cookie" in answer.headers) == (403, False)
    assert "That is not the token." in answer.text


def test_guessing_is_limited_and_does_not_count_who_got_in(own_office: Office) -> None:
    for _ in range(12):
        assert own_office.browser().log_in().status_code == 303
    answers = [own_office.browser().log_in(f"guess-{number}").status_code for number in range(11)]
    assert answers == [403] * 10 + [429]
    assert own_office.browser().log_in().status_code == 429, "nor is the right one tried"


def test_a_session_ends_with_the_log_out_also_for_who_copied_it(office: Office) -> None:
    browser = office.operator()
    copied = dict(browser.http.cookies)
    assert browser.http.post("/operator/logout").status_code == 303
    thief = office.browser()
    thief.http.cookies.update(copied)
    assert thief.get("/books").status_code == 303


def test_a_session_is_over_after_eight_hours(office: Office) -> None:
    session = office.operator().http.cookies["tollbridge_operator"]
    visits = office.parts.ledger.visits
    settings = office.parts.settings.operator
    assert settings is not None
    sessions = OperatorSessions(visits, settings.token)
    assert sessions.is_open(session, office.now + timedelta(seconds=SESSION_SECONDS - 1))
    assert not sessions.is_open(session, office.now + timedelta(seconds=SESSION_SECONDS))


@pytest.mark.parametrize(
    "headers", [{"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}]
)
def test_a_form_of_another_site_logs_nobody_in_or_out(office: Office, headers: dict[str, str]) -> None:
    for path in ("/operator/login", "/operator/logout"):
        answer = office.browser(**headers).http.post(path, data={"token": TOKEN})
        assert (answer.status_code, "set-cookie" in answer.headers) == (403, False)


def test_a_customers_session_opens_nothing(office: Office) -> None:
    browser = office.browser()
    browser.http.cookies.set("tollbridge_operator", "x" * 43)
    browser.http.cookies.set("tollbridge_session", office.operator().http.cookies["tollbridge_operator"])
    assert browser.get("/books").status_code == 303


def test_the_pages_need_nothing_that_their_policy_forbids(office: Office) -> None:
    operator = office.operator()
    for path in ["", "/nowhere"]:
        answer = operator.get(path)
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; style-src 'self';")
        assert "unsafe" not in policy
        assert " style=" not in answer.text
        assert "<script" not in answer.text
        assert answer.headers["cache-control"] == "no-store"


def test_without_operator_in_bridge_toml_there_is_no_such_page(tmp_path: Path) -> None:
    with a_small_world(tmp_path) as world, world.parts() as parts, serving(create_app(parts)) as url:
        for path in ("/operator", "/operator/login", "/operator/static/style.css"):
            assert httpx.get(url + path).status_code == 404
        assert httpx.post(f"{url}/operator/login", data={"token": TOKEN}).status_code == 404


@pytest.mark.parametrize("token", ["", "short"])
def test_a_token_that_can_be_guessed_is_refused(tmp_path: Path, token: str) -> None:
    refused = pytest.raises(ConfigError, match=r"operator\.token: must have at least 12 characters")
    with a_small_world(tmp_path, more=f'[operator]\ntoken = "{token}"') as world, refused:
        world.settings()
