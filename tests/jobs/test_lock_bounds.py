"""No run locks many users without asking, and a lock of a lost ledger is told until somebody says whose it is."""

from collections.abc import Sequence
from datetime import date, timedelta

import pytest

from tests.small_world import SmallWorld
from tollbridge.cli import main
from tollbridge.jobs.reports import DailyReport, OverdueReport
from tollbridge.memory import Trouble
from tollbridge.model import UserStatus
from tollbridge.rules.overdue import HoldReason
from tollbridge.solus.sandbox import running

ME = "ada on bridge-1"


def invoiced(world: SmallWorld, debtors: int, others: int = 0, *, hours: int = 10) -> list[int]:
    """Clients 1, 2, … who owe June's invoice by 22 July, and others who have paid it; the users of all."""
    users = [world.client_with_server(client_id, hours) for client_id in range(1, debtors + others + 1)]
    world.at("2026-07-01")
    daily(world, "2026-07-01")
    for client_id in range(debtors + 1, debtors + others + 1):
        world.books.pay(f"TB-2026-06-{client_id}")
    return users


def daily(world: SmallWorld, day: str, *, dry_run: bool = False) -> DailyReport:
    with world.run(day, dry_run=dry_run) as run:
        return run.daily()


def overdue(world: SmallWorld, day: str) -> OverdueReport:
    with world.run(day) as run:
        return run.overdue()


def confirm(world: SmallWorld, day: str, *, dry_run: bool = False) -> DailyReport:
    with world.run(day, dry_run=dry_run) as run:
        object.__setattr__(run, "confirmed_by", ME)
        return run.confirmed()


def statuses(world: SmallWorld, users: Sequence[int]) -> list[str]:
    return [world.panel.user(user).status for user in users]


def lose_ledger(world: SmallWorld) -> None:
    for file in world.folder.glob("tollbridge.db*"):
        file.unlink()


def say_whose(world: SmallWorld, client_id: int, *, ours: bool, day: str) -> str:
    with world.run(day) as run:
        return run.say_whose(client_id, ME, ours=ours)


def told(report: DailyReport | OverdueReport) -> list[str]:
    return [failure.who for failure in report.failures]


# Too many at once


def test_up_to_ten_are_locked_however_large_their_share(small_world: SmallWorld) -> None:
    users = invoiced(small_world, 10)
    assert daily(small_world, "2026-07-22").failures == []
    assert statuses(small_world, users) == ["locked"] * 10


@pytest.mark.parametrize(("others", "status"), [(43, "active"), (44, "locked")])
def test_more_than_ten_are_locked_only_if_they_are_no_more_than_the_share_of_the_active(
    small_world: SmallWorld, others: int, status: str
) -> None:
    users = invoiced(small_world, 11, others)
    report = overdue(small_world, "2026-07-22")
    assert statuses(small_world, users[:11]) == [status] * 11, "11 of 54 are more than a fifth, of 55 they are not"
    assert told(report) == (["locks"] if status == "active" else [])


def test_too_many_are_not_locked_before_somebody_confirms_it_and_then_once(small_world: SmallWorld) -> None:
    world = small_world
    users = invoiced(world, 11)
    for report in (daily(world, "2026-07-22").overdue, overdue(world, "2026-07-22")):
        assert statuses(world, users) == ["active"] * 11
        assert [(change.client_id, change.after) for change in report.held_back] == [
            (client_id, "locked") for client_id in range(1, 12)
        ]
        [failure] = report.failures
        assert "11 users of 11" in failure.message
        assert "`tollbridge overdue --confirm`" in failure.message
    report = confirm(world, "2026-07-22").overdue
    assert (len(report.changes), report.held_back, report.failures) == (11, [], [])
    assert statuses(world, users) == ["locked"] * 11
    assert daily(world, "2026-07-23").failures == []
    assert told(daily(world, "2026-07-29")) == ["locks"], "to suspend them all is another question"
    assert statuses(world, users) == ["locked"] * 11
    with world.parts() as parts:
        [approval] = parts.ledger.events.of_kind("approval")
        assert (approval.after, approval.run_id is not None) == ("locks", True)
        assert approval.why is not None
        assert ME in approval.why


