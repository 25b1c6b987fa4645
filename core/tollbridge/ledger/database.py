"""The ledger's database, SQLite or PostgreSQL: how it is opened, read and written."""

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import unquote, urlsplit

import sqlalchemy as sa
import stamina
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from tollbridge.errors import ConfigError, LedgerError
from tollbridge.secret import DatabaseUrl, redact

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql

BATCH = 500
_READ_ONLY = {"tollbridge_read_only": True}
_DRIVERS = {"sqlite": "sqlite+pysqlite", "postgresql": "postgresql+psycopg"}

# A server that is gone without a word, or a network that is cut, is noticed in half a minute.
_LIBPQ = {
    "connect_timeout": "10",
    "keepalives": "1",
    "keepalives_idle": "15",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "30000",
}
# PostgreSQL's advisory locks, each kind with a number of its own, or a visitor would wait for a run.
TABLES_LOCK = 0x701_1B41D6E
RUN_LOCKS = 0x701_1B
SLOT_LOCKS = {"billing": 0x701_1C, "solus": 0x701_1D}
VISIT_LOCKS = 0x701_1E
METER_LOCK = 0x701_1F
TOLD_LOCK = 0x701_20
CHECK_LOCK = 0x701_21

_MAKING_A_FILE = threading.Lock()


