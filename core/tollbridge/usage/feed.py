"""The panel's usage feed: what each user's servers, backups and the rest cost in tokens within an interval.

SolusIO names a ``/usage`` endpoint without publishing its shape, so this module declares one (see docs/solusio.md)
and is the only place that knows it. An answer that does not have the declared shape, or not all of its pages, is
refused: nothing is ever invoiced on a part.
"""

from collections.abc import Iterator
from datetime import datetime

import attrs

from tollbridge.adapters.hookspecs import hookimpl
from tollbridge.config import FEED, UsageSettings
from tollbridge.errors import Incomplete
from tollbridge.model import ServerMeter, UsageItem, UserUsage
from tollbridge.solus import wire
from tollbridge.solus.panel import Panel
from tollbridge.usage.source import UsageSource

_SERVER = "server"


@attrs.frozen
class PanelFeed:
    """The usage source that asks the panel itself."""

    panel: Panel
    settings: UsageSettings

    @hookimpl
    def usage(self, start: datetime, end: datetime) -> Iterator[UserUsage]:
        """Every user's usage in ``[start, end)``, page by page.

        Raises:
            Incomplete: at the latest after the last row, if anything is missing.
        """
        feed = self.settings
        params = {feed.from_parameter: _timestamp(start), feed.to_parameter: _timestamp(end)}
        for row in self.panel.rows(feed.path, params, key="user_id", page_parameter=feed.page_parameter):
            yield UserUsage(
                user_id=wire.identifier(row, "user_id", "a usage row"),
                billing_user_id=wire.billing_id(row, "a usage row"),
                items=tuple(_item(item) for item in wire.rows(row, "items", "a usage row")),
            )


def panel_feed(panel: Panel, settings: UsageSettings) -> UsageSource:
    """The panel's feed, as ``source = "feed"`` makes it."""
    return UsageSource(FEED, PanelFeed(panel, settings))


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
