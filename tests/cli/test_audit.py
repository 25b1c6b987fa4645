"""``audit`` at a terminal: what it says, what it exits with, and that it only reads."""

import sqlite3
from contextlib import closing

import pytest

from tests.cli.company import Operator, snapshot
from tollbridge.errors import LedgerError


def june(operator: Operator) -> None:
    """June is invoiced."""
    assert operator("run", "--date", "2026-07-01").code == 0


def ledger_but_for_runs(operator: Operator) -> list[str]:
    """Every row of the ledger, as SQLite writes it out, but for those of runs."""
    with closing(sqlite3.connect(operator.world.folder / "tollbridge.db")) as ledger:
        return [line for line in ledger.iterdump() if not line.startswith('INSERT INTO "runs"')]


def test_books_that_balance_are_said_to_and_nothing_is_written_but_that(operator: Operator) -> None:
    june(operator)
    files, *others = snapshot(operator.world)
    before = ledger_but_for_runs(operator)
    told = operator("audit")
    assert (told.code, told.err) == (0, "")
    assert "Everything is as it should be." in told.out
    after, *others_after = snapshot(operator.world)
    assert others_after == others
    assert after["billing.db"] == files["billing.db"]  # type: ignore[index]
    assert ledger_but_for_runs(operator) == before


def test_what_an_audit_found_is_kept_and_listed_among_the_runs(operator: Operator) -> None:
    june(operator)
    operator.world.execute("DELETE FROM invoices WHERE client_id = 1042")
    document = operator("audit", "--json").json
    kept = operator("runs", "--json").json[0]
    assert (kept["command"], kept["outcome"]) == ("audit", "failures")
    assert {key: kept["report"][key] for key in document} == document
    listed = operator("runs")
    assert listed.code == 0
    assert "TB-2026-06-1042: nobody is asked to pay it" in listed.err


def test_a_ledger_that_cannot_be_written_to_is_audited_all_the_same(
    operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    june(operator)

    def refuse(*_: object) -> None:
        raise LedgerError("the ledger is read-only")

    monkeypatch.setattr("tollbridge.ledger.runs.Runs.keep", refuse)
    told = operator("audit")
    assert told.code == 0
    assert "This audit is not kept, for the operator's pages and for [notify]: the ledger is read-only" in told.err


def test_a_difference_is_told_with_what_to_do_and_ends_with_1(operator: Operator) -> None:
    june(operator)
    operator.world.execute("DELETE FROM invoices WHERE client_id = 1042")
    told = operator("audit")
    assert told.code == 1
    assert "TB-2026-06-1042 (invoices): nobody is asked to pay it" in told.out
    assert [line for line in told.out.splitlines() if len(line) > 80] == []
    document = operator("audit", "--month", "2026-06", "--json").json
    assert document.keys() == {"months", "holds", "checked", "findings"}
    assert (document["months"], document["holds"]) == (["2026-06"], False)
    (finding,) = document["findings"]
    assert finding.keys() == {"check", "who", "expected", "found", "what_to_do"}
    assert (finding["check"], finding["who"]) == ("invoices", "TB-2026-06-1042")


def test_what_could_not_be_asked_is_named_and_ends_with_3(operator: Operator) -> None:
    june(operator)
    operator.world.execute("ALTER TABLE invoices RENAME TO gone")
    told = operator("audit", "--json")
    assert told.code == 3
    assert (told.json["holds"], told.json["findings"]) == (False, [])
    assert told.json["checked"].keys() == {"tokens", "entries", "sums", "users", "meter"}
    for check in ("invoices", "strangers", "holds"):
        assert f"{check} could not be checked: " in told.err


def test_a_month_that_was_not_billed_is_bad_usage(operator: Operator) -> None:
    june(operator)
    told = operator("audit", "--month", "2026-07")
    assert told.code == 2
    assert "2026-07 was not billed" in told.err


def test_before_the_first_month_there_is_nothing_to_audit(operator: Operator) -> None:
    operator("check")
    told = operator("audit")
    assert told.code == 0
    assert "no month was billed yet" in told.out
