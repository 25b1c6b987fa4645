"""What each page tells and offers a customer, and when."""

import attrs
import pytest

from tests.server.pages.reading import read
from tests.server.pages.rendered import BARE, account, invoice, landing, page, plan, renderer, signup
from tollbridge.model import InvoiceStatus, UserStatus
from tollbridge.server.pages import samples
from tollbridge.server.pages import views as v
from tollbridge.texts.languages import LANGUAGES


def test_the_landing_page_explains_post_pay_in_two_sentences() -> None:
    words = page("landing", landing(plan())).one("p", **{"class": "lead"}).text
    assert words == (
        "Use servers now and pay at the end of the month, by the hour. "
        "However long a server runs, it never costs more in a month than its monthly price."
    )


def test_nothing_is_said_to_be_capped_that_is_not() -> None:
    found = page("landing", landing(plan(), plan(monthly="")))
    assert "Where a plan has a monthly price" in found.text
    assert "At most per month no limit" in found.text


def test_each_plan_has_its_hourly_and_monthly_price_beside_the_label_a_narrow_screen_needs() -> None:
    (row,) = page("landing", landing(plan())).one("tbody").all("tr")
    assert [each.text for each in row.inside] == ["Small", "Per hour $0.007", "At most per month $5.00"]


def test_the_currency_is_chosen_by_links_and_the_chosen_one_is_marked() -> None:
    links = page("landing", landing(plan())).one("nav").all("a")
    assert [(each["href"], each.get("aria-current")) for each in links] == [
        ("/cloud?currency=USD", ""),
        ("/cloud?currency=EUR", "true"),
    ]


@pytest.mark.parametrize(("tax", "words"), [("included", "Prices include tax."), ("added", "Tax is added"), ("", "")])
def test_the_landing_page_says_whether_tax_is_in_the_prices(tax: str, words: str) -> None:
    assert words in page("landing", landing(plan(), tax=tax)).text


@pytest.mark.parametrize("can_sign_up", [True, False])
@pytest.mark.parametrize("can_log_in", [True, False])
def test_only_what_the_billing_system_can_do_is_offered(can_sign_up: bool, can_log_in: bool) -> None:
    found = page("landing", landing(can_sign_up=can_sign_up, can_log_in=can_log_in))
    offered = {each["href"] for each in found.all("a")}
    assert ("/cloud/signup?currency=EUR" in offered, "/cloud/login" in offered) == (can_sign_up, can_log_in)


def test_whoever_is_logged_in_is_offered_the_account_instead() -> None:
    found = page("landing", landing(plan()), logged_in=True)
    assert not [each for each in found.all("a") if each["href"].startswith(("/cloud/signup", "/cloud/login"))]


def test_a_wrong_log_in_says_so_where_it_is_heard_and_keeps_the_address() -> None:
    found = page("login", v.LoginView("ann@example.com", "login.wrong"))
    alert = found.one(role="alert")
    email, password = found.one("input", id="email"), found.one("input", id="password")
    assert email["value"] == "ann@example.com"
    assert (email["aria-invalid"], password["aria-invalid"]) == ("true", "true")
    assert email["aria-describedby"] == password["aria-describedby"] == alert["id"]
    assert password.has("autofocus")
    assert found.one("title").text.startswith("Please check: ")


def test_password_managers_know_every_field() -> None:
    known = {name: page(name, samples.PAGES[name][0]) for name in ("login", "signup", "confirm")}
    fields = {
        name: [(each["id"], each["autocomplete"]) for each in found.all("input") if each.has("autocomplete")]
        for name, found in known.items()
    }
    assert fields == {
        "login": [("email", "username"), ("password", "current-password")],
        "signup": [
            ("first_name", "given-name"),
            ("last_name", "family-name"),
            ("company", "organization"),
            ("email", "email"),
        ],
        "confirm": [("email", "username"), ("password", "new-password")],
    }


