"""Bringing the ledger's tables up to date; and the lock that one run holds at a time."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa
from filelock import FileLock, Timeout
from sqlalchemy.exc import DBAPIError

from tollbridge.errors import LedgerError
from tollbridge.ledger.database import Database, in_short

NEWEST = "0004"
_ADVISORY_LOCK = 0x701_1B41D6E
_POLL_SECONDS = 0.5


def bring_up_to_date(database: Database) -> None:
    """Create the ledger's tables, or change them to what this version expects.

    Raises:
        LedgerError: the database cannot be used, or is a newer version's.
    """
    if _revision(database) == NEWEST:
        return
    with exclusive(database, wait_seconds=120):
        found = _revision(database)
        if found == NEWEST:
            return
        if found is not None and found > NEWEST:
            raise LedgerError(
                f"the ledger is of a newer Tollbridge (revision {found}): install that version or a later one"
            )
        from alembic import command  # noqa: PLC0415 - slow to import, and needed once in a ledger's life
        from alembic.config import Config  # noqa: PLC0415

        config = Config()
        config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
        with database.write() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")


def _revision(database: Database) -> str | None:
    with database.read() as connection:
        if not sa.inspect(connection).has_table("alembic_version"):
            return None
        found: str | None = connection.scalar(sa.text("SELECT version_num FROM alembic_version"))
        return found


@contextmanager
def exclusive(
    database: Database, *, wait_seconds: float, on_wait: Callable[[], None] = lambda: None
) -> Iterator[Callable[[], None]]:
    """Hold the ledger alone, among all processes and machines that share it; a process that dies lets go.

    Yields a function that raises LedgerError if the hold was lost in the meantime (a database that restarted).

    Raises:
        LedgerError: somebody else still holds it after ``wait_seconds``.
    """
    hold = _hold_advisory_lock if database.file is None else _hold_file
    with hold(database, wait_seconds, on_wait) as check:
        yield check


@contextmanager
def _hold_file(database: Database, wait_seconds: float, on_wait: Callable[[], None]) -> Iterator[Callable[[], None]]:
    lock = FileLock(database.lock_file, mode=0o600)
    try:
        try:
            lock.acquire(timeout=0)
        except Timeout:
            on_wait()
            lock.acquire(timeout=wait_seconds)
    except Timeout:
        raise _still_held(wait_seconds) from None
    except OSError as error:
        raise LedgerError(f"the ledger's lock file {lock.lock_file} cannot be written: {error.strerror}") from None
    try:
        yield lambda: None
    finally:
        lock.release()


@contextmanager
def _hold_advisory_lock(
    database: Database, wait_seconds: float, on_wait: Callable[[], None]
) -> Iterator[Callable[[], None]]:
    with database.errors():
        connection = database.engine.connect().execution_options(isolation_level="AUTOCOMMIT")
    try:
        with database.errors():
            _take_advisory_lock(connection, wait_seconds, on_wait)

        def check() -> None:
            try:
                connection.execute(sa.text("SELECT 1"))
            except DBAPIError as error:
                raise LedgerError(
                    f"the connection that holds the ledger was lost: {in_short(error)}; run again"
                ) from None

        yield check
    finally:
        connection.invalidate()
        connection.close()


def _take_advisory_lock(connection: sa.Connection, wait_seconds: float, on_wait: Callable[[], None]) -> None:
    take = sa.select(sa.func.pg_try_advisory_lock(_ADVISORY_LOCK))
    deadline = time.monotonic() + wait_seconds
    waited = False
    while not connection.scalar(take):
        if not waited:
            on_wait()
            waited = True
        if time.monotonic() > deadline:
            raise _still_held(wait_seconds)
        time.sleep(_POLL_SECONDS)


def _still_held(wait_seconds: float) -> LedgerError:
    return LedgerError(
        f"another run still holds the ledger after {wait_seconds:.0f} seconds; try again when it has ended"
    )
