"""Invoices that FOSSBilling reads back as its own, to the cent, and those it could not hold."""

import itertools
import re
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.plugins.generic_sql.fossbilling import VAT, Shop, a_shop, an_invoice
from tollbridge import DatabaseUrl, Invoice, InvoiceLine, Receipt, Refused, TaxRate
from tollbridge.conformance.side import MONTH
from tollbridge_generic_sql import GenericSqlAdapter
from tollbridge_generic_sql.adapter import GenericSqlSettings
from tollbridge_generic_sql.statements import Queries


def test_an_invoice_is_complete_open_and_told_apart(shop: Shop) -> None:
    shop.add_client(
        1, first_name="Ada", last_name="Byron", company="Engines Ltd", company_vat="GB1", company_number="99",
        address_1="2 Low Road", address_2="Flat 3", city="Leeds", state="YKS", postcode="LS1", country="GB",
        phone_cc="44", phone="113 496 0000",
    )  # fmt: skip
    made = shop.adapter().create_invoice(
        an_invoice("TB-2026-06-1", "4.90", "0.10", taxes=VAT, notes="TB-2026-06-1: usage in 2026-06")
    )
    (row,) = shop.invoices()
    due, total, subtotal = date(2026, 7, 15), Decimal("6.00"), Decimal("5.00")
    assert made == Receipt(
        row["id"], "TB-2026-06-1", 1, "unpaid", due, total, subtotal=subtotal, currency="EUR", months=("2026-06",),
        number="FOSS00042",
    )  # fmt: skip
    assert re.fullmatch("[0-9a-f]{40}", row.pop("hash"))
    assert row.pop("created_at").date() == date(2026, 7, 1)
    assert abs(row.pop("updated_at") - datetime.now()) < timedelta(days=1)  # noqa: DTZ005 - FOSSBilling's local time
    if shop.version != "0.7.2":
        days = row.pop("hash_expires_at") - datetime.now()  # noqa: DTZ005
        assert timedelta(days=88) < days < timedelta(days=92)
    assert {name: value for name, value in row.items() if value is not None} == {
        "id": made.id,
        "client_id": 1,
        "serie": "FOSS",
        "nr": "42",
        "currency": "EUR",
        "status": "unpaid",
        shop.published: 1,
        "taxname": "VAT",
        "taxrate": "20",
        "notes": "Thank you for your custom.\n\nTB-2026-06-1: usage in 2026-06\n",
        "due_at": datetime.fromisoformat("2026-07-15 23:59:59"),
        "seller_company": "Example Hosting",
        "seller_company_vat": "GB123456789",
        "seller_company_number": "01234567",
        "seller_address": "1 High Street London",
        "seller_phone": "+44 1632 960000",
        "seller_email": "billing@example.com",
        "buyer_first_name": "Ada",
        "buyer_last_name": "Byron",
        "buyer_company": "Engines Ltd",
        "buyer_company_vat": "GB1",
        "buyer_company_number": "99",
        "buyer_address": "2 Low Road Flat 3",
        "buyer_city": "Leeds",
        "buyer_state": "YKS",
        "buyer_country": "GB",
        "buyer_zip": "LS1",
        "buyer_phone": "44 113 496 0000",
        "buyer_email": "client1@example.com",
    }
    assert shop.next_number() == "43"


def test_its_lines_are_open_custom_ones_that_set_nothing_up_and_renew_nothing(shop: Shop) -> None:
    shop.add_client(1)
    lines = (InvoiceLine("web-1", 7, Decimal("4.90")), InvoiceLine("licence", 0, Decimal(3), taxed=False))
    made = shop.adapter().create_invoice(an_invoice(lines=lines, taxes=VAT))
    first, second = shop.lines(made.id)
    for line in (first, second):
        assert (line["type"], line["task"], line["status"]) == ("custom", "void", "pending_payment")
        assert (line["quantity"], line["unit"], line["charged"], line["period"]) == (1, None, 0, None)
        assert line["rel_id"] == "TB-2026-06-1"
        assert line["created_at"] == line["updated_at"] is not None
    assert (first["title"], Decimal(str(first["price"])), first["taxed"]) == ("web-1 (TB-2026-06-1)", Decimal("4.9"), 1)
    assert (second["title"], Decimal(str(second["price"])), second["taxed"]) == ("licence", Decimal(3), 0)
    assert made.total == shop.total(made.id) == Decimal("8.88")