def test_the_forms_fields_are_named_as_the_server_reads_them() -> None:
    view = v.ConfirmView("ann@example.com", "Ann Example")
    pages = {"login": v.LoginView(), "signup": signup(), "confirm": view, "account": account(enrolled=False)}
    names = {
        name: [each["name"] for each in page(name, view).one("form").walk() if each.get("name") not in {"", "csrf"}]
        for name, view in pages.items()
    }
    assert names == {
        "login": ["email", "password"],
        "signup": ["first_name", "last_name", "company", "email", "country", "currency"],
        "confirm": ["password", "terms", "postpay_terms"],
        "account": ["terms", "postpay_terms"],
    }


def test_every_problem_of_a_form_is_told_at_its_field_and_leads_there() -> None:
    found = page(
        "signup", signup(first_name="Ann", problems={"email": "problem.email", "last_name": "problem.required"})
    )
    alert = found.one(role="alert")
    assert [each["href"] for each in alert.all("a")] == ["#last_name", "#email"]
    field = found.one("input", id="last_name")
    assert field["aria-invalid"] == "true"
    assert found.one(id=field["aria-describedby"]).text == "Please fill this in."
    assert [each["id"] for each in found.all("input") if each.has("autofocus")] == ["last_name"]
    assert not found.one("input", id="first_name").has("aria-invalid")


def test_a_problem_of_no_single_field_is_told_as_well() -> None:
    found = page("signup", signup(problems={"form": "problem.refused"}))
    assert "The billing system did not accept this." in found.one(role="alert").text


def test_fields_take_no_more_than_the_server_does() -> None:
    found = page("signup", signup())
    assert {each["id"]: int(each["maxlength"]) for each in found.all("input") if each.has("maxlength")} == dict(
        v.FIELD_LONGEST
    )


def test_a_new_password_has_a_shortest_length_and_none_is_cut_off() -> None:
    password = page("confirm", v.ConfirmView("ann@example.com", "Ann Example")).one("input", id="password")
    assert password["minlength"] == str(v.PASSWORD_SHORTEST)
    assert not password.has("maxlength")


def test_a_client_already_is_asked_for_the_password_they_have() -> None:
    found = page("confirm", v.ConfirmView("ann@example.com", "Ann Example", known=True))
    assert found.one("input", id="password")["autocomplete"] == "current-password"
    assert not found.one("input", id="password").has("minlength")
    assert "a customer account with this address already" in found.text


def test_the_address_of_a_link_is_shown_but_never_sent_back() -> None:
    email = page("confirm", v.ConfirmView("ann@example.com", "Ann Example")).one("input", id="email")
    assert (email["value"], email.has("readonly"), email.has("name")) == ("ann@example.com", True, False)


def test_only_the_documents_there_are_have_to_be_accepted() -> None:
    found = read(renderer(BARE).page("confirm", "en", v.ConfirmView("ann@example.com", "Ann Example"), csrf="x"))
    (box,) = found.all("input", type="checkbox")
    assert (box["id"], box["value"], box.has("required"), box.has("checked")) == ("terms", "on", True, False)


def test_whoever_has_just_signed_up_is_led_to_solusio_or_to_the_log_in() -> None:
    assert page("welcome", logged_in=True).one("form", action="/cloud/account/solusio").text == "Log in to SolusIO"
    assert page("welcome").one("a", href="/cloud/login").text == "Log in"


def test_a_client_without_a_user_is_invited_and_sees_no_way_into_solusio() -> None:
    found = page("account", account(enrolled=False))
    assert found.all("form", action="/cloud/account/enrol")
    assert not found.all("form", action="/cloud/account/solusio")
    assert "Usage in" not in found.text


def test_a_client_with_a_user_sees_the_way_in_and_the_running_month() -> None:
    found = page("account", account())
    assert found.all("form", action="/cloud/account/solusio")
    assert [(each.text) for each in found.one("dl").all("div")] == [
        "So far $2.10",
        "By the end of the month, if your servers go on running $5.00",
    ]
    assert "web-1 Small, 300 hours" in found.one("tbody").text


