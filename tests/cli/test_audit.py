"""``audit`` at a terminal: what it says, what it exits with, and that it only reads."""

from tests.cli.company import Operator, snapshot


def june(operator: Operator) -> None:
    """June is invoiced."""
    assert operator("run", "--date", "2026-07-01").code == 0


def test_books_that_balance_are_said_to_and_nothing_was_written(operator: Operator) -> None:
    june(operator)
    before = snapshot(operator.world)
    told = operator("audit")
    assert (told.code, told.err) == (0, "")
    assert "Everything is as it should be." in told.out
    assert snapshot(operator.world) == before


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
