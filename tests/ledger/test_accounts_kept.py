"""Whose user it is, why it is held and what the bridge did to it; one run changes an account at a time."""

from datetime import timedelta

import attrs
import pytest
import sqlalchemy as sa

from tests.ledger.books import AT_ONCE, HOUR, JUNE, LATER, NOW, claim, draft, entry, issued, running
from tollbridge.errors import LedgerError
from tollbridge.ledger import Account, Ledger
from tollbridge.ledger.runs import LiveRun
from tollbridge.ledger.schema import accounts
from tollbridge.ledger.scratch_copy import scratch_copy
from tollbridge.model import UserStatus
from tollbridge.rules.overdue import Hold, HoldReason, Mark

ACTIVE, LOCKED, SUSPENDED = UserStatus.ACTIVE, UserStatus.LOCKED, UserStatus.SUSPENDED
OVERDUE, CLOSED = HoldReason.OVERDUE, HoldReason.CLOSED
ADA, BOB = Account(1, 7, "ada@example.com"), Account(2, 8, "bob@example.com")


def kept(ledger: Ledger, client_id: int = 1) -> Account:
    """The account as the ledger has it."""
    return ledger.accounts.of_clients([client_id])[client_id]


def claimed(ledger: Ledger, run: LiveRun, account: Account = ADA, lease: timedelta = HOUR) -> Account:
    """The account, new and claimed."""
    ledger.accounts.add(account, run.id)
    return ledger.accounts.claim(run.id, [account.client_id], lease)[account.client_id]


# What is kept


def test_an_account_is_kept_with_why_it_is_held_and_what_the_bridge_did_to_its_user(
    ledger: Ledger, run: LiveRun
) -> None:
    ada, mark = claimed(ledger, run), Mark(LOCKED, ACTIVE)
    ledger.accounts.add(BOB, run.id)
    held = ledger.accounts.hold(run.id, ada, OVERDUE, LOCKED, "overdue", NOW)
    assert held == attrs.evolve(ADA, holds=(Hold(OVERDUE, LOCKED),), judged_at=NOW)
    ledger.accounts.attempt(run.id, held, Mark(ACTIVE, ACTIVE, attempted=LOCKED))
    assert kept(ledger).mark == Mark(ACTIVE, ACTIVE, LOCKED)
    ledger.accounts.set_status(run.id, held, mark, ACTIVE, LOCKED, "overdue")
    marked = attrs.evolve(held, mark=mark)
    assert ledger.accounts.of_clients([1, 2, 3]) == {1: marked, 2: BOB}
    assert ledger.accounts.clients_of_users([7, 8, 9]) == {7: 1, 8: 2}
    assert list(ledger.accounts.in_question()) == [[marked]]
    assert list(ledger.accounts.all()) == [[marked, BOB]]
    ledger.accounts.forget(1, run.id)
    assert ledger.accounts.of_clients([1, 2]) == {2: BOB}
    ledger.accounts.add(ADA, run.id)
    assert kept(ledger) == ADA, "nothing of it was left"


def test_an_account_is_in_question_while_it_is_held_or_its_status_is_not_put_back(ledger: Ledger, run: LiveRun) -> None:
    ada = claimed(ledger, run)
    assert list(ledger.accounts.in_question()) == []
    held = ledger.accounts.hold(run.id, ada, OVERDUE, LOCKED, "overdue")
    assert held is not None
    assert list(ledger.accounts.in_question()) == [[held]], "held, and nothing done about it yet"
    ledger.accounts.set_status(run.id, held, Mark(LOCKED, ACTIVE), ACTIVE, LOCKED, "overdue")
    free = ledger.accounts.hold(run.id, held, OVERDUE, ACTIVE, "nothing is overdue")
    assert free is not None
    assert list(ledger.accounts.in_question()) == [[kept(ledger)]], "let go, and not put back yet"
    ledger.accounts.set_status(run.id, free, None, LOCKED, ACTIVE, "nothing is overdue")
    assert list(ledger.accounts.in_question()) == []