def test_without_tax_it_says_so_and_no_line_is_taxed(main_shop: Shop) -> None:
    main_shop.add_client(1)
    made = main_shop.adapter().create_invoice(an_invoice())
    (row,) = main_shop.invoices()
    assert (row["taxname"], row["taxrate"], main_shop.lines(made.id)[0]["taxed"]) == ("", "0", 0)


def test_two_taxes_are_one_that_comes_to_the_same(shop: Shop) -> None:
    shop.add_client(1)
    both = (TaxRate("GST", Decimal(5)), TaxRate("QST", Decimal("9.975")))
    for reference, compound, rate, total in (
        ("TB-2026-06-1", False, "14.975", "1149.75"),
        ("TB-2026-07-1", True, "15.47375", "1154.74"),
    ):
        wanted = an_invoice(reference, "1000.00", taxes=both, compound=compound)
        made = shop.adapter().create_invoice(wanted)
        row = shop.invoices()[-1]
        assert (row["taxname"], row["taxrate"]) == ("GST + QST", rate)
        assert made.total == wanted.total == shop.total(made.id) == Decimal(total)


def test_tax_is_rounded_once_for_the_invoice_as_fossbilling_does(shop: Shop) -> None:
    """Ten lines of 0.03 at 19 per cent: 0.06, where line by line it would be 0.10."""
    shop.add_client(1)
    wanted = an_invoice("TB-2026-06-1", *["0.03"] * 10, taxes=(TaxRate("USt", Decimal(19)),))
    made = shop.adapter().create_invoice(wanted)
    assert made.total == wanted.total == shop.total(made.id) == Decimal("0.36")


def test_half_a_cent_of_tax_is_rounded_up(shop: Shop) -> None:
    """Also where FOSSBilling keeps prices as floating numbers, whose rounding the database does to the even cent."""
    shop.add_client(1)
    made = shop.adapter().create_invoice(an_invoice("TB-2026-06-1", "0.90", taxes=(TaxRate("VAT", Decimal(5)),)))
    assert made.total == shop.total(made.id) == Decimal("0.95")


@pytest.mark.parametrize(
    ("net", "shown", "rounding"), [("313", 344, "-0.30"), ("318", 350, "0.20"), ("620", 682, None)]
)
def test_a_currency_without_decimals_comes_to_what_was_shown(
    shop: Shop, net: str, shown: int, rounding: str | None
) -> None:
    """FOSSBilling rounds tax to two places whatever the currency, and takes no payment of less than its own total."""
    shop.add_client(1, "JPY")
    invoice = an_invoice("TB-2026-06-1", net, currency="JPY", taxes=(TaxRate("ct", Decimal(10)),), decimals=0)
    billing = shop.adapter()
    made = billing.create_invoice(invoice)
    assert made.total == shop.total(made.id) == invoice.total == shown
    assert made.subtotal == Decimal(net)
    found = billing.find_invoice(1, "TB-2026-06-1")
    assert found is not None
    assert (found.id, found.subtotal, found.total) == (made.id, made.subtotal, made.total)
    assert [receipt.reference for receipt in billing.unpaid_invoices()] == ["TB-2026-06-1"]
    more = [line for line in shop.lines(made.id) if not line["taxed"]]
    assert [(line["title"], f"{line['price']:.2f}") for line in more] == ([("Rounding", rounding)] if rounding else [])


