"""Whether the ledger is PostgreSQL's writer itself, reached so that what a session holds is held."""

import threading
from collections.abc import Callable
from contextlib import ExitStack, suppress

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from tollbridge.ledger.database import CHECK_LOCK, Database

_ROUNDS = 5
_OTHERS = 3
_PATIENCE_SECONDS = 10.0


def writer_problem(database: Database) -> str | None:
    """What keeps the database from being one that runs can work on, or None.

    A standby can be read and not written. A pooler in transaction mode gives each transaction whichever connection is
    free, so that a lock which a session holds is another's in the next moment, and no run would know who lives.
    """
    if database.is_sqlite:
        return None
    with database.errors(), database.session() as session:
        if session.scalar(sa.text("SELECT pg_is_in_recovery() OR current_setting('transaction_read_only') = 'on'")):
            return "can be read and not written, as a standby: name the writer in ledger.url"
        if _is_itself(session):
            return None
    for _ in range(_ROUNDS):
        if not _keeps_a_lock(database):
            return (
                "is reached through a pooler that shares connections between transactions, where no lock holds: name"
                " the database itself, or a pool in session mode, in ledger.url"
            )
    return None


def _is_itself(session: sa.Connection) -> bool:
    """Whether nobody stands between: the process that answers is the one that was there when the session began."""
    info = getattr(session.connection.driver_connection, "info", None)
    return info is not None and info.backend_pid == session.scalar(sa.text("SELECT pg_backend_pid()"))


def _keeps_a_lock(database: Database) -> bool:
    """Whether a session still has, beside other transactions, the lock that it took before them."""
    kept: list[bool] = []

    def look() -> None:
        number = threading.get_native_id() % 2**31
        with database.session() as session:
            take, give_back = sa.func.pg_advisory_lock, sa.func.pg_advisory_unlock
            session.execute(sa.select(take(CHECK_LOCK, number)))
            with ExitStack() as stack:
                for _ in range(_OTHERS):  # each keeps a connection of the pool, perhaps the one that has the lock
                    other = stack.enter_context(database.engine.connect())
                    other.execute(sa.text("SELECT 1"))
                held = sa.text(
                    "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()"
                    " AND classid = :kind AND objid = :number"
                )
                kept.append(session.scalar(held, {"kind": CHECK_LOCK, "number": number}) == 1)
            session.execute(sa.select(give_back(CHECK_LOCK, number)))
            session.invalidate()

    looking = threading.Thread(target=_quietly, args=(look,), daemon=True)
    looking.start()
    looking.join(_PATIENCE_SECONDS)  # a small pool has no connection left for the others: nor has it one for a session
    return kept == [True]


def _quietly(look: Callable[[], None]) -> None:
    """Whatever is said meanwhile means that no lock was kept."""
    with suppress(SQLAlchemyError):
        look()