def test_who_pays_is_released_while_the_others_are_held_back(small_world: SmallWorld) -> None:
    users = invoiced(small_world, 13)
    confirm(small_world, "2026-07-22")
    small_world.books.pay("TB-2026-06-3")
    small_world.books.change_invoice(4, due_date=small_world.books.invoices[3].due_date.replace(month=12))
    report = daily(small_world, "2026-07-29")
    assert statuses(small_world, users) == ["locked"] * 2 + ["active"] * 2 + ["locked"] * 9
    assert told(report) == ["locks"]


def test_a_dry_run_shows_what_would_be_held_back_and_what_a_confirmed_run_would_do(small_world: SmallWorld) -> None:
    users = invoiced(small_world, 11)
    report = daily(small_world, "2026-07-22", dry_run=True)
    assert (told(report), len(report.overdue.held_back)) == (["locks"], 11)
    assert len(confirm(small_world, "2026-07-22", dry_run=True).overdue.changes) == 11
    assert statuses(small_world, users) == ["active"] * 11
    with small_world.parts() as parts:
        assert parts.ledger.events.of_kind("approval") == []
        assert parts.ledger.accounts.held_back(HoldReason.OVERDUE) == set()


def test_clients_that_are_closed_or_gone_count_with_those_who_are_overdue_before_the_first_is_locked(
    small_world: SmallWorld,
) -> None:
    world = small_world
    users = invoiced(world, 6, 5)
    for client_id in (7, 8, 9):
        world.books.change_client(client_id, status="closed")
    for client_id in (10, 11):
        world.books.remove_client(client_id)
    report = daily(world, "2026-07-22")
    assert statuses(world, users) == ["active"] * 11
    assert told(report) == ["locks"]
    assert sorted(change.client_id for change in report.accounts.held_back) == [7, 8, 9, 10, 11]
    assert [warning.partition(" is gone")[0] for warning in report.accounts.warnings] == ["client 10", "client 11"]
    confirmed = confirm(world, "2026-07-22")
    assert (confirmed.failures, confirmed.accounts.vanished) == ([], [10, 11])
    assert statuses(world, users) == ["locked"] * 6 + ["suspended"] * 5


def test_a_part_of_the_job_does_not_lock_whom_the_whole_job_has_held_back(small_world: SmallWorld) -> None:
    world = small_world
    users = invoiced(world, 6, 5)
    for client_id in range(7, 12):
        world.books.change_client(client_id, status="closed")
    daily(world, "2026-07-22")
    assert told(overdue(world, "2026-07-22")) == ["locks"], "six would be few by themselves"
    with world.run("2026-07-22") as run:
        assert [failure.who for failure in run.accounts().failures] == ["locks"], "and so would five"
    assert statuses(world, users) == ["active"] * 11
    for client_id in range(7, 12):
        world.books.change_client(client_id, status="active")
    assert daily(world, "2026-07-22").failures == []
    assert statuses(world, users) == ["locked"] * 6 + ["active"] * 5


def test_a_run_that_cannot_ask_for_half_of_the_invoices_does_not_lock_the_other_half(small_world: SmallWorld) -> None:
    world = small_world
    users = invoiced(world, 11)
    overdue(world, "2026-07-22")
    world.books.troubles.add(Trouble("short", "unpaid_invoices"))
    world.books.troubles.add(Trouble("before", "invoice", client_id=2, times=None))
    world.books.troubles.add(Trouble("before", "invoice", client_id=9, times=None))
    assert "locks" in told(overdue(world, "2026-07-22"))
    assert statuses(world, users) == ["active"] * 11


