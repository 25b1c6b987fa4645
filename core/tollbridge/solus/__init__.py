"""SolusIO: its API as the bridge uses it, and a sandbox to try everything against."""

from tollbridge.solus.client import Connection, Solus
from tollbridge.solus.wire import Plan, SolusUser

__all__ = ["Connection", "Plan", "Solus", "SolusUser"]
