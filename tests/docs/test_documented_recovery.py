"""What docs/operation.md promises about failures and restoring holds."""

import ast
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from tests.docs.walking import ROOT
from tests.world import World
from tollbridge.model import UserStatus
from tollbridge.rules.calendar import Month

JUNE = Month.parse("2026-06")


def invoiced(world: World, day: str) -> list[str]:
    """The references in the billing system after a run."""
    with world.run(day) as run:
        run.daily()
    return [reference for (reference,) in world.query("SELECT reference FROM invoices ORDER BY id")]


def june_ends(world: World) -> None:
    world.panel.set_time(datetime(2026, 7, 1, 4, tzinfo=UTC))


def lose_ledger(world: World) -> None:
    for file in world.folder.glob("tollbridge.db*"):
        file.unlink()


def test_an_empty_ledger_takes_the_invoices_that_are_there_as_issued(world: World) -> None:
    world.add_client(1042)
    world.run_server(world.add_user(1042), 700)
    june_ends(world)
    assert invoiced(world, "2026-07-01") == ["TB-2026-06-1042"]
    lose_ledger(world)
    assert invoiced(world, "2026-07-01") == ["TB-2026-06-1042"]
    assert [status for _, status in world.invoices] == ["unpaid"]


def test_a_lock_that_the_ledger_forgot_is_asked_about_and_stays_until_somebody_says_whose_it_is(world: World) -> None:
    world.add_client(1042)
    user = world.add_user(1042)
    world.run_server(user, 700)
    june_ends(world)
    invoiced(world, "2026-07-01")
    invoiced(world, "2026-07-22")
    lose_ledger(world)
    world.execute("UPDATE invoices SET status = 'paid'")
    with world.run("2026-07-23") as run:
        assert [failure.who for failure in run.daily().failures] == ["client 1042"]
    assert world.panel.user(user).status == UserStatus.LOCKED
    with world.run("2026-07-23") as run:
        run.say_whose(1042, "ada", ours=True)
        assert run.daily().failures == []
    assert world.panel.user(user).status == UserStatus.ACTIVE


def test_a_user_linked_after_the_month_was_closed_is_invoiced_by_naming_the_month(world: World) -> None:
    world.add_client(1042)
    stranger = world.panel.add_user("somebody.else@example.com").id
    world.run_server(stranger, 700)
    world.execute("UPDATE clients SET status = 'inactive'")
    june_ends(world)
    assert invoiced(world, "2026-07-01") == []
    with world.parts() as parts:
        assert parts.ledger.months.is_closed(JUNE)
        parts.solus.link(stranger, 1042)
    with world.run("2026-07-02") as run:
        assert run.invoices(JUNE).issued == 1


def test_an_issued_invoice_that_vanishes_is_reported_and_not_made_again(world: World, tmp_path: Path) -> None:
    world.add_client(1042)
    world.run_server(world.add_user(1042), 700)
    june_ends(world)
    invoiced(world, "2026-07-01")
    world.execute("DELETE FROM invoice_lines")
    world.execute("DELETE FROM invoices")
    with world.run("2026-07-02") as run:
        report = run.daily()
        invoicing, overdue = report.invoicing, report.overdue
    assert invoicing.issued == 0
    assert "TB-2026-06-1042 is gone from the billing system" in overdue.warnings[0]


def test_what_was_carried_is_invoiced_once_the_minimum_is_removed(world: World) -> None:
    world.add_client(1042)
    world.run_server(world.add_user(1042), 10)
    june_ends(world)
    world.billing = 'minimum = { USD = "1.00" }'
    assert invoiced(world, "2026-07-01") == []
    world.billing = ""
    world.panel.set_time(datetime(2026, 8, 1, 4, tzinfo=UTC))
    assert invoiced(world, "2026-08-01") == ["TB-2026-07-1042"]


def messages() -> Iterator[str]:
    """Every text in the core, with a gap where values go."""
    for file in (ROOT / "core").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.JoinedStr):
                yield "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value


def test_every_message_that_the_page_explains_exists() -> None:
    page = (ROOT / "docs/operation.md").read_text(encoding="utf-8")
    table = page.partition("| message | what to do |")[2].partition("\n\n")[0]
    cells = [row.split(" | ")[0] for row in table.splitlines()[2:]]
    fragments = [
        fragment.strip()
        for cell in cells
        for quoted in re.findall(r'"([^"]*)"', cell)
        for fragment in quoted.split("…")
        if fragment.strip()
    ]
    there = list(messages())
    assert len(fragments) > 10
    assert [fragment for fragment in fragments if not any(fragment in message for message in there)] == []
