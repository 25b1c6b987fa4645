"""What is asked of a run when the world is not as it was: merged and vanished clients, half invoices, wrong clocks."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from tests.small_world import SmallWorld
from tollbridge.errors import ClockWrong, PriceMismatch, Unavailable
from tollbridge.jobs import scratch, sending, work
from tollbridge.jobs.at_once import AtOnce
from tollbridge.jobs.daily import Run, months_due, when
from tollbridge.jobs.drafting import Drafting
from tollbridge.jobs.parts import When
from tollbridge.jobs.reports import DailyReport
from tollbridge.ledger.claims import Result
from tollbridge.ledger.database import Database
from tollbridge.memory import Trouble
from tollbridge.model import InvoiceStatus
from tollbridge.rules.calendar import Month
from tollbridge.rules.entry import Entry, State
from tollbridge.rules.overdue import HoldReason
from tollbridge.solus import Solus

JUNE = Month(2026, 6)


def client(world: SmallWorld, client_id: int, servers: int = 1) -> int:
    """A client with servers that ran 700 hours in June; its user's id."""
    world.add_client(client_id)
    user = world.add_user(client_id)
    for number in range(servers):
        world.run_server(user, 700, name=f"web-{number}")
    return user


def june_entry(world: SmallWorld, client_id: int) -> Entry:
    """A client's June in the ledger."""
    with world.parts() as parts:
        found = parts.ledger.invoices.find(JUNE, client_id)
    assert found is not None
    return found


def change_ledger(world: SmallWorld, statement: str, **values: Any) -> None:
    """Change the ledger behind everybody's back."""
    with world.parts() as parts, parts.ledger.database.write() as connection:
        connection.execute(sa.text(statement), values)


def failures(report: DailyReport) -> list[str]:
    """Who failed."""
    return [failure.who for failure in report.failures]


# Clients that are merged or gone


def test_an_unpaid_invoice_of_merged_clients_counts_for_the_one_that_has_it_now(world: SmallWorld) -> None:
    gone, survivor = client(world, 1), client(world, 2)
    world.at("2026-07-01")
    world.daily("2026-07-01")
    world.books.pay("TB-2026-06-2")
    (merged,) = world.books.find("TB-2026-06-1")
    world.books.change_invoice(merged.number, client_id=2)
    world.books.remove_client(1)
    report = world.daily("2026-07-25")
    assert [warning for warning in report.overdue.warnings if "gone" in warning] == []
    assert (world.status(gone), world.status(survivor)) == ("suspended", "locked")
    assert june_entry(world, 1).billing_status is InvoiceStatus.UNPAID
    world.books.pay("TB-2026-06-1")
    world.daily("2026-07-26")
    assert (world.status(gone), world.status(survivor)) == ("suspended", "active")


def test_a_locked_client_that_vanishes_is_closed_and_not_released(world: SmallWorld) -> None:
    user = client(world, 1)
    world.at("2026-07-01")
    world.daily("2026-07-01")
    world.daily("2026-07-25")
    assert world.status(user) == "locked"
    world.books.remove_client(1)
    world.books.remove_invoice(world.books.find("TB-2026-06-1")[0].number)
    report = world.daily("2026-07-26")
    assert (report.accounts.vanished, report.overdue.changes) == ([1], [])
    assert world.status(user) == "suspended"
    assert world.account(1).held_for(HoldReason.CLOSED) is not None
    world.daily("2026-07-27")
    assert world.status(user) == "suspended"


def test_what_one_reason_holds_no_other_job_lets_go(world: SmallWorld) -> None:
    user = client(world, 1)
    world.at("2026-07-01")
    world.daily("2026-07-01")
    world.daily("2026-07-25")
    world.books.change_client(1, status="closed")
    world.daily("2026-07-26")
    assert world.status(user) == "suspended"
    world.books.change_client(1, status="active")
    world.daily("2026-07-26")
    assert world.status(user) == "locked", "it is open again, and has not paid"
    world.books.change_client(1, status="closed")
    world.daily("2026-07-26")
    world.books.pay("TB-2026-06-1")
    world.daily("2026-07-27")
    assert world.status(user) == "suspended", "it has paid, and is closed"
    world.books.change_client(1, status="active")
    world.daily("2026-07-28")
    assert world.status(user) == "active"


