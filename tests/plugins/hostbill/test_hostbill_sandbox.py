"""The simulator by itself: as strict as HostBill's documents, and able to fail in every way."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import httpx
import pytest

from tests.plugins.hostbill import Api, served
from tollbridge.sandbox import Fault
from tollbridge_hostbill.sandbox import Install, InstallError, small_company
from tollbridge_hostbill.sandbox.records import TaxMode


@pytest.fixture
def api() -> Iterator[Api]:
    install = Install(page_size=2)
    install.add_client("ada@example.com", first_name="Ada", country="GB", password="right-9")
    install.add_tax("VAT", "20", "GB")
    with served(install) as made:
        yield made


def an_invoice(api: Api, *amounts: str, **rates: str) -> dict[str, Any]:
    """A draft with these lines, all taxed, dated and converted."""
    number = api("addInvoice", client_id=1)["invoice_id"]
    for amount in amounts:
        api("addInvoiceItem", id=number, line="web-1", price=amount, qty=1, tax=1)
    api("editInvoiceDetails", id=number, date="2026-08-01", duedate="2026-08-15", **rates)
    made: dict[str, Any] = api("convertInvoice", id=number)["invoice"]
    return made


def test_an_invoice_is_made_in_steps_and_counts_from_the_last_on(api: Api) -> None:
    number = api("addInvoice", client_id=1)["invoice_id"]
    assert number == "1", "numbers are text"
    line = api("addInvoiceItem", id=number, line="web-1", price="10.00", qty=2, tax=1)["newline"]
    assert (line["amount"], line["qty"], line["linetotal"]) == ("10.00", "2.00", 20)
    draft = api("getInvoiceDetails", id=number)["invoice"]
    assert (draft["status"], draft["taxrate"], draft["total"]) == ("Draft", "20", "24.00")
    made = api("convertInvoice", id=number)["invoice"]
    assert made["status"] == "Unpaid"
    assert "converted" in api.refusal("convertInvoice", id=number)


def test_a_rate_that_is_set_wins_over_the_clients_and_a_line_over_both(api: Api) -> None:
    assert an_invoice(api, "10.00", taxrate="7")["total"] == "10.70"
    assert an_invoice(api, "10.00", taxrate="0")["total"] == "10.00"
    number = api("addInvoice", client_id=1)["invoice_id"]
    api("addInvoiceItem", id=number, line="deposit", price="5.00", qty=1, tax=0)
    assert api("convertInvoice", id=number)["invoice"]["total"] == "5.00"


@pytest.mark.parametrize(
    ("mode", "tax", "total"),
    [
        (TaxMode(), ("10.00", "10.00"), "120.00"),
        (TaxMode(compound=True), ("10.00", "11.00"), "121.00"),
        (TaxMode(inclusive=True), ("8.33", "8.33"), "100.00"),
    ],
)
def test_rates_are_charged_as_the_tax_settings_say(api: Api, mode: TaxMode, tax: tuple[str, str], total: str) -> None:
    api.install.taxes = mode
    made = an_invoice(api, "100.00", taxrate="10", taxrate2="10")
    assert ((made["tax"], made["tax2"]), made["total"]) == (tax, total)
    assert made["metadata"]["taxconfig"]["TaxType"] == ("inclusive" if mode.inclusive else "exclusive")


def test_tax_is_rounded_once_or_by_line(api: Api) -> None:
    assert an_invoice(api, "0.03", "0.03", taxrate="20")["tax"] == "0.01"
    api.install.taxes = TaxMode(by_line=True)
    assert an_invoice(api, "0.03", "0.03", taxrate="20")["tax"] == "0.02"


@pytest.mark.parametrize("amount", ["1,234.00", "", "ten", "1e3", " 1"])
def test_an_amount_that_is_no_plain_number_is_refused(api: Api, amount: str) -> None:
    number = api("addInvoice", client_id=1)["invoice_id"]
    assert api.refusal("addInvoiceItem", id=number, line="web-1", price=amount, qty=1, tax=1)
    assert api.install.invoice(1).items == ()


@pytest.mark.parametrize(
    ("call", "fields", "said"),
    [
        ("addInvoice", {}, "client_id is missing"),
        ("addInvoice", {"client_id": 9}, "Client not found"),
        ("addInvoice", {"client_id": 1, "notes": "x"}, "addInvoice has no parameter notes"),
        ("getInvoiceDetails", {"id": 9}, "Invoice not found"),
        ("getInvoices", {"list": "some"}, "Unknown list"),
        ("getInvoices", {"filter__client_id": 1}, "Unknown list or filter"),
        ("getClients", {"filter__shoe": "43"}, "no filter shoe"),
        ("setClientDetails", {"id": 1, "shoe": "43"}, "has no shoe"),
        ("makeInvoice", {}, "method does not exist"),
    ],
)
def test_what_the_documents_do_not_have_is_refused(api: Api, call: str, fields: dict[str, Any], said: str) -> None:
    before = api.install.clients, api.install.invoices()
    assert said in api.refusal(call, **fields)
    assert (api.install.clients, api.install.invoices()) == before


def test_without_the_right_key_in_the_body_of_a_post_nothing_is_told(api: Api) -> None:
    right = api.fields("getClients")
    for wrong in ({**right, "api_key": "wrong"}, {**right, "api_id": "wrong"}, {"call": "getClients"}):
        assert api.post(wrong).json()["success"] is False
    assert api.http.get("/admin/api.php", params=right).json()["success"] is False
    assert api.post(right).json()["success"] is True


@pytest.mark.parametrize(
    ("shape", "found"),
    [
        ("list", {"error": ["Client not found"]}),
        ("map", {"error": {"0": "Client not found"}}),
        ("text", {"error": "Client not found"}),
        ("errMsg", {"errMsg": "Client not found"}),
    ],
)
def test_a_no_has_several_shapes(api: Api, shape: str, found: dict[str, Any]) -> None:
    api.install.change_quirks(errors=shape)
    told = api("getClientDetails", id=9)
    assert {key: told[key] for key in ("success", *found)} == {"success": False, **found}
    assert told["call"] == "getClientDetails"


@pytest.mark.parametrize(("first", "following"), [(0, 1), (1, 2)])
def test_pages_are_counted_from_0_or_1_and_the_sorter_names_the_next_or_the_present(
    api: Api, first: int, following: int
) -> None:
    for number in range(4):
        api.install.add_client(f"c{number}@example.com")
    api.install.change_quirks(first_page=first)
    answer = api("getClients")
    assert answer["sorter"] == {"perpage": 2, "totalpages": 3, "sorterrecords": 5, "sorterpage": following}
    assert [row["id"] for row in api("getClients", page=following)["clients"]] == ["3", "4"]
    api.install.change_quirks(next_page=False)
    assert api("getClients")["sorter"]["sorterpage"] == first


def test_lists_of_invoices_have_no_client_filter_and_no_lines(api: Api) -> None:
    for _ in range(3):
        an_invoice(api, "1.00")
    draft = api("addInvoice", client_id=1)["invoice_id"]
    assert [row["id"] for row in api("getInvoices", list="all")["invoices"]] == ["4", "3"]
    assert [row["id"] for row in api("getInvoices", list="unpaid")["invoices"]] == ["3", "2"]
    [found] = api("getInvoices", filter__status="Draft")["invoices"]
    assert (found["id"], "items" in found) == (draft, False)
    api.install.change_quirks(drafts="filter")
    assert api("getInvoices", list="all")["sorter"]["sorterrecords"] == 3
    api.install.change_quirks(drafts="nowhere")
    assert "Unknown status" in api.refusal("getInvoices", filter__status="Draft")


def test_credit_and_payments_pay_an_invoice(api: Api) -> None:
    api.install.set_client(1, credit="2.00")
    api.install.applies_credit = True
    made = an_invoice(api, "10.00", taxrate="0")
    assert (made["status"], made["credit"], api.install.client(1).credit) == ("Unpaid", "2.00", Decimal(0))
    api.install.pay(1, "3.00")
    assert api.install.invoice(1).balance == Decimal("5.00")
    answer = api("getInvoiceDetails", id=1)
    assert [row["in"] for row in answer["transactions"]] == ["3.00"]
    api.install.pay(1, "5.00")
    assert api.install.invoice(1).status == "Paid"


def test_log_ins_are_told_with_their_second_factor(api: Api) -> None:
    assert api("verifyClientLogin", email="ada@example.com", password="right-9")["mfa_status"] == 0
    api.install.set_client(1, second_factor=True)
    assert api("verifyClientLogin", email="ADA@example.com", password="right-9")["mfa_status"] == 1
    for email, password in (("ada@example.com", "wrong"), ("nobody@example.com", "right-9")):
        assert api.refusal("verifyClientLogin", email=email, password=password) == "Invalid login details"


def test_clients_are_added_with_addresses_of_their_own(api: Api) -> None:
    made = api("addClient", email="new@example.com", password="p", password2="p", currency_id=0, companyname="Neu Ltd")
    assert made["client_id"] == "2"
    assert "already" in api.refusal("addClient", email="NEW@example.com", password="p", password2="p")
    assert "match" in api.refusal("addClient", email="b@example.com", password="p", password2="q")
    assert len(api.install.clients) == 2


@pytest.mark.parametrize(
    ("kind", "calls", "status"), [("lost", 1, None), ("cut", 0, None), ("503", 0, 503), ("html", 0, 200)]
)
def test_an_answer_is_lost_with_the_work_done_or_not(api: Api, kind: Any, calls: int, status: int | None) -> None:
    """And ``addInvoice`` is that call alone, and not ``addInvoiceItem`` too."""
    number = api("addInvoice", client_id=1)["invoice_id"]
    api.install.faults.add(Fault(kind, path="addInvoice"))
    api("addInvoiceItem", id=number, line="web-1", price="1.00", qty=1, tax=1)
    fields = api.fields("addInvoice", client_id=1)
    if status is None:
        with pytest.raises(httpx.TransportError):
            api.post(fields)
    else:
        assert api.post(fields).status_code == status
    assert len(api.install.invoices()) == 1 + calls


def test_everything_is_switched_by_the_controls(api: Api) -> None:
    def tell(path: str, **body: Any) -> Any:
        answer = api.http.post(f"/sandbox/{path}", json=body)
        return answer.json().get("data", answer.status_code) if answer.status_code < 300 else answer.status_code

    an_invoice(api, "10.00", taxrate="0")
    assert tell("quirks", numbers=True)["numbers"] is True
    assert api("getInvoiceDetails", id=1)["invoice"]["total"] == 10
    assert tell("settings", today="2026-09-01", inclusive=True)["inclusive"] is True
    assert tell("settings", inclusive="yes") == 422
    assert tell("invoices/1", pay="4.00")["balance"] == "6.00"
    assert tell("invoices/1", status="Cancelled")["status"] == "Cancelled"
    assert tell("invoices/1", total="1.00") == 422
    assert tell("clients", email="b@example.com", country="DE")["id"] == 2
    assert [row["id"] for row in api.http.get("/sandbox/invoices").json()["data"]] == [1]
    assert "convertInvoice" in api.http.get("/sandbox/").text


def test_the_small_company_has_one_of_everything() -> None:
    install = Install()
    small_company(install)
    assert {client.status for client in install.clients} == {"Active", "Lead", "Archived", "Closing"}
    assert [client.email for client in install.clients if client.parent_id] == ["contact@example.com"]
    assert {currency.iso for currency in install.currencies.values()} == {"USD", "EUR", "JPY"}
    with pytest.raises(InstallError, match="already"):
        small_company(install)
