"""Whether another system answers: asked by anybody, however often, and told in two seconds."""

import time
from collections.abc import Callable

import structlog

from tollbridge.kept import Freshness, Kept, aside
from tollbridge.secret import redact
from tollbridge.server.prices import arrival

_SECONDS = 2.0

_log = structlog.get_logger("tollbridge.server")


class Probe:
    """One system behind the bridge.

    Args:
        name: what the answer calls it.
        ask: asks it for something small. Whoever comes meanwhile gets the same answer.
    """

    def __init__(self, name: str, ask: Callable[[], object]) -> None:
        self._name = name
        self._kept = Kept(ask, Freshness(0), aside)

    async def problem(self) -> str | None:
        """What is wrong; why is in the log only, since anybody may ask."""
        reading = self._kept.reading()
        await arrival(reading, max(0.0, reading.began + _SECONDS - time.monotonic()))
        try:
            self._kept.outcome(reading)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is the answer
            _log.warning("not ready", part=self._name, reason=redact(str(error)) or type(error).__name__)
            return f"the {self._name} does not answer"
        return None
