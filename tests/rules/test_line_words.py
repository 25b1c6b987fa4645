"""The words of invoice lines."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tollbridge.rules.lines import item_line, server_line
from tollbridge.rules.metering import meter


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
