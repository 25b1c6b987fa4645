"""Tokens to money: the guide's own figures, and laws."""

from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tollbridge.errors import Refused
from tollbridge.model import Client, Currency, Discount, Invoice, InvoiceLine, TaxRate, Terms, tax_factor
from tollbridge.rules.metering import meter
from tollbridge.rules.pricing import (
    DiscountRule,
    PriceList,
    TaxRule,
    TokenPrice,
    conversion,
    line_amount,
    money,
    own_discounts,
    own_taxes,
    plain,
    rounded,
    tax_amounts,
    token_price,
)

USD = Currency("USD", prefix="$")
CITY_AND_STATE = (TaxRate("City Tax", Decimal(6)), TaxRate("State Tax", Decimal(2)))
SPECIAL = (Discount("Special Client Group Discount", "5% Recurring Discount", Decimal("0.95")),)
AMOUNTS = st.decimals(-(10**9), 10**9, places=6)
DECIMALS = st.sampled_from([0, 2, 3])


def _price(base: str, *, terms: Terms | None = None, exempt: bool = False, inclusive: bool = False) -> TokenPrice:
    client = Client(1042, "ada@example.com", "USD", tax_exempt=exempt)
    return token_price(PriceList({"USD": Decimal(base)}, prices_include_tax=inclusive), client, terms, USD)


@pytest.mark.parametrize(
    ("per_hour", "aggregated", "aggregated_usd", "per_month", "month_usd"),
    [
        (7, 5_208, "$5.21", 5_000, "$5.00"),
        (14, 10_416, "$10.42", 10_000, "$10.00"),
        (21, 15_624, "$15.62", 15_000, "$15.00"),
        (28, 20_832, "$20.83", 20_000, "$20.00"),
    ],
)
def test_the_guides_four_plans_cost_what_its_table_says(
    per_hour: int, aggregated: int, aggregated_usd: str, per_month: int, month_usd: str
) -> None:
    price = _price("0.001")
    assert meter(24 * 31, per_hour, 0).tokens == aggregated
    assert money(line_amount(aggregated, price), USD) == aggregated_usd
    assert money(line_amount(meter(24 * 31, per_hour, per_month).tokens, price), USD) == month_usd


@pytest.mark.parametrize(
    ("token_price", "amounts"),
    [("0.001", ["0.00100", "0.01000", "0.10000", "1.00000", "10.00000"]),
     ("0.00091", ["0.00091", "0.00910", "0.09100", "0.91000", "9.10000"])],
)  # fmt: skip
def test_tokens_convert_as_the_guides_first_table_says(token_price: str, amounts: list[str]) -> None:
    tokens = [1, 10, 100, 1_000, 10_000]
    converted = list(conversion(tokens, Decimal(token_price)))
    assert converted == [(count, Decimal(amount)) for count, amount in zip(tokens, amounts, strict=True)]


@pytest.mark.parametrize(("compound", "user"), [(True, "1.3763676"), (False, "1.37484")])
def test_the_guides_price_with_discount_and_taxes(compound: bool, user: str) -> None:
    price = _price("1.34", terms=Terms(SPECIAL, CITY_AND_STATE, compound))
    assert (price.base, price.net, price.user) == (Decimal("1.34"), Decimal("1.273"), Decimal(user))


def test_six_and_two_per_cent_make_the_guides_factor() -> None:
    assert tax_factor(CITY_AND_STATE, compound=True) == Decimal("1.0812")
    assert tax_factor(CITY_AND_STATE, compound=False) == Decimal("1.08")


def test_an_exempt_client_pays_no_tax() -> None:
    price = _price("1.34", terms=Terms(SPECIAL, CITY_AND_STATE, compound=True), exempt=True)
    assert (price.user, price.taxes) == (Decimal("1.273"), ())


