"""The panel: the whole state of a SolusIO in memory, usable with and without HTTP."""

import copy
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from tollbridge.rules.calendar import Month
from tollbridge.solus.sandbox.accounts import Accounts
from tollbridge.solus.sandbox.metering import Window, items_by_user, stays
from tollbridge.solus.sandbox.problems import invalid
from tollbridge.solus.sandbox.records import Correction, FeedShape

Row = dict[str, Any]

ADMIN_EMAIL = "admin@panel.example"
_FRESH = timedelta(seconds=1)
_UTC = ZoneInfo("UTC")


class Panel(Accounts):
    """A SolusIO in memory, safe to use from several threads.

    It begins with one administrator (user 1), who owns ``api_token``, and the roles ADMIN and CLIENT. What it
    refuses raises :class:`PanelError`, which carries the HTTP status and the field errors of a live panel.

    Args:
        now: where the clock stands still until it is moved; None follows the real one.
        api_token: the administrator's bearer token.
        per_page: rows on a page of any list.
        ids_as_text: send ``billing_user_id`` as text, which official clients have expected at times.
        feed: how ``GET usage`` answers: as Tollbridge has declared it, in another shape, or not at all.
    """

    def __init__(
        self,
        now: datetime | None = None,
        api_token: str = "sandbox-token",  # noqa: S107 - a sandbox has no secrets
        per_page: int = 15,
        *,
        ids_as_text: bool = False,
        feed: FeedShape = "declared",
    ) -> None:
        super().__init__(now, per_page, ids_as_text=ids_as_text)
        self.api_token = api_token
        self.feed = feed
        self._usage: dict[tuple[datetime, datetime], tuple[int, datetime, list[Row]]] = {}
        administrator = self.add_user(ADMIN_EMAIL, roles=("ADMIN",))
        self.issue_token(administrator.id, name="sandbox", value=api_token)

    def usage(self, start: datetime, end: datetime) -> list[Row]:
        """The usage of ``[start, end)`` as ``GET usage`` is declared: one row per user who has any, by user id.

        What has not happened yet is not metered. ValueError if the interval is empty or has no time zone.
        """
        return copy.deepcopy(self.usage_rows(start, end))

    def usage_rows(self, start: datetime, end: datetime) -> list[Row]:
        """As :meth:`usage`, but computed once for all pages and callers, and therefore not to be changed."""
        if start.tzinfo is None or end.tzinfo is None or start >= end:
            raise ValueError(f"from {start.isoformat()} to {end.isoformat()} is no interval")
        with self.lock:
            cut = min(end, self.now)
            revision, computed_to, rows = self._usage.get((start, end), (-1, cut, []))
            if revision != self.revision or cut - computed_to >= _FRESH:
                rows = self._metered(Window(start, cut))
                self._usage = {key: kept for key, kept in self._usage.items() if kept[0] == self.revision}
                self._usage[start, end] = (self.revision, cut, rows)
            return rows

    def correct_usage(
        self, month: Month, tokens: int, *, server_id: int | None = None, user_id: int | None = None
    ) -> Correction:
        """Report tokens of a month that is over later than usual, or take a server's back with a negative number.

        With ``server_id`` the tokens of that server's item change, and its hours do not; with ``user_id`` the user gets
        an item more, of the type "correction". 422 for a month that is not over, a server without usage in it, or
        more taken back than there is.
        """
        with self.lock:
            start, end = month.interval(_UTC)
            if end > self.now:
                raise invalid(month=f"{month} is not over.")
            owner, there = self._owner(start, end, server_id, user_id)
            if not tokens or there + tokens < 0:
                raise invalid(tokens=f"There are {there} tokens to take from.")
            self._changed()
            table = self.tables.corrections
            return table.put(Correction(table.next_id(), start + (end - start) / 2, tokens, owner, server_id))

    def _owner(self, start: datetime, end: datetime, server_id: int | None, user_id: int | None) -> tuple[int, int]:
        """Whose usage is corrected, and how many tokens may be taken back."""
        if (server_id is None) == (user_id is None):
            raise invalid(server_id="Send one of server_id and user_id.")
        if user_id is not None:
            return self.user(user_id).id, 0
        for row in self.usage_rows(start, end):
            for item in row["items"]:
                if (item["type"], item["id"]) == ("server", server_id):
                    return row["user_id"], item["tokens"]
        raise invalid(server_id="The server used nothing in that month.")

    def _metered(self, window: Window) -> list[Row]:
        if window.end <= window.start:
            return []
        tables = self.tables
        metered = ((server, stays(server, self.plans_since, window)) for server in tables.servers.with_deleted())
        return [
            {
                "user_id": user_id,
                "billing_user_id": self.billing_id(tables.users.ever(user_id)),
                "items": items,
            }
            for user_id, items in items_by_user(metered, tables.corrections, window).items()
        ]
