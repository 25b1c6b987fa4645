"""Opening the ledger's database, SQLite or PostgreSQL, up to date; and the lock that one run holds at a time."""

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
import stamina
from filelock import FileLock, Timeout
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError

from tollbridge.errors import LedgerError
from tollbridge.secret import DatabaseUrl, redact

NEWEST = "0003"
READ_ONLY = {"tollbridge_read_only": True}
_ADVISORY_LOCK = 0x701_1B41D6E
_POLL_SECONDS = 0.5


def open_engine(url: DatabaseUrl) -> sa.Engine:
    """An engine for the ledger, its tables created or brought up to date.

    Raises:
        LedgerError: the URL is of another kind of database, or the database cannot be used.
    """
    try:
        parsed = sa.make_url(url.reveal())
        backend = parsed.get_backend_name()
        if backend not in {"sqlite", "postgresql"} or (backend == "sqlite" and not parsed.database):
            raise LedgerError(
                f"ledger.url {url} is neither a SQLite file nor PostgreSQL: sqlite:///… or postgresql+psycopg://…"
            )
        engine = sa.create_engine(parsed, pool_pre_ping=backend == "postgresql")
    except (ArgumentError, NoSuchModuleError) as error:
        raise LedgerError(f"ledger.url {url} cannot be used: {error}") from None
    except ModuleNotFoundError as error:
        raise LedgerError(f"ledger.url {url} needs a driver ({error}): pip install 'tollbridge[postgresql]'") from None
    if backend == "sqlite":
        _prepare_sqlite(engine)
    try:
        _migrate(engine)
    except SQLAlchemyError as error:
        engine.dispose()
        raise LedgerError(f"the ledger {url} cannot be opened: {_short(error)}") from None
    except LedgerError:
        engine.dispose()
        raise
    return engine


def _prepare_sqlite(engine: sa.Engine) -> None:
    """Durable and shareable: write-ahead log, every commit on disk, writers queue instead of failing half-way."""

    @sa.event.listens_for(engine, "connect")
    def connected(connection: Any, _: Any) -> None:
        connection.isolation_level = None
        for pragma in ("busy_timeout=60000", "synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")
        _write_ahead(connection)

    @sa.event.listens_for(engine, "begin")
    def began(connection: sa.Connection) -> None:
        reads = connection.get_execution_options().get("tollbridge_read_only")
        connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")


def _is_locked(error: Exception) -> bool:
    return getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_BUSY


@stamina.retry(on=_is_locked, attempts=None, timeout=60, wait_initial=0.05, wait_max=0.5)
def _write_ahead(connection: sqlite3.Connection) -> None:
    """Turn the write-ahead log on; a new file that somebody else has just opened says no at once, without waiting."""
    connection.execute("PRAGMA journal_mode=WAL")


def _migrate(engine: sa.Engine) -> None:
    if _revision(engine) == NEWEST:
        return
    with exclusive(engine, wait_seconds=120):
        found = _revision(engine)
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
        with engine.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")


def _revision(engine: sa.Engine) -> str | None:
    with engine.connect().execution_options(**READ_ONLY) as connection:
        if not sa.inspect(connection).has_table("alembic_version"):
            return None
        found: str | None = connection.scalar(sa.text("SELECT version_num FROM alembic_version"))
        return found


@contextmanager
def exclusive(
    engine: sa.Engine, *, wait_seconds: float, on_wait: Callable[[], None] = lambda: None
) -> Iterator[Callable[[], None]]:
    """Hold the ledger alone, among all processes and machines that share it; a process that dies lets go.

    Yields a function that raises LedgerError if the hold was lost in the meantime (a database that restarted).

    Raises:
        LedgerError: somebody else still holds it after ``wait_seconds``.
    """
    hold = _hold_file if engine.dialect.name == "sqlite" else _hold_advisory_lock
    with hold(engine, wait_seconds, on_wait) as check:
        yield check


@contextmanager
def _hold_file(engine: sa.Engine, wait_seconds: float, on_wait: Callable[[], None]) -> Iterator[Callable[[], None]]:
    lock = FileLock(f"{engine.url.database}.lock")
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
    engine: sa.Engine, wait_seconds: float, on_wait: Callable[[], None]
) -> Iterator[Callable[[], None]]:
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
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

        def check() -> None:
            try:
                connection.execute(sa.text("SELECT 1"))
            except DBAPIError as error:
                raise LedgerError(
                    f"the connection that holds the ledger was lost: {_short(error)}; run again"
                ) from None

        try:
            yield check
        finally:
            connection.invalidate()


@contextmanager
def ledger_errors() -> Iterator[None]:
    """Whatever the database says, as LedgerError."""
    try:
        yield
    except SQLAlchemyError as error:
        raise LedgerError(f"the ledger cannot be used just now: {_short(error)}") from error


def _still_held(wait_seconds: float) -> LedgerError:
    return LedgerError(
        f"another run still holds the ledger after {wait_seconds:.0f} seconds; try again when it has ended"
    )


def _short(error: SQLAlchemyError) -> str:
    return redact(str(getattr(error, "orig", None) or error)).strip().splitlines()[0]
