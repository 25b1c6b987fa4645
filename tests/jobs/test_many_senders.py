"""Any number of senders at once, dying, sleeping and cut off at any point: no invoice twice, and none lost.

``TOLLBRIDGE_TRIALS`` in the environment is how many times more of what is drawn at random is tried than usual.
"""

import random
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from tests import TRIALS
from tests.senders import DAY, JUNE, Died, Office, Sender, an_office, dies, once
from tollbridge.errors import LedgerError
from tollbridge.jobs import sending, work
from tollbridge.ledger import runs as ledger_runs
from tollbridge.ledger.claims import Result
from tollbridge.ledger.database import Database
from tollbridge.rules.entry import State


@pytest.fixture(autouse=True)
def small_pages_and_short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that there is something for everybody to claim, and nobody waits longer than is needed."""
    monkeypatch.setattr(sending, "_PAGE", 2)
    monkeypatch.setattr(sending, "_POLL_SECONDS", 0.01)
    monkeypatch.setattr(ledger_runs, "_SLOT_PATIENCE_SECONDS", 0.1)


@pytest.fixture
def office(tmp_path: Path, postgresql_url: str) -> Iterator[Office]:
    """Three clients on PostgreSQL, and senders that send one after the other."""
    with an_office(tmp_path, postgresql_url, clients=3) as made:
        yield made


def every_effect(office: Office, attempt: Callable[[int], Sender]) -> int:
    """Try something at the first, the second, … effect of a sender, until it comes to its end before that."""
    at = 1
    while attempt(at).count >= at:
        office.finish()
        office.open()
        at += 1
    office.finish()
    assert at > 8, "a sender has several effects"
    return at


# Dying


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_two_senders_that_die_at_any_effect_leave_books_that_the_next_run_sets_right(
    tmp_path: Path, postgresql_url: str, *, after: bool
) -> None:
    with an_office(tmp_path, postgresql_url, clients=4, at_once=2) as office:

        def attempt(at: int) -> Sender:
            senders = [office.sender(f"sender{each}", dies(at, after=after)) for each in range(2)]
            office.send_all(senders)
            return max(senders, key=lambda sender: sender.count)

        every_effect(office, attempt)


@pytest.mark.parametrize("hands", [4, 8])
def test_many_senders_that_die_at_different_effects_leave_books_that_the_next_run_sets_right(
    tmp_path: Path, postgresql_url: str, hands: int
) -> None:
    dice = random.Random(seed := random.SystemRandom().randrange(10**6))
    print(f"seed {seed}")
    with an_office(tmp_path, postgresql_url, clients=hands + 4, at_once=2) as office:
        for first in list(range(1, 24, hands)) * TRIALS:
            office.open()
            effects = [dies(first + each, after=dice.random() < 0.5) for each in range(hands)]
            senders = [office.sender(f"sender{each}", effect) for each, effect in enumerate(effects)]
            office.send_all(senders)
            office.finish()


def test_of_two_senders_on_sqlite_one_sends_and_whoever_dies_is_followed(tmp_path: Path) -> None:
    with an_office(tmp_path, f"sqlite:///{tmp_path}/tollbridge.db", clients=3) as office:

        def attempt(at: int) -> Sender:
            senders = [office.sender(f"sender{each}", dies(at, after=bool(at % 2))) for each in range(2)]
            office.send_all(senders)
            return max(senders, key=lambda sender: sender.count)

        every_effect(office, attempt)


def test_senders_that_die_at_any_step_of_an_invoice_made_in_several_leave_whole_ones(office: Office) -> None:
    office.clients = 2
    steps, at, died = [0], 0, True
    while died:
        at += 1
        office.open()
        office.books.several_steps = True
        steps[0] = 0  # of the sender that is to die
        mine: set[int] = set()

        def watch(_name: str, _after: bool, last: int = at, whose: set[int] = mine) -> None:
            if threading.get_ident() in whose:
                steps[0] += 1
                if steps[0] >= last:
                    raise Died

        def begins(number: int, _after: bool, _name: str, whose: set[int] = mine) -> None:
            if number == 1:
                whose.add(threading.get_ident())

        office.books.watch = watch
        sender = office.sender("sender", begins)
        office.send_all([sender])
        died = isinstance(sender.error, Died)
        office.books.watch = None
        office.finish()
    assert at > 12, "two invoices have many steps"


# Sleeping


class Clocks:
    """The boot clocks of threads: each may have slept."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.slept: dict[int, float] = defaultdict(float)
        real = work._boot_seconds
        monkeypatch.setattr(work, "_boot_seconds", lambda: real() + self.slept[threading.get_ident()])

    def sleep(self, seconds: float) -> None:
        """This thread's machine sleeps."""
        self.slept[threading.get_ident()] += seconds


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_sender_that_sleeps_past_its_lease_keeps_its_invoices_and_is_named(
    office: Office, monkeypatch: pytest.MonkeyPatch, *, after: bool
) -> None:
    clocks = Clocks(monkeypatch)

    def attempt(at: int) -> Sender:
        def sleep() -> None:
            clocks.sleep(3)
            office.let_leases_end()
            claimed = office.parts.ledger.invoices.count_by_state().get("sending", 0)
            other = office.sender("other").send()
            assert other.error is None
            assert other.report is not None
            named = ["does not go on" in failure.message for failure in other.report.failures]
            assert named == [True] * bool(claimed), (at, claimed, other.report)
            assert office.parts.ledger.invoices.count_by_state().get("sending", 0) == claimed

        return office.sender("sleeper", once(at, after=after, do=sleep)).send()

    every_effect(office, attempt)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_sender_that_sleeps_past_its_lease_and_is_cut_off_creates_nothing_when_it_wakes(
    office: Office, monkeypatch: pytest.MonkeyPatch, *, after: bool
) -> None:
    clocks = Clocks(monkeypatch)
    inside = [0]

    def attempt(at: int) -> Sender:
        def effect(number: int, done: bool, name: str) -> None:
            if number != at or done is not after:
                return
            clocks.sleep(3)
            office.cut("sleeper")
            office.let_leases_end()
            other = office.sender("other").send()
            assert other.error is None
            if name == "create_invoice" and not done:
                inside[0] += 1  # between the look at the clock and the request: nothing can be done there

        before = inside[0]
        sleeper = office.sender("sleeper", effect).send()
        if inside[0] > before:
            told_twice_until_one_is_cancelled(office)
        return sleeper

    every_effect(office, attempt)
    assert bool(inside[0]) is not after


