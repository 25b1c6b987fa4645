"""What somebody with bad intentions tries: each sentence is an attack that must come to nothing."""

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import attrs
import httpx
import pytest
import sqlalchemy as sa

from tests.server.pages.site import NORA, PASSWORD, Browser, Cloud, a_cloud
from tollbridge.jobs.enrolment import enrol
from tollbridge.sandbox import Fault

EMAIL = "victim@example.com"
TERMS = {"terms": "on", "postpay_terms": "on"}


def users(cloud: Cloud, email: str = EMAIL) -> list[Any]:
    return [user for user in cloud.panel.users if user.email == email]


def signup_states(cloud: Cloud) -> list[str]:
    with cloud.parts.ledger.database.read() as connection:
        return list(connection.scalars(sa.text("SELECT state FROM signups ORDER BY id")))


def entry_link(cloud: Cloud, client_id: int) -> str:
    fields = {"action": "CreateSsoToken", "token": "bridge-token", "userid": str(client_id)}
    url: str = httpx.post(f"{cloud.url}/solusio/api/", data=fields).json()["redirect_url"]
    return "/cloud/" + url.partition("/cloud/")[2]


class TestSomebodyElsesUser:
    """An address in the billing system is what its owner wrote there; only a mailed link proves it."""

    def test_is_not_given_to_who_only_wrote_its_address_into_the_billing_system(
        self, cloud: Cloud, browser: Browser
    ) -> None:
        cloud.panel.add_user(EMAIL)
        cloud.install.add_client(EMAIL, password=PASSWORD)
        browser.log_in(EMAIL)
        answer = browser.send("/cloud/account/enrol", on="/cloud/account", **TERMS)
        assert answer.status_code == 409
        assert 'href="/cloud/signup"' in answer.text
        assert "has a user with your e-mail address already" in answer.text
        [failure] = cloud.run("2026-07-01").accounts.failures
        assert "was not proved" in failure.message
        assert [user.billing_user_id for user in users(cloud)] == [None]

    def test_is_given_to_who_follows_the_link_that_was_mailed_there(self, cloud: Cloud, browser: Browser) -> None:
        user_id = cloud.panel.add_user(EMAIL).id
        number = cloud.install.add_client(EMAIL, password=PASSWORD)
        assert browser.confirm(cloud.sign_up(browser, EMAIL)).status_code == 303
        assert [(user.id, user.billing_user_id) for user in users(cloud)] == [(user_id, number)]
        assert cloud.run("2026-07-01").accounts.failures == []

    def test_is_not_given_to_who_proved_another_address(self, cloud: Cloud, browser: Browser) -> None:
        cloud.panel.add_user(EMAIL)
        login = cloud.install.add_user("mallory@example.com", password=PASSWORD)
        cloud.install.add_client(EMAIL, user_id=login)
        assert browser.confirm(cloud.sign_up(browser, "mallory@example.com")).status_code == 409
        [failure] = cloud.run("2026-07-01").accounts.failures
        assert "was not proved" in failure.message
        assert [user.billing_user_id for user in users(cloud)] == [None]

    def test_is_not_given_to_who_changes_the_address_after_proving_one(self, cloud: Cloud, browser: Browser) -> None:
        cloud.panel.add_user(EMAIL)
        link = cloud.sign_up(browser, "mallory@example.com")
        cloud.panel.faults.add(Fault("503", times=None))
        assert browser.confirm(link).status_code == 503
        cloud.panel.faults.clear()
        [client] = cloud.install.clients
        cloud.install.set_client(client.id, email=EMAIL)
        [failure] = cloud.run("2026-07-01").accounts.failures
        assert "was not proved" in failure.message
        assert [user.billing_user_id for user in users(cloud)] == [None]

    @pytest.mark.parametrize("change", [{"billing_user_id": 999}, {"role_ids": (1,)}])
    def test_is_not_logged_in_to_by_who_had_it_before(
        self, cloud: Cloud, browser: Browser, change: dict[str, Any]
    ) -> None:
        browser.confirm(cloud.sign_up(browser))
        [user] = users(cloud, "nora@example.com")
        cloud.panel.tables.users.put(attrs.evolve(user, **change))
        answer = browser.send("/cloud/account/solusio", on="/cloud/account")
        assert answer.status_code == 409
        assert "location" not in answer.headers