def test_a_user_belongs_to_one_client_at_a_time_and_what_was_done_to_it_stays_the_bridge_s_to_undo(
    ledger: Ledger, run: LiveRun
) -> None:
    ledger.accounts.add(ADA, run.id)
    mark = Mark(LOCKED, ACTIVE)
    ledger.accounts.add(Account(2, 7, "ada@example.com", mark=mark), run.id)
    assert ledger.accounts.of_clients([1, 2]) == {2: Account(2, 7, "ada@example.com", mark=mark)}


def test_another_address_is_noted_of_the_same_user_only(ledger: Ledger, run: LiveRun) -> None:
    ledger.accounts.add(ADA, run.id)
    ledger.accounts.change_email(Account(1, 99, "eve@example.com"))
    assert kept(ledger) == ADA
    ledger.accounts.change_email(attrs.evolve(ADA, email="ada@example.org"))
    assert kept(ledger).email == "ada@example.org"


# Claims


def test_an_account_is_one_run_s_to_change_until_it_is_let_go(ledger: Ledger, run: LiveRun, other: LiveRun) -> None:
    assert ledger.accounts.add(ADA, run.id, HOUR) == ADA, "a new one is claimed by whoever adds it"
    assert ledger.accounts.add(ADA, other.id, HOUR) is None
    ledger.accounts.add(BOB)
    assert ledger.accounts.claim(run.id, [1, 99], HOUR) == {1: ADA}
    assert ledger.accounts.claim(other.id, [1, 2], HOUR) == {2: BOB}
    assert ledger.accounts.claim(run.id, [1, 2], HOUR) == {1: ADA}, "one's own is claimed again"
    ledger.accounts.let_go(other.id, [1, 2])
    assert ledger.accounts.claim(other.id, [1], HOUR) == {}, "nobody lets go of another's"
    assert ledger.accounts.claim(run.id, [1, 2], HOUR) == {1: ADA, 2: BOB}
    assert ledger.accounts.claim(other.id, [1, 2], HOUR) == {}


def test_two_machines_that_claim_accounts_at_once_do_not_wait_for_each_other(shared: tuple[Ledger, Ledger]) -> None:
    first, second = shared
    first.accounts.add(ADA, None)
    first.accounts.add(BOB, None)
    with running(second) as live, first.database.write() as connection:
        connection.execute(sa.select(accounts.c.client_id).where(accounts.c.client_id == 1).with_for_update())
        assert second.accounts.claim(live.id, [1, 2], HOUR) == {2: BOB}


@pytest.mark.parametrize(("lease", "over"), [(HOUR, False), (AT_ONCE, True)])
def test_an_account_that_a_dead_run_has_claimed_is_free_when_the_lease_is_over_and_on_sqlite_at_once(
    ledger: Ledger, run: LiveRun, lease: timedelta, *, over: bool
) -> None:
    with running(ledger) as gone:
        claimed(ledger, gone, lease=lease)
    assert (1 in ledger.accounts.claim(run.id, [1], HOUR)) is (over or ledger.database.is_sqlite)


def test_an_account_that_a_frozen_run_has_claimed_stays_its_own_and_the_run_is_named(
    ledger: Ledger, run: LiveRun, other: LiveRun
) -> None:
    claimed(ledger, run, lease=AT_ONCE)
    claimed(ledger, run, BOB)
    assert ledger.accounts.claim(other.id, [1, 2], HOUR) == {}
    [(run_id, _, count)] = ledger.accounts.held_by_the_frozen(other.id)
    assert (run_id, count) == (run.id, 1)
    assert ledger.accounts.held_by_the_frozen(run.id) == []


# Holds


def test_a_hold_of_one_reason_does_not_touch_another(ledger: Ledger, run: LiveRun) -> None:
    ada = claimed(ledger, run)
    overdue, closed = Hold(OVERDUE, LOCKED), Hold(CLOSED, SUSPENDED)
    one = ledger.accounts.hold(run.id, ada, OVERDUE, LOCKED, "overdue")
    assert one is not None
    both = ledger.accounts.hold(run.id, one, CLOSED, SUSPENDED, "the client is closed")
    assert both is not None
    assert both.holds == (closed, overdue)
    raised = ledger.accounts.hold(run.id, both, OVERDUE, SUSPENDED, "overdue")
    assert raised is not None
    assert raised.holds == (closed, Hold(OVERDUE, SUSPENDED))
    lifted = ledger.accounts.hold(run.id, raised, OVERDUE, ACTIVE, "nothing is overdue")
    assert lifted is not None
    assert lifted.holds == kept(ledger).holds == (closed,)
    assert ledger.accounts.hold(run.id, lifted, CLOSED, ACTIVE, "the client is active again") == ADA


