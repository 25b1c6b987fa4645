"""The panel's usage feed: what each user's servers, backups and the rest cost in tokens within an interval.

An answer that does not have the shape that bridge.toml says, or not all of its pages, is refused: nothing is ever
invoiced on a part.
"""

from collections.abc import Iterator
from datetime import datetime

import attrs

from tollbridge.adapters.hookspecs import hookimpl
from tollbridge.config import FEED, UsageFields, UsageSettings
from tollbridge.model import UserUsage
from tollbridge.solus.panel import Envelope, Panel
from tollbridge.usage.feed_rows import usage_of
from tollbridge.usage.source import UsageSource


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
        feed, fields = self.settings, self.settings.fields
        rows = self.panel.rows(
            feed.path,
            interval(feed, start, end),
            key=fields.user if fields.items else "",
            page_parameter=feed.page_parameter,
            envelope=envelope(fields),
        )
        return usage_of(rows, fields)


def panel_feed(panel: Panel, settings: UsageSettings) -> UsageSource:
    """The panel's feed, as ``source = "feed"`` makes it."""
    return UsageSource(FEED, PanelFeed(panel, settings))


def interval(feed: UsageSettings, start: datetime, end: datetime) -> dict[str, str]:
    """The parameters that ask for ``[start, end)``."""
    return {feed.from_parameter: _timestamp(start), feed.to_parameter: _timestamp(end)}


def envelope(fields: UsageFields) -> Envelope:
    """Where the feed's pages have their rows and numbers."""
    return Envelope(fields.rows, fields.total, fields.last_page, fields.current_page, fields.per_page)


def _timestamp(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")
