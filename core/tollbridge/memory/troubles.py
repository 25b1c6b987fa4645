"""What goes wrong in a billing system, on request."""

import threading
from decimal import Decimal
from typing import Literal, get_args

import attrs
from attrs import validators

from tollbridge.errors import OutcomeUnknown, Unavailable

Kind = Literal["before", "after", "late", "slow", "short", "half", "draft", "total"]
KINDS: tuple[str, ...] = get_args(Kind)


@attrs.frozen
class Trouble:
    """One thing that goes wrong.

    Attributes:
        kind: ``before``: ``error`` is raised, and nothing was done; ``after``: it is raised when the call was done, or
            in the middle of a list. ``slow``: the call waits for ``until``. ``short``: a list lacks half of its rows,
            without a word. And of invoices: ``late``: it is made by :meth:`Books.land` only, and ``error`` is raised.
            ``half``: it is made with half of its lines, and ``error`` is raised. ``draft``: it is a draft until
            ``create_invoice`` is called again. ``total``: it comes to ``amount`` more than its lines and taxes.
        call: the hook, or the step of a billing system that makes invoices in several (``new_draft``, ``add_line``,
            ``finish_draft``, ``remove_draft``); ``*`` for any.
        client_id: only what is about this client; None: anybody.
        times: how many calls it hits; None: until it is cleared.
        skip: how many matching calls pass before it begins.
        error: anything that can be raised, a ``BaseException`` for a process that dies; unless it is given, Unavailable
            if nothing was done, and OutcomeUnknown if something may have been.
    """

    kind: Kind = attrs.field(validator=validators.in_(KINDS))
    call: str = "*"
    client_id: int | None = None
    times: int | None = 1
    skip: int = attrs.field(default=0, validator=validators.ge(0))
    error: BaseException | type[BaseException] | None = None
    until: threading.Event = attrs.field(factory=threading.Event, eq=False)
    amount: Decimal = Decimal("1.00")

    def matches(self, call: str, client_id: int | None) -> bool:
        """Whether it hits this call."""
        return self.call in {"*", call} and self.client_id in {None, client_id}

    def told(self, *, surely_undone: bool) -> BaseException | type[BaseException]:
        """What is raised."""
        if self.error is not None:
            return self.error
        return Unavailable("the billing system is down") if surely_undone else OutcomeUnknown("no answer came")


class Troubles:
    """Those of one billing system, in the order they were added; the first that matches a call hits it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._troubles: list[Trouble] = []

    def add(self, trouble: Trouble) -> Trouble:
        """Arm it; it is given back, for whoever lets a slow call go on."""
        with self._lock:
            self._troubles.append(trouble)
        return trouble

    def clear(self) -> None:
        """Disarm all of them, and let every slow call go on."""
        with self._lock:
            troubles, self._troubles = self._troubles, []
        for trouble in troubles:
            trouble.until.set()

    def take(self, call: str, client_id: int | None) -> Trouble | None:
        """The one that hits this call, counted."""
        with self._lock:
            for place, trouble in enumerate(self._troubles):
                if not trouble.matches(call, client_id):
                    continue
                if trouble.skip:
                    self._troubles[place] = attrs.evolve(trouble, skip=trouble.skip - 1)
                    continue
                if trouble.times == 1:
                    del self._troubles[place]
                elif trouble.times is not None:
                    self._troubles[place] = attrs.evolve(trouble, times=trouble.times - 1)
                return trouble
        return None
