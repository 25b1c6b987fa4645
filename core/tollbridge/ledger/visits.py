"""What the ledger remembers of visitors: how often something was tried, and which links were used."""

from datetime import datetime, timedelta

import sqlalchemy as sa

from tollbridge.ledger.database import VISIT_LOCKS, Database
from tollbridge.ledger.schema import attempts, used_links

LONGEST_WINDOW = timedelta(days=1)


class Visits:
    """Limits and links that work once, counted in the ledger, so that all its processes count together."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def allow(self, bucket: str, limit: int, within: timedelta, now: datetime) -> bool:
        """Whether there were fewer than ``limit`` attempts in the time ``within`` before now; if so, this is one.

        So there are never more than ``limit`` in any stretch of that length. An attempt that is not allowed does not
        count: a flood fills no table, and who waits is let in again, whoever else went on trying. A bucket is a text of
        at most about a thousand characters, and ``within`` at most a day.
        """
        if within > LONGEST_WINDOW:
            raise ValueError(f"attempts are remembered for {LONGEST_WINDOW}, not for {within}")
        recent = sa.select(sa.func.count()).where(attempts.c.bucket == bucket, attempts.c.at > now - within)
        with self._database.write() as connection:
            if not self._database.is_sqlite:  # SQLite's writers queue anyway
                one_at_a_time = sa.func.pg_advisory_xact_lock(VISIT_LOCKS, sa.func.hashtext(bucket))
                connection.execute(sa.select(one_at_a_time))
            if connection.execute(recent).scalar_one() >= limit:
                return False
            connection.execute(sa.insert(attempts).values(bucket=bucket, at=now))
            return True

    def use(self, nonce: str, expires_at: datetime, now: datetime) -> bool:
        """Whether nobody used this nonce before, in any process: True once, until ``expires_at`` or :meth:`release`.

        After ``expires_at`` it could be used again. For a link that works once, choose a moment when the link itself is
        over, by the clock of every machine that may look at it.
        """
        statement = self._database.insert(used_links).values(nonce=nonce, used_at=now, expires_at=expires_at)
        statement = statement.on_conflict_do_update(
            index_elements=["nonce"],
            set_={"used_at": now, "expires_at": expires_at},
            where=used_links.c.expires_at <= now,
        )
        with self._database.write() as connection:
            return connection.execute(statement.execution_options(preserve_rowcount=True)).rowcount == 1

    def was_used(self, nonce: str, now: datetime) -> bool:
        """Whether :meth:`use` was called for this nonce, and is not over; nothing is changed."""
        query = sa.select(sa.literal(1)).where(used_links.c.nonce == nonce, used_links.c.expires_at > now)
        with self._database.read() as connection:
            return connection.execute(query).first() is not None

    def release(self, nonce: str, expires_at: datetime) -> None:
        """Let the nonce be used again at once, if it is still the use that was to expire then."""
        mine = sa.and_(used_links.c.nonce == nonce, used_links.c.expires_at == expires_at)
        with self._database.write() as connection:
            connection.execute(sa.delete(used_links).where(mine))

    def end(self, nonce: str) -> None:
        """Let a use be over now, whenever it was to expire."""
        with self._database.write() as connection:
            connection.execute(sa.delete(used_links).where(used_links.c.nonce == nonce))

    def forgive(self, bucket: str, at: datetime) -> None:
        """Let the attempt that was allowed at this moment count no more."""
        with self._database.write() as connection:
            connection.execute(sa.delete(attempts).where(attempts.c.bucket == bucket, attempts.c.at == at))

    def purge(self, now: datetime) -> None:
        """Forget what is over: for housekeeping only, since nothing that is over counts anyway."""
        with self._database.write() as connection:
            connection.execute(sa.delete(attempts).where(attempts.c.at <= now - LONGEST_WINDOW))
            connection.execute(sa.delete(used_links).where(used_links.c.expires_at <= now))