def test_usage_that_is_not_known_is_not_shown_as_none() -> None:
    words = page("account", account(usage=(), usage_known=False, so_far="", projected="")).text
    assert "Your usage cannot be shown at the moment." in words
    assert "You have used nothing" not in words


@pytest.mark.parametrize("status", list(InvoiceStatus))
@pytest.mark.parametrize("language", LANGUAGES)
def test_an_invoices_status_is_said_in_words(status: InvoiceStatus, language: str) -> None:
    badge = (
        page("account", account(invoices=(invoice(str(status)),)), language)
        .one("details")
        .one("span", **{"class": f"badge {status}"})
    )
    assert badge.text


def test_an_overdue_invoice_says_so_until_a_payment_is_under_way() -> None:
    for status, words in (("unpaid", "Overdue"), ("pending", "Payment under way"), ("paid", "Paid")):
        found = page("account", account(invoices=(invoice(status, is_overdue=True),)))
        assert words in found.one("summary").text


def test_an_invoices_lines_unfold() -> None:
    details = page("account", account(invoices=(invoice("paid"),))).one("details")
    assert details.one("summary").text == "Invoice for July 2026 $4.90 Paid"
    assert details.one("tbody").text == "web-1: Small, 700 hours, 4900 tokens $4.90"
    assert "Number TB-2026-07-1042" in details.text


def test_a_notice_names_the_days_of_lock_and_suspension() -> None:
    notice = v.NoticeView("TB-2026-07-1042", "15 August", "$4.90", lock_on="22 August", suspend_on="29 August")
    words = page("account", account(notices=(notice,))).one("section", **{"aria-labelledby": "notices"}).text
    assert "An invoice is overdue Invoice TB-2026-07-1042 for $4.90 was due on 15 August." in words
    assert "On 22 August your account will be locked: you cannot create new servers then." in words
    assert "On 29 August your account will be suspended: your servers will be stopped." in words


def test_a_notice_says_what_has_happened_already_and_how_it_ends() -> None:
    notice = v.NoticeView("TB-2026-07-1042", "15 August", "$4.90", suspend_on="29 August", is_locked=True)
    words = page("account", account(notices=(notice,), user_status="locked")).text
    assert "That is why your account is locked" in words
    assert "On 29 August your account will be suspended" in words
    assert "Once everything overdue is paid, this ends within a day." in words


@pytest.mark.parametrize("status", [UserStatus.LOCKED, UserStatus.SUSPENDED])
def test_a_lock_without_an_overdue_invoice_is_told_too(status: UserStatus) -> None:
    assert f"Your account is {status}" in page("account", account(user_status=str(status))).text


def test_paying_is_offered_once_and_only_when_something_is_unpaid_and_can_be_paid() -> None:
    notice = v.NoticeView("TB-2026-07-1042", "15 August", "$4.90")
    offers = [
        (account(), 0),
        (account(invoices=(invoice("paid"),)), 0),
        (account(invoices=(invoice("unpaid"),)), 1),
        (account(invoices=(invoice("unpaid"),), notices=(notice,)), 1),
        (account(invoices=(invoice("unpaid"),), notices=(notice,), can_pay=False), 0),
    ]
    for view, times in offers:
        assert len(page("account", view).all("form", action="/cloud/account/pay")) == times


def test_an_invoice_that_has_its_own_place_to_be_paid_at_links_there() -> None:
    url = "https://pay.example.com/?a=1&b=42"
    notice = v.NoticeView("TB-2026-07-1042", "15 August", "$4.90", pay_url=url)
    shown = page("account", account(invoices=(attrs.evolve(invoice("unpaid"), pay_url=url),), notices=(notice,)))
    assert len(shown.all("a", href=url)) == 2
    assert "Pay invoice TB-2026-07-1042" in shown.text
    assert "Pay invoice" not in page("account", account(invoices=(invoice("unpaid"),))).text
