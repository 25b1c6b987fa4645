"""Who does not pay is locked, then suspended; who pays is let in again; nobody else is touched."""

from collections.abc import Sequence
from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests import TRIALS
from tests.small_world import SmallWorld, a_small_world
from tollbridge.jobs.reports import OverdueReport
from tollbridge.solus.sandbox import Fault
from tollbridge.solus.sandbox.records import Role


def invoiced(world: SmallWorld, *client_ids: int) -> dict[int, int]:
    """Clients with an invoice for June, issued on 1 July and due on the 15th; their users' ids."""
    users = {client_id: world.client_with_server(client_id) for client_id in client_ids}
    world.at("2026-07-01")
    world.daily("2026-07-01")
    return users


def overdue(world: SmallWorld, day: str, *, dry_run: bool = False) -> OverdueReport:
    """One run of the overdue job."""
    with world.run(day, dry_run=dry_run) as run:
        return run.overdue()


def set_status(world: SmallWorld, status: str, reference: str = "TB-2026-06-1") -> None:
    """What happened to an invoice in the billing system."""
    match status:
        case "paid":
            world.books.pay(reference)
        case "unpaid":
            world.books.bounce(reference)
        case _:
            world.books.set_status(reference, status)


def statuses(world: SmallWorld, days: Sequence[str], user: int) -> list[str]:
    """The user's status after the runs of these days."""
    found = []
    for day in days:
        overdue(world, day)
        found.append(world.status(user))
    return found


def test_the_ladder_counts_from_the_due_date(world: SmallWorld) -> None:
    user = invoiced(world, 1)[1]
    days = ["2026-07-15", "2026-07-16", "2026-07-21", "2026-07-22", "2026-07-28", "2026-07-29", "2026-08-29"]
    assert statuses(world, days, user) == ["active", "active", "active", "locked", "locked", "suspended", "suspended"]


def test_a_run_after_a_long_break_skips_no_step(world: SmallWorld) -> None:
    user = invoiced(world, 1)[1]
    assert statuses(world, ["2026-09-01"], user) == ["suspended"]


def test_payment_releases_at_the_next_run(world: SmallWorld) -> None:
    user = invoiced(world, 1)[1]
    for day, paid in (("2026-07-23", False), ("2026-07-30", False), ("2026-07-31", True)):
        if paid:
            set_status(world, "paid")
        overdue(world, day)
    assert world.status(user) == "active"


@pytest.mark.parametrize("status", ["paid", "cancelled", "refunded"])
def test_an_invoice_that_is_settled_in_any_way_is_not_overdue(world: SmallWorld, status: str) -> None:
    user = invoiced(world, 1)[1]
    overdue(world, "2026-07-25")
    assert world.status(user) == "locked"
    set_status(world, status)
    assert overdue(world, "2026-07-26").settled == 1
    assert world.status(user) == "active"


def test_a_payment_under_way_holds_the_present_state(world: SmallWorld) -> None:
    user = invoiced(world, 1)[1]
    set_status(world, "pending")
    assert statuses(world, ["2026-07-25", "2026-08-25"], user) == ["active", "active"]
    set_status(world, "unpaid")
    assert statuses(world, ["2026-07-25"], user) == ["locked"]
    set_status(world, "pending")
    assert statuses(world, ["2026-08-25"], user) == ["locked"], "neither worse nor better until it is known"
    set_status(world, "paid")
    assert statuses(world, ["2026-08-26"], user) == ["active"]


def test_a_due_date_moved_in_the_billing_system_counts(world: SmallWorld) -> None:
    user = invoiced(world, 1)[1]
    (booked,) = world.books.invoices
    world.books.change_invoice(booked.number, due_date=date(2026, 8, 15))
    assert statuses(world, ["2026-07-29", "2026-08-15", "2026-08-22"], user) == ["active", "active", "locked"]


