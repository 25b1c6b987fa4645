"""The ledger: what the bridge decided and what it did, in a database of its own."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Self

import sqlalchemy as sa

from tollbridge.ledger.accounts import Account, Accounts
from tollbridge.ledger.database import Database
from tollbridge.ledger.invoices import Invoices
from tollbridge.ledger.months import Months
from tollbridge.ledger.opening import bring_up_to_date, exclusive
from tollbridge.ledger.outbox import Outbox
from tollbridge.ledger.schema import months
from tollbridge.ledger.signups import Signups
from tollbridge.ledger.visits import Visits
from tollbridge.secret import DatabaseUrl

__all__ = ["Account", "Ledger"]


class Ledger:
    """The ledger, open.

    Attributes:
        months: which are closed.
        invoices: an entry for each client and month.
        accounts: the SolusIO users of clients, and what was done to them.
        signups: who signs up, and who accepted the terms.
        visits: how often visitors tried something, and which links were used.
        outbox: the mails to be sent.
        database: what all of them are kept in.
    """

    def __init__(self, database: Database) -> None:
        self.database = database
        self.months = Months(database)
        self.invoices = Invoices(database)
        self.accounts = Accounts(database)
        self.signups = Signups(database)
        self.visits = Visits(database)
        self.outbox = Outbox(database)

    @classmethod
    def open(cls, url: DatabaseUrl) -> Self:
        """Open the ledger at ``url``, creating its tables or bringing them up to date; LedgerError if that fails."""
        database = Database.open(url)
        try:
            bring_up_to_date(database)
        except BaseException:
            database.close()
            raise
        return cls(database)

    def close(self) -> None:
        """Close the connections."""
        self.database.close()

    def exclusive(
        self, *, wait_seconds: float, on_wait: Callable[[], None] = lambda: None
    ) -> AbstractContextManager[Callable[[], None]]:
        """Hold the ledger alone for one run; see :func:`tollbridge.ledger.opening.exclusive`."""
        return exclusive(self.database, wait_seconds=wait_seconds, on_wait=on_wait)

    def ping(self) -> None:
        """Raise unless the database answers and has the ledger in it."""
        with self.database.read() as connection:
            connection.execute(sa.select(months.c.month).limit(1))

    def numbers(self) -> tuple[dict[str, int], datetime | None]:
        """For monitoring: how many entries are in each state, and when a month was closed last."""
        return self.invoices.count_by_state(), self.months.last_closed_at()
