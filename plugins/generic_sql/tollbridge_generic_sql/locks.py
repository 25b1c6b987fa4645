"""A lock on one invoice's reference, so that of all who write it at once one does, and the others find it there."""

from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from tollbridge import Unavailable

# The kinds of database that have such a lock.
LOCKING = frozenset({"sqlite", "postgresql", "mysql", "mariadb"})
_WAIT_SECONDS = 30


@contextmanager
def locked(connection: sa.Connection, reference: str) -> Iterator[None]:
    """Within it nobody else has the lock, in this process or another; what others wrote under it is seen.

    It ends with the transaction that is begun here, on MySQL and MariaDB behind it.

    Raises:
        Unavailable: somebody else has had it for half a minute.
    """
    kind = connection.dialect.name
    if kind in {"mysql", "mariadb"}:
        with _named_lock(connection, f"tollbridge-{_digest(reference).hex()}"):
            yield
        return
    if kind == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    elif kind == "postgresql":
        # Under any other level what is seen would be what was there before the wait for the lock.
        connection.execution_options(isolation_level="READ COMMITTED")
        key = int.from_bytes(_digest(reference), signed=True)
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.cast(key, sa.BigInteger))))
    yield


def forget_what_was_seen(connection: sa.Connection) -> None:
    """Let the next statement see what is there now: MySQL shows a transaction what was there when it first looked."""
    if connection.dialect.name in {"mysql", "mariadb"}:
        connection.rollback()


@contextmanager
def _named_lock(connection: sa.Connection, name: str) -> Iterator[None]:
    """The lock is the connection's, whatever its transactions do; one that cannot give it back is closed."""
    if connection.scalar(sa.select(sa.func.get_lock(name, _WAIT_SECONDS))) != 1:
        raise Unavailable("somebody else is writing the same invoice and does not end")
    try:
        yield
    finally:
        try:
            connection.rollback()
            connection.scalar(sa.select(sa.func.release_lock(name)))
        except SQLAlchemyError:
            connection.invalidate()


def _digest(reference: str) -> bytes:
    return blake2b(reference.encode(), digest_size=8).digest()
