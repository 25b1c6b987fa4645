"""Things that go wrong on the wire, on request."""

import threading
from collections.abc import Iterable
from typing import Literal, get_args

import attrs

Kind = Literal[
    "500",
    "429",
    "503",
    "slow",
    "cut",
    "lost",
    "half_page",
    "html",
    "empty",
    "no_meta",
    "wrong_total",
    "shuffled_pages",
]
KINDS: tuple[str, ...] = get_args(Kind)


def _known(_fault: "Fault", _field: object, kind: str) -> None:
    if kind not in KINDS:
        raise ValueError(f"{kind!r} is not a fault; there are {', '.join(KINDS)}")


def _upper(method: str) -> str:
    return method.upper()


def _times(_fault: "Fault", _field: object, times: int | None) -> None:
    if times is not None and times < 1:
        raise ValueError("times must be at least 1, or None for ever")


@attrs.frozen
class Fault:
    """One thing that goes wrong.

    Attributes:
        kind: ``500``, ``429``, ``503``, ``html`` (200 with a login page) and ``empty`` (200 with nothing)
            answer without doing anything; ``cut`` closes the connection instead. ``lost`` does the work and
            then closes the connection. ``slow`` waits ``seconds`` first. The others falsify lists:
            ``half_page`` leaves half of the rows out, ``no_meta`` leaves out what says how many there are,
            ``wrong_total`` counts one row too many, ``shuffled_pages`` gives the rows of the page before.
        method: ``GET``, ``POST``, …, or ``*`` for any.
        path: how the call's name begins, or ``*`` for any; a sandbox says what names a call, for SolusIO the path
            below ``/api/v1/``, such as ``users``.
        times: how many requests it hits; None: until it is cleared.
        seconds: how long ``slow`` waits, and the ``Retry-After`` of ``429`` and ``503`` (0: none is sent).
        skip: how many matching requests pass before it begins.
    """

    kind: Kind = attrs.field(validator=_known)
    method: str = attrs.field(default="*", converter=_upper)
    path: str = attrs.field(default="*", validator=attrs.validators.instance_of(str))
    times: int | None = attrs.field(default=1, validator=_times)
    seconds: float = attrs.field(default=0.0, converter=float, validator=attrs.validators.ge(0))
    skip: int = attrs.field(default=0, validator=attrs.validators.ge(0))

    def matches(self, method: str, path: str) -> bool:
        """Whether a request that is named so is one it hits."""
        right_method = self.method in {"*", method}
        return right_method and (self.path == "*" or path.startswith(self.path.lstrip("/")))


class Faults:
    """The faults of one sandbox, in the order they were added; the first that matches a request hits it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Arm a fault."""
        with self._lock:
            self._faults.append(fault)

    def clear(self) -> None:
        """Disarm all of them."""
        with self._lock:
            self._faults.clear()

    def list(self) -> list[Fault]:
        """What is still to come: ``times`` and ``skip`` are what is left of them."""
        with self._lock:
            return [*self._faults]

    def take(self, method: str, path: str) -> Fault | None:
        """The fault that hits this request, counted."""
        with self._lock:
            for place, fault in enumerate(self._faults):
                if not fault.matches(method, path):
                    continue
                if fault.skip:
                    self._faults[place] = attrs.evolve(fault, skip=fault.skip - 1)
                    continue
                if fault.times == 1:
                    del self._faults[place]
                elif fault.times is not None:
                    self._faults[place] = attrs.evolve(fault, times=fault.times - 1)
                return fault
        return None


class NamedFaults(Faults):
    """Faults of a system whose calls have names: ``path`` is one in any case, or how the names of several begin.

    ``GetClients`` is that call alone, and not ``GetClientsDetails`` too.
    """

    def __init__(self, names: Iterable[str]) -> None:
        super().__init__()
        self._names = {name.casefold(): name for name in names}

    def add(self, fault: Fault) -> None:
        """Arm a fault."""
        name = self._names.get(fault.path.strip("/").casefold())
        super().add(fault if name is None else attrs.evolve(fault, path=self.call(name)))

    def list(self) -> list[Fault]:
        """What is still to come, under the names they were given."""
        return [attrs.evolve(fault, path=fault.path.removesuffix("/")) for fault in super().list()]

    def call(self, name: str) -> str:
        """What a call of this name is matched as: no name is the beginning of another."""
        return f"{self._names.get(name.casefold(), name)}/"
