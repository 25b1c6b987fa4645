"""Unpaid invoices to a user's status: the ladder, and who may change what."""

from datetime import date, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any, cast

import attrs
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tollbridge.errors import OutcomeUnknown
from tollbridge.jobs.statuses import apply_status
from tollbridge.jobs.work import Work
from tollbridge.ledger import Account
from tollbridge.model import InvoiceStatus, UserStatus
from tollbridge.rules.overdue import (
    Hold,
    HoldReason,
    Ladder,
    Mark,
    OpenInvoice,
    change_status,
    coming_step,
    held_status,
    locks_too_many,
    overdue_status,
)
from tollbridge.solus import SolusUser

ACTIVE, LOCKED, SUSPENDED = UserStatus
LADDER = Ladder(lock_after_days=7, suspend_after_days=14)
DUE = date(2026, 8, 15)
STATUSES = st.sampled_from(UserStatus)
DAYS = st.dates(date(2026, 7, 1), date(2026, 12, 31))
OPEN = st.sampled_from([InvoiceStatus.UNPAID, InvoiceStatus.PENDING])


@st.composite
def ladders(draw: st.DrawFn) -> Ladder:
    lock = draw(st.none() | st.integers(0, 30))
    return Ladder(lock, draw(st.none() | st.integers(lock or 0, 60)))


def _invoices(status: st.SearchStrategy[InvoiceStatus] = OPEN) -> st.SearchStrategy[list[OpenInvoice]]:
    return st.lists(st.builds(OpenInvoice, status, DAYS), max_size=5)


@pytest.mark.parametrize(
    ("days_late", "status"),
    [(-5, ACTIVE), (0, ACTIVE), (1, ACTIVE), (6, ACTIVE), (7, LOCKED), (13, LOCKED), (14, SUSPENDED), (400, SUSPENDED)],
)
def test_an_unpaid_invoice_locks_after_seven_days_and_suspends_after_fourteen(
    days_late: int, status: UserStatus
) -> None:
    assert LADDER.status_on(DUE, DUE + timedelta(days=days_late)) is status


def test_on_the_due_date_itself_nobody_is_locked_even_with_no_days_to_wait() -> None:
    at_once = Ladder(0, None)
    assert [at_once.status_on(DUE, DUE + timedelta(days=late)) for late in (0, 1)] == [ACTIVE, LOCKED]


def test_without_days_nobody_is_ever_locked() -> None:
    assert Ladder(None, None).status_on(DUE, date(2099, 1, 1)) is ACTIVE


@given(ladders(), DAYS, DAYS, st.integers(0, 60))
def test_waiting_longer_never_makes_it_better(ladder: Ladder, due: date, day: date, more: int) -> None:
    later = day + timedelta(days=more)
    assert ladder.status_on(due, day).severity <= ladder.status_on(due, later).severity


@given(ladders(), DAYS, DAYS)
def test_the_next_step_is_the_first_day_on_which_the_status_changes(ladder: Ladder, due: date, day: date) -> None:
    present = ladder.status_on(due, day)
    days = (max(day, due) + timedelta(days=ahead) for ahead in range(1, 70))
    changes = ((each, ladder.status_on(due, each)) for each in days if each > day)
    expected = next((change for change in changes if change[1] is not present), None)
    assert ladder.next_step(due, day) == expected


def test_on_the_day_of_a_step_the_next_one_is_the_one_after_it() -> None:
    locked = DUE + timedelta(days=7)
    assert Ladder(7, 14).next_step(DUE, locked - timedelta(days=1)) == (locked, LOCKED)
    assert Ladder(7, 14).next_step(DUE, locked) == (DUE + timedelta(days=14), SUSPENDED)
    assert Ladder(7, 14).next_step(DUE, DUE + timedelta(days=14)) is None


def test_locking_and_suspending_on_one_day_is_announced_as_suspending() -> None:
    assert Ladder(7, 7).next_step(DUE, DUE) == (DUE + timedelta(days=7), SUSPENDED)


@given(ladders(), _invoices(), DAYS)
def test_with_nothing_overdue_the_user_is_active_payment_under_way_or_not(
    ladder: Ladder, invoices: list[OpenInvoice], day: date
) -> None:
    in_time = [invoice for invoice in invoices if invoice.due_date >= day]
    assert overdue_status(ladder, in_time, day) is ACTIVE


@given(ladders(), _invoices(), DAYS)
def test_a_payment_under_way_holds_the_present_state_of_a_client_in_arrears(
    ladder: Ladder, invoices: list[OpenInvoice], day: date
) -> None:
    overdue = any(invoice.due_date < day for invoice in invoices)
    paying = any(invoice.status is InvoiceStatus.PENDING for invoice in invoices)
    assert (overdue_status(ladder, invoices, day) is None) == (overdue and paying)


