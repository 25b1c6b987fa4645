"""Exactly one invoice per client and month, wherever a run dies and whatever answer is lost.

The effects of a run (each write to the ledger, each request to billing or SolusIO that changes something) are counted;
a run is made to die at the first, the second, … until one gets through, and each time the books must end the same.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import date
from typing import Any

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests import TRIALS
from tests.small_world import SmallWorld, a_small_world
from tollbridge.errors import OutcomeUnknown, Refused, Unavailable
from tollbridge.jobs.daily import Run
from tollbridge.memory import Books, Kind, Trouble
from tollbridge.rules.calendar import Month
from tollbridge.rules.entry import State

JUNE = Month(2026, 6)
CLIENTS = {1: 700, 2: 730, 3: 1, 4: 20}
MINIMUM = 'minimum = { USD = "1.00" }'
BOOKS = {"TB-2026-06-1": "4.9", "TB-2026-06-2": "5"}


class Died(BaseException):
    """The process is gone: nothing catches it, nothing cleans up in its name."""


def company(world: SmallWorld) -> None:
    """Four clients; two of them use too little for an invoice of their own."""
    world.billing = MINIMUM
    for client_id, hours in CLIENTS.items():
        world.client_with_server(client_id, hours)
    world.at("2026-07-01")


def create_invoice(kind: Kind, error: Exception | None = None, client_id: int | None = None) -> Trouble:
    """No invoice can be created as it should, until the troubles are cleared."""
    return Trouble(kind, "create_invoice", client_id, times=None, error=error)


@contextmanager
def dying(monkeypatch: pytest.MonkeyPatch, run: Run, books: Books, at: int, *, after: bool) -> Iterator[None]:
    """Die at the ``at``-th effect, just before or just after it happened; the dead have no more effects."""
    count = 0
    counting = threading.Lock()

    def fragile(owner: Any, name: str) -> None:
        real = getattr(owner, name)

        def effect(*arguments: Any, **named: Any) -> Any:
            nonlocal count
            with counting:
                count += 1
                number = count
            if number > at or (number == at and not after):
                raise Died
            result = real(*arguments, **named)
            if number == at:
                raise Died
            return result

        patch.setattr(owner, name, effect)

    with monkeypatch.context() as patch:
        fragile(books, "book")
        ledger = run.parts.ledger
        for part, names in (
            (ledger.invoices, ("draft", "note_status", "settle")),
            (ledger.claims, ("claim", "take_over", "renew", "redate", "give_back", "record")),
            (ledger.months, ("begin", "draft", "close")),
            (ledger.readings, ("keep", "settle")),
            (ledger.corrections, ("add", "owe")),
            (ledger.price_lists, ("keep",)),
            (ledger.leases, ("take", "give_back")),
            (ledger.accounts, ("add", "claim", "let_go", "change_email", "hold", "attempt", "set_status", "forget")),
        ):
            for name in names:
                fragile(part, name)
        for name in ("set_status", "link", "ensure_user", "change_email"):
            fragile(run.parts.solus, name)
        yield


def finish(world: SmallWorld) -> None:
    """The next run, undisturbed."""
    assert world.daily("2026-07-01").invoicing.failures == []


def check_books(world: SmallWorld) -> None:
    """What must be true of the finished month, from both ends."""
    assert world.billed() == BOOKS
    assert sorted(tokens for _, tokens in world.lines()) == [4900, 5000]
    with world.parts() as parts:
        assert parts.ledger.months.is_closed(JUNE)
        entries = parts.ledger.invoices.of_month(JUNE, list(CLIENTS))
    assert {client_id: entry.state for client_id, entry in entries.items()} == {
        1: State.ISSUED, 2: State.ISSUED, 3: State.CARRIED, 4: State.CARRIED,
    }  # fmt: skip
    numbers = {booked.reference: str(booked.number) for booked in world.books.invoices}
    assert {entry.reference: entry.billing_id for entry in entries.values() if entry.billing_id} == numbers


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_run_that_dies_at_any_effect_leaves_books_that_the_next_one_sets_right(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch, *, after: bool
) -> None:
    died = True
    at = 0
    while died:
        at += 1
        folder = tmp_path_factory.mktemp("world")
        with a_small_world(folder) as world:
            company(world)
            died = False
            with world.run("2026-07-01") as run, dying(monkeypatch, run, world.books, at, after=after):
                try:
                    run.daily()
                except Died:
                    died = True
            finish(world)
            check_books(world)
    assert at > 5, "the run has several effects to die at"


@pytest.mark.parametrize("lost_after", [True, False], ids=["created", "not-created"])
def test_an_invoice_whose_answer_was_lost_is_looked_for_before_it_is_created_again(
    world: SmallWorld, *, lost_after: bool
) -> None:
    company(world)
    world.books.troubles.add(create_invoice("after" if lost_after else "before", OutcomeUnknown("no answer came")))
    with world.run("2026-07-01") as run:
        invoicing = run.daily().invoicing
        states = {entry.state for entry in run.parts.ledger.invoices.of_month(JUNE, [1, 2]).values()}
    assert (len(invoicing.failures), states) == (2, {State.SENDING})
    world.books.troubles.clear()
    finish(world)
    check_books(world)


def test_an_invoice_that_lands_after_the_next_run_has_begun_is_not_created_twice(world: SmallWorld) -> None:
    company(world)
    world.books.in_doubt_seconds = 1.0
    world.books.troubles.add(create_invoice("late"))
    world.daily("2026-07-01")
    world.books.troubles.clear()
    landing = threading.Timer(0.4, world.books.land)
    landing.start()
    finish(world)
    landing.join()
    check_books(world)


def test_an_invoice_that_was_surely_not_sent_is_drafted_anew(world: SmallWorld) -> None:
    company(world)
    for client_id in (1, 2):
        error = Refused(f"TB-2026-06-{client_id}: the books are closed")
        world.books.troubles.add(create_invoice("before", error, client_id))
    with world.run("2026-07-01") as run:
        invoicing = run.daily().invoicing
        entries = run.parts.ledger.invoices.of_month(JUNE, [1, 2])
    assert sorted(str(failure) for failure in invoicing.failures) == [
        "TB-2026-06-1: the books are closed", "TB-2026-06-2: the books are closed",
    ]  # fmt: skip
    assert {entry.state for entry in entries.values()} == {State.WRITTEN}
    world.books.troubles.clear()
    world.daily("2026-07-09")
    check_books(world)
    assert {booked.due_date for booked in world.books.invoices} == {date(2026, 7, 23)}


@pytest.mark.parametrize(
    ("kind", "error"), [("after", OutcomeUnknown("no answer came")), ("before", Refused("the books are closed"))]
)
def test_an_unfinished_invoice_is_not_forgotten_when_its_client_leaves_the_feed(
    world: SmallWorld, kind: Kind, error: Exception
) -> None:
    company(world)
    world.books.troubles.add(create_invoice(kind, error))
    world.daily("2026-07-01")
    world.books.troubles.clear()
    for server in world.panel.tables.servers.with_deleted():
        world.panel.tables.servers.put(attrs.evolve(server, uptime=()))
    world.panel.patch_settings({})
    finish(world)
    with world.parts() as parts:
        entries = parts.ledger.invoices.of_month(JUNE, [1, 2])
    assert {entry.state for entry in entries.values()} == {State.ISSUED}
    assert world.billed() == BOOKS, "what was used is owed, though nobody reports it any more"


def test_what_was_carried_survives_a_redraft_that_carries_it_again(world: SmallWorld) -> None:
    world.billing = MINIMUM
    user = world.client_with_server(1, hours=86)
    world.at("2026-07-01")
    finish(world)
    world.run_server(user, 172, name="july")
    world.at("2026-08-01")
    world.books.troubles.add(create_invoice("before", Refused("not today")))
    world.daily("2026-08-01")
    world.books.troubles.clear()
    world.billing = 'minimum = { USD = "5.00" }'
    world.daily("2026-08-02")
    assert world.billed() == {}
    world.run_server(user, 700, name="august")
    world.at("2026-09-01")
    world.daily("2026-09-01")
    assert world.billed() == {"TB-2026-08-1": "6.7"}, "0.60 of June, 1.20 of July and 4.90 of August"


def test_billing_that_is_down_stops_the_run_after_a_few_clients(world: SmallWorld) -> None:
    for client_id in range(1, 21):
        world.client_with_server(client_id)
    world.at("2026-07-01")
    world.books.troubles.add(create_invoice("before", Unavailable("the billing system is down")))
    assert isinstance(world.daily("2026-07-01").stopped_by, Unavailable)
    assert world.books.asked("create_invoice") == 3
    world.books.troubles.clear()
    finish(world)
    assert len(world.billed()) == 20


def test_an_invoice_that_billing_has_already_is_adopted_even_if_the_ledger_was_lost(world: SmallWorld) -> None:
    company(world)
    finish(world)
    (world.folder / "tollbridge.db").unlink()
    finish(world)
    check_books(world)


@settings(max_examples=8 * TRIALS, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_history_of_deaths_and_lost_answers_ends_in_the_same_books(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("history")
    with a_small_world(folder) as world:
        company(world)
        for at, after in data.draw(st.lists(st.tuples(st.integers(1, 9), st.booleans()), max_size=5)):
            with world.run("2026-07-01") as run, dying(monkeypatch, run, world.books, at, after=after), suppress(Died):
                run.daily()
        finish(world)
        check_books(world)