class Database:
    """The database, open; everything in the ledger reads and writes by way of it.

    Attributes:
        url: where it is, as it may be shown.
        engine: SQLAlchemy's, for the ledger's own modules.
        file: the SQLite file under its one real name; None for PostgreSQL.
    """

    def __init__(self, engine: sa.Engine, url: DatabaseUrl, file: Path | None) -> None:
        self.url = url
        self.engine = engine
        self.file = file

    @classmethod
    def open(cls, url: DatabaseUrl, *, read_only: bool = False) -> Self:
        """The database at ``url``, which is not asked anything yet; a SQLite file is made, for its owner alone.

        With ``read_only`` none is made, and the database itself refuses whatever would change it.

        Raises:
            ConfigError: the URL is of another kind of database, or has no driver, or its folder is not there, or with
                ``read_only`` its file.
            LedgerError: the file cannot be made, or cannot be kept from being read by others.
        """
        try:
            parsed = sa.make_url(url.reveal())
        except ArgumentError:
            raise _misconfigured(f"{url} cannot be read: write sqlite:///… or postgresql+psycopg://…") from None
        except ValueError:
            raise _misconfigured(f"{url} cannot be read: its port is not a number") from None
        backend = parsed.get_backend_name()
        if parsed.drivername not in {backend, _DRIVERS.get(backend)} or backend not in _DRIVERS:
            raise _misconfigured(
                f"{url} is neither a SQLite file nor PostgreSQL: write sqlite:///… or postgresql+psycopg://…"
            )
        if backend == "sqlite":
            file = _sqlite_file(parsed, url)
            if read_only and not file.exists():
                raise _misconfigured(f"there is no ledger at {url} yet: run `tollbridge check`, or correct the URL")
            _keep_private(file)
            return cls(_sqlite_engine(file, read_only=read_only), url, file)
        engine = _postgresql_engine(parsed, url)
        return cls(engine.execution_options(postgresql_readonly=True) if read_only else engine, url, None)

    @property
    def is_sqlite(self) -> bool:
        """Whether it is a SQLite file, and not PostgreSQL."""
        return self.file is not None

    def close(self) -> None:
        """Close the connections."""
        self.engine.dispose()

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """A connection that sees one state of the ledger and changes nothing; LedgerError for whatever it says."""
        with self.errors(), self.engine.connect().execution_options(**_READ_ONLY) as connection:
            yield connection

    @contextmanager
    def snapshot(self) -> Iterator[sa.Connection]:
        """As :meth:`read`, but all that is asked on it is of one moment, however much is written meanwhile."""
        options = {} if self.is_sqlite else {"isolation_level": "REPEATABLE READ"}
        with self.errors(), self.engine.connect().execution_options(**_READ_ONLY, **options) as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """A transaction: what is done in it is done whole or not at all; LedgerError for whatever it says."""
        with self.errors(), self.engine.begin() as connection:
            yield connection

    def session(self) -> sa.Connection:
        """A connection of one's own, without transactions, for what holds as long as it lives; close it."""
        return self.engine.connect().execution_options(isolation_level="AUTOCOMMIT")

    @property
    def libpq(self) -> dict[str, Any]:
        """How somebody else's connections to PostgreSQL are to be made, so that they are like the ledger's own."""
        _, arguments = self.engine.dialect.create_connect_args(self.engine.url)
        return {**_LIBPQ, **arguments}

    def now(self, connection: sa.Connection) -> datetime:
        """The time by the ledger's clock, which is the same for all machines that share it."""
        if self.is_sqlite:
            return datetime.now(UTC)
        moment: datetime = connection.execute(sa.select(sa.func.clock_timestamp())).scalar_one()
        return moment.astimezone(UTC)

    @property
    def lock_file(self) -> str:
        """The file beside a SQLite ledger that whoever works on it alone has locked."""
        return f"{self.file}.lock"

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Whatever the database says, as LedgerError."""
        try:
            yield
        except SQLAlchemyError as error:
            raise LedgerError(f"the ledger {self.url} cannot be used: {in_short(error)}") from error

    def insert(self, table: sa.Table) -> "sqlite.Insert | postgresql.Insert":
        """An INSERT that can say what is to be done with a row that is there already."""
        if self.is_sqlite:
            return sqlite.insert(table)
        from sqlalchemy.dialects import postgresql  # noqa: PLC0415 - a tenth of a command's start, and for nothing here

        return postgresql.insert(table)

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
    words = redact(str(getattr(error, "orig", None) or error)).strip()
    return words.splitlines()[0] if words else type(error).__name__


def _misconfigured(problem: str) -> ConfigError:
    return ConfigError("ledger.url", [problem])


def _postgresql_engine(parsed: sa.URL, url: DatabaseUrl) -> sa.Engine:
    settings = {name: value for name, value in _LIBPQ.items() if name not in parsed.query}
    try:
        return sa.create_engine(
            parsed.set(drivername=_DRIVERS["postgresql"]), pool_pre_ping=True, connect_args=settings
        )
    except ImportError as error:
        raise _misconfigured(
            f"{url} needs a driver ({error}): run pip install '.[postgresql]' in the folder with Tollbridge's"
            " pyproject.toml"
        ) from None


def _sqlite_file(parsed: sa.URL, url: DatabaseUrl) -> Path:
    """The file itself, whatever it is called: with links followed, and from the root on."""
    if set(parsed.query) - {"uri"}:
        raise _misconfigured(f"{url} has parameters: write sqlite:///… with the file's name alone")
    name = parsed.database or ""
    if name.startswith("file:"):
        name = unquote(urlsplit(name).path)
    if not name or name == ":memory:":
        raise _misconfigured(f"{url} is no file, and a ledger must outlive the command: write sqlite:///tollbridge.db")
    try:
        file = Path(name).resolve()
        if not file.parent.is_dir():
            raise _misconfigured(f"there is no folder {file.parent} for {url}: make it, or correct the URL")
        if file.is_symlink() or (file.exists() and not file.is_file()):
            raise _misconfigured(f"{url} is no file: write sqlite:///… with a file's name")
    except (OSError, RuntimeError, ValueError) as error:
        raise _misconfigured(f"{url} leads nowhere: {error}") from None
    return file


def _keep_private(file: Path) -> None:
    """Make the file if it is not there; let nobody but its owner read what is in it, such as links that log in.

    SQLite gives its files beside it the same mode. They may be older than this rule.
    """
    # To close a file is to lose all locks that SQLite has on it in this process, so nobody may have opened it yet.
    try:
        with _MAKING_A_FILE, suppress(FileExistsError):
            os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except OSError as error:
        advice = "ledger.url must name a folder that this user may write to"
        raise LedgerError(f"the ledger {file} cannot be made: {error.strerror}; {advice}") from None
    for each in (file, *(Path(f"{file}{suffix}") for suffix in ("-wal", "-shm", "-journal", ".lock"))):
        try:
            mode = each.stat().st_mode
            if mode & 0o077:
                each.chmod(mode & 0o700)
        except FileNotFoundError:
            continue
        except OSError as error:
            raise LedgerError(
                f"{each} cannot be kept for its owner alone: {error.strerror}; run Tollbridge as the user whose it is"
            ) from None


def _sqlite_engine(file: Path, *, read_only: bool) -> sa.Engine:
    """Durable and shareable: write-ahead log, every commit on disk, writers queue instead of failing half-way."""
    engine = sa.create_engine(sa.URL.create(_DRIVERS["sqlite"], database=str(file)))

    @sa.event.listens_for(engine, "connect")
    def connected(connection: Any, _: Any) -> None:
        connection.isolation_level = None
        for pragma in ("busy_timeout=60000", "synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")
        if read_only:
            connection.execute("PRAGMA query_only=ON")
        else:
            _write_ahead(connection)

    @sa.event.listens_for(engine, "begin")
    def began(connection: sa.Connection) -> None:
        reads = connection.get_execution_options().get("tollbridge_read_only")
        connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")

    return engine


def _is_locked(error: Exception) -> bool:
    return getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_BUSY


@stamina.retry(on=_is_locked, attempts=None, timeout=60, wait_initial=0.05, wait_max=0.5)
def _write_ahead(connection: sqlite3.Connection) -> None:
    """Turn the write-ahead log on; a new file that somebody else has just opened says no at once, without waiting."""
    connection.execute("PRAGMA journal_mode=WAL")