def test_only_the_oldest_of_two_unpaid_invoices_being_paid_lowers_a_suspension_to_a_lock(world: SmallWorld) -> None:
    user = invoiced(world, 1)[1]
    world.run_server(user, 100, name="july")
    world.at("2026-08-01")
    world.daily("2026-08-01")
    assert world.status(user) == "suspended", "June is 17 days late"
    overdue(world, "2026-08-23")
    set_status(world, "paid", "TB-2026-06-1")
    assert statuses(world, ["2026-08-23", "2026-08-29"], user) == ["locked", "suspended"]
    set_status(world, "paid", "TB-2026-07-1")
    assert statuses(world, ["2026-08-30"], user) == ["active"]


def test_invoices_that_the_bridge_did_not_issue_lock_nobody(world: SmallWorld) -> None:
    user = invoiced(world, 1)[1]
    set_status(world, "paid")
    world.books.add_invoice("HOUSE-1", 1, "100", issue_date=date(2026, 1, 1), due_date=date(2026, 1, 15))
    assert statuses(world, ["2026-09-01"], user) == ["active"]


def test_an_invoice_deleted_in_the_billing_system_owes_nothing_and_is_reported(world: SmallWorld) -> None:
    user = invoiced(world, 1)[1]
    overdue(world, "2026-07-25")
    (booked,) = world.books.invoices
    world.books.remove_invoice(booked.number)
    report = overdue(world, "2026-07-26")
    assert "TB-2026-06-1 is gone" in report.warnings[0]
    assert world.status(user) == "active"
    assert overdue(world, "2026-07-27").warnings == []


def test_a_payment_that_bounces_makes_the_invoice_overdue_again(world: SmallWorld) -> None:
    user = invoiced(world, 1)[1]
    set_status(world, "paid")
    assert statuses(world, ["2026-07-25"], user) == ["active"]
    set_status(world, "unpaid")
    assert statuses(world, ["2026-07-26", "2026-07-29"], user) == ["locked", "suspended"]


def test_a_user_locked_by_hand_stays_locked_after_payment(world: SmallWorld) -> None:
    user = invoiced(world, 1)[1]
    world.panel.update_user(user, status="locked")
    assert statuses(world, ["2026-07-23", "2026-07-29"], user) == ["locked", "suspended"]
    set_status(world, "paid")
    assert statuses(world, ["2026-07-30"], user) == ["locked"]


def test_a_user_suspended_by_hand_after_the_bridges_lock_stays_suspended(world: SmallWorld) -> None:
    user = invoiced(world, 1)[1]
    overdue(world, "2026-07-23")
    world.panel.update_user(user, status="suspended")
    set_status(world, "paid")
    assert statuses(world, ["2026-07-24", "2026-07-25"], user) == ["suspended", "suspended"]


def test_a_status_change_whose_answer_was_lost_is_still_known_as_the_bridges_own(world: SmallWorld) -> None:
    user = invoiced(world, 1)[1]
    world.panel.faults.add(Fault("lost", method="PUT", path="users", times=3))
    assert len(overdue(world, "2026-07-23").failures) == 1
    assert world.status(user) == "locked"
    set_status(world, "paid")
    assert statuses(world, ["2026-07-24"], user) == ["active"]


def test_a_user_that_belongs_to_another_client_by_now_is_not_locked(world: SmallWorld) -> None:
    user = invoiced(world, 1)[1]
    world.panel.update_user(user, billing_user_id=555)
    report = overdue(world, "2026-07-23")
    assert "555" in str(report.failures[0])
    assert world.status(user) == "active"


def test_one_clients_trouble_keeps_nobody_else_from_being_released(world: SmallWorld) -> None:
    users = invoiced(world, 1, 2)
    overdue(world, "2026-07-23")
    world.panel.update_user(users[1], billing_user_id=555)
    set_status(world, "paid", "TB-2026-06-1")
    set_status(world, "paid", "TB-2026-06-2")
    report = overdue(world, "2026-07-24")
    assert [failure.who for failure in report.failures] == ["client 1"]
    assert world.panel.user(users[2]).status == "active"


