"""The prices that SolusIO asks for: from memory, or looked up a few at a time in threads of their own."""

import asyncio
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from functools import partial
from statistics import median
from typing import Any

from tollbridge.errors import NotFound, Unavailable
from tollbridge.kept import Freshness, Kept, Reading
from tollbridge.rules.pricing import MonthPrices

_MOST_REMEMBERED = 50_000
_PATIENCE_SECONDS = 2.0  # a panel that shows a price waits no longer than that for a fresher one
_MOST_SECONDS = 4.5  # an answer is there within five seconds, or it is that there is none


async def arrival(reading: Reading[Any], seconds: float | None) -> None:
    """Wait until it is done, but no longer than that."""
    if not reading.done():
        done = asyncio.wrap_future(reading)
        done.add_done_callback(lambda it: it.cancelled() or it.exception())  # it may come when nobody waits any more
        await asyncio.wait({done}, timeout=seconds)


class LookupThreads:
    """Threads for look-ups alone: at most ``at_once`` look up, and only so many wait as can be served in time.

    A look-up that hangs keeps its thread, but not the process, from ending.
    """

    def __init__(self, at_once: int) -> None:
        self._at_once = at_once
        self._lock = threading.Lock()
        self._running = 0
        self._waiting: deque[Callable[[], None]] = deque()
        self._moved = 0.0  # when one ended last, or began in a free thread
        self._took: deque[float] = deque([0.01], maxlen=8 * at_once)  # seconds

    def start(self, look_up: Callable[[], None]) -> None:
        """Look up as soon as a thread is free.

        Raises:
            Unavailable: too many wait already, or nothing comes back.
        """
        with self._lock:
            now = time.monotonic()
            if self._running < self._at_once:
                threading.Thread(target=self._work, args=(look_up,), name="tollbridge-price", daemon=True).start()
                self._running += 1
                self._moved = now
                return
            rounds = 1 + len(self._waiting) // self._at_once  # that must end before this one can begin
            if (rounds + 1) * median(self._took) > _MOST_SECONDS:
                raise Unavailable("more look-ups wait for the billing system than it can answer in time")
            if now - self._moved > _PATIENCE_SECONDS:
                raise Unavailable("the billing system answers none of the look-ups before this one")
            self._waiting.append(look_up)

    def stop(self) -> None:
        """Begin no other look-up."""
        with self._lock:
            self._waiting.clear()

    def _work(self, look_up: Callable[[], None]) -> None:
        """Do this look-up, and then those that wait."""
        while True:
            began = time.monotonic()
            look_up()
            with self._lock:
                self._moved = time.monotonic()
                self._took.append(self._moved - began)
                if not self._waiting:
                    self._running -= 1
                    return
                look_up = self._waiting.popleft()


class Prices:
    """Answers by client id.

    A fresh answer is served from memory; a missing or older one is looked up once, however many wait for it. When that
    fails, or takes long, an answer that is not yet stale is served instead. Answers are remembered for the month and
    the price list that they were made with, and for no other.

    Args:
        look_up: makes the answer of one client by a month's list; called in ``threads``.
        lists: gives the list of the month that it is.
    """

    def __init__(
        self,
        look_up: Callable[[int, MonthPrices], bytes],
        lists: Callable[[], Kept[MonthPrices]],
        threads: LookupThreads,
        *,
        fresh_seconds: float,
        stale_seconds: float,
    ) -> None:
        self._look_up = look_up
        self._lists = lists
        self._threads = threads
        self._freshness = Freshness(fresh_seconds, stale_seconds, _PATIENCE_SECONDS, _MOST_SECONDS)
        self._list: MonthPrices | None = None
        self._kept: OrderedDict[int, Kept[bytes]] = OrderedDict()

    def remembered(self, client_id: int) -> bytes | None:
        """The answer, if it is in memory and fresh, and so is the list it was made with."""
        kept = self._kept.get(client_id)
        if kept is None or self._lists().remembered() is not self._list:
            return None
        return kept.remembered()

    async def answer(self, client_id: int) -> bytes:
        """The answer, looked up if need be; within five seconds.

        Raises:
            TollbridgeError: it cannot be looked up in time, and nothing that may still be served is remembered.
        """
        last = time.monotonic() + _MOST_SECONDS
        prices = await self._current(last)
        kept = self._kept.get(client_id)
        if kept is None:
            look_up = partial(self._look_up, client_id, prices)
            kept = self._kept[client_id] = Kept(look_up, self._freshness, self._threads.start)
            while len(self._kept) > _MOST_REMEMBERED:
                self._kept.popitem(last=False)
        self._kept.move_to_end(client_id)
        reading = kept.reading()
        await arrival(reading, _shorter(kept.patience(reading), last))
        try:
            return kept.outcome(reading)
        except NotFound:
            if self._kept.get(client_id) is kept:
                del self._kept[client_id]
            raise

    async def _current(self, last: float) -> MonthPrices:
        """The list of the month that it is; what was remembered by another one is forgotten."""
        kept = self._lists()
        reading = kept.reading()
        await arrival(reading, _shorter(kept.patience(reading), last))
        found = kept.outcome(reading)
        if found != self._list:
            self._kept = OrderedDict()
        self._list = found
        return found


def _shorter(seconds: float | None, last: float) -> float:
    """As many seconds, but not beyond the moment ``last`` of the monotonic clock."""
    left = max(0.0, last - time.monotonic())
    return left if seconds is None else min(seconds, left)
