"""What each page tells and offers a customer, and when."""

import attrs
import pytest

from tests.server.pages.reading import read
from tests.server.pages.rendered import BARE, SITE, account, invoice, landing, owed, page, plan, renderer, signup
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
    assert [each.text for each in row.inside] == [
        "Small", "Per hour $0.007", "At most per month $5.00", "Get started : Small",
    ]  # fmt: skip


def test_each_plan_has_what_the_panel_tells_of_its_size() -> None:
    sized = plan(processors="2", memory="4 GB", disk="50 GB")
    first, second = page("landing", landing(sized, plan())).one("tbody").all("tr")
    assert [each.text for each in first.inside[1:4]] == ["Processors 2", "Memory 4 GB", "Disk 50 GB"]
    assert [each.text for each in second.inside[1:4]] == ["Processors –", "Memory –", "Disk –"]


@pytest.mark.parametrize(
    ("can_sign_up", "can_log_in", "logged_in", "way"),
    [
        (True, True, False, "/cloud/signup?currency=EUR"),
        (False, True, False, "/cloud/login"),
        (True, True, True, "/cloud/account"),
        (False, False, False, ""),
    ],
)
def test_each_plans_button_leads_as_far_as_there_is_a_way(
    can_sign_up: bool, can_log_in: bool, logged_in: bool, way: str
) -> None:
    view = landing(plan(), can_sign_up=can_sign_up, can_log_in=can_log_in)
    buttons = page("landing", view, logged_in=logged_in).one("table").all("a")
    assert [each["href"] for each in buttons] == ([way] if way else [])


def test_the_first_thing_to_be_read_names_a_price() -> None:
    hero = page("landing", landing(plan(), tax="within", taxes="VAT 19%", country="Germany")).one(
        "section", **{"class": "hero"}
    )
    price = "For example Small $5.00 a month at most or $0.007 an hour, if it runs for less"
    assert f"{price} With VAT 19%, as paid in Germany." in hero.text
    assert "For example" not in page("landing", landing()).text


def test_the_header_leads_to_prices_the_log_in_and_the_other_language() -> None:
    able = renderer(attrs.evolve(SITE, can_sign_up=True, can_log_in=True))
    visitor = read(able.page("login", "en", v.LoginView(), csrf="x", here="/cloud/login")).one("header")
    assert [each["href"] for each in visitor.one("nav").all("a")] == [
        "/cloud#plans", "/cloud/signup", "/cloud/login", "/cloud/login?language=de",
    ]  # fmt: skip
    assert visitor.one("a", hreflang="de").text == "DE Deutsch"
    customer = read(able.page("login", "de", v.LoginView(), csrf="x", logged_in=True)).one("header")
    assert [each["href"] for each in customer.one("nav").all("a")] == [
        "/cloud#plans", "/cloud/account", "/cloud?language=en",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("site", "words", "href"),
    [
        (attrs.evolve(SITE, password_url="https://b.example.com/forgot"), "Forgot", "https://b.example.com/forgot"),
        (SITE, "Forgot your password? Write to help@example.com", "mailto:help@example.com"),
        (BARE, "", ""),
    ],
    ids=["page", "mail", "neither"],
)
def test_who_forgot_the_password_is_told_what_to_do_where_there_is_something(
    site: v.Site, words: str, href: str
) -> None:
    main = read(renderer(site).page("login", "en", v.LoginView(can_sign_up=False), csrf="x")).one("main")
    assert [each["href"] for each in main.all("a")] == ([href] if href else [])
    assert words in main.text
    assert ("Forgot" in main.text) == bool(href)


def test_the_currency_is_chosen_by_links_and_the_chosen_one_is_marked() -> None:
    links = page("landing", landing(plan())).one("nav", **{"aria-label": "Prices in"}).all("a")
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
    assert "web-1 Small Hours 300 Tokens 2,100 Amount $2.10" in found.one("tbody").text


