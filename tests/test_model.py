"""The values that cross the bridge refuse what cannot be billed."""

from datetime import date
from decimal import Decimal
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tollbridge.model import (
    Client,
    ClientStatus,
    Currency,
    Discount,
    Invoice,
    InvoiceLine,
    InvoiceStatus,
    Receipt,
    Signup,
    TaxRate,
    Terms,
    UserStatus,
)

DAY = date(2026, 8, 1)
AMOUNTS = st.decimals(0, 10**6, places=2)
LINES = st.lists(st.builds(InvoiceLine, st.just("web-1"), st.integers(0, 10**6), AMOUNTS, st.booleans()), max_size=8)
RATES = st.lists(st.decimals(0, 40, places=2).map(lambda rate: TaxRate("VAT", rate)), max_size=3)


def _invoice(lines: list[InvoiceLine], **more: Any) -> Invoice:
    return Invoice("TB-2026-07-1042", 1042, "USD", DAY, DAY, lines, **more)


def _receipt(**more: Any) -> Receipt:
    values = {"id": 9, "reference": "TB-2026-07-1042", "client_id": 1042, "status": "unpaid", "due_date": DAY,
              "total": "5.00", **more}  # fmt: skip
    return Receipt(**values)


@pytest.mark.parametrize("amount", [4.9, True, None, [], b"5"])
def test_money_of_any_type_that_can_lose_a_digit_is_refused(amount: Any) -> None:
    with pytest.raises(TypeError, match="a Decimal is needed"):
        InvoiceLine("web-1", 4_900, amount)


@pytest.mark.parametrize(
    "amount", ["NaN", "sNaN", "Infinity", "-Infinity", Decimal("NaN"), Decimal("Infinity"), "a lot", ""]
)
def test_what_is_no_number_is_no_money(amount: Any) -> None:
    for make in (
        lambda: InvoiceLine("web-1", 1, amount),
        lambda: TaxRate("VAT", amount),
        lambda: _receipt(total=amount),
        lambda: Discount("D", "", amount),
        lambda: _receipt(balance=amount),
    ):
        with pytest.raises(ValueError, match=r"is not a (finite )?number"):
            make()


@pytest.mark.parametrize(("given_as", "amount"), [("4.90", "4.90"), (5, "5"), (Decimal("0.1"), "0.1")])
def test_decimals_whole_numbers_and_text_are_money(given_as: Any, amount: str) -> None:
    assert str(InvoiceLine("web-1", 1, given_as).amount) == amount


@pytest.mark.parametrize("tokens", [4.0, "4", True, None])
def test_tokens_are_whole_numbers(tokens: Any) -> None:
    with pytest.raises(TypeError, match="tokens must be an int"):
        InvoiceLine("web-1", tokens, Decimal(1))


@pytest.mark.parametrize(
    "make",
    [
        lambda: Discount("D", "", Decimal("-0.1")),
        lambda: TaxRate("VAT", Decimal(-1)),
        lambda: Currency("USD", decimals=9),
        lambda: Currency("USD", decimals=-1),
    ],
)
def test_rates_factors_and_decimals_have_limits(make: Any) -> None:
    with pytest.raises(ValueError, match=r"multiplier|rate|decimals"):
        make()


@pytest.mark.parametrize("status", ["Active", "banned", ""])
def test_a_status_nobody_knows_is_refused(status: str) -> None:
    with pytest.raises(ValueError, match="not a valid"):
        Client(1, "ada@example.com", "USD", status=status)
    with pytest.raises(ValueError, match="not a valid"):
        _receipt(status=status)


def test_statuses_may_be_given_as_the_contracts_words() -> None:
    assert Client(1, "ada@example.com", "USD", status="closed").status is ClientStatus.CLOSED
    assert _receipt(status="pending").status is InvoiceStatus.PENDING


@pytest.mark.parametrize("client_id", ["1042", 1042.0, True, None])
def test_a_clients_id_is_an_int(client_id: Any) -> None:
    with pytest.raises(TypeError, match="id must be an int"):
        Client(client_id, "ada@example.com", "USD")


def test_values_do_not_change_once_they_are_made() -> None:
    client = Client(1042, "ada@example.com", "USD")
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        client.email = "eve@example.com"  # type: ignore[misc]


def test_severity_rises_from_active_to_suspended() -> None:
    assert [status.severity for status in UserStatus] == [0, 1, 2]


def test_a_signup_does_not_show_its_password() -> None:
    assert "hunter2" not in repr(Signup("ada@example.com", password="hunter2"))


def test_terms_tell_none_at_all_from_cannot_say() -> None:
    cannot_say = Terms(None, None)
    assert (cannot_say.discounts, cannot_say.taxes) == (None, None)
    assert (Terms().discounts, Terms().taxes) == ((), ())
    assert Terms([], [TaxRate("VAT", Decimal(20))]).taxes == (TaxRate("VAT", Decimal(20)),)


