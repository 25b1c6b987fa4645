"""What visitors see: prices; and what clients see: their own usage, invoices, and what happens if one stays unpaid."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.server.pages.site import PASSWORD, Browser, Cloud, a_cloud
from tollbridge.jobs.enrolling import enrol
from tollbridge.jobs.statement import projected_tokens
from tollbridge.sandbox import Fault
from tollbridge.solus.usage import ServerMeter, UsageItem

EMAIL = "ada@example.com"


def words(page: str) -> str:
    """The page's text, without its tags."""
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


@pytest.mark.parametrize(
    ("query", "hourly", "monthly"),
    [("", "$0.007", "$5.00"), ("?currency=EUR", "0.0063", "4.50"), ("?currency=X", "$0.007", "$5.00")],
)
def test_the_landing_page_has_the_plans_in_the_chosen_currency(
    browser: Browser, query: str, hourly: str, monthly: str
) -> None:
    shown = words(browser.get(f"/cloud{query}").text)
    assert "1 Core, 1 GB RAM" in shown
    assert hourly in shown
    assert monthly in shown


def test_pages_speak_the_browsers_language(cloud: Cloud) -> None:
    assert 'lang="de"' in cloud.browser(**{"Accept-Language": "de-AT,de;q=0.9,en;q=0.5"}).get("/cloud").text
    assert 'lang="en"' in cloud.browser(**{"Accept-Language": "fr"}).get("/cloud").text


def test_an_operators_own_template_replaces_ours(tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    (own / "signup_sent.html").write_text("<title>Ours</title><p>Look into your post-box, {{ language }}.")
    with a_cloud(tmp_path, pages='templates = "own"') as cloud:
        answer = cloud.browser().send("/cloud/signup", first_name="A", last_name="B", email=EMAIL)
        assert answer.text == "<title>Ours</title><p>Look into your post-box, en."


def test_a_client_who_is_not_enrolled_is_invited_and_enrols(cloud: Cloud, browser: Browser) -> None:
    cloud.install.add_client(EMAIL, password=PASSWORD)
    browser.log_in(EMAIL)
    assert browser.send("/cloud/account/enrol", on="/cloud/account").status_code == 422
    assert [user for user in cloud.panel.users if user.email == EMAIL] == []
    terms = {"terms": "on", "postpay_terms": "on"}
    assert browser.send("/cloud/account/enrol", on="/cloud/account", **terms).status_code == 303
    [user] = [user for user in cloud.panel.users if user.email == EMAIL]
    answer = browser.send("/cloud/account/solusio", on="/cloud/account")
    token = answer.headers["location"].rpartition("/")[2]
    assert cloud.panel.redeem(token, for_login=True).id == user.id


def a_customer(cloud: Cloud, country: str = "US") -> int:
    """A client with a user and a server."""
    number = cloud.install.add_client(EMAIL, password=PASSWORD, first_name="Ada", country=country)
    enrol(cloud.parts, cloud.parts.billing.client(number))
    [user] = [user for user in cloud.panel.users if user.email == EMAIL]
    cloud.panel.create_server(user.id, 1, "web-1")
    return number


def test_the_running_month_shows_what_it_costs_so_far(cloud: Cloud, browser: Browser) -> None:
    a_customer(cloud)
    cloud.panel.faults.clear()
    now = datetime.now(UTC)
    cloud.panel.set_time(now.replace(day=1, hour=0, minute=0, second=0) + timedelta(days=35))
    browser.log_in(EMAIL)
    shown = words(browser.get("/cloud/account").text)
    assert "web-1" in shown
    assert re.search(r"\$\d+\.\d\d", shown)


def test_without_solusio_the_account_is_shown_all_the_same(cloud: Cloud, browser: Browser) -> None:
    a_customer(cloud)
    cloud.panel.faults.add(Fault("503", path="usage", times=None))
    browser.log_in(EMAIL)
    answer = browser.get("/cloud/account")
    assert answer.status_code == 200
    assert "cannot be shown at the moment" in answer.text


def test_an_overdue_invoice_is_told_with_the_dates_of_what_follows(cloud: Cloud, browser: Browser) -> None:
    a_customer(cloud)
    cloud.panel.set_time(datetime(2026, 8, 1, 4, tzinfo=UTC))
    assert cloud.run("2026-08-01").failures == []
    [invoice] = cloud.install.invoices()
    browser.log_in(EMAIL)
    shown = words(browser.get("/cloud/account").text)
    assert f"TB-2026-07-{invoice.client_id}" in shown
    assert "1 Core, 1 GB RAM" in shown
    assert "Overdue" in shown
    assert "August 15, 2026" in shown


def test_paying_leads_to_the_billing_system(cloud: Cloud, browser: Browser) -> None:
    cloud.install.add_client(EMAIL, password=PASSWORD)
    browser.log_in(EMAIL)
    answer = browser.send("/cloud/account/pay", on="/cloud/account")
    assert answer.status_code == 303
    assert "/oauth/singlesignon.php" in answer.headers["location"]


def test_nobody_sees_anybody_elses_invoices(cloud: Cloud) -> None:
    a_customer(cloud)
    cloud.panel.set_time(datetime(2026, 8, 1, 4, tzinfo=UTC))
    cloud.run("2026-08-01")
    cloud.install.add_client("other@example.com", password=PASSWORD)
    other = cloud.browser()
    other.log_in("other@example.com")
    assert "TB-2026-07" not in other.get("/cloud/account").text


def test_what_customers_call_themselves_is_never_markup(cloud: Cloud, browser: Browser) -> None:
    cloud.install.add_client(EMAIL, password=PASSWORD, first_name="<script>alert(1)</script>")
    browser.log_in(EMAIL)
    assert "<script" not in browser.get("/cloud/account").text


def server(hours: int, per_hour: int, per_month: int, *, deleted: bool = False) -> UsageItem:
    meter = ServerMeter("p", per_hour, per_month, hours, deleted)
    return UsageItem("server", 1, "web-1", meter.metered().tokens, meter)


def test_a_server_that_goes_on_costs_no_more_than_its_monthly_price() -> None:
    assert projected_tokens([server(360, 7, 5000)], 360, 720) == 5000
    assert projected_tokens([server(100, 7, 5000)], 360, 720) == 1400
    assert projected_tokens([server(360, 7, 0)], 360, 720) == 5040
    assert projected_tokens([server(100, 7, 0, deleted=True)], 360, 720) == 700


@given(hours=st.integers(0, 744), elapsed=st.integers(0, 744), rate=st.integers(0, 50), cap=st.integers(0, 20_000))
def test_a_projection_is_never_less_than_what_was_used(hours: int, elapsed: int, rate: int, cap: int) -> None:
    item = server(min(hours, elapsed), rate, cap)
    assert projected_tokens([item], elapsed, 744) >= item.tokens
