"""Where usage comes from: the panel's feed, or a source that is installed or one's own, all behind one hook."""

from tollbridge.usage.feed import panel_feed
from tollbridge.usage.source import UsageSource
from tollbridge.usage.two_passes import read_usage

__all__ = ["UsageSource", "panel_feed", "read_usage"]