def test_tables_that_were_converted_one_by_one_are_read_and_written_all_the_same(old_shop: Shop) -> None:
    for number, table in enumerate(("client", "currency", "tax", "setting", "invoice", "invoice_item", "client_group")):
        collation = ("general_ci", "unicode_ci", "unicode_520_ci")[number % 3]
        old_shop.execute(f"ALTER TABLE {table} CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_{collation}")
    old_shop.insert("tax", name="USt", country="DE", state="BE", taxrate="19")
    old_shop.add_client(1, None, 2, country="DE", state="BE")
    billing = old_shop.billing()
    assert [check for check in billing.check() if check.ok is False] == []
    terms = billing.terms(billing.client(1), MONTH)
    assert terms is not None
    made = billing.create_invoice(an_invoice(taxes=terms.taxes))
    assert (made.total, list(billing.unpaid_invoices())) == (Decimal("5.83"), [made])


def test_the_text_of_a_line_is_cut_where_fossbillings_ends_and_the_reference_stays(shop: Shop) -> None:
    shop.add_client(1)
    lines = tuple(InvoiceLine("ä" * 300, 7, Decimal(1)) for _ in range(2))
    made = shop.adapter().create_invoice(an_invoice(lines=lines))
    first, second = (line["title"] for line in shop.lines(made.id))
    assert (len(first), len(second)) == (255, 255)
    assert first.endswith("ä (TB-2026-06-1)")


def test_a_server_named_with_an_emoji_does_not_stop_the_invoice(shop: Shop) -> None:
    """FOSSBilling's older tables have no room for such letters."""
    shop.add_client(1)
    made = shop.adapter().create_invoice(an_invoice(lines=(InvoiceLine("żółw 🐢", 7, Decimal(1)),)))
    assert shop.lines(made.id)[0]["title"] == "żółw ? (TB-2026-06-1)"


@pytest.mark.parametrize(("days", "expires"), [("30", 30), ("0", None), ("", None), (None, 90)])
def test_the_link_to_it_ends_when_fossbillings_setting_says(
    main_shop: Shop, days: str | None, expires: int | None
) -> None:
    main_shop.add_client(1)
    main_shop.set("invoice_hash_lifetime_days", days)
    main_shop.adapter().create_invoice(an_invoice())
    (row,) = main_shop.query("SELECT DATEDIFF(hash_expires_at, NOW()) AS days FROM invoice")
    assert row["days"] == expires


def test_settings_that_were_never_made_leave_the_sellers_lines_empty(main_shop: Shop) -> None:
    main_shop.execute("DELETE FROM setting WHERE param <> 'invoice_starting_number'")
    main_shop.add_client(1)
    main_shop.adapter().create_invoice(an_invoice())
    (row,) = main_shop.invoices()
    assert (row["seller_company"], row["seller_address"], row["serie"], row["notes"]) == (None, "", None, "")


@pytest.fixture
def billed_shop(old_shop: Shop) -> tuple[GenericSqlAdapter, Iterator[int]]:
    """An adapter and numbers for the references of one client's invoices."""
    old_shop.add_client(1)
    return old_shop.adapter(), itertools.count(1)


@given(
    amounts=st.lists(st.integers(0, 10**9), min_size=1, max_size=4),
    rates=st.lists(st.decimals(0, 40, places=3), max_size=2),
    compound=st.booleans(),
)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_was_shown_is_what_fossbilling_makes_of_it(
    old_shop: Shop,
    billed_shop: tuple[GenericSqlAdapter, Iterator[int]],
    amounts: list[int],
    rates: list[Decimal],
    compound: bool,
) -> None:
    adapter, numbers = billed_shop
    taxes = tuple(TaxRate("t", rate) for rate in rates)
    cents = [str(Decimal(each).scaleb(-2)) for each in amounts]
    wanted = an_invoice(f"TB-2026-06-{next(numbers)}", *cents, taxes=taxes, compound=compound)
    made = adapter.create_invoice(wanted)
    assert made.total == wanted.total == old_shop.total(made.id)