def test_a_hold_of_one_client_does_not_touch_another_s(ledger: Ledger, run: LiveRun) -> None:
    ada, bob = claimed(ledger, run), claimed(ledger, run, BOB)
    held = ledger.accounts.hold(run.id, ada, OVERDUE, LOCKED, "overdue")
    bobs = ledger.accounts.hold(run.id, bob, OVERDUE, LOCKED, "overdue")
    assert held is not None
    assert bobs is not None
    ledger.accounts.hold(run.id, held, OVERDUE, ACTIVE, "nothing is overdue")
    ledger.accounts.forget(1, run.id)
    assert kept(ledger, 2) == bobs


def test_an_account_that_was_judged_by_newer_receipts_is_left_as_it_is(ledger: Ledger, run: LiveRun) -> None:
    ada = claimed(ledger, run)
    newer = ledger.accounts.hold(run.id, ada, OVERDUE, ACTIVE, "nothing is overdue", LATER)
    assert newer is not None
    assert newer.judged_at == LATER
    assert ledger.accounts.hold(run.id, newer, OVERDUE, LOCKED, "overdue", NOW) is None
    assert kept(ledger) == newer
    assert ledger.accounts.hold(run.id, newer, OVERDUE, LOCKED, "overdue", LATER) is not None, "of the same moment"
    closed = ledger.accounts.hold(run.id, kept(ledger), CLOSED, SUSPENDED, "the client is closed")
    assert closed is not None
    assert closed.judged_at == LATER, "who is closed was not judged by receipts"


def test_nobody_is_held_by_a_run_whose_account_it_is_not(ledger: Ledger, run: LiveRun, other: LiveRun) -> None:
    ada = claimed(ledger, run)
    assert ledger.accounts.hold(other.id, ada, OVERDUE, LOCKED, "overdue", NOW) is None
    ledger.accounts.let_go(run.id, [1])
    assert ledger.accounts.hold(run.id, ada, OVERDUE, LOCKED, "overdue") is None
    assert kept(ledger) == ADA
    assert ledger.events.of_kind("hold") == []


# Statuses


@pytest.mark.parametrize("why_not", ["another's", "let go", "lease over", "taken for dead"])
def test_no_status_is_asked_for_by_a_run_whose_account_it_is_not_any_more(
    ledger: Ledger, run: LiveRun, other: LiveRun, why_not: str
) -> None:
    ada = claimed(ledger, run, lease=AT_ONCE if why_not == "lease over" else HOUR)
    if why_not == "let go":
        ledger.accounts.let_go(run.id, [1])
    if why_not == "taken for dead":
        ledger.runs.end(run.id, "died", None)
    with pytest.raises(LedgerError, match="not this run's to change"):
        ledger.accounts.attempt((other if why_not == "another's" else run).id, ada, Mark(ACTIVE, ACTIVE, LOCKED))
    assert kept(ledger).mark is None


def test_a_status_that_was_set_is_kept_even_if_the_claim_was_lost_meanwhile(ledger: Ledger, run: LiveRun) -> None:
    with running(ledger) as gone:
        ada = claimed(ledger, gone, lease=AT_ONCE)
    assert 1 in ledger.accounts.claim(run.id, [1], HOUR)
    ledger.accounts.set_status(gone.id, ada, Mark(LOCKED, ACTIVE), ACTIVE, LOCKED, "overdue")
    assert kept(ledger).mark == Mark(ACTIVE, ACTIVE, LOCKED), "so that the lock is known to be the bridge's own"


