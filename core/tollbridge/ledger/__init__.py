"""The ledger: what the bridge decided and what it did, in a database of its own."""

from datetime import date, datetime
from typing import Self

import sqlalchemy as sa

from tollbridge.ledger.accounts import Account, Accounts
from tollbridge.ledger.claims import Claims
from tollbridge.ledger.copies import Copies
from tollbridge.ledger.corrections import Corrections
from tollbridge.ledger.database import Database
from tollbridge.ledger.events import Events
from tollbridge.ledger.figures import Figures, read_figures
from tollbridge.ledger.finder import Finder
from tollbridge.ledger.helpers import Helpers
from tollbridge.ledger.invoices import Invoices
from tollbridge.ledger.leases import Leases
from tollbridge.ledger.lists import Lists
from tollbridge.ledger.meter import Meter
from tollbridge.ledger.month_sums import Sums
from tollbridge.ledger.months import Months
from tollbridge.ledger.outbox import Outbox
from tollbridge.ledger.price_lists import PriceLists
from tollbridge.ledger.readings import Readings
from tollbridge.ledger.runs import Runs
from tollbridge.ledger.schema import months
from tollbridge.ledger.signups import Signups
from tollbridge.ledger.told import Told
from tollbridge.ledger.upgrade import bring_up_to_date, must_be_up_to_date
from tollbridge.ledger.visits import Visits
from tollbridge.secret import DatabaseUrl

__all__ = ["Account", "Ledger"]


class Ledger:
    """The ledger, open.

    Attributes:
        months: how far each is.
        price_lists: which one each month is billed with.
        invoices: an entry for each client and month.
        accounts: the SolusIO users of clients, and what was done to them.
        claims: who may send which invoice, and what came of it.
        leases: what one run does at a time.
        readings: what the usage sources answered, and whose usage of it is nobody's.
        corrections: what is billed later, or taken back, of months that were billed.
        meter: what the bridge's own meter saw of servers, and when it looked.
        runs: which are alive, and what the others did.
        helpers: what workers do for a run.
        events: what has changed, when and why.
        lists: what there is, row by row, for people who look.
        finder: what people search for, a page at a time.
        sums: what many invoices come to.
        signups: who signs up, and who accepted the terms.
        visits: how often visitors tried something, and which links were used.
        outbox: the mails and notices to be sent.
        told: what the operator was told.
        copies: what other systems showed last, to be shown while they are down.
        database: what all of them are kept in.
    """

    def __init__(self, database: Database) -> None:
        self.database = database
        self.months = Months(database)
        self.price_lists = PriceLists(database)
        self.invoices = Invoices(database)
        self.accounts = Accounts(database)
        self.claims = Claims(database)
        self.leases = Leases(database)
        self.readings = Readings(database)
        self.corrections = Corrections(database)
        self.meter = Meter(database)
        self.runs = Runs(database)
        self.helpers = Helpers(database)
        self.events = Events(database)
        self.lists = Lists(database)
        self.finder = Finder(database)
        self.sums = Sums(database)
        self.signups = Signups(database)
        self.visits = Visits(database)
        self.outbox = Outbox(database)
        self.told = Told(database)
        self.copies = Copies(database)

    @classmethod
    def open(cls, url: DatabaseUrl, *, read_only: bool = False) -> Self:
        """Open the ledger at ``url``, creating its tables or bringing them up to date; LedgerError if that fails.

        With ``read_only`` nothing is created or changed, and tables that are not up to date are a LedgerError.
        """
        database = Database.open(url, read_only=read_only)
        try:
            (must_be_up_to_date if read_only else bring_up_to_date)(database)
        except BaseException:
            database.close()
            raise
        return cls(database)

    def close(self) -> None:
        """Close the connections."""
        self.database.close()

    def ping(self) -> None:
        """Raise unless the database answers and has the ledger in it."""
        with self.database.read() as connection:
            connection.execute(sa.select(months.c.month).limit(1))

    def numbers(self) -> tuple[dict[str, int], datetime | None]:
        """For monitoring: how many entries are in each state, and when a month was closed last."""
        return self.invoices.count_by_state(), self.months.last_closed_at()

    def figures(self, day: date) -> Figures:
        """For monitoring: what waits, what is owed, and how the last runs ended; ``day`` says what is late."""
        return read_figures(self.database, day)
