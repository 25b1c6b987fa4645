"""From the first form to a client and a user: once, whatever happens in between, and no password is kept."""

import contextlib
import itertools
import re
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from tests.server.pages.site import NORA, PASSWORD, Browser, Cloud, a_cloud
from tollbridge.ledger.accounts import Accounts
from tollbridge.ledger.signups import Signups
from tollbridge.sandbox import Fault
from tollbridge.solus.client import Solus

EMAIL = "nora@example.com"


def clients(cloud: Cloud) -> list[Any]:
    return [client for client in cloud.install.clients if client.email == EMAIL]


def users(cloud: Cloud) -> list[Any]:
    return [user for user in cloud.panel.users if user.email == EMAIL]


def one_of_each(cloud: Cloud) -> None:
    [client], [user] = clients(cloud), users(cloud)
    assert (user.billing_user_id, user.limit_group_id) == (client.id, 1)


def test_a_stranger_becomes_a_client_and_a_user(cloud: Cloud, browser: Browser) -> None:
    link = cloud.sign_up(browser)
    assert clients(cloud) == users(cloud) == []
    assert "https://example.com/terms" in browser.get(link).text
    answer = browser.confirm(link)
    assert (answer.status_code, answer.headers["location"]) == (303, "/cloud/welcome")
    assert browser.get("/cloud/welcome").status_code == 200
    one_of_each(cloud)
    [client] = clients(cloud)
    assert (client.first_name, client.last_name, client.company) == ("Nora", "Neu", "Neu Ltd")
    assert (client.country, client.currency) == ("GB", "USD")


def test_prices_are_in_the_currency_that_was_chosen_on_the_landing_page(cloud: Cloud, browser: Browser) -> None:
    [address] = set(re.findall(r'href="(/cloud/signup[^"]*)"', browser.get("/cloud?currency=EUR").text))
    assert '<option value="EUR" selected>Euro</option>' in browser.get(address).text
    browser.send("/cloud/signup", **{**NORA, "currency": "EUR"}, email=EMAIL)
    browser.confirm(cloud.link())
    [client] = clients(cloud)
    assert client.currency == "EUR"
    assert "€0.00" in browser.get("/cloud/account").text


def test_with_one_currency_there_is_nothing_to_choose(tmp_path: Path) -> None:
    with a_cloud(tmp_path, currencies=("USD",)) as cloud:
        browser = cloud.browser()
        assert "Currency" not in browser.get("/cloud/signup").text
        assert browser.send("/cloud/signup", **{**NORA, "currency": ""}, email=EMAIL).status_code == 200
        browser.confirm(cloud.link())
        [client] = clients(cloud)
        assert client.currency == "USD"


def test_the_way_leads_into_solusio_by_a_token_for_one_use(cloud: Cloud, browser: Browser) -> None:
    browser.confirm(cloud.sign_up(browser))
    answer = browser.send("/cloud/account/solusio", on="/cloud/account")
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("https://my.example.com/auth/by_token/")


@pytest.mark.parametrize("terms", [{"terms": ""}, {"postpay_terms": ""}])
def test_nobody_is_made_without_the_terms(cloud: Cloud, browser: Browser, terms: dict[str, str]) -> None:
    assert browser.confirm(cloud.sign_up(browser), **terms).status_code == 422
    assert clients(cloud) == []


@pytest.mark.parametrize("password", ["", "short", "x" * 201])
def test_a_password_has_a_length(cloud: Cloud, browser: Browser, password: str) -> None:
    assert browser.confirm(cloud.sign_up(browser), password=password).status_code == 422
    assert clients(cloud) == []


def test_a_link_works_once(cloud: Cloud, browser: Browser) -> None:
    link = cloud.sign_up(browser)
    csrf = browser.csrf(link)
    browser.confirm(link)
    assert cloud.browser().get(link).status_code == 410
    fields = {"password": PASSWORD, "terms": "on", "postpay_terms": "on", "csrf": csrf}
    assert browser.http.post(link, data=fields).status_code in {403, 410}
    one_of_each(cloud)


@pytest.mark.parametrize(
    "change", [lambda link: link[:-2], lambda link: link[:-6] + "AAAAAA", lambda link: link.replace(".", "..")]
)
def test_an_altered_link_is_none(cloud: Cloud, browser: Browser, change: Callable[[str], str]) -> None:
    assert browser.get(change(cloud.sign_up(browser))).status_code == 410


