"""Opening the operator's database."""

import sqlite3
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from tollbridge import DatabaseUrl, Refused

_TIMEOUT_SECONDS = 30
_CONNECT_SECONDS = 10
_CONNECTIONS = 10
# MariaDB's and MySQL's own numbers: connections, access, locks, deadlocks, read-only; from 2000 on the driver's.
_MARIADB_DOWN = {1040, 1042, 1044, 1045, 1049, 1053, 1129, 1130, 1203, 1205, 1213, 1226, 1290, 1317, 1836, 1927,
                 *range(1152, 1162), *range(2000, 3000)}  # fmt: skip

# Deadlocks, and rows that changed since the transaction began.
_MARIADB_ROLLED_BACK = {1020, 1213}
_POSTGRESQL_ROLLED_BACK = {"40001", "40P01"}


def open_database(url: DatabaseUrl, *, create: bool = False) -> sa.Engine:
    """An engine for ``url``; connections are made when needed, and tested before they are used again.

    A SQLite file that is not there is only made with ``create``: a mistyped path would else be an empty database.

    Raises:
        Refused: the URL cannot be read, or its driver is not installed.
    """
    try:
        parsed = sa.make_url(url.reveal())
        backend = parsed.get_backend_name()
        waiting = {"sqlite": {"timeout": _TIMEOUT_SECONDS}, "postgresql": {"connect_timeout": _CONNECT_SECONDS}}
        engine = sa.create_engine(
            parsed,
            **({} if backend == "sqlite" else {"pool_size": _CONNECTIONS}),
            pool_pre_ping=backend != "sqlite",
            pool_recycle=1800,
            connect_args=waiting.get(backend, {}),
            hide_parameters=True,  # a new client's password hash is among them
        )
    except ModuleNotFoundError as error:
        raise Refused(
            f"the database URL {url} needs a driver that is not installed ({error}): run pip install '.[postgresql]'"
            " or '.[mysql]' in the folder with Tollbridge's pyproject.toml"
        ) from None
    except (SQLAlchemyError, ValueError, TypeError) as error:
        raise Refused(f"the database URL {url} cannot be used: {error}") from None
    if backend == "sqlite" and not create:
        sa.event.listen(engine, "do_connect", _refuse_missing_file)
    return engine


def _refuse_missing_file(_dialect: object, _record: object, arguments: list[Any], _more: object) -> None:
    file = str(arguments[0])
    if file and not file.startswith((":memory:", "file:")) and not Path(file).exists():
        raise sqlite3.OperationalError(f"there is no file {file}")


def is_down(error: SQLAlchemyError) -> bool:
    """Whether the database cannot be used just now; else it understood, and said no.

    Drivers call some plain mistakes in a statement operational errors, too.
    """
    if isinstance(error, sa.exc.TimeoutError) or getattr(error, "connection_invalidated", False):
        return True
    if not isinstance(error, sa.exc.OperationalError):
        return isinstance(error, sa.exc.InterfaceError)
    orig = error.orig
    if isinstance(orig, sqlite3.Error):
        return getattr(orig, "sqlite_errorcode", None) != sqlite3.SQLITE_ERROR
    code = orig.args[0] if orig and orig.args else None
    return not isinstance(code, int) or code in _MARIADB_DOWN


def was_rolled_back(error: SQLAlchemyError) -> bool:
    """Whether the database gave the transaction up for another's sake, so that nothing of it is left."""
    orig = getattr(error, "orig", None)
    code = orig.args[0] if orig and orig.args else None
    return code in _MARIADB_ROLLED_BACK or getattr(orig, "sqlstate", None) in _POSTGRESQL_ROLLED_BACK


def reason(error: SQLAlchemyError) -> str:
    """The database's own words, in one line."""
    words = str(getattr(error, "orig", None) or error).strip()
    return words.splitlines()[0] if words else type(error).__name__
