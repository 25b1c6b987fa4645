"""Which price list a month is billed with, and what is said if bridge.toml has another one."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

import attrs

from tollbridge.jobs.parts import Parts
from tollbridge.jobs.pricing import Pricer
from tollbridge.kept import Freshness, Kept, aside
from tollbridge.ledger.price_lists import KeptList
from tollbridge.rules.calendar import Month
from tollbridge.rules.pricing import MonthPrices, PriceList, differences

Clock = Callable[[], datetime]

# While the ledger does not answer, the list that it gave last holds: to the end of the month, and for no other one.
_FRESHNESS = Freshness(60, stale_seconds=float("inf"), patience_seconds=1, most_seconds=3)


def now() -> datetime:
    """The present."""
    return datetime.now(UTC)


def prices_to_bill(parts: Parts, month: Month, run_id: int) -> MonthPrices:
    """What a run bills the month with: the kept list, and bridge.toml's if none is kept, which it is from now on.

    A dry run with another file than the list was seen in tries its own.
    """
    own = _own(parts, month)
    kept = parts.ledger.price_lists.keep(month, own, parts.file, run_id)
    return MonthPrices(month, own if _tries_its_own(parts, kept) else kept.prices)


class ListsToBill:
    """The lists that one run bills months with, each asked for once, by any number of threads."""

    def __init__(self, parts: Parts, run_id: int) -> None:
        """To be made once the run may draft: from then on nobody replaces a list."""
        self._parts = parts
        self._run_id = run_id
        self._lock = threading.Lock()
        self._found: dict[Month, MonthPrices] = {}

    def of(self, month: Month) -> MonthPrices:
        """The month's list; errors as of the ledger."""
        with self._lock:
            if month not in self._found:
                self._found[month] = prices_to_bill(self._parts, month, self._run_id)
            return self._found[month]


def shown_prices(parts: Parts, month: Month) -> MonthPrices:
    """What a run would bill the month with, for whoever only looks."""
    own = _own(parts, month)
    kept = parts.ledger.price_lists.find(month)
    if kept is None or _tries_its_own(parts, kept):
        return MonthPrices(month, own)
    return MonthPrices(month, kept.prices.joined(own))


def another_list(parts: Parts, month: Month) -> str | None:
    """What to say if bridge.toml has another list for the month than it is billed with."""
    own = _own(parts, month)
    kept = parts.ledger.price_lists.find(month)
    if kept is None or own == (prices := kept.prices.joined(own)):
        return None
    differs = ", ".join(differences(prices, own))
    if _tries_its_own(parts, kept):
        return f"{month} is shown with the prices of {parts.file}; a run bills it with those kept for it ({differs})"
    return (
        f"{month} is billed with the prices kept for it, and bridge.toml has others ({differs}): give them a month in"
        f" [[pricing.changes]], or, before {month} is drafted, `tollbridge reprice --month {month} --reason TEXT`"
    )


def running_month(parts: Parts, moment: datetime) -> Month:
    """The month that it is at a moment."""
    return Month.of(moment, parts.settings.billing.timezone)


def _own(parts: Parts, month: Month) -> PriceList:
    return parts.settings.pricing.price_list(month)


def _tries_its_own(parts: Parts, kept: KeptList) -> bool:
    return parts.is_dry and parts.file != kept.file


@attrs.frozen
class _Asked:
    """The list of a month, as the ledger is asked for it while that month lasts."""

    month: Month
    start: datetime
    end: datetime
    kept: Kept[MonthPrices]


class RunningPrices:
    """What tokens cost in the month that it is, for any number of threads: the ledger's list, asked once a minute.

    Args:
        clock: tells the time, by which months end.
    """

    def __init__(self, parts: Parts, clock: Clock = now) -> None:
        self.pricer = Pricer(parts.billing)
        self._parts = parts
        self._clock = clock
        self._lock = threading.Lock()
        self._asked = self._of(clock())

    def kept(self) -> Kept[MonthPrices]:
        """The list of the month that it is; a month that has ended is not asked for again."""
        moment, asked = self._clock(), self._asked
        if not asked.start <= moment < asked.end:
            with self._lock:
                if not self._asked.start <= moment < self._asked.end:
                    self._asked = self._of(moment)
                asked = self._asked
        return asked.kept

    def list(self) -> MonthPrices:
        """The list; LedgerError or Unavailable if none is known of this month."""
        return self.kept().get()

    def offered(self) -> tuple[str, ...]:
        """The currencies that can be paid in."""
        return self.pricer.offered(self.list().prices)

    def differs(self, of: MonthPrices) -> bool:
        """Whether bridge.toml has another list for that month."""
        own = _own(self._parts, of.month)
        return of.prices.joined(own) != own

    def _of(self, moment: datetime) -> _Asked:
        zone = self._parts.settings.billing.timezone
        month = Month.of(moment, zone)
        return _Asked(month, *month.interval(zone), Kept(partial(self._read, month), _FRESHNESS, aside))

    def _read(self, month: Month) -> MonthPrices:
        parts = self._parts
        return MonthPrices(month, parts.ledger.price_lists.look(month, _own(parts, month), parts.file).prices)
