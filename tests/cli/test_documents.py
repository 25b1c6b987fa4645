"""``--json``: exactly one document on standard output, money as text; everything else goes to standard error."""

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from tests.cli.company import Operator, exact, open_for_business
from tests.world import World, a_world
from tollbridge.cli import main
from tollbridge.solus.sandbox import Fault

INVOICE_KEYS = {
    "reference", "client_id", "status", "currency", "issue_date", "due_date", "tokens", "subtotal", "lines",
}  # fmt: skip

COMMANDS = [
    ("check",), ("connect",), ("sync",), ("invoice", "--month", "2026-06"), ("run", "--date", "2026-07-01"),
    ("run", "--date", "2026-07-01", "--dry-run"), ("overdue",), ("usage", "--month", "2026-06"), ("price", "1042"),
    ("plans",), ("explain", "TB-2026-06-1042"), ("adapters",),
    ("probe", "--month", "2026-06"), ("audit",), ("audit", "--month", "2026-06"),
]  # fmt: skip


@pytest.fixture(scope="module")
def invoiced(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A company whose June is invoiced; no report changes anything more."""
    folder = tmp_path_factory.mktemp("invoiced")
    with a_world(folder, f"sqlite:///{folder}/billing.db", f"sqlite:///{folder}/tollbridge.db") as world:
        open_for_business(world)
        assert main(["--config", str(world.config), "run", "--date", "2026-07-01"]) == 0
        yield world


@pytest.fixture
def of_june(invoiced: World, capsys: pytest.CaptureFixture[str]) -> Operator:
    """Commands on the company whose June is invoiced."""
    return Operator(invoiced, capsys)


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_report_is_one_exact_document(of_june: Operator, command: tuple[str, ...]) -> None:
    told = of_june(*command, "--json")
    assert (told.code, told.err) == (0, "")
    assert told.json is not None


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_report_fits_eighty_columns(of_june: Operator, command: tuple[str, ...]) -> None:
    told = of_june(*command)
    assert told.code == 0
    assert told.out.strip()
    assert [line for line in told.out.splitlines() if len(line) > 80] == []


def check_invoices(invoices: Any, status: str) -> None:
    assert [each["reference"] for each in invoices] == ["TB-2026-06-1042", "TB-2026-06-1043"]
    for each in invoices:
        assert each.keys() >= INVOICE_KEYS
        assert each["status"] == status
        assert each["tokens"] == sum(line["tokens"] for line in each["lines"])
        assert exact(each["subtotal"]) == sum((exact(line["amount"]) for line in each["lines"]), Decimal(0))
        assert all(line.keys() == {"description", "tokens", "amount"} for line in each["lines"])
        assert re.fullmatch(r"\d{4}-\d{2}-\d{2}", each["due_date"])
    ada, kumo = invoices
    assert (ada["client_id"], ada["currency"], ada["tokens"], ada["subtotal"]) == (1042, "USD", 5000, "5.00")
    assert (kumo["client_id"], kumo["currency"], kumo["tokens"], kumo["subtotal"]) == (1043, "JPY", 700, "105")


def test_invoice_gives_the_contracts_list(operator: Operator) -> None:
    check_invoices(operator("invoice", "--month", "2026-06", "--json").json, "unpaid")
    assert operator("invoice", "--json").json == [], "there is nothing left to invoice"


def test_run_gives_the_same_list_among_its_invoices(operator: Operator) -> None:
    planned = operator("run", "--date", "2026-07-01", "--dry-run", "--json").json
    check_invoices(planned["invoices"], "planned")
    done = operator("run", "--date", "2026-07-01", "--json").json
    check_invoices(done["invoices"], "unpaid")
    assert (done["date"], done["dry_run"], done["failures"]) == ("2026-07-01", False, [])
    assert [each["issue_date"] for each in done["invoices"]] == ["2026-07-01"] * 2
    assert [each["due_date"] for each in done["invoices"]] == ["2026-07-15"] * 2


def test_price_shows_the_answer_that_solusio_gets(operator: Operator) -> None:
    answer = operator("price", "1043", "--json").json["answer"]
    assert answer.keys() == {"base_token_unit_cost", "user_token_unit_cost", "currency", "discounts", "taxes"}
    assert exact(answer["user_token_unit_cost"]) == Decimal("0.15")


def test_price_steps_lead_from_the_base_to_what_is_paid(operator: Operator) -> None:
    world = operator.world
    world.execute("INSERT INTO discounts (name, multiplier, client_group) VALUES ('Partner', '0.95', 'p')")
    for label, rate, level in (("a", "6", 1), ("b", "2", 2)):
        world.execute(
            "INSERT INTO taxes (label, rate, level, compound, country) VALUES (:label, :rate, :level, 1, 'JP')",
            label=label, rate=rate, level=level,
        )  # fmt: skip
    world.execute("UPDATE clients SET client_group = 'p' WHERE id = 1043")
    document = operator("price", "1043", "--json").json
    assert exact(document["steps"][0]["price"]) == Decimal("0.15")
    assert exact(document["steps"][-1]["price"]) == exact(document["answer"]["user_token_unit_cost"])
    assert exact(document["answer"]["user_token_unit_cost"]) == Decimal("0.15") * Decimal("0.95") * Decimal("1.0812")


def test_plans_have_the_guides_figures(operator: Operator) -> None:
    first = operator("plans", "--json").json[0]
    assert (first["tokens_per_hour"], first["tokens_per_month"], first["aggregated_tokens_per_month"]) == (
        7,
        5000,
        5208,
    )
    assert {key: exact(value) for key, value in first["prices"]["USD"].items()} == {
        "per_hour": Decimal("0.007"),
        "aggregated_per_month": Decimal("5.208"),
        "per_month": Decimal(5),
    }


def test_explain_tells_how_each_line_came_about(operator: Operator) -> None:
    operator("run", "--date", "2026-07-01")
    document = operator("explain", "TB-2026-06-1042", "--json").json
    (line,) = document["lines"]
    assert (line["hours"], line["tokens_per_hour"], line["tokens_per_month"], line["tokens"]) == (720, 7, 5000, 5000)
    assert exact(line["exact"]) == exact(line["amount"]) == 5
    assert [state["state"] for state in document["states"]] == ["written", "sent", "issued"]


def test_usage_stands_beside_what_the_bridge_computes(operator: Operator) -> None:
    document = operator("usage", "--month", "2026-06", "--json").json
    assert [(each["client_id"], each["tokens"], each["agrees"]) for each in document["items"]] == [
        (1042, 5000, True),
        (1043, 700, True),
    ]
    assert document["places"] == {"not invoiced yet": 5700}


def test_a_failed_client_leaves_the_document_whole(operator: Operator) -> None:
    operator.world.execute("UPDATE clients SET currency = 'XXX' WHERE id = 1043")
    told = operator("run", "--date", "2026-07-01", "--json")
    assert told.code == 1
    assert [each["reference"] for each in told.json["invoices"]] == ["TB-2026-06-1042"]
    assert "1043" in str(told.json["failures"])
    assert "1043" in told.err


def test_a_retry_is_not_heard_on_standard_output(operator: Operator) -> None:
    operator.world.panel.faults.add(Fault("500", times=1))
    told = operator("plans", "--json")
    assert told.code == 0
    assert len(told.json) == 4
