"""What visitors see: prices; and what clients see: their own usage, invoices, and what happens if one stays unpaid."""

import math
import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from babel.dates import format_date
from hypothesis import given
from hypothesis import strategies as st

from tests.server.pages.site import NORA, PASSWORD, Browser, Cloud, a_cloud
from tollbridge.config.settings import TaxSettings
from tollbridge.jobs.enrolment import enrol
from tollbridge.jobs.statement import projected_tokens
from tollbridge.model import ServerMeter, UsageItem
from tollbridge.rules.calendar import Month
from tollbridge.rules.metering import server_tokens
from tollbridge.rules.pricing import rounded
from tollbridge.sandbox import Fault
from tollbridge.usage.snapshot import take_snapshot

EMAIL = "ada@example.com"
HOUR = timedelta(hours=1)
ZONE = ZoneInfo("UTC")


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


def test_pages_speak_the_companys_language_where_the_browser_asks_for_none_of_ours(tmp_path: Path) -> None:
    with a_cloud(tmp_path, billing='language = "de"') as cloud:
        assert 'lang="de"' in cloud.browser(**{"Accept-Language": "fr"}).get("/cloud").text
        assert 'lang="en"' in cloud.browser(**{"Accept-Language": "en"}).get("/cloud").text


def test_an_operators_own_template_replaces_ours(tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    (own / "signup_sent.html").write_text("<title>Ours</title><p>Look into your post-box, {{ language }}.")
    with a_cloud(tmp_path, pages='templates = "own"') as cloud:
        answer = cloud.browser().send("/cloud/signup", **NORA, email=EMAIL)
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
    enrol(cloud.parts, cloud.parts.billing.client(number), proved_address=None)
    [user] = [user for user in cloud.panel.users if user.email == EMAIL]
    cloud.panel.create_server(user.id, 1, "web-1")
    return number


@pytest.mark.parametrize(
    ("language", "so_far_text", "in_the_end_text", "separator"),
    [
        ("en", "So far", "By the end of the month, if your servers go on running", ","),
        ("de", "Bisher", "Bis zum Monatsende, wenn Ihre Server weiterlaufen", "."),
    ],
)
def test_the_running_month_shows_what_it_costs_so_far_and_by_its_end_at_this_rate(
    cloud: Cloud, language: str, so_far_text: str, in_the_end_text: str, separator: str
) -> None:
    now = datetime.now(UTC)
    start, end = Month.of(now, ZONE).interval(ZONE)
    cloud.panel.set_time(start)
    a_customer(cloud)
    cloud.panel.set_time(now + timedelta(hours=1))
    browser = cloud.browser(**{"Accept-Language": language})
    browser.log_in(EMAIL)
    shown = words(browser.get("/cloud/account").text)
    elapsed, whole = math.ceil((now - start) / HOUR), (end - start) // HOUR
    goes_on = elapsed + whole - (now - start) // HOUR
    so_far, in_the_end = (rounded(min(7 * hours, 5000) * Decimal("0.001"), 2) for hours in (elapsed, goes_on))
    tokens = f"{min(7 * elapsed, 5000):,}".replace(",", separator)
    first = Month.of(now, ZONE).next.first_day
    price = "$0.007 pro Stunde, höchstens $5.00 im Monat"
    if language == "en":
        price = "$0.007 an hour, at most $5.00 a month"
        assert f"This month is invoiced on {first:%B} 1, {first.year} at the earliest, and is then due on" in shown
    reached = " Monthly price reached" if language == "en" else " Monatspreis erreicht"
    assert f"web-1 1 Core, 1 GB RAM {price}" in shown
    assert (reached in shown) == (7 * elapsed >= 5000)
    assert f" {'Stunden' if language == 'de' else 'Hours'} {elapsed} Tokens {tokens} " in shown
    assert f"{so_far_text} ${so_far} {in_the_end_text} ${in_the_end}" in shown


def test_where_the_meter_runs_the_month_is_shown_by_day(cloud: Cloud, browser: Browser) -> None:
    now = datetime.now(UTC)
    start = Month.of(now, ZONE).start(ZONE)
    cloud.panel.set_time(start)
    a_customer(cloud)
    moment = start
    while moment < now:
        take_snapshot(cloud.parts.ledger, cloud.parts.solus, at_once=1, at=moment)
        moment += 3 * HOUR
    cloud.panel.set_time(now)
    take_snapshot(cloud.parts.ledger, cloud.parts.solus, at_once=1, at=now)
    browser.log_in(EMAIL)
    shown = browser.get("/cloud/account").text
    assert "Cost by day" in shown
    days = re.findall(r'<th scope="row">(.*?)</th><td><span>\$(.*?)</span>', shown)
    assert len(days) == now.day
    assert days[0][0] == f"{now:%B} 1"
    if now.day > 1:
        assert days[0][1] == "0.17"  # 24 hours at 7 tokens


def test_where_the_meter_has_not_seen_the_whole_month_it_is_shown_by_server(cloud: Cloud, browser: Browser) -> None:
    now = datetime.now(UTC)
    cloud.panel.set_time(Month.of(now, ZONE).start(ZONE))
    number = a_customer(cloud)
    user_id = cloud.parts.ledger.accounts.of_clients([number])[number].user_id
    cloud.panel.create_server(user_id, 4, "a-much-larger-one")
    take_snapshot(cloud.parts.ledger, cloud.parts.solus, at_once=1, at=now - HOUR / 2)
    cloud.panel.set_time(now + HOUR)
    browser.log_in(EMAIL)
    shown = words(browser.get("/cloud/account").text)
    assert "Cost by server Most: a-much-larger-one" in shown.replace("Cost by server Cost by server", "Cost by server")
    assert "Cost by day" not in shown


def test_an_opened_invoice_is_in_the_language_of_the_page(cloud: Cloud) -> None:
    a_customer(cloud)
    cloud.panel.set_time(datetime(2026, 8, 1, 4, tzinfo=UTC))
    assert cloud.run("2026-08-01").failures == []
    english, german = cloud.browser(), cloud.browser(**{"Accept-Language": "de"})
    english.log_in(EMAIL)
    german.log_in(EMAIL)
    assert "5000 tokens (monthly price)" in words(english.get("/cloud/account").text)
    assert "5.000 Token (Monatspreis)" in words(german.get("/cloud/account").text)


def test_what_is_owed_is_the_sum_of_what_is_unpaid_and_says_how_much_is_overdue(cloud: Cloud, browser: Browser) -> None:
    number = a_customer(cloud)
    for day in (date(2026, 8, 1), date(2026, 9, 1)):
        cloud.panel.set_time(datetime(day.year, day.month, day.day, 4, tzinfo=UTC))
        cloud.run(day.isoformat())
    first, second = cloud.install.invoices()
    tomorrow = datetime.now(UTC).date() + timedelta(days=1)
    cloud.install.set_invoice(second.id, duedate=tomorrow)
    browser.log_in(EMAIL)
    shown = words(browser.get("/cloud/account").text)
    assert "To pay $10.00 Overdue of that: $5.00" in shown
    assert f"Invoice number {first.id} Reference TB-2026-07-{number}" in shown
    assert f"Invoice number {second.id} Reference TB-2026-08-{number}" in shown
    for each in (first, second):
        cloud.install.set_invoice(each.id, status="Paid")
    assert "To pay $0.00 All invoices are paid." in words(browser.get("/cloud/account").text)


def test_without_solusio_the_account_is_shown_all_the_same(cloud: Cloud, browser: Browser) -> None:
    a_customer(cloud)
    cloud.panel.faults.add(Fault("503", path="usage", times=None))
    browser.log_in(EMAIL)
    answer = browser.get("/cloud/account")
    assert answer.status_code == 200
    assert "cannot be shown at the moment" in answer.text


def test_before_the_lock_its_day_is_told_and_that_of_the_suspension(cloud: Cloud, browser: Browser) -> None:
    a_customer(cloud)
    today = datetime.now(UTC).date()
    issued = today - timedelta(days=15)
    cloud.panel.set_time(datetime(issued.year, issued.month, issued.day, 4, tzinfo=UTC))
    assert cloud.run(issued.isoformat()).failures == []
    browser.log_in(EMAIL)
    shown = words(browser.get("/cloud/account").text)
    for text, day in (
        ("was due on {}.", issued + timedelta(days=14)),
        ("On {} your account will be locked", issued + timedelta(days=21)),
        ("On {} your account will be suspended", issued + timedelta(days=28)),
    ):
        assert text.format(format_date(day, "long", locale="en")) in shown


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


def test_an_invoices_sums_add_up_on_the_page_and_usage_says_that_it_holds_tax(cloud: Cloud, browser: Browser) -> None:
    cloud.parts.settings.pricing.taxes.append(TaxSettings("VAT", Decimal(20)))
    a_customer(cloud)
    cloud.panel.set_time(datetime(2026, 8, 1, 4, tzinfo=UTC))
    assert cloud.run("2026-08-01").failures == []
    browser.log_in(EMAIL)
    shown = words(browser.get("/cloud/account").text)
    assert "(monthly price) $5.00 Before tax $5.00 VAT 20% $1.00 Total $6.00" in shown


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
    return UsageItem("server", 1, "web-1", server_tokens(meter).tokens, meter)


def test_a_server_that_goes_on_costs_no_more_than_its_monthly_price() -> None:
    assert projected_tokens([server(360, 7, 5000)], 360, 720) == 5000
    assert projected_tokens([server(100, 7, 5000)], 360, 720) == 7 * 460
    assert projected_tokens([server(1, 7, 5000)], 719, 720) == 14
    assert projected_tokens([server(360, 7, 0)], 360, 720) == 5040
    assert projected_tokens([server(100, 7, 0, deleted=True)], 360, 720) == 700


def test_backups_grow_with_their_server_and_the_rest_goes_on_as_it_did() -> None:
    backup, address = UsageItem("backup", 1, "web-1", 70, None), UsageItem("additional_ip", 9, "ip", 100, None)
    assert projected_tokens([server(100, 7, 0), backup], 360, 720) == 7 * 460 + 322
    assert projected_tokens([address], 360, 720) == 200


@given(hours=st.integers(0, 744), elapsed=st.integers(0, 744), rate=st.integers(0, 50), cap=st.integers(0, 20_000))
def test_a_projection_is_never_less_than_what_was_used(hours: int, elapsed: int, rate: int, cap: int) -> None:
    item = server(min(hours, elapsed), rate, cap)
    assert projected_tokens([item], elapsed, 744) >= item.tokens
