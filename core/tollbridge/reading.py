"""Reading the records of another system: loosely typed on the wire, exact in the core.

For adapters. Numbers come as numbers or as text, flags in a dozen spellings, lists as lists or as objects; what cannot
be read without guessing is ``Refused`` in words that name the record, as ``who``, and the field.
"""

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar

from tollbridge.errors import Refused
from tollbridge.reference import carries, mentions, months_in, reference_in, without_references

__all__ = [
    "Row",
    "carries",
    "day",
    "decimal",
    "flag",
    "made",
    "mentions",
    "months_in",
    "one_of",
    "records",
    "reference_in",
    "text",
    "whole",
    "without_references",
]

Row = Mapping[str, Any]
Value = TypeVar("Value")

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}(?!\d)", re.ASCII)
_TRUE = {"1", "t", "true", "y", "yes", "on"}
_FALSE = {"", "0", "f", "false", "n", "no", "off"}


def text(row: Row, key: str) -> str:
    """The field as text without spaces around it; empty if it is absent, null, false or an empty collection."""
    value = row.get(key)
    return "" if value is None or value is False or value in ([], {}) else str(value).strip()


def whole(row: Row, key: str, who: str) -> int:
    """The field as a whole number."""
    value = row.get(key)
    if isinstance(value, bool) or not str(value).strip().removeprefix("-").isdecimal():
        raise _refused(who, key, value, "a whole number")
    return int(str(value))


def decimal(row: Row, key: str, who: str) -> Decimal:
    """The field as an exact number; a float, which only databases give, by the digits that were written."""
    value = row.get(key)
    try:
        number = Decimal(str(value).strip())
    except InvalidOperation:
        number = Decimal("NaN")
    if isinstance(value, bool) or not number.is_finite():
        raise _refused(who, key, value, "a number")
    return number


def flag(row: Row, key: str, who: str) -> bool:
    """The field as true or false: a boolean, 1 or 0, ``on``, ``yes``, ``true`` and so on; absent is false."""
    value = text(row, key).lower()
    if value in _TRUE or value in _FALSE:
        return value in _TRUE
    raise _refused(who, key, row[key], "true or false")


def day(row: Row, key: str, who: str) -> date:
    """The field as a date; of a timestamp its date as it stands, without any change of zone."""
    value = row.get(key)
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    written = _DAY.match(str(value))
    try:
        return date.fromisoformat(written[0] if written else "")
    except ValueError:
        raise _refused(who, key, value, "a date like 2026-08-15") from None


def one_of(row: Row, key: str, meanings: Mapping[str, Value], who: str) -> Value:
    """What the field's text, in lower case, means."""
    word = text(row, key).lower()
    if word not in meanings:
        raise _refused(who, key, word, f"one of {', '.join(meanings)}")
    return meanings[word]


def records(value: Any, key: str = "") -> list[dict[str, Any]]:
    """The records of a collection as PHP may write it.

    A list, an object by id, an object that wraps the list under ``key``, a single record in place of a list of one;
    nothing at all as null, false, an empty text, list or object.
    """
    if isinstance(value, dict) and key in value:
        value = value[key]
    if not value:
        return []
    if isinstance(value, dict):
        inner = list(value.values())
        value = inner if all(isinstance(each, dict) for each in inner) else [value]
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise Refused(f"{key or 'a list'} holds {str(value)[:60]!r}, where records are needed")
    return value


def made(who: str, kind: Callable[..., Value], **fields: Any) -> Value:
    """``kind(**fields)``, with what it objects to as ``Refused``."""
    try:
        return kind(**fields)
    except (ValueError, TypeError) as error:
        raise Refused(f"{who} cannot be used: {error}") from None


def _refused(who: str, key: str, value: Any, wanted: str) -> Refused:
    return Refused(f"{who} has {key} {value!r}, where {wanted} is needed")