def test_users_that_are_not_deleted_before_a_human_confirms_are_as_many_as_are_not_suspended(
    small_world: SmallWorld,
) -> None:
    world = small_world
    world.more = '[accounts]\non_closed = "delete"\n'
    for client_id in range(1, 12):
        world.add_client(client_id)
        world.add_user(client_id)
    daily(world, "2026-06-02")
    for client_id in range(1, 12):
        world.books.change_client(client_id, status="closed")
    assert told(daily(world, "2026-06-03")) == ["locks"]
    assert sum(user.billing_user_id is not None for user in world.panel.users) == 11
    assert confirm(world, "2026-06-03").accounts.deleted == list(range(1, 12))


def test_the_command_confirms_and_tells_what_it_did(
    small_world: SmallWorld, capsys: pytest.CaptureFixture[str]
) -> None:
    users = invoiced(small_world, 11)
    with running(small_world.panel) as small_world.solus_url:
        call = ["--config", str(small_world.config), "overdue", "--date", "2026-07-22"]
        assert main(call) == 1
        printed = capsys.readouterr()
        assert "client 1 (user 2): active → locked, held back" in printed.out
        assert "tollbridge overdue --confirm" in printed.err.replace("\n", " ")
        assert main([*call, "--confirm", "--json"]) == 0
    assert '"held_back": []' in capsys.readouterr().out
    assert statuses(small_world, users) == ["locked"] * 11


def test_whoever_has_the_address_of_a_client_that_is_gone_is_not_deleted_in_its_users_place(
    small_world: SmallWorld,
) -> None:
    world = small_world
    world.more = '[accounts]\non_closed = "delete"\n'
    world.add_client(1)
    user = world.add_user(1)
    daily(world, "2026-06-02")
    world.panel.update_user(user, email="elsewhere@example.com")
    other = world.panel.add_user("client1@example.com").id
    world.books.remove_client(1)
    report = daily(world, "2026-06-03")
    assert (report.failures, report.accounts.deleted) == ([], [1])
    left = [each.id for each in world.panel.users]
    assert (other in left, user in left) == (True, False)


def test_an_administrator_whose_client_is_gone_is_neither_suspended_nor_deleted(small_world: SmallWorld) -> None:
    world = small_world
    world.more = '[accounts]\non_closed = "delete"\n'
    world.add_client(1)
    user = world.add_user(1)
    daily(world, "2026-06-02")
    world.panel.update_user(user, role_ids=world.panel.user(1).role_ids)
    world.books.remove_client(1)
    [failure] = daily(world, "2026-06-03").failures
    assert "is an administrator" in failure.message
    assert world.panel.user(user).status == "active"


# Reasons


def test_a_hold_for_a_limit_is_neither_set_nor_lifted_by_whoever_looks_at_invoices_and_clients(
    small_world: SmallWorld,
) -> None:
    world = small_world
    [user] = invoiced(world, 1)
    daily(world, "2026-07-22")
    with world.parts() as parts, parts.ledger.runs.live("run", date(2026, 7, 22), works=False) as live:
        account = parts.ledger.accounts.claim(live.id, [1], timedelta(minutes=1))[1]
        parts.ledger.accounts.hold(live.id, account, HoldReason.LIMIT, UserStatus.LOCKED, "its limit is reached")
        parts.ledger.accounts.let_go(live.id, [1])
    assert daily(world, "2026-07-29").failures == []
    assert statuses(world, [user]) == ["suspended"], "the worst of both"
    world.books.pay("TB-2026-06-1")
    daily(world, "2026-07-30")
    assert statuses(world, [user]) == ["locked"]
    with world.parts() as parts:
        assert [hold.reason for hold in parts.ledger.accounts.of_clients([1])[1].holds] == [HoldReason.LIMIT]


def test_a_closed_clients_user_that_is_released_by_hand_is_suspended_again_by_whoever_counts_it(
    small_world: SmallWorld,
) -> None:
    world = small_world
    users = invoiced(world, 0, 12)
    for client_id in range(1, 13):
        world.books.change_client(client_id, status="closed")
    confirm(world, "2026-07-02")
    assert statuses(world, users) == ["suspended"] * 12
    for user in users:
        world.panel.update_user(user, status="active")
    assert overdue(world, "2026-07-03").changes == []
    assert told(daily(world, "2026-07-03")) == ["locks"]
    assert statuses(world, users) == ["active"] * 12


