"""What becomes of a client's month, and the words of its lines."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tollbridge.rules.invoicing import Verdict, item_line, server_line, verdict
from tollbridge.rules.metering import meter

SUBTOTALS = st.decimals(0, 1_000, places=2)
MINIMA = st.none() | st.decimals(0, 100, places=2)


@pytest.mark.parametrize(
    ("subtotal", "minimum", "zero", "expected"),
    [
        ("0.00", None, False, Verdict.NOTHING),
        ("0.00", None, True, Verdict.INVOICE),
        ("0.00", "1.00", True, Verdict.INVOICE),
        ("0.99", "1.00", False, Verdict.CARRY),
        ("1.00", "1.00", False, Verdict.INVOICE),
        ("0.01", None, False, Verdict.INVOICE),
    ],
)
def test_too_little_is_carried_and_nothing_is_nothing(
    subtotal: str, minimum: str | None, zero: bool, expected: Verdict
) -> None:
    least = None if minimum is None else Decimal(minimum)
    assert verdict(Decimal(subtotal), least, zero_invoices=zero) is expected


@given(SUBTOTALS, MINIMA, st.booleans())
def test_money_owed_is_invoiced_or_carried_but_never_forgotten(
    subtotal: Decimal, minimum: Decimal | None, zero: bool
) -> None:
    found = verdict(subtotal, minimum, zero_invoices=zero)
    assert (found is Verdict.NOTHING) == (subtotal == 0 and not zero)
    assert found is not Verdict.CARRY or (minimum is not None and subtotal < minimum)


@pytest.mark.parametrize(
    ("hours", "per_hour", "per_month", "words"),
    [
        (700, 7, 5_000, "web-1, S: 700 h x 7 tokens = 4900 tokens (hourly price)"),
        (730, 7, 5_000, "web-1, S: 730 h, 5000 tokens (monthly price)"),
        (12, 0, 5_000, "web-1, S: 12 h, 5000 tokens (monthly price)"),
        (744, 0, 0, "web-1, S: 744 h, free of charge"),
    ],
)
def test_a_line_says_how_its_tokens_came_about(hours: int, per_hour: int, per_month: int, words: str) -> None:
    metered = meter(hours, per_hour, per_month)
    assert server_line("web-1", "S", hours, per_hour, tokens=metered.tokens, metered=metered) == words


@given(st.integers(0, 744), st.integers(0, 50), st.integers(0, 9_000), st.integers(0, 9_000))
def test_a_line_claims_a_price_only_where_it_makes_the_tokens_invoiced(
    hours: int, per_hour: int, per_month: int, tokens: int
) -> None:
    metered = meter(hours, per_hour, per_month)
    line = server_line("web-1", "S", hours, per_hour, tokens=tokens, metered=metered)
    claims = any(words in line for words in ("hourly price", "monthly price", "free of charge"))
    assert claims == (metered.tokens == tokens)
    assert f"{tokens} tokens" in line or (tokens == 0 and line.endswith("free of charge"))


def test_a_kind_nobody_knows_is_invoiced_under_its_own_name() -> None:
    assert item_line("backup", "web-1", 490) == "web-1, backup: 490 tokens"
    assert item_line("load_balancer", "lb-1", 3) == "lb-1, load balancer: 3 tokens"
