"""The queue's tables, in a schema of their own in the ledger's database."""

from importlib.resources import files
from typing import Any

import sqlalchemy as sa

from tollbridge.errors import LedgerError, LedgerNewer
from tollbridge.ledger.database import Database
from tollbridge.ledger.upgrade import exclusive

SCHEMA = "tollbridge_queue"
HERE = sa.text(f"SET LOCAL search_path TO {SCHEMA}")


def bring_up_to_date(database: Database) -> None:
    """Create the queue's tables, or change them to what this version of the engine expects.

    The engine changes its tables by files that have a number; the last one that was done is noted beside them.

    Raises:
        LedgerError: the database does not let us.
        LedgerNewer: they are a newer version's.
    """
    steps = _steps()
    newest = steps[-1]
    if _check(_last_step(database), newest):
        return
    with exclusive(database, wait_seconds=120):
        found = _last_step(database)
        if _check(found, newest):
            return
        if found is None:
            with database.write() as connection:
                connection.exec_driver_sql(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
                connection.execute(HERE)
                _execute(connection, "schema.sql")
                connection.exec_driver_sql("CREATE TABLE last_step (name text NOT NULL)")
                connection.execute(sa.text("INSERT INTO last_step VALUES (:name)"), {"name": newest})
        for step in steps if found is not None else ():
            if found is not None and step > found:
                with database.write() as connection:
                    connection.execute(HERE)
                    _execute(connection, f"migrations/{step}")
                    connection.execute(sa.text("UPDATE last_step SET name = :name"), {"name": step})


def must_not_be_newer(database: Database) -> None:
    """Raise LedgerNewer if a newer version has changed the queue's tables."""
    _check(_last_step(database), _steps()[-1])


def _check(found: str | None, newest: str) -> bool:
    """Whether they are up to date."""
    if found is not None and found > newest:
        raise LedgerNewer(
            f"the queue is of a newer Tollbridge (step {found}): install that version, with `pip install"
            " '.[distributed]'`, or a later one"
        )
    return found == newest


def _last_step(database: Database) -> str | None:
    with database.read() as connection:
        if connection.scalar(sa.text(f"SELECT to_regclass('{SCHEMA}.last_step')")) is None:
            return None
        found: str | None = connection.scalar(sa.text(f"SELECT name FROM {SCHEMA}.last_step"))  # noqa: S608
        return found


def _steps() -> list[str]:
    folder = files("procrastinate.sql").joinpath("migrations")
    return sorted(file.name for file in folder.iterdir() if file.name.endswith(".sql"))


def _execute(connection: sa.Connection, file: str) -> None:
    """All statements of one of the engine's files, by the driver itself, which takes them as they are."""
    driver: Any = connection.connection.driver_connection
    try:
        driver.execute(files("procrastinate.sql").joinpath(file).read_text(encoding="utf-8"))
    except driver.Error as error:
        raise LedgerError(f"the queue's tables cannot be made: {str(error).splitlines()[0]}") from error
