"""Whether tax can be why an invoice comes to another total: what no tax does to a sum is told from what one may."""

from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import attrs
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tollbridge import Invoice, InvoiceLine, TaxRate, tax_explains, tax_factor

AMOUNTS = st.lists(st.integers(1, 10**7), min_size=1, max_size=6)
RATES = st.lists(st.decimals(0, Decimal("12.5"), places=2), max_size=3)


def invoice(*amounts: str, decimals: int = 2, **more: Any) -> Invoice:
    """One with these lines, all taxed."""
    lines = tuple(InvoiceLine(f"line {number}", 1, Decimal(amount)) for number, amount in enumerate(amounts))
    day = date(2026, 8, 1)
    made = Invoice("TB-2026-07-1042", 1042, "USD", day, day, lines, decimals=decimals)
    return attrs.evolve(made, **more)


@st.composite
def invoices(draw: st.DrawFn) -> Invoice:
    """Any that costs something, of taxed and untaxed lines."""
    decimals = draw(st.sampled_from([0, 2, 3]))
    made = invoice(*(str(Decimal(cents).scaleb(-decimals)) for cents in draw(AMOUNTS)), decimals=decimals)
    lines = tuple(attrs.evolve(line, taxed=draw(st.booleans())) for line in made.lines)
    taxes = tuple(TaxRate("tax", rate) for rate in draw(RATES))
    return attrs.evolve(made, lines=lines, taxes=taxes, compound=draw(st.booleans()))


@st.composite
def taking_back(draw: st.DrawFn) -> Invoice:
    """Any, some of whose lines may take something back; as a whole it asks for something, or for nothing."""
    made = draw(invoices())
    signs = [draw(st.sampled_from([1, -1])) for _ in made.lines]
    turn = -1 if sum(line.amount * sign for line, sign in zip(made.lines, signs, strict=True)) < 0 else 1
    lines = tuple(
        attrs.evolve(line, amount=line.amount * sign * turn) for line, sign in zip(made.lines, signs, strict=True)
    )
    try:
        return attrs.evolve(made, lines=lines, prices_include_tax=draw(st.booleans()))
    except ValueError:  # with tax it would be a credit note
        assume(False)
        raise


def unit(made: Invoice) -> Decimal:
    """The smallest amount of the invoice's currency."""
    return Decimal(1).scaleb(-made.decimals)


@given(st.one_of(invoices(), taking_back()))
def test_what_was_shown_is_explained(made: Invoice) -> None:
    assert tax_explains(made, made.total)


@given(st.one_of(invoices(), taking_back()), RATES, st.booleans(), st.booleans())
def test_other_taxes_on_taxed_lines_or_on_all_are_explained(
    made: Invoice, rates: list[Decimal], compound: bool, everything: bool
) -> None:
    factor = tax_factor(tuple(TaxRate("tax", rate) for rate in rates), compound=compound)
    rounded = (
        (line.amount * (factor if line.taxed or everything else 1)).quantize(unit(made), ROUND_HALF_UP)
        for line in made.lines
    )
    assert tax_explains(made, sum(rounded, Decimal(0)))


@given(invoices(), st.data())
def test_an_invoice_that_lacks_a_line_is_not_explained(made: Invoice, data: st.DataObject) -> None:
    missing = data.draw(st.sampled_from(made.lines))
    allowed = unit(made) * (len(made.lines) + len(made.taxes)) / 2
    assert tax_explains(made, made.subtotal - missing.amount) == (missing.amount <= allowed)


@given(invoices(), st.integers(1, 10**6))
def test_more_than_half_above_is_not_explained(made: Invoice, more: int) -> None:
    most = made.subtotal * Decimal("1.5") + unit(made) * (len(made.lines) + len(made.taxes)) / 2
    assert tax_explains(made, most)
    assert not tax_explains(made, most + unit(made) * more)


@given(taking_back(), RATES, st.booleans())
def test_tax_that_was_taken_out_of_taxed_lines_or_all_is_explained_where_prices_include_it(
    made: Invoice, rates: list[Decimal], everything: bool
) -> None:
    inclusive = attrs.evolve(made, prices_include_tax=True)
    factor = tax_factor(tuple(TaxRate("tax", rate) for rate in rates), compound=False)
    net = sum((line.amount / (factor if line.taxed or everything else 1) for line in made.lines), Decimal(0))
    assert tax_explains(inclusive, net.quantize(unit(made), ROUND_HALF_UP))


