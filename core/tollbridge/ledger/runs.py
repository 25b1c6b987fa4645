"""Runs: which are alive, what they share, and what is left of those that have ended.

A run holds a lock as long as its process lives and can reach the ledger: a file's on SQLite, a session's on PostgreSQL.
Whoever can take that lock knows that the run is gone.
"""

import os
import random
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from datetime import date, datetime
from pathlib import Path
from typing import Any, Literal

import attrs
import orjson
import sqlalchemy as sa
from filelock import FileLock, Timeout
from sqlalchemy.exc import SQLAlchemyError

from tollbridge.errors import LedgerError
from tollbridge.ledger.database import RUN_LOCKS, SLOT_LOCKS, Database
from tollbridge.ledger.schema import invoices, runs
from tollbridge.rules.entry import State

Outcome = Literal["done", "failures", "stopped", "died"]

_UNENDED = runs.c.ended_at.is_(None)
_SLOT_POLL_SECONDS = 0.02
_SLOT_PATIENCE_SECONDS = 20.0


@attrs.frozen
class PastRun:
    """A run as the ledger has it.

    Attributes:
        outcome: None if it has not ended.
        helps: of a worker, the run that it helps; None of every other command.
    """

    id: int
    command: str
    host: str
    day: date
    began_at: datetime
    ended_at: datetime | None
    outcome: str | None
    report: dict[str, Any] | None
    helps: int | None = None


@attrs.define
class LiveRun:
    """This run, alive for as long as it is held.

    Attributes:
        works: whether it may draft and send: always on PostgreSQL; on SQLite one run at a time does.
        helps: of a worker, the run that it helps.
    """

    id: int
    works: bool
    _database: Database
    helps: int | None = None
    _session: sa.Connection | None = None
    _slots: dict[str, set[int]] = attrs.field(factory=lambda: {name: set() for name in SLOT_LOCKS})
    _crowded: set[str] = attrs.field(factory=set)
    _one_at_a_time: threading.Lock = attrs.Factory(threading.Lock)
    _first_in_line: dict[str, threading.Lock] = attrs.field(
        factory=lambda: {name: threading.Lock() for name in SLOT_LOCKS}
    )

    def slot(self, system: str, most: int) -> AbstractContextManager[object]:
        """One of the ``most`` places for calls on a system, which all runs on one ledger share; waits for one.

        Not for ever: a run that is frozen keeps its places, and nobody else may stand still for that. Who has waited
        for twenty seconds goes on without one, and does not wait again before there was one.
        """
        return nullcontext() if self._session is None else self._slot(system, most)

    @contextmanager
    def _slot(self, system: str, most: int) -> Iterator[None]:
        number = self._wait_for(system, most)
        try:
            yield
        finally:
            if number is not None:
                # With the session its locks are gone; what was done meanwhile, as a receipt, must not be lost for that.
                with suppress(LedgerError), self._one_at_a_time, self._database.errors():
                    self._slots[system].discard(number)
                    self._execute(sa.select(sa.func.pg_advisory_unlock(SLOT_LOCKS[system], number)))

    def _wait_for(self, system: str, most: int) -> int | None:
        """A place, or None once it has been waited for in vain. Of those that wait here, one at a time asks."""
        until = time.monotonic() + _SLOT_PATIENCE_SECONDS
        if not self._first_in_line[system].acquire(timeout=_SLOT_PATIENCE_SECONDS):
            self._crowded.add(system)
            return None
        try:
            while (number := self._take(system, most)) is None:
                if system in self._crowded or time.monotonic() >= until:
                    self._crowded.add(system)
                    return None
                time.sleep(random.uniform(0.5, 1.5) * _SLOT_POLL_SECONDS)  # noqa: S311 - only so that nobody starves
        finally:
            self._first_in_line[system].release()
        self._crowded.discard(system)
        return number

    def _take(self, system: str, most: int) -> int | None:
        """A free place, or None. This session's own are passed over, since a session gets its own locks again."""
        taken = self._slots[system]
        numbers = sa.func.generate_series(1, most).table_valued("n", name="numbers").render_derived()
        lock = sa.func.pg_try_advisory_lock(SLOT_LOCKS[system], numbers.c.n)
        with self._one_at_a_time, self._database.errors():
            mine = sa.case((numbers.c.n.in_(sorted(taken)), sa.false()), else_=lock) if taken else lock
            number: int | None = self._execute(sa.select(numbers.c.n).where(mine).limit(1)).scalar()
            if number is not None:
                taken.add(number)
            return number

    def _execute(self, statement: sa.Executable) -> Any:
        assert self._session is not None  # noqa: S101 - only called where there is one
        return self._session.execute(statement)