@pytest.mark.parametrize(
    ("status", "balance", "is_open"),
    [("unpaid", None, True), ("pending", None, True), ("unpaid", "0.01", True), ("unpaid", "0", False),
     ("unpaid", "-1", False), ("paid", "5.00", False), ("draft", None, False), ("cancelled", None, False),
     ("refunded", None, False)],
)  # fmt: skip
def test_something_is_owed_while_the_status_is_open_and_the_balance_is_not_nothing(
    status: str, balance: str | None, is_open: bool
) -> None:
    assert _receipt(status=status, balance=balance).is_open is is_open


def test_only_taxed_lines_bear_tax() -> None:
    lines = [InvoiceLine("a", 1, Decimal("10.00")), InvoiceLine("b", 1, Decimal("5.00"), taxed=False)]
    taxes = (TaxRate("City Tax", Decimal(6)), TaxRate("State Tax", Decimal(2)))
    assert _invoice(lines, taxes=taxes, compound=True).total == Decimal("15.81")
    assert _invoice(lines, taxes=taxes).total == Decimal("15.80")
    assert _invoice(lines, taxes=taxes, prices_include_tax=True).total == Decimal("15.00")


def test_tax_is_rounded_once_on_the_sum_of_the_lines_half_up() -> None:
    lines = [InvoiceLine(name, 1, Decimal("0.01")) for name in "abcde"]
    assert _invoice(lines, taxes=(TaxRate("VAT", Decimal(10)),)).total == Decimal("0.06")  # 0.055, not 5 × 0.011
    assert _invoice([InvoiceLine("a", 1, Decimal(5))], taxes=(TaxRate("T", Decimal(10)),), decimals=0).total == 6


def test_an_invoice_takes_something_back_among_its_lines_and_never_as_a_whole() -> None:
    asked, back = InvoiceLine("July", 10_000, Decimal("10.00")), InvoiceLine("June, less", -10_000, Decimal("-10.00"))
    assert _invoice([asked, back]).total == 0
    assert _invoice([asked, back]).tokens == 0
    with pytest.raises(ValueError, match=r"would be a credit note: its lines come to -0\.01 USD"):
        _invoice([asked, attrs.evolve(back, amount=Decimal("-10.01"))])
    untaxed = attrs.evolve(asked, taxed=False)
    with pytest.raises(ValueError, match=r"would be a credit note: it comes with its taxes to -2\.00 USD"):
        _invoice([untaxed, back], taxes=(TaxRate("VAT", Decimal(20)),))
    assert _invoice([untaxed, back], taxes=(TaxRate("VAT", Decimal(20)),), prices_include_tax=True).total == 0


@given(LINES, RATES, st.booleans())
def test_tax_never_lowers_a_total_and_without_taxed_lines_there_is_none(
    lines: list[InvoiceLine], taxes: list[TaxRate], compound: bool
) -> None:
    invoice = _invoice(lines, taxes=taxes, compound=compound)
    assert invoice.total >= invoice.subtotal
    if not taxes or not any(line.taxed for line in lines):
        assert invoice.total == invoice.subtotal


@given(LINES, LINES)
def test_the_lines_of_two_invoices_together_have_the_sum_of_their_subtotals(
    some: list[InvoiceLine], others: list[InvoiceLine]
) -> None:
    together = _invoice(some + others)
    assert together.subtotal == _invoice(some).subtotal + _invoice(others).subtotal
    assert together.tokens == _invoice(some).tokens + _invoice(others).tokens


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ["3 more items: 12,000 tokens", "1 more items: 4,000 tokens"]),
        ("de", ["3 weitere Posten: 12.000 Token", "1 weitere Posten: 4.000 Token"]),
    ],
)
def test_lines_that_are_summed_up_say_so_in_the_invoices_language(language: str, words: list[str]) -> None:
    lines = [InvoiceLine("web-1", 4_000, Decimal("4.00"), taxed=number != 3) for number in range(5)]
    folded = _invoice(lines, language=language).folded(3)
    assert [line.description for line in folded.lines] == ["web-1", *words]


@given(st.lists(st.tuples(st.booleans(), st.dates(), st.dates()), min_size=1, max_size=8), st.integers(2, 5))
def test_an_invoices_period_is_its_lines_however_few_are_sent(lines: list[tuple[bool, date, date]], most: int) -> None:
    invoice = _invoice(
        [
            InvoiceLine("web-1", 1, Decimal(1), taxed, period_start=min(days), period_end=max(days))
            for taxed, *days in lines
        ]
    )
    folded = invoice.folded(most)
    assert (folded.period_start, folded.period_end) == (invoice.period_start, invoice.period_end)
    assert folded.period_start == min(start for line in lines for start in line[1:])
    assert folded.period_end == max(end for line in lines for end in line[1:])


def test_a_line_has_a_month_if_it_is_of_one() -> None:
    start = date(2026, 7, 1)
    assert InvoiceLine("web-1", 1, Decimal(1), period_start=start, period_end=date(2026, 7, 31)).month == "2026-07"
    assert InvoiceLine("2 items", 1, Decimal(1), period_start=start, period_end=date(2026, 8, 31)).month == ""
    assert InvoiceLine("by hand", 1, Decimal(1)).month == ""


def test_an_invoice_in_a_language_that_has_no_words_is_refused() -> None:
    with pytest.raises(ValueError, match="language"):
        _invoice([], language="fr")
