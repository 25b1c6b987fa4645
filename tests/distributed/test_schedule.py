"""When the daily job is due: in the zone of the months, once for all workers, whatever their clocks say."""

import asyncio
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from procrastinate.periodic import PeriodicDeferrer

from tests.distributed.test_worker import JOBS
from tollbridge.distributed.tables import bring_up_to_date
from tollbridge.distributed.worker import Worker
from tollbridge.jobs.parts import Parts
from tollbridge.ledger import Ledger
from tollbridge.secret import DatabaseUrl


def no_parts() -> AbstractContextManager[Parts]:
    """No task is begun here."""
    raise AssertionError


@pytest.mark.parametrize(
    ("zone", "at", "due"),
    [
        ("UTC", "2026-07-01T00:00", "2026-07-01T00:17"),
        ("Asia/Tokyo", "2026-07-01T00:00", "2026-07-01T15:17"),
        ("America/New_York", "2026-07-01T00:00", "2026-07-01T04:17"),
        ("America/New_York", "2026-12-01T00:00", "2026-12-01T05:17"),
        ("Asia/Kolkata", "2026-07-01T00:00", "2026-07-01T18:47"),
    ],
)
def test_the_schedule_is_in_the_zone_of_the_months(postgresql_url: str, zone: str, at: str, due: str) -> None:
    ledger = Ledger.open(DatabaseUrl(postgresql_url))
    worker = Worker(no_parts, ledger, print)
    deferrer = PeriodicDeferrer(worker._app("17 0 * * *", ZoneInfo(zone)).periodic_registry)
    now = datetime.fromisoformat(at).replace(tzinfo=UTC)
    assert now.timestamp() + deferrer.get_next_tick(now.timestamp()) == _seconds(due)
    ledger.close()


def _seconds(moment: str) -> float:
    return datetime.fromisoformat(moment).replace(tzinfo=UTC).timestamp()


def test_what_is_due_is_put_into_the_queue_once_however_many_workers_there_are(postgresql_url: str) -> None:
    ledger = Ledger.open(DatabaseUrl(postgresql_url))
    bring_up_to_date(ledger.database)

    async def tick(moment: str) -> int:
        app = Worker(no_parts, ledger, print)._app("17 * * * *", ZoneInfo("UTC"))
        deferrer = PeriodicDeferrer(app.periodic_registry)
        async with app.open_async():
            await deferrer.defer_jobs(deferrer.get_previous_tasks(_seconds(moment)))
        with ledger.database.read() as connection:
            count: int = connection.exec_driver_sql(f"SELECT count(*) FROM {JOBS}").scalar_one()
        return count

    counts = [asyncio.run(tick(at)) for at in ("2026-07-01T00:18", "2026-07-01T00:18", "2026-07-01T00:20")]
    assert counts == [1, 1, 1]
    with ledger.database.write() as connection:  # done, and deleted
        connection.exec_driver_sql("SET LOCAL search_path TO tollbridge_queue")
        connection.exec_driver_sql("DELETE FROM procrastinate_jobs")
    counts = [asyncio.run(tick(at)) for at in ("2026-07-01T00:21", "2026-07-01T01:18", "2026-07-01T02:18")]
    assert counts == [0, 1, 1], "one that waits is enough"
    ledger.close()
