"""Opening the operator's database."""

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from tollbridge import DatabaseUrl, Refused

_TIMEOUT_SECONDS = 30


def open_database(url: DatabaseUrl) -> sa.Engine:
    """An engine for ``url``; connections are made when needed, and tested before they are used again.

    Raises:
        Refused: the URL cannot be read, or its driver is not installed.
    """
    try:
        parsed = sa.make_url(url.reveal())
        waiting = {"sqlite": {"timeout": _TIMEOUT_SECONDS}, "postgresql": {"connect_timeout": 10}}
        return sa.create_engine(
            parsed,
            pool_pre_ping=parsed.get_backend_name() != "sqlite",
            pool_recycle=1800,
            connect_args=waiting.get(parsed.get_backend_name(), {}),
        )
    except (ArgumentError, NoSuchModuleError) as error:
        raise Refused(f"adapter.generic_sql.url {url} cannot be used: {error}") from None
    except ModuleNotFoundError as error:
        raise Refused(
            f"adapter.generic_sql.url {url} needs a driver that is not installed ({error}): pip install"
            " 'tollbridge[postgresql]' or 'tollbridge[mysql]'"
        ) from None


def reason(error: SQLAlchemyError) -> str:
    """The database's own words, in one line."""
    words = str(getattr(error, "orig", None) or error).strip()
    return words.splitlines()[0] if words else type(error).__name__
