"""One process that delivers what is due: ``python -m tests.mail.worker LEDGER_URL PORT``.

It says when it is ready, and begins when it is given a line.
"""

import sys

from tollbridge.config import MailSettings
from tollbridge.ledger import Ledger
from tollbridge.mail import Sender, deliver_due
from tollbridge.secret import DatabaseUrl


def main(url: str, port: str) -> None:
    """Deliver what is due."""
    ledger = Ledger.open(DatabaseUrl(url))
    outbox = ledger.outbox
    sender = Sender(MailSettings("127.0.0.1", "billing@example.com", int(port), "none"))
    print("ready", flush=True)
    sys.stdin.readline()
    deliver_due(outbox, sender)
    ledger.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
