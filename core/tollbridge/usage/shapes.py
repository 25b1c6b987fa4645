"""What an answer looks like, without anything that is in it: only words of this program ever come out.

A value becomes the name of its kind. A key is shown if all its words are :data:`KNOWN_WORDS`, or if bridge.toml names
it; any other key may itself be a value (an id, an address, a customer's name), so it becomes dots, and where one surely
is, so do those beside it.
"""

import re
from collections.abc import Collection, Iterator
from decimal import Decimal
from typing import Any
from uuid import UUID

import attrs

from tollbridge.usage.known_words import KNOWN_WORDS

Shape = Any  # a kind as text, {key: shape}, [shape of the entries] or {"one of": [shapes]}

MASKED = "•••"
ONE_OF = "one of"
_DEEPEST = 10
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_NAME = re.compile(r"_?[A-Za-z]+(?:[_-]?[A-Za-z]+)*")
_NEARLY_NAME = re.compile(r"(?!(?:.*\d){3})[A-Za-z_][A-Za-z0-9_-]{0,39}")
_IP_VERSION = re.compile(r"ipv[46]", re.IGNORECASE)
_TEXTS = {
    "empty text": re.compile(r""),
    "text, a whole number": re.compile(r"[0-9]+"),
    "text, a number": re.compile(r"[+-]?[0-9]*\.?[0-9]+"),
    "text, a date": re.compile(r"\d{4}-\d\d-\d\d"),
    "text, a time": re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d.*"),
    "text, an e-mail address": re.compile(r"\S+@\S+"),
    "text, a web address": re.compile(r"https?://.*", re.DOTALL),
}


@attrs.frozen
class Mask:
    """Makes shapes; ``own_keys`` are those that bridge.toml names."""

    own_keys: Collection[str] = frozenset()

    def shape(self, document: Any) -> Shape:
        """The shape of a JSON document: of the entries of a list, what they have in common and where they differ."""
        return self._shape([document], _DEEPEST)

    def shows(self, key: str) -> bool:
        """Whether the key is a name, and surely none of the panel's values."""
        return key in self.own_keys or (_is_name(key) and all(word.lower() in KNOWN_WORDS for word in _words(key)))

    def _shape(self, values: list[Any], depth: int) -> Shape:
        """The shape of everything that stands at one place."""
        kinds = sorted({_kind(value) for value in values if not isinstance(value, dict | list)})
        tables = [value for value in values if isinstance(value, dict)]
        lists = [value for value in values if isinstance(value, list)]
        found: list[Shape] = [*kinds]
        if (tables or lists) and not depth:
            found.append("…")
        elif tables:
            found.append(self._table(tables, depth))
        if lists and depth:
            entries = [entry for value in lists for entry in value]
            found.append([self._shape(entries, depth - 1)] if entries else [])
        return found[0] if len(found) == 1 else {ONE_OF: found}

    def _table(self, tables: list[dict[str, Any]], depth: int) -> Shape:
        keys = {key: None for table in tables for key in table}
        is_map = not all(_NEARLY_NAME.fullmatch(key) or key in self.own_keys for key in keys)
        places: dict[str, list[Any]] = {}
        for table in tables:
            for key, value in table.items():
                shown = key if not is_map and self.shows(key) else MASKED
                places.setdefault(shown, []).append(value)
        return {
            f"{key}?" if len(there) < len(tables) and key != MASKED else key: self._shape(there, depth - 1)
            for key, there in places.items()
        }


def lines(shape: Shape, indent: str = "") -> Iterator[str]:
    """A shape for people: a key a line; ``?`` follows a key that is not everywhere."""
    if isinstance(shape, dict) and shape:
        for key, inner in shape.items():
            yield f"{indent}{key}: {_head(inner)}".rstrip()
            yield from _below(inner, f"{indent}  ")
    else:
        yield f"{indent}{_head(shape)}"
        yield from _below(shape, f"{indent}  ")


def _head(shape: Shape) -> str:
    """What of a shape stands on the line of its key."""
    if isinstance(shape, str):
        return shape
    if isinstance(shape, list):
        return f"list of {_head(shape[0])}".rstrip() if shape else "empty list"
    if ONE_OF in shape:
        return " or ".join(_head(each) or "object" for each in shape[ONE_OF])
    return "" if shape else "empty object"


def _below(shape: Shape, indent: str) -> Iterator[str]:
    if isinstance(shape, list) and shape:
        yield from _below(shape[0], indent)
    elif isinstance(shape, dict) and ONE_OF in shape:
        for each in shape[ONE_OF]:
            yield from _below(each, indent)
    elif isinstance(shape, dict):
        yield from lines(shape, indent) if shape else ()


def _is_name(key: str) -> bool:
    """Whether a key could be the name of a field, by its characters."""
    return len(key) <= 40 and _NAME.fullmatch(_IP_VERSION.sub("ip", key)) is not None


def _words(key: str) -> list[str]:
    return _WORD.findall(_IP_VERSION.sub("ip", key))


def _kind(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true or false"
        case int():
            return "whole number"
        case Decimal():
            return "number"
        case str():
            return _kind_of_text(value)
    raise TypeError(type(value).__name__)


def _kind_of_text(text: str) -> str:
    for kind, pattern in _TEXTS.items():
        if pattern.fullmatch(text):
            return kind
    try:
        UUID(text)
    except ValueError:
        return "text"
    return "text, a uuid"