@given(ladders(), _invoices(st.just(InvoiceStatus.UNPAID)), DAYS)
def test_the_worst_invoice_decides(ladder: Ladder, invoices: list[OpenInvoice], day: date) -> None:
    worst = max((ladder.status_on(each.due_date, day).severity for each in invoices), default=0)
    status = overdue_status(ladder, invoices, day)
    assert status is not None
    assert status.severity == worst


@given(ladders(), _invoices(st.just(InvoiceStatus.UNPAID)), st.data())
def test_paying_an_invoice_never_makes_it_worse(
    ladder: Ladder, invoices: list[OpenInvoice], data: st.DataObject
) -> None:
    assume(invoices)
    day = data.draw(DAYS)
    paid = data.draw(st.integers(0, len(invoices) - 1))
    before = overdue_status(ladder, invoices, day)
    after = overdue_status(ladder, invoices[:paid] + invoices[paid + 1 :], day)
    assert before is not None
    assert after is not None
    assert after.severity <= before.severity


HOLDS = st.none() | st.builds(Mark, STATUSES, STATUSES, st.none() | STATUSES)


@pytest.mark.parametrize(
    ("present", "hold", "wanted", "after", "put_back"),
    [
        (ACTIVE, None, LOCKED, LOCKED, ACTIVE),
        (LOCKED, Mark(LOCKED, ACTIVE), ACTIVE, ACTIVE, ACTIVE),
        (LOCKED, None, ACTIVE, LOCKED, LOCKED),  # by hand
        (LOCKED, None, SUSPENDED, SUSPENDED, LOCKED),  # by hand, raised
        (SUSPENDED, Mark(SUSPENDED, LOCKED), ACTIVE, LOCKED, LOCKED),  # and back to the lock made by hand
        (ACTIVE, Mark(LOCKED, ACTIVE), LOCKED, LOCKED, ACTIVE),  # released by hand, still overdue
        (SUSPENDED, Mark(LOCKED, ACTIVE), ACTIVE, SUSPENDED, SUSPENDED),  # suspended by hand on top
        (LOCKED, Mark(ACTIVE, ACTIVE, LOCKED), ACTIVE, ACTIVE, ACTIVE),  # locked, and crashed before it was known
        (SUSPENDED, Mark(SUSPENDED, ACTIVE), LOCKED, LOCKED, ACTIVE),  # one of two invoices was paid
    ],
)
def test_the_bridge_undoes_what_it_did_and_nothing_else(
    present: UserStatus, hold: Mark | None, wanted: UserStatus, after: UserStatus, put_back: UserStatus
) -> None:
    assert change_status(present, hold, wanted) == (after, put_back)


@given(STATUSES, HOLDS, STATUSES)
def test_a_user_gets_what_is_wanted_or_what_is_put_back_whichever_is_worse(
    present: UserStatus, hold: Mark | None, wanted: UserStatus
) -> None:
    after, found = change_status(present, hold, wanted)
    assert after.severity == max(wanted.severity, found.severity)


@given(STATUSES, HOLDS)
def test_a_status_the_bridge_neither_set_nor_tried_to_set_is_never_lowered(
    present: UserStatus, hold: Mark | None
) -> None:
    assume(hold is None or present not in {hold.status, hold.attempted})
    for wanted in UserStatus:
        after, found = change_status(present, hold, wanted)
        assert after.severity >= present.severity
        assert found is present


@given(STATUSES, HOLDS, STATUSES)
def test_a_second_run_changes_nothing(present: UserStatus, hold: Mark | None, wanted: UserStatus) -> None:
    after, found = change_status(present, hold, wanted)
    assert change_status(after, None if after is found else Mark(after, found), wanted) == (after, found)


REASONS = st.sets(st.builds(Hold, st.sampled_from(HoldReason), st.sampled_from([LOCKED, SUSPENDED])))


@given(STATUSES, REASONS)
def test_whatever_a_user_is_held_for_a_lock_made_by_hand_is_only_raised_and_is_put_back(
    by_hand: UserStatus, holds: set[Hold]
) -> None:
    held, found = change_status(by_hand, None, held_status(holds))
    assert held.severity == max(by_hand.severity, held_status(holds).severity)
    assert change_status(held, Mark(held, found), ACTIVE) == (by_hand, by_hand)


@pytest.mark.parametrize(
    ("locks", "active", "most", "too_many"),
    [
        (10, 10, "0.2", False), (11, 54, "0.2", True), (11, 55, "0.2", False), (11, 0, "1", True), (11, 11, "1", False),
        (10, 10, "0", False), (11, 10_000, "0", True),
    ],
)  # fmt: skip
def test_more_than_ten_locks_and_more_than_the_share_of_the_active_are_too_many(
    locks: int, active: int, most: str, too_many: bool
) -> None:
    assert locks_too_many(locks, active, Decimal(most)) is too_many


