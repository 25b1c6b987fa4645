"""A worker: a process that sends what runs on other machines have drafted, and runs the daily job when it is due."""

import asyncio
import logging
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import procrastinate
from croniter import croniter
from procrastinate.periodic import PeriodicTask

from tollbridge.distributed import tables
from tollbridge.distributed.queue import DAILY, QUEUE, SEND, Queue, errand_of
from tollbridge.errors import Interrupted, LedgerError, LedgerNewer, TollbridgeError, Unavailable
from tollbridge.jobs.crew import Crew, Errand
from tollbridge.jobs.daily import Run, when
from tollbridge.jobs.helping import answers_again, help_with, is_open
from tollbridge.jobs.parts import Parts
from tollbridge.ledger import Ledger
from tollbridge.ledger.upgrade import must_not_be_newer
from tollbridge.mail import deliver_notices
from tollbridge.words import counted

_LOOK_SECONDS = 1.0
_IDLE_LOOK_SECONDS = 5.0
_PROBE_SECONDS = 30.0
_PAUSE_SECONDS = 5.0

Say = Callable[[str], None]
OpenParts = Callable[[], AbstractContextManager[Parts]]


class _ZonedTask(PeriodicTask[Any, Any, Any]):
    """A task that is due by the clock of a zone, and not by UTC's."""

    zone = ZoneInfo("UTC")

    @property
    def croniter(self) -> croniter:
        """When it is due; it stays in the zone of the moment that it begins with."""
        return croniter(self.cron, datetime.now(self.zone))


