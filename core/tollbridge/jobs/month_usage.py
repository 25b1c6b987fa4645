"""Reading usage whole: two complete answers that agree, or nothing."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import attrs

from tollbridge.jobs.scratch import StagedBilled, StagedUsage
from tollbridge.jobs.work import Work
from tollbridge.ledger.readings import Reading, UnbilledUser
from tollbridge.model import UserUsage
from tollbridge.rules.calendar import Month
from tollbridge.usage import read_usage

_TELL_EVERY = 100


def read_month(work: Work, staged: StagedUsage, month: Month, meanwhile: Callable[[], None]) -> Reading:
    """All of a month's usage; users whose billing id the panel lacks are known by their account.

    What was nobody's and has been written off is left out, whosever it is by now. ``meanwhile`` is called again and
    again while it is read. The reading is to be kept, see :func:`keep_reading`.

    Raises:
        Incomplete: something is missing, or two answers do not agree.
    """
    ledger = work.parts.ledger
    start, end = ledger.months.interval(month, work.parts.settings.billing.timezone)
    reading = read_interval(work, staged, start, end, ended=end <= work.when.now, meanwhile=meanwhile)
    staged.assign(ledger.accounts.clients_of_users(staged.unassigned()))
    staged.leave_out(user.user_id for user in ledger.readings.let_be(month))
    return reading


def keep_reading(work: Work, month: Month, reading: Reading, staged: StagedUsage, billed: StagedBilled) -> None:
    """Keep a reading, and whose usage of it is nobody's: less what was billed before its user lost its client.

    What was nobody's before and is not reported any more, or was written off, is kept as it was.
    """
    readings = work.parts.ledger.readings
    found = {user.user_id: user for user in staged.unbilled()}
    for before in readings.unbilled(month):
        there = staged.items_of_users([before.user_id])
        gone = tuple(item for item in before.items if (before.user_id, item.type, item.id) not in there)
        if gone:
            now = found.get(before.user_id, UnbilledUser(before.user_id, 0))
            items = (*now.items, *gone)
            found[before.user_id] = UnbilledUser(before.user_id, sum(item.tokens for item in items), items)
    nobodys = [left for user in found.values() if (left := _less(user, billed)).tokens > 0]
    readings.keep(month, reading, [*nobodys, *readings.let_be(month)], work.live.id)


def _less(user: UnbilledUser, billed: StagedBilled) -> UnbilledUser:
    """The user with the tokens that are nobody's; its items stay as they are reported."""
    was = billed.of_users([user.user_id])
    if not was:
        return user
    keys = ((item, (user.user_id, item.type, item.id)) for item in user.items)
    left = sum(max(0, item.tokens - (was[key].tokens if key in was else 0)) for item, key in keys)
    return attrs.evolve(user, tokens=left)


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
