"""A ledger of each kind, and runs in it."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.conftest import POSTGRESQL, fresh_database
from tests.ledger.books import running
from tollbridge.ledger import Ledger
from tollbridge.ledger.runs import LiveRun
from tollbridge.ledger.schema import metadata
from tollbridge.secret import DatabaseUrl


@pytest.fixture(scope="session")
def empty_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite ledger with nothing in it, to be copied: to make the tables takes longer than most tests."""
    file = tmp_path_factory.mktemp("ledger") / "empty.db"
    Ledger.open(DatabaseUrl(f"sqlite:///{file}")).close()
    return file


@pytest.fixture(scope="session")
def server_url() -> Iterator[str]:
    """A PostgreSQL ledger, to be emptied for each test."""
    for url in fresh_database(POSTGRESQL, "PostgreSQL"):
        Ledger.open(DatabaseUrl(url)).close()
        yield url


@pytest.fixture
def postgresql_ledger_url(server_url: str) -> str:
    """A PostgreSQL ledger with nothing in it."""
    engine = sa.create_engine(server_url)
    with engine.begin() as connection:
        for table in metadata.tables.values():
            connection.execute(sa.delete(table))
    engine.dispose()
    return server_url


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A ledger with nothing in it, of each kind in turn."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("empty_file"), tmp_path / "tollbridge.db")
        return f"sqlite:///{tmp_path}/tollbridge.db"
    url: str = request.getfixturevalue("postgresql_ledger_url")
    return url


@pytest.fixture(params=["sqlite", "postgresql"])
def unmade_ledger_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database of each kind in turn, without tables."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/tollbridge.db"
    url: str = request.getfixturevalue("postgresql_url")
    return url


@pytest.fixture
def ledger(ledger_url: str) -> Iterator[Ledger]:
    """A fresh ledger of each kind."""
    opened = Ledger.open(DatabaseUrl(ledger_url))
    yield opened
    opened.close()


@pytest.fixture
def shared(postgresql_ledger_url: str) -> Iterator[tuple[Ledger, Ledger]]:
    """One PostgreSQL ledger as two machines have it; whoever would wait for a lock of the other gets an error."""
    first, second = (
        Ledger.open(DatabaseUrl(f"{postgresql_ledger_url}?options=-c%20lock_timeout%3D2000")) for _ in range(2)
    )  # fmt: skip
    yield first, second
    first.close()
    second.close()


@pytest.fixture
def run(ledger: Ledger) -> Iterator[LiveRun]:
    """A run that lives."""
    with running(ledger) as live:
        yield live


@pytest.fixture
def other(ledger: Ledger) -> Iterator[LiveRun]:
    """Another run that lives at the same time."""
    with running(ledger) as live:
        yield live
