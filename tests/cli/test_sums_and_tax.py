"""What the lines of a run say of its sums: whether they hold tax."""

import pytest

from tests.small_world import SmallWorld
from tollbridge.cli.daily import print_invoicing
from tollbridge.jobs.reports import InvoicingReport


@pytest.mark.parametrize(("included", "words"), [("true", "4.90 USD with tax"), ("false", "4.90 USD before tax")])
def test_sums_that_hold_tax_are_not_called_before_tax(
    small_world: SmallWorld, included: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    small_world.more = f"[pricing]\nprices_include_tax = {included}"
    small_world.client_with_server(1)
    small_world.at("2026-07-01")
    report = small_world.daily("2026-07-01").invoicing
    print_invoicing(report, dry_run=False)
    assert words in " ".join(capsys.readouterr().out.split())


def test_a_run_that_stopped_before_it_looked_does_not_say_that_nothing_waits(
    capsys: pytest.CaptureFixture[str],
) -> None:
    print_invoicing(InvoicingReport(), dry_run=False, stopped=True)
    assert capsys.readouterr().out.strip() == "Invoices   not looked at"
