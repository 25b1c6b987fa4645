"""What the panel answers when it does not do what was asked."""

from collections.abc import Mapping


class PanelError(Exception):
    """The panel says no. Over HTTP it becomes ``{"message": …, "errors": {…}}`` with ``status``.

    Attributes:
        status: the HTTP status, 4xx.
        message: one sentence for a person.
        errors: for 422, the sentences by field name.
    """

    def __init__(self, status: int, message: str, errors: Mapping[str, list[str]] | None = None) -> None:
        self.status = status
        self.message = message
        self.errors = dict(errors or {})
        super().__init__(f"{status} {message} {self.errors or ''}".rstrip())


def not_found(what: str, key: object) -> PanelError:
    """404 for an id nobody has, or nobody has any more."""
    return PanelError(404, f"There is no {what} {key}.")


def conflict(message: str) -> PanelError:
    """409: well-formed, but not in the present state."""
    return PanelError(409, message)


def invalid(**errors: str) -> PanelError:
    """422 with one sentence for each field."""
    return PanelError(422, "The given data was invalid.", {name: [text] for name, text in errors.items()})


def unauthenticated() -> PanelError:
    """401: no token, or not one of ours."""
    return PanelError(401, "Unauthenticated.")
