"""The meter's snapshots, taken by a thread beside a server; of all processes that share a ledger by one at a time."""

import threading
from datetime import timedelta

import structlog

from tollbridge.errors import TollbridgeError
from tollbridge.jobs.clock import refuse_wrong_clock
from tollbridge.jobs.parts import Parts
from tollbridge.secret import redact
from tollbridge.usage.snapshot import take_snapshot

_LOOK_EVERY_SECONDS = 10.0
_AFTER_A_FAILURE = timedelta(minutes=1)

_log = structlog.get_logger("tollbridge.meter")


class Snapshots:
    """Takes a snapshot whenever it is this process's turn; one that failed is tried again after a minute."""

    def __init__(self, parts: Parts, *, look_every_seconds: float = _LOOK_EVERY_SECONDS) -> None:
        self._parts = parts
        self._look_every_seconds = look_every_seconds
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="meter", daemon=True)

    def start(self) -> None:
        """Begin; once."""
        self._thread.start()

    def stop(self, timeout_seconds: float = 10.0) -> None:
        """Begin no other; a snapshot under way that takes longer is left, and what is not whole is not kept."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(timeout_seconds)

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._look()
            self._stopping.wait(self._look_every_seconds)

    def _look(self) -> None:
        meter, settings = self._parts.ledger.meter, self._parts.settings
        try:
            if not meter.take_turn(settings.meter.every):
                return
            try:
                taken = take_snapshot(
                    self._parts.ledger, self._parts.solus, at_once=settings.solus.at_once, check_time=refuse_wrong_clock
                )
            except BaseException:
                meter.give_turn_back(_AFTER_A_FAILURE)
                raise
        except TollbridgeError as error:
            _log.warning("no snapshot", reason=redact(str(error)))
        except Exception:  # noqa: BLE001 - a fault of ours, and the next snapshot may go well
            _log.exception("no snapshot")
        else:
            _log.info(
                "snapshot", at=taken.taken_at.isoformat(), servers=taken.servers, new=taken.new, changed=taken.changed,
                gone=taken.gone,
            )  # fmt: skip
