"""Reading request bodies field by field, and complaining about all of them at once."""

import re
from collections.abc import Container
from decimal import Decimal
from typing import Any

from tollbridge.solus.sandbox.problems import PanelError

_EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)*")


class Form:
    """A request body being read. Absent fields are None; :meth:`check` raises 422 for what was wrong."""

    def __init__(self, body: dict[str, Any]) -> None:
        self._body = body
        self._errors: dict[str, list[str]] = {}

    def has(self, name: str) -> bool:
        """Whether the field was sent, null or not."""
        return name in self._body

    def fail(self, name: str, message: str) -> None:
        """Complain about a field."""
        self._errors.setdefault(name, []).append(message)

    def check(self) -> None:
        """Raise the 422 if there was any complaint."""
        if self._errors:
            raise PanelError(422, "The given data was invalid.", self._errors)

    def text(self, name: str, *, required: bool = False, maximum: int = 255) -> str | None:
        """A string of at most ``maximum`` characters."""
        value = self._body.get(name)
        if value is None or value == "":
            if required:
                self.fail(name, f"The {name} field is required.")
            return None
        if not isinstance(value, str):
            self.fail(name, f"The {name} must be a string.")
        elif len(value) > maximum:
            self.fail(name, f"The {name} may not be greater than {maximum} characters.")
        else:
            return value
        return None

    def email(self, name: str = "email") -> str:
        """A required e-mail address; the empty string if there is none."""
        value = self.text(name, required=True)
        if value and not _EMAIL.fullmatch(value):
            self.fail(name, f"The {name} must be a valid email address.")
        return value or ""

    def choice(self, name: str, allowed: Container[str]) -> str | None:
        """One of a few words."""
        value = self._body.get(name)
        if value is None:
            return None
        if not isinstance(value, str) or value not in allowed:
            self.fail(name, f"The selected {name} is invalid.")
            return None
        return value

    def flag(self, name: str) -> bool | None:
        """True or false."""
        value = self._body.get(name)
        if value is not None and not isinstance(value, bool):
            self.fail(name, f"The {name} field must be true or false.")
            return None
        return value

    def whole(self, name: str, *, required: bool = False, minimum: int = 0) -> int | None:
        """An integer, as a number or as digits."""
        value = self._body.get(name)
        if isinstance(value, str) and value.isdecimal():
            value = int(value)
        if value is None:
            if required:
                self.fail(name, f"The {name} field is required.")
            return None
        if not isinstance(value, int) or isinstance(value, bool):
            self.fail(name, f"The {name} must be an integer.")
        elif value < minimum:
            self.fail(name, f"The {name} must be at least {minimum}.")
        else:
            return value
        return None

    def percent(self, name: str) -> Decimal | None:
        """A number that is not negative."""
        value = self._body.get(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | Decimal) or value < 0:
            self.fail(name, f"The {name} must be a number of at least 0.")
            return None
        return Decimal(value)

    def existing(self, name: str, ids: Container[int], *, required: bool = False) -> int | None:
        """The id of something there is."""
        value = self.whole(name, required=required, minimum=1)
        if value is not None and value not in ids:
            self.fail(name, f"The selected {name} is invalid.")
            return None
        return value

    def ids(self, name: str, known: Container[int] | None = None) -> list[int] | None:
        """A list of ids, of things there are if ``known`` is given; objects with an id are refused."""
        value = self._body.get(name)
        if value is None:
            return None
        if not isinstance(value, list):
            self.fail(name, f"The {name} must be an array.")
            return None
        for place, entry in enumerate(value):
            if not isinstance(entry, int) or isinstance(entry, bool):
                self.fail(f"{name}.{place}", f"The {name}.{place} must be an integer.")
            elif known is not None and entry not in known:
                self.fail(f"{name}.{place}", f"The selected {name}.{place} is invalid.")
        return value

    def texts(self, name: str) -> list[str] | None:
        """A list of strings."""
        value = self._body.get(name)
        if value is not None and not (isinstance(value, list) and all(isinstance(text, str) for text in value)):
            self.fail(name, f"The {name} must be an array of strings.")
            return None
        return value

    def object(self, name: str) -> "Form":
        """An object within the body; an empty one if it is absent."""
        value = self._body.get(name)
        if value is not None and not isinstance(value, dict):
            self.fail(name, f"The {name} must be an object.")
        return Form(value if isinstance(value, dict) else {})
