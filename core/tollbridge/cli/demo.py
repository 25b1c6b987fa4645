"""``demo``."""


def demo() -> None:
    """Two months of a small hosting company in one minute, on SQLite and the sandbox."""