def test_who_may_be_an_administrator_is_not_locked_and_is_released_all_the_same(
    world: SmallWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    def numbers(_panel: object, role: Role) -> int:
        return role.id

    user = invoiced(world, 1)[1]
    with monkeypatch.context() as hidden:
        hidden.setattr("tollbridge.solus.sandbox.api.wire.role", numbers)
        assert "does not say whether its user" in overdue(world, "2026-07-22").failures[0].message
        assert world.status(user) == "active"
    overdue(world, "2026-07-22")
    assert world.status(user) == "locked"
    set_status(world, "paid")
    monkeypatch.setattr("tollbridge.solus.sandbox.api.wire.role", numbers)
    assert overdue(world, "2026-07-23").failures == []
    assert world.status(user) == "active"


def test_a_dry_run_locks_nobody(world: SmallWorld) -> None:
    user = invoiced(world, 1)[1]
    report = overdue(world, "2026-07-23", dry_run=True)
    assert [(change.client_id, change.after) for change in report.changes] == [(1, "locked")]
    assert world.status(user) == "active"
    with world.parts() as parts:
        account = parts.ledger.accounts.of_clients([1])[1]
        assert (account.mark, account.holds) == (None, ())


def test_an_invoice_over_nothing_locks_nobody(world: SmallWorld) -> None:
    world.billing = "zero_invoices = true"
    world.panel.add_plan("Free", 0, 0)
    world.add_client(1)
    user = world.add_user(1)
    world.run_server(user, 10, plan="Free")
    world.at("2026-07-01")
    world.daily("2026-07-01")
    assert world.billed() == {"TB-2026-06-1": "0"}
    assert statuses(world, ["2026-08-01"], user) == ["active"]


def test_who_has_paid_is_released_even_while_the_usage_feed_is_broken(world: SmallWorld) -> None:
    user = invoiced(world, 1)[1]
    overdue(world, "2026-07-25")
    set_status(world, "paid")
    world.at("2026-08-01")
    world.panel.faults.add(Fault("500", method="GET", path="usage", times=None))
    report = world.daily("2026-08-01")
    assert "500" in str(report.stopped_by)
    assert world.status(user) == "active"


def test_a_closed_debtor_is_not_deleted(world: SmallWorld) -> None:
    user = invoiced(world, 1)[1]
    world.billing = '[accounts]\non_closed = "delete"'
    world.books.change_client(1, status="closed")
    for server in world.panel.servers:
        world.panel.delete_server(server.id)
    report = world.daily("2026-08-20")
    assert (report.accounts.deleted, report.failures) == ([], [])
    assert world.status(user) == "suspended"


_STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("pay"), st.sampled_from(["unpaid", "pending", "paid", "cancelled"])),
        st.tuples(st.just("day"), st.integers(1, 12).map(str)),
        st.tuples(st.just("lost"), st.sampled_from(["1", "3"])),
    ),
    max_size=12,
)


@settings(max_examples=10 * TRIALS, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=_STEPS)
def test_whatever_happened_a_paid_client_is_let_in_and_an_unpaid_one_is_suspended(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, str]]
) -> None:
    folder = tmp_path_factory.mktemp("history")
    with a_small_world(folder) as world:
        user = invoiced(world, 1)[1]
        day = 10
        for what, value in steps:
            if what == "pay":
                set_status(world, value)
            elif what == "lost":
                world.panel.faults.add(Fault("lost", method="PUT", path="users", times=int(value)))
            else:
                day += int(value)
                overdue(world, f"2026-{7 + day // 31:02}-{day % 31 + 1:02}" if day < 150 else "2026-12-01")
        world.panel.faults.clear()
        set_status(world, "unpaid")
        overdue(world, "2026-12-30")
        assert world.status(user) == "suspended"
        set_status(world, "paid")
        overdue(world, "2026-12-31")
        assert world.status(user) == "active"
