"""An entry is one run's to send, whatever else happens; a receipt is proof, and nothing else undoes it."""

import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Self

import attrs
import pytest
import sqlalchemy as sa

from tests.ledger.books import (
    AT_ONCE,
    DAY,
    DUE,
    HOUR,
    JULY,
    JUNE,
    NEXT_DAY,
    NEXT_DUE,
    anew,
    claim,
    draft,
    entry,
    found,
    issued,
    receipt,
    running,
    take_over,
)
from tollbridge.errors import LedgerError
from tollbridge.ledger import Ledger, database
from tollbridge.ledger.claims import Claim, Result
from tollbridge.ledger.runs import LiveRun
from tollbridge.ledger.schema import invoices
from tollbridge.model import InvoiceStatus
from tollbridge.rules.entry import Entry, State

YEARS = timedelta(days=3660)


def left_by_the_dead(ledger: Ledger, *entries: Entry, lease: timedelta = AT_ONCE) -> list[Claim]:
    """Entries that a run has claimed which is gone."""
    draft(ledger, *entries)
    with running(ledger) as gone:
        return claim(ledger, gone, lease=lease)


# Claiming


def test_what_is_claimed_is_one_run_s_and_another_gets_the_others_oldest_month_first(
    ledger: Ledger, run: LiveRun, other: LiveRun
) -> None:
    draft(ledger, entry(1, JULY), entry(2, JULY))
    draft(ledger, entry(1), entry(2), entry(3, state=State.CARRIED), entry(4, state=State.NOTHING))
    first, second = claim(ledger, run, most=3), claim(ledger, other, most=3)
    assert [(each.entry.month, each.entry.client_id) for each in first] == [(JUNE, 1), (JUNE, 2), (JULY, 1)]
    assert [(each.entry.month, each.entry.client_id) for each in second] == [(JULY, 2)]
    assert claim(ledger, other) == claim(ledger, run) == []
    assert {(each.entry.state, each.entry.run_id, each.in_doubt) for each in first} == {
        (State.SENDING, run.id, False),
    }  # fmt: skip


def test_months_that_are_not_this_run_s_to_send_are_not_claimed(ledger: Ledger, run: LiveRun) -> None:
    draft(ledger, entry(1, JULY.next))
    assert claim(ledger, run) == []
    assert found(ledger, 1, JULY.next).state is State.WRITTEN


def test_two_machines_that_claim_at_once_do_not_wait_for_each_other(shared: tuple[Ledger, Ledger]) -> None:
    first, second = shared
    draft(first, entry(1), entry(2))
    with running(second) as live, first.database.write() as connection:
        connection.execute(sa.select(invoices.c.id).where(invoices.c.client_id == 1).with_for_update())
        assert [each.entry.client_id for each in claim(second, live)] == [2]


def test_what_a_run_could_not_send_or_was_refused_is_not_claimed_by_it_again_but_by_the_next(
    ledger: Ledger, run: LiveRun, other: LiveRun
) -> None:
    draft(ledger, entry(1), entry(2))
    one, two = claim(ledger, run)
    ledger.claims.record(run.id, [Result(one, State.WRITTEN), Result(two, State.WRITTEN, "no such tax")])
    assert claim(ledger, run) == []
    assert [each.entry.client_id for each in claim(ledger, other)] == [1], "what was refused is first drafted anew"


def test_what_a_run_gave_back_without_having_begun_is_anybodys(ledger: Ledger, run: LiveRun) -> None:
    draft(ledger, entry(1))
    ledger.claims.give_back(run.id, claim(ledger, run))
    assert [each.entry.client_id for each in claim(ledger, run)] == [1]


