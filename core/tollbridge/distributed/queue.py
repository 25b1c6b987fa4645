"""The queue: what a run asks workers for, as tasks of Procrastinate.

The ledger's claims decide what is sent, and by whom; the queue only wakes workers. A task that is lost, or done twice,
or done when its run is long over, changes nothing.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import date, datetime
from typing import Any

import procrastinate
import sqlalchemy as sa
from procrastinate.exceptions import AlreadyEnqueued, ProcrastinateException

from tollbridge.distributed.tables import HERE
from tollbridge.errors import LedgerError
from tollbridge.jobs.crew import Errand
from tollbridge.jobs.parts import When
from tollbridge.ledger import Ledger
from tollbridge.ledger.database import Database
from tollbridge.rules.calendar import Month

QUEUE = "tollbridge"
SEND = "send"
DAILY = "daily"
_MOST_TASKS = 200  # of one run: more than there are workers, however often one dies

_app = procrastinate.App(connector=procrastinate.SyncPsycopgConnector())  # never opened: the ledger's connections do


class Queue:
    """The queue of one ledger."""

    def __init__(self, ledger: Ledger) -> None:
        self._database: Database = ledger.database

    @contextmanager
    def asked(self, errand: Errand) -> Iterator[None]:
        """Workers are asked to help: a task for each page of clients; in the end, those nobody began are taken back.

        Raises:
            LedgerError: they cannot be asked.
        """
        task = task_arguments(errand)
        self._defer(SEND, [task] * min(errand.pages, _MOST_TASKS))
        try:
            yield
        finally:
            with suppress(LedgerError):
                self._take_back(errand.run_id)

    def start_daily(self) -> None:
        """Have some worker run the daily job now, unless that is asked for already."""
        with suppress(AlreadyEnqueued):
            self._defer(DAILY, [{}], queueing_lock=DAILY)

    def _defer(self, name: str, tasks: list[dict[str, Any]], queueing_lock: str | None = None) -> None:
        with self._database.write() as connection:
            connection.execute(HERE)
            driver = connection.connection.driver_connection
            task = _app.configure_task(name, queue=QUEUE, queueing_lock=queueing_lock, connection=driver)
            try:
                task.batch_defer(*tasks)
            except AlreadyEnqueued:
                raise
            except ProcrastinateException as error:
                raise LedgerError(f"the queue cannot be used: {str(error.__cause__ or error).strip()}") from error

    def _take_back(self, run_id: int) -> None:
        """Remove a run's tasks that wait, and whatever the dead have begun."""
        self._delete(f"{_DEAD} OR (task_name = :send AND status = 'todo' AND (args->>'run')::bigint = :run)", run_id)

    def forget_the_dead(self) -> None:
        """Remove tasks that were begun by workers which are gone: the ledger knows what is left of them."""
        self._delete(_DEAD)

    def _delete(self, which: str, run_id: int | None = None) -> None:
        statement = f"DELETE FROM procrastinate_jobs WHERE queue_name = :queue AND ({which})"  # noqa: S608
        values = {"queue": QUEUE} if run_id is None else {"queue": QUEUE, "send": SEND, "run": run_id}
        with self._database.write() as connection:
            connection.execute(HERE)
            connection.execute(sa.text(statement), values)


_DEAD = "(status = 'doing' AND worker_id IS NULL)"  # the engine removes workers without a sign of life


def task_arguments(errand: Errand) -> dict[str, Any]:
    """An errand as a task has it."""
    return {
        "run": errand.run_id,
        "day": errand.when.day.isoformat(),
        "now": errand.when.now.isoformat(),
        "pretended": errand.when.pretended,
        "months": [str(month) for month in errand.months],
    }


def errand_of(run: int, day: str, now: str, pretended: bool, months: list[str]) -> Errand:
    """The same, read again."""
    when = When(datetime.fromisoformat(now), date.fromisoformat(day), pretended)
    return Errand(run, when, [Month.parse(month) for month in months], 1)