def test_a_price_that_includes_tax_is_the_price() -> None:
    price = _price("1.2", terms=Terms((), (TaxRate("VAT", Decimal(20)),)), inclusive=True)
    assert (price.user, price.net) == (Decimal("1.2"), Decimal("1.2"))
    assert price.taxes == (TaxRate("VAT", Decimal(20)),)


@pytest.mark.parametrize(("compound", "factor"), [(True, "1.0812"), (False, "1.08")])
def test_an_exempt_client_pays_an_inclusive_price_without_its_tax(compound: bool, factor: str) -> None:
    base = Decimal("1.34") * Decimal(factor)
    price = _price(str(base), terms=Terms((), CITY_AND_STATE, compound), exempt=True, inclusive=True)
    assert (price.base, price.without_tax, price.user, price.taxes) == (base, Decimal("1.34"), Decimal("1.34"), ())


def test_two_discounts_multiply() -> None:
    both = (*SPECIAL, Discount("Loyal", "", Decimal("0.5")))
    assert _price("2", terms=Terms(both)).net == Decimal("0.95")


@pytest.mark.parametrize(("currency", "words"), [("GBP", "GBP"), ("", "no currency")])
def test_a_currency_without_a_token_price_is_refused_by_name(currency: str, words: str) -> None:
    client = Client(1042, "ada@example.com", currency)
    with pytest.raises(Refused, match=rf"client 1042 pays in {words}.*pricing\.tokens"):
        token_price(PriceList({"USD": Decimal("0.001")}), client, None, Currency(currency))


PARTNERS = DiscountRule(Discount("Partners", "", Decimal("0.9")), "partners")
EVERYBODY = DiscountRule(Discount("Summer", "", Decimal("0.8")))


def test_own_discounts_are_everybodys_and_those_of_the_group() -> None:
    prices = PriceList({}, discounts=(PARTNERS, EVERYBODY))
    partner = Client(1, "a@example.com", "USD", group="partners")
    assert own_discounts(prices, partner) == (PARTNERS.discount, EVERYBODY.discount)
    assert own_discounts(prices, Client(2, "b@example.com", "USD")) == (EVERYBODY.discount,)


def test_own_taxes_follow_country_and_state_ignoring_case_level_one_first() -> None:
    state, country, world = (
        TaxRule(TaxRate("State", Decimal(2)), 2, "us", "ny"),
        TaxRule(TaxRate("Federal", Decimal(6)), 1, "US"),
        TaxRule(TaxRate("Levy", Decimal(1)), 1),
    )
    prices = PriceList({}, taxes=(state, country, world))
    there = Client(1, "a@example.com", "USD", country="US", state="NY")
    assert [tax.label for tax in own_taxes(prices, there)] == ["Federal", "Levy", "State"]
    assert [tax.label for tax in own_taxes(prices, Client(2, "b@example.com", "USD", country="GB"))] == ["Levy"]
    elsewhere = Client(3, "c@example.com", "USD", country="US", state="TX")
    assert [tax.label for tax in own_taxes(prices, elsewhere)] == ["Federal", "Levy"]


def test_what_the_billing_system_cannot_say_comes_from_bridge_toml_and_what_it_can_does_not() -> None:
    tax = TaxRule(TaxRate("VAT", Decimal(10)))
    prices = PriceList({"USD": Decimal(1)}, compound_tax=True, discounts=(EVERYBODY,), taxes=(tax, tax))
    client = Client(1, "a@example.com", "USD")
    assert token_price(prices, client, None, USD).user == Decimal("0.968")
    assert token_price(prices, client, Terms((), None), USD).user == Decimal("1.21")
    assert token_price(prices, client, Terms(None, ()), USD).user == Decimal("0.8")
    assert token_price(prices, client, Terms((), ()), USD).user == Decimal(1)


