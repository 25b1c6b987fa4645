"""What is HostBill's own: its currencies, taxes, statuses, people, pages and refusals."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import attrs
import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from tests.plugins import TLS
from tests.plugins.hostbill.side import HostBillSide
from tests.plugins.hostbill.test_hostbill_conformance import a_side
from tollbridge import (
    NOBODY,
    AddressTaken,
    Check,
    Currency,
    InvoiceStatus,
    NotFound,
    OutcomeUnknown,
    Receipt,
    Refused,
    Secret,
    Signup,
    TaxRate,
    Unavailable,
)
from tollbridge.adapters.billing import BillingSystem, LooseAttempt
from tollbridge.adapters.loading import managed
from tollbridge.conformance import an_invoice
from tollbridge.conformance.side import MONTH
from tollbridge.http import Http, InProcess
from tollbridge.sandbox import Fault
from tollbridge_hostbill import HostBillAdapter
from tollbridge_hostbill.login import AutoLogin
from tollbridge_hostbill.sandbox.records import TaxMode

VAT = TaxRate("VAT", Decimal(20))


@pytest.fixture
def side() -> Iterator[HostBillSide]:
    with a_side({}) as made:
        yield made


def with_settings(side: HostBillSide, **changes: Any) -> BillingSystem:
    """The adapter with other settings, as the core calls it."""
    return BillingSystem("hostbill", managed("hostbill", HostBillAdapter(side.settings(**changes))))


def failed(side: HostBillSide, **changes: Any) -> dict[str, str]:
    """The checks that fail, with what they say."""
    return {check.name: check.detail for check in with_settings(side, **changes).check() if not check.ok}


def check(side: HostBillSide, name: str) -> Check:
    [found] = [each for each in side.billing().check() if each.name == name]
    return found


class TestCurrencies:
    """``getCurrencies``."""

    def test_the_main_currency_is_number_0_and_not_in_the_list(self, side: HostBillSide) -> None:
        side.install.add_currency("EUR", sign="€", format="1.234,56")
        assert side.billing().client(side.install.add_client("a@example.com")).currency == "USD"
        assert list(side.billing().currencies()) == ["USD", "EUR"]

    @pytest.mark.parametrize(
        ("sample", "separators"),
        [("1,234.56", ",."), ("1.234,56", ".,"), ("1 234,56", " ,"), ("1234.56", "."), ("1'234.56", "'.")],
    )
    def test_its_writing_is_read_from_a_sample_and_its_decimals_are_not(
        self, side: HostBillSide, sample: str, separators: str
    ) -> None:
        side.install.add_currency("KWD", sign="KD", format=sample, decimal=3)
        found = side.billing().currencies()["KWD"]
        assert f"{found.thousands_separator}{found.decimal_separator}" == separators
        assert found.decimals == 3

    def test_a_currency_without_a_sign_is_written_with_its_code_behind(self, side: HostBillSide) -> None:
        side.install.add_currency("SEK", code="kr", format="1 234,56")
        assert side.billing().currencies()["SEK"] == Currency(
            "SEK", suffix=" kr", thousands_separator=" ", decimal_separator=","
        )

    def test_one_that_is_switched_off_is_not_offered_and_still_a_clients(self, side: HostBillSide) -> None:
        side.install.add_currency("EUR", enabled=False)
        client = side.install.add_client("a@example.com", currency="EUR")
        assert list(side.billing().currencies()) == ["USD"]
        assert side.billing().client(client).currency == "EUR"

    def test_a_currency_that_was_added_since_is_asked_for_anew(self, side: HostBillSide) -> None:
        billing = side.billing()
        billing.currencies()
        side.install.add_currency("EUR")
        assert billing.client(side.install.add_client("a@example.com", currency="EUR")).currency == "EUR"


class TestTaxes:
    """Rates are read per client, and set on each invoice."""

    def test_hostbills_own_rules_decide_nothing(self, side: HostBillSide) -> None:
        """It would charge 20 %, and none was shown."""
        client = side.some_client()
        side.add_tax("GB", VAT)
        side.billing().create_invoice(an_invoice(client, "4.90"))
        assert side.the_invoice().total == Decimal("4.90")
        assert side.install.invoice(1).taxrate == 0

    def test_a_taxs_name_is_shown_as_it_was_typed(self, side: HostBillSide) -> None:
        client = side.some_client()
        side.add_tax("GB", TaxRate("Sales & use", Decimal(5)))
        side.install.change_quirks(escaped_text=True)
        told = side.billing().terms(client, MONTH)
        assert told is not None
        assert [tax.label for tax in told.taxes or ()] == ["Sales & use"]

    def test_a_second_rate_that_was_not_shown_is_set_to_zero(self, side: HostBillSide) -> None:
        client = side.some_client()
        side.add_tax("GB", VAT)
        side.add_tax("GB", TaxRate("Local", Decimal(10)), 2)
        side.billing().create_invoice(an_invoice(client, "10.00", taxes=(VAT,)))
        assert side.the_invoice().total == Decimal("12.00")

    def test_a_clients_own_rate_wins_over_the_rules_also_if_it_is_zero(self, side: HostBillSide) -> None:
        client = side.some_client()
        side.add_tax("GB", VAT)
        for rate in ("7.00", "0.00"):
            side.install.set_client(client.id, own_rate=rate)
            terms = side.billing().terms(client, MONTH)
            assert terms is not None
            assert [tax.rate for tax in terms.taxes or ()] == [Decimal(rate)]

    @pytest.mark.parametrize("told", ["rates", "zero", "none"])
    def test_whatever_is_told_of_an_exempt_client_it_pays_none(self, side: HostBillSide, told: str) -> None:
        side.install.change_quirks(exempt_rates=told)
        side.add_tax("GB", VAT)
        client = side.some_client(tax_exempt=True)
        billing = side.billing()
        assert billing.client(client.id).tax_exempt
        assert billing.terms(client, MONTH) is not None
        billing.create_invoice(an_invoice(client, "4.90"))
        assert side.the_invoice().total == Decimal("4.90")

    def test_compound_taxes_are_as_the_settings_say_and_compared_before_an_invoice_counts(
        self, side: HostBillSide
    ) -> None:
        client = side.some_client()
        side.install.taxes = TaxMode(compound=True)
        taxes = side.charged_taxes(client, "10", "10")
        terms = with_settings(side).terms(client, MONTH)
        assert terms is not None
        assert terms.compound
        with pytest.raises(Refused, match=r"comes to 121\.0* USD there, and 120\.00 was shown"):
            side.billing().create_invoice(an_invoice(client, "100.00", taxes=taxes))
        assert side.invoices() == []
        side.billing().create_invoice(an_invoice(client, "100.00", taxes=taxes, compound=True))
        assert side.the_invoice().total == Decimal("121.00")

    def test_an_inclusive_mode_is_refused_before_anybody_sees_an_invoice(self, side: HostBillSide) -> None:
        client = side.some_client()
        side.install.taxes = TaxMode(inclusive=True)
        invoice = an_invoice(client, "12.00", taxes=side.charged_taxes(client, "20"))
        attempt = LooseAttempt()
        with pytest.raises(Refused, match="must be exclusive"):
            side.billing().create_invoice(invoice, attempt)
        assert side.invoices() == []
        assert attempt.kept == "", "so that the next run prices it anew"

    def test_tax_that_is_rounded_by_line_is_no_other_total(self, side: HostBillSide) -> None:
        client = side.some_client()
        side.install.taxes = TaxMode(by_line=True)
        amounts = ["0.03"] * 9
        invoice = an_invoice(client, *amounts, taxes=side.charged_taxes(client, "20"))
        receipt = side.billing().create_invoice(invoice)
        assert (receipt.total, invoice.total) == (Decimal("0.36"), Decimal("0.32"))

    def test_the_taxes_of_a_country_are_not_told_without_a_client(self, side: HostBillSide) -> None:
        nobody = attrs.evolve(side.some_client(), id=NOBODY, country="GB")
        with pytest.raises(NotFound, match="HostBill tells taxes by client only"):
            side.billing().terms(nobody, MONTH)
        assert with_settings(side, read_taxes=False).terms(nobody, MONTH) is None

    def test_without_read_taxes_those_of_bridge_toml_apply_and_nobody_is_asked(self, side: HostBillSide) -> None:
        client = side.some_client()
        side.install.change_quirks(forbidden=("getClientTaxDetails",))
        billing = with_settings(side, read_taxes=False)
        assert billing.terms(client, MONTH) is None
        assert "taxes" in billing.cannot
        billing.create_invoice(an_invoice(client, "10.00", taxes=(VAT,)))
        assert side.the_invoice().total == Decimal("12.00")

    def test_three_taxes_are_refused_before_anything_is_written(self, side: HostBillSide) -> None:
        client = side.some_client()
        with pytest.raises(Refused, match="3 taxes"):
            side.billing().create_invoice(an_invoice(client, taxes=(VAT, VAT, VAT)))
        assert side.invoices() == []


class TestReceipts:
    """What is left to pay is not told, and follows from what is."""

    @pytest.mark.parametrize("less_credit", [False, True])
    def test_what_is_left_is_the_total_less_credit_and_payments(self, side: HostBillSide, less_credit: bool) -> None:
        side.install.change_quirks(total_less_credit=less_credit)
        client = side.some_client()
        side.install.set_client(client.id, credit="1.00")
        side.install.applies_credit = True
        billing = side.billing()
        made = billing.create_invoice(an_invoice(client, "4.90"))
        side.install.pay(int(made.id), "0.90")
        [listed] = [each for each in billing.unpaid_invoices() if isinstance(each, Receipt)]
        for receipt in (listed, billing.invoice(client.id, str(made.id), made.reference)):
            assert receipt is not None
            assert (receipt.total, receipt.balance) == (Decimal("4.90"), Decimal("3.00"))

    def test_what_somebody_else_collects_is_unpaid(self, side: HostBillSide) -> None:
        client = side.some_client()
        made = side.billing().create_invoice(an_invoice(client))
        side.install.set_invoice(int(made.id), status="Collections")
        [listed] = [each for each in side.billing().unpaid_invoices() if isinstance(each, Receipt)]
        assert (listed.id, listed.status) == (made.id, InvoiceStatus.UNPAID)

    def test_hostbills_own_invoices_are_asked_for_once_and_left_out(self, side: HostBillSide) -> None:
        client = side.some_client()
        side.install.add_invoice(client.id, [("Hosting", "9.00", True)])
        billing = side.billing()
        assert list(billing.unpaid_invoices()) == []
        side.install.load.clear()
        assert list(billing.unpaid_invoices()) == []
        assert side.install.load.calls == {"getInvoices": 2}

    def test_two_invoices_with_one_reference_are_for_a_human_to_tell(self, side: HostBillSide) -> None:
        client = side.some_client()
        made = side.billing().create_invoice(an_invoice(client))
        side.install.add_invoice(client.id, [(f"{made.reference}: copied", "4.90", False)])
        with pytest.raises(Refused, match=f"1, 2 all begin with {made.reference}|2, 1 all begin"):
            side.billing().find_invoice(client.id, made.reference)

    def test_months_are_told_by_the_first_line(self, side: HostBillSide) -> None:
        client = side.some_client()
        reference = f"TB-2026-07-{client.id}"
        side.billing().create_invoice(an_invoice(client, notes=f"{reference}: usage in 2026-06, 2026-07"))
        found = side.billing().find_invoice(client.id, reference)
        assert found is not None
        assert found.months == ("2026-06", "2026-07")

    def test_what_is_not_the_bridges_may_have_any_form(self, side: HostBillSide) -> None:
        """An import without a due date keeps nobody from finding the bridge's invoices."""
        client = side.some_client()
        made = side.billing().create_invoice(an_invoice(client))
        imported = side.install.add_invoice(client.id, [("Imported", "9.00", False)])
        side.install.set_invoice(imported, duedate=None)
        billing = side.billing()
        found = billing.find_invoice(client.id, made.reference)
        assert found is not None
        assert found.id == made.id
        for told in (billing.invoices_since(date(2026, 7, 29)), billing.unpaid_invoices()):
            assert [getattr(each, "id", each) for each in told] == [made.id]
        assert check(side, "HostBill invoices").ok

    def test_amounts_have_the_decimals_of_their_currency(self, side: HostBillSide) -> None:
        """A line of 490 yen, 1.00 times, is no 490.00 yen."""
        side.install.add_currency("JPY", decimal=0)
        client = side.some_client(currency="JPY")
        made = side.billing().create_invoice(an_invoice(client, "490", currency="JPY"))
        [line] = side.install.invoice(int(made.id)).items
        side.install.set_invoice(int(made.id), items=(attrs.evolve(line, qty=Decimal("1.00")),))
        found = side.billing().find_invoice(client.id, made.reference)
        assert found is not None
        assert [str(amount) for amount in (found.subtotal, found.total, found.balance)] == ["490"] * 3

    def test_what_is_not_told_is_not_gone(self, side: HostBillSide) -> None:
        """Else its client would owe nothing, or have its user closed."""
        client = side.some_client()
        made = side.billing().create_invoice(an_invoice(client))
        side.install.change_quirks(left_out=("client", "invoice"))
        with pytest.raises(Refused, match="its answer has no client"):
            side.billing().client(client.id)
        with pytest.raises(Refused, match="its answer has no invoice"):
            side.billing().invoice(client.id, str(made.id), made.reference)

    def test_a_long_history_is_not_read_to_its_end(self, side: HostBillSide) -> None:
        """By number, down to where a hundred in a row are dated before the first day that is asked about."""
        client = side.some_client()
        for _ in range(150):
            side.install.add_invoice(client.id, [("Hosting", "9.00", True)], status="Paid", date=date(2024, 1, 1))
        side.billing().create_invoice(an_invoice(client))
        side.install.load.clear()
        [found] = list(side.billing().invoices_since(date(2026, 7, 29)))
        assert isinstance(found, Receipt)
        assert side.install.load.calls["getInvoices"] <= 101 // side.install.page_size + 3


