"""Every change of state leaves an event in the same transaction, with the run and the reason; nothing else does."""

import attrs
import pytest
import sqlalchemy as sa

from tests.ledger.books import (
    DUE,
    HOUR,
    JUNE,
    NOW,
    anew,
    claim,
    draft,
    draft_month,
    entry,
    found,
    issued,
    reading,
    running,
    take_over,
)
from tollbridge.errors import LedgerError
from tollbridge.ledger import Account, Ledger, claims
from tollbridge.ledger.claims import Result
from tollbridge.ledger.events import Event
from tollbridge.ledger.invoices import Draft, Seen
from tollbridge.ledger.runs import LiveRun
from tollbridge.model import InvoiceStatus, UserStatus
from tollbridge.rules.entry import State
from tollbridge.rules.overdue import HoldReason, Mark

ADA = Account(1, 7, "ada@example.com")


def told(events: list[Event]) -> list[tuple[str | None, str | None, str | None, int | None]]:
    """From what, to what, why, by which run."""
    assert all(each.at is not None for each in events)
    return [(each.before, each.after, each.why, each.run_id) for each in events]


def test_each_step_of_an_invoice_s_life_is_told_with_its_run_and_the_reason(ledger: Ledger) -> None:
    with running(ledger) as first:
        lease = ledger.leases.take("drafting", first.id, HOUR)
        assert lease is not None
        ledger.invoices.draft([Draft(entry(1))], lease)
        [claimed] = claim(ledger, first)
        ledger.claims.record(first.id, [Result(claimed, State.WRITTEN, "no such tax")])
        ledger.invoices.draft([anew(found(ledger, 1))], lease)
    with running(ledger) as second:
        [claimed] = claim(ledger, second)
        ledger.claims.record(second.id, [Result(claimed, State.SENDING, "no answer came")])
    with running(ledger) as third:
        [claimed] = take_over(ledger, third)
        ledger.claims.record(third.id, [issued(claimed, problem="invoice 77 is in USD")])
    told_of_all = ledger.events.of_client(1)
    assert told(told_of_all) == [
        (None, "written", None, first.id),
        ("written", "sending", None, first.id),
        ("sending", "written", "no such tax", first.id),
        ("written", "written", None, first.id),
        ("written", "sending", None, second.id),
        ("sending", "sending", "no answer came", second.id),
        ("sending", "sending", None, third.id),
        ("sending", "issued", "invoice 77 is in USD", third.id),
    ]
    assert {(each.what, each.client_id, each.month) for each in told_of_all} == {("invoice", 1, "2026-06")}


def test_what_changes_nothing_is_not_told(ledger: Ledger, run: LiveRun) -> None:
    draft(ledger, entry(1))
    with running(ledger) as gone:
        [lost] = claim(ledger, gone)
        ledger.claims.give_back(gone.id, [lost])
    [taken] = claim(ledger, run)
    before = ledger.events.of_client(1)
    ledger.claims.record(gone.id, [Result(lost, State.SENDING, "of a claim that is lost")])
    ledger.claims.record(run.id, [Result(lost, State.WRITTEN, "of another attempt")])
    draft(ledger, anew(found(ledger, 1)))
    assert ledger.events.of_client(1) == before
    ledger.claims.record(run.id, [issued(taken)])
    before = ledger.events.of_client(1)
    ledger.claims.record(gone.id, [issued(lost), Result(taken, State.WRITTEN)])
    ledger.claims.renew(run.id, HOUR)
    assert ledger.events.of_client(1) == before


def test_a_draft_of_what_was_written_before_is_not_told_if_somebody_has_claimed_it_since(
    ledger: Ledger, run: LiveRun
) -> None:
    draft(ledger, entry(1), entry(2))
    as_it_was = found(ledger, 1), found(ledger, 2)
    ledger.claims.give_back(run.id, claim(ledger, run, most=1))
    claim(ledger, run)
    before = ledger.events.of_kind("invoice")
    assert draft(ledger, *(Draft(each, each) for each in as_it_was)) == []
    assert ledger.events.of_kind("invoice") == before


