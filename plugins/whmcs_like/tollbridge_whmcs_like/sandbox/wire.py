"""Answers as WHMCS writes them, with the quirks of this install."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import attrs
import orjson

from tollbridge_whmcs_like.sandbox.quirks import Quirks

Document = dict[str, Any]

ZERO_DATE = "0000-00-00"
ZERO_MOMENT = "0000-00-00 00:00:00"
_MISSING = object()
_BOOLEANS: dict[str, tuple[object, object]] = {
    "json": (False, True),
    "number": (0, 1),
    "text": ("0", "1"),
    "on": ("", "on"),
    "word": ("false", "true"),
}
_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#039;"})


@attrs.frozen
class Flag:
    """True or false, and how the API reference writes it at this place."""

    value: bool
    documented: str = "json"


@attrs.frozen
class Money:
    """An amount, or a rate with three places."""

    amount: Decimal
    places: int = 2


@attrs.frozen
class Written:
    """An id in the answer to a write, which the API reference has as text."""

    id: int


@attrs.frozen
class Rows:
    """A collection, one level further down: ``{"client": [{…}, {…}]}``. ``none`` is documented for an empty one."""

    name: str
    rows: list[Document]
    none: object = None


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


def rendered(document: Mapping[str, Any], quirks: Quirks) -> Document:
    """The document as JSON-able values."""
    written = {key: _written(value, quirks) for key, value in document.items()}
    return {key: value for key, value in written.items() if value is not _MISSING}


def _written(value: Any, quirks: Quirks) -> Any:
    match value:
        case Rows():
            return _collection(value, quirks)
        case list():
            return [_written(row, quirks) for row in value] if value else _empty([], quirks)
        case dict():
            return rendered(value, quirks)
    return _scalar(value, quirks)


def _scalar(value: Any, quirks: Quirks) -> Any:
    match value:
        case Flag():
            style = value.documented if quirks.booleans == "documented" else quirks.booleans
            return _BOOLEANS[style][value.value]
        case Money():
            return _money(value, quirks)
        case Written():
            return value.id if quirks.ids == "number" else str(value.id)
        case bool():
            raise TypeError("a boolean is a Flag, for it says how it is written")
        case int():
            return str(value) if quirks.ids == "text" else value
        case str():
            return value.translate(_ENTITIES) if quirks.escaped_text and not isinstance(value, Markup) else value
    return value


def _money(value: Money, quirks: Quirks) -> Any:
    if quirks.money == "number":
        return orjson.Fragment(format(value.amount.normalize(), "f"))
    return f"{value.amount:.{value.places}f}"


def _collection(value: Rows, quirks: Quirks) -> Any:
    if not value.rows:
        return _empty({value.name: []} if value.none is None else value.none, quirks)
    rows = [rendered(row, quirks) for row in value.rows]
    return {value.name: rows[0] if quirks.single_row_as_object and len(rows) == 1 else rows}


def _empty(documented: object, quirks: Quirks) -> object:
    return {"nested": documented, "missing": _MISSING, "text": "", "list": [], "object": {}}[quirks.empty]


def flattened(document: Mapping[str, Any]) -> dict[str, str]:
    """All values as text under keys like ``currencies[currency][0][code]``."""
    flat: dict[str, str] = {}

    def put(key: str, value: Any) -> None:
        entries: list[tuple[Any, Any]] = []
        if isinstance(value, Mapping):
            entries = [*value.items()]
        elif isinstance(value, list):
            entries = [*enumerate(value)]
        elif isinstance(value, orjson.Fragment):
            flat[key] = str(value.contents)
        else:
            flat[key] = "" if value is None or value is False else "1" if value is True else str(value)
        for inner, entry in entries:
            put(f"{key}[{inner}]" if key else str(inner), entry)

    put("", document)
    return flat


def shown_day(day: date | None) -> str:
    """A date, or the zero date."""
    return ZERO_DATE if day is None else day.isoformat()


def shown_moment(moment: datetime | None) -> str:
    """Date and time, or the zero one."""
    return ZERO_MOMENT if moment is None else moment.strftime("%Y-%m-%d %H:%M:%S")
