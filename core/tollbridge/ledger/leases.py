"""What only one run does at a time, for as long as its lease lasts: drafting."""

from datetime import datetime, timedelta

import attrs
import sqlalchemy as sa

from tollbridge.errors import LedgerError
from tollbridge.ledger.database import Database
from tollbridge.ledger.runs import ended
from tollbridge.ledger.schema import leases


@attrs.frozen
class Lease:
    """A lease that was taken; whoever takes it over raises the epoch, by which this one is known to be over."""

    name: str
    run_id: int
    epoch: int
    length: timedelta
    _database: Database

    def keep(self) -> None:
        """Renew it in a transaction of its own, while something is waited for."""
        with self._database.write() as connection:
            self.renew(connection)

    def renew(self, connection: sa.Connection) -> None:
        """Renew it in the transaction of what it is for; LedgerError, by which that is undone, if it is another's."""
        until = self._database.now(connection) + self.length
        mine = sa.and_(leases.c.name == self.name, leases.c.run_id == self.run_id, leases.c.epoch == self.epoch)
        if connection.execute(sa.update(leases).where(mine).values(leased_until=until)).rowcount != 1:
            raise LedgerError(f"another run has taken over {self.name}, since this one paused for too long; run again")


def held(name: str, now: datetime) -> sa.ColumnElement[bool]:
    """Whether a run that lives has a lease whose time is not over, for use in other queries."""
    has = sa.and_(leases.c.run_id.is_not(None), leases.c.leased_until > now, ~ended(leases.c.run_id))
    return sa.exists().where(leases.c.name == name, has)


def is_held(connection: sa.Connection, name: str, now: datetime) -> bool:
    """The same, asked so that nobody takes the lease before this transaction has ended."""
    connection.execute(sa.select(leases.c.name).where(leases.c.name == name).with_for_update())
    return bool(connection.scalar(sa.select(held(name, now))))


class Leases:
    """The ledger's leases."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def take(self, name: str, run_id: int, length: timedelta) -> Lease | None:
        """The lease, if nobody has it, its time is over, or its run has ended; None if it is another's.

        On SQLite nobody else can have it, since one run works at a time.
        """
        with self._database.write() as connection:
            now = self._database.now(connection)
            first = self._database.insert(leases).values(name=name, run_id=None, epoch=0, leased_until=now)
            connection.execute(first.on_conflict_do_nothing(index_elements=["name"]))
            free = sa.or_(leases.c.run_id.is_(None), leases.c.leased_until <= now, ended(leases.c.run_id))
            named = leases.c.name == name
            take = sa.update(leases).where(named if self._database.is_sqlite else sa.and_(named, free))
            take = take.values(run_id=run_id, epoch=leases.c.epoch + 1, leased_until=now + length)
            epoch = connection.execute(take.returning(leases.c.epoch)).scalar()
        return None if epoch is None else Lease(name, run_id, epoch, length, self._database)

    def give_back(self, lease: Lease) -> None:
        """Let somebody else take it."""
        mine = sa.and_(leases.c.name == lease.name, leases.c.epoch == lease.epoch)
        with self._database.write() as connection:
            connection.execute(sa.update(leases).where(mine).values(run_id=None))
