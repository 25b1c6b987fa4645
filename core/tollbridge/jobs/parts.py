"""What every job is given, and what it gives back."""

from collections.abc import Callable
from datetime import date, datetime

import attrs

from tollbridge.adapters.billing import BillingSystem
from tollbridge.config import Settings
from tollbridge.errors import AdapterFault, ServiceError, Unavailable
from tollbridge.ledger import Ledger
from tollbridge.secret import redact
from tollbridge.solus import Solus
from tollbridge.usage import UsageSource

_UNAVAILABLE_IN_A_ROW = 3


@attrs.frozen
class Parts:
    """The two banks of the bridge, its books, its settings, and where usage comes from.

    Attributes:
        file: bridge.toml's full name; None if the settings were made without one.
        is_dry: whether nothing that is done with them is for real.
    """

    settings: Settings
    solus: Solus
    billing: BillingSystem
    ledger: Ledger
    usage: UsageSource
    file: str | None = None
    is_dry: bool = False


@attrs.frozen
class When:
    """The moment a run stands for: ``day`` is the day in the configured zone that invoices carry.

    It is fixed at the run's start. ``pretended``: it is not the present.
    """

    now: datetime
    day: date
    pretended: bool = False


@attrs.frozen
class Failure:
    """One client's (or user's) failure: who, and what to do about it; ``waits``: it needs a human's word."""

    who: str
    message: str
    waits: bool = False

    def __str__(self) -> str:
        return f"{self.who}: {self.message}"


Progress = Callable[[str, int], None]


@attrs.define
class Failures:
    """The failures of one run, and the judgement whether it is one client's or the machinery's.

    A system that cannot be reached for several clients in a row is down: then the run stops, rather than waiting out
    every time-out of ten thousand clients.
    """

    all: list[Failure] = attrs.Factory(list)
    _in_a_row: int = 0
    _told: set[Failure] = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self._told = set(self.all)

    def add(self, who: str, error: Exception) -> None:
        """Note a client's failure, or raise it if it is the machinery's."""
        if not isinstance(error, ServiceError | AdapterFault):
            raise error
        self._in_a_row = self._in_a_row + 1 if isinstance(error, Unavailable) else 0
        if self._in_a_row >= _UNAVAILABLE_IN_A_ROW:
            raise error
        self.tell(who, redact(str(error)).removeprefix(f"{who}: "))

    def tell(self, who: str, message: str, *, waits: bool = False) -> None:
        """Note a failure that stops nobody; one that was told already is not told again."""
        failure = Failure(who, message, waits)
        if failure not in self._told:
            self._told.add(failure)
            self.all.append(failure)

    def went_well(self) -> None:
        """A client was served, so the machinery works."""
        self._in_a_row = 0
