"""What the tests of mails share: a ledger's outbox of each kind, and a mail server."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from tests.mail.servers import MailServer, a_mail_server
from tests.mail.waiting import Clock
from tollbridge.ledger import Ledger
from tollbridge.ledger.outbox import Outbox
from tollbridge.secret import DatabaseUrl


@pytest.fixture
def server() -> Iterator[MailServer]:
    """A mail server that takes every mail."""
    with a_mail_server() as running:
        yield running


@pytest.fixture
def clock() -> Clock:
    """A clock that stands still."""
    return Clock(datetime(2026, 7, 1, 4, tzinfo=UTC), timedelta(0))


@pytest.fixture
def ledger(ledger_url: str) -> Iterator[Ledger]:
    """A fresh ledger of each kind."""
    opened = Ledger.open(DatabaseUrl(ledger_url))
    yield opened
    opened.close()


@pytest.fixture
def outbox(ledger: Ledger) -> Outbox:
    """Its outbox."""
    return ledger.outbox
