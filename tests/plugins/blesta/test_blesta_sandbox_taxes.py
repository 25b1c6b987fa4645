"""Tax in the simulated Blesta: which rules apply, and what they come to."""

from collections.abc import Iterator
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.plugins.blesta import Api, Fields, invoice, served
from tollbridge_blesta.sandbox import Install, Rejected, Tax
from tollbridge_blesta.sandbox.taxing import TYPES, Entry, totals


@pytest.fixture
def api() -> Iterator[Api]:
    with served(Install()) as api:
        yield api


def billed(api: Api, client_id: int, *lines: Fields, currency: str = "USD") -> tuple[str, str]:
    """Subtotal and total of a new invoice."""
    api.post("invoices/add", vars=invoice(client_id, *lines, currency=currency))
    row = api.install.invoices()[-1]
    return str(row.subtotal.normalize()), str(row.total.normalize())


def test_rules_apply_by_country_and_state(api: Api) -> None:
    api.install.add_tax("GST", "5", country="CA")
    api.install.add_tax("QST", "9.975", level=2, country="CA", state="QC")
    api.install.add_tax("Everywhere", "1")
    api.install.add_tax("Old", "7", country="CA", status="inactive")
    names = [
        [row["name"] for row in api.get("invoices/getTaxRulesByLocation", company_id=1, country=country, state=state)]
        for country, state in (("CA", "QC"), ("CA", "ON"), ("DE", ""), ("US", "QC"))
    ]
    assert names == [["GST", "Everywhere", "QST"], ["GST", "Everywhere"], ["Everywhere"], ["Everywhere"]]
    assert len(api.get("taxes/getAll", company_id=1)) == 4
    assert api.get("invoices/getTaxRulesByLocation", company_id=2, country="CA", state="QC") == []


def test_who_is_exempt_is_subject_to_no_rule_and_the_place_still_is(api: Api) -> None:
    api.install.add_tax("MwSt", "19", country="DE")
    ada = api.install.add_client("ada@example.com", country="DE")
    eve = api.install.add_client("eve@example.com", country="DE", tax_exempt=True)
    assert [row["amount"] for row in api.get("invoices/getTaxRules", client_id=ada)] == ["19.0000"]
    assert api.get("invoices/getTaxRules", client_id=eve) == []
    assert (billed(api, ada), billed(api, eve)) == (("1E+1", "11.9"), ("1E+1", "1E+1"))
    assert len(api.get("invoices/getTaxRulesByLocation", company_id=1, country="DE", state="")) == 1


def test_tax_that_is_switched_off_is_none(api: Api) -> None:
    api.install.add_tax("MwSt", "19", country="DE")
    ada = api.install.add_client("ada@example.com", country="DE")
    api.install.settings["enable_tax"] = "false"
    assert billed(api, ada) == ("1E+1", "1E+1")
    assert api.get("invoices/getTaxRules", client_id=ada) == []
    assert len(api.get("taxes/getAll", company_id=1)) == 1


def test_rules_may_be_told_by_the_place_alone(api: Api) -> None:
    api.install.add_tax("MwSt", "19", country="DE")
    eve = api.install.add_client("eve@example.com", country="DE", tax_exempt=True)
    api.install.settings["enable_tax"] = "false"
    api.install.quirks.rules_by_place_alone = True
    assert [row["name"] for row in api.get("invoices/getTaxRules", client_id=eve)] == ["MwSt"]
    assert billed(api, eve) == ("1E+1", "1E+1")


def test_an_invoice_keeps_the_rules_it_was_written_under(api: Api) -> None:
    ada = api.install.add_client("ada@example.com", country="DE")
    assert billed(api, ada) == ("1E+1", "1E+1")
    api.install.add_tax("MwSt", "19", country="DE")
    assert api.get("invoices/get", invoice_id=301)["total"] == 10


@pytest.mark.parametrize(("cascade", "total"), [("false", "114.98"), ("true", "115.47")])
def test_the_second_level_is_taken_of_the_first_if_taxes_cascade(api: Api, cascade: str, total: str) -> None:
    api.install.add_tax("GST", "5", country="CA")
    api.install.add_tax("QST", "9.975", level=2, country="CA", state="QC")
    ada = api.install.add_client("ada@example.com", country="CA", state="QC")
    api.install.settings["cascade_tax"] = cascade
    assert billed(api, ada, {"amount": "100"}) == ("1E+2", total)


