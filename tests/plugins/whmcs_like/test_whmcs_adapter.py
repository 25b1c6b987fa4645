"""What is particular about WHMCS: its taxes, its answers that prove nothing, its users who are not clients."""

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import attrs
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from tests.plugins.whmcs_like.side import CUSTOM_FIELD, WhmcsSide
from tollbridge import (
    Check,
    Client,
    Invoice,
    InvoiceStatus,
    NotFound,
    OutcomeUnknown,
    Refused,
    Signup,
    TaxRate,
    Unavailable,
)
from tollbridge.conformance import an_invoice
from tollbridge.conformance.side import MONTH
from tollbridge.http import Retry
from tollbridge.rules.pricing import PriceList, TaxRule, own_taxes
from tollbridge.sandbox import Fault
from tollbridge_whmcs_like import WhmcsAdapter
from tollbridge_whmcs_like.sandbox import Install, running

VAT = (TaxRate("VAT", Decimal(20)),)
GST_QST = (TaxRate("GST", Decimal(5)), TaxRate("QST", Decimal("9.975")))
SIX_AND_TWO = (TaxRate("A", Decimal(6)), TaxRate("B", Decimal(2)))


@pytest.fixture(scope="module")
def served() -> Iterator[WhmcsSide]:
    """One server for all tests of this file."""
    install = Install(page_limit=5)
    with running(install) as url:
        yield WhmcsSide(install, url)


@pytest.fixture
def side(served: WhmcsSide) -> WhmcsSide:
    """A fresh install behind it."""
    fresh = Install(page_limit=5)
    served.install.__dict__.update(
        {key: value for key, value in fresh.__dict__.items() if key not in {"faults", "journal", "load"}}
    )
    served.install.faults.clear()
    served.install.journal.clear()
    served.install.load.clear()
    return served


def total_of(side: WhmcsSide, invoice: Invoice) -> Decimal:
    """What WHMCS makes of the invoice."""
    receipt = side.billing().create_invoice(invoice)
    held = next(held for held in side.invoices() if held.id == receipt.id)
    assert held.total == receipt.total
    return held.total


def configure(side: WhmcsSide, **values: str) -> None:
    side.install.configuration.update(values)


def test_credentials_travel_in_the_body_and_nowhere_else(side: WhmcsSide) -> None:
    client = side.some_client()
    side.billing().create_invoice(an_invoice(client))
    for entry in side.install.journal.list():
        assert (entry.method, entry.path, entry.query) == ("POST", "/includes/api.php", "")
        assert entry.body["secret"] == entry.body["identifier"] == "********"


def test_the_tax_that_was_shown_is_billed_and_not_the_installs_own_rule(side: WhmcsSide) -> None:
    client = side.some_client(country="DE")  # where the install's rule says 19 %
    assert total_of(side, an_invoice(client, "4.90", "0.05", taxes=VAT)) == Decimal("5.94")


def test_who_is_shown_no_tax_pays_none_whatever_the_installs_rule_says(side: WhmcsSide) -> None:
    client = side.some_client(country="DE")
    assert total_of(side, an_invoice(client, "4.90")) == Decimal("4.90")


@pytest.mark.parametrize("cascades", ["", "on"])
@pytest.mark.parametrize("compound", [False, True])
def test_two_taxes_come_to_what_was_shown_however_whmcs_combines_them(
    side: WhmcsSide,
    cascades: str,
    compound: bool,
) -> None:
    configure(side, TaxL2Compound=cascades)
    client = side.some_client()
    invoice = an_invoice(client, "134.00", taxes=SIX_AND_TWO, compound=compound)
    assert total_of(side, invoice) == invoice.total == Decimal("144.88" if compound else "144.72")


def test_canadas_taxes_stay_apart_on_the_invoice(side: WhmcsSide) -> None:
    client = side.some_client(country="CA")
    invoice = an_invoice(client, "100.00", taxes=GST_QST)
    assert total_of(side, invoice) == invoice.total
    [made] = side.install.invoices()
    assert (made.tax, made.tax2) == (Decimal("5.00"), Decimal("9.98"))