def told_twice_until_one_is_cancelled(office: Office) -> None:
    """An invoice that is there twice is a failure of every run, until somebody has removed one of the two."""
    references = [each.reference for each in office.books.invoices]
    (twice,) = {reference for reference in references if references.count(reference) > 1}
    for _ in range(2):
        run = office.sender("teller").send()
        assert run.error is None
        assert run.report is not None
        assert [(failure.who, "twice" in failure.message) for failure in run.report.failures] == [(twice, True)]
    office.books.remove_invoice(office.books.find(twice)[0].number)


# Cut off


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_sender_whose_connections_are_cut_at_any_effect_harms_nothing(office: Office, *, after: bool) -> None:
    def attempt(at: int) -> Sender:
        cut = office.sender("cut", once(at, after=after, do=lambda: office.cut("cut")))
        office.send_all([cut, office.sender("other")])
        assert isinstance(cut.error, LedgerError | None), cut.error
        return cut

    every_effect(office, attempt)


def test_a_sender_whose_connection_is_cut_at_any_statement_harms_nothing(office: Office) -> None:
    dice = random.Random(seed := random.SystemRandom().randrange(10**6))
    print(f"seed {seed}")
    for number, at in enumerate(sorted(dice.sample(range(1, 120), 15)) * TRIALS):
        office.open()
        cut = office.sender(f"cut{number}")
        cut_at_statement(office, cut, at, all_of_them=dice.random() < 0.5)
        cut.send()
        assert isinstance(cut.error, LedgerError | None), cut.error
        office.finish()


def cut_at_statement(office: Office, sender: Sender, at: int, *, all_of_them: bool) -> None:
    """Cut a connection right before its statement or commit, or all of them."""
    count = [0]
    engine = sender.parts.ledger.database.engine

    def reached(pid: int) -> None:
        count[0] += 1
        if count[0] != at:
            return
        if all_of_them:
            office.cut(sender.name)
        with office.parts.ledger.database.session() as connection:
            connection.execute(sa.text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": pid})

    @sa.event.listens_for(engine, "before_cursor_execute")
    def _statement(connection: sa.Connection, *_: Any) -> None:
        reached(connection.connection.driver_connection.info.backend_pid)  # type: ignore[union-attr]

    @sa.event.listens_for(engine, "commit")
    def _commit(connection: sa.Connection) -> None:
        reached(connection.connection.driver_connection.info.backend_pid)  # type: ignore[union-attr]


# A clock that jumps


@pytest.mark.parametrize("jump", [timedelta(hours=1), timedelta(hours=-1)], ids=["forwards", "backwards"])
@pytest.mark.parametrize("kind", ["postgresql", "sqlite"])
def test_a_clock_of_the_ledger_that_jumps_at_any_effect_harms_nothing(
    tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, kind: str, jump: timedelta
) -> None:
    sqlite = f"sqlite:///{tmp_path}/tollbridge.db"
    url = sqlite if kind == "sqlite" else request.getfixturevalue("postgresql_url")
    jumped = [timedelta(0)]
    real = Database.now

    def now(database: Database, connection: sa.Connection) -> datetime:
        return real(database, connection) + jumped[0]

    monkeypatch.setattr(Database, "now", now)
    with an_office(tmp_path, url, clients=4) as office:

        def attempt(at: int) -> Sender:
            jumped[0] = timedelta(0)

            def jump_now() -> None:
                jumped[0] = jump

            senders = [office.sender("jumper", once(at, after=False, do=jump_now))]
            if kind == "postgresql":
                senders.append(office.sender("other"))
            office.send_all(senders)
            assert {sender.error for sender in senders} == {None}
            return senders[0]

        every_effect(office, attempt)


def test_what_is_noted_and_what_is_renewed_at_once_never_wait_for_each_other(office: Office) -> None:
    ledger = office.parts.ledger
    with ledger.runs.live("run", DAY, works=True) as live:
        claims = ledger.claims.claim(live.id, [JUNE], DAY, DAY, timedelta(seconds=60), 3)
        results = [Result(claim, State.WRITTEN) for claim in reversed(claims)]
        errors: list[LedgerError] = []

        def tried(work: Callable[[], object]) -> None:
            try:
                work()
            except LedgerError as error:
                errors.append(error)

        works = [lambda: ledger.claims.record(live.id, results), lambda: ledger.claims.renew(live.id, timedelta(60))]
        threads = [threading.Thread(target=tried, args=(each,)) for each in works]
        with ledger.database.write() as middle:  # whoever comes has locked what it begins with, and waits here
            middle.execute(sa.text("SELECT 1 FROM invoices WHERE client_id = 2 FOR UPDATE"))
            for thread in threads:
                thread.start()
                time.sleep(0.3)
        for thread in threads:
            thread.join()
    assert errors == []
