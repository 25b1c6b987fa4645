"""Databases for tests of adapters: one for each process, emptied for each test, since making one takes longer."""

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from tests.conftest import POSTGRESQL, fresh_database


@pytest.fixture(scope="session")
def kept_postgresql() -> Iterator[tuple[str, sa.Engine]]:
    """A PostgreSQL database for all tests of this process; what it keeps need not survive a power cut."""
    for url in fresh_database(POSTGRESQL, "PostgreSQL"):
        engine = sa.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
        name = sa.make_url(url).database
        with engine.connect() as connection:
            connection.execute(sa.text(f"ALTER DATABASE {name} SET synchronous_commit = off"))
        yield url, engine


@pytest.fixture
def postgresql_url(kept_postgresql: tuple[str, sa.Engine]) -> str:
    """A PostgreSQL database with nothing and nobody in it."""
    url, engine = kept_postgresql
    with engine.connect() as connection:
        others = "datname = current_database() AND pid <> pg_backend_pid()"
        connection.execute(sa.text(f"SELECT pg_terminate_backend(pid, 1000) FROM pg_stat_activity WHERE {others}"))
        connection.execute(sa.text("DROP SCHEMA public CASCADE"))
        connection.execute(sa.text("CREATE SCHEMA public"))
    return url