def test_taxes_whmcs_cannot_express_are_refused_before_anything_is_made(side: WhmcsSide) -> None:
    client = side.some_client()
    with pytest.raises(Refused, match="three decimals"):
        side.billing().create_invoice(an_invoice(client, "100.00", taxes=GST_QST, compound=True))
    assert side.invoices() == []


@pytest.mark.parametrize(("kind", "included"), [("Inclusive", False), ("Exclusive", True)])
def test_the_other_tax_mode_is_refused_with_the_key_to_change(side: WhmcsSide, kind: str, included: bool) -> None:
    configure(side, TaxType=kind)
    client = side.some_client()
    invoice = an_invoice(client, taxes=VAT, prices_include_tax=included)
    with pytest.raises(Refused, match=f"prices_include_tax = {'false' if included else 'true'}"):
        side.billing().create_invoice(invoice)
    assert side.invoices() == []


def test_prices_that_include_tax_are_billed_as_they_are(side: WhmcsSide) -> None:
    configure(side, TaxType="Inclusive")
    client = side.some_client()
    invoice = an_invoice(client, "12.00", taxes=VAT, prices_include_tax=True)
    assert total_of(side, invoice) == Decimal("12.00")
    [made] = side.install.invoices()
    assert made.tax == Decimal("2.00")


@pytest.mark.parametrize("per_line", ["", "on"])
def test_lines_that_take_something_back_hold_their_tax_where_prices_do(side: WhmcsSide, per_line: str) -> None:
    configure(side, TaxType="Inclusive", TaxPerLineItem=per_line)
    client = side.some_client()
    invoice = an_invoice(client, "-3.60", "12.00", taxes=VAT, prices_include_tax=True)
    assert total_of(side, invoice) == Decimal("8.40")
    [made] = side.install.invoices()
    assert (made.subtotal, made.tax) == (Decimal("7.00"), Decimal("1.40"))
    read = side.billing().invoice(client.id, str(made.id), invoice.reference)
    assert read is not None
    assert (read.subtotal, read.total) == (Decimal("8.40"), Decimal("8.40"))


def test_lines_that_come_to_nothing_are_told_as_nothing(side: WhmcsSide) -> None:
    client = side.some_client()
    made = side.billing().create_invoice(an_invoice(client, "-3.60", "3.60", taxes=VAT))
    read = side.billing().invoice(client.id, str(made.id), made.reference)
    assert read is not None
    assert {made.subtotal, read.subtotal, read.total} == {Decimal(0)}


def test_tax_that_is_switched_off_in_whmcs_is_refused(side: WhmcsSide) -> None:
    configure(side, TaxEnabled="")
    client = side.some_client()
    with pytest.raises(Refused, match="switched off"):
        side.billing().create_invoice(an_invoice(client, taxes=VAT))


def test_a_tax_configuration_that_cannot_be_read_does_not_stop_the_billing(side: WhmcsSide) -> None:
    side.install.quirks.forbidden_actions = ("GetConfigurationValue",)
    client = side.some_client()
    invoice = an_invoice(client, "134.00", taxes=SIX_AND_TWO, compound=True)
    assert total_of(side, invoice) == invoice.total
    [check] = [check for check in side.billing().check() if check.name == "WHMCS tax"]
    assert "cannot be read" in check.detail


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    cents=st.lists(st.integers(-10_000_00, 10_000_00), min_size=1, max_size=6),
    rates=st.lists(st.decimals("0.001", 40, places=3), max_size=2),
    compound=st.booleans(),
)
def test_any_invoice_comes_to_what_was_shown_to_half_a_cent_for_each_tax(
    side: WhmcsSide,
    cents: list[int],
    rates: list[Decimal],
    compound: bool,
) -> None:
    assume(sum(cents) >= 0)
    configure(side, TaxL2Compound="on" if compound else "")
    number = 1042 + len(side.install.clients)
    client = side.some_client(id=number, email=f"c{number}@example.com")
    taxes = tuple(TaxRate(f"tax {rate}", rate) for rate in rates)
    invoice = an_invoice(client, *(str(Decimal(amount) / 100) for amount in cents), taxes=taxes, compound=compound)
    receipt = side.billing().create_invoice(invoice)
    assert abs(receipt.total - invoice.total) <= Decimal("0.005") * (len(taxes) + 1)


