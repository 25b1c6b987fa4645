"""Secrets: values that never show, and a filter that keeps them out of text which is shown."""

import re
from typing import Any
from urllib.parse import unquote

from tollbridge.words import storable

HIDDEN = "••••••"
_SHORTEST_HIDDEN = 4

_known: set[str] = set()

_START = r"[^:/]+://[^:/]*:"
_BARE_AT = re.compile(rf"{_START}[^@]*@(?:[^?]*|[^=]*)@")  # any later @ is a parameter's


class Secret:
    """A text that ``str``, ``repr`` and logs show as dots; :meth:`reveal` gives the value itself.

    Every secret made is also remembered by :func:`redact`, so that it is hidden in error messages
    and logs of other libraries, too.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value
        hide(value)

    def reveal(self) -> str:
        """The value itself, for the one place that sends it."""
        return self._value

    def __str__(self) -> str:
        return HIDDEN

    def __repr__(self) -> str:
        return f"Secret({HIDDEN})"

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)


def hide(value: str) -> None:
    """Remember ``value`` as something :func:`redact` must never let through.

    Values under four characters are not remembered: hiding every "a" would make text unreadable.
    """
    if len(value) >= _SHORTEST_HIDDEN:
        _known.add(value)


def redact(text: str) -> str:
    """``text`` with every known secret replaced by dots, and as it can be kept: others' words may hold anything."""
    text = storable(text)
    for value in sorted(_known, key=len, reverse=True):
        if value in text:
            text = text.replace(value, HIDDEN)
    return text


def redact_tree(value: Any) -> Any:
    """``value`` with every text in it passed through :func:`redact`; lists, tuples and dicts are followed."""
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, dict):
        return {key: redact_tree(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [redact_tree(item) for item in value]
    return value


class DatabaseUrl:
    """A database's URL, SQLAlchemy's way; ``str`` and ``repr`` show it without its password.

    Raises:
        ValueError: the password has an @ as it is. Whoever connects takes what follows for the host, and names it.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value
        for password in _passwords_of(value):
            hide(password)
            hide(unquote(password))
        if _BARE_AT.match(value):
            raise ValueError("its password has an @, which must be written %40")

    def reveal(self) -> str:
        """The URL with its password, for the one place that connects."""
        return self._value

    def __str__(self) -> str:
        shown = self._value
        for password in _passwords_of(shown):
            shown = shown.replace(f":{password}@", f":{HIDDEN}@", 1).replace(f"={password}", f"={HIDDEN}")
        return shown

    def __repr__(self) -> str:
        return f"DatabaseUrl({self})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DatabaseUrl) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)


def _passwords_of(url: str) -> list[str]:
    """The password before the host, up to the last @ and up to the first, and those among the parameters."""
    before_host = [re.match(f"{_START}(.*)@[^@]*$", url), re.match(f"{_START}([^@]*)@", url)]
    parameters = re.findall(r"[?&](?:\w*password|passwd)=([^&]*)", url)
    return [password for password in [*(match[1] for match in before_host if match), *parameters] if password]
