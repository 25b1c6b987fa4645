"""What statements are told of an invoice's taxes."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tollbridge import TaxRate
from tollbridge.model import tax_factor
from tollbridge_generic_sql.parameters import tax_label, tax_rate


def taxes(*rates: str) -> tuple[TaxRate, ...]:
    return tuple(TaxRate(f"T{n}", Decimal(rate)) for n, rate in enumerate(rates, start=1))


@pytest.mark.parametrize(
    ("rates", "compound", "expected"),
    [
        ([], False, "0"),
        (["0"], True, "0"),
        (["20"], False, "20"),
        (["20.00"], True, "20"),
        (["100"], False, "100"),
        (["19.6"], True, "19.6"),
        (["5", "9.975"], False, "14.975"),
        (["5", "9.975"], True, "15.47375"),
        (["6", "2"], True, "8.12"),
        (["0.0001", "0.0001"], True, "0.0002000001"),
    ],
)
def test_taxes_fold_into_one_exact_rate(rates: list[str], compound: bool, expected: str) -> None:
    assert str(tax_rate(taxes(*rates), compound=compound)) == expected


@given(rates=st.lists(st.decimals(0, 100, places=3), max_size=3), compound=st.booleans())
def test_the_one_rate_charges_what_the_taxes_charge(rates: list[Decimal], compound: bool) -> None:
    folded = taxes(*map(str, rates))
    assert 1 + tax_rate(folded, compound=compound) / 100 == tax_factor(folded, compound=compound)


def test_their_names_are_one() -> None:
    assert (tax_label(taxes("5", "9.975")), tax_label(())) == ("T1 + T2", "")
