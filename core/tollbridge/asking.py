"""Asking a slow system: a few questions at once, and the same one not too often. For adapters."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from tollbridge.errors import NotFound, OutcomeUnknown, Refused, TollbridgeError, Unavailable
from tollbridge.kept import Freshness, Kept
from tollbridge.model import Check

__all__ = ["Freshness", "Kept", "each", "made_certain", "tried"]

Key = TypeVar("Key")
Value = TypeVar("Value")

_AT_ONCE = 4
_BATCH = 100
_UNAVAILABLE_IN_A_ROW = 3


def each(read: Callable[[Key], Value | None], keys: Sequence[Key]) -> Iterator[Value | Refused]:
    """What ``read`` gives for each key, in their order, four at a time.

    One that is None, or not found, is left out. One that fails comes as ``Refused``, so that one broken record hides no
    others; when several in a row are ``Unavailable`` it is the whole system, and that is raised.
    """
    failed_in_a_row = 0
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="tollbridge-asking") as pool:
        for start in range(0, len(keys), _BATCH):
            for value in pool.map(lambda key: _tried_to(read, key), keys[start : start + _BATCH]):
                failed_in_a_row = failed_in_a_row + 1 if isinstance(value, Unavailable) else 0
                if isinstance(value, Unavailable) and failed_in_a_row == _UNAVAILABLE_IN_A_ROW:
                    raise value
                if isinstance(value, Unavailable):
                    yield Refused(str(value))
                elif value is not None:
                    yield value


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