class Runs:
    """The ledger's runs."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @contextmanager
    def live(self, command: str, day: date, *, works: bool, helps: int | None = None) -> Iterator[LiveRun]:
        """Be a run for as long as the block lasts; ``works``: it wants to draft and send; ``helps``: another run.

        Runs that are gone are found first. The run is ended as *died* unless :meth:`end` said better.
        """
        self.bury()
        hold = self._hold_files if self._database.is_sqlite else self._hold_session
        with hold(command, day, works, helps) as run:
            try:
                yield run
            finally:
                with suppress(LedgerError):
                    self.end(run.id, "died", None)

    def end(self, run_id: int, outcome: Outcome, report: dict[str, Any] | None) -> None:
        """Note how a run ended; the first word counts."""
        text = None if report is None else orjson.dumps(report).decode()
        with self._database.write() as connection:
            now = self._database.now(connection)
            ended = sa.update(runs).where(runs.c.id == run_id, runs.c.ended_at.is_(None))
            connection.execute(ended.values(ended_at=now, outcome=outcome, report=text))

    def keep(self, command: str, day: date, began_at: datetime, outcome: Outcome, report: dict[str, Any]) -> None:
        """Keep what a command came to that is no run, and has ended: an audit."""
        host = f"{socket.gethostname()}:{os.getpid()}"
        with self._database.write() as connection:
            ended_at = self._database.now(connection)
            values = {"command": command, "host": host, "day": day, "began_at": min(began_at, ended_at)}
            ended = {"ended_at": ended_at, "outcome": outcome, "report": orjson.dumps(report).decode()}
            connection.execute(sa.insert(runs).values(**values, **ended))

    def last_of(self, command: str) -> PastRun | None:
        """The last run of this command that has ended."""
        return next(iter(self._where(sa.and_(runs.c.command == command, runs.c.outcome.is_not(None)), 1)), None)

    def bury(self) -> None:
        """Find the runs that are gone without having said so, and note that they died."""
        for run_id in self._unended():
            with self._lock_of_the_dead(run_id) as gone:
                if gone:
                    self.end(run_id, "died", None)

    def alive(self, but: int) -> list[PastRun]:
        """The runs that have not ended, but for one."""
        return self._where(sa.and_(_UNENDED, runs.c.id != but), None)

    def living(self) -> list[PastRun]:
        """The runs that are at work now: not ended, and not gone."""
        return [run for run in self._where(_UNENDED, None) if not self._is_gone(run)]

    def lives(self, run_id: int) -> bool:
        """Whether a run is still at work."""
        return any(not self._is_gone(run) for run in self._where(sa.and_(runs.c.id == run_id, _UNENDED), 1))

    def last(self, most: int, *, workers: bool = False) -> list[PastRun]:
        """The last runs, newest first, with ``workers`` also those that helped them.

        One that is gone without having said so has died, and that is not noted here.
        """
        found = self._where(sa.true() if workers else runs.c.helps.is_(None), most)
        return [attrs.evolve(run, outcome="died") if self._is_gone(run) else run for run in found]

    def last_look(self) -> PastRun | None:
        """The run that last looked at all unpaid invoices, or None."""
        looks = sa.and_(runs.c.command.in_(["run", "overdue"]), runs.c.outcome.in_(["done", "failures"]))
        return next(iter(self._where(looks, 1)), None)

    def _is_gone(self, run: PastRun) -> bool:
        if run.ended_at is not None:
            return False
        with self._lock_of_the_dead(run.id) as gone:
            return gone

    def _where(self, condition: sa.ColumnElement[bool], most: int | None) -> list[PastRun]:
        query = sa.select(runs).where(condition).order_by(runs.c.id.desc()).limit(most)
        with self._database.read() as connection:
            return [
                PastRun(**{**row._asdict(), "report": None if row.report is None else orjson.loads(row.report)})
                for row in connection.execute(query)
            ]

    def _unended(self) -> list[int]:
        with self._database.read() as connection:
            return list(connection.scalars(sa.select(runs.c.id).where(_UNENDED)))

    def _insert(self, connection: sa.Connection, command: str, day: date, helps: int | None) -> int:
        values = {"command": command, "host": f"{socket.gethostname()}:{os.getpid()}", "day": day, "helps": helps}
        began = self._database.now(connection)
        insert = sa.insert(runs).values(**values, began_at=began).returning(runs.c.id)
        return int(connection.execute(insert).scalar_one())

    @contextmanager
    def _hold_session(self, command: str, day: date, works: bool, helps: int | None) -> Iterator[LiveRun]:
        with self._database.errors():
            session = self._database.session()
        try:
            with self._database.write() as connection:  # not visible to others before the lock is held
                run_id = self._insert(connection, command, day, helps)
                session.execute(sa.select(sa.func.pg_advisory_lock(RUN_LOCKS, run_id)))
            yield LiveRun(run_id, works, self._database, helps, session)
        finally:
            session.invalidate()
            session.close()

    @contextmanager
    def _hold_files(self, command: str, day: date, works: bool, helps: int | None) -> Iterator[LiveRun]:
        with self._database.write() as connection:
            run_id = self._insert(connection, command, day, helps)
            alive = self._file(run_id)
            alive.acquire(timeout=0)
        working = FileLock(self._database.lock_file, mode=0o600)
        try:
            with suppress(Timeout):
                if works:
                    working.acquire(timeout=0)
                    self._end_leases()
            yield LiveRun(run_id, works and working.is_locked, self._database, helps)
        finally:
            working.release()
            alive.release()
            Path(alive.lock_file).unlink(missing_ok=True)

    def _end_leases(self) -> None:
        """On SQLite one run sends at a time, so whatever is claimed was claimed by one that is gone."""
        with self._database.write() as connection:
            now = self._database.now(connection)
            claimed = sa.and_(invoices.c.state == State.SENDING, invoices.c.leased_until > now)
            connection.execute(sa.update(invoices).where(claimed).values(leased_until=now))

    @contextmanager
    def _lock_of_the_dead(self, run_id: int) -> Iterator[bool]:
        """Whether the run's lock can be taken; it is held meanwhile, so that two who look say the same."""
        if self._database.is_sqlite:
            lock = self._file(run_id)
            try:
                lock.acquire(timeout=0)
            except Timeout:
                yield False
                return
            try:
                yield True
            finally:
                lock.release()
                Path(lock.lock_file).unlink(missing_ok=True)
        else:
            with self._database.errors(), self._database.session() as session:
                gone: bool = session.execute(sa.select(sa.func.pg_try_advisory_lock(RUN_LOCKS, run_id))).scalar_one()
                try:
                    yield gone
                finally:
                    with suppress(SQLAlchemyError):
                        session.execute(sa.select(sa.func.pg_advisory_unlock_all()))

    def _file(self, run_id: int) -> FileLock:
        return FileLock(f"{self._database.lock_file}.{run_id}", mode=0o600)