def test_an_invoice_longer_than_php_takes_fields_is_summed_up_at_its_end(side: WhmcsSide) -> None:
    client = side.some_client()
    invoice = an_invoice(client, *["0.01"] * 700, taxes=VAT)
    assert total_of(side, invoice) == invoice.total == Decimal("8.40")
    [made] = side.install.invoices()
    assert len(made.lines) == 299
    assert made.lines[-1].description.startswith("402 more items")


def test_a_currency_that_was_changed_since_the_price_was_shown_is_refused(side: WhmcsSide) -> None:
    side.some_client("JPY", id=1043, email="b@example.com")
    client = side.some_client("USD")
    side.install.set_client(client.id, currency="JPY")
    with pytest.raises(Refused, match="would make it JPY"):
        side.billing().create_invoice(an_invoice(client))
    assert side.invoices() == []


def test_a_success_that_names_no_invoice_proves_nothing(side: WhmcsSide) -> None:
    client = side.some_client()
    side.install.quirks.warning_only = True
    with pytest.raises(OutcomeUnknown, match="without invoiceid"):
        side.billing().create_invoice(an_invoice(client))
    side.install.quirks.warning_only = False
    assert side.billing().find_invoice(client.id, f"TB-2026-07-{client.id}") is None


@pytest.mark.parametrize("kind", ["html", "empty", "500", "cut"])
def test_an_answer_that_cannot_be_read_leaves_the_outcome_unknown(side: WhmcsSide, kind: str) -> None:
    client = side.some_client()
    with side.fault(Fault(kind, path="CreateInvoice")), pytest.raises(OutcomeUnknown):  # type: ignore[arg-type]
        side.billing().create_invoice(an_invoice(client))


def test_an_invoice_that_cannot_be_read_back_is_unknown_and_found_later(side: WhmcsSide) -> None:
    client = side.some_client()
    with side.fault(Fault("503", path="GetInvoices", times=None)), pytest.raises(OutcomeUnknown):
        side.adapter().create_invoice(an_invoice(client))
    assert side.billing().find_invoice(client.id, f"TB-2026-07-{client.id}") is not None


def test_too_many_requests_are_tried_again_and_bill_once(side: WhmcsSide) -> None:
    client = side.some_client()
    with side.fault(Fault("429", path="CreateInvoice")):
        side.billing().create_invoice(an_invoice(client))
    assert len(side.invoices()) == 1


@pytest.mark.parametrize("kind", ["half_page", "no_meta", "wrong_total", "shuffled_pages", "html", "empty"])
@pytest.mark.parametrize("action", ["GetClients", "GetInvoices"])
def test_half_a_list_is_worth_nothing(side: WhmcsSide, kind: str, action: str) -> None:
    clients = [side.some_client(id=1042 + n, email=f"c{n}@example.com") for n in range(7)]
    billing = side.billing()
    for client in clients:
        billing.create_invoice(an_invoice(client))
    fault = Fault(kind, path=action, times=None, skip=1 if kind == "shuffled_pages" else 0)  # type: ignore[arg-type]
    with side.fault(fault), pytest.raises(Unavailable):
        list(billing.clients() if action == "GetClients" else billing.unpaid_invoices())


def test_a_list_that_changes_once_while_it_is_read_is_read_again(side: WhmcsSide) -> None:
    for number in range(7):
        side.some_client(id=1042 + number, email=f"c{number}@example.com")
    with side.fault(Fault("half_page", path="GetClients")):
        assert len(list(side.billing().clients())) == 7


@pytest.mark.parametrize(
    ("word", "status"), [("Payment Pending", "pending"), ("Collections", "unpaid"), ("Unpaid", "unpaid")]
)
def test_open_invoices_are_told_whatever_whmcs_calls_them(side: WhmcsSide, word: str, status: str) -> None:
    client = side.some_client()
    side.billing().create_invoice(an_invoice(client))
    side.install.set_invoice(side.install.invoices()[0].id, status=word, duedate=date(2020, 1, 1))
    [receipt] = side.billing().unpaid_invoices()
    assert not isinstance(receipt, Refused)
    assert (receipt.status, receipt.due_date) == (status, date(2020, 1, 1))