class TestALinkOfAKnownClient:
    """Whoever reads a client's mail for a moment is not yet the client."""

    def test_logs_nobody_in_without_the_password_however_far_it_came(self, cloud: Cloud, browser: Browser) -> None:
        cloud.install.add_client(EMAIL, password=PASSWORD, first_name="Nora", last_name="Neu", company="Neu Ltd")
        link = cloud.sign_up(browser, EMAIL)
        cloud.install.faults.add(Fault("503", path="AddClient"))
        assert browser.confirm(link, "some-other-password").status_code == 503
        cloud.panel.faults.add(Fault("503", method="POST", path="users", times=None))
        cloud.run("2026-07-01")
        assert signup_states(cloud) == ["created"]
        for _ in range(2):
            answer = browser.confirm(link, "some-other-password")
            assert answer.status_code == 403
            assert "not the password of that account" in answer.text
        assert browser.get("/cloud/account").status_code == 303

    def test_enrols_nobody_of_another_name_when_the_daily_job_finds_it(self, cloud: Cloud, browser: Browser) -> None:
        cloud.install.add_client(EMAIL, password=PASSWORD, first_name="Somebody", last_name="Else")
        link = cloud.sign_up(browser, EMAIL)
        cloud.install.faults.add(Fault("503", path="AddClient"))
        browser.confirm(link)
        assert cloud.run("2026-07-01").accounts.failures == []
        assert signup_states(cloud) == ["creating"]
        assert users(cloud) == []

    def test_stays_used_when_it_is_posted_many_times_at_once(self, cloud: Cloud, browser: Browser) -> None:
        link = cloud.sign_up(browser)
        forms = [(each, each.csrf(link)) for each in (cloud.browser() for _ in range(10))]

        def confirm(number: int, sender: Browser, csrf: str) -> None:
            sender.http.post(link, data={**TERMS, "password": f"{PASSWORD}-{number}", "csrf": csrf})

        threads = [threading.Thread(target=confirm, args=(number, *form)) for number, form in enumerate(forms)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert signup_states(cloud) == ["done"]
        assert browser.get(link).status_code == 410
        assert len(users(cloud, "nora@example.com")) == len(cloud.install.clients) == 1


class TestGuessing:
    """Passwords cannot be tried without end, and nobody is locked out by who tries."""

    @pytest.fixture
    def victim(self, cloud: Cloud) -> int:
        return cloud.install.add_client(EMAIL, password=PASSWORD)

    @pytest.mark.usefixtures("victim")
    def test_from_elsewhere_locks_nobody_out(self, cloud: Cloud) -> None:
        attacker = cloud.browser(**{"X-Forwarded-For": "192.0.2.66"})
        assert [attacker.log_in(EMAIL, "guess").status_code for _ in range(11)] == [403] * 10 + [429]
        assert attacker.log_in(EMAIL.upper(), "guess").status_code == 429
        assert cloud.browser(**{"X-Forwarded-For": "192.0.2.7"}).log_in(EMAIL).status_code == 303

    @pytest.mark.usefixtures("victim")
    def test_is_no_better_from_all_of_ones_ipv6_addresses(self, cloud: Cloud) -> None:
        statuses = [
            cloud.browser(**{"X-Forwarded-For": f"2001:db8:1:2::{number:x}"}).log_in(EMAIL, "guess").status_code
            for number in range(1, 12)
        ]
        assert statuses == [403] * 10 + [429]
        assert cloud.browser(**{"X-Forwarded-For": "2001:db8:1:3::1"}).log_in(EMAIL).status_code == 303

    @pytest.mark.usefixtures("victim")
    def test_locks_nobody_else_out_at_the_same_address(self, cloud: Cloud) -> None:
        cloud.install.add_client("other@example.com", password=PASSWORD)
        one, other = (cloud.browser(**{"X-Forwarded-For": "192.0.2.66"}) for _ in range(2))
        assert [one.log_in(EMAIL, "guess").status_code for _ in range(25)] == [403] * 10 + [429] * 15
        assert other.log_in("other@example.com").status_code == 303

    @pytest.mark.usefixtures("victim")
    def test_counts_an_ipv4_address_that_is_written_as_ipv6(self, cloud: Cloud) -> None:
        for _ in range(10):
            cloud.browser(**{"X-Forwarded-For": "::ffff:192.0.2.1"}).log_in(EMAIL, "guess")
        assert cloud.browser(**{"X-Forwarded-For": "192.0.2.1"}).log_in(EMAIL).status_code == 429
        assert cloud.browser(**{"X-Forwarded-For": "::ffff:198.51.100.9"}).log_in(EMAIL).status_code == 303

    @pytest.mark.usefixtures("victim")
    def test_with_accents_is_no_log_in(self, cloud: Cloud, browser: Browser) -> None:
        assert browser.log_in("v\u00edctim@example.com").status_code == 403

    def test_goes_on_counting_while_the_billing_system_fails(self, cloud: Cloud, browser: Browser) -> None:
        link = cloud.sign_up(browser)
        cloud.install.faults.add(Fault("503", path="AddClient", times=None))
        assert {browser.confirm(link, f"wrong-password-{number}").status_code for number in range(5)} == {503}
        statuses = [browser.log_in("nora@example.com", "guess").status_code for _ in range(6)]
        assert statuses == [403] * 5 + [429]

    @pytest.mark.usefixtures("victim")
    def test_right_passwords_are_not_counted(self, cloud: Cloud) -> None:
        assert {cloud.browser().log_in(EMAIL).status_code for _ in range(12)} == {303}

    @pytest.mark.usefixtures("victim")
    def test_is_counted_on_the_page_of_a_link_too(self, cloud: Cloud, browser: Browser) -> None:
        link = cloud.sign_up(browser, EMAIL)
        for _ in range(5):
            assert browser.confirm(link, "a-wrong-password").status_code in {403, 409}
        statuses = [browser.log_in(EMAIL, "guess").status_code for _ in range(6)]
        assert statuses == [403] * 5 + [429]

    def test_a_form_that_was_only_filled_in_wrongly_is_no_guess(self, cloud: Cloud, browser: Browser) -> None:
        link = cloud.sign_up(browser)
        assert {browser.confirm(link, "short").status_code for _ in range(12)} == {422}
        assert browser.confirm(link).status_code == 303


class TestForms:
    """Forms that no page of ours made."""

    @pytest.mark.parametrize(
        "headers",
        [
            {"Origin": "http://[::1"},
            {"Origin": "null"},
            {"Origin": ""},
            {"Sec-Fetch-Site": "cross-site"},
            {"Sec-Fetch-Site": "same-site"},
        ],
    )
    def test_of_another_site_do_nothing(self, cloud: Cloud, browser: Browser, headers: dict[str, str]) -> None:
        cloud.install.add_client(EMAIL, password=PASSWORD)
        fields = {"email": EMAIL, "password": PASSWORD, "csrf": browser.csrf("/cloud/login")}
        assert browser.http.post("/cloud/login", data=fields, headers=headers).status_code == 403

    def test_made_for_a_planted_cookie_do_nothing_in_a_session(self, cloud: Cloud) -> None:
        cloud.install.add_client(EMAIL, password=PASSWORD)
        attacker, victim = cloud.browser(), cloud.browser()
        csrf = attacker.csrf("/cloud/login")
        planted = attacker.http.cookies["tollbridge_visit"]
        victim.log_in(EMAIL)
        victim.http.cookies.set("tollbridge_visit", planted)
        assert victim.http.post("/cloud/account/enrol", data={**TERMS, "csrf": csrf}).status_code == 403
        assert users(cloud) == []

    @pytest.mark.parametrize(
        ("content", "kind"),
        [
            (b"email=a%00@example.com&password=x", "application/x-www-form-urlencoded"),
            (
                b'--x\r\nContent-Disposition: form-data; name="email"\r\n\r\n\\ud800\r\n--x--\r\n',
                "multipart/form-data; boundary=x; charset=unicode_escape",
            ),
        ],
    )
    def test_of_no_text_are_not_read(self, browser: Browser, content: bytes, kind: str) -> None:
        assert browser.http.post("/cloud/login", content=content, headers={"Content-Type": kind}).status_code == 400

    def test_that_are_stale_lead_back_to_where_they_are(self, cloud: Cloud, browser: Browser) -> None:
        cloud.install.add_client(EMAIL, password=PASSWORD)
        link = cloud.sign_up(browser)
        stale = {"csrf": browser.csrf(link)}
        browser.log_in(EMAIL)
        answer = browser.http.post(link, data=stale)
        assert answer.status_code == 403
        assert f'href="{link}"' in answer.text
        account = {"csrf": browser.csrf("/cloud/account")}
        browser.send("/cloud/logout", on="/cloud/account")
        for path in ("/cloud/account/solusio", "/cloud/logout"):
            assert browser.http.post(path, data=account).headers["location"] == "/cloud/login"

    def test_a_second_log_in_ends_the_first(self, cloud: Cloud, browser: Browser) -> None:
        cloud.install.add_client(EMAIL, password=PASSWORD)
        browser.log_in(EMAIL)
        first = dict(browser.http.cookies)
        assert browser.get(entry_link(cloud, 1)).status_code == 303
        assert httpx.get(f"{cloud.url}/cloud/account", cookies=first).status_code == 303
        assert browser.get("/cloud/account").status_code == 200

    def test_a_password_is_text(self, cloud: Cloud, browser: Browser) -> None:
        link = cloud.sign_up(browser)
        assert browser.confirm(link, "twelve\r\nletters").status_code == 422

    def test_an_address_of_other_letters_is_not_taken_for_that_of_ours(self, cloud: Cloud, browser: Browser) -> None:
        answer = browser.send("/cloud/signup", **NORA, email="\u212aate@example.com")
        assert (answer.status_code, cloud.mails()) == (422, [])

    def test_one_mailbox_is_not_flooded_by_what_stands_behind_a_plus(self, cloud: Cloud, browser: Browser) -> None:
        for number in range(5):
            browser.send("/cloud/signup", **NORA, email=f"victim+{number}@example.com")
        assert len(cloud.mails()) == 3

    def test_the_page_of_a_link_says_whose_account_it_will_be(self, cloud: Cloud, browser: Browser) -> None:
        page = browser.get(cloud.sign_up(browser)).text
        assert "The account will be in this name: Nora Neu, Neu Ltd." in page


class TestWaysIn:
    """Links from the billing system."""

    def test_change_nobody_who_is_logged_in_into_somebody_else(self, cloud: Cloud, browser: Browser) -> None:
        number = cloud.install.add_client(EMAIL, password=PASSWORD, first_name="Ada")
        other = cloud.install.add_client("other@example.com", password=PASSWORD, first_name="Bob")
        browser.log_in(EMAIL)
        link = entry_link(cloud, other)
        assert browser.get(link).status_code == 409
        assert "Ada" in browser.get("/cloud/account").text
        assert cloud.browser().get(link).status_code == 303
        assert browser.get(entry_link(cloud, number)).status_code == 303

    def test_are_not_used_up_by_being_looked_at(self, cloud: Cloud, browser: Browser) -> None:
        link = entry_link(cloud, cloud.install.add_client(EMAIL))
        assert browser.http.head(link).status_code == 200
        assert browser.get(link).status_code == 303

    @pytest.mark.parametrize("what", ["enter", "confirm"])
    def test_are_not_in_the_log_when_something_fails(
        self, cloud: Cloud, browser: Browser, what: str, capfd: pytest.CaptureFixture[str]
    ) -> None:
        number = cloud.install.add_client(EMAIL)
        link = entry_link(cloud, number) if what == "enter" else cloud.sign_up(browser)
        with cloud.parts.ledger.database.write() as connection:
            for table in ("used_links", "signups"):
                connection.execute(sa.text(f"ALTER TABLE {table} RENAME TO {table}_gone"))
        assert browser.get(link).status_code == 503
        written = capfd.readouterr()
        assert "page not available" in written.out + written.err
        assert link.rpartition("/")[2] not in written.out + written.err

    def test_lead_where_the_host_header_says_in_no_case(self, browser: Browser) -> None:
        for path in ("/cloud/", "/cloud/login/", "/solusio/api//"):
            answer = browser.http.get(path, headers={"Host": "evil.example"})
            assert "evil.example" not in answer.headers.get("location", "")


def test_what_was_abandoned_is_forgotten_and_what_is_under_way_is_not(cloud: Cloud, browser: Browser) -> None:
    for number in range(2):
        cloud.sign_up(browser, f"nora{number}@example.com")
    browser.confirm(cloud.link())
    signups, now = cloud.parts.ledger.signups, datetime.now(UTC)
    signups.purge(now + timedelta(hours=47))
    assert signup_states(cloud) == ["mailed", "done"]
    signups.purge(now + timedelta(hours=49))
    assert signup_states(cloud) == ["done"]
    signups.purge(now + timedelta(days=32))
    assert signup_states(cloud) == []
    assert cloud.parts.ledger.signups.enrolled([1]) == {1: "nora1@example.com"}


def test_many_visitors_ask_solusio_for_its_plans_once(cloud: Cloud, browser: Browser) -> None:
    before = len(cloud.panel.journal.list())
    for _ in range(5):
        assert browser.get("/cloud").status_code == 200
    assert len(cloud.panel.journal.list()) - before == 1


def test_prices_are_answered_while_all_pages_wait(cloud: Cloud) -> None:
    number = cloud.install.add_client(EMAIL, password=PASSWORD)
    enrol(cloud.parts, cloud.parts.billing.client(number), proved_address=None)
    browser = cloud.browser()
    browser.log_in(EMAIL)
    cookies = dict(browser.http.cookies)
    cloud.panel.faults.add(Fault("slow", path="usage", times=None, seconds=5))
    answered: list[int] = []

    def look() -> None:
        answered.append(httpx.get(f"{cloud.url}/cloud/account", cookies=cookies, timeout=60).status_code)

    threads = [threading.Thread(target=look) for _ in range(45)]
    for thread in threads:
        thread.start()
    fields = {"action": "GetTokenPricing", "token": "bridge-token", "userid": str(number)}
    assert httpx.post(f"{cloud.url}/solusio/api/", data=fields, timeout=60).status_code == 200
    assert answered == []
    for thread in threads:
        thread.join()
    assert set(answered) == {200}


def test_visitors_who_wait_for_solusio_keep_no_client_waiting(cloud: Cloud) -> None:
    number = cloud.install.add_client(EMAIL, password=PASSWORD)
    cloud.panel.faults.add(Fault("slow", path="plans", times=None, seconds=3))
    answered: list[int] = []

    def look() -> None:
        answered.append(httpx.get(f"{cloud.url}/cloud", timeout=60).status_code)

    threads = [threading.Thread(target=look) for _ in range(25)]
    for thread in threads:
        thread.start()
    fields = {"action": "GetEnrolment", "token": "bridge-token", "userid": str(number)}
    assert httpx.post(f"{cloud.url}/solusio/api/", data=fields, timeout=60).json()["enrolled"] is False
    browser = cloud.browser()
    assert browser.log_in(EMAIL).status_code == 303
    assert answered == []
    for thread in threads:
        thread.join()
    assert set(answered) == {200}


def test_over_https_cookies_are_such_as_no_other_host_can_set(tmp_path: Path) -> None:
    with a_cloud(tmp_path, public_url="https://bridge.example.com") as cloud:
        answer = httpx.get(f"{cloud.url}/cloud/login")
        [cookie] = answer.headers.get_list("set-cookie")
        assert cookie.startswith("__Host-tollbridge_visit=")
        assert {"Secure", "HttpOnly", "Path=/", "SameSite=lax"} <= set(cookie.split("; "))
        assert "http:" not in answer.headers["content-security-policy"].partition("form-action")[2].split()
