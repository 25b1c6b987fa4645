"""Reading usage whole: two complete answers that agree, or nothing."""

from datetime import UTC, datetime

from tollbridge.jobs.scratch import StagedUsage
from tollbridge.jobs.work import Work
from tollbridge.ledger.readings import Reading
from tollbridge.rules.calendar import Month
from tollbridge.solus.panel import again_if_incomplete


def read_month(work: Work, staged: StagedUsage, month: Month) -> Reading:
    """All of a month's usage; users whose billing id the panel lacks are known by their account.

    Raises:
        Incomplete: something is missing, or two answers do not agree.
    """
    ledger = work.parts.ledger
    start, end = ledger.months.interval(month, work.parts.settings.billing.timezone)
    reading = read_interval(work, staged, start, end, ended=end <= work.when.now)
    staged.assign(ledger.accounts.clients_of_users(staged.unassigned()))
    ledger.readings.keep(month, reading, staged.unbilled(), work.live.id)
    return reading


def read_interval(work: Work, staged: StagedUsage, start: datetime, end: datetime, *, ended: bool) -> Reading:
    """All usage of an interval; ``ended``: nothing can be added to it any more."""
    source = work.parts.usage
    again_if_incomplete(lambda: staged.fill(source.read(start, end)))
    users = staged.connection.execute("SELECT count(*) FROM usage").fetchone()[0]
    return Reading(source.name, start, end, datetime.now(UTC), users, staged.tokens(), "")