def test_invoices_that_are_not_the_bridges_are_left_out(side: WhmcsSide) -> None:
    client = side.some_client()
    side.install.add_invoice(client.id, [("Domain", "12.00", False)], notes="order 7")
    side.install.add_invoice(client.id, [("Domain", "12.00", False)], notes="not XTB-2026-07-1042 nor TB-2026-07-1042b")
    assert list(side.billing().unpaid_invoices()) == []


def test_notes_that_somebody_added_to_do_not_hide_an_invoice(side: WhmcsSide) -> None:
    client = side.some_client()
    side.billing().create_invoice(an_invoice(client))
    [made] = side.install.invoices()
    side.install.set_invoice(made.id, notes=f"Called & reminded\n{made.notes}")
    side.install.quirks.escaped_text = True
    assert side.billing().find_invoice(client.id, f"TB-2026-07-{client.id}") is not None


def test_two_invoices_with_one_reference_are_for_a_human_to_sort_out(side: WhmcsSide) -> None:
    client = side.some_client()
    for _ in range(2):
        side.install.add_invoice(client.id, [("x", "1.00", False)], notes=f"TB-2026-07-{client.id}")
    with pytest.raises(Refused, match="invoice 2, 1: let exactly one have it"):
        side.billing().find_invoice(client.id, f"TB-2026-07-{client.id}")


def test_a_remark_in_the_middle_of_notes_is_no_reference_and_no_silence(side: WhmcsSide) -> None:
    client = side.some_client()
    side.billing().create_invoice(an_invoice(client))
    other = side.install.add_invoice(client.id, [("x", "1.00", False)], notes=f"belongs to TB-2026-07-{client.id}")
    found = side.billing().find_invoice(client.id, f"TB-2026-07-{client.id}")
    assert found is not None
    assert found.id != other
    side.install.add_invoice(client.id, [("x", "1.00", False)], notes=f"see TB-2026-08-{client.id}")
    with pytest.raises(Refused, match="at the beginning of a line"):
        side.billing().find_invoice(client.id, f"TB-2026-08-{client.id}")


def test_credit_that_was_applied_does_not_look_like_another_price(side: WhmcsSide) -> None:
    client = side.some_client()
    billing = side.billing()
    receipt = billing.create_invoice(an_invoice(client, "4.90"))
    side.install.set_invoice(int(receipt.id), credit=Decimal("1.00"))
    found = billing.find_invoice(client.id, receipt.reference)
    assert found is not None
    assert (found.total, found.is_open) == (Decimal("4.90"), True)


def test_the_discount_of_the_group_is_the_clients(side: WhmcsSide) -> None:
    client = side.some_client()
    side.install.set_client(client.id, group_id=side.install.add_group("Partners & Friends", "12.50"))
    side.install.quirks.escaped_text = True
    billing = side.billing()
    found = billing.client(client.id)
    terms = billing.terms(found, MONTH)
    assert found.group == "Partners & Friends"
    assert terms is not None
    assert terms.discounts is not None
    assert [(each.multiplier, each.description) for each in terms.discounts] == [
        (Decimal("0.875"), "12.5% recurring discount")
    ]
    assert terms.taxes is None


def test_groups_of_one_name_and_two_discounts_are_refused(side: WhmcsSide) -> None:
    client = side.some_client()
    side.install.set_client(client.id, group_id=side.install.add_group("Partners", "5.00"))
    side.install.add_group("Partners", "10.00")
    billing = side.billing()
    with pytest.raises(Refused, match="rename one"):
        billing.terms(billing.client(client.id), MONTH)


def test_currencies_are_written_as_their_format_says(side: WhmcsSide) -> None:
    for number, code in enumerate(("AAA", "BBB", "CCC", "DDD"), 1):
        side.install.add_currency(code, prefix="< ", suffix=" >", format=number)
    written = side.billing().currencies()
    assert [
        (written[code].thousands_separator, written[code].decimal_separator, written[code].decimals)
        for code in ("AAA", "BBB", "CCC", "DDD")
    ] == [("", ".", 2), (",", ".", 2), (".", ",", 2), (",", ".", 0)]
    assert (written["AAA"].prefix, written["AAA"].suffix) == ("< ", " >")