def test_a_status_of_a_user_that_is_not_the_client_s_any_more_is_not_kept_of_the_next(
    ledger: Ledger, run: LiveRun
) -> None:
    ada = claimed(ledger, run)
    ledger.accounts.add(attrs.evolve(ADA, user_id=9), run.id)
    ledger.accounts.set_status(run.id, ada, Mark(LOCKED, ACTIVE), ACTIVE, LOCKED, "overdue")
    assert kept(ledger).mark is None


# Locks that are held back, and locks that nobody can explain


def test_who_is_held_back_for_a_reason_is_who_was_named_last(ledger: Ledger, run: LiveRun) -> None:
    ledger.accounts.hold_back(OVERDUE, [1, 2], run.id)
    ledger.accounts.hold_back(OVERDUE, [2, 3], run.id)
    ledger.accounts.hold_back(CLOSED, [9], run.id)
    assert [ledger.accounts.held_back(reason) for reason in (OVERDUE, CLOSED)] == [{2, 3}, {9}]
    assert [(event.client_id, event.after) for event in ledger.events.of_kind("hold")] == [
        (1, "overdue: held back"), (2, "overdue: held back"), (3, "overdue: held back"), (9, "closed: held back"),
    ]  # fmt: skip
    ledger.accounts.hold_back(OVERDUE, [], run.id)
    assert [ledger.accounts.held_back(reason) for reason in (OVERDUE, CLOSED)] == [set(), {9}]


def test_a_lock_is_in_doubt_only_of_a_client_with_an_issued_invoice(ledger: Ledger, run: LiveRun) -> None:
    for account in (ADA, BOB):
        ledger.accounts.add(attrs.evolve(account, explained=False), run.id)
    draft(ledger, entry(1), entry(2))
    assert list(ledger.accounts.unexplained()) == []
    [first] = claim(ledger, run, most=1)
    ledger.claims.record(run.id, [issued(first)])
    [[doubtful]] = ledger.accounts.unexplained()
    assert (doubtful.client_id, doubtful.explained) == (1, False)
    with scratch_copy(ledger, JUNE) as scratch:
        assert [[each.client_id for each in page] for page in scratch.accounts.unexplained()] == [[1]]
    ledger.accounts.explain([1])
    assert list(ledger.accounts.unexplained()) == []
    assert not kept(ledger, 2).explained


@pytest.mark.parametrize(("days", "explained"), [(-1, False), (0, True), (14, True)])
def test_an_invoice_that_was_due_before_it_was_claimed_puts_its_clients_lock_in_doubt(
    ledger: Ledger, run: LiveRun, days: int, explained: bool
) -> None:
    ledger.accounts.add(ADA, run.id)
    draft(ledger, entry(1))
    [claim_of_it] = claim(ledger, run)
    found = issued(claim_of_it)
    assert found.receipt is not None
    due = claim_of_it.entry.issue_date + timedelta(days=days)
    ledger.claims.record(run.id, [attrs.evolve(found, receipt=attrs.evolve(found.receipt, due_date=due))])
    assert kept(ledger).explained is explained


def test_what_a_human_said_of_a_lock_is_kept_and_only_of_a_claimed_account(
    ledger: Ledger, run: LiveRun, other: LiveRun
) -> None:
    ada = claimed(ledger, run, attrs.evolve(ADA, explained=False))
    hold, mark = Hold(OVERDUE, LOCKED), Mark(LOCKED, ACTIVE)
    with pytest.raises(LedgerError, match="not this run's to change"):
        ledger.accounts.say_whose(other.id, ada, mark, hold, "overdue: locked", "ours, by ada")
    assert not kept(ledger).explained
    for _ in range(2):
        ledger.accounts.say_whose(run.id, ada, mark, hold, "overdue: locked", "ours, by ada")
    assert kept(ledger) == attrs.evolve(ADA, holds=(hold,), mark=mark)
    ledger.accounts.say_whose(run.id, kept(ledger), None, None, "by hand: locked", "by hand, by ada")
    assert kept(ledger) == attrs.evolve(ADA, holds=(hold,))
    assert [event.after for event in ledger.events.of_kind("hold")] == ["overdue: locked"] * 2 + ["by hand: locked"]
