"""What tests share: real databases, and a world to bill in."""

import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
import structlog
from sqlalchemy.exc import OperationalError

from tests.small_world import SmallWorld, a_small_world
from tests.world import World, a_world
from tollbridge import secret

POSTGRESQL = os.environ.get("TOLLBRIDGE_TEST_POSTGRESQL", "postgresql+psycopg://postgres@127.0.0.1:5432/postgres")
MARIADB = os.environ.get("TOLLBRIDGE_TEST_MARIADB", "mysql+pymysql://root@127.0.0.1:3306/?charset=utf8mb4")

if os.access("/dev/shm", os.W_OK):  # noqa: S108 - no test is about a disk, and thousands of ledgers wait for it
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", "/dev/shm")  # noqa: S108


def pytest_xdist_auto_num_workers() -> int:
    """One more than there are cores: tests wait for disks, servers and leases."""
    return (os.cpu_count() or 1) + 1


@pytest.fixture(autouse=True)
def secrets_of_this_test_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """What one test keeps secret may be an everyday word in another."""
    monkeypatch.setattr(secret, "_known", set())


@pytest.fixture(autouse=True)
def a_log_of_everything() -> None:
    """A command that one test runs may have set the log to warnings only."""
    structlog.reset_defaults()


def fresh_database(server_url: str, what: str) -> Iterator[str]:
    """A database of its own on a real server, dropped afterwards; without a server, a skip, or a failure in CI."""
    name = f"tollbridge_test_{uuid.uuid4().hex[:12]}"
    engine = sa.create_engine(server_url, isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            connection.execute(sa.text(f"CREATE DATABASE {name}"))
            if what == "PostgreSQL":  # a test may kill whoever writes, and never the server: no commit waits for a disk
                connection.execute(sa.text(f"ALTER DATABASE {name} SET synchronous_commit = off"))
    except OperationalError as error:
        reason = f"no {what} at {sa.make_url(server_url).render_as_string()}: {str(error.orig).splitlines()[0]}"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    try:
        yield sa.make_url(server_url).set(database=name).render_as_string(hide_password=False)
    finally:
        with engine.connect() as connection:
            forced = " WITH (FORCE)" if what == "PostgreSQL" else ""
            connection.execute(sa.text(f"DROP DATABASE {name}{forced}"))
        engine.dispose()


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """A SQLite file of its own."""
    return f"sqlite:///{tmp_path}/billing.db"


@pytest.fixture(scope="session")
def postgresql_database() -> Iterator[str]:
    """A PostgreSQL database for all tests of this process: to make and drop one makes the whole server wait."""
    yield from fresh_database(POSTGRESQL, "PostgreSQL")


@pytest.fixture
def postgresql_url(postgresql_database: str) -> str:
    """A PostgreSQL database with nothing in it, and nobody."""
    engine = sa.create_engine(postgresql_database, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        others = "SELECT pg_terminate_backend(pid, 1000) FROM pg_stat_activity WHERE datname = current_database()"
        connection.execute(sa.text(f"{others} AND pid <> pg_backend_pid()"))
        schemas = "SELECT quote_ident(nspname) FROM pg_namespace WHERE nspname NOT LIKE 'pg\\_%'"
        for name in connection.scalars(sa.text(f"{schemas} AND nspname <> 'information_schema'")).all():
            connection.execute(sa.text(f"DROP SCHEMA {name} CASCADE"))
        connection.execute(sa.text("CREATE SCHEMA public"))
    engine.dispose()
    return postgresql_database


@pytest.fixture
def mariadb_url() -> Iterator[str]:
    """A MariaDB database of its own."""
    yield from fresh_database(MARIADB, "MariaDB")


@pytest.fixture(params=["sqlite", "postgresql", "mariadb"])
def billing_url(request: pytest.FixtureRequest) -> str:
    """A billing database of each kind in turn."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A ledger of each kind in turn."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/tollbridge.db"
    url: str = request.getfixturevalue("postgresql_url")
    return url


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A world on SQLite."""
    with a_world(tmp_path, f"sqlite:///{tmp_path}/billing.db", f"sqlite:///{tmp_path}/tollbridge.db") as made:
        yield made


@pytest.fixture
def small_world(tmp_path: Path) -> Iterator[SmallWorld]:
    """A world with billing in memory."""
    with a_small_world(tmp_path) as made:
        yield made
