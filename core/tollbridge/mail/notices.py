"""Who takes the operator's notices away, and a first attempt by the command that has something to tell."""

import time

from tollbridge.config import Settings
from tollbridge.ledger.outbox import Outbox
from tollbridge.mail.delivery import Carrier, deliver_due
from tollbridge.mail.sender import Sender
from tollbridge.mail.webhook import Webhook

_LONGEST_SECONDS = 60.0


def carriers(settings: Settings) -> list[Carrier]:
    """One for each way in which the operator is told; ConfigError for a sender that is no address."""
    found: list[Carrier] = []
    if settings.notify is not None:
        if settings.notify.mail is not None and settings.mail is not None:
            found.append(Sender(settings.mail))
        if settings.notify.webhook is not None:
            found.append(Webhook(settings.notify))
    return found


def deliver_notices(outbox: Outbox, settings: Settings) -> list[str]:
    """Deliver what is due, for a minute at most; why something has to wait. `serve`, or the next run, tries again.

    Raises:
        LedgerError: the ledger cannot be used.
    """
    until = time.monotonic() + _LONGEST_SECONDS
    reports = [deliver_due(outbox, each, go_on=lambda: time.monotonic() < until) for each in carriers(settings)]
    return [report.no_server for report in reports if report.no_server is not None]