# Locks of a lost ledger


def locked_and_lost(world: SmallWorld) -> int:
    """Client 1's user, locked by the bridge on 22 July, with a ledger that is lost the day after."""
    [user] = invoiced(world, 1)
    daily(world, "2026-07-22")
    lose_ledger(world)
    return user


def test_a_lock_of_a_lost_ledger_is_told_by_each_run_until_somebody_says_whose_it_is(small_world: SmallWorld) -> None:
    world = small_world
    user = locked_and_lost(world)
    for _ in range(2):
        [failure] = daily(world, "2026-07-23").failures
        assert failure.who == "client 1"
        assert "`tollbridge hold 1 --ours`" in failure.message
        assert "`tollbridge hold 1 --by-hand`" in failure.message
    assert told(overdue(world, "2026-07-23")) == ["client 1"]
    with world.run("2026-07-23") as run:
        assert [failure.who for failure in run.accounts().failures] == ["client 1"]
    assert say_whose(world, 1, ours=True, day="2026-07-23") == "overdue: locked"
    assert daily(world, "2026-07-23").failures == []
    assert statuses(world, [user]) == ["locked"]
    world.books.pay("TB-2026-06-1")
    assert daily(world, "2026-07-24").failures == []
    assert statuses(world, [user]) == ["active"]
    with world.parts() as parts:
        said = [event for event in parts.ledger.events.of_client(1) if ME in (event.why or "")]
        assert [(event.what, event.after, event.run_id is not None) for event in said] == [
            ("hold", "overdue: locked", True)
        ]


def test_a_lock_that_is_said_to_be_made_by_hand_is_nobodys_to_lift_and_is_told_no_more(small_world: SmallWorld) -> None:
    world = small_world
    user = locked_and_lost(world)
    daily(world, "2026-07-23")
    assert say_whose(world, 1, ours=False, day="2026-07-23") == "by hand: locked"
    assert daily(world, "2026-07-29").failures == []
    assert statuses(world, [user]) == ["suspended"], "it may be raised"
    world.books.pay("TB-2026-06-1")
    assert daily(world, "2026-07-30").failures == []
    assert statuses(world, [user]) == ["locked"], "and is put back"


@pytest.mark.parametrize(("ours", "status"), [(True, "active"), (False, "locked")])
def test_a_lock_that_was_raised_before_anybody_said_whose_it_is_goes_back_to_what_is_said(
    small_world: SmallWorld, ours: bool, status: str
) -> None:
    world = small_world
    user = locked_and_lost(world)
    assert told(daily(world, "2026-07-29")) == ["client 1"], "raised to a suspension, and still not known"
    assert told(daily(world, "2026-07-30")) == ["client 1"]
    say_whose(world, 1, ours=ours, day="2026-07-30")
    assert daily(world, "2026-07-30").failures == []
    assert statuses(world, [user]) == ["suspended"]
    world.books.pay("TB-2026-06-1")
    daily(world, "2026-07-31")
    assert statuses(world, [user]) == [status]


def test_a_closed_clients_lock_is_the_bridges_own_as_long_as_the_client_is_closed(small_world: SmallWorld) -> None:
    world = small_world
    [user] = invoiced(world, 0, 1)
    world.books.change_client(1, status="closed")
    daily(world, "2026-07-02")
    lose_ledger(world)
    assert told(daily(world, "2026-07-03")) == ["client 1"]
    assert say_whose(world, 1, ours=True, day="2026-07-03") == "closed: suspended"
    assert daily(world, "2026-07-03").failures == []
    assert statuses(world, [user]) == ["suspended"]
    world.books.change_client(1, status="active")
    daily(world, "2026-07-04")
    assert statuses(world, [user]) == ["active"]


