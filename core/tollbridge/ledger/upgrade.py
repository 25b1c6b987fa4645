"""Bringing the ledger's tables up to date, alone."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa
from filelock import FileLock, Timeout

from tollbridge.errors import LedgerError, LedgerNewer
from tollbridge.ledger.database import TABLES_LOCK, Database

NEWEST = "0013"
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
        _refuse_newer(found)
        from alembic import command  # noqa: PLC0415 - slow to import, and needed once in a ledger's life
        from alembic.config import Config  # noqa: PLC0415

        config = Config()
        config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
        with database.write() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")


def must_not_be_newer(database: Database) -> None:
    """Raise LedgerNewer if a newer version has changed the tables since this one has opened them."""
    _refuse_newer(_revision(database))


def must_be_up_to_date(database: Database) -> None:
    """Raise LedgerError unless the tables are what this version expects; for whoever only looks."""
    found = _revision(database)
    if found != NEWEST:
        _refuse_newer(found)
        was = "has no tables yet" if found is None else "is an older Tollbridge's"
        raise LedgerError(f"the ledger {database.url} {was}, and looking changes nothing: run `tollbridge check` first")


def _refuse_newer(found: str | None) -> None:
    if found is not None and found > NEWEST:
        raise LedgerNewer(
            f"the ledger is of a newer Tollbridge (revision {found}): install that version or a later one"
        )


def _revision(database: Database) -> str | None:
    with database.read() as connection:
        if not sa.inspect(connection).has_table("alembic_version"):
            return None
        found: str | None = connection.scalar(sa.text("SELECT version_num FROM alembic_version"))
        return found


@contextmanager
def exclusive(database: Database, *, wait_seconds: float) -> Iterator[None]:
    """Hold the ledger alone, among all processes and machines that share it; a process that dies lets go.

    Raises:
        LedgerError: somebody else still holds it after ``wait_seconds``.
    """
    with (_hold_file if database.is_sqlite else _hold_advisory_lock)(database, wait_seconds):
        yield


@contextmanager
def _hold_file(database: Database, wait_seconds: float) -> Iterator[None]:
    lock = FileLock(database.lock_file, mode=0o600)
    try:
        lock.acquire(timeout=wait_seconds)
    except Timeout:
        raise _still_held(wait_seconds) from None
    except OSError as error:
        raise LedgerError(f"the ledger's lock file {lock.lock_file} cannot be written: {error.strerror}") from None
    try:
        yield
    finally:
        lock.release()


@contextmanager
def _hold_advisory_lock(database: Database, wait_seconds: float) -> Iterator[None]:
    with database.errors():
        session = database.session()
    try:
        with database.errors():
            _take_advisory_lock(session, wait_seconds)
        yield
    finally:
        session.invalidate()
        session.close()


def _take_advisory_lock(session: sa.Connection, wait_seconds: float) -> None:
    take = sa.select(sa.func.pg_try_advisory_lock(TABLES_LOCK))
    deadline = time.monotonic() + wait_seconds
    while not session.scalar(take):
        if time.monotonic() > deadline:
            raise _still_held(wait_seconds)
        time.sleep(_POLL_SECONDS)


def _still_held(wait_seconds: float) -> LedgerError:
    return LedgerError(
        f"another run still holds the ledger after {wait_seconds:.0f} seconds; try again when it has ended"
    )