def test_usage_whose_price_is_not_known_is_shown_without_one() -> None:
    usage = (v.UsageView("web-1", "", "Small", "2,100", "", "300"),)
    text = page("account", account(usage=usage, so_far="", projected="", is_partial=True)).text
    assert "web-1 Small Hours 300 Tokens 2,100 Amount –" in text
    assert "The billing system does not answer just now" in text
    assert "So far" not in text


def test_a_server_at_its_monthly_price_says_that_it_costs_nothing_more() -> None:
    usage = (v.UsageView("web-1", "", "Small", "5,000", "$5.00", "720", "$0.007", "$5.00", is_at_most=True),)
    text = page("account", account(usage=usage)).text
    assert "$0.007 an hour, at most $5.00 a month Monthly price reached" in text


def test_what_is_carried_to_a_later_invoice_is_told() -> None:
    assert "From earlier months, $0.80 is still to be invoiced" in page("account", account(carried="$0.80")).text


def test_where_data_and_company_are_explained_is_linked_from_every_page_and_the_form_that_asks_for_them() -> None:
    site = v.Site("Example", privacy_url="https://example.com/privacy", imprint_url="https://example.com/imprint")
    for name, view in (("landing", landing()), ("signup", signup())):
        shown = read(renderer(site).page(name, "en", view, csrf="a-token"))
        links = [each["href"] for each in shown.all("a")]
        assert links.count("https://example.com/privacy") == (2 if name == "signup" else 1)
        assert "https://example.com/imprint" in links


def test_what_has_no_hours_says_so() -> None:
    backup = v.UsageView("web-1", "item.backup", "", "210", "$0.21")
    (row,) = page("account", account(usage=(backup,))).one("tbody").all("tr")
    assert row.text == "web-1 Backups Hours – Tokens 210 Amount $0.21"


@pytest.mark.parametrize("by", ["days", "servers"])
def test_the_chart_is_told_to_who_does_not_see_it_and_has_a_bar_for_each_figure(by: str) -> None:
    bars = (v.BarView("1", "1 August", "$0.17", 500), v.BarView("2", "2 August", "$0.34", 1000))
    chart = page("account", account(chart=v.ChartView(by, bars, 31, bars[1]))).one("figure")
    picture = chart.one("svg")
    assert picture["role"] == "img"
    named = [picture.one(id=each).text for each in picture["aria-labelledby"].split()]
    assert named == [f"Cost by {by.removesuffix('s')}", "Most: 2 August, $0.34."]
    drawn = [each.one("title").text for each in picture.all("rect", **{"class": "s0"})]
    assert drawn == ["1 August: $0.17", "2 August: $0.34"]
    if by == "days":
        assert [row.text for row in chart.one("tbody").all("tr")] == ["1 August $0.17", "2 August $0.34"]


def test_a_day_on_which_nothing_was_used_is_in_the_table_alone() -> None:
    bars = (v.BarView("1", "1 August", "$0.00", 0), v.BarView("2", "2 August", "$0.34", 1000))
    chart = page("account", account(chart=v.ChartView("days", bars, 31, bars[1]))).one("figure")
    assert len(chart.all("rect")) == 1
    assert len(chart.one("tbody").all("tr")) == 2


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
    assert details.one("summary").text == "Invoice for July 2026 No. TB-2026-07-1042 $4.90 Paid"
    assert details.one("tbody").text == "web-1: Small, 700 hours, 4900 tokens $4.90 Total $4.90"
    assert "Reference TB-2026-07-1042" in details.text
    assert "Invoice number" not in details.text


def test_an_invoice_has_the_billing_systems_number_and_each_tax_by_its_name_and_rate() -> None:
    taxes = (v.TaxView("GST", "5", "$0.25"), v.TaxView("QST", "9.975", "$0.49"))
    view = attrs.evolve(invoice("paid"), number="10042", subtotal="$4.90", total="$5.64", taxes=taxes)
    details = page("account", account(invoices=(view,))).one("details")
    assert "Invoice number 10042 Reference TB-2026-07-1042" in details.text
    assert details.one("tbody").text.endswith("Before tax $4.90 GST 5% $0.25 QST 9.975% $0.49 Total $5.64")