class TestCalls:
    """Few calls."""

    def test_an_invoice_costs_three_calls_and_one_for_each_line(self, side: HostBillSide) -> None:
        clients = [side.some_client(id=1042 + n, email=f"c{n}@example.com") for n in range(5)]
        billing = side.billing()
        billing.create_invoice(an_invoice(clients[0], "1.00", "2.00"))
        side.install.load.clear()
        for client in clients[1:]:
            billing.create_invoice(an_invoice(client, "1.00", "2.00"))
        assert list(billing.unpaid_invoices())
        assert side.install.load.calls == {
            "addInvoice": 4,
            "addInvoiceItem": 8,
            "editInvoiceDetails": 4,
            "convertInvoice": 4,
            "getInvoices": 2,
        }

    def test_a_client_costs_one_call_and_its_taxes_one(self, side: HostBillSide) -> None:
        clients = [side.some_client(id=1042 + n, email=f"c{n}@example.com") for n in range(5)]
        billing = side.billing()
        billing.currencies()
        side.install.load.clear()
        assert len(list(billing.clients())) == 5
        for client in clients:
            billing.terms(client, MONTH)
        assert side.install.load.calls == {"getClients": 1, "getClientDetails": 5, "getClientTaxDetails": 5}
        assert side.install.load.most_at_once <= billing.at_once


