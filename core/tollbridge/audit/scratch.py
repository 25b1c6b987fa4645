"""Private scratch databases, in which sources are laid beside each other, so that memory stays flat."""

import sqlite3
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Self, TypeVar

Value = TypeVar("Value")

PAGE = 500


class Scratch:
    """A temporary SQLite database; SQLite itself keeps it in memory or on disk, and removes it."""

    tables = ""

    def __init__(self) -> None:
        self.connection = sqlite3.connect("", isolation_level=None)
        self.connection.executescript(f"PRAGMA synchronous=OFF; PRAGMA journal_mode=OFF; {self.tables}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.close()


def pages(values: Iterable[Value], size: int = PAGE) -> Iterator[list[Value]]:
    """The values, some at a time."""
    iterator = iter(values)
    while page := list(islice(iterator, size)):
        yield page
