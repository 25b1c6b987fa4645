"""One call of a method: its arguments bound by name, and how they are read."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import attrs

from tollbridge_blesta.sandbox.api.php import Array, is_true
from tollbridge_blesta.sandbox.api.wire import Wire
from tollbridge_blesta.sandbox.install import Install
from tollbridge_blesta.sandbox.problems import ApiProblem, Complaints, crashed
from tollbridge_blesta.sandbox.quirks import Quirks

_ARRAYS = {"vars", "filters", "order_by", "options"}
_ID = re.compile(r"\d{1,18}")
_NUMBER = re.compile(r"-?\d+(\.\d+)?")
_TIMESTAMP = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d) ?(Z|UTC|[+-]\d\d:?\d\d)?")
_ZONES = {None: "", "UTC": "+00:00"}
DEFAULT_VALUE = "Failed to retrieve the default value"


@attrs.frozen
class Call:
    """A call with the value of every argument: text, an array, or None."""

    install: Install
    arguments: Mapping[str, Any]

    @property
    def wire(self) -> Wire:
        """How this install writes its answers."""
        return Wire(self.install)

    def text(self, name: str) -> str | None:
        """A text; None for null."""
        value = self.arguments[name]
        return None if value is None else str(value)

    def id(self, name: str) -> int:
        """An id; 0, which nobody has, for anything that is none."""
        return _as_id(str(self.arguments[name]))

    def flag(self, name: str) -> bool:
        """True or false, as PHP sees it."""
        return is_true(self.arguments[name])

    def array(self, name: str) -> Array:
        """An array; an empty one for null."""
        return self.arguments[name] or {}

    @property
    def page(self) -> int:
        """Which page is wanted; the first, if that is not clear."""
        return max(1, self.id("page"))


@attrs.frozen
class Method:
    """A method that can be called.

    Attributes:
        handler: what it does, and returns as JSON.
        required: the names of arguments it always needs.
        optional: the others, with what they are if left out.
        false_if_empty: whether it is documented to answer ``false`` where there are no rows.
    """

    handler: Callable[[Call], Any]
    required: tuple[str, ...] = ()
    optional: Mapping[str, Any] = attrs.field(factory=dict)
    false_if_empty: bool = False

    def bind(self, sent: Array, quirks: Quirks) -> dict[str, Any]:
        """The value of every argument.

        Raises:
            Rejected: a required one is missing, or there is none of that name.
            ApiProblem: a text where a list belongs, or the reverse; an omitted one in an encoded build.
        """
        complaints = Complaints()
        for name in self.required:
            if name not in sent:
                complaints.add(name, "required", f"The argument {name} is missing.")
        for name in sent:
            if name not in self.required and name not in self.optional:
                complaints.add(name, "unknown", f"There is no argument {name}.")
        complaints.check()
        if quirks.encoded_build and any(name not in sent for name in self.optional):
            raise ApiProblem(500, DEFAULT_VALUE)
        given = {name: self._typed(name, value, quirks) for name, value in sent.items()}
        return {**self.optional, **given}

    def _typed(self, name: str, value: Any, quirks: Quirks) -> Any:
        if name in _ARRAYS:
            if value == "" and not quirks.typed_arrays and name in self.optional:
                return self.optional[name]
            if not isinstance(value, dict):
                raise crashed()
            return value
        if isinstance(value, dict):
            raise crashed()
        return None if value == "" and name in self.optional else value


class Form:
    """The array ``vars`` being read, or one within it, whose fields are ``shown`` in complaints with their place.

    What is wrong is collected, for :meth:`check` to raise.
    """

    def __init__(self, values: Array, known: set[str], shown: str = "{}", complaints: Complaints | None = None) -> None:
        self.complaints = complaints or Complaints()
        self._values = values
        self._shown = shown
        for name in values.keys() - known:
            self._complain(name, "unknown", f"There is no field {shown.format(name)}.")

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def check(self) -> None:
        """Raise what was wrong."""
        self.complaints.check()

    def text(self, name: str, default: str = "") -> str:
        """A text."""
        value = self._values.get(name, default)
        if isinstance(value, dict):
            self._complain(name, "format", f"{name} is a text, not a list.")
            return default
        return str(value)

    def id(self, name: str) -> int:
        """An id; 0, which nobody has, for anything that is none."""
        return _as_id(self.text(name))

    def array(self, name: str) -> Array:
        """An array; an empty one if it is absent or empty text."""
        value = self._values.get(name) or {}
        if isinstance(value, dict):
            return value
        self._complain(name, "format", f"{name} is a list, not a text.")
        return {}

    def number(self, name: str, default: str = "") -> Decimal:
        """A decimal number of at most four decimals, without separators of thousands; 0 if it is none."""
        text = self.text(name, default)
        if not _NUMBER.fullmatch(text) or Decimal(text) != round(Decimal(text), 4):
            self._complain(name, "format", f"{text!r} is not a number with at most four decimals.")
            return Decimal(0)
        return round(Decimal(text), 4)

    def boolean(self, name: str) -> bool:
        """``true`` or ``false``, in letters; false if it is absent."""
        text = self.text(name, "false")
        if text not in {"true", "false"}:
            self._complain(name, "format", f"{name} is true or false in letters, not {text!r}.")
        return text == "true"

    def timestamp(self, name: str, install: Install) -> datetime | None:
        """A moment with its time zone; None, with a complaint, if it is none."""
        text = self.text(name)
        found = _TIMESTAMP.fullmatch(text)
        if found and found[3] is None and not install.quirks.local_timestamps:
            self._complain(name, "format", f"{name} has no time zone: {text!r}.")
            return None
        try:
            moment = datetime.fromisoformat(f"{found[1]}T{found[2]}{_ZONES.get(found[3], found[3])}" if found else "")
        except ValueError:
            self._complain(name, "format", f"{name} is not a timestamp like 2026-01-31T12:00:00Z: {text!r}.")
            return None
        return moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(install.settings["timezone"]))

    def _complain(self, name: str, rule: str, text: str) -> None:
        self.complaints.add(self._shown.format(name), rule, text)


def _as_id(text: str) -> int:
    return int(text) if _ID.fullmatch(text) else 0