class Company(RuleBasedStateMachine):
    """One user through runs, crashes and lost answers, and an administrator who changes the status by hand.

    The ledger and SolusIO are a line each; what is tested is ``apply_status`` and ``change_status`` between them.
    By hand the administrator sets what the bridge itself neither set nor asked for, since nobody can tell those apart.
    """

    def __init__(self) -> None:
        super().__init__()
        self.account = Account(1042, 7, "ada@example.com")
        self.present = ACTIVE
        self.by_hand = ACTIVE
        self.wanted = ACTIVE
        self.trouble = ""
        parts = SimpleNamespace(
            ledger=SimpleNamespace(accounts=SimpleNamespace(attempt=self._note, set_status=self._note)),
            solus=SimpleNamespace(set_status=self._set),
            billing=SimpleNamespace(tell=lambda *_, **__: None),
        )
        self.work = cast("Work", cast("Any", SimpleNamespace(parts=parts, live=SimpleNamespace(id=1))))
        self.settled = True

    def _note(self, _run_id: int, account: Account, mark: Mark | None, *_: object) -> None:
        self.account = attrs.evolve(account, mark=mark)

    def _set(self, _user_id: int, status: UserStatus) -> None:
        if self.trouble == "never sent":
            raise OutcomeUnknown("crashed before")
        self.present = status
        if self.trouble == "answer lost":
            raise OutcomeUnknown("crashed after")

    def _run(self, trouble: str = "") -> None:
        self.trouble = trouble
        user = SolusUser(7, "ada@example.com", self.present, 1042)
        try:
            held = () if self.wanted is ACTIVE else (Hold(HoldReason.OVERDUE, self.wanted),)
            apply_status(self.work, attrs.evolve(self.account, holds=held), user, "overdue")
        except OutcomeUnknown:
            self.settled = False
        else:
            self.settled = True

    @rule(status=STATUSES)
    def invoices_change(self, status: UserStatus) -> None:
        self.wanted = status
        self.settled = False

    @rule(trouble=st.sampled_from(["", "never sent", "answer lost"]))
    def the_daily_run(self, trouble: str) -> None:
        self._run(trouble)

    @precondition(lambda self: len(self.free_hands()) > 0)
    @rule(data=st.data())
    def somebody_changes_the_status_by_hand(self, data: st.DataObject) -> None:
        self.present = self.by_hand = data.draw(st.sampled_from(self.free_hands()))
        self.settled = False

    def free_hands(self) -> list[UserStatus]:
        hold = self.account.mark
        ours = {hold.status, hold.attempted} if hold else set()
        return [status for status in UserStatus if status not in ours and status is not self.present]

    @invariant()
    def what_was_set_by_hand_is_never_lowered(self) -> None:
        assert self.present.severity >= self.by_hand.severity

    @invariant()
    def nobody_is_worse_off_than_somebody_once_wanted(self) -> None:
        if self.settled:
            assert self.present.severity == max(self.by_hand.severity, self.wanted.severity)

    def teardown(self) -> None:
        """However it went, when everything is paid the user is back where it was left by hand."""
        self.invoices_change(ACTIVE)
        self._run()
        assert self.present is self.by_hand
        assert self.account.mark is None


TestCompany = Company.TestCase


UNPAID = _invoices(st.just(InvoiceStatus.UNPAID))


@given(ladders(), UNPAID, DAYS)
def test_the_step_that_is_foretold_is_the_first_day_on_which_something_changes(
    ladder: Ladder, invoices: list[OpenInvoice], day: date
) -> None:
    held = overdue_status(ladder, invoices, day)
    assert held is not None
    ahead = ((later, overdue_status(ladder, invoices, later)) for later in (day + timedelta(n) for n in range(1, 300)))
    first = next((each for each in ahead if each[1] is not held), None)
    assert coming_step(ladder, invoices, day, held) == first


@given(ladders(), UNPAID, DAYS, STATUSES)
def test_what_the_next_run_will_change_is_foretold_for_today(
    ladder: Ladder, invoices: list[OpenInvoice], day: date, held: UserStatus
) -> None:
    today = overdue_status(ladder, invoices, day)
    if today is not held:
        assert coming_step(ladder, invoices, day, held) == (day, today)


@given(ladders(), _invoices(), DAYS, STATUSES)
def test_nobody_is_foretold_a_lock_while_a_payment_is_under_way(
    ladder: Ladder, invoices: list[OpenInvoice], day: date, held: UserStatus
) -> None:
    step = coming_step(ladder, [*invoices, OpenInvoice(InvoiceStatus.PENDING, day)], day, held)
    assert step is None or step == (day, ACTIVE)
