"""The ledger's database, SQLite or PostgreSQL: how it is opened, read and written."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self

import sqlalchemy as sa
import stamina
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from tollbridge.errors import LedgerError
from tollbridge.secret import DatabaseUrl, redact

BATCH = 500
_READ_ONLY = {"tollbridge_read_only": True}


class Database:
    """The database, open; everything in the ledger reads and writes by way of it.

    Attributes:
        url: where it is, as it may be shown.
        engine: SQLAlchemy's, for the ledger's own modules.
        is_sqlite: whether it is a SQLite file, and not PostgreSQL.
    """

    def __init__(self, engine: sa.Engine, url: DatabaseUrl) -> None:
        self.url = url
        self.engine = engine
        self.is_sqlite = engine.dialect.name == "sqlite"

    @classmethod
    def open(cls, url: DatabaseUrl) -> Self:
        """The database at ``url``, which is not asked anything yet.

        Raises:
            LedgerError: the URL is of another kind of database, or has no driver.
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
            raise LedgerError(
                f"ledger.url {url} needs a driver ({error}): pip install 'tollbridge[postgresql]'"
            ) from None
        if backend == "sqlite":
            _prepare_sqlite(engine)
        return cls(engine, url)

    def close(self) -> None:
        """Close the connections."""
        self.engine.dispose()

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """A connection that sees one state of the ledger and changes nothing; LedgerError for whatever it says."""
        with self._errors(), self.engine.connect().execution_options(**_READ_ONLY) as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """A transaction: what is done in it is done whole or not at all; LedgerError for whatever it says."""
        with self._errors(), self.engine.begin() as connection:
            yield connection

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except SQLAlchemyError as error:
            raise LedgerError(f"the ledger {self.url} cannot be used: {in_short(error)}") from error

    def insert(self, table: sa.Table) -> sqlite.Insert | postgresql.Insert:
        """An INSERT that can say what is to be done with a row that is there already."""
        return sqlite.insert(table) if self.is_sqlite else postgresql.insert(table)

    def batches(self, query: sa.Select[int], column: sa.Column[Any]) -> Iterator[list[int]]:
        """The ids that a query finds, by batches, each read by itself; ``column`` is what it selects and orders by."""
        after = None
        while True:
            page = query if after is None else query.where(column > after)
            with self.read() as connection:
                ids = list(connection.scalars(page.limit(BATCH)))
            if not ids:
                return
            yield ids
            after = ids[-1]


def in_short(error: SQLAlchemyError) -> str:
    """The first line of what a database said, without its secrets."""
    return redact(str(getattr(error, "orig", None) or error)).strip().splitlines()[0]


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
