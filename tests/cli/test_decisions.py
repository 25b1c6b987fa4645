"""approve and write-off: what waits for a human is let go or let be by its reference, with a reason that is kept."""

import pytest

from tests.cli.company import Operator
from tests.world import World
from tollbridge.rules.calendar import Month

AUGUST = Month(2026, 8)


@pytest.fixture
def waiting(world: World, operator: Operator) -> Operator:
    """August's invoice is held, and a correction of July waits for it."""
    world.billing = 'hold_above = "2"'
    user = world.panel.add_user("held@example.com", billing_user_id=7).id
    world.add_client(7)
    world.run_server(user, 100, name="web-7")
    server = world.panel.tables.servers.rows()[-1].id
    run(world, "2026-08-01")
    world.run_server(user, 600, name="august")
    world.panel.correct_usage(Month(2026, 7), 500, server_id=server)
    run(world, "2026-09-01")
    return operator


def run(world: World, day: str) -> None:
    world.at(day)
    with world.run(day) as daily:
        daily.daily()


def words(text: str) -> str:
    """In one line."""
    return " ".join(text.split())


def test_an_approval_lists_all_that_it_lets_through(waiting: Operator) -> None:
    told = waiting("approve", "TB-2026-08-7", "--reason", "they moved to us")
    assert told.code == 0
    assert "Approved: TB-2026-08-7, 4.20 USD before tax" in words(told.out)
    assert "July 2026, web-7: 500 tokens reported later: 0.50 USD" in words(told.out)
    again = waiting("approve", "TB-2026-08-7", "--reason", "again")
    assert (again.code, "does not wait for anybody" in words(again.err)) == (2, True)
    run(waiting.world, "2026-09-02")
    assert waiting.world.billed()["TB-2026-08-7"] == "4.7"


def test_a_held_invoice_is_explained_with_the_command_that_lets_it_go(waiting: Operator) -> None:
    told = waiting("explain", "TB-2026-08-7")
    assert "tollbridge approve TB-2026-08-7" in words(told.err)
    assert waiting("explain", "TB-2026-08-7", "--json").json["held"]


def test_what_is_written_off_is_never_sent_and_says_why(waiting: Operator) -> None:
    correction = waiting("write-off", "TB-2026-08-7", "--correction", "--reason", "our fault")
    assert (correction.code, "Written off: 1 correction" in words(correction.out)) == (0, True)
    told = waiting("write-off", "TB-2026-08-7", "--reason", "a test of theirs")
    assert (told.code, "Written off: TB-2026-08-7, 4.20 USD" in words(told.out)) == (0, True)
    run(waiting.world, "2026-09-02")
    assert "TB-2026-08-7" not in waiting.world.billed()
    assert "Written off: a test of theirs" in words(waiting("explain", "TB-2026-08-7").out)


def test_an_issued_invoice_cannot_be_written_off(waiting: Operator) -> None:
    told = waiting("write-off", "TB-2026-07-7", "--reason", "x")
    assert (told.code, "TB-2026-07-7 is issued" in words(told.err)) == (2, True)


@pytest.mark.parametrize(
    "arguments",
    [
        ("approve", "TB-2026-08-8", "--reason", "x"),
        ("approve", "whatever", "--reason", "x"),
        ("approve", "TB-2026-08-7", "--reason", "  "),
        ("write-off", "--reason", "x"),
        ("write-off", "TB-2026-08-7", "--user", "3", "--month", "2026-07", "--reason", "x"),
        ("write-off", "--user", "3", "--reason", "x"),
        ("write-off", "--user", "3", "--month", "2026-07", "--from", "2026-07", "--reason", "x"),
        ("write-off", "TB-2026-09-7", "--correction", "--reason", "x"),
        ("write-off", "TB-2026-13-7", "--reason", "x"),
    ],
)
def test_what_cannot_be_meant_is_refused_and_changes_nothing(waiting: Operator, arguments: tuple[str, ...]) -> None:
    with waiting.world.parts() as parts:
        before = parts.ledger.invoices.find(AUGUST, 7)
    assert waiting(*arguments).code == 2
    with waiting.world.parts() as parts:
        assert parts.ledger.invoices.find(AUGUST, 7) == before


def test_a_users_usage_is_written_off_for_a_month_or_from_then_on(operator: Operator) -> None:
    assert operator("write-off", "--user", "3", "--month", "2026-07", "--reason", "a test").code == 0
    told = operator("write-off", "--user", "4", "--from", "2026-07", "--reason", "our own")
    assert "user 4, 2026-07 and every later month" in words(told.out)
    with operator.world.parts() as parts:
        assert [(each.user_id, each.onwards) for each in parts.ledger.readings.written_off()] == [(3, False), (4, True)]