@given(taking_back(), st.data())
def test_what_no_tax_makes_of_lines_is_not_explained_whether_they_ask_or_take_back(
    made: Invoice, data: st.DataObject
) -> None:
    """Half a price is the most that a tax may add; a third of a price is the most that it may be of it."""
    most, rounding = Decimal("0.5"), unit(made) * (len(made.lines) + len(made.taxes)) / 2
    taxed = sum((line.amount for line in made.lines if line.taxed), Decimal(0))
    ends = [change for base in (taxed, made.subtotal) for change in (0 * base, most * base)]
    if made.prices_include_tax:
        ends += [base / (1 + most) - base for base in (taxed, made.subtotal)]
    beyond = rounding + unit(made) * data.draw(st.integers(1, 10**6))
    assert not tax_explains(made, made.subtotal + max(ends) + beyond)
    assert not tax_explains(made, made.subtotal + min(ends) - beyond)


@given(taking_back(), st.data())
def test_an_invoice_that_lacks_a_line_is_not_explained_either_where_others_take_something_back(
    made: Invoice, data: st.DataObject
) -> None:
    """Of lines that take back more than they ask for, less tax is charged, and that may look like a line less."""
    assume(not made.prices_include_tax and sum(line.amount for line in made.lines if line.taxed) >= 0)
    missing = data.draw(st.sampled_from([line for line in made.lines if line.amount >= 0]))
    allowed = unit(made) * (len(made.lines) + len(made.taxes)) / 2
    assert tax_explains(made, made.subtotal - missing.amount) == (missing.amount <= allowed)


@given(invoices(), RATES)
def test_tax_that_is_taken_out_of_a_price_or_added_to_it_once_more_is_explained(
    made: Invoice, rates: list[Decimal]
) -> None:
    inclusive = attrs.evolve(made, prices_include_tax=True)
    factor = tax_factor(tuple(TaxRate("tax", rate) for rate in rates), compound=False)
    for total in (inclusive.total, inclusive.subtotal / factor, inclusive.subtotal * factor):
        assert tax_explains(inclusive, total.quantize(unit(made), ROUND_HALF_UP))


@pytest.mark.parametrize(
    ("total", "explained"),
    [
        ("10.00", True), ("12.00", True), ("15.00", True), ("9.99", True), ("9.98", False), ("15.02", False),
        ("5.00", False), ("0.00", False), ("20.00", False), ("-10.00", False),
    ],
)  # fmt: skip
def test_ten_dollars_may_come_to_something_between_ten_and_fifteen(total: str, explained: bool) -> None:
    assert tax_explains(invoice("5.00", "5.00"), Decimal(total)) == explained


@pytest.mark.parametrize(("total", "explained"), [("12.00", True), ("8.00", True), ("7.00", False), ("19.00", False)])
def test_twelve_dollars_with_their_tax_are_at_least_eight_without(total: str, explained: bool) -> None:
    made = invoice("12.00", taxes=(TaxRate("VAT", Decimal(20)),), prices_include_tax=True)
    assert tax_explains(made, Decimal(total)) == explained


def test_yen_with_a_fraction_are_explained() -> None:
    """WHMCS keeps 349.80 where the bridge, whose yen have no decimals, makes it 350."""
    assert tax_explains(invoice("318", decimals=0, taxes=(TaxRate("tax", Decimal(10)),)), Decimal("349.80"))


def test_a_line_that_takes_back_may_make_the_tax_of_the_others_greater_than_the_sum() -> None:
    lines = (InvoiceLine("July", 1, Decimal("10.00")), InvoiceLine("June, less", -1, Decimal("-9.00"), taxed=False))
    made = invoice("1.00", lines=lines, taxes=(TaxRate("VAT", Decimal(20)),))
    assert made.total == Decimal("3.00")
    assert tax_explains(made, Decimal("3.00"))
    assert not tax_explains(made, Decimal("0.50"))


def test_an_invoice_over_nothing_is_over_nothing() -> None:
    assert tax_explains(invoice("0.00"), Decimal(0))
    assert not tax_explains(invoice("0.00"), Decimal("1.00"))