def test_a_worker_leaves_alone_what_its_run_or_another_worker_could_not_send_and_the_run_tries_it_once(
    shared: tuple[Ledger, Ledger],
) -> None:
    ledger, other = shared
    draft(ledger, entry(1))
    with (
        running(ledger) as run,
        other.runs.live("worker", DAY, works=True, helps=run.id) as worker,
        other.runs.live("worker", DAY, works=True, helps=run.id) as second,
    ):
        for sender, others in ((worker, [worker, second]), (run, [run, worker, second])):
            ledger.claims.record(sender.id, [Result(each, State.WRITTEN) for each in claim(ledger, sender)])
            assert found(ledger, 1).run_id == sender.id
            assert [claim(ledger, each) for each in others] == [[]] * len(others)


def test_whoever_claims_dates_the_invoice(ledger: Ledger, run: LiveRun) -> None:
    draft(ledger, entry(1))
    [claimed] = ledger.claims.claim(run.id, [JUNE], NEXT_DAY, NEXT_DUE, HOUR, 9)
    assert (claimed.entry.issue_date, claimed.entry.due_date) == (NEXT_DAY, NEXT_DUE)
    assert found(ledger, 1) == claimed.entry


def test_a_doubt_keeps_its_dates_until_it_is_known_that_nothing_is_there(ledger: Ledger, run: LiveRun) -> None:
    left_by_the_dead(ledger, entry(1))
    [claimed] = take_over(ledger, run)
    assert (claimed.entry.issue_date, claimed.entry.due_date) == (DAY, DUE)
    ledger.claims.redate(run.id, claimed, NEXT_DAY, NEXT_DUE)
    assert (found(ledger, 1).issue_date, found(ledger, 1).due_date) == (NEXT_DAY, NEXT_DUE)


def test_nobody_dates_what_another_has_taken_over(ledger: Ledger, run: LiveRun) -> None:
    [lost] = left_by_the_dead(ledger, entry(1))
    take_over(ledger, run)
    with pytest.raises(LedgerError, match="taken it over"):
        ledger.claims.redate(lost.entry.run_id or 0, lost, NEXT_DAY, NEXT_DUE)
    assert found(ledger, 1).issue_date == DAY


# Taking over


def test_the_claim_of_a_run_that_lives_is_never_taken_over_and_the_run_is_named(
    ledger: Ledger, run: LiveRun, other: LiveRun
) -> None:
    draft(ledger, entry(1), entry(2))
    claim(ledger, run, most=1, lease=-2 * HOUR)
    claim(ledger, run, lease=HOUR)
    ledger.runs.bury()
    assert take_over(ledger, other) == []
    assert ledger.claims.time_until_free(other.id, [JUNE], HOUR) is None
    [(run_id, _, count)] = ledger.claims.held_by_the_frozen(other.id, [JUNE, JULY])
    assert (run_id, count) == (run.id, 1), "the other claim is still good"
    assert ledger.claims.held_by_the_frozen(run.id, [JUNE]) == ledger.claims.held_by_the_frozen(other.id, [JULY]) == []


@pytest.mark.parametrize(
    ("lease", "in_doubt", "over"),
    [(HOUR, AT_ONCE, False), (AT_ONCE, HOUR, False), (-HOUR / 2, HOUR, False), (-2 * HOUR, HOUR, True)],
)
def test_the_claim_of_a_dead_run_is_taken_over_when_its_lease_and_the_doubt_are_over(
    ledger: Ledger, run: LiveRun, lease: timedelta, in_doubt: timedelta, *, over: bool
) -> None:
    [lost] = left_by_the_dead(ledger, entry(1), lease=lease)
    left = ledger.claims.time_until_free(run.id, [JUNE, JULY], in_doubt)
    assert left is not None
    assert (left <= AT_ONCE) is over
    claims = take_over(ledger, run, in_doubt)
    assert [(each.entry.client_id, each.in_doubt, each.entry.run_id) for each in claims] == (
        [(1, True, run.id)] if over else []
    )
    assert found(ledger, 1).attempt == lost.entry.attempt + over