def test_a_wrong_address_or_key_says_what_to_look_at(side: WhmcsSide) -> None:
    billing = side.billing()
    side.install.secret = "another-secret"
    with pytest.raises(Refused, match="identifier and secret") as told:
        billing.currencies()
    assert "sandbox-secret" not in str(told.value)


def a_login(side: WhmcsSide, *, two_factor: bool = False) -> Client:
    user = side.install.add_user("ada@example.com", "right-password-1", two_factor=two_factor)
    side.add_currency(side.billing().currencies()["USD"])
    number = side.install.add_client("ada@example.com", user_id=user, client_id=1042)
    return side.billing().client(number)


def test_a_login_is_a_users_and_leads_to_the_client_it_owns(side: WhmcsSide) -> None:
    client = a_login(side)
    user = next(user for user in side.install.users if user.email == "ada@example.com")
    assert user.id != client.id
    assert side.billing().authenticate("ada@example.com", "right-password-1") == client
    assert side.billing().authenticate("ada@example.com", "wrong-password-1") is None


def test_a_second_factor_is_not_bypassed(side: WhmcsSide) -> None:
    a_login(side, two_factor=True)
    with pytest.raises(Refused, match="two-factor"):
        side.billing().authenticate("ada@example.com", "right-password-1")


def test_of_several_clients_the_one_with_the_logins_address_is_meant(side: WhmcsSide) -> None:
    client = a_login(side)
    user = next(user for user in side.install.users if user.email == "ada@example.com")
    side.install.add_client("second@example.com", user_id=user.id, client_id=1043)
    assert side.billing().authenticate("ada@example.com", "right-password-1") == client
    side.install.set_client(client.id, email="changed@example.com")
    with pytest.raises(Refused, match="owns 2 clients"):
        side.billing().authenticate("ada@example.com", "right-password-1")


def test_a_portal_link_is_refused_where_single_sign_on_is_blocked(side: WhmcsSide) -> None:
    client = side.some_client()
    side.install.set_client(client.id, single_sign_on=False)
    with pytest.raises(Refused):
        side.billing().portal_login_url(client.id)


def test_a_signup_in_a_currency_whmcs_does_not_have_makes_nobody(side: WhmcsSide) -> None:
    with pytest.raises(Refused, match="no currency XYZ"):
        side.billing().create_client(Signup("a@example.com", currency="XYZ", password="long-password-1"))
    assert side.install.clients == []


def test_a_client_that_is_gone_is_not_found_and_not_remembered(side: WhmcsSide) -> None:
    with pytest.raises(NotFound):
        side.billing().remember_user(77, 5)


def test_paid_and_pending_are_told_apart(side: WhmcsSide) -> None:
    client = side.some_client()
    receipt = side.billing().create_invoice(an_invoice(client))
    side.set_status(receipt.id, InvoiceStatus.PENDING)
    found = side.billing().find_invoice(client.id, receipt.reference)
    assert found is not None
    assert found.status is InvoiceStatus.PENDING


def test_a_server_error_in_whmcss_own_words_is_a_no_to_a_read_and_a_doubt_after_a_write(side: WhmcsSide) -> None:
    client = side.some_client()
    side.install.quirks.error_status = 500
    with pytest.raises(NotFound):
        side.billing().client(77)
    side.install.quirks.forbidden_actions = ("CreateInvoice",)
    side.install.quirks.denied_status = 500
    with pytest.raises(OutcomeUnknown):
        side.billing().create_invoice(an_invoice(client))


def test_a_currency_written_in_an_unknown_way_stops_nobody_else(side: WhmcsSide) -> None:
    side.install._currencies["ODD"] = attrs.evolve(side.install.currency("USD"), id=9, code="ODD")
    object.__setattr__(side.install._currencies["ODD"], "format", 9)
    assert set(side.billing().currencies()) == {"USD"}


def test_a_group_without_a_name_discounts_nobody_but_its_own(side: WhmcsSide) -> None:
    side.install.add_group("", "50.00")
    billing = side.billing()
    terms = billing.terms(billing.client(side.some_client().id), MONTH)
    assert terms is not None
    assert terms.discounts == ()