class TestPages:
    """Lists are whole, or nothing is done with them."""

    @pytest.mark.parametrize("kind", ["half_page", "no_meta", "wrong_total"])
    @pytest.mark.parametrize("hook", ["clients", "unpaid_invoices"])
    def test_a_list_that_is_not_whole_is_unavailable(self, side: HostBillSide, hook: str, kind: Any) -> None:
        client = side.some_client()
        for month in ("2026-06", "2026-07"):
            side.billing().create_invoice(an_invoice(client, month=month))
        with side.fault(Fault(kind, times=None)), pytest.raises(Unavailable):
            list(getattr(side.billing(), hook)())

    def test_an_answer_without_its_list_is_not_an_empty_list(self, side: HostBillSide) -> None:
        """Else an invoice in doubt would be made a second time."""
        client = side.some_client()
        made = side.billing().create_invoice(an_invoice(client))
        side.install.change_quirks(client_invoices_counted=False, drafts="nowhere", left_out=("invoices",))
        with pytest.raises(Unavailable, match="its answer has no invoices"):
            side.billing().find_invoice(client.id, made.reference)
        assert "HostBill invoices" in failed(side)

    def test_rows_of_another_page_are_read_again(self, side: HostBillSide) -> None:
        ids = [side.install.add_client(f"c{n}@example.com") for n in range(12)]
        with side.fault(Fault("shuffled_pages", path="getClients", skip=1)):
            found = [each.id for each in side.billing().clients() if not isinstance(each, Refused)]
        assert found == ids


