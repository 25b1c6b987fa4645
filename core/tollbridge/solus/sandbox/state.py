"""What every part of the panel shares: one lock, one clock, the tables, and a counter of changes."""

import copy
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar, cast

from tollbridge.sandbox import Simulator
from tollbridge.solus.sandbox.records import ADMIN, CLIENT, Activity, Role, User
from tollbridge.solus.sandbox.settings import fresh_settings, merged
from tollbridge.solus.sandbox.tables import Tables

ValueT = TypeVar("ValueT")


class State(Simulator):
    """The panel's memory.

    Attributes:
        tables: the rows themselves.
        revision: grows with every change, so that what was computed from a revision can be kept.
    """

    def __init__(self, now: datetime | None, per_page: int, *, ids_as_text: bool) -> None:
        super().__init__()
        self.tables = Tables()
        self.revision = 0
        self._frozen = _utc(now) if now is not None else None
        self._settings = fresh_settings()
        self._kept: dict[str, tuple[int, object]] = {}
        self.per_page = per_page
        self.ids_as_text = ids_as_text
        self.tables.roles.put(Role(ADMIN, "ADMIN"))
        self.tables.roles.put(Role(CLIENT, "CLIENT", is_default=True))

    @property
    def now(self) -> datetime:
        """The panel's time, aware UTC: the real one until it is set, then standing still."""
        return self._frozen or datetime.now(UTC)

    @property
    def is_frozen(self) -> bool:
        """Whether the clock was set and stands still."""
        return self._frozen is not None

    def set_time(self, moment: datetime) -> None:
        """Move the clock to ``moment`` and hold it there. A clock runs forwards: ValueError for the past."""
        with self.lock:
            if _utc(moment) < self.now:
                raise ValueError(f"the clock is at {self.now.isoformat()} and cannot go back to {moment.isoformat()}")
            self._frozen = _utc(moment)
            self._changed()

    def advance(self, by: timedelta) -> None:
        """Move the clock forwards by this much and hold it there."""
        with self.lock:
            self.set_time(self.now + by)

    def follow_time(self) -> None:
        """Let the clock go on with the real one, unless it is ahead of that."""
        with self.lock:
            if self.now <= datetime.now(UTC):
                self._frozen = None
                self._changed()

    @property
    def per_page(self) -> int:
        """How many rows a page of any list has."""
        return self._per_page

    @per_page.setter
    def per_page(self, rows: int) -> None:
        if rows < 1:
            raise ValueError("a page has at least one row")
        self._per_page = rows

    @property
    def ids_as_text(self) -> bool:
        """Whether ``billing_user_id`` is sent as text, as some versions of the official clients expect it."""
        return self._ids_as_text

    @ids_as_text.setter
    def ids_as_text(self, as_text: bool) -> None:
        with self.lock:
            self._ids_as_text = as_text
            self._changed()

    def billing_id(self, user: User) -> int | str | None:
        """The user's ``billing_user_id`` as this panel sends it."""
        if user.billing_user_id is None or not self._ids_as_text:
            return user.billing_user_id
        return str(user.billing_user_id)

    @property
    def settings(self) -> dict[str, Any]:
        """A copy of the settings, the billing token in clear."""
        with self.lock:
            return copy.deepcopy(self._settings)

    def patch_settings(self, patch: dict[str, Any]) -> dict[str, Any]:
        """Merge ``patch`` into the settings, deeply, and give a copy of the result."""
        with self.lock:
            self._settings = merged(self._settings, patch)
            self._changed()
            return self.settings

    def kept(self, name: str, make: Callable[[], ValueT]) -> ValueT:
        """What ``make`` returns, computed once per revision."""
        with self.lock:
            revision, value = self._kept.get(name, (-1, None))
            if revision != self.revision:
                value = make()
                self._kept[name] = (self.revision, value)
            return cast("ValueT", value)

    def _changed(self) -> None:
        self.revision += 1

    def _log(self, event: str, user: User, **data: Any) -> None:
        table = self.tables.activity
        table.put(Activity(table.next_id(), event, user.id, user.email, self.now, data))


def _utc(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError(f"{moment.isoformat()} has no time zone")
    return moment.astimezone(UTC)
