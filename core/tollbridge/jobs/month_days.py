"""What each day of a client's month came to, by the bridge's own meter."""

from collections.abc import Collection, Iterator
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import attrs

from tollbridge.config import MeterSettings
from tollbridge.jobs.parts import Parts
from tollbridge.rules.stretches import Stretch, gaps_too_long, meter_stretches

_DAY = timedelta(days=1)
_MOST_STRETCHES = 1000  # of one client: what is metered thirty times while a customer waits


@attrs.frozen
class DayTokens:
    """A day in the zone of the months, and what was used on it at the least."""

    day: date
    tokens: int


def tokens_by_day(
    parts: Parts, user_ids: Collection[int], start: datetime, until: datetime
) -> tuple[DayTokens, ...] | None:
    """Every day of ``[start, until)`` with its tokens; None where the meter did not run all that time.

    A day has what the month comes to at its end, less what it came to at its beginning: so the days add up, and one on
    which every server has reached its monthly price has none.
    """
    settings, meter = parts.settings.meter, parts.ledger.meter
    if not user_ids or gaps_too_long(
        meter.snapshots(start, until), start, until, longest=settings.longest_gap, now=until
    ):
        return None
    stretches = meter.stretches(start, until, user_ids)
    if len(stretches) > _MOST_STRETCHES:
        return None
    days, before = [], 0
    for day, end in _days(start, until, parts.settings.billing.timezone):
        so_far = _tokens(stretches, user_ids, start, end, settings)
        days.append(DayTokens(day, so_far - before))
        before = so_far
    return tuple(days)


def _days(start: datetime, until: datetime, zone: ZoneInfo) -> Iterator[tuple[date, datetime]]:
    """Each day with the moment at which it, or the interval, ends."""
    day = start.astimezone(zone).date()
    while datetime.combine(day, time(), zone) < until:
        yield day, min(until, datetime.combine(day + _DAY, time(), zone))
        day += _DAY


def _tokens(
    stretches: list[Stretch], user_ids: Collection[int], start: datetime, end: datetime, settings: MeterSettings
) -> int:
    metered = meter_stretches(stretches, start, end, now=end, stopped_servers=settings.stopped_servers)
    least = [server.least for server in metered if server.user_id in user_ids]
    return sum(each.server + each.backups + each.addresses for each in least)
