"""What is read in FOSSBilling: clients, currencies and taxes, version by version."""

import pytest

from tests.plugins.generic_sql.fossbilling import Shop, an_invoice
from tollbridge import Client, Currency
from tollbridge.conformance.side import MONTH


def test_a_client_comes_with_everything_its_row_says(shop: Shop) -> None:
    shop.add_client(
        7, "USD", 2, first_name="Ada", last_name="Byron", company="Engines Ltd", country="GB", state="LND",
        tax_exempt=1,
    )  # fmt: skip
    assert shop.billing().client(7) == Client(
        7, "client7@example.com", "USD", "Ada", "Byron", "Engines Ltd", "active", "Partners", "GB", "LND", True
    )
    assert [client.id for client in shop.billing().clients() if isinstance(client, Client)] == [7]


@pytest.mark.parametrize(
    ("kept", "status"),
    [("active", "active"), (None, "active"), ("suspended", "inactive"), ("canceled", "closed")],
)
def test_a_suspended_client_is_inactive_and_a_canceled_one_closed(
    main_shop: Shop, kept: str | None, status: str
) -> None:
    main_shop.add_client(1, status=kept)
    assert main_shop.billing().client(1).status.value == status


@pytest.mark.parametrize("kept", [None, ""])
def test_a_client_without_a_currency_pays_in_the_default_one(shop: Shop, kept: str | None) -> None:
    shop.add_client(1, kept)
    assert shop.billing().client(1).currency == "EUR"
    shop.adapter().create_invoice(an_invoice())
    assert [row["currency"] for row in shop.invoices()] == ["EUR"]


def test_a_client_without_a_group_has_none(shop: Shop) -> None:
    shop.add_client(1)
    assert shop.billing().client(1).group == ""


def test_no_currency_has_more_decimals_than_prices_have(shop: Shop) -> None:
    decimals = {code: currency.decimals for code, currency in shop.billing().currencies().items()}
    assert decimals == {"USD": 2, "EUR": 2, "JPY": 0, "KWD": 2}


def test_an_old_price_format_says_how_amounts_are_written(old_shop: Shop) -> None:
    for price_format, expected in (
        ("1", Currency("EUR", "€ ", "", 2, "", ".")),
        ("2", Currency("EUR", "€ ", "", 2, ",", ".")),
        ("3", Currency("EUR", "€ ", "", 2, ".", ",")),
        ("4", Currency("EUR", "€ ", "", 0, ",", ".")),
        ("5", Currency("EUR", "€ ", "", 0, "", ".")),
    ):
        old_shop.execute(
            "UPDATE currency SET format = '€ {{price}}', price_format = :it WHERE code = 'EUR'", it=price_format
        )
        assert old_shop.billing().currencies()["EUR"] == expected


def test_a_pattern_and_its_digits_say_how_amounts_are_written(main_shop: Shop) -> None:
    main_shop.execute("UPDATE currency SET format_pattern = '{amount} KD', fraction_digits = 3 WHERE code = 'KWD'")
    main_shop.execute("UPDATE currency SET fraction_digits = 0 WHERE code = 'USD'")
    found = main_shop.billing().currencies()
    assert found["KWD"] == Currency("KWD", "", " KD", 2)
    assert found["USD"] == Currency("USD", "", " USD", 0)


def test_the_tax_is_the_states_else_the_countrys_else_everybodys(shop: Shop) -> None:
    """FOSSBilling takes the country's first rule even if that is another state's."""
    for name, country, state, rate in (
        ("Everywhere", None, None, "1.5"),
        ("GST", "CA", None, "5"),
        ("QST", "CA", "QC", "9.975"),
        ("Sales tax", "US", "CA", "8"),
        ("Later", "US", None, "9"),
    ):
        shop.insert("tax", name=name, country=country, state=state, taxrate=rate)
    billing = shop.billing()
    for client_id, (country, state, expected) in enumerate(
        (
            ("CA", "QC", "QST 9.975"),
            ("CA", "ON", "GST 5"),
            ("CA", None, "GST 5"),
            ("US", "OR", "Sales tax 8"),
            ("FR", "QC", "Everywhere 1.5"),
            (None, None, "Everywhere 1.5"),
        ),
        start=1,
    ):
        shop.add_client(client_id, country=country, state=state, tax_exempt=client_id % 2)
        terms = billing.terms(billing.client(client_id), MONTH)
        assert terms is not None
        assert terms.discounts is None, "bridge.toml's apply"
        assert [f"{tax.label} {tax.rate}" for tax in terms.taxes or ()] == [expected]


@pytest.mark.parametrize("enabled", ["0", "", None])
def test_nobody_pays_tax_where_fossbilling_charges_none(main_shop: Shop, enabled: str | None) -> None:
    main_shop.insert("tax", name="VAT", taxrate="20")
    main_shop.set("tax_enabled", enabled)
    main_shop.add_client(1)
    terms = main_shop.billing().terms(main_shop.billing().client(1), MONTH)
    assert terms is not None
    assert terms.taxes == ()


def test_bridge_tomls_taxes_apply_where_fossbillings_are_switched_off(main_shop: Shop) -> None:
    main_shop.add_client(1)
    billing = main_shop.billing(taxes="")
    terms = billing.terms(billing.client(1), MONTH)
    assert terms is not None
    assert terms.taxes is None
