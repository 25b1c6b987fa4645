"""The last requests a sandbox was sent, for a test or a person to look at."""

import re
import threading
from collections import deque
from typing import Any

import attrs

LENGTH = 1000
_SECRET = re.compile(r"password|secret|identifier|accesskey|api_?key|(?:^|_)pass$", re.IGNORECASE)
MASK = "********"


@attrs.define
class Entry:
    """One request.

    Attributes:
        query: as it was sent, without the question mark.
        body: the JSON or the form of the request with its secrets masked; None if there was none.
        status: of the answer; None as long as there is none, and for ever if the connection was cut.
    """

    method: str
    path: str
    query: str
    body: Any = None
    status: int | None = None


class Journal:
    """The last thousand requests, oldest first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: deque[Entry] = deque(maxlen=LENGTH)

    def add(self, entry: Entry) -> None:
        """Write a request down."""
        with self._lock:
            self._entries.append(entry)

    def clear(self) -> None:
        """Forget them all."""
        with self._lock:
            self._entries.clear()

    def list(self) -> list[Entry]:
        """A snapshot."""
        with self._lock:
            return [attrs.evolve(entry) for entry in self._entries]


def masked(value: Any) -> Any:
    """``value`` with the text under every key that speaks of a secret replaced."""
    if isinstance(value, dict):
        return {
            key: MASK if _SECRET.search(key) and isinstance(inner, str) else masked(inner)
            for key, inner in value.items()
        }
    if isinstance(value, list):
        return [masked(inner) for inner in value]
    return value
