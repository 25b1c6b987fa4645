"""A clock for tests, mails to wait for, and what the outbox has of them."""

from datetime import datetime, timedelta
from typing import Any

import attrs
import sqlalchemy as sa

from tollbridge.ledger import Ledger
from tollbridge.ledger.outbox import Mail
from tollbridge.ledger.schema import mails

LINK = "https://bridge.example.com/cloud/confirm/InNvbWUtcmFuZG9tLW5vbmNlIg.aGVsbG8.c2lnbmF0dXJl"
MAIL = Mail("Your link", f"Follow this link:\n\n{LINK}\n", f'<p><a href="{LINK}">Follow this link</a></p>\n')


@attrs.define
class Clock:
    """A clock that goes on by ``step`` whenever it is looked at, and as it is told."""

    now: datetime
    step: timedelta

    def __call__(self) -> datetime:
        self.now += self.step
        return self.now

    def forward(self, **much: float) -> None:
        """Let time pass: ``minutes=5``."""
        self.now += timedelta(**much)


def states(ledger: Ledger) -> dict[str, str]:
    """The state of each mail, by its key."""
    with ledger.database.read() as connection:
        return {row.key: row.state for row in connection.execute(sa.select(mails.c.key, mails.c.state))}


def row(ledger: Ledger, key: str = "signup:1") -> dict[str, Any]:
    """All that the ledger has of one mail."""
    with ledger.database.read() as connection:
        return dict(connection.execute(sa.select(mails).where(mails.c.key == key)).one()._mapping)