def test_tax_that_the_prices_hold_is_told_below_the_total() -> None:
    view = attrs.evolve(invoice("paid"), taxes=(v.TaxView("USt", "19", "0,78 €"),))
    table = page("account", account(invoices=(view,)), "de").one("details").one("tbody")
    assert table.text.endswith("Gesamtbetrag $4.90 Darin enthalten: USt 19 % 0,78 €")


def test_a_tax_of_which_only_the_sum_is_known_has_no_rate() -> None:
    view = attrs.evolve(invoice("paid"), subtotal="$4.00", taxes=(v.TaxView("", "", "$0.90"),))
    table = page("account", account(invoices=(view,))).one("details").one("tbody")
    assert table.text.endswith("Before tax $4.00 Tax $0.90 Total $4.90")


def test_a_notice_names_the_days_of_lock_and_suspension() -> None:
    notice = v.NoticeView("TB-2026-07-1042", "15 August", "$4.90", lock_on="22 August", suspend_on="29 August")
    words = page("account", account(notices=(notice,))).one("section", **{"aria-labelledby": "owed"}).text
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
        (account(owed=owed(is_open=False)), 0),
        (account(invoices=(invoice("unpaid"),), owed=owed()), 1),
        (account(invoices=(invoice("unpaid"),), notices=(notice,), owed=owed()), 1),
        (account(invoices=(invoice("unpaid"),), notices=(notice,), owed=owed(), can_pay=False), 0),
    ]
    for view, times in offers:
        forms = page("account", view).all("form", action="/cloud/account/pay")
        assert [each.one("button").text for each in forms].count("Pay in the customer area") == times


def test_an_invoice_that_has_its_own_place_to_be_paid_at_links_there() -> None:
    url = "https://pay.example.com/?a=1&b=42"
    notice = v.NoticeView("TB-2026-07-1042", "15 August", "$4.90", pay_url=url)
    shown = page("account", account(invoices=(attrs.evolve(invoice("unpaid"), pay_url=url),), notices=(notice,)))
    assert len(shown.all("a", href=url)) == 2
    only_there = attrs.evolve(notice, pay_url=url)
    shown = page("account", account(notices=(only_there,), owed=owed(pay_url=url), can_pay=False))
    assert [each["class"] for each in shown.all("a", href=url)] == ["button"]
    assert "Pay invoice TB-2026-07-1042" in shown.text
    assert "Pay invoice" not in page("account", account(invoices=(invoice("unpaid"),))).text


def test_what_is_owed_comes_before_everything_else_with_the_button_to_pay_it() -> None:
    notice = v.NoticeView("TB-2026-07-1042", "15 August", "$4.90")
    for view in (account(owed=owed()), account(owed=owed(overdue="$1.00"), notices=(notice,))):
        first = page("account", view).one("main").all("section")[0]
        assert first["aria-labelledby"] == "owed"
        assert "To pay $4.90" in first.text
        assert first.one("form", action="/cloud/account/pay").one("button").text == "Pay in the customer area"


def test_who_owes_nothing_reads_that() -> None:
    first = page("account", account(owed=v.OwedView("$0.00", is_open=False))).one("main").all("section")[0]
    assert first.text == "To pay $0.00 All invoices are paid."


@pytest.mark.parametrize(
    ("is_suspended", "words"), [(True, "Your account is suspended"), (False, "Your account is locked")]
)
def test_a_lock_for_an_overdue_invoice_is_the_headline_with_the_button(is_suspended: bool, words: str) -> None:
    notice = v.NoticeView(
        "TB-2026-07-1042", "15 August", "$4.90", is_suspended=is_suspended, is_locked=not is_suspended
    )
    found = page("account", account(notices=(notice,), owed=owed())).one("section", **{"aria-labelledby": "owed"})
    assert found.one("h2").text == words
    assert found.all("form", action="/cloud/account/pay")
