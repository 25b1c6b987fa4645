"""Months and due dates.

A month is a half-open interval in the configured zone: it begins at local midnight of its first day and ends where
the next one begins, so months tile time without gap or overlap whatever the zone does in between.
"""

import re
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import attrs

_LOOK_BACK = timedelta(days=2)
_MONTH = re.compile(r"(19[0-9]{2}|2[0-9]{3})-(0[1-9]|1[0-2])")


@attrs.frozen(order=True)
class Month:
    """A calendar month; its text form is ``2026-07``."""

    year: int
    number: int

    @classmethod
    def parse(cls, text: str) -> "Month":
        """Read ``2026-07``, from 1900 on; anything else is a ValueError that says so."""
        match = _MONTH.fullmatch(text)
        if match is None:
            raise ValueError(f"{text!r} is not a month like 2026-07")
        return cls(int(match[1]), int(match[2]))

    @classmethod
    def of(cls, moment: datetime, zone: ZoneInfo) -> "Month":
        """The month that ``moment`` falls in, in ``zone``."""
        local = moment.astimezone(zone)
        return cls(local.year, local.month)

    def __str__(self) -> str:
        return f"{self.year:04}-{self.number:02}"

    @property
    def first_day(self) -> date:
        """Its first day."""
        return date(self.year, self.number, 1)

    @property
    def next(self) -> "Month":
        """The month after this one."""
        return Month(self.year + self.number // 12, self.number % 12 + 1)

    @property
    def previous(self) -> "Month":
        """The month before this one."""
        return Month(self.year - (self.number == 1), (self.number - 2) % 12 + 1)

    def months_since(self, other: "Month") -> int:
        """How many months it is after the other: 3 from July to October."""
        return (self.year - other.year) * 12 + self.number - other.number

    @property
    def last_day(self) -> date:
        """Its last day, which belongs to it: July has the 31st."""
        return self.next.first_day - timedelta(days=1)

    def start(self, zone: ZoneInfo) -> datetime:
        """The first instant of the month in ``zone``, as aware UTC."""
        return datetime(self.year, self.number, 1, tzinfo=zone).astimezone(UTC)

    def interval(self, zone: ZoneInfo) -> tuple[datetime, datetime]:
        """``[start, end)`` in UTC; ``end`` is the start of the next month."""
        return self.start(zone), self.next.start(zone)


def months_to_invoice(start: Month, now: datetime, zone: ZoneInfo, settle: timedelta) -> list[Month]:
    """Every month from ``start`` on that has ended and settled at ``now``, oldest first."""
    months = []
    month = start
    while month.next.start(zone) + settle <= now:
        months.append(month)
        month = month.next
    return months


def end_of_day(day: date, zone: ZoneInfo) -> datetime:
    """The last second of ``day`` in ``zone``, as aware UTC: the moment a run for that day takes as its now."""
    midnight = datetime.combine(day + timedelta(days=1), datetime.min.time(), tzinfo=zone)
    return midnight.astimezone(UTC) - timedelta(seconds=1)


def due_date(issue_date: date, grace_days: int) -> date:
    """The last day on which payment is in time."""
    return issue_date + timedelta(days=grace_days)


def look_back(end: datetime) -> date:
    """From which day on invoices of a month may have been made that ends at ``end``: zones differ, and clocks."""
    return (end - _LOOK_BACK).date()