def test_who_was_locked_by_hand_before_and_has_no_invoice_is_asked_about_only_when_there_is_one(
    small_world: SmallWorld,
) -> None:
    world = small_world
    user = world.client_with_server(1)
    world.panel.update_user(user, status="locked")
    assert daily(world, "2026-06-02").failures == []
    world.at("2026-07-01")
    assert told(daily(world, "2026-07-01")) == ["client 1"]
    world.panel.update_user(user, status="active")
    assert daily(world, "2026-07-02").failures == []
    world.panel.update_user(user, status="locked")
    assert daily(world, "2026-07-03").failures == [], "the ledger has seen it active since"


def test_an_everyday_lock_by_hand_is_respected_without_a_word(small_world: SmallWorld) -> None:
    world = small_world
    [user] = invoiced(world, 1)
    world.panel.update_user(user, status="locked")
    for day in ("2026-07-02", "2026-07-22"):
        assert daily(world, day).failures == []
    world.books.pay("TB-2026-06-1")
    assert daily(world, "2026-07-24").failures == []
    assert statuses(world, [user]) == ["locked"]


def test_a_restored_ledger_asks_about_locks_when_an_invoice_proves_it_to_be_older_or_somebody_says_so(
    small_world: SmallWorld,
) -> None:
    world = small_world
    users = [world.client_with_server(client_id) for client_id in (1, 2)]
    daily(world, "2026-06-02")
    ledger = world.folder / "tollbridge.db"
    backup = ledger.read_bytes()
    world.at("2026-07-01")
    daily(world, "2026-07-01")
    younger = ledger.read_bytes()
    daily(world, "2026-07-22")
    assert statuses(world, users) == ["locked"] * 2
    lose_ledger(world)
    ledger.write_bytes(backup)
    assert told(daily(world, "2026-07-23")) == ["client 1", "client 2"], (
        "their invoices were due before they were taken"
    )
    lose_ledger(world)
    ledger.write_bytes(younger)
    assert daily(world, "2026-07-23").failures == [], "nothing in it tells that it was restored"
    with world.run("2026-07-23") as run:
        assert run.doubt_all() == [1, 2]
    assert told(daily(world, "2026-07-23")) == ["client 1", "client 2"]


def test_the_bridges_own_locks_are_not_doubted_after_a_restore(small_world: SmallWorld) -> None:
    invoiced(small_world, 1)
    daily(small_world, "2026-07-22")
    with small_world.run("2026-07-22") as run:
        assert run.doubt_all() == []


def test_a_lock_of_the_bridge_can_be_made_somebodys_by_saying_so(small_world: SmallWorld) -> None:
    [user] = invoiced(small_world, 1)
    daily(small_world, "2026-07-22")
    say_whose(small_world, 1, ours=False, day="2026-07-22")
    small_world.books.pay("TB-2026-06-1")
    daily(small_world, "2026-07-23")
    assert statuses(small_world, [user]) == ["locked"]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["1", "--ours"], 2, "is active"),
        (["9", "--ours"], 2, "client 9: no SolusIO user is known"),
        (["1"], 2, "--ours or --by-hand"),
        (["1", "--ours", "--by-hand"], 2, "--ours or --by-hand"),
        (["1", "--restored"], 2, "--ours or --by-hand"),
        (["--ours"], 2, "--ours or --by-hand"),
        ([], 2, "--ours or --by-hand"),
        (["--restored"], 0, ""),
    ],
)
def test_what_makes_no_sense_to_say_of_a_lock_is_refused_and_changes_nothing(
    small_world: SmallWorld, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, words: str
) -> None:
    invoiced(small_world, 1)
    with running(small_world.panel) as small_world.solus_url:
        assert main(["--config", str(small_world.config), "hold", *arguments]) == code
    assert words in " ".join(capsys.readouterr().err.split())
    with small_world.parts() as parts:
        account = parts.ledger.accounts.of_clients([1])[1]
        assert (account.mark, account.holds, account.explained) == (None, (), True)
