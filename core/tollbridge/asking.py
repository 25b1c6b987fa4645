"""Asking a slow system: a few questions at once, and the same one not too often. For adapters."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

from tollbridge.errors import OutcomeUnknown, Refused, TollbridgeError
from tollbridge.model import Check

Key = TypeVar("Key")
Value = TypeVar("Value")

_KEPT_SECONDS = 60.0
_AT_ONCE = 4
_BATCH = 100


class Kept(Generic[Value]):
    """The result of ``read``, at most a minute old, for any number of threads."""

    def __init__(self, read: Callable[[], Value]) -> None:
        self._read = read
        self._lock = threading.Lock()
        self._value: tuple[float, Value] | None = None

    def get(self, *, fresh: bool = False) -> Value:
        """The value; ``fresh`` reads it now."""
        with self._lock:
            if fresh or self._value is None or time.monotonic() - self._value[0] > _KEPT_SECONDS:
                self._value = (time.monotonic(), self._read())
            return self._value[1]


def each(read: Callable[[Key], Value | None], keys: Sequence[Key]) -> Iterator[Value | Refused]:
    """What ``read`` gives for each key, in their order, four at a time.

    One that is None is left out; one that is ``Refused`` comes as its error, so that the others still follow.
    """

    def read_or_refuse(key: Key) -> Value | Refused | None:
        try:
            return read(key)
        except Refused as error:
            return error

    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="tollbridge-asking") as pool:
        for start in range(0, len(keys), _BATCH):
            found = pool.map(read_or_refuse, keys[start : start + _BATCH])
            yield from (value for value in found if value is not None)


def made_certain(read_back: Callable[[], Value | None], what: str) -> Value:
    """What was just made, read back. It is there by now, so whatever goes wrong here, the outcome is unknown."""
    try:
        found = read_back()
    except TollbridgeError as error:
        raise OutcomeUnknown(f"{what} was made, but reading it back failed: {error}") from None
    if found is None:
        raise OutcomeUnknown(f"{what} was made, as was answered, and is not found")
    return found


def tried(name: str, find_out: Callable[[], str]) -> Check:
    """A check for ``tollbridge check``: what was found out, or the words of the refusal."""
    try:
        return Check(name, ok=True, detail=find_out())
    except Refused as error:
        return Check(name, ok=False, detail=str(error))
