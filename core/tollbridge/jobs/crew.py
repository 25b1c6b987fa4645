"""How several machines work together on one run, whatever engine brings them together."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

import attrs

from tollbridge.jobs.parts import When
from tollbridge.rules.calendar import Month


@attrs.frozen
class Errand:
    """What a run asks workers for: to send what it has drafted.

    Attributes:
        run_id: the run; who helps stops when it has ended.
        when: the moment it stands for, by which invoices are dated.
        pages: how many pages of clients there are to send, so how many workers could be of use.
    """

    run_id: int
    when: When
    months: Sequence[Month]
    pages: int


Ask = Callable[[Errand], AbstractContextManager[object]]
"""Asks workers for help, and at its end takes back what nobody has begun; LedgerError if they cannot be asked."""


def _nothing_stops() -> None:
    """Go on."""


@attrs.frozen
class Crew:
    """What is different for a process that works together with others.

    Attributes:
        ask: how workers are asked for help; None: there are none.
        at_most: how many calls this process makes at once; None: as many as the systems stand.
        go_on: called before each claim; what it raises is what stops the sending.
    """

    ask: Ask | None = None
    at_most: int | None = None
    go_on: Callable[[], None] = _nothing_stops
