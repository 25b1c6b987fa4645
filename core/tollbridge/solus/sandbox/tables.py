"""Rows by id. What is deleted can no longer be read, but its usage can still be metered."""

from collections.abc import Iterator
from typing import Generic, Protocol, TypeVar

import attrs

from tollbridge.solus.sandbox.problems import not_found
from tollbridge.solus.sandbox.records import Activity, Correction, LimitGroup, Plan, Project, Role, Server, Task, User


class _Row(Protocol):
    @property
    def id(self) -> int: ...


RowT = TypeVar("RowT", bound=_Row)


class Table(Generic[RowT]):
    """The rows of one kind, in order of their ids.

    ``what`` names one of them in a 404.
    """

    def __init__(self, what: str) -> None:
        self._what = what
        self._live: dict[int, RowT] = {}
        self._deleted: dict[int, RowT] = {}
        self._in_order = True
        self._next_id = 1

    def __len__(self) -> int:
        return len(self._live)

    def __iter__(self) -> Iterator[RowT]:
        return iter(self.rows())

    def __contains__(self, key: object) -> bool:
        return key in self._live

    def rows(self) -> list[RowT]:
        """Every row there is, deleted ones left out."""
        if not self._in_order:
            self._live = dict(sorted(self._live.items()))
            self._in_order = True
        return [*self._live.values()]

    def with_deleted(self) -> list[RowT]:
        """Every row there ever was."""
        return sorted([*self._live.values(), *self._deleted.values()], key=lambda row: row.id)

    def next_id(self) -> int:
        """A number that no row has had; it is taken by asking."""
        self._next_id += 1
        return self._next_id - 1

    def put(self, row: RowT) -> RowT:
        """Add the row, or replace the one with its id."""
        if row.id not in self._live and row.id < self._next_id - 1:
            self._in_order = False
        self._live[row.id] = row
        self._next_id = max(self._next_id, row.id + 1)
        return row

    def get(self, key: int) -> RowT:
        """The row, or a 404."""
        try:
            return self._live[key]
        except KeyError:
            raise not_found(self._what, key) from None

    def ever(self, key: int) -> RowT:
        """The row, deleted or not."""
        return self._live[key] if key in self._live else self._deleted[key]

    def delete(self, key: int) -> RowT:
        """Take the row out of sight; 404 if it already is."""
        row = self.get(key)
        self._deleted[key] = row
        return self._live.pop(key)


@attrs.frozen
class Tables:
    """All tables of a panel. Hold the panel's lock to read several of them as they were at one moment."""

    users: Table[User] = attrs.field(factory=lambda: Table[User]("user"))
    roles: Table[Role] = attrs.field(factory=lambda: Table[Role]("role"))
    limit_groups: Table[LimitGroup] = attrs.field(factory=lambda: Table[LimitGroup]("limit group"))
    plans: Table[Plan] = attrs.field(factory=lambda: Table[Plan]("plan"))
    projects: Table[Project] = attrs.field(factory=lambda: Table[Project]("project"))
    servers: Table[Server] = attrs.field(factory=lambda: Table[Server]("server"))
    corrections: Table[Correction] = attrs.field(factory=lambda: Table[Correction]("correction"))
    tasks: Table[Task] = attrs.field(factory=lambda: Table[Task]("task"))
    activity: Table[Activity] = attrs.field(factory=lambda: Table[Activity]("activity"))