def test_the_answer_never_tells_whether_an_address_is_known(cloud: Cloud) -> None:
    cloud.install.add_client("known@example.com", password=PASSWORD)
    answers = []
    for email in ("known@example.com", "unknown@example.com"):
        browser = cloud.browser()
        fields = {**NORA, "email": email}
        answers.append(browser.send("/cloud/signup", **fields))
    assert answers[0].status_code == answers[1].status_code == 200
    assert answers[0].text == answers[1].text
    assert [mail.recipient for mail in cloud.mails()] == ["known@example.com", "unknown@example.com"]


def test_a_known_client_proves_who_it_is_and_no_second_one_is_made(cloud: Cloud, browser: Browser) -> None:
    number = cloud.install.add_client(EMAIL, password=PASSWORD)
    link = cloud.sign_up(browser)
    assert browser.confirm(link, password="some-other-password").status_code == 409
    assert browser.confirm(link, password="some-other-password").status_code == 403
    assert users(cloud) == []
    assert browser.confirm(link).status_code == 303
    assert [client.id for client in clients(cloud)] == [number]
    one_of_each(cloud)


def test_a_known_client_who_gives_the_right_password_at_once_is_not_asked_again(cloud: Cloud, browser: Browser) -> None:
    number = cloud.install.add_client(EMAIL, password=PASSWORD)
    assert browser.confirm(cloud.sign_up(browser)).headers["location"] == "/cloud/welcome"
    assert [client.id for client in clients(cloud)] == [number]
    one_of_each(cloud)


def test_a_closed_client_gets_no_user(cloud: Cloud, browser: Browser) -> None:
    cloud.install.add_client(EMAIL, password=PASSWORD, status="Closed")
    answer = browser.confirm(cloud.sign_up(browser))
    assert (answer.status_code, users(cloud)) == (403, [])
    assert "Your account is closed" in answer.text
    assert browser.log_in(EMAIL).status_code == 303
    assert "Your account is closed" in browser.get("/cloud/account").text
    fields = {"terms": "on", "postpay_terms": "on"}
    assert browser.send("/cloud/account/enrol", on="/cloud/account", **fields).status_code == 403
    cloud.run("2026-07-01")
    assert users(cloud) == []


def test_a_billing_system_that_wants_nobody_says_so_and_may_be_tried_again(cloud: Cloud, browser: Browser) -> None:
    link = cloud.sign_up(browser)
    cloud.install.quirks.forbidden_actions = ("AddClient",)
    answer = browser.confirm(link)
    assert answer.status_code == 409
    assert "The billing system did not accept this." in answer.text
    assert "Choose a password" in answer.text
    cloud.run("2026-07-01")
    assert clients(cloud) == users(cloud) == []
    cloud.install.quirks.forbidden_actions = ()
    assert browser.confirm(link).status_code == 303
    one_of_each(cloud)


def test_a_user_that_solusio_refuses_is_looked_at_by_a_human(cloud: Cloud, browser: Browser) -> None:
    link = cloud.sign_up(browser)
    cloud.panel.add_user(EMAIL, billing_user_id=999)
    answer = browser.confirm(link)
    assert answer.status_code == 409
    assert "We have to look at this" in answer.text
    assert len(clients(cloud)) == 1


@pytest.mark.parametrize("kind", ["lost", "503", "cut"])
def test_a_billing_system_that_fails_half_way_is_asked_again_by_the_next_try(
    cloud: Cloud, browser: Browser, kind: Any
) -> None:
    link = cloud.sign_up(browser)
    cloud.install.faults.add(Fault(kind, path="AddClient"))
    assert browser.confirm(link).status_code == 503
    assert browser.confirm(link).status_code == 303
    one_of_each(cloud)


def test_a_solusio_that_is_down_is_waited_for_by_the_next_try(cloud: Cloud, browser: Browser) -> None:
    link = cloud.sign_up(browser)
    cloud.panel.faults.add(Fault("503", times=None))
    assert browser.confirm(link).status_code == 503
    cloud.panel.faults.clear()
    assert browser.confirm(link).status_code == 303
    one_of_each(cloud)


@pytest.mark.parametrize("system", ["billing", "solus"])
def test_the_daily_job_finishes_what_nobody_comes_back_to(cloud: Cloud, browser: Browser, system: str) -> None:
    link = cloud.sign_up(browser)
    if system == "billing":
        cloud.install.faults.add(Fault("lost", path="AddClient"))
    else:
        cloud.panel.faults.add(Fault("503", times=None))
    assert browser.confirm(link).status_code == 503
    cloud.panel.faults.clear()
    for _ in range(2):
        assert cloud.run("2026-07-01").accounts.failures == []
        one_of_each(cloud)
    assert cloud.parts.ledger.signups.unfinished() == []


