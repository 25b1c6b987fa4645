"""SolusIO: its API as the bridge uses it, its usage feed, and a sandbox to try everything against."""

from tollbridge.solus.client import Connection, Solus
from tollbridge.solus.usage import ServerMeter, UsageItem, UserUsage, read_usage
from tollbridge.solus.wire import Plan, SolusUser

__all__ = ["Connection", "Plan", "ServerMeter", "Solus", "SolusUser", "UsageItem", "UserUsage", "read_usage"]
