"""Differences between clients, users and holds: each is found by one check, by name."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.audit.books import JUNE, audited, daily, holds, spoil, the_finding, two_months
from tests.small_world import SmallWorld
from tests.usage import looking

# users


def test_a_user_that_is_gone_from_solusio_is_found(world: SmallWorld) -> None:
    two_months(world)
    world.add_client(3)
    daily(world, "2026-08-02")
    user = world.account(3).user_id
    world.panel.delete_user(user)
    found = the_finding(world)
    assert (found.check, found.who) == ("users", "client 3")
    assert str(user) in found.expected


def test_a_user_whose_billing_id_was_cleared_is_found(world: SmallWorld) -> None:
    two_months(world)
    world.panel.update_user(world.account(2).user_id, billing_user_id=None)
    found = the_finding(world)
    assert (found.check, found.who) == ("users", "client 2")


def test_a_user_with_the_billing_id_of_nobody_is_found(world: SmallWorld) -> None:
    two_months(world)
    user = world.panel.add_user("nobody@example.com", billing_user_id=99).id
    found = the_finding(world)
    assert (found.check, found.who, found.expected) == ("users", f"user {user}", "client 99")


def test_two_users_of_one_client_are_found(world: SmallWorld) -> None:
    two_months(world)
    world.panel.add_user("second@example.com", billing_user_id=2)
    found = the_finding(world)
    assert (found.check, found.who) == ("users", "client 2")
    assert "all carry the billing id 2" in found.found


def test_an_administrator_with_a_billing_id_is_found(world: SmallWorld) -> None:
    two_months(world)
    world.add_client(3)
    world.panel.add_user("boss@example.com", billing_user_id=3, roles=(1,))
    found = the_finding(world)
    assert (found.check, found.who) == ("users", "client 3")
    assert "administrator" in found.found


def test_another_user_than_the_ledger_has_is_found(world: SmallWorld) -> None:
    two_months(world)
    spoil(world, "UPDATE accounts SET user_id = 77 WHERE client_id = 2")
    found = the_finding(world)
    assert (found.check, found.who) == ("users", "client 2")


def test_a_new_client_gets_its_user_by_the_next_run(world: SmallWorld) -> None:
    two_months(world)
    world.add_client(3)
    made = audited(world)
    assert made.holds
    assert made.told == ("client 3 has no account in the ledger yet: it gets one by the next run",)


def test_a_client_that_is_gone_is_closed_by_the_next_run_and_stays_no_finding(world: SmallWorld) -> None:
    two_months(world)
    world.books.remove_client(2)
    assert audited(world).holds
    daily(world, "2026-08-02")
    made = audited(world)
    assert (made.findings, made.told) == ((), ())


# holds


def test_a_user_that_the_ladder_holds_and_somebody_released_is_found(world: SmallWorld) -> None:
    two_months(world)
    user = world.account(1).user_id
    assert world.status(user) == "suspended"
    world.panel.update_user(user, status="active")
    found = the_finding(world)
    assert (found.check, found.who) == ("holds", "client 1")
    assert "active" in found.found


def test_a_hold_that_the_ledger_lost_is_found(world: SmallWorld) -> None:
    two_months(world)
    spoil(world, "DELETE FROM holds WHERE client_id = 1")
    found = the_finding(world)
    assert (found.check, found.who) == ("holds", "client 1")
    assert "TB-2026-06-1 is not paid" in found.expected


@pytest.mark.parametrize("reason", ["overdue", "closed"])
def test_a_hold_without_a_reason_is_found(world: SmallWorld, reason: str) -> None:
    two_months(world)
    spoil(world, "INSERT INTO holds VALUES (2, ?, 'suspended', '2026-08-01')", reason)
    world.panel.update_user(world.account(2).user_id, status="suspended")
    found = the_finding(world)
    assert (found.check, found.who) == ("holds", "client 2")
    assert "no hold for" in found.expected


def test_a_lock_of_the_bridge_that_nothing_holds_is_found(world: SmallWorld) -> None:
    two_months(world)
    spoil(world, "UPDATE accounts SET set_status = 'suspended', found_status = 'active' WHERE client_id = 2")
    world.panel.update_user(world.account(2).user_id, status="suspended")
    found = the_finding(world)
    assert (found.check, found.who) == ("holds", "client 2")


def test_a_lock_by_hand_is_nobodys_business(world: SmallWorld) -> None:
    two_months(world)
    world.panel.update_user(world.account(2).user_id, status="suspended")
    assert holds(world)


def test_who_has_paid_since_the_last_run_is_told(world: SmallWorld) -> None:
    two_months(world)
    world.books.pay("TB-2026-06-1")
    made = audited(world)
    assert made.holds
    assert made.told == ("client 1: nothing is overdue since the last run, and the next releases it",)


# meter


def metered_june(world: SmallWorld) -> None:
    """June of one client's server, seen every three hours and billed from the feed."""
    with world.parts() as parts:
        world.add_client(1)
        user = world.add_user(1)
        looking.look(parts.ledger, world.panel)
        world.panel.create_server(user, 1, "web-1")
        while world.panel.now <= datetime(2026, 7, 1, tzinfo=UTC):
            looking.look(parts.ledger, world.panel)
            world.panel.advance(timedelta(hours=3))
    world.daily("2026-07-01")


def test_a_feed_that_says_otherwise_than_the_meter_has_seen_is_found(world: SmallWorld) -> None:
    metered_june(world)
    made = audited(world)
    assert made.holds
    assert made.checked["meter"] == 1
    world.panel.correct_usage(JUNE, -100, server_id=1)
    found = the_finding(world)
    assert (found.check, found.found) == ("meter", "4,900 tokens reported")


def test_a_month_that_the_meter_did_not_see_whole_is_not_compared(world: SmallWorld) -> None:
    metered_june(world)
    world.panel.correct_usage(JUNE, -100, server_id=1)
    spoil(world, "DELETE FROM snapshots WHERE taken_at BETWEEN '2026-06-10' AND '2026-06-11'")
    made = audited(world)
    assert made.holds
    assert made.checked["meter"] == 0
    assert any("is not compared with the meter" in words for words in made.told)