@pytest.mark.parametrize(
    ("amount", "decimals", "result"),
    [("0.005", 2, "0.01"), ("0.004999", 2, "0.00"), ("2.5", 0, "3"), ("3.5", 0, "4"), ("0.0005", 3, "0.001"),
     ("-0.005", 2, "-0.01"), ("5.208", 2, "5.21"), ("15.624", 2, "15.62")],
)  # fmt: skip
def test_money_is_rounded_half_up(amount: str, decimals: int, result: str) -> None:
    assert str(rounded(Decimal(amount), decimals)) == result


@given(AMOUNTS, DECIMALS)
def test_rounding_moves_an_amount_by_half_a_unit_at_most_and_only_once(amount: Decimal, decimals: int) -> None:
    unit = Decimal(1).scaleb(-decimals)
    result = rounded(amount, decimals)
    assert abs(result - amount) <= unit / 2
    assert result % unit == 0
    assert rounded(result, decimals) == result


@given(st.integers(0, 10**9), DECIMALS)
def test_half_a_unit_is_always_rounded_up(units: int, decimals: int) -> None:
    unit = Decimal(1).scaleb(-decimals)
    assert rounded(units * unit + unit / 2, decimals) == (units + 1) * unit


@given(st.integers(0, 10**7), st.integers(0, 10**7), st.decimals(0, 10, places=7), DECIMALS)
def test_more_tokens_never_cost_less(tokens: int, more: int, base: Decimal, decimals: int) -> None:
    client = Client(1, "a@example.com", "USD")
    price = token_price(PriceList({"USD": base}), client, None, Currency("USD", decimals=decimals))
    assert line_amount(tokens, price) <= line_amount(tokens + more, price)


@given(st.lists(st.decimals(0, 100, places=2), max_size=4))
def test_compound_tax_is_never_less_than_plain_tax(rates: list[Decimal]) -> None:
    taxes = tuple(TaxRate("T", rate) for rate in rates)
    assert tax_factor(taxes, compound=True) >= tax_factor(taxes, compound=False) >= 1


@given(st.permutations([Decimal(6), Decimal(2), Decimal("19.6")]), st.booleans())
def test_the_order_of_taxes_does_not_change_the_price(rates: list[Decimal], compound: bool) -> None:
    taxes = tuple(TaxRate("T", rate) for rate in rates)
    in_order = tuple(TaxRate("T", rate) for rate in sorted(rates))
    assert tax_factor(taxes, compound=compound) == tax_factor(in_order, compound=compound)


@example(Decimal("1E+3"))
@example(Decimal("1E-30"))
@example(Decimal("0E-10"))
@example(Decimal(100))
@example(Decimal("1.3763676"))
@given(st.decimals(-(10**12), 10**12, allow_nan=False, places=None))
def test_plain_is_exact_and_never_has_an_exponent(number: Decimal) -> None:
    text = plain(number)
    assert Decimal(text) == number
    assert "E" not in text.upper()
    assert not ("." in text and text.endswith(("0", ".")))


def test_whole_hundreds_keep_their_zeros() -> None:
    assert (plain(Decimal(100)), plain(Decimal("1E+2")), plain(Decimal("100.00"))) == ("100", "100", "100")


EURO = Currency("EUR", suffix=" €", thousands_separator=".", decimal_separator=",")


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        ("5.208", USD, "$5.21"),
        ("9.1", EURO, "9,10 €"),
        ("1234567.891", USD, "$1,234,567.89"),
        ("1234567.891", EURO, "1.234.567,89 €"),
        ("-5", USD, "-$5.00"),
        ("1234.5", Currency("JPY", "¥", decimals=0), "¥1,235"),
        ("1.2345", Currency("KWD", suffix=" KWD", decimals=3), "1.235 KWD"),
        ("-0.001", USD, "$0.00"),
        ("1234.5", Currency("CHF", thousands_separator="'"), "1'234.50"),
        ("999.995", USD, "$1,000.00"),
    ],
)
def test_money_is_written_as_the_currency_is(amount: str, currency: Currency, text: str) -> None:
    assert money(Decimal(amount), currency) == text