def test_check_names_what_the_credentials_may_not_do(side: WhmcsSide) -> None:
    side.some_client()
    side.install.quirks.forbidden_actions = ("GetClientsDetails",)
    wrong = [check.name for check in side.billing().check() if check.ok is False]
    assert wrong == ["WHMCS clients", "WHMCS custom field"]


@pytest.mark.parametrize("action", ["GetInvoice", "CreateInvoice", "UpdateClient"])
def test_check_proves_each_right_that_a_run_needs_and_changes_nothing(side: WhmcsSide, action: str) -> None:
    side.some_client()
    before = side.install.clients, side.install.invoices()
    assert found_of(side, f"WHMCS action {action}").ok is True
    side.install.quirks.forbidden_actions = (action,)
    denied = found_of(side, f"WHMCS action {action}")
    assert denied.ok is False
    assert "the API role's permissions" in denied.detail
    assert (side.install.clients, side.install.invoices()) == before


@pytest.mark.parametrize("action", ["AddClient", "CreateSsoToken", "GetUsers"])
def test_a_right_that_only_the_pages_need_is_told_and_fails_nothing(side: WhmcsSide, action: str) -> None:
    side.some_client()
    assert found_of(side, f"WHMCS action {action}").ok is True
    side.install.quirks.forbidden_actions = (action,)
    denied = found_of(side, f"WHMCS action {action}")
    assert denied.ok is None
    assert "only the customers' pages need it" in denied.detail


def test_a_right_that_cannot_be_tried_is_not_called_proved(side: WhmcsSide) -> None:
    side.some_client()
    assert found_of(side, "WHMCS action ValidateLogin").ok is None
    assert asked(side, "ValidateLogin") == 0


def test_an_answer_that_is_not_the_documented_refusal_proves_no_right(side: WhmcsSide) -> None:
    side.some_client()
    side.install.quirks.warning_only = True
    assert found_of(side, "WHMCS action CreateInvoice").ok is None


def test_tax_settings_that_may_not_be_read_fail_the_check_and_unknown_ones_are_not_proved(side: WhmcsSide) -> None:
    side.some_client()
    assert found_of(side, "WHMCS tax").ok is True
    del side.install.configuration["TaxType"]
    assert found_of(side, "WHMCS tax").ok is None
    side.install.quirks.forbidden_actions = ("GetConfigurationValue",)
    denied = found_of(side, "WHMCS tax")
    assert denied.ok is False
    assert "GetConfigurationValue" in denied.detail


def test_check_tells_of_a_currency_whose_taxes_have_more_decimals_than_it(side: WhmcsSide) -> None:
    side.some_client("JPY")
    assert "344.30 where 344 is shown" in found_of(side, "WHMCS currency JPY").detail
    side.install.configuration["TaxType"] = "Inclusive"
    assert [check for check in side.billing().check() if check.name == "WHMCS currency JPY"] == []


def test_the_users_id_is_kept_with_a_client_who_lacks_what_whmcs_asks_of_clients(side: WhmcsSide) -> None:
    client = side.some_client()
    side.install.quirks.validates_updates = True
    side.billing().remember_user(client.id, 7)
    assert side.install.client(client.id).custom_fields == {CUSTOM_FIELD: "7"}


@pytest.mark.parametrize("typed", ["TX", "Texas"])
@pytest.mark.parametrize("state", ["TX", "Texas", "tx"])
def test_a_tax_of_a_state_is_paid_there_whether_it_is_written_by_name_or_by_code(
    side: WhmcsSide, typed: str, state: str
) -> None:
    client = side.billing().client(side.some_client(country="US", state=typed).id)
    tax = TaxRate("Sales tax", Decimal("6.25"))
    assert own_taxes(PriceList({}, taxes=(TaxRule(tax, country="US", state=state),)), client) == (tax,)
    assert own_taxes(PriceList({}, taxes=(TaxRule(tax, country="US", state="CA"),)), client) == ()


def test_a_token_may_cost_the_guides_own_price(side: WhmcsSide) -> None:
    """The custom billing guide's EUR 0.00091: WHMCS sees the amounts of lines only."""
    assert side.billing().token_price_decimals is None


