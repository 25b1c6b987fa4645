"""Delivering mails from a thread beside a server, every few seconds and whenever there is a new one."""

import threading
from collections.abc import Callable
from datetime import datetime

import structlog

from tollbridge.errors import TollbridgeError
from tollbridge.ledger.outbox import Outbox
from tollbridge.mail.delivery import Carrier, deliver_due, utc_now
from tollbridge.secret import redact

EVERY_SECONDS = 5.0
_LONGEST_PAUSE = 60.0

_log = structlog.get_logger("tollbridge.mail")


class Delivery:
    """Delivers in the background; every worker process of a server may have one, for they share the mails.

    While the mail server lets nobody in, or the ledger cannot be used, the pauses grow to a minute.
    """

    def __init__(
        self,
        outbox: Outbox,
        sender: Carrier,
        *,
        every_seconds: float = EVERY_SECONDS,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._outbox = outbox
        self._sender = sender
        self._every_seconds = every_seconds
        self._clock = clock
        self._woken = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="mail-delivery", daemon=True)

    def start(self) -> None:
        """Begin; once."""
        self._thread.start()

    def wake(self) -> None:
        """Look at the outbox at once; from any thread."""
        self._woken.set()

    def stop(self, timeout_seconds: float = 10.0) -> None:
        """Finish the mail in hand and begin no other; one that takes longer is left, to be sent again later."""
        self._stopping.set()
        self._woken.set()
        if self._thread.is_alive():
            self._thread.join(timeout_seconds)

    def _run(self) -> None:
        pause = self._every_seconds
        while not self._stopping.is_set():
            self._woken.clear()
            pause = self._every_seconds if self._round() else min(pause * 2, _LONGEST_PAUSE)
            if not self._stopping.is_set():
                self._woken.wait(pause)

    def _round(self) -> bool:
        """Deliver what is due; False if nothing could be delivered at all."""
        try:
            report = deliver_due(self._outbox, self._sender, self._clock, go_on=lambda: not self._stopping.is_set())
        except TollbridgeError as error:
            _log.warning("mails wait", reason=redact(str(error)))
            return False
        except Exception:  # noqa: BLE001 - a fault of ours: the mail's lease runs out, and the others go on
            _log.exception("mails wait")
            return False
        return report.no_server is None
