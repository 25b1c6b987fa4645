"""The account as the billing system has it now, whatever the last run saw, and as far as it goes without it."""

import csv
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import attrs
import pytest

from tests.server.pages.site import Browser, Cloud, a_cloud
from tests.server.pages.test_account import EMAIL, a_customer, words
from tollbridge.errors import Unavailable
from tollbridge.model import Receipt
from tollbridge.rules.calendar import Month


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """A company for all of these tests, of which none bills anything more."""
    with a_cloud(tmp_path_factory.mktemp("cloud")) as made:
        yield made


@pytest.fixture
def number(cloud: Cloud) -> int:
    """The customer, with invoices of July and August that are unpaid, whatever the test before did to them."""
    if not cloud.install.invoices():
        a_customer(cloud)
        for day in (date(2026, 8, 1), date(2026, 9, 1)):
            cloud.panel.set_time(datetime(day.year, day.month, day.day, 4, tzinfo=UTC))
            assert cloud.run(day.isoformat()).failures == []
    for invoice in cloud.install.invoices():
        cloud.install.set_invoice(invoice.id, status="Unpaid", payments=(), number="", duedate=invoice.date)
    return cloud.install.invoices()[0].client_id


@pytest.fixture
def account(cloud: Cloud, number: int) -> Browser:
    browser = cloud.browser()
    browser.log_in(EMAIL)
    return browser


def shown(account: Browser, query: str = "") -> str:
    answer = account.get(f"/cloud/account{query}")
    assert answer.status_code == 200, answer.text
    return words(answer.text)


def test_what_was_paid_in_part_is_owed_only_as_far_as_it_is_left(cloud: Cloud, account: Browser) -> None:
    first, _ = cloud.install.invoices()
    cloud.install.add_payment(first.id, "3.50")
    page = shown(account)
    assert "To pay $6.50" in page
    assert f"Of invoice {first.id}, $1.50 is left to pay." in page
    assert "Left to pay $1.50" in page
    assert "Total $5.00" in page


def test_who_has_just_paid_owes_nothing_although_no_run_has_seen_it_and_is_told_when_the_lock_ends(
    cloud: Cloud, account: Browser
) -> None:
    for invoice in cloud.install.invoices():
        cloud.install.set_invoice(invoice.id, duedate=date(2026, 9, 10))
    assert cloud.run("2026-09-20").failures == []
    assert "That is why your account is locked" in shown(account)
    for invoice in cloud.install.invoices():
        cloud.install.set_invoice(invoice.id, status="Paid")
    page = shown(account)
    assert "All invoices are paid." in page
    assert "Your account is locked: you cannot create new servers. Nothing is overdue any more" in page


def test_an_invoice_that_is_another_clients_by_now_is_not_shown_as_owed(
    cloud: Cloud, account: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, _ = cloud.install.invoices()
    asked = cloud.parts.billing.invoice

    def moved(client_id: int, invoice_id: str, reference: str) -> Receipt | None:
        receipt = asked(client_id, invoice_id, reference)
        return attrs.evolve(receipt, client_id=99) if receipt and receipt.id == first.id else receipt

    monkeypatch.setattr(cloud.parts.billing, "invoice", moved)
    assert "To pay $5.00" in shown(account)


def test_an_invoice_is_called_by_the_number_that_is_printed_on_it(cloud: Cloud, number: int, account: Browser) -> None:
    first, second = cloud.install.invoices()
    cloud.install.set_invoice(first.id, number="2026-0815")
    page = shown(account)
    assert "Invoice 2026-0815 for $5.00 was due on" in page
    assert f"Invoice number 2026-0815 Reference TB-2026-07-{number}" in page
    assert f"Invoice number {second.id} Reference" in page
    assert cloud.run("2026-09-20").failures == []
    kept = cloud.parts.ledger.invoices.find(Month.parse("2026-07"), number)
    assert kept is not None
    assert (kept.billing_id, kept.printed_number) == (str(first.id), "2026-0815")
    assert cloud.parts.ledger.lists.numbered("2026-0815") == [(kept.month, number)]


def test_without_the_billing_system_the_account_shows_what_the_ledger_knows(
    cloud: Cloud, account: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    def is_down(*_: object) -> None:
        raise Unavailable("no answer")

    for hook in ("client", "invoice"):
        monkeypatch.setattr(cloud.parts.billing, hook, is_down)
    page = shown(account)
    assert "The billing system does not answer just now" in page
    assert "To pay $10.00" in page
    assert "Payments of the last hours may be missing here." in page
    assert "Invoice for July 2026" in page


def test_the_client_area_is_open_also_to_who_owes_nothing(cloud: Cloud, account: Browser) -> None:
    for invoice in cloud.install.invoices():
        cloud.install.set_invoice(invoice.id, status="Paid")
    page = shown(account)
    assert "Pay in the customer area" not in page
    assert "Open the customer area" in page


def rows(account: Browser, name: str) -> list[dict[str, str]]:
    answer = account.get(f"/cloud/account/{name}.csv")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/csv; charset=utf-8")
    assert answer.headers["cache-control"] == "no-store"
    return list(csv.DictReader(answer.text.splitlines()))


def test_invoices_and_usage_can_be_taken_home_as_tables(cloud: Cloud, number: int, account: Browser) -> None:
    august, july = rows(account, "invoices")
    assert july["reference"] == f"TB-2026-07-{number}"
    assert (july["kind"], july["hours"], july["tokens"], july["amount"]) == ("server", "740", "5000", "5.00")
    assert august["month"] == "2026-08"
    assert all(row["currency"] == "USD" for row in rows(account, "usage"))
    stranger = cloud.browser().get("/cloud/account/invoices.csv")
    assert (stranger.status_code, stranger.headers["location"]) == (303, "/cloud/login")


def test_older_invoices_are_found_by_their_year(tmp_path: Path) -> None:
    with a_cloud(tmp_path, billing="# start: see above") as cloud:
        number = a_customer(cloud)
        for day in (date(2026, 8, 1), date(2027, 2, 1)):
            cloud.panel.set_time(datetime(day.year, day.month, day.day, 4, tzinfo=UTC))
            cloud.run(day.isoformat())
        browser = cloud.browser()
        browser.log_in(EMAIL)
        assert "Newest 2027 2026" in shown(browser)
        of_2026 = shown(browser, "?year=2026")
        assert f"TB-2026-12-{number}" in of_2026
        assert f"TB-2027-01-{number}" not in of_2026.partition("Invoices")[2]
        assert "There are no invoices for that year." in shown(browser, "?year=2011")
        assert shown(browser, "?year=x") == shown(browser)
