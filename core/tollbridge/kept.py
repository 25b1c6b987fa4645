"""The one cache: a value that is slow to read, kept for a while, read by one thread at a time."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import Generic, TypeVar

import attrs

from tollbridge.errors import NotFound, TollbridgeError, Unavailable

Value = TypeVar("Value")


def here(read: Callable[[], None]) -> None:
    """Read in the thread that found the value too old."""
    read()


def aside(read: Callable[[], None]) -> None:
    """Read in a thread of its own, which keeps no process from ending."""
    threading.Thread(target=read, name="tollbridge-aside", daemon=True).start()


@attrs.frozen
class Freshness:
    """How old a kept value may be, and how long a new one is waited for.

    Attributes:
        seconds: a younger value is given without asking.
        stale_seconds: a younger one is still given when it cannot be read anew, unless the answer is ``NotFound``.
        patience_seconds: how long a reading may take before whoever waits for it is given such a stale value.
        most_seconds: how long anybody waits who cannot be given one; None: as long as it takes.
    """

    seconds: float = 60.0
    stale_seconds: float = 0.0
    patience_seconds: float = 0.0
    most_seconds: float | None = None


_MINUTE = Freshness()


class Reading(Future[Value]):
    """A value that is being read; ``began`` is by the monotonic clock."""

    def __init__(self, began: float) -> None:
        super().__init__()
        self.began = began


@attrs.frozen
class _Last(Generic[Value]):
    value: Value
    began: float


class Kept(Generic[Value]):
    """What ``read`` gave last, for any number of threads; one of them reads, and the others wait for it.

    Args:
        read: gives the value. What it gives is kept also if nobody waits for it any more; an error is not.
        freshness: how old the value may be; a minute.
        start: where it is read, :func:`here` or :func:`aside`. It may raise ``Unavailable`` instead of reading.
    """

    __slots__ = ("_freshness", "_last", "_lock", "_read", "_start", "_under_way")

    def __init__(
        self,
        read: Callable[[], Value],
        freshness: Freshness = _MINUTE,
        start: Callable[[Callable[[], None]], None] = here,
    ) -> None:
        self._read = read
        self._freshness = freshness
        self._start = start
        self._lock = threading.Lock()
        self._last: _Last[Value] | None = None
        self._under_way: Reading[Value] | None = None

    def get(self, *, fresh: bool = False) -> Value:
        """The value; ``fresh`` reads it anew, unless another thread began to after this one asked.

        Raises:
            Unavailable: it did not come in time.
            Exception: what ``read`` raised, if no stale value may be given.
        """
        if fresh:
            return self.reading(since=time.monotonic()).result()
        reading = self.reading()
        wait([reading], self.patience(reading))
        return self.outcome(reading)

    def remembered(self) -> Value | None:
        """The value, if it can be given without asking."""
        last = self._last
        if last is None or last.began <= time.monotonic() - self._freshness.seconds:
            return None
        return last.value

    def reading(self, *, since: float | None = None) -> Reading[Value]:
        """The value or, if it is too old, the reading that is under way, or a new one.

        With ``since``, of the monotonic clock, only what was begun after that moment counts.
        """
        while True:
            with self._lock:
                now, last, under_way = time.monotonic(), self._last, self._under_way
                if last is not None and last.began > (now - self._freshness.seconds if since is None else since):
                    given: Reading[Value] = Reading(last.began)
                    given.set_result(last.value)
                    return given
                if under_way is None:
                    mine = self._under_way = Reading(now)
                    break
                if since is None or under_way.began > since:
                    return under_way
            wait([under_way])
        try:
            self._start(lambda: self._finish(mine))
        except Exception as error:  # noqa: BLE001 - it goes to everybody who waits
            self._end(mine, error)
        return mine

    def patience(self, reading: Reading[Value]) -> float | None:
        """For how many seconds to wait for ``reading``."""
        if self._stale() is None:
            return self._freshness.most_seconds
        return max(0.0, reading.began + self._freshness.patience_seconds - time.monotonic())

    def outcome(self, reading: Reading[Value]) -> Value:
        """What ``reading`` gave or, if it failed or is not done, the stale value; errors as of :meth:`get`."""
        error = reading.exception() if reading.done() else Unavailable("there is no answer yet")
        if error is None:
            return reading.result()
        stale = self._stale()
        if stale is None or isinstance(error, NotFound) or not isinstance(error, TollbridgeError):
            raise error
        return stale.value

    def _stale(self) -> _Last[Value] | None:
        last = self._last
        if last is None or last.began <= time.monotonic() - self._freshness.stale_seconds:
            return None
        return last

    def _finish(self, reading: Reading[Value]) -> None:
        try:
            value = self._read()
        except BaseException as error:  # noqa: BLE001 - it goes to everybody who waits, this thread among them
            self._end(reading, error)
            return
        with self._lock:
            self._last, self._under_way = _Last(value, reading.began), None
        reading.set_result(value)

    def _end(self, reading: Reading[Value], error: BaseException) -> None:
        with self._lock:
            self._under_way = None
            if isinstance(error, NotFound):
                self._last = None
        reading.set_exception(error)