# Invoices that are not right


def test_a_draft_is_not_an_issued_invoice_and_is_finished_by_the_next_run(world: SmallWorld) -> None:
    client(world, 1)
    world.at("2026-07-01")
    world.books.troubles.add(Trouble("draft", "create_invoice"))
    assert failures(world.daily("2026-07-01")) == ["TB-2026-06-1"]
    assert june_entry(world, 1).state is State.SENDING
    assert world.daily("2026-07-01").failures == []
    assert [booked.status for booked in world.books.invoices] == [InvoiceStatus.UNPAID]
    assert june_entry(world, 1).state is State.ISSUED


def test_half_an_invoice_is_a_failure_of_every_run_until_somebody_has_settled_it(world: SmallWorld) -> None:
    client(world, 1, servers=2)
    world.at("2026-07-01")
    world.books.troubles.add(Trouble("half", "create_invoice"))
    for _ in range(3):
        assert failures(world.daily("2026-07-01")) == ["TB-2026-06-1"]
    assert len(world.books.invoices) == 1
    world.books.set_status("TB-2026-06-1", "cancelled")
    assert world.daily("2026-07-02").failures == []
    assert world.daily("2026-07-03").failures == []


def test_three_wrong_totals_stop_all_runs_until_a_human_approves(world: SmallWorld) -> None:
    world.billing = "at_once = 1"
    for client_id in range(1, 9):
        client(world, client_id)
    world.at("2026-07-01")
    world.books.troubles.add(Trouble("total", "create_invoice", times=None))
    for _ in range(3):
        assert isinstance(world.daily("2026-07-01").stopped_by, PriceMismatch)
        assert len(world.books.invoices) == 3
    world.books.troubles.clear()
    with world.parts() as parts:
        parts.ledger.events.approve("totals", "a fee that we charge")
    assert world.daily("2026-07-01").stopped_by is None
    assert len(world.books.invoices) == 8


def test_three_that_cannot_be_reached_leave_every_entry_written_and_none_in_doubt(world: SmallWorld) -> None:
    for client_id in range(1, 9):
        client(world, client_id)
    world.at("2026-07-01")
    world.books.troubles.add(Trouble("before", "create_invoice", times=None))
    assert isinstance(world.daily("2026-07-01").stopped_by, Unavailable)
    entries = [june_entry(world, client_id) for client_id in range(1, 9)]
    assert {(entry.state, entry.problem) for entry in entries} == {(State.WRITTEN, None)}
    world.books.troubles.clear()
    assert world.daily("2026-07-01").stopped_by is None
    assert len(world.books.invoices) == 8


# Late words


def test_nobody_who_comes_late_makes_an_issued_invoice_a_written_one(world: SmallWorld) -> None:
    client(world, 1)
    world.at("2026-07-01")
    day = date(2026, 7, 1)
    with world.run("2026-07-01") as run:
        ledger = run.parts.ledger
        run_sending_nothing(run)
        with ledger.runs.live("run", day, works=True) as early:
            (claim,) = ledger.claims.claim(early.id, [JUNE], day, day, timedelta(0), 1)
        assert world.daily("2026-07-01").failures == []
        events = ledger.events.of_client(1)
        for result in (Result(claim, State.WRITTEN, "the books are closed"), Result(claim, State.SENDING)):
            ledger.claims.record(early.id, [result])
        assert ledger.events.of_client(1) == events, "what changes nothing is no event"
    assert (june_entry(world, 1).state, june_entry(world, 1).problem) == (State.ISSUED, None)