STEPS = {
    "accepted": Signups,
    "created": Signups,
    "enrol": Signups,
    "ensure_user": Solus,
    "add": Accounts,
    "done": Signups,
}


@pytest.mark.parametrize("moment", list(itertools.product(STEPS, ("before", "after"))), ids=" ".join)
@pytest.mark.parametrize("by", ["the next try", "the daily job"])
def test_killed_at_any_step_there_is_one_client_and_one_user_in_the_end(
    cloud: Cloud, browser: Browser, monkeypatch: pytest.MonkeyPatch, moment: tuple[str, str], by: str
) -> None:
    link = cloud.sign_up(browser)
    step, when = moment
    owner: Any = STEPS[step]
    real = getattr(owner, step)

    def killed(*arguments: Any, **more: Any) -> None:
        if when == "after":
            real(*arguments, **more)
        raise KeyError("killed here")

    with monkeypatch.context() as patch:
        patch.setattr(owner, step, killed)
        with contextlib.suppress(httpx.HTTPError):  # the server may hang up after its fault
            assert browser.confirm(link).status_code == 500
    if by == "the next try" or step == "accepted":  # before there is a client only its owner can go on
        expected = 410 if moment == ("done", "after") else 303
        answer = browser.confirm(link) if expected == 303 else browser.get(link)
        assert answer.status_code == expected
    assert cloud.run("2026-07-01").accounts.failures == []
    one_of_each(cloud)
    assert cloud.parts.ledger.signups.unfinished() == []


def test_two_confirmations_of_one_link_at_once_make_one_client(cloud: Cloud) -> None:
    link = cloud.sign_up(cloud.browser())
    browsers = [cloud.browser() for _ in range(4)]
    forms = [(browser, browser.csrf(link)) for browser in browsers]
    answers: list[int] = []

    def confirm(browser: Browser, csrf: str) -> None:
        fields = {"password": PASSWORD, "terms": "on", "postpay_terms": "on", "csrf": csrf}
        answers.append(browser.http.post(link, data=fields).status_code)

    threads = [threading.Thread(target=confirm, args=form) for form in forms]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers.count(303) == 1
    one_of_each(cloud)


def test_a_confirmation_that_waited_for_another_knows_what_that_has_done(
    cloud: Cloud, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = cloud.sign_up(browser)
    late = cloud.browser()
    late_form = {"password": "another-password", "terms": "on", "postpay_terms": "on", "csrf": late.csrf(link)}
    real, looked = Signups.find, threading.Event()

    def find(signups: Signups, nonce: str) -> Any:
        found = real(signups, nonce)
        if not looked.is_set() and found is not None:
            looked.set()
            assert browser.confirm(link).status_code == 303  # between the late one's first look and its turn
        return found

    monkeypatch.setattr(Signups, "find", find)
    assert late.http.post(link, data=late_form).status_code == 410
    one_of_each(cloud)
    with cloud.parts.ledger.database.read() as connection:
        assert connection.execute(sa.text("SELECT state FROM signups")).scalar_one() == "done"


def test_the_password_is_nowhere_in_the_ledger_or_in_the_logs(
    cloud: Cloud, browser: Browser, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    link = cloud.sign_up(browser)
    cloud.install.faults.add(Fault("lost", path="AddClient"))
    browser.confirm(link)
    browser.confirm(link)
    assert cloud.browser().log_in(EMAIL).status_code == 303
    for path in tmp_path.glob("ledger.db*"):
        assert PASSWORD.encode() not in path.read_bytes()
    written = capfd.readouterr()
    assert PASSWORD not in written.out + written.err


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("email", ""),
        ("email", "nobody"),
        ("email", "a@b"),
        ("email", "a@example.com\r\nBcc: all@example.com"),
        ("email", "a" * 300 + "@example.com"),
        ("country", ""),
        ("country", "XX"),
        ("currency", ""),
        ("currency", "GBP"),
        ("first_name", ""),
        ("first_name", "x" * 101),
        ("last_name", "a\nb"),
    ],
)
def test_a_form_that_cannot_be_right_sends_no_mail(cloud: Cloud, browser: Browser, field: str, value: str) -> None:
    fields = {**NORA, "email": EMAIL, field: value}
    assert browser.send("/cloud/signup", **fields).status_code == 422
    assert cloud.mails() == []


def test_one_address_is_mailed_three_times_an_hour_and_the_answer_stays_the_same(cloud: Cloud) -> None:
    texts = {cloud.browser().send("/cloud/signup", **NORA, email=EMAIL).text for _ in range(5)}
    assert len(texts) == 1
    assert len(cloud.mails()) == 3