class TestRefusals:
    """A no has several shapes, and never reads as "there is none"."""

    @pytest.mark.parametrize("shape", ["list", "map", "text", "errMsg"])
    @pytest.mark.parametrize("status", [200, 403, 500])
    def test_a_key_that_may_not_ask_is_refused_and_no_client_is_gone(
        self, side: HostBillSide, shape: str, status: int
    ) -> None:
        client = side.some_client()
        side.install.change_quirks(errors=shape, error_status=status, forbidden=("getClientDetails",))
        with pytest.raises(Refused, match="look at api_id and api_key"):
            side.billing().client(client.id)

    def test_a_bad_key_is_refused_by_every_hook(self, side: HostBillSide) -> None:
        client = side.some_client()
        side.install.change_quirks(key_accepted=False)
        billing = side.billing()
        with pytest.raises(Refused):
            billing.client(client.id)
        with pytest.raises(Unavailable, match="look at api_id"):
            list(billing.clients())
        with pytest.raises(Unavailable, match="look at api_id"):
            billing.find_invoice(client.id, f"TB-2026-07-{client.id}")

    def test_a_status_that_cannot_be_filtered_by_keeps_nobody_from_the_rest(self, side: HostBillSide) -> None:
        client = side.some_client()
        side.install.change_quirks(drafts="nowhere")
        made = side.billing().create_invoice(an_invoice(client))
        assert [each.id for each in side.billing().invoices_since(date(2026, 7, 29)) if isinstance(each, Receipt)] == [
            made.id
        ]

    @pytest.mark.parametrize("kind", ["html", "empty", "500"])
    def test_an_answer_to_a_write_that_cannot_be_read_is_unknown(self, side: HostBillSide, kind: Any) -> None:
        client = side.some_client()
        with side.fault(Fault(kind, path="convertInvoice")), pytest.raises(OutcomeUnknown):
            side.billing().create_invoice(an_invoice(client))


