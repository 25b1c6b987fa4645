"""How much a sandbox is asked, and how slowly it answers: for whoever measures what is asked of it."""

import asyncio
import threading
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any


class Load:
    """The calls of one sandbox since the start, or since they were cleared.

    Attributes:
        latency: how long every call takes, in milliseconds, beside the work.
    """

    def __init__(self) -> None:
        self.latency = 0.0
        self._lock = threading.Lock()
        self._calls: Counter[str] = Counter()
        self._now = 0
        self._most = 0

    @property
    def calls(self) -> dict[str, int]:
        """How often each call was made, by its name."""
        with self._lock:
            return dict(sorted(self._calls.items()))

    @property
    def most_at_once(self) -> int:
        """The highest number of calls that were being answered in one moment."""
        with self._lock:
            return self._most

    def clear(self) -> None:
        """Count anew; the latency stays."""
        with self._lock:
            self._calls.clear()
            self._most = 0

    def shown(self) -> dict[str, Any]:
        """All of it, for JSON."""
        return {"latency": self.latency, "calls": self.calls, "most_at_once": self.most_at_once}

    @asynccontextmanager
    async def answering(self, call: str) -> AsyncIterator[None]:
        """Count a call while it is answered, which takes its time."""
        with self._lock:
            self._calls[call] += 1
            self._now += 1
            self._most = max(self._most, self._now)
        try:
            if self.latency:
                await asyncio.sleep(self.latency / 1000)
            yield
        finally:
            with self._lock:
                self._now -= 1
