"""How an install says no."""

from collections.abc import Mapping


class Rejected(ValueError):
    """What was sent breaks a rule. Over HTTP it is a 400.

    Attributes:
        errors: for each field the rules it broke, and for each rule a sentence.
    """

    def __init__(self, errors: Mapping[str, Mapping[str, str]]) -> None:
        self.errors = {field: dict(rules) for field, rules in errors.items()}
        super().__init__(" ".join(text for rules in errors.values() for text in rules.values()))


class Complaints:
    """Collects what is wrong, so that all of it is said at once."""

    def __init__(self) -> None:
        self._errors: dict[str, dict[str, str]] = {}

    def add(self, field: str, rule: str, text: str) -> None:
        """Complain about a field."""
        self._errors.setdefault(field, {})[rule] = text

    def check(self) -> None:
        """Raise :class:`Rejected` if there was any complaint."""
        if self._errors:
            raise Rejected(self._errors)


def rejected(field: str, rule: str, text: str) -> Rejected:
    """One field that breaks one rule."""
    return Rejected({field: {rule: text}})


class ApiProblem(Exception):
    """An answer that is a status and a message, without fields."""

    def __init__(self, status: int, message: str) -> None:
        self.status = status
        self.message = message
        super().__init__(f"{status} {message}")


def crashed() -> ApiProblem:
    """500, as when PHP or the database stops halfway."""
    return ApiProblem(500, "Something unexpected happened.")
