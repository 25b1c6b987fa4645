"""The usage feed: what each user's servers, backups and the rest cost in tokens within an interval.

SolusIO names a ``/usage`` endpoint without publishing its shape, so this module declares one (see docs/solusio.md)
and is the only place that knows it. An answer that does not have the declared shape, or not all of its pages, is
refused: nothing is ever invoiced on a part.
"""

from collections.abc import Iterator
from datetime import datetime

import attrs

from tollbridge.config import UsageFeedSettings
from tollbridge.errors import Incomplete
from tollbridge.rules.metering import Metered, meter
from tollbridge.solus import wire
from tollbridge.solus.panel import Panel

_SERVER = "server"


@attrs.frozen
class ServerMeter:
    """What a server's tokens come from."""

    plan: str
    tokens_per_hour: int
    tokens_per_month: int
    hours: int
    is_deleted: bool

    def metered(self) -> Metered:
        """The same, computed again by the bridge's own rules."""
        return meter(self.hours, self.tokens_per_hour, self.tokens_per_month)


@attrs.frozen
class UsageItem:
    """One thing used: a server, its backups, additional addresses, or any kind the panel may yet invent.

    ``tokens`` is SolusIO's figure, which is what is invoiced; ``server`` is there for servers only.
    """

    type: str
    id: int
    name: str
    tokens: int
    server: ServerMeter | None = None

    @property
    def computed(self) -> int | None:
        """What the bridge's own rules make of it; None where they have nothing to compute from."""
        return self.server.metered().tokens if self.server else None


@attrs.frozen
class UserUsage:
    """All that one user used; ``billing_user_id`` None means that nobody can be billed for it."""

    user_id: int
    billing_user_id: int | None
    items: tuple[UsageItem, ...]

    @property
    def tokens(self) -> int:
        """The sum of the items."""
        return sum(item.tokens for item in self.items)


def read_usage(panel: Panel, feed: UsageFeedSettings, start: datetime, end: datetime) -> Iterator[UserUsage]:
    """Every user's usage in ``[start, end)``, page by page.

    Raises:
        Incomplete: at the latest after the last row, if anything is missing; use no row before the end is reached.
    """
    params = {feed.from_parameter: _timestamp(start), feed.to_parameter: _timestamp(end)}
    for row in panel.rows(feed.path, params, key="user_id", page_parameter=feed.page_parameter):
        yield UserUsage(
            user_id=wire.identifier(row, "user_id", "a usage row"),
            billing_user_id=wire.optional_identifier(row, "billing_user_id", "a usage row"),
            items=_items(row),
        )


def _items(row: wire.Row) -> tuple[UsageItem, ...]:
    """The row's items; a server that comes twice would be billed twice."""
    items = tuple(_item(item) for item in wire.rows(row, "items", "a usage row"))
    servers = [item.id for item in items if item.server]
    if len(servers) > len(set(servers)):
        raise Incomplete(f"SolusIO's usage of user {row.get('user_id')} has a server twice")
    return items


def _item(row: wire.Row) -> UsageItem:
    where = "a usage item"
    kind = wire.text(row, "type", where)
    if not kind:
        raise Incomplete(f"SolusIO's answer has {where} of no type (id {row.get('id')!r:.30})")
    return UsageItem(
        type=kind,
        id=wire.identifier(row, "id", where),
        name=wire.text(row, "name", where),
        tokens=wire.whole(row, "tokens", where),
        server=_server(row, where) if kind == _SERVER else None,
    )


def _server(row: wire.Row, where: str) -> ServerMeter:
    plan = wire.plan(wire.table(row, "plan", where))
    return ServerMeter(
        plan=plan.name,
        tokens_per_hour=plan.tokens_per_hour,
        tokens_per_month=plan.tokens_per_month,
        hours=wire.whole(row, "uptime_hours", where),
        is_deleted=wire.flag(row, "is_deleted", where),
    )


def _timestamp(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")
