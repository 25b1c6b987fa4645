"""Invoices: what is written, what tax is charged, and what is read back."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from decimal import Decimal

import attrs
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.plugins import TLS
from tests.plugins.whmcs_like import Api
from tollbridge_whmcs_like.sandbox import Install, InstallError, running
from tollbridge_whmcs_like.sandbox.money import TaxMode

TODAY = date(2026, 8, 1)


@pytest.fixture
def install() -> Install:
    made = Install()
    made.today = TODAY
    made.add_currency("JPY", prefix="¥", format=4, rate="150.00000")
    made.add_client("us@example.com", first_name="Ulla", country="US")
    made.add_client("gb@example.com", country="GB")
    made.add_client("quebec@example.com", country="CA", state="Quebec")
    made.add_client("exempt@example.com", country="GB", tax_exempt=True)
    made.add_client("jp@example.com", country="JP", currency="JPY")
    return made


@pytest.fixture
def api(install: Install) -> Iterator[Api]:
    with running(install) as root, httpx.Client(verify=TLS) as http:
        yield Api(root, install, http)


def create(api: Api, client: int, *amounts: str, **fields: object) -> dict[str, str]:
    """An invoice of taxed lines, read back."""
    lines: dict[str, object] = {}
    for place, amount in enumerate(amounts, 1):
        lines |= {f"itemdescription{place}": f"Line {place}", f"itemamount{place}": amount, f"itemtaxed{place}": 1}
    answer = api("CreateInvoice", userid=client, **{**lines, **fields})
    assert answer["result"] == "success", answer
    read: dict[str, str] = api("GetInvoice", invoiceid=answer["invoiceid"])
    return read


def test_an_invoice_is_written_in_one_call_and_read_back(install: Install, api: Api) -> None:
    answer = api(
        "CreateInvoice",
        userid=1,
        status="Unpaid",
        date="2026-08-01",
        duedate="2026-08-15",
        notes="TB-2026-07-1",
        paymentmethod="banktransfer",
        taxrate="10",
        itemdescription1="web-1",
        itemamount1="15.95",
        itemtaxed1=1,
        itemdescription2="Deposit",
        itemamount2="4",
    )
    assert answer == {"result": "success", "invoiceid": "1", "status": "Unpaid"}
    assert api("GetInvoice", invoiceid="1") == {
        "result": "success",
        "invoiceid": 1,
        "invoicenum": "",
        "userid": 1,
        "date": "2026-08-01",
        "duedate": "2026-08-15",
        "datepaid": "0000-00-00 00:00:00",
        "lastcaptureattempt": "0000-00-00 00:00:00",
        "subtotal": "19.95",
        "credit": "0.00",
        "tax": "1.60",
        "tax2": "0.00",
        "total": "21.55",
        "balance": "21.55",
        "taxrate": "10.000",
        "taxrate2": "0.000",
        "status": "Unpaid",
        "paymentmethod": "banktransfer",
        "notes": "TB-2026-07-1",
        "ccgateway": False,
        "items": {
            "item": [
                {"id": 1, "type": "", "relid": 0, "description": "web-1", "amount": "15.95", "taxed": 1},
                {"id": 2, "type": "", "relid": 0, "description": "Deposit", "amount": "4.00", "taxed": 0},
            ]
        },
        "transactions": "",
    }
    invoice = install.invoices(1)[0]
    assert (invoice.id, invoice.client_id, invoice.status, invoice.date, invoice.duedate) == (
        1, 1, "Unpaid", TODAY, date(2026, 8, 15),
    )  # fmt: skip
    assert [(line.description, line.amount, line.taxed) for line in invoice.lines] == [
        ("web-1", Decimal("15.95"), True),
        ("Deposit", Decimal("4.00"), False),
    ]
    assert (invoice.notes, invoice.sent, invoice.taxrate) == ("TB-2026-07-1", False, Decimal(10))
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        invoice.notes = "changed"  # type: ignore[misc]


def test_what_is_not_said_of_an_invoice_is_today_and_due_in_a_fortnight(install: Install, api: Api) -> None:
    invoice = create(api, 1, "1.00")
    assert (invoice["date"], invoice["duedate"], invoice["status"]) == ("2026-08-01", "2026-08-15", "Unpaid")
    assert (invoice["notes"], invoice["paymentmethod"]) == ("", "mailin")


def test_an_invoice_for_nobody_is_refused(install: Install, api: Api) -> None:
    assert api.refusal("CreateInvoice", userid=77, itemdescription1="x", itemamount1="1") == "Client ID Not Found"
    assert api.refusal("CreateInvoice", itemdescription1="x", itemamount1="1") == "Client ID Not Found"
    assert install.invoices() == []


def test_a_draft_can_not_be_sent_at_once(install: Install, api: Api) -> None:
    assert api.refusal("CreateInvoice", userid=1, draft=1, sendinvoice=1).startswith("Cannot create and send a draft")
    assert create(api, 1, "1.00", draft="1")["status"] == "Draft"
    assert not install.invoices()[0].sent


def test_whether_the_client_is_mailed_follows_phps_idea_of_truth(install: Install, api: Api) -> None:
    for sent in ("1", "true", "false", "0", ""):
        create(api, 1, "1.00", sendinvoice=sent)
    assert [invoice.sent for invoice in install.invoices()] == [True, True, True, False, False]


def test_whether_a_line_is_taxed_follows_phps_idea_of_truth(install: Install, api: Api) -> None:
    create(api, 1, "1.00", "1.00", "1.00", itemtaxed1="False", itemtaxed2="0", itemtaxed3="on")
    assert [line.taxed for line in install.invoices()[0].lines] == [True, False, True]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"itemamount1": "1,234.56"}, "itemamount1: '1,234.56' is not a number"),
        ({"itemamount1": "1.5E+3"}, "itemamount1: '1.5E+3' is not a number"),
        ({"itemamount1": ""}, "itemamount1: '' is not a number"),
        ({"taxrate": "20%"}, "taxrate: '20%' is not a number"),
        ({"taxrate": "101"}, "taxrate: 101 is not a percentage"),
        ({"duedate": "15/08/2026"}, "'15/08/2026' is not a date like 2026-07-31"),
        ({"date": "2026-08-01T00:00:00"}, "'2026-08-01T00:00:00' is not a date like 2026-07-31"),
        ({"duedate": "2026-02-30"}, "'2026-02-30' is not a date like 2026-07-31"),
        ({"status": "Open"}, "Invalid status Open"),
        ({"paymentmethod": "barter"}, "Invalid Payment Method. Valid options include mailin,banktransfer"),
    ],
)
def test_what_whmcs_would_have_to_guess_is_refused_and_nothing_is_written(
    install: Install, api: Api, fields: dict[str, str], message: str
) -> None:
    line = {"itemdescription1": "x", "itemamount1": "1.00"}
    assert api.refusal("CreateInvoice", userid=1, **{**line, **fields}) == message
    assert install.invoices() == []


def test_a_status_is_known_in_any_case(api: Api) -> None:
    assert create(api, 1, "1.00", status="unpaid")["status"] == "Unpaid"


def test_amounts_are_kept_with_two_decimals_rounded_half_up(install: Install, api: Api) -> None:
    create(api, 1, "0.005", "0.0049", "-1.005", "1.234", "100")
    assert [str(line.amount) for line in install.invoices()[0].lines] == ["0.01", "0.00", "-1.01", "1.23", "100.00"]


def test_amounts_without_decimals_are_kept_with_two_as_well(api: Api) -> None:
    invoice = create(api, 5, "1500", taxrate="10")
    assert (invoice["subtotal"], invoice["tax"], invoice["total"]) == ("1500.00", "150.00", "1650.00")
    row = api("GetInvoices", userid=5)["invoices"]["invoice"][0]
    assert (row["currencycode"], row["currencyprefix"], row["currencysuffix"]) == ("JPY", "¥", "")


def test_lines_come_in_the_order_of_their_numbers_and_gaps_do_not_matter(install: Install, api: Api) -> None:
    api("CreateInvoice", userid=1, itemdescription10="ten", itemamount10="10", itemdescription2="two", itemamount2="2")
    assert [line.description for line in install.invoices()[0].lines] == ["two", "ten"]


def test_more_fields_than_php_takes_are_dropped_without_a_word(install: Install, api: Api) -> None:
    amounts = ["1.00"] * 400
    invoice = create(api, 4, *amounts)
    assert invoice["result"] == "success"
    assert len(install.invoices()[0].lines) == 332  # 5 fields come before them; the 332nd lost its tax
    install.quirks.max_input_vars = 2000
    assert create(api, 4, *amounts)["subtotal"] == "400.00"


def test_without_a_rate_the_rules_of_the_country_and_state_apply(api: Api) -> None:
    def taxed(client: int) -> tuple[str, ...]:
        invoice = create(api, client, "100.00")
        return invoice["taxrate"], invoice["tax"], invoice["taxrate2"], invoice["tax2"], invoice["total"]

    assert taxed(1) == ("8.250", "8.25", "0.000", "0.00", "108.25")
    assert taxed(2) == ("20.000", "20.00", "0.000", "0.00", "120.00")
    assert taxed(3) == ("5.000", "5.00", "9.975", "9.98", "114.98")
    assert taxed(4) == ("0.000", "0.00", "0.000", "0.00", "100.00")


def test_a_rate_that_is_sent_wins_over_the_rules_even_if_it_is_0(api: Api) -> None:
    assert create(api, 2, "100.00", taxrate="0")["total"] == "100.00"
    assert create(api, 3, "100.00", taxrate="6", taxrate2="2")["total"] == "108.00"
    half = create(api, 3, "100.00", taxrate="6")
    assert (half["taxrate2"], half["total"]) == ("9.975", "115.98")


def test_an_exempt_client_pays_no_tax_whatever_is_sent(api: Api) -> None:
    invoice = create(api, 4, "100.00", taxrate="20")
    assert (invoice["taxrate"], invoice["tax"], invoice["total"]) == ("0.000", "0.00", "100.00")


def test_nobody_pays_tax_where_it_is_not_turned_on(install: Install, api: Api) -> None:
    install.configuration["TaxEnabled"] = ""
    assert create(api, 2, "100.00", taxrate="20")["total"] == "100.00"


def test_the_second_tax_is_charged_on_the_first_if_it_compounds(install: Install, api: Api) -> None:
    fields = {"taxrate": "6", "taxrate2": "2"}
    simple = create(api, 1, "1340.00", **fields)
    install.configuration["TaxL2Compound"] = "on"
    compound = create(api, 1, "1340.00", **fields)
    assert (simple["tax"], simple["tax2"], simple["total"]) == ("80.40", "26.80", "1447.20")
    assert (compound["tax"], compound["tax2"], compound["total"]) == ("80.40", "28.41", "1448.81")


def test_inclusive_tax_is_taken_out_of_the_taxed_lines(install: Install, api: Api) -> None:
    install.configuration["TaxType"] = "Inclusive"
    invoice = create(api, 1, "120.00", "10.00", itemtaxed2="0", taxrate="20")
    assert (invoice["subtotal"], invoice["tax"], invoice["total"]) == ("110.00", "20.00", "130.00")
    odd = create(api, 1, "9.99", taxrate="19")
    assert (odd["subtotal"], odd["tax"], odd["total"]) == ("8.39", "1.60", "9.99")


def test_tax_is_rounded_once_for_the_invoice_or_once_for_each_line(install: Install, api: Api) -> None:
    lines = ("0.13", "0.13", "0.13")
    assert create(api, 1, *lines, taxrate="20")["tax"] == "0.08"
    install.configuration["TaxPerLineItem"] = "on"
    assert create(api, 1, *lines, taxrate="20")["tax"] == "0.09"


def test_rates_are_kept_with_three_decimals(api: Api) -> None:
    assert create(api, 1, "1.00", taxrate="9.97549")["taxrate"] == "9.975"


@given(
    cents=st.lists(st.integers(-10_000, 1_000_000), max_size=6),
    rates=st.tuples(st.integers(0, 30_000), st.integers(0, 30_000)),
    mode=st.builds(TaxMode, inclusive=st.booleans(), compound=st.booleans(), by_line=st.booleans()),
)
def test_taxes_are_whole_cents_and_inclusive_ones_leave_the_total_alone(
    cents: list[int], rates: tuple[int, int], mode: TaxMode
) -> None:
    install = Install()
    client = install.add_client("client@example.com")
    install.configuration["TaxType"] = "Inclusive" if mode.inclusive else "Exclusive"
    install.configuration["TaxL2Compound"] = "on" if mode.compound else ""
    install.configuration["TaxPerLineItem"] = "on" if mode.by_line else ""
    lines = [("Line", Decimal(amount) / 100, True) for amount in cents]
    taxrate, taxrate2 = (Decimal(rate) / 1000 for rate in rates)
    invoice = install.invoice(install.add_invoice(client, lines, taxrate=taxrate, taxrate2=taxrate2))
    amounts = sum((line.amount for line in invoice.lines), Decimal(0))
    assert invoice.subtotal + invoice.tax + invoice.tax2 == invoice.total
    assert all(value == value.quantize(Decimal("0.01")) for value in (invoice.tax, invoice.tax2, invoice.total))
    if mode.inclusive:
        assert invoice.total == amounts
    else:
        second = taxrate2 * (1 + taxrate / 100) if mode.compound else taxrate2
        exact = amounts * (taxrate + second) / 100
        assert abs(invoice.tax + invoice.tax2 - exact) <= Decimal("0.01") * (max(len(cents), 1) if mode.by_line else 1)


def test_credit_of_the_client_is_used_only_when_asked_for(install: Install, api: Api) -> None:
    install.set_client(4, credit="30.00")
    assert create(api, 4, "100.00")["total"] == "100.00"
    used = create(api, 4, "20.00", autoapplycredit="1")
    assert (used["credit"], used["total"], used["balance"], used["status"]) == ("20.00", "0.00", "0.00", "Paid")
    rest = create(api, 4, "100.00", autoapplycredit="1")
    assert (rest["subtotal"], rest["credit"], rest["total"], rest["status"]) == ("100.00", "10.00", "90.00", "Unpaid")
    assert install.client(4).credit == 0


def test_a_part_payment_shows_only_in_the_balance_of_the_one_invoice(install: Install, api: Api) -> None:
    invoice_id = install.add_invoice(4, [("July", "100.00", False)])
    install.add_payment(invoice_id, "40.00")
    read = api("GetInvoice", invoiceid=invoice_id)
    assert (read["total"], read["balance"], read["status"]) == ("100.00", "60.00", "Unpaid")
    assert read["transactions"]["transaction"][0]["amountin"] == "40.00"
    row = api("GetInvoices")["invoices"]["invoice"][0]
    assert row["total"] == "100.00"
    assert "balance" not in row
    install.add_payment(invoice_id, "60.00")
    paid = api("GetInvoice", invoiceid=invoice_id)
    assert (paid["balance"], paid["status"], paid["datepaid"][:10]) == ("0.00", "Paid", "2026-08-01")


def test_the_list_has_notes_and_totals_but_no_lines(install: Install, api: Api) -> None:
    invoice_id = install.add_invoice(1, [("July", "10.00", True)], notes="TB-2026-07-1", taxrate="0")
    row = api("GetInvoices", userid=1)["invoices"]["invoice"][0]
    created, updated = row.pop("created_at"), row.pop("updated_at")
    assert created[:11] == updated[:11] == "2026-08-01 "
    assert row == {
        "id": invoice_id,
        "userid": 1,
        "firstname": "Ulla",
        "lastname": "",
        "companyname": "",
        "invoicenum": "",
        "date": "2026-08-01",
        "duedate": "2026-08-15",
        "datepaid": "0000-00-00 00:00:00",
        "last_capture_attempt": "0000-00-00 00:00:00",
        "date_refunded": "0000-00-00 00:00:00",
        "date_cancelled": "0000-00-00 00:00:00",
        "subtotal": "10.00",
        "credit": "0.00",
        "tax": "0.00",
        "tax2": "0.00",
        "total": "10.00",
        "taxrate": "0.000",
        "taxrate2": "0.000",
        "status": "Unpaid",
        "paymentmethod": "mailin",
        "paymethodid": None,
        "notes": "TB-2026-07-1",
        "currencycode": "USD",
        "currencyprefix": "$",
        "currencysuffix": " USD",
    }


def listed(api: Api, **fields: object) -> list[int]:
    return [row["id"] for row in api("GetInvoices", **fields)["invoices"]["invoice"]]


def test_overdue_invoices_have_a_filter_and_no_status_of_their_own(install: Install, api: Api) -> None:
    for due, status in [
        ("2026-07-31", "Unpaid"),
        ("2026-08-01", "Unpaid"),
        ("2026-07-31", "Payment Pending"),
        ("2026-07-31", "Paid"),
        (None, "Unpaid"),
    ]:
        install.add_invoice(1, duedate=due, status=status)
    assert listed(api, status="Overdue") == [1]
    assert api("GetInvoices", status="Overdue")["invoices"]["invoice"][0]["status"] == "Unpaid"
    assert listed(api, status="unpaid", orderby="id") == [1, 2, 5]
    assert listed(api, status="Payment Pending") == [3]
    assert listed(api, status="Owing") == []
    install.today = TODAY + timedelta(days=1)
    assert listed(api, status="overdue", orderby="id") == [1, 2]


def test_an_invoice_may_have_no_due_date(install: Install, api: Api) -> None:
    invoice_id = install.add_invoice(1, duedate=None)
    assert api("GetInvoice", invoiceid=invoice_id)["duedate"] == "0000-00-00"


def test_invoices_come_by_due_date_unless_another_order_is_asked_for(install: Install, api: Api) -> None:
    for client, due in [(1, "2026-08-20"), (2, "2026-08-10"), (1, "2026-08-15")]:
        install.add_invoice(client, duedate=due)
    assert listed(api) == [2, 3, 1]
    assert listed(api, orderby="id") == [1, 2, 3]
    assert listed(api, orderby="id", order="desc") == [3, 2, 1]
    assert listed(api, userid=1, orderby="duedate", order="desc") == [1, 3]
    assert listed(api, userid=4) == []


def test_an_invoice_is_found_by_its_id_only(api: Api) -> None:
    assert api.refusal("GetInvoice", invoiceid=9) == "Invoice ID Not Found"
    assert api.refusal("GetInvoice") == "Invoice ID Not Found"


def test_a_status_alone_is_no_payment(install: Install, api: Api) -> None:
    invoice_id = install.add_invoice(4, [("July", "10.00", True)])
    install.set_invoice(invoice_id, status="Paid")
    read = api("GetInvoice", invoiceid=invoice_id)
    assert (read["status"], read["balance"], read["datepaid"][:10]) == ("Paid", "10.00", "2026-08-01")


def test_invoices_created_at_the_same_time_are_all_there_and_whole(install: Install, api: Api) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = [*pool.map(lambda number: create(api, 4, f"{number}.00", "0.50")["total"], range(40))]
    assert made == [f"{number}.50" for number in range(40)]
    assert [invoice.id for invoice in install.invoices(4)] == [*range(1, 41)]
    assert len({line.id for invoice in install.invoices() for line in invoice.lines}) == 80


def test_an_invoice_is_changed_by_hand_but_not_given_to_somebody_else(install: Install) -> None:
    invoice_id = install.add_invoice(4, [("July", "10.00", False)])
    changed = install.set_invoice(invoice_id, status="Payment Pending", duedate="2026-12-24", credit="4.00")
    assert (changed.status, changed.duedate, changed.total) == ("Payment Pending", date(2026, 12, 24), Decimal("6.00"))
    for changes in ({"client_id": 1}, {"status": "Late"}, {"duedate": "soon"}, {"credit": "all"}):
        with pytest.raises(InstallError):
            install.set_invoice(invoice_id, **changes)
    with pytest.raises(TypeError):
        install.set_invoice(invoice_id, credit=4.5)