def found_of(side: WhmcsSide, name: str) -> Check:
    """What a check says."""
    [found] = [check for check in side.billing().check() if check.name == name]
    return found


def long_ago(side: WhmcsSide, client: Client, count: int) -> None:
    """Invoices that were made years ago."""
    side.install.today = date(2020, 1, 1)
    for _ in range(count):
        side.install.add_invoice(client.id, [("Domain", "12.00", False)], status="Paid")
    side.install.today = None


def asked(side: WhmcsSide, action: str) -> int:
    return side.install.load.calls.get(action, 0)


def references(side: WhmcsSide, day: date) -> list[str]:
    return sorted(each.reference for each in side.billing().invoices_since(day) if not isinstance(each, Refused))


YESTERDAY = date.today() - timedelta(days=1)  # noqa: DTZ011 - the install's day is that of UTC, within a day


def test_an_invoice_is_read_by_its_number_whoever_has_it_since_two_clients_were_merged(side: WhmcsSide) -> None:
    gone, survivor = side.some_client(), side.some_client(id=1043, email="b@example.com")
    billing = side.billing()
    made = billing.create_invoice(an_invoice(gone, "4.90", "0.10", taxes=VAT))
    side.install.merge_clients(gone.id, survivor.id)
    assert billing.find_invoice(gone.id, made.reference) is None
    found = billing.invoice(gone.id, str(made.id), made.reference)
    assert found is not None
    assert (found.id, found.client_id, found.reference) == (made.id, survivor.id, made.reference)
    assert (found.subtotal, found.total) == (Decimal("5.00"), Decimal("6.00"))
    assert billing.invoice(gone.id, "999", made.reference) is None


def test_an_invoice_is_read_by_its_number_whatever_became_of_its_notes(side: WhmcsSide) -> None:
    client = side.some_client()
    billing = side.billing()
    made = billing.create_invoice(an_invoice(client))
    side.install.set_invoice(int(made.id), notes="called on Monday")
    found = billing.invoice(client.id, str(made.id), made.reference)
    assert found is not None
    assert (found.id, found.reference) == (made.id, "")


def test_a_receipt_tells_the_sum_of_the_lines_and_the_currency(side: WhmcsSide) -> None:
    client = side.some_client()
    billing = side.billing()
    made = billing.create_invoice(an_invoice(client, "4.90", "0.10", taxes=VAT))
    assert (made.subtotal, made.currency) == (Decimal("5.00"), "USD")
    assert list(billing.unpaid_invoices()) == [made]


def test_where_amounts_hold_their_tax_the_sum_of_the_lines_is_told_only_if_it_is_sure(side: WhmcsSide) -> None:
    configure(side, TaxType="Inclusive")
    client = side.some_client()
    billing = side.billing()
    made = billing.create_invoice(an_invoice(client, "12.00", taxes=VAT, prices_include_tax=True))
    assert made.subtotal is None, "WHMCS's own subtotal is without tax"
    read = billing.invoice(client.id, str(made.id), made.reference)
    assert read is not None
    assert read.subtotal == Decimal("12.00"), "which its lines are not"


def test_a_currency_that_is_changed_meanwhile_is_told_by_the_receipt(side: WhmcsSide) -> None:
    """A client is not asked for again within ten minutes."""
    side.some_client("JPY", id=1043, email="b@example.com")
    client = side.some_client("USD")
    billing = side.billing()
    billing.client(client.id)
    side.install.set_client(client.id, currency="JPY")
    assert billing.create_invoice(an_invoice(client)).currency == "JPY"
    with pytest.raises(Refused, match="would make it JPY"):
        side.billing().create_invoice(an_invoice(client, month="2026-08"))


def test_a_client_whose_currency_was_changed_back_is_asked_for_and_billed(side: WhmcsSide) -> None:
    side.some_client("JPY", id=1043, email="b@example.com")
    client = side.some_client("USD")
    billing = side.billing()
    side.install.set_client(client.id, currency="JPY")
    billing.client(client.id)
    side.install.set_client(client.id, currency="USD")
    assert billing.create_invoice(an_invoice(client)).currency == "USD"