def run_sending_nothing(run: Run) -> None:
    """The month is drafted, and nothing of it is sent."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sending.Sending, "send", lambda _: None)
        run.daily()


def test_a_closed_month_with_an_unfinished_entry_is_not_closed(world: SmallWorld) -> None:
    client(world, 1)
    world.at("2026-07-01")
    world.daily("2026-07-01")
    with world.run("2026-07-02") as run:
        assert months_due(run.parts, run.when) == []
        change_ledger(
            world,
            "UPDATE invoices SET state = 'sending', billing_id = NULL, run_id = NULL, leased_until = :past",
            past="2000-01-01 00:00:00",
        )
        assert months_due(run.parts, run.when) == [JUNE]
    assert world.daily("2026-07-02").failures == []
    assert june_entry(world, 1).state is State.ISSUED
    assert len(world.books.invoices) == 1


def test_a_run_that_was_taken_for_dead_does_not_forget_what_its_successor_did(
    world: SmallWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = client(world, 1)
    world.at("2026-07-01")
    world.daily("2026-07-01")
    world.daily("2026-07-25")
    world.books.pay("TB-2026-06-1")
    real = Solus.set_status

    def pausing(solus: Solus, *arguments: Any) -> None:
        real(solus, *arguments)
        monkeypatch.setattr(Solus, "set_status", real)
        past = "'2000-01-01 00:00:00'"
        change_ledger(world, f"UPDATE runs SET ended_at = {past}, outcome = 'died' WHERE ended_at IS NULL")
        change_ledger(world, f"UPDATE accounts SET leased_until = {past}")
        world.books.bounce("TB-2026-06-1")  # the payment bounced
        world.daily("2026-07-26")
        assert world.status(user) == "locked"

    monkeypatch.setattr(Solus, "set_status", pausing)
    world.daily("2026-07-26")
    assert world.status(user) == "locked"
    world.books.pay("TB-2026-06-1")
    world.daily("2026-07-27")
    assert world.status(user) == "active", "it was the bridge that locked it"


def test_who_has_paid_between_the_list_and_the_lock_is_not_locked(world: SmallWorld) -> None:
    user = client(world, 1)
    world.at("2026-07-01")
    world.daily("2026-07-01")
    with world.run("2026-07-25") as run:
        listed = run.parts.billing.unpaid_invoices

        def then_paid() -> Iterator[Any]:
            yield from listed()
            if world.books.find("TB-2026-06-1")[0].status is InvoiceStatus.UNPAID:
                world.books.pay("TB-2026-06-1")

        run.parts.billing.unpaid_invoices = then_paid  # type: ignore[method-assign]
        report = run.daily()
    assert (report.overdue.changes, world.status(user)) == ([], "active")


# Clocks


def present_run(world: SmallWorld, parts: Any, day: str) -> Run:
    """A run for which ``day`` is the present."""
    moment = datetime.fromisoformat(f"{day}T04:00:00+00:00")
    return Run(parts, When(moment, moment.date()), False, lambda _step, _done: None)


def test_by_a_wrong_clock_nothing_is_invoiced_nobody_locked_and_who_owes_nothing_is_released(
    world: SmallWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    paid, moved, late = (client(world, client_id) for client_id in (1, 2, 3))
    world.at("2026-07-01")
    world.daily("2026-07-01")
    world.books.pay("TB-2026-06-3")
    world.daily("2026-07-25")
    assert [world.status(user) for user in (paid, moved, late)] == ["locked", "locked", "active"]
    world.books.pay("TB-2026-06-1")
    world.books.change_invoice(world.books.find("TB-2026-06-2")[0].number, due_date=date(2026, 9, 1))
    world.books.bounce("TB-2026-06-3")
    monkeypatch.setattr(Solus, "time", lambda _: datetime.now(UTC) - timedelta(minutes=6))
    world.at("2026-08-01")
    with world.parts() as parts:
        report = present_run(world, parts, "2026-08-01").daily()
    assert isinstance(report.stopped_by, ClockWrong)
    assert (report.accounts.complete, report.invoicing.months, report.overdue.complete) == (False, [], False)
    assert [world.status(user) for user in (paid, moved, late)] == ["active", "locked", "active"]


def test_a_panel_that_is_minutes_away_or_tells_no_time_stops_nothing(
    world: SmallWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    client(world, 1)
    world.at("2026-07-01")
    for time in (datetime.now(UTC) + timedelta(minutes=4), None):
        monkeypatch.setattr(Solus, "time", lambda _, time=time: time)
        with world.parts() as parts:
            assert present_run(world, parts, "2026-07-01").daily().stopped_by is None


def test_a_run_for_today_by_name_is_a_run_for_the_present(world: SmallWorld) -> None:
    with world.parts() as parts:
        before = datetime.now(UTC)
        today = before.astimezone(parts.settings.billing.timezone).date()
        named = when(parts, today, dry_run=False)
        assert (named.pretended, named.day) == (False, today)
        assert before <= named.now <= datetime.now(UTC), "not the end of the day, by which settle_hours would be over"


def test_who_pays_is_released_though_the_ledgers_clock_was_ahead_when_it_was_locked(
    world: SmallWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = client(world, 1)
    world.at("2026-07-01")
    world.daily("2026-07-01")
    real = Database.now
    with monkeypatch.context() as patch:
        patch.setattr(Database, "now", lambda *arguments: real(*arguments) + timedelta(days=400))
        world.daily("2026-07-25")
    assert world.status(user) == "locked"
    world.books.pay("TB-2026-06-1")
    world.daily("2026-07-26")
    assert world.status(user) == "active"


# A ledger that was lost


def test_what_is_drafted_while_a_sender_is_at_work_is_looked_for_too(
    world: SmallWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    for client_id in (1, 2):
        client(world, client_id)
    world.at("2026-07-01")
    world.daily("2026-07-01")
    (world.folder / "tollbridge.db").unlink()
    monkeypatch.setattr(scratch, "_BATCH", 1)  # a page of drafts is one client

    with world.run("2026-07-01") as run:
        pages: list[Callable[[], None]] = []
        real = Drafting._draft_page

        def later(drafting: Drafting, month: Month, page: Any) -> None:
            if not pages:
                real(drafting, month, page)
                pages.append(lambda: None)
            elif page:
                pages.append(lambda: real(drafting, month, page))

        monkeypatch.setattr(Drafting, "_draft_page", later)
        record = run.parts.ledger.claims.record

        def then_more_is_drafted(*arguments: Any) -> Any:
            told = record(*arguments)
            while pages:
                pages.pop()()
            return told

        run.parts.ledger.leases.give_back = lambda _: None  # type: ignore[method-assign,assignment]
        run.parts.ledger.claims.record = then_more_is_drafted  # type: ignore[method-assign,assignment]
        run.daily()
    assert sorted(booked.reference for booked in world.books.invoices) == ["TB-2026-06-1", "TB-2026-06-2"]


# Slow systems


def test_a_page_of_accounts_that_takes_longer_than_a_lease_is_served_to_its_end(
    world: SmallWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    users = [client(world, client_id) for client_id in range(1, 7)]
    world.at("2026-07-01")
    world.daily("2026-07-01")
    slow(monkeypatch)
    report = world.daily("2026-07-25")
    assert (report.stopped_by, report.failures) == (None, [])
    assert {world.status(user) for user in users} == {"locked"}


def slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each question for one invoice or user takes 25 seconds, where a lease is 60."""
    passed = [0.0]
    ledgers, boot = Database.now, work._boot_seconds
    monkeypatch.setattr(Database, "now", lambda *arguments: ledgers(*arguments) + timedelta(seconds=passed[0]))
    monkeypatch.setattr(work, "_boot_seconds", lambda: boot() + passed[0])
    monkeypatch.setattr(work.Work, "at_solus", AtOnce(1))  # time passes for one after the other
    real = Solus.find_user

    def find_user(solus: Solus, email: str) -> Any:
        passed[0] += 25
        return real(solus, email)

    monkeypatch.setattr(Solus, "find_user", find_user)


def test_an_invoice_that_takes_longer_than_a_lease_stops_nobody(
    world: SmallWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.billing = "at_once = 1"
    for client_id in range(1, 5):
        client(world, client_id)
    world.at("2026-07-01")
    passed = [0.0]
    ledgers, boot = Database.now, work._boot_seconds
    monkeypatch.setattr(Database, "now", lambda *arguments: ledgers(*arguments) + timedelta(seconds=passed[0]))
    monkeypatch.setattr(work, "_boot_seconds", lambda: boot() + passed[0])
    with world.run("2026-07-01") as run:
        real = run.parts.billing.create_invoice

        def create_invoice(*arguments: Any) -> Any:
            passed[0] += 70
            return real(*arguments)

        run.parts.billing.create_invoice = create_invoice  # type: ignore[method-assign,assignment]
        report = run.daily()
    assert (report.stopped_by, report.failures) == (None, [])
    assert len(world.books.invoices) == 4
