"""What the install answers when it does not do what was asked."""


class InstallError(ValueError):
    """The install says no. Over HTTP it becomes ``{"result": "error", "message": …}``.

    Attributes:
        denied: whether the caller may not make the call at all, which answers 403 instead of 200.
    """

    def __init__(self, message: str, *, denied: bool = False) -> None:
        self.denied = denied
        super().__init__(message)


def denied(message: str) -> InstallError:
    """The caller, its address or the action is not let in."""
    return InstallError(message, denied=True)