def test_a_new_invoice_is_read_back_though_others_were_made_in_the_same_moment(
    side: WhmcsSide, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = side.some_client()
    add = side.install.add_invoice

    def and_more(*arguments: Any, **fields: Any) -> int:
        made = add(*arguments, **fields)
        for _ in range(6):
            add(client.id, [("Domain", "12.00", False)])
        return made

    monkeypatch.setattr(side.install, "add_invoice", and_more)
    receipt = side.billing().create_invoice(an_invoice(client, "4.90"))
    assert (receipt.id, receipt.total, receipt.subtotal) == (1, Decimal("4.90"), Decimal("4.90"))


def test_a_reference_is_looked_for_no_further_back_than_it_can_be(side: WhmcsSide) -> None:
    client = side.some_client()
    long_ago(side, client, 40)
    billing = side.billing()
    made = billing.create_invoice(an_invoice(client))
    side.install.load.clear()
    assert billing.find_invoice(client.id, made.reference) is not None
    assert billing.find_invoice(client.id, f"TB-2026-06-{client.id}") is None
    assert asked(side, "GetInvoices") == 2


def test_those_made_since_a_day_are_listed_whatever_people_wrote_on_them(side: WhmcsSide) -> None:
    client = side.some_client()
    billing = side.billing()
    long_ago(side, client, 40)
    for month in ("2026-05", "2026-06", "2026-07", "2026-08"):
        billing.create_invoice(an_invoice(client, month=month))
    moved, draft, cancelled, other = side.install.invoices()[-4:]
    side.install.set_invoice(moved.id, date=date(2001, 1, 1))
    side.install.set_invoice(draft.id, status="Draft")
    side.install.set_invoice(cancelled.id, status="Cancelled")
    side.install.set_invoice(other.id, notes="order 7")
    side.install.load.clear()
    assert references(side, YESTERDAY) == [f"TB-2026-0{month}-{client.id}" for month in (5, 6, 7)]
    assert asked(side, "GetInvoices") == 1, "and no further back than that day"


def test_a_whmcs_that_does_not_tell_when_an_invoice_was_made_is_read_whole(side: WhmcsSide) -> None:
    side.install.quirks.version = "7.10"
    client = side.some_client()
    side.billing().create_invoice(an_invoice(client))
    for _ in range(12):
        side.install.add_invoice(client.id, [("Domain", "12.00", False)], date="2001-01-01")
    assert references(side, YESTERDAY) == [f"TB-2026-07-{client.id}"]
    assert side.billing().find_invoice(client.id, f"TB-2026-07-{client.id}") is not None


def test_a_list_that_is_refused_is_an_outage_and_no_failure_of_a_single_client(side: WhmcsSide) -> None:
    """A refusal would be taken for one record's, and each client's invoice be looked for in vain."""
    client = side.some_client()
    side.install.quirks.forbidden_actions = ("GetInvoices", "GetClients")
    billing = side.billing()
    for ask in (
        billing.clients,
        billing.unpaid_invoices,
        lambda: billing.invoices_since(YESTERDAY),
        lambda: [billing.find_invoice(client.id, "TB-2026-07-1042")],
    ):
        with pytest.raises(Unavailable, match="does not let us call"):
            list(ask())


def test_a_client_that_cannot_be_read_is_told_with_its_number(side: WhmcsSide) -> None:
    for number in (1042, 1043):
        side.some_client(id=number, email=f"c{number}@example.com")
    with side.fault(Fault("503", path="GetClientsDetails", times=2)):
        listed = list(WhmcsAdapter(side.settings(), Retry(attempts=1)).clients())
    assert sorted(str(each) for each in listed if isinstance(each, Refused)) == [
        "client 1042: WHMCS answered 503",
        "client 1043: WHMCS answered 503",
    ]


def test_settings_and_currencies_are_asked_for_once_a_minute_and_not_for_every_invoice(side: WhmcsSide) -> None:
    clients = [side.some_client(id=1042 + n, email=f"c{n}@example.com") for n in range(4)]
    billing = side.billing()
    for client in clients:
        billing.currencies()
        billing.create_invoice(an_invoice(client, taxes=VAT))
    assert (asked(side, "GetCurrencies"), asked(side, "GetConfigurationValue")) == (1, 3)
    billing.close()