class TestClients:
    """Statuses, and who is none."""

    @pytest.mark.parametrize(
        ("status", "meaning"),
        [
            ("Active", "active"),
            ("Closing", "active"),
            ("Lead", "inactive"),
            ("Prospect", "inactive"),
            ("Lost", "inactive"),
            ("Closed", "closed"),
            ("Pending Removal", "closed"),
            ("Archived", "closed"),
        ],
    )
    def test_every_status_has_a_meaning(self, side: HostBillSide, status: str, meaning: str) -> None:
        client = side.install.add_client("a@example.com", status=status)
        assert side.billing().client(client).status == meaning

    def test_a_contact_is_no_client(self, side: HostBillSide) -> None:
        client = side.some_client()
        contact = side.install.add_client("b@example.com", parent_id=client.id, password="its-own-9")
        billing = side.billing()
        assert [each.id for each in billing.clients() if not isinstance(each, Refused)] == [client.id]
        assert HostBillAdapter(side.settings()).client(contact) is None
        assert billing.authenticate("b@example.com", "its-own-9") is None


class TestPeople:
    """Log-in, sign-up, and links."""

    def test_a_second_factor_is_not_proved_by_a_password(self, side: HostBillSide) -> None:
        side.install.add_client("a@example.com", password="right-9", second_factor=True)
        with pytest.raises(Refused, match="two-factor"):
            side.billing().authenticate("a@example.com", "right-9")
        assert side.billing().authenticate("a@example.com", "wrong") is None

    def test_a_second_factor_that_is_not_told_of_is_not_taken_for_none(self, side: HostBillSide) -> None:
        side.install.add_client("a@example.com", password="right-9", second_factor=True)
        side.install.change_quirks(left_out=("mfa_status",))
        with pytest.raises(Refused, match="does not tell whether"):
            side.billing().authenticate("a@example.com", "right-9")

    @pytest.mark.parametrize("shape", ["list", "map", "text", "errMsg"])
    @pytest.mark.parametrize("quirk", [{"key_accepted": False}, {"forbidden": ("verifyClientLogin",)}], ids=str)
    def test_a_bad_key_never_reads_as_a_wrong_password(
        self, side: HostBillSide, quirk: dict[str, Any], shape: str
    ) -> None:
        side.install.add_client("a@example.com", password="right-9")
        side.install.change_quirks(errors=shape, **quirk)
        with pytest.raises(Refused, match="look at api_id and api_key"):
            side.billing().authenticate("a@example.com", "right-9")

    def test_a_bad_key_whose_words_are_those_of_a_wrong_password_is_told_from_it(self, side: HostBillSide) -> None:
        """What needs no customer's password is refused, too."""
        client = side.some_client()
        for words in ("Invalid login details", "Client not found"):
            side.install.change_quirks(key_accepted=False, denied=words)
            with pytest.raises(Refused, match="look at api_id and api_key"):
                side.billing().authenticate(client.email, "right-9")

    def test_the_address_of_a_contact_is_taken_too(self, side: HostBillSide) -> None:
        client = side.some_client()
        side.install.add_client("b@example.com", parent_id=client.id)
        with pytest.raises(AddressTaken):
            side.billing().create_client(Signup("b@example.com", currency="USD"))

    @pytest.mark.parametrize("plugin", ["md5", "hmac_keyed", "hmac_whole"])
    def test_a_link_is_signed_in_whatever_way_is_accepted(self, side: HostBillSide, plugin: str) -> None:
        client = side.some_client()
        side.install.change_quirks(autologin=plugin)
        billing = side.billing()
        links = [billing.portal_login_url(client.id) for _ in range(2)]
        for link in links:
            assert link is not None
            with httpx.Client(verify=TLS) as browser:
                assert client.email in browser.get(link).text
                assert browser.get(link).status_code == 403, "it is used up"
        tries = {"hmac_keyed": 1, "hmac_whole": 2, "md5": 3}[plugin]
        assert side.install.load.calls["autologin"] == tries + 1 + 2 * len(links), "what was accepted is tried first"

    def test_a_link_that_cannot_be_used_is_told_without_its_token(self) -> None:
        async def plugin(_request: Request) -> JSONResponse:
            return JSONResponse({"success": True, "login_url": "/clientarea/?token=opens-it"})

        app = Starlette(routes=[Route("/index.php", plugin, methods=["POST"])])
        area = Http("http://billing.example.com", service="HostBill", transport=InProcess(app))
        with area, pytest.raises(Refused, match="no address") as refused:
            AutoLogin(area, Secret("shared"), "md5").link("a@example.com")
        assert "opens" not in str(refused.value)

    def test_a_hash_that_is_set_is_the_only_one_that_is_tried(self, side: HostBillSide) -> None:
        client = side.some_client()
        assert with_settings(side, autologin_hash="md5").portal_login_url(client.id)
        with pytest.raises(Refused, match="autologin_hash"):
            with_settings(side, autologin_hash="hmac").portal_login_url(client.id)

    def test_a_plugin_that_is_off_says_so_and_without_a_secret_there_is_no_link(self, side: HostBillSide) -> None:
        client = side.some_client()
        side.install.change_quirks(autologin_on=False)
        with pytest.raises(Refused, match="not active"):
            side.billing().portal_login_url(client.id)
        assert with_settings(side, autologin_secret=None).portal_login_url(client.id) is None

    @pytest.mark.parametrize(
        ("url", "area"),
        [
            ("https://billing.example.com/admin/", "https://billing.example.com/"),
            ("https://example.com/hb/admin", "https://example.com/hb/"),
        ],
    )
    def test_clients_log_in_one_folder_above_the_admin_area(self, side: HostBillSide, url: str, area: str) -> None:
        assert side.settings(url=url).client_area == area
        assert side.settings(url=url, client_area_url="https://my.example.com").client_area == "https://my.example.com/"