def refused(shop: Shop, wanted: Invoice, words: str) -> None:
    """Refused, with nothing written and no number gone."""
    shop.add_client(1)
    with pytest.raises(Refused, match=words):
        shop.adapter().create_invoice(wanted)
    assert (shop.invoices(), shop.query("SELECT * FROM invoice_item")) == ([], [])
    assert shop.next_number() == "42"


def test_prices_that_include_tax_are_refused(main_shop: Shop) -> None:
    refused(main_shop, an_invoice(taxes=VAT, prices_include_tax=True), "prices_include_tax = false")


def test_prices_that_would_include_tax_are_not_refused_where_there_is_none(main_shop: Shop) -> None:
    main_shop.add_client(1)
    assert main_shop.adapter().create_invoice(an_invoice(prices_include_tax=True)).total == Decimal("4.90")


def test_amounts_finer_than_a_cent_are_refused(main_shop: Shop) -> None:
    refused(main_shop, an_invoice("TB-2026-06-1", "1.00", "0.005"), "two decimals there, and web-2 costs 0.005")


def test_cents_with_zeros_behind_them_are_not_refused(main_shop: Shop) -> None:
    main_shop.add_client(1)
    assert main_shop.adapter().create_invoice(an_invoice("TB-2026-06-1", "1.500")).total == Decimal("1.50")


def test_a_currency_that_is_not_the_clients_is_refused(shop: Shop) -> None:
    refused(shop, an_invoice(currency="USD"), "pays in another currency by now")


def test_a_client_that_is_gone_is_refused(main_shop: Shop) -> None:
    refused(main_shop, an_invoice(client_id=2), "FOSSBilling has no such client")


def test_a_tax_that_is_too_long_to_be_written_exactly_is_refused(main_shop: Shop) -> None:
    rates = tuple(TaxRate(f"t{n}", Decimal("1.23456789")) for n in range(5))
    refused(main_shop, an_invoice(taxes=rates, compound=True), "no room for a tax")


def test_a_next_number_that_is_none_is_refused(shop: Shop) -> None:
    shop.add_client(1)
    for number in (None, "", "0", "-3", "A-17", "4.5"):
        shop.set("invoice_starting_number", number)
        with pytest.raises(Refused, match="next invoice number, its setting invoice_starting_number, is not a whole"):
            shop.adapter().create_invoice(an_invoice())
    assert shop.invoices() == []


def test_a_line_that_the_database_refuses_leaves_no_invoice_and_no_gap(shop: Shop) -> None:
    shop.execute("ALTER TABLE invoice_item ADD CHECK (price <> 6.66)")
    refused(shop, an_invoice("TB-2026-06-1", "1.00", "6.66"), "TB-2026-06-1")
    shop.adapter().create_invoice(an_invoice())
    assert [row["nr"] for row in shop.invoices()] == ["42"], "the number is used after all"


def test_tables_that_keep_no_transactions_are_refused(mariadb_url: str) -> None:
    words = r"table invoice is kept by MyISAM.*convert invoice, invoice_item, setting"
    with a_shop(mariadb_url, "0.7.2", engine="MyISAM") as shop:
        with pytest.raises(Refused, match=words):
            shop.billing().client(1)
        (check,) = shop.billing().check()
    assert (check.ok, "MyISAM" in check.detail) == (False, True)


def test_a_database_that_is_not_fossbillings_is_refused(main_shop: Shop) -> None:
    main_shop.execute("DROP TABLE client, tax")
    with pytest.raises(Refused, match="no table of FOSSBilling called client, tax"):
        main_shop.billing().client(1)


def test_another_kind_of_database_is_refused() -> None:
    with pytest.raises(ValueError, match='preset = "fossbilling" is for mariadb and mysql'):
        GenericSqlSettings(DatabaseUrl("sqlite:///fossbilling.db"), "fossbilling", Queries())
