"""Records of other systems are read exactly, or refused in words that name them."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from tollbridge import Currency, Refused
from tollbridge.reading import (
    carries,
    day,
    decimal,
    flag,
    made,
    mentions,
    months_in,
    one_of,
    records,
    reference_in,
    text,
    whole,
    without_references,
)
from tollbridge.reference import earliest


@pytest.mark.parametrize(("value", "read"), [(7, 7), ("7", 7), (" 7 ", 7), ("-7", -7), ("007", 7)])
def test_whole_numbers_come_as_numbers_or_text(value: Any, read: int) -> None:
    assert whole({"n": value}, "n", "row 1") == read


@pytest.mark.parametrize("value", [None, "", "7.0", "7a", True, [], Decimal("7.5")])
def test_what_is_no_whole_number_is_refused_with_the_record_and_the_field(value: Any) -> None:
    with pytest.raises(Refused, match=r"row 1 has n .*, where a whole number is needed"):
        whole({"n": value}, "n", "row 1")


@pytest.mark.parametrize(
    ("value", "read"), [("4.90", "4.90"), (Decimal("0.1"), "0.1"), (3, "3"), (" 1E+2 ", "1E+2"), (0.1, "0.1")]
)
def test_amounts_keep_every_digit(value: Any, read: str) -> None:
    assert str(decimal({"n": value}, "n", "row 1")) == read


@pytest.mark.parametrize("value", [None, "", "4,90", "$4.90", "NaN", "Infinity", True, {}])
def test_what_is_no_amount_is_refused(value: Any) -> None:
    with pytest.raises(Refused, match="where a number is needed"):
        decimal({"n": value}, "n", "row 1")


@pytest.mark.parametrize("value", [True, 1, "1", "on", "ON", "true", "yes", "t", " y "])
def test_every_spelling_of_yes(value: Any) -> None:
    assert flag({"f": value}, "f", "row 1") is True


@pytest.mark.parametrize("value", [False, 0, "0", "", "off", "false", "no", None, [], {}])
def test_every_spelling_of_no(value: Any) -> None:
    assert flag({"f": value}, "f", "row 1") is False
    assert flag({}, "f", "row 1") is False


@pytest.mark.parametrize("value", ["maybe", 2, ["yes"], "exempt"])
def test_neither_yes_nor_no_is_refused(value: Any) -> None:
    with pytest.raises(Refused, match="true or false"):
        flag({"f": value}, "f", "row 1")


def test_a_day_is_read_from_dates_times_and_their_text() -> None:
    for value in (date(2026, 8, 15), datetime(2026, 8, 15, 23, tzinfo=UTC), "2026-08-15", "2026-08-15 23:59:59"):
        assert day({"d": value}, "d", "row 1") == date(2026, 8, 15)


@pytest.mark.parametrize("value", ["0000-00-00", "15.08.2026", "", None, 20260815])
def test_what_is_no_day_is_refused(value: Any) -> None:
    with pytest.raises(Refused, match="a date like"):
        day({"d": value}, "d", "row 1")


def test_a_status_means_what_the_table_says_whatever_its_case() -> None:
    assert one_of({"s": " Payment Pending"}, "s", {"payment pending": 1}, "row 1") == 1
    with pytest.raises(Refused, match="one of paid, unpaid"):
        one_of({"s": "lost"}, "s", {"paid": 1, "unpaid": 2}, "row 1")


ROW = {"id": "7", "name": "x"}


@pytest.mark.parametrize("value", [[ROW], {"row": [ROW]}, {"row": {"7": ROW}}, {"row": ROW}, {"7": ROW}, ROW], ids=str)
def test_one_record_comes_in_many_wrappings(value: Any) -> None:
    assert records(value, "row") == [ROW]


@pytest.mark.parametrize("value", [None, False, "", [], {}, {"row": []}, {"row": ""}, {"row": None}], ids=str)
def test_no_record_comes_in_many_wrappings(value: Any) -> None:
    assert records(value, "row") == []


@pytest.mark.parametrize("value", ["error", 7, [ROW, "x"], True], ids=str)
def test_what_holds_no_records_is_refused(value: Any) -> None:
    with pytest.raises(Refused, match="where records are needed"):
        records(value, "row")


@pytest.mark.parametrize(
    ("words", "reference"),
    [
        ("TB-2026-07-1042", "TB-2026-07-1042"),
        ("paid late\nTB-2026-07-1042: usage in 2026-07", "TB-2026-07-1042"),
        ("  TB-2026-07-1042.", "TB-2026-07-1042"),
        ("see TB-2026-07-1042", ""),
        ("web TB-2026-07-1042", ""),
        ("XTB-2026-07-1042", ""),
        ("TB-2026-07-1042b", ""),
        ("TB-2026-7-1042", ""),
        ("", ""),
    ],
)
def test_a_reference_is_found_in_a_text_and_never_as_a_part_of_a_word(words: str, reference: str) -> None:
    assert reference_in(words) == reference


def test_a_longer_reference_does_not_carry_a_shorter_one() -> None:
    assert carries("paid late\n TB-2026-07-1042: usage", "TB-2026-07-1042")
    assert not carries("see TB-2026-07-1042", "TB-2026-07-1042"), "a remark is no reference"
    assert mentions("see TB-2026-07-1042", "TB-2026-07-1042")
    assert not mentions("see TB-2026-07-10421", "TB-2026-07-1042")
    assert not carries("TB-2026-07-10421", "TB-2026-07-1042")
    assert not carries("ATB-2026-07-1042", "TB-2026-07-1042")
    assert not carries("TB-2026x07-1042", "TB-2026.07-1042"), "a reference is no pattern"


def test_a_customers_words_are_never_taken_for_a_reference() -> None:
    name = without_references("TB-2026-08-1042, 1 Core: 700 h")
    assert (reference_in(name), mentions(name, "TB-2026-08-1042")) == ("", False)
    assert without_references("TB-1 and web-1") == "TB-1 and web-1"


def test_a_value_that_objects_is_refused_with_the_records_name() -> None:
    with pytest.raises(Refused, match="currency USD cannot be used"):
        made("currency USD", Currency, code="USD", decimals=12)


def test_text_is_never_none() -> None:
    values: list[Any] = [False, [], {}, 0, True]
    assert [text({"x": value}, "x") for value in values] == ["", "", "", "0", "True"]
    assert (text({}, "x"), text({"x": None}, "x"), text({"x": 5}, "x"), text({"x": " a "}, "x")) == ("", "", "5", "a")


OURS = "TB-2026-07-1042: usage in 2026-06, 2026-07"


@pytest.mark.parametrize(
    "notes",
    [
        OURS,
        f"{OURS} (June 1, 2026 to July 31, 2026)",
        "TB-2026-07-1042: Nutzung in 2026-06, 2026-07 (1. Juni 2026 bis 31. Juli 2026)",
        f"Called on 2026-09-01.\n{OURS}\nTB-2026-07-1042: paid by Ada in 2026-08.",
        f"TB-2026-07-1042: paid\r\n\r\n  {OURS}, says Ada; see 2026-05\r\n",
        f"{OURS}; and 2026-08 later",
        f"{OURS}, 2026-09-01 called\nTB-2026-08-1042: usage in 2026-08",
        f"{OURS}\n{OURS}",
    ],
)
def test_notes_name_the_months_in_the_bridges_own_line_alone(notes: str) -> None:
    assert months_in(notes, "TB-2026-07-1042") == ("2026-06", "2026-07")


@pytest.mark.parametrize(
    ("notes", "reference"),
    [
        ("", "TB-2026-07-1042"),
        (OURS, ""),
        (OURS, "TB-2026-07-104"),
        (OURS, "TB-2026-07-10421"),
        (f"See {OURS}", "TB-2026-07-1042"),
        ("TB-2026-07-1042", "TB-2026-07-1042"),
        ("TB-2026-07-1042 2026-07", "TB-2026-07-1042"),
        ("TB-2026-07-1042:\n2026-07", "TB-2026-07-1042"),
        ("TB-2026-07-1042: see 2026-05", "TB-2026-07-1042"),
        ("TB-2026-07-1042: called on 2026-07-15", "TB-2026-07-1042"),
        ("TB-2026-07-1042: usage in 2026-13, 2026-07", "TB-2026-07-1042"),
        ("TB-2026-07-1042: usage in 2026-061, 2026-07", "TB-2026-07-1042"),
        (f"{OURS}\nTB-2026-07-1042: usage in 2026-07", "TB-2026-07-1042"),
    ],
)
def test_notes_that_do_not_say_clearly_name_no_months(notes: str, reference: str) -> None:
    assert months_in(notes, reference) is None


def test_no_invoice_of_a_month_can_be_older_than_its_end() -> None:
    """With two days to spare for clocks."""
    assert earliest("TB-2026-07-1042") == date(2026, 7, 30)
    assert earliest("TB-2026-12-7") == date(2026, 12, 30)
    assert earliest("TB-2026-02-7") == date(2026, 2, 27)
    assert earliest("INV-7") is None
