"""Exactly one invoice per client and month, wherever a run dies and whatever answer is lost.

The effects of a run (each write to the ledger, each request to billing or SolusIO that changes something) are counted;
a run is made to die at the first, the second, … until one gets through, and each time the books must end the same.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests import TRIALS
from tests.world import World, a_world
from tollbridge.errors import OutcomeUnknown, Refused, Unavailable
from tollbridge.jobs.daily import Run
from tollbridge.model import Invoice, Receipt
from tollbridge.rules.calendar import Month
from tollbridge.rules.entry import State

JUNE = Month(2026, 6)
CLIENTS = {1: 700, 2: 730, 3: 1, 4: 20}
MINIMUM = 'minimum = { USD = "1.00" }'
BOOKS = {"TB-2026-06-1": "4.9", "TB-2026-06-2": "5"}


class Died(BaseException):
    """The process is gone: nothing catches it, nothing cleans up in its name."""


def company(world: World) -> None:
    """Four clients; two of them use too little for an invoice of their own."""
    world.billing = MINIMUM
    for client_id, hours in CLIENTS.items():
        world.client_with_server(client_id, hours)
    world.at("2026-07-01")


@contextmanager
def dying(monkeypatch: pytest.MonkeyPatch, run: Run, at: int, *, after: bool) -> Iterator[Callable[[], int]]:
    """Die at the ``at``-th effect, just before or just after it happened; the dead have no more effects.

    Yields the number of effects so far.
    """
    count = 0

    def fragile(owner: Any, name: str) -> None:
        real = getattr(owner, name)

        def effect(*arguments: Any, **named: Any) -> Any:
            nonlocal count
            count += 1
            if count > at or (count == at and not after):
                raise Died
            result = real(*arguments, **named)
            if count == at:
                raise Died
            return result

        patch.setattr(owner, name, effect)

    with monkeypatch.context() as patch:
        adapter = run.parts.billing._adapter
        hook = run.parts.billing._manager.hook.create_invoice.get_hookimpls()[0]
        fragile(hook, "function")
        assert adapter is not None
        ledger = run.parts.ledger
        for part, names in (
            (ledger.invoices, ("draft", "note_status", "settle")),
            (ledger.claims, ("claim", "take_over", "renew", "redate", "give_back", "record")),
            (ledger.months, ("draft", "close")),
            (ledger.readings, ("keep",)),
            (ledger.leases, ("take", "give_back")),
            (ledger.accounts, ("add", "claim", "let_go", "change_email", "hold", "attempt", "set_status", "forget")),
        ):
            for name in names:
                fragile(part, name)
        for name in ("set_status", "link", "ensure_user", "change_email"):
            fragile(run.parts.solus, name)
        yield lambda: count


def finish(world: World) -> None:
    """The next run, undisturbed."""
    with world.run("2026-07-01") as run:
        invoicing = run.daily().invoicing
    assert invoicing.failures == []


def check_books(world: World) -> None:
    """What must be true of the finished month, from both ends."""
    assert world.billed() == BOOKS
    lines = world.query("SELECT count(*), sum(tokens) FROM invoice_lines")
    assert lines == [(2, 4900 + 5000)]
    with world.parts() as parts:
        assert parts.ledger.months.is_closed(JUNE)
        entries = parts.ledger.invoices.of_month(JUNE, list(CLIENTS))
    assert {client_id: entry.state for client_id, entry in entries.items()} == {
        1: State.ISSUED, 2: State.ISSUED, 3: State.CARRIED, 4: State.CARRIED,
    }  # fmt: skip
    ids = {reference: str(each) for reference, each in world.query("SELECT reference, id FROM invoices")}
    assert {entry.reference: entry.billing_id for entry in entries.values() if entry.billing_id} == ids


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_run_that_dies_at_any_effect_leaves_books_that_the_next_one_sets_right(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch, *, after: bool
) -> None:
    died = True
    at = 0
    while died:
        at += 1
        folder = tmp_path_factory.mktemp("world")
        with a_world(folder, f"sqlite:///{folder}/billing.db", f"sqlite:///{folder}/tollbridge.db") as world:
            company(world)
            died = False
            with world.run("2026-07-01") as run, dying(monkeypatch, run, at, after=after):
                try:
                    run.daily()
                except Died:
                    died = True
            finish(world)
            check_books(world)
    assert at > 5, "the run has several effects to die at"


@pytest.mark.parametrize("lost_after", [True, False], ids=["created", "not-created"])
def test_an_invoice_whose_answer_was_lost_is_looked_for_before_it_is_created_again(
    world: World, monkeypatch: pytest.MonkeyPatch, *, lost_after: bool
) -> None:
    company(world)
    with world.run("2026-07-01") as run, monkeypatch.context() as patch:
        hook = run.parts.billing._manager.hook.create_invoice.get_hookimpls()[0]
        real = hook.function

        def lost(invoice: Invoice) -> Receipt:
            if lost_after:
                real(invoice)
            raise OutcomeUnknown("no answer came")

        patch.setattr(hook, "function", lost)
        invoicing = run.daily().invoicing
        states = {entry.state for entry in run.parts.ledger.invoices.of_month(JUNE, [1, 2]).values()}
    assert (len(invoicing.failures), states) == (2, {State.SENDING})
    finish(world)
    check_books(world)


def test_an_invoice_that_lands_after_the_next_run_has_begun_is_not_created_twice(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    company(world)
    sent: list[Invoice] = []
    with world.run("2026-07-01") as run, monkeypatch.context() as patch:
        hook = run.parts.billing._manager.hook.create_invoice.get_hookimpls()[0]
        real = hook.function

        def slow(invoice: Invoice) -> Receipt:
            sent.append(invoice)
            raise OutcomeUnknown("no answer came")

        patch.setattr(hook, "function", slow)
        run.daily()
        patch.undo()
        landing = threading.Timer(0.4, lambda: [real(invoice) for invoice in sent])
        landing.start()
        with world.run("2026-07-01") as second:
            invoicing = second.daily().invoicing
        landing.join()
    assert invoicing.failures == []
    check_books(world)


def test_an_invoice_that_was_surely_not_sent_is_drafted_anew(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    company(world)
    with world.run("2026-07-01") as run, monkeypatch.context() as patch:
        hook = run.parts.billing._manager.hook.create_invoice.get_hookimpls()[0]

        def refused(invoice: Invoice) -> Receipt:
            raise Refused(f"{invoice.reference}: the books are closed")

        patch.setattr(hook, "function", refused)
        invoicing = run.daily().invoicing
        entries = run.parts.ledger.invoices.of_month(JUNE, [1, 2])
    assert [str(failure) for failure in invoicing.failures] == [
        "TB-2026-06-1: the books are closed", "TB-2026-06-2: the books are closed",
    ]  # fmt: skip
    assert {entry.state for entry in entries.values()} == {State.WRITTEN}
    with world.run("2026-07-09") as run:
        run.daily()
    check_books(world)
    assert {day for (day,) in world.query("SELECT due_date FROM invoices")} == {"2026-07-23"}


@pytest.mark.parametrize("error", [OutcomeUnknown("no answer came"), Refused("the books are closed")])
def test_an_unfinished_invoice_is_not_forgotten_when_its_client_leaves_the_feed(
    world: World, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    company(world)
    with world.run("2026-07-01") as run, monkeypatch.context() as patch:
        hook = run.parts.billing._manager.hook.create_invoice.get_hookimpls()[0]
        real = hook.function

        def troubled(invoice: Invoice) -> Receipt:
            if isinstance(error, OutcomeUnknown):
                real(invoice)
            raise error

        patch.setattr(hook, "function", troubled)
        run.daily()
    for server in world.panel.tables.servers.with_deleted():
        world.panel.tables.servers.put(attrs.evolve(server, uptime=()))
    world.panel.patch_settings({})
    finish(world)
    with world.parts() as parts:
        entries = parts.ledger.invoices.of_month(JUNE, [1, 2])
    assert {entry.state for entry in entries.values()} == {State.ISSUED}
    assert world.billed() == BOOKS, "what was used is owed, though nobody reports it any more"


def test_what_was_carried_survives_a_redraft_that_carries_it_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.billing = MINIMUM
    user = world.client_with_server(1, hours=86)
    world.at("2026-07-01")
    finish(world)
    world.run_server(user, 172, name="july")
    world.at("2026-08-01")
    with world.run("2026-08-01") as run, monkeypatch.context() as patch:
        hook = run.parts.billing._manager.hook.create_invoice.get_hookimpls()[0]

        def refused(invoice: Invoice) -> Receipt:
            raise Refused("not today")

        patch.setattr(hook, "function", refused)
        run.daily()
    world.billing = 'minimum = { USD = "5.00" }'
    with world.run("2026-08-02") as run:
        run.daily()
    assert world.billed() == {}
    world.run_server(user, 700, name="august")
    world.at("2026-09-01")
    with world.run("2026-09-01") as run:
        run.daily()
    assert world.billed() == {"TB-2026-08-1": "6.7"}, "0.60 of June, 1.20 of July and 4.90 of August"


def test_billing_that_is_down_stops_the_run_after_a_few_clients(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for client_id in range(1, 21):
        world.client_with_server(client_id)
    world.at("2026-07-01")
    with world.run("2026-07-01") as run, monkeypatch.context() as patch:
        hook = run.parts.billing._manager.hook.create_invoice.get_hookimpls()[0]
        tried = []

        def down(invoice: Invoice) -> Receipt:
            tried.append(invoice.reference)
            raise Unavailable("the billing system is down")

        patch.setattr(hook, "function", down)
        assert isinstance(run.daily().stopped_by, Unavailable)
    assert len(tried) == 3
    finish(world)
    assert len(world.billed()) == 20


def test_an_invoice_that_billing_has_already_is_adopted_even_if_the_ledger_was_lost(world: World) -> None:
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
    with a_world(folder, f"sqlite:///{folder}/billing.db", f"sqlite:///{folder}/tollbridge.db") as world:
        company(world)
        for at, after in data.draw(st.lists(st.tuples(st.integers(1, 9), st.booleans()), max_size=5)):
            with world.run("2026-07-01") as run, dying(monkeypatch, run, at, after=after), suppress(Died):
                run.daily()
        finish(world)
        check_books(world)
