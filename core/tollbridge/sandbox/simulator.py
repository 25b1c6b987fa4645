"""What every simulated system has in memory, whatever it simulates."""

import threading
from typing import Any

import attrs

from tollbridge.sandbox.faults import Faults
from tollbridge.sandbox.journal import Journal
from tollbridge.sandbox.load import Load


class Simulator:
    """The common part of a simulated system's memory.

    Attributes:
        lock: held for every read and change; re-entrant, so a caller may hold it over several, but not while waiting
            for an answer over HTTP.
        faults: what goes wrong over HTTP, and how often.
        journal: the last requests over HTTP.
        load: how much it was asked, and how long it takes to answer.
        quirks: how it differs from others of its kind, an attrs object; None if all are alike.
    """

    quirks: Any = None

    def __init__(self, faults: Faults | None = None) -> None:
        self.lock = threading.RLock()
        self.faults = faults or Faults()
        self.journal = Journal()
        self.load = Load()

    def change_quirks(self, **changes: Any) -> None:
        """Change several quirks, or none of them if one has a name or value there is none of."""
        known = [field.name for field in attrs.fields(type(self.quirks))]
        if unknown := [name for name in changes if name not in known]:
            raise ValueError(f"there is no quirk {', '.join(unknown)}; there are {', '.join(known)}")
        self.quirks = attrs.evolve(self.quirks, **changes)