def test_a_late_receipt_is_told_from_where_the_entry_was(ledger: Ledger, run: LiveRun) -> None:
    draft(ledger, entry(1))
    [claimed] = claim(ledger, run)
    ledger.claims.give_back(run.id, [claimed])
    ledger.claims.record(run.id, [issued(claimed)])
    assert told(ledger.events.of_client(1))[-1] == ("written", "issued", None, run.id)


def test_a_change_that_could_not_be_told_was_not_made(
    ledger: Ledger, run: LiveRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    draft(ledger, entry(1))
    [claimed] = claim(ledger, run)

    def broken(connection: sa.Connection, *_: object) -> None:
        connection.exec_driver_sql("SELECT nothing FROM nowhere")

    monkeypatch.setattr(claims, "note", broken)
    with pytest.raises(LedgerError):
        ledger.claims.record(run.id, [issued(claimed)])
    assert found(ledger, 1) == claimed.entry


def test_payments_are_told_once(ledger: Ledger, run: LiveRun) -> None:
    draft(ledger, entry(1))
    ledger.claims.record(run.id, [issued(each) for each in claim(ledger, run)])
    for status in (InvoiceStatus.UNPAID, InvoiceStatus.PAID):
        ledger.invoices.note_status([Seen(found(ledger, 1), status, DUE)])
    assert told(ledger.events.of_kind("payment")) == [("unpaid", "paid", None, None)]


def test_months_are_told_when_they_are_drafted_and_closed(ledger: Ledger, run: LiveRun) -> None:
    draft_month(ledger, JUNE, reading(NOW, NOW + HOUR))
    assert [ledger.months.close(JUNE, run.id) for _ in range(2)] == [True, False]
    drafted, closed = ledger.events.of_kind("month")
    assert (drafted.month, drafted.after, drafted.run_id is None) == ("2026-06", "drafted", False)
    assert (closed.month, closed.after, closed.run_id) == ("2026-06", "closed", run.id)


def test_an_account_s_history_is_told_with_run_and_reason(ledger: Ledger, run: LiveRun) -> None:
    ledger.accounts.add(ADA, run.id)
    ada = ledger.accounts.claim(run.id, [1], HOUR)[1]
    held = ledger.accounts.hold(run.id, ada, HoldReason.OVERDUE, UserStatus.LOCKED, "overdue", NOW)
    assert held is not None
    again = ledger.accounts.hold(run.id, held, HoldReason.OVERDUE, UserStatus.LOCKED, "overdue", NOW)
    assert again == held
    mark = Mark(UserStatus.LOCKED, UserStatus.ACTIVE)
    ledger.accounts.set_status(run.id, held, mark, UserStatus.ACTIVE, UserStatus.LOCKED, "overdue")
    ledger.accounts.hold(run.id, held, HoldReason.OVERDUE, UserStatus.ACTIVE, "nothing is overdue", NOW)
    ledger.accounts.set_status(run.id, held, None, UserStatus.LOCKED, UserStatus.ACTIVE, "nothing is overdue")
    ledger.accounts.forget(1, run.id)
    events = ledger.events.of_client(1)
    assert [each.what for each in events] == ["account", "hold", "status", "hold", "status", "account"]
    assert told(events) == [
        (None, "user 7", None, run.id),
        (None, "overdue: locked", "overdue", run.id),
        ("active", "locked", "overdue", run.id),
        ("overdue: locked", "overdue: active", "nothing is overdue", run.id),
        ("locked", "active", "nothing is overdue", run.id),
        (None, "none", None, run.id),
    ]


def test_a_status_that_somebody_else_has_set_is_no_change_of_the_bridge_s(ledger: Ledger, run: LiveRun) -> None:
    marked = attrs.evolve(ADA, mark=Mark(UserStatus.LOCKED, UserStatus.ACTIVE))
    ledger.accounts.add(marked, run.id)
    ledger.accounts.claim(run.id, [1], HOUR)
    by_hand = UserStatus.SUSPENDED
    ledger.accounts.set_status(run.id, marked, None, by_hand, by_hand, "nothing is overdue")
    assert ledger.events.of_kind("status") == []
    assert ledger.accounts.of_clients([1])[1].mark is None


def test_an_approval_is_told_with_its_reason_and_only_of_what_it_is_for(ledger: Ledger) -> None:
    ledger.events.approve("totals", "their tax is right")
    assert told(ledger.events.of_kind("approval")) == [(None, "totals", "their tax is right", None)]
