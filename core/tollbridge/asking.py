"""Asking a slow system: a few questions at once, and the same one not too often. For adapters."""

import re
import time
from collections import deque
from collections.abc import Callable, Hashable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Generic, TypeVar

from tollbridge.errors import NotFound, OutcomeUnknown, Refused, TollbridgeError, Unavailable
from tollbridge.kept import Freshness, Kept
from tollbridge.model import Check

__all__ = ["Freshness", "Kept", "Lately", "each", "made_certain", "tried", "whole_list"]

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")

_LATELY_SECONDS = 600.0
_AT_ONCE = 4
_AHEAD = 100
_UNAVAILABLE_IN_A_ROW = 3


class Lately(Generic[Key, Value]):
    """What was learnt of each key in the last ten minutes, for any number of threads."""

    def __init__(self) -> None:
        self._values: dict[Key, tuple[float, Value]] = {}

    def keep(self, key: Key, value: Value) -> None:
        """This was learnt just now."""
        self._values[key] = (time.monotonic(), value)

    def get(self, key: Key) -> Value | None:
        """What was learnt last, unless it is more than ten minutes old."""
        learnt, value = self._values.get(key, (0.0, None))
        return value if time.monotonic() - learnt <= _LATELY_SECONDS else None


def each(
    read: Callable[[Key], Value | None], keys: Sequence[Key], *, what: str = "", at_once: int = _AT_ONCE
) -> Iterator[Value | Refused]:
    """What ``read`` gives for each key, in their order, so many at a time.

    One that is None, or not found, is left out. One that fails comes as ``Refused``, so that one broken record hides no
    others; when several in a row are ``Unavailable`` it is the whole system, and that is raised. ``what`` the keys are
    of, such as "client", is put before the words of an error that does not name its key.
    """
    failed_in_a_row = 0
    pool = ThreadPoolExecutor(at_once, thread_name_prefix="tollbridge-asking")
    try:
        for key, value in _in_order(pool, read, keys):
            failed_in_a_row = failed_in_a_row + 1 if isinstance(value, Unavailable) else 0
            if isinstance(value, Unavailable) and failed_in_a_row == _UNAVAILABLE_IN_A_ROW:
                raise value
            if isinstance(value, Unavailable | Refused):
                yield Refused(_named(str(value), what, key))
            elif value is not None:
                yield value
    finally:
        pool.shutdown(cancel_futures=True)


def _in_order(
    pool: ThreadPoolExecutor, read: Callable[[Key], Value | None], keys: Sequence[Key]
) -> Iterator[tuple[Key, Value | Refused | Unavailable | None]]:
    """The keys' results; the pool is kept busy some way ahead of whoever takes them."""
    asked: deque[tuple[Key, Future[Value | Refused | Unavailable | None]]] = deque()
    for key in keys:
        asked.append((key, pool.submit(_tried_to, read, key)))
        if len(asked) == _AHEAD:
            first, result = asked.popleft()
            yield first, result.result()
    for first, result in asked:
        yield first, result.result()


def _named(words: str, what: str, key: object) -> str:
    is_named = not what or re.search(rf"(?<!\w){re.escape(str(key))}(?!\w)", words)
    return words if is_named else f"{what} {key}: {words}"


@contextmanager
def whole_list() -> Iterator[None]:
    """Within it, a no is one to a whole list, and not to one of its records: it becomes ``Unavailable``."""
    try:
        yield
    except (NotFound, Refused) as error:
        raise Unavailable(str(error)) from None


def _tried_to(read: Callable[[Key], Value | None], key: Key) -> Value | Refused | Unavailable | None:
    try:
        return read(key)
    except NotFound:
        return None
    except (Refused, Unavailable) as error:
        return error


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
