"""What databases make of numbers, dates, flags and nothing at all, and what is made of that."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tollbridge import ClientStatus, InvoiceStatus, Refused
from tollbridge_generic_sql import rows

CLIENT = {"id": 7, "email": "a@example.com", "currency": "EUR"}
INVOICE = {
    "id": 1, "reference": "TB-1", "client_id": 7, "status": "unpaid", "due_date": "2026-07-15", "total": "1.00",
}  # fmt: skip


@pytest.mark.parametrize("value", [True, 1, "1", "t", "True", "YES", "y", "on", Decimal(1)])
def test_every_way_to_say_yes_exempts(value: Any) -> None:
    assert rows.client({**CLIENT, "tax_exempt": value}).tax_exempt is True


@pytest.mark.parametrize("value", [False, 0, "0", "f", "false", "No", "n", "off", "", None, Decimal(0)])
def test_every_way_to_say_no_taxes(value: Any) -> None:
    assert rows.client({**CLIENT, "tax_exempt": value}).tax_exempt is False


@pytest.mark.parametrize("value", ["maybe", 2, -1, "ja", b"\x01"])
def test_a_flag_that_is_neither_is_not_guessed(value: Any) -> None:
    with pytest.raises(Refused, match=r"client 7 .* tax_exempt"):
        rows.client({**CLIENT, "tax_exempt": value})


@pytest.mark.parametrize("value", [7, "7", Decimal(7), " 7 "])
def test_a_client_id_may_be_a_number_or_its_digits(value: Any) -> None:
    assert rows.client({**CLIENT, "id": value}).id == 7


@pytest.mark.parametrize("value", [None, "", "K-7", 7.5, True, "7.0"])
def test_a_client_id_that_is_no_whole_number_is_refused(value: Any) -> None:
    with pytest.raises(Refused, match="id"):
        rows.client({**CLIENT, "id": value})


def test_nothing_in_an_optional_column_is_an_empty_text() -> None:
    nothing = dict.fromkeys(("first_name", "last_name", "company", "group", "country", "state"))
    assert rows.client({**CLIENT, **nothing}) == rows.client(CLIENT)


@pytest.mark.parametrize(("value", "status"), [("active", "active"), ("Closed ", "closed"), ("INACTIVE", "inactive")])
def test_a_status_is_read_whatever_its_case(value: str, status: str) -> None:
    assert rows.client({**CLIENT, "status": value}).status is ClientStatus(status)


@pytest.mark.parametrize("value", [None, "", "aktiv", 1])
def test_a_status_that_is_not_known_is_not_taken_for_active(value: Any) -> None:
    with pytest.raises(Refused, match="one of active, inactive, closed is needed"):
        rows.client({**CLIENT, "status": value})


def test_an_invoice_status_that_is_not_known_is_not_taken_for_paid() -> None:
    with pytest.raises(Refused, match=r"invoice TB-1 .* one of draft, unpaid, pending, paid, cancelled, refunded"):
        rows.receipt({**INVOICE, "status": "bezahlt"})
    assert rows.receipt({**INVOICE, "status": "Paid"}).status is InvoiceStatus.PAID


@pytest.mark.parametrize(
    "value",
    [
        "2026-07-15",
        date(2026, 7, 15),
        datetime(2026, 7, 15, 23, 59, tzinfo=UTC),
        "2026-07-15 00:00:00",
        "2026-07-15T12:00:00Z",
    ],
)
def test_a_due_date_is_a_day_however_it_is_kept(value: Any) -> None:
    assert rows.receipt({**INVOICE, "due_date": value}).due_date == date(2026, 7, 15)


@pytest.mark.parametrize("value", [None, "", "15.07.2026", 1784073600, "0000-00-00"])
def test_a_due_date_that_is_no_date_is_refused(value: Any) -> None:
    with pytest.raises(Refused, match="due_date"):
        rows.receipt({**INVOICE, "due_date": value})


@pytest.mark.parametrize("value", [None, "", "1,50", "NaN", "Infinity", float("nan"), "€ 1"])
def test_a_total_that_is_no_number_is_refused(value: Any) -> None:
    with pytest.raises(Refused, match="total"):
        rows.receipt({**INVOICE, "total": value})


@given(cents=st.integers(0, 10**13 - 1), places=st.integers(0, 4))
def test_money_that_a_driver_gives_as_a_float_is_what_was_written(cents: int, places: int) -> None:
    """SQLite keeps NUMERIC as REAL: up to fifteen digits come back as they were."""
    amount = Decimal(cents).scaleb(-places)
    assert rows.receipt({**INVOICE, "total": float(amount)}).total == amount


def test_without_decimals_a_currency_has_those_of_iso_4217() -> None:
    digits = {code: rows.currency({"code": code}).decimals for code in ("USD", "JPY", "KWD")}
    assert digits == {"USD": 2, "JPY": 0, "KWD": 3}
    assert rows.currency({"code": "JPY", "decimals": None}).decimals == 0
    assert rows.currency({"code": "JPY", "decimals": 2}).decimals == 2


def test_separators_that_are_not_given_are_never_nothing() -> None:
    made = rows.currency({"code": "EUR", "thousands_separator": None, "decimal_separator": None})
    assert (made.thousands_separator, made.decimal_separator) == (",", ".")


def test_currency_codes_meet_whatever_their_case() -> None:
    assert rows.currency({"code": "eur "}).code == rows.client({**CLIENT, "currency": "Eur"}).currency


@pytest.mark.parametrize("value", [-1, 9, "two"])
def test_decimals_that_make_no_sense_are_refused(value: Any) -> None:
    with pytest.raises(Refused, match="currency USD"):
        rows.currency({"code": "USD", "decimals": value})


@pytest.mark.parametrize("value", ["-0.1", "NaN", None])
def test_a_discount_that_makes_no_sense_is_refused(value: Any) -> None:
    with pytest.raises(Refused, match="discount Treue"):
        rows.discount({"name": "Treue", "description": "", "multiplier": value})


def test_a_tax_without_a_level_is_of_the_first() -> None:
    assert rows.tax({"label": "USt", "rate": 19, "level": None})[:2] == (1, False)
