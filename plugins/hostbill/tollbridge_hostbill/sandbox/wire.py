"""Answers as HostBill writes them, with the quirks of this install."""

import datetime as dt
import html
from decimal import Decimal
from typing import Any

import attrs
import orjson

from tollbridge_hostbill.sandbox.quirks import Quirks

Document = dict[str, Any]
_EMPTY: dict[str, Any] = {"list": [], "object": {}, "false": False, "null": None}


@attrs.frozen
class Real:
    """A number that is one in every answer, as the documents have it."""

    value: Decimal | int


def rendered(value: Any, quirks: Quirks) -> Any:  # noqa: PLR0911 - one for each type
    """The value as JSON: nearly all scalars are text."""
    match value:
        case Real():
            return orjson.Fragment(f"{value.value:f}") if isinstance(value.value, Decimal) else value.value
        case bool():
            return int(value) if quirks.numbers else str(int(value))
        case int():
            return value if quirks.numbers else str(value)
        case Decimal():
            return orjson.Fragment(f"{value:f}") if quirks.numbers else f"{value:f}"
        case dt.datetime():
            return value.strftime("%Y-%m-%d %H:%M:%S")
        case dt.date():
            return value.isoformat()
        case str():
            return html.escape(" ".join(value.split("\n"))) if quirks.escaped_text else value
        case list():
            return _collection(value, quirks)
        case dict():
            return {key: rendered(inner, quirks) for key, inner in value.items()}
    return value


def _collection(rows: list[Any], quirks: Quirks) -> Any:
    if not rows:
        return _EMPTY[quirks.empty]
    written = [rendered(row, quirks) for row in rows]
    if quirks.keyed_lists and all(isinstance(row, dict) and "id" in row for row in rows):
        return {str(row["id"]): one for row, one in zip(rows, written, strict=True)}
    return written


def failure(said: str, quirks: Quirks) -> Document:
    """A no, in one of the shapes that have been seen."""
    if quirks.errors == "errMsg":
        return {"success": False, "errMsg": said}
    shapes: dict[str, Any] = {"list": [said], "map": {"0": said}, "text": said}
    return {"success": False, "error": shapes[quirks.errors]}