@given(AMOUNTS, DECIMALS)
def test_written_money_reads_back_as_the_rounded_amount(amount: Decimal, decimals: int) -> None:
    text = money(amount, Currency("USD", prefix="$", decimals=decimals))
    assert Decimal(text.replace("$", "").replace(",", "")) == rounded(amount, decimals)


PRICES = st.decimals(0, Decimal("999999999.999999999999")) | st.sampled_from(
    [Decimal("1e-30"), Decimal("0.123456789012345678901234567891"), Decimal("999999999.99999999999999999999999999999")]
)
FACTORS = st.decimals(0, 10**30, places=12) | st.sampled_from([Decimal("1e30"), Decimal("1e-30")])
TERMS = st.builds(
    Terms,
    st.lists(FACTORS.map(lambda factor: Discount("D", "", factor)), max_size=4),
    st.lists(FACTORS.map(lambda rate: TaxRate("Tax", rate)), max_size=4),
    st.booleans(),
)


@given(
    PRICES,
    TERMS,
    st.tuples(st.booleans(), st.booleans()),
    st.lists(st.integers(0, 2**63), min_size=1, max_size=5),
    DECIMALS,
)
def test_whatever_is_accepted_can_be_priced_and_invoiced_to_the_last_digit(
    base: Decimal, terms: Terms, flags: tuple[bool, bool], tokens: list[int], decimals: int
) -> None:
    """No price, discount, tax or number of tokens ends a run; a line is its tokens times its price, rounded once."""
    exempt, inclusive = flags
    currency = Currency("USD", decimals=decimals)
    client = Client(1042, "ada@example.com", "USD", tax_exempt=exempt)
    price = token_price(PriceList({"USD": base}, prices_include_tax=inclusive), client, terms, currency)
    amounts = [line_amount(each, price) for each in tokens]
    for each, amount in zip(tokens, amounts, strict=True):
        assert abs(Fraction(amount) - each * Fraction(price.net)) <= Fraction(1, 2 * 10**decimals)
        assert Decimal(plain(amount)) == amount
        assert money(amount, currency)
    invoice = Invoice(
        "TB-2026-07-1042", 1042, "USD", date(2026, 8, 1), date(2026, 8, 15),
        tuple(InvoiceLine("", each, amount, taxed=number % 2 == 0) for number, (each, amount) in enumerate(
            zip(tokens, amounts, strict=True)
        )),
        taxes=price.taxes, compound=price.compound, prices_include_tax=inclusive, decimals=decimals,
    )  # fmt: skip
    assert Fraction(invoice.subtotal) == sum(map(Fraction, amounts))
    assert invoice.total >= invoice.subtotal
    assert sum(line.amount for line in invoice.folded(2).lines) or not invoice.subtotal
    assert plain(price.user)


RATES = st.lists(st.decimals(0, 30, places=3).map(lambda rate: TaxRate("T", rate)), max_size=4).map(tuple)


@given(RATES, st.booleans(), st.booleans(), st.decimals(0, 10**9, places=2))
def test_the_taxes_of_an_invoice_add_up_to_what_its_total_has_of_tax(
    taxes: tuple[TaxRate, ...], compound: bool, inclusive: bool, taxed: Decimal
) -> None:
    price = _price("0.001", terms=Terms((), taxes, compound), inclusive=inclusive)
    amounts = [amount for _, amount in tax_amounts(price, taxed)]
    assert len(amounts) == len(taxes)
    if inclusive:
        exact = Fraction(taxed) - Fraction(taxed) / Fraction(tax_factor(taxes, compound=compound))
        assert abs(Fraction(sum(amounts)) - exact) <= Fraction(1, 200) + Fraction(1, 10**9)
    else:
        day = date(2026, 7, 1)
        line = InvoiceLine("web-1", 1, taxed)
        invoice = Invoice("TB-2026-06-1", 1, "USD", day, day, (line,), taxes=taxes, compound=compound)
        assert invoice.total == taxed + sum(amounts)
