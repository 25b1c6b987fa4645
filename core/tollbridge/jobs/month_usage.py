"""Reading usage whole: two complete answers that agree, or nothing."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from tollbridge.jobs.scratch import StagedUsage
from tollbridge.jobs.work import Work
from tollbridge.ledger.readings import Reading
from tollbridge.model import UserUsage
from tollbridge.rules.calendar import Month
from tollbridge.usage import read_usage

_TELL_EVERY = 100


def read_month(work: Work, staged: StagedUsage, month: Month, meanwhile: Callable[[], None]) -> Reading:
    """All of a month's usage; users whose billing id the panel lacks are known by their account.

    ``meanwhile`` is called again and again while it is read.

    Raises:
        Incomplete: something is missing, or two answers do not agree.
    """
    ledger = work.parts.ledger
    start, end = ledger.months.interval(month, work.parts.settings.billing.timezone)
    reading = read_interval(work, staged, start, end, ended=end <= work.when.now, meanwhile=meanwhile)
    staged.assign(ledger.accounts.clients_of_users(staged.unassigned()))
    ledger.readings.keep(month, reading, staged.unbilled(), work.live.id)
    return reading


def read_interval(
    work: Work,
    staged: StagedUsage,
    start: datetime,
    end: datetime,
    *,
    ended: bool,
    meanwhile: Callable[[], None] = lambda: None,
) -> Reading:
    """All usage of an interval; ``ended``: nothing can be added to it any more."""

    def told(rows: Iterator[UserUsage]) -> Iterator[UserUsage]:
        for number, row in enumerate(rows, 1):
            if number % _TELL_EVERY == 0:
                work.progress("usage", number)
                meanwhile()
            yield row

    def keep(rows: Iterator[UserUsage]) -> None:
        staged.fill(told(rows))
        meanwhile()

    return read_usage(work.parts.usage, start, end, keep, ended=ended, now=datetime.now(UTC))