class Worker:
    """One worker, until it is told to end or the ledger is a newer version's.

    Each task opens the bridge's parts anew, so that a change of bridge.toml holds from the next one on.
    """

    def __init__(self, open_parts: OpenParts, ledger: Ledger, say: Say) -> None:
        self._open_parts = open_parts
        self._ledger = ledger
        self._queue = Queue(ledger)
        self._say = say
        self._told_to_end = threading.Event()
        self._newer: LedgerNewer | None = None

    async def run(self, every: str | None, zone: ZoneInfo) -> LedgerNewer | None:
        """Work until told to end by SIGTERM or SIGINT: None; or the error that a newer ledger is."""
        loop, ending = asyncio.get_running_loop(), asyncio.Event()

        def end() -> None:
            self._told_to_end.set()
            ending.set()
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.remove_signal_handler(number)  # who asks twice does not want to wait

        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, end)
        loop.set_exception_handler(lambda _loop, _context: None)  # the engine's tasks that end with it: it begins anew
        due = f"; the daily job is due at {every}" if every else ""
        self._say(f"Waiting for runs to help{due}; Ctrl+C ends it.")
        looking = asyncio.create_task(self._look_for_newer(ending))
        while not ending.is_set():
            try:
                await self._serve(every, zone, ending)
            except Exception as error:  # noqa: BLE001 - whatever the engine meets, as a lost connection: it begins anew
                self._say(f"the queue cannot be used, trying again: {_in_short(error)}")
                await _wait(ending, _PAUSE_SECONDS)
        looking.cancel()
        return self._newer

    async def _serve(self, every: str | None, zone: ZoneInfo, ending: asyncio.Event) -> None:
        """Take tasks one after the other, until the engine fails or the worker is to end, which ends what it is at."""
        await asyncio.to_thread(self._queue.forget_the_dead)
        app = self._app(every, zone)
        async with app.open_async():
            working = asyncio.create_task(
                app.run_worker_async(queues=[QUEUE], concurrency=1, install_signal_handlers=False, delete_jobs="always")
            )
            told = asyncio.create_task(ending.wait())
            await asyncio.wait({working, told}, return_when=asyncio.FIRST_COMPLETED)
            told.cancel()
            working.cancel()  # by which it takes no more tasks, and ends after the one that it is at
            with suppress(asyncio.CancelledError):
                await working

    def _app(self, every: str | None, zone: ZoneInfo) -> procrastinate.App:
        arguments = self._ledger.database.libpq
        options = f"{arguments.pop('options', '')} -c search_path={tables.SCHEMA}".strip()
        connector = procrastinate.PsycopgConnector(
            kwargs={**arguments, "options": options}, min_size=1, max_size=4, timeout=_PAUSE_SECONDS
        )
        app = procrastinate.App(connector=connector)
        app.task(name=SEND, queue=QUEUE)(self._send)
        daily = app.task(name=DAILY, queue=QUEUE, queueing_lock=DAILY, priority=1)(self._daily)
        if every is not None:
            due = _ZonedTask(task=daily, cron=every, periodic_id=DAILY, configure_kwargs={})
            object.__setattr__(due, "zone", zone)
            app.periodic_registry.periodic_tasks[DAILY, DAILY] = due
        return app

    # Tasks, in a thread

    def _send(self, **task: Any) -> None:
        """Help a run send, for as long as there is something to send."""
        with self._failures_told():
            self._help(errand_of(**task))

    def _help(self, errand: Errand) -> None:
        while not self._told_to_end.is_set() and is_open(self._ledger, errand):
            with self._open_parts() as parts:
                report = help_with(parts, errand, self._crew(parts, errand))
                if issued := report.invoicing.issued:
                    self._say(f"{counted(issued, 'invoice')} sent for run {errand.run_id}")
                if report.stopped_by is None:
                    return
                if not isinstance(report.stopped_by, Unavailable):
                    raise report.stopped_by
                self._say(f"nothing more is claimed until it answers again: {report.stopped_by}")
                self._wait_for_an_answer(parts, errand)

    def _wait_for_an_answer(self, parts: Parts, errand: Errand) -> None:
        """Ask for one invoice every 30 seconds, until there is an answer or nothing is left to do."""
        while not self._told_to_end.wait(_PROBE_SECONDS) and is_open(self._ledger, errand):
            if answers_again(parts, errand):
                return

    def _daily(self, timestamp: int | None = None) -> None:
        """The daily job, for today; when it was due does not matter."""
        del timestamp
        with self._failures_told(), self._open_parts() as parts:
            now, crew = when(parts, None, dry_run=False), self._crew(parts)
            report = Run(parts, now, False, lambda _step, _done: None, show=0, crew=crew).daily()
            stopped = f", stopped: {report.stopped_by}" if report.stopped_by else ""
            failures = counted(len(report.failures), "failure")
            self._say(f"daily job: {counted(report.invoicing.issued, 'invoice')}, {failures}{stopped}")
            if parts.settings.notify is not None:
                deliver_notices(parts.ledger.outbox, parts.settings)

    def _crew(self, parts: Parts, errand: Errand | None = None) -> Crew:
        settings = parts.settings.distributed
        return Crew(
            ask=self._queue.asked if errand is None else None,
            at_most=None if settings is None else settings.per_worker,
            go_on=_Look(self, errand),
        )

    @contextmanager
    def _failures_told(self) -> Iterator[None]:
        """A task that fails is told and forgotten: the ledger knows what is left. The next one has to wait a little."""
        try:
            yield
        except Interrupted:
            return
        except LedgerNewer:
            return  # noticed by the next look
        except TollbridgeError as error:
            self._say(str(error))
        except Exception as error:  # noqa: BLE001 - a worker outlives whatever one task meets
            self._say(f"a fault of Tollbridge, or of something installed beside it: {type(error).__name__}: {error}")
        else:
            return
        self._told_to_end.wait(_PAUSE_SECONDS)

    # What ends it

    async def _look_for_newer(self, ending: asyncio.Event) -> None:
        while not ending.is_set():
            with suppress(LedgerError):
                try:
                    await asyncio.to_thread(self.look)
                except LedgerNewer as error:
                    self._newer = error
                    self._told_to_end.set()
                    ending.set()
                    return
            await _wait(ending, _IDLE_LOOK_SECONDS)

    def look(self, errand: Errand | None = None) -> None:
        """Raise LedgerNewer or Interrupted if nothing more is to be claimed."""
        if self._told_to_end.is_set():
            raise Interrupted("this worker was told to end; the next run goes on")
        must_not_be_newer(self._ledger.database)
        tables.must_not_be_newer(self._ledger.database)
        if errand is not None and not self._ledger.runs.lives(errand.run_id):
            raise Interrupted(f"run {errand.run_id} has ended")

    @property
    def is_told_to_end(self) -> bool:
        """Whether it was."""
        return self._told_to_end.is_set()


class _Look:
    """Whether to go on: at the worker's own orders before each claim, at the ledger once a second."""

    def __init__(self, worker: Worker, errand: Errand | None) -> None:
        self._worker = worker
        self._errand = errand
        self._next = 0.0

    def __call__(self) -> None:
        now = time.monotonic()
        if self._worker.is_told_to_end or now >= self._next:
            self._worker.look(self._errand)
            self._next = now + _LOOK_SECONDS


async def _wait(ending: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(ending.wait(), seconds)


def _in_short(error: BaseException) -> str:
    words = str(error.__cause__ or error).strip()
    return words.splitlines()[0] if words else type(error).__name__


def quiet_engine() -> None:
    """The engine's own log is not ours: what matters of it is told in our words."""
    for name in ("procrastinate", "psycopg.pool"):
        logger = logging.getLogger(name)
        logger.addHandler(logging.NullHandler())
        logger.propagate = False
