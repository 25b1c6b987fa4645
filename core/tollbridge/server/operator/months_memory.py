"""The sums of every month, of which only those are made again that something has happened to since."""

import threading

from tollbridge.ledger import Ledger
from tollbridge.ledger.month_sums import MonthSum


class MonthsMemory:
    """What all entries come to, by month, for any number of threads."""

    def __init__(self, ledger: Ledger) -> None:
        self._sums = ledger.sums
        self._lock = threading.Lock()
        self._known: dict[str, tuple[int, list[MonthSum]]] = {}

    def sums(self) -> list[MonthSum]:
        """The sums, the oldest month first. Who comes while they are made waits, and makes none again."""
        with self._lock:
            months = self._sums.months()
            for month, number in months:
                if self._known.get(month, (-1,))[0] != number:
                    self._known[month] = number, self._sums.of_month(month)
            return [each for month, _ in months for each in self._known[month][1]]