def ended(run_id: sa.ColumnElement[int]) -> sa.ColumnElement[bool]:
    """Whether the run that a row names has ended, for use in other queries."""
    return sa.exists().where(runs.c.id == run_id, runs.c.ended_at.is_not(None))


def team(run_id: int) -> sa.Select[int]:
    """A run, the one that it helps, and the others that help the same one, for use in other queries."""
    me = runs.alias("me")
    same = sa.or_(runs.c.id == me.c.id, runs.c.id == me.c.helps, runs.c.helps == me.c.helps)
    return sa.select(runs.c.id).join(me, same).where(me.c.id == run_id)


def own_and_helpers(run_id: int) -> sa.Select[int]:
    """A run and those that help it, for use in other queries."""
    return sa.select(runs.c.id).where(sa.or_(runs.c.id == run_id, runs.c.helps == run_id))


def alive(run_id: int) -> sa.ColumnElement[bool]:
    """Whether a run counts as alive, for use in other queries."""
    return sa.exists().where(runs.c.id == run_id, runs.c.ended_at.is_(None))


def holders(
    connection: sa.Connection, claimed: sa.Table, run_id: int, *conditions: sa.ColumnElement[bool]
) -> list[tuple[int, str, int]]:
    """Other runs that have claimed such rows of this table: number, machine and how many rows."""
    query = (
        sa.select(runs.c.id, runs.c.host, sa.func.count())
        .join(claimed, claimed.c.run_id == runs.c.id)
        .where(claimed.c.run_id != run_id, *conditions)
        .group_by(runs.c.id, runs.c.host)
    )
    return [(row[0], row[1], row[2]) for row in connection.execute(query)]