@pytest.mark.parametrize(
    ("kind", "taxed", "exempt"),
    [
        ("exclusive", ("1E+2", "1.2E+2"), ("1E+2", "1E+2")),
        ("inclusive", ("1E+2", "1.2E+2"), ("1E+2", "1E+2")),
        ("inclusive_calculated", ("83.33", "1E+2"), ("83.33", "83.33")),
    ],
)
def test_tax_is_added_or_part_of_the_price(
    api: Api, kind: str, taxed: tuple[str, str], exempt: tuple[str, str]
) -> None:
    api.install.add_tax("VAT", "20", type=kind, country="GB")
    ada = api.install.add_client("ada@example.com", country="GB")
    eve = api.install.add_client("eve@example.com", country="GB", tax_exempt=True)
    assert billed(api, ada, {"amount": "100"}) == taxed
    assert billed(api, eve, {"amount": "100"}) == exempt


def test_an_untaxed_line_holds_no_tax_to_take_out(api: Api) -> None:
    api.install.add_tax("VAT", "20", type="inclusive_calculated", country="GB")
    lines = ({"amount": "12"}, {"amount": "12", "tax": "false"})
    ada = api.install.add_client("ada@example.com", country="GB")
    eve = api.install.add_client("eve@example.com", country="GB", tax_exempt=True)
    assert billed(api, ada, *lines) == ("22", "24")
    assert billed(api, eve, *lines) == ("22", "22")


def test_lines_show_additive_tax_in_their_price_and_exclusive_tax_beside_it(api: Api) -> None:
    api.install.add_tax("Consumption", "10", type="inclusive", country="JP")
    api.install.add_tax("Local", "5", level=2, country="JP")
    ada = api.install.add_client("ada@example.com", country="JP")
    billed(api, ada, {"amount": "100"}, {"amount": "100", "tax": "false"})
    taxed, untaxed = api.get("invoices/get", invoice_id=301)["line_items"]
    assert (taxed["subtotal"], taxed["total"], taxed["total_w_tax"]) == (100, 110, 115)
    assert (untaxed["subtotal"], untaxed["total"], untaxed["total_w_tax"], untaxed["taxes"]) == (100, 100, 100, [])
    assert [row["tax_total"] for row in api.get("invoices/get", invoice_id=301)["taxes"]] == [10, 5]


@pytest.mark.parametrize(
    ("precision", "amount", "total"), [(0, "25", "3E+1"), (2, "0.25", "0.3"), (3, "0.025", "0.03"), (2, "0.24", "0.29")]
)
def test_each_tax_is_rounded_once_half_up_to_the_decimals_of_the_currency(
    api: Api, precision: int, amount: str, total: str
) -> None:
    api.install.add_currency("XTS", precision)
    api.install.add_tax("VAT", "20", country="DE")
    ada = api.install.add_client("ada@example.com", country="DE")
    assert billed(api, ada, {"amount": amount}, currency="XTS")[1] == total


def test_tax_is_rounded_over_all_lines_together(api: Api) -> None:
    api.install.add_tax("VAT", "20", country="DE")
    ada = api.install.add_client("ada@example.com", country="DE")
    assert billed(api, ada, {"amount": "0.02"}, {"amount": "0.02"}) == ("0.04", "0.05")


def test_a_rule_of_another_kind_is_refused() -> None:
    with pytest.raises(Rejected, match="level 1 or 2"):
        Install().add_tax("VAT", "20", level=3)
    with pytest.raises(Rejected, match="not compound"):
        Install().add_tax("VAT", "20", type="compound")


cents = st.decimals(-1000, 1000, places=2)
rules = st.builds(
    Tax,
    id=st.integers(1, 9),
    name=st.just("VAT"),
    amount=st.decimals(0, 40, places=3),
    level=st.sampled_from([1, 2]),
    type=st.sampled_from(TYPES),
)


@given(
    entries=st.lists(st.builds(Entry, cents, st.booleans()), max_size=5),
    rules=st.lists(rules, max_size=3),
    cascade=st.booleans(),
    precision=st.sampled_from([0, 2, 3]),
)
def test_subtotal_and_taxes_add_up_and_a_price_with_tax_stays_what_it_was(
    entries: list[Entry], rules: list[Tax], cascade: bool, precision: int
) -> None:
    paying = totals(entries, rules, cascade=cascade, exempt=False, precision=precision)
    exempt = totals(entries, rules, cascade=cascade, exempt=True, precision=precision)
    assert paying.total == paying.subtotal + sum(amount for _, amount in paying.taxes)
    assert exempt.total == exempt.subtotal == paying.subtotal
    added = sum((amount for rule, amount in paying.taxes if rule.type != "inclusive_calculated"), Decimal(0))
    assert paying.total - added == sum((entry.amount for entry in entries), Decimal(0))
