"""A dry run has a ledger of its own, in which nothing is anybody else's; the real one is only read."""

from datetime import UTC, datetime
from typing import Self

import pytest

from tests.ledger.books import HOUR, JULY, JUNE, NOW, claim, draft, draft_month, entry, found, issued, reading, running
from tollbridge.ledger import Account, Ledger, database
from tollbridge.ledger.runs import LiveRun
from tollbridge.ledger.scratch_copy import scratch_copy
from tollbridge.model import UserStatus
from tollbridge.rules.entry import State
from tollbridge.rules.overdue import HoldReason

ADA = Account(1, 7, "ada@example.com")


def test_what_another_run_has_claimed_is_nobody_s_in_a_scratch_ledger_and_stays_its_own_in_the_real_one(
    ledger: Ledger, run: LiveRun, other: LiveRun
) -> None:
    draft(ledger, entry(1), entry(2))
    [claimed] = claim(ledger, other, most=1)
    ledger.accounts.add(ADA, other.id)
    ada = ledger.accounts.claim(other.id, [1], HOUR)[1]
    held = ledger.accounts.hold(other.id, ada, HoldReason.OVERDUE, UserStatus.LOCKED, "overdue", NOW)
    with scratch_copy(ledger, JUNE) as scratch, running(scratch) as dry:
        assert dry.id != other.id
        assert scratch.accounts.claim(dry.id, [1], HOUR) == {1: held}
        taken = scratch.claims.take_over(dry.id, [JUNE], 9 * HOUR, HOUR, 9)
        assert [each.entry.client_id for each in (*taken, *claim(scratch, dry))] == [1, 2]
        scratch.claims.record(dry.id, [issued(taken[0], "planned")])
        scratch.accounts.forget(1, dry.id)
    assert found(ledger, 1) == claimed.entry
    assert found(ledger, 2).state is State.WRITTEN
    assert ledger.accounts.of_clients([1]) == {1: held}
    ledger.claims.keep(other.id, claimed, "draft 12", HOUR)


def test_a_scratch_ledger_knows_what_is_closed_what_is_carried_and_what_was_approved(
    ledger: Ledger, run: LiveRun
) -> None:
    draft_month(ledger, JUNE, reading(NOW - 9 * HOUR, NOW))
    draft(ledger, entry(1, state=State.CARRIED))
    ledger.months.close(JUNE, run.id)
    ledger.events.approve("totals", "their tax is right")
    with scratch_copy(ledger, JUNE) as scratch:
        assert scratch.months.is_closed(JUNE)
        assert scratch.invoices.carried(JULY, [1]) == {1: [found(ledger, 1)]}
        assert [each.why for each in scratch.events.of_kind("approval")] == ["their tax is right"]
        assert scratch.claims.differing() == []


def test_a_dry_run_can_be_made_on_the_29th_of_february(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    class LeapDay(datetime):
        @classmethod
        def now(cls, *_: object) -> Self:
            return cls(2028, 2, 29, 12, tzinfo=UTC)

    monkeypatch.setattr(database, "datetime", LeapDay)
    with scratch_copy(ledger, JUNE) as scratch:
        assert scratch.invoices.count_by_state() == {}
