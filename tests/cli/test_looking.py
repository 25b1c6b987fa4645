"""What the commands that only look say, beyond their JSON."""

from datetime import UTC, datetime, timedelta

from tests.cli.company import Operator
from tollbridge.rules.calendar import Month


def test_plans_begin_with_the_guides_conversion_table(operator: Operator) -> None:
    lines = [line.split() for line in operator("plans").out.splitlines()]
    for tokens, usd, eur in (
        ("1", "0.001", "0.00091"),
        ("10", "0.010", "0.00910"),
        ("100", "0.100", "0.09100"),
        ("1,000", "1.000", "0.91000"),
        ("10,000", "10.000", "9.10000"),
    ):
        (row,) = [line for line in lines if line[:1] == [tokens] and len(line) == 5]
        assert row[1:3] == [usd, eur]


def test_explain_says_what_happens_next_to_a_user_who_does_not_pay(operator: Operator) -> None:
    today = datetime.now(UTC).date()
    operator("run", "--date", "2026-07-01")
    operator.world.execute("UPDATE invoices SET due_date = :due", due=str(today + timedelta(days=3)))
    operator("overdue", "--date", "2026-07-02")
    locked = today + timedelta(days=10)
    reference = "TB-2026-06-1042"
    assert operator("explain", reference, "--json").json["next_step"] == {"date": str(locked), "user": "locked"}
    assert f"If it stays unpaid, its user is locked on {locked}." in operator("explain", reference).out
    operator.world.execute("UPDATE invoices SET status = 'paid'")
    operator("overdue", "--date", "2026-07-03")
    assert operator("explain", reference, "--json").json["next_step"] is None


def test_explain_tells_what_is_wrong_with_an_issued_invoice_and_does_not_call_it_unsent(operator: Operator) -> None:
    operator("run", "--date", "2026-07-01")
    with operator.world.parts() as parts:
        entry = parts.ledger.invoices.find(Month(2026, 6), 1042)
        assert entry is not None
        parts.ledger.invoices.settle(entry, "invoice 1 is there twice")
    told = operator("explain", "TB-2026-06-1042").err
    assert "invoice 1 is there twice" in told
    assert "Not issued yet" not in told