class TestCheck:
    """What ``tollbridge check`` proves without writing."""

    @pytest.mark.parametrize(
        ("call", "name"),
        [
            ("getCurrencies", "HostBill currencies"),
            ("getClients", "HostBill clients"),
            ("getClientDetails", "HostBill clients"),
            ("getInvoices", "HostBill invoices"),
            ("getInvoiceDetails", "HostBill invoices"),
            ("getClientInvoices", "HostBill invoices"),
            ("addInvoice", "HostBill writing"),
            ("addInvoiceItem", "HostBill writing"),
            ("editInvoiceDetails", "HostBill writing"),
            ("convertInvoice", "HostBill writing"),
            ("deleteInvoice", "HostBill writing"),
            ("setClientDetails", "HostBill writing"),
            ("getClientTaxDetails", "HostBill tax"),
        ],
    )
    def test_each_permission_that_is_missing_is_found(self, side: HostBillSide, call: str, name: str) -> None:
        side.billing().create_invoice(an_invoice(side.some_client()))
        side.install.change_quirks(forbidden=(call,))
        assert call in failed(side)[name]

    @pytest.mark.parametrize("methods", ["all", "keys", "none"])
    def test_what_hostbill_does_not_list_is_named(self, side: HostBillSide, methods: str) -> None:
        side.install.change_quirks(methods=methods)
        assert check(side, "HostBill writing").ok
        assert ("allow it addInvoice, " in check(side, "HostBill writing").detail) is (methods == "none")

    def test_what_only_the_pages_need_is_told_and_no_failure(self, side: HostBillSide) -> None:
        side.install.change_quirks(forbidden=("verifyClientLogin",))
        assert check(side, "HostBill writing").ok
        assert "for the pages allow it verifyClientLogin, too" in check(side, "HostBill writing").detail

    def test_an_inclusive_mode_and_another_compounding_are_refused(self, side: HostBillSide) -> None:
        client = side.some_client()
        side.install.taxes = TaxMode(inclusive=True)
        side.install.add_invoice(client.id)
        assert "set them to Exclusive" in failed(side)["HostBill tax"]
        side.install.taxes = TaxMode(compound=True)
        side.install.add_invoice(client.id)
        assert failed(side) == {}
        assert failed(side, compound_tax=False)["HostBill tax"] == "compound_tax must be true, as it is in HostBill"
        side.install.change_quirks(tax_mode_told=False)
        assert "its mode is not told" in check(side, "HostBill tax").detail

    def test_a_field_that_is_missing_or_cannot_be_searched_is_told(self, side: HostBillSide) -> None:
        client = side.some_client()
        assert "no field other" in failed(side, custom_field="other")["HostBill custom field"]
        assert "staff can search by it" in check(side, "HostBill custom field").detail
        side.billing().remember_user(client.id, 7)
        side.install.change_quirks(searchable_fields=())
        assert "not searchable" in check(side, "HostBill custom field").detail

    def test_a_wrong_key_is_told_by_every_check(self, side: HostBillSide) -> None:
        assert len(failed(side, api_key=Secret("wrong"))) == len(side.billing().check()) - 1


def test_lines_taken_for_another_are_made_harmless(side: HostBillSide) -> None:
    client = side.some_client()
    lines = attrs.evolve(an_invoice(client, "1.00", "2.00")).lines
    named = [attrs.evolve(line, description=f"TB-2026-08-{client.id}: {line.description}") for line in lines]
    side.billing().create_invoice(an_invoice(client, lines=named))
    first, second = (line.description for line in side.the_invoice().lines)
    assert first.startswith(f"TB-2026-07-{client.id}: usage in 2026-07\nTB 2026-08-")
    assert second.startswith("TB 2026-08-")
