"""blesta: Blesta's JSON API."""

from tollbridge_blesta.adapter import BlestaAdapter

__all__ = ["BlestaAdapter"]
