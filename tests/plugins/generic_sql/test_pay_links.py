"""Where invoices of an own database are paid: a pattern, which must not lead anywhere else."""

from pathlib import Path
from typing import Any

import pytest

from tollbridge import DatabaseUrl
from tollbridge.adapters.billing import BillingSystem
from tollbridge.adapters.loading import managed
from tollbridge_generic_sql.adapter import GenericSqlAdapter, GenericSqlSettings


def billing(folder: Path, pay_url: str | None) -> BillingSystem:
    """The adapter with this pattern; there is no database, and none is asked."""
    url = DatabaseUrl(f"sqlite:///{folder}/none.db")
    adapter: Any = GenericSqlAdapter(GenericSqlSettings(url, "tollbridge", pay_url=pay_url))
    return BillingSystem("generic_sql", managed("generic_sql", adapter))


@pytest.mark.parametrize(
    ("pattern", "invoice_id", "url"),
    [
        ("https://pay.example.com/{invoice_id}", "42", "https://pay.example.com/42"),
        ("https://pay.example.com/?invoice={invoice_id}&from=cloud", "42", "https://pay.example.com/?invoice=42&from=cloud"),
        ("http://127.0.0.1:8000/{invoice_id}/pay", "R-7", "http://127.0.0.1:8000/R-7/pay"),
        ("https://pay.example.com/{invoice_id}", "../a b?c=d#e&\u00e9", "https://pay.example.com/..%2Fa%20b%3Fc%3Dd%23e%26%C3%A9"),
    ],
)  # fmt: skip
def test_an_invoice_is_paid_where_the_pattern_says(tmp_path: Path, pattern: str, invoice_id: str, url: str) -> None:
    assert billing(tmp_path, pattern).invoice_url(1, invoice_id) == url


def test_without_a_pattern_there_is_no_such_place(tmp_path: Path) -> None:
    system = billing(tmp_path, None)
    assert not system.can("invoice_url")
    assert "pay_url" in system.cannot["invoice_url"]
    assert system.invoice_url(1, "42") is None


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("https://pay.example.com/", "must have {invoice_id} once"),
        ("https://pay.example.com/{invoice}", "must have {invoice_id} once"),
        ("https://pay.example.com/{invoice_id}/{invoice_id}", "must have {invoice_id} once"),
        ("https://pay.example.com/{client_id}/{invoice_id}", "no other braces"),
        ("http://pay.example.com/{invoice_id}", "must begin with https://"),
        ("javascript:alert({invoice_id})", "must be an address"),
        ("https://{invoice_id}.example.com/", "behind the host"),
        ("https://pay.example.com:{invoice_id}", "behind the host"),
        ("https://me:secret@pay.example.com/{invoice_id}", "must be only scheme"),
        ("https://pay.example.com/?a= b&c={invoice_id}", "no spaces"),
        ("https://[pay/{invoice_id}", "must be an address"),
    ],
)
def test_a_pattern_that_could_lead_elsewhere_is_refused(tmp_path: Path, pattern: str, words: str) -> None:
    with pytest.raises(ValueError, match=r"^pay_url ") as caught:
        billing(tmp_path, pattern)
    assert words in str(caught.value)