def test_a_machine_whose_clock_is_years_off_takes_nothing_over_too_soon(
    shared: tuple[Ledger, Ledger], monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger, _ = shared
    left_by_the_dead(ledger, entry(1), lease=HOUR)

    class WrongClock(datetime):
        @classmethod
        def now(cls, *_: object) -> Self:
            return cls.fromtimestamp(time.time() + YEARS.total_seconds(), UTC)

    monkeypatch.setattr(database, "datetime", WrongClock)
    with running(ledger) as live:
        assert take_over(ledger, live) == []
        draft(ledger, entry(2))
        [claimed] = claim(ledger, live)
        assert abs((claimed.entry.sent_at or datetime.min.replace(tzinfo=UTC)) - datetime.now(UTC)) < HOUR


def test_two_machines_that_take_over_at_once_get_different_entries(shared: tuple[Ledger, Ledger]) -> None:
    first, second = shared
    left_by_the_dead(first, entry(1), entry(2))
    with running(second) as live, first.database.write() as connection:
        connection.execute(sa.select(invoices.c.id).where(invoices.c.client_id == 1).with_for_update())
        assert [each.entry.client_id for each in take_over(second, live)] == [2]


def test_a_run_does_not_take_over_what_it_has_left_in_doubt_itself(ledger: Ledger) -> None:
    draft(ledger, entry(1))
    with running(ledger) as live, running(ledger) as later:
        [claimed] = claim(ledger, live)
        ledger.claims.record(live.id, [Result(claimed, State.SENDING, "no answer came")])
        assert take_over(ledger, live) == take_over(ledger, later) == []
        ledger.runs.end(live.id, "failures", None)
        assert take_over(ledger, live) == []
        assert [each.entry.client_id for each in take_over(ledger, later)] == [1]


def test_what_may_still_appear_is_waited_for_from_when_it_was_asked_for(ledger: Ledger, run: LiveRun) -> None:
    draft(ledger, entry(1), entry(2))
    with running(ledger) as gone:
        one, two = claim(ledger, gone)
        half_an_hour_ago = time.monotonic() - HOUR.total_seconds() / 2
        ledger.claims.record(gone.id, [
            Result(one, State.SENDING, "no answer came", asked_at=half_an_hour_ago),
            Result(two, State.SENDING, "no answer came", asked_at=time.monotonic()),
        ])  # fmt: skip
    assert [each.entry.client_id for each in take_over(ledger, run, HOUR / 4)] == [1]


def test_a_doubt_that_is_given_back_unbegun_is_still_a_doubt(ledger: Ledger, run: LiveRun) -> None:
    left_by_the_dead(ledger, entry(1))
    with running(ledger) as gone:
        ledger.claims.give_back(gone.id, take_over(ledger, gone))
    assert found(ledger, 1).state is State.SENDING
    assert claim(ledger, run) == []
    assert [each.in_doubt for each in take_over(ledger, run)] == [True]


# Renewing and keeping


def test_a_run_that_was_taken_for_dead_neither_claims_nor_renews_nor_keeps(
    ledger: Ledger, run: LiveRun, other: LiveRun
) -> None:
    left_by_the_dead(ledger, entry(3))
    draft(ledger, entry(1), entry(2))
    [claimed] = claim(ledger, run, most=1)
    before = found(ledger, 1)
    ledger.runs.end(run.id, "died", None)
    for too_late in (
        lambda: ledger.claims.renew(run.id, 9 * HOUR),
        lambda: ledger.claims.keep(run.id, claimed, "draft 12", HOUR),
        lambda: claim(ledger, run),
        lambda: take_over(ledger, run),
    ):
        with pytest.raises(LedgerError, match="taken for dead"):
            too_late()
    assert found(ledger, 1) == before
    assert [each.entry.client_id for each in (*claim(ledger, other), *take_over(ledger, other))] == [2, 3]


def test_whoever_renews_renews_all_its_claims_those_that_were_over_too_and_no_others(
    ledger: Ledger, run: LiveRun, other: LiveRun
) -> None:
    draft(ledger, *(entry(each) for each in range(1, 5)))
    good, over = claim(ledger, run, 1), claim(ledger, run, 1, lease=AT_ONCE)
    done, strange = claim(ledger, run, 1), claim(ledger, other, 1)
    ledger.claims.record(run.id, [issued(done[0])])
    ledger.claims.renew(run.id, 9 * HOUR)
    leases = {each.client_id: each.leased_until for each in ledger.invoices.of_month(JUNE, [1, 2, 3, 4]).values()}
    was = {each.entry.client_id: each.entry.leased_until for each in (*good, *over, *strange)}
    until = good[0].entry.leased_until
    assert until is not None
    assert (leases[1] or until) > until + 7 * HOUR
    assert leases[2] == leases[1], "nobody takes over from a run that lives, however slow it is"
    assert (leases[3], leases[4]) == (None, was[4])


def test_what_an_attempt_keeps_is_there_for_the_next_try_in_another_run_with_its_lines_and_dates_of_today(
    ledger: Ledger, run: LiveRun
) -> None:
    draft(ledger, entry(1))
    with running(ledger) as gone:
        [claimed] = claim(ledger, gone)
        ledger.claims.keep(gone.id, claimed, "draft 12", HOUR)
        ledger.claims.record(gone.id, [Result(claimed, State.WRITTEN, "no such tax")])
    assert draft(ledger, anew(found(ledger, 1))) == []
    [again] = ledger.claims.claim(run.id, [JUNE], NEXT_DAY, NEXT_DUE, HOUR, 9)
    assert (again.entry.kept, again.entry.attempt, again.entry.subtotal) == ("draft 12", 2, Decimal("4.66"))
    assert (again.entry.issue_date, again.entry.due_date) == (NEXT_DAY, NEXT_DUE)


def test_to_keep_something_renews_the_claim(ledger: Ledger, run: LiveRun) -> None:
    draft(ledger, entry(1))
    [claimed] = claim(ledger, run)
    ledger.claims.keep(run.id, claimed, "draft 12", 9 * HOUR)
    before, after = claimed.entry.leased_until, found(ledger, 1).leased_until
    assert before is not None
    assert after is not None
    assert after > before + 7 * HOUR


def test_nothing_is_kept_under_a_claim_that_was_taken_over_and_what_was_kept_before_goes_on(
    ledger: Ledger, run: LiveRun
) -> None:
    draft(ledger, entry(1))
    with running(ledger) as frozen:
        [lost] = claim(ledger, frozen)
        ledger.claims.keep(frozen.id, lost, "draft 12", AT_ONCE)
        ledger.runs.end(frozen.id, "died", None)
        [taken] = take_over(ledger, run)
        assert taken.entry.kept == "draft 12"
        with pytest.raises(LedgerError, match="taken for dead"):
            ledger.claims.keep(frozen.id, lost, "draft 13", HOUR)
    with running(ledger) as another:
        for run_id, claimed in ((another.id, taken), (run.id, lost)):  # another run, and another attempt
            with pytest.raises(LedgerError, match=r"TB-2026-06-1.*taken it over"):
                ledger.claims.keep(run_id, claimed, "draft 13", HOUR)
    assert found(ledger, 1).kept == "draft 12"


def test_nothing_is_kept_under_a_claim_whose_lease_is_over(ledger: Ledger, run: LiveRun) -> None:
    draft(ledger, entry(1))
    [claimed] = claim(ledger, run, lease=AT_ONCE)
    with pytest.raises(LedgerError, match="taken it over"):
        ledger.claims.keep(run.id, claimed, "draft 12", HOUR)
    assert found(ledger, 1).kept == ""


def test_an_invoice_that_is_issued_has_nothing_kept_any_more(ledger: Ledger, run: LiveRun) -> None:
    draft(ledger, entry(1))
    [claimed] = claim(ledger, run)
    ledger.claims.keep(run.id, claimed, "draft 12", HOUR)
    ledger.claims.record(run.id, [issued(claimed)])
    assert (found(ledger, 1).kept, found(ledger, 1).leased_until) == ("", None)


# What came of it


def test_results_are_noted_for_their_own_entry_only(ledger: Ledger, run: LiveRun) -> None:
    draft(ledger, entry(1), entry(2))
    draft(ledger, entry(1, JULY))
    one, two, july = claim(ledger, run)
    there = attrs.evolve(receipt(one), due_date=NEXT_DUE)
    results = [Result(one, State.ISSUED, receipt=there), Result(two, State.SENDING, "no answer came")]
    assert ledger.claims.record(run.id, results) == {}
    june = ledger.invoices.of_month(JUNE, [1, 2])
    assert (june[1].state, june[1].billing_id, june[1].billing_status, june[1].due_date) == (
        State.ISSUED, "77", InvoiceStatus.UNPAID, NEXT_DUE,
    )  # fmt: skip
    assert june[1].issued_at is not None
    assert (june[2].state, june[2].problem) == (State.SENDING, "no answer came")
    assert found(ledger, 1, JULY) == july.entry


@pytest.mark.parametrize("since", ["taken over", "given back", "drafted anew"])
def test_a_late_receipt_makes_an_invoice_issued_whatever_became_of_its_claim(
    ledger: Ledger, run: LiveRun, since: str
) -> None:
    [lost] = left_by_the_dead(ledger, entry(1))
    [taken] = take_over(ledger, run)
    if since != "taken over":
        ledger.claims.record(run.id, [Result(taken, State.WRITTEN, "refused" if since == "drafted anew" else None)])
    if since == "drafted anew":
        draft(ledger, anew(found(ledger, 1)))
    assert ledger.claims.record(lost.entry.run_id or 0, [issued(lost)]) == {}
    there = found(ledger, 1)
    assert (there.state, there.billing_id, there.run_id) == (State.ISSUED, "77", lost.entry.run_id)


def test_a_receipt_with_another_number_is_the_problem_twice_and_changes_nothing_else(
    ledger: Ledger, run: LiveRun
) -> None:
    [lost] = left_by_the_dead(ledger, entry(1))
    [taken] = take_over(ledger, run)
    ledger.claims.record(run.id, [issued(taken, "78")])
    before = found(ledger, 1)
    words = ledger.claims.record(lost.entry.run_id or 0, [issued(lost, "77")])
    assert list(words) == ["TB-2026-06-1"]
    assert "as invoice 78 and as invoice 77" in words["TB-2026-06-1"]
    there = found(ledger, 1)
    assert there == attrs.evolve(before, other_billing_id="77", problem=words["TB-2026-06-1"])
    assert [each.client_id for page in ledger.invoices.with_problems() for each in page] == [1], "until it is settled"
    last = ledger.events.of_client(1)[-1]
    assert (last.run_id, last.why) == (lost.entry.run_id, words["TB-2026-06-1"])


def test_a_late_receipt_of_what_was_carried_since_is_told_by_every_run_in_words_that_are_true(
    ledger: Ledger, run: LiveRun
) -> None:
    [lost] = left_by_the_dead(ledger, entry(1))
    [taken] = take_over(ledger, run)
    ledger.claims.record(run.id, [Result(taken, State.WRITTEN, "refused")])
    carried = anew(found(ledger, 1))
    draft(ledger, attrs.evolve(carried, entry=attrs.evolve(carried.entry, state=State.CARRIED)))
    words = ledger.claims.record(lost.entry.run_id or 0, [issued(lost)])
    assert "77" in words["TB-2026-06-1"]
    assert "None" not in words["TB-2026-06-1"]
    assert [each.client_id for page in ledger.invoices.with_problems() for each in page] == [1]


def test_the_same_receipt_again_is_no_problem(ledger: Ledger, run: LiveRun) -> None:
    [lost] = left_by_the_dead(ledger, entry(1))
    ledger.claims.record(run.id, [issued(each) for each in take_over(ledger, run)])
    before = found(ledger, 1)
    assert ledger.claims.record(lost.entry.run_id or 0, [issued(lost)]) == {}
    assert found(ledger, 1) == before


def test_issued_never_goes_back_whatever_late_writer_comes(ledger: Ledger, run: LiveRun) -> None:
    [lost] = left_by_the_dead(ledger, entry(1))
    [taken] = take_over(ledger, run)
    before = found(ledger, 1)
    ledger.claims.record(run.id, [issued(taken)])
    there = found(ledger, 1)
    for claimed in (lost, taken):
        writer = claimed.entry.run_id or 0
        for result in (Result(claimed, State.WRITTEN, "refused"), Result(claimed, State.SENDING, "no answer came")):
            ledger.claims.record(writer, [result])
        ledger.claims.give_back(writer, [claimed])
        with pytest.raises(LedgerError):
            ledger.claims.keep(writer, claimed, "draft 12", HOUR)
        with pytest.raises(LedgerError):
            ledger.claims.redate(writer, claimed, NEXT_DAY, NEXT_DUE)
    ledger.claims.renew(run.id, 9 * HOUR)
    assert draft(ledger, anew(before), anew(there)) == []
    with running(ledger) as next_one:
        assert claim(ledger, next_one) == take_over(ledger, next_one) == []
    assert found(ledger, 1) == there


@pytest.mark.parametrize("result", [State.WRITTEN, State.SENDING])
def test_what_is_no_receipt_counts_only_under_its_claim(ledger: Ledger, run: LiveRun, result: State) -> None:
    [lost] = left_by_the_dead(ledger, entry(1))
    [taken] = take_over(ledger, run)
    before = found(ledger, 1)
    ledger.claims.record(lost.entry.run_id or 0, [Result(lost, result, "of a claim that is lost")])
    ledger.claims.record(run.id, [Result(lost, result, "of the same run, but another attempt")])
    ledger.claims.record(lost.entry.run_id or 0, [Result(taken, result, "of another run")])
    assert found(ledger, 1) == before
    ledger.claims.record(run.id, [Result(taken, result, "of this claim")])
    assert (found(ledger, 1).state, found(ledger, 1).problem) == (result, "of this claim")


def test_what_was_given_back_is_not_in_doubt_again_by_a_late_word_of_its_claim(ledger: Ledger, run: LiveRun) -> None:
    draft(ledger, entry(1))
    [claimed] = claim(ledger, run)
    ledger.claims.give_back(run.id, [claimed])
    ledger.claims.record(run.id, [Result(claimed, State.SENDING, "no answer came")])
    assert found(ledger, 1).state is State.WRITTEN


def test_what_is_issued_or_another_runs_to_send_is_told_by_reference(ledger: Ledger, run: LiveRun) -> None:
    draft(ledger, entry(1), entry(2), entry(3), entry(4, state=State.CARRIED))
    one, _ = claim(ledger, run, most=2)
    ledger.claims.record(run.id, [issued(one)])
    draft(ledger, entry(1, JULY))
    assert ledger.claims.known_references(JUNE, run.id) == {"TB-2026-06-1"}
    assert ledger.claims.known_references(JUNE, run.id + 1) == {"TB-2026-06-1", "TB-2026-06-2"}, "it may be there"
    assert ledger.claims.known_references(JULY, run.id) == set()


def test_invoices_with_another_total_than_was_shown_are_told_until_a_human_approves_of_totals(
    ledger: Ledger, run: LiveRun
) -> None:
    draft(ledger, entry(1), entry(2), entry(3))
    one, two, three = claim(ledger, run)
    ledger.claims.record(run.id, [attrs.evolve(issued(one), differs=True), issued(two, "78")])
    assert ledger.claims.differing() == ["TB-2026-06-1"]
    ledger.events.approve("something else", "looked at it")
    assert ledger.claims.differing() == ["TB-2026-06-1"]
    ledger.events.approve("totals", "their tax is right")
    assert ledger.claims.differing() == []
    ledger.claims.record(run.id, [attrs.evolve(issued(three, "79"), differs=True)])
    assert ledger.claims.differing() == ["TB-2026-06-3"], "what came after the approval"
