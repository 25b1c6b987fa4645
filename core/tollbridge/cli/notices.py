"""The operator's notices, sent at the end of a command that may have put some into the outbox."""

from collections.abc import Iterator
from contextlib import contextmanager

from tollbridge.cli.output import complain
from tollbridge.cli.session import Session
from tollbridge.errors import TollbridgeError
from tollbridge.jobs.parts import Parts
from tollbridge.ledger import Ledger
from tollbridge.mail import deliver_notices


@contextmanager
def working(session: Session, *, dry_run: bool) -> "Iterator[Parts]":
    """The bridge's parts; in the end, whatever came, notices are sent, but for those of a dry run, which has none."""
    with session.parts() as parts:
        try:
            yield parts
        finally:
            if not dry_run:
                send_notices(parts, parts.ledger)


def send_notices(parts: Parts, ledger: Ledger) -> None:
    """Send what is due; a failure is told, and ends no command: the notice waits for `serve` or the next run."""
    if parts.settings.notify is None:
        return
    try:
        problems = deliver_notices(ledger.outbox, parts.settings)
    except TollbridgeError as error:
        problems = [str(error)]
    for problem in problems:
        complain(f"a notice for you waits: {problem}")
