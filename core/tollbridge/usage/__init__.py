"""Where usage comes from: the panel's feed, the bridge's own meter, or a source of one's own, all behind one hook."""

from tollbridge.config import METER, Settings
from tollbridge.ledger import Ledger
from tollbridge.solus import Solus
from tollbridge.usage.feed import panel_feed
from tollbridge.usage.meter import OwnMeter
from tollbridge.usage.source import UsageSource
from tollbridge.usage.two_passes import read_usage

__all__ = ["UsageSource", "built_in_source", "panel_feed", "read_usage"]


def built_in_source(settings: Settings, solus: Solus, ledger: Ledger) -> UsageSource:
    """The source that bridge.toml names, one of the two that need no class of their own."""
    if settings.solus.usage.source == METER:
        return UsageSource(METER, OwnMeter(ledger, solus, settings.meter))
    return panel_feed(solus.panel, settings.solus.usage)
