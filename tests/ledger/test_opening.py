"""A ledger is opened by as many as come at once, is one whatever it is called, and is its owner's alone."""

import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.ledger.books import HOUR, JUNE, NOW, draft_month, reading, running
from tollbridge import DatabaseUrl
from tollbridge.errors import ConfigError, LedgerError
from tollbridge.ledger import Ledger, upgrade


@pytest.fixture
def usual_umask() -> Iterator[None]:
    """What most accounts have: new files are for everybody to read."""
    before = os.umask(0o022)
    yield
    os.umask(before)


def modes(folder: Path) -> dict[str, str]:
    """Who may do what with the files of a ledger."""
    return {file.name: oct(file.stat().st_mode & 0o777) for file in folder.iterdir()}


def close_june(ledger: Ledger) -> None:
    """Write something."""
    draft_month(ledger, JUNE, reading(NOW, NOW + HOUR))
    with running(ledger, works=True) as live:
        assert ledger.months.close(JUNE, live.id)


def test_several_may_open_a_new_ledger_at_the_same_moment(tmp_path: Path) -> None:
    errors: list[Exception] = []
    for round_number in range(15):
        url = DatabaseUrl(f"sqlite:///{tmp_path}/{round_number}.db")
        gate = threading.Barrier(4)

        def open_it(url: DatabaseUrl = url, gate: threading.Barrier = gate) -> None:
            gate.wait()
            try:
                Ledger.open(url).close()
            except Exception as error:  # noqa: BLE001 - whatever it is, it is the finding
                errors.append(error)

        threads = [threading.Thread(target=open_it) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert errors == []


@pytest.mark.usefixtures("usual_umask")
def test_nobody_but_its_owner_reads_a_sqlite_ledger(tmp_path: Path) -> None:
    ledger = Ledger.open(DatabaseUrl(f"sqlite:///{tmp_path}/tollbridge.db"))
    close_june(ledger)
    found = modes(tmp_path)
    ledger.close()
    assert {"tollbridge.db", "tollbridge.db-wal", "tollbridge.db-shm"} <= found.keys()
    assert set(found.values()) == {"0o600"}


@pytest.mark.usefixtures("usual_umask")
def test_a_ledger_that_everybody_could_read_is_its_owner_s_from_the_next_command_on(tmp_path: Path) -> None:
    url = DatabaseUrl(f"sqlite:///{tmp_path}/tollbridge.db")
    still_open = Ledger.open(url)
    close_june(still_open)
    (tmp_path / "tollbridge.db.lock").touch()
    for file in tmp_path.iterdir():
        file.chmod(0o644)
    ledger = Ledger.open(url)
    assert ledger.months.is_closed(JUNE)
    found = modes(tmp_path)
    ledger.close()
    still_open.close()
    assert len(found) == 4
    assert set(found.values()) == {"0o600"}


NAMES = [
    "sqlite:///{folder}/link.db",
    "sqlite:///{folder}/linked/tollbridge.db",
    "sqlite:///{folder}/data/../data/tollbridge.db",
    "sqlite:///data/tollbridge.db",
    "sqlite:///{folder}/data/tollbridge.db?uri=true",
    "sqlite:///file:{folder}/data/tollbridge.db?uri=true",
    "sqlite:///file:{folder}/data/toll%62ridge.db?uri=true",
    "sqlite:///file:///{folder}/link.db?uri=true",
    "sqlite:///file:data/tollbridge.db",
    "sqlite+pysqlite:///{folder}/data/tollbridge.db",
]


@pytest.mark.parametrize("name", NAMES)
def test_one_sqlite_file_is_one_ledger_and_one_lock_whatever_it_is_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    (tmp_path / "linked").symlink_to("data")
    (tmp_path / "link.db").symlink_to("linked/tollbridge.db")
    other = Ledger.open(DatabaseUrl(name.format(folder=tmp_path)))
    ledger = Ledger.open(DatabaseUrl(f"sqlite:///{tmp_path}/data/tollbridge.db"))
    close_june(other)
    assert ledger.months.is_closed(JUNE)
    with (
        upgrade.exclusive(ledger.database, wait_seconds=1),
        pytest.raises(LedgerError, match="another run"),
        upgrade.exclusive(other.database, wait_seconds=0),
    ):
        pass
    ledger.close()
    other.close()
    assert {file.name for file in tmp_path.iterdir()} == {"data", "linked", "link.db"}


@pytest.mark.parametrize("name", NAMES)
def test_whoever_works_on_a_sqlite_file_works_on_it_alone_whatever_it_is_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    (tmp_path / "linked").symlink_to("data")
    (tmp_path / "link.db").symlink_to("linked/tollbridge.db")
    other = Ledger.open(DatabaseUrl(name.format(folder=tmp_path)))
    ledger = Ledger.open(DatabaseUrl(f"sqlite:///{tmp_path}/data/tollbridge.db"))
    with running(ledger, works=True) as first, running(other, works=True) as second:
        assert (first.works, second.works) == (True, False)
        other.runs.bury()
        assert [run.id for run in other.runs.alive(second.id)] == [first.id]
    ledger.close()
    other.close()


@pytest.mark.parametrize(
    "url",
    [
        "sqlite://",
        "sqlite:///:memory:",
        "sqlite:///file::memory:?uri=true",
        "sqlite:///file:x?mode=memory&cache=shared&uri=true",
        "sqlite:///x.db?vfs=unix-none",
        "sqlite:///loop.db",
        "sqlite:///folder",
        "sqlite:///folder/no/x.db",
        f"sqlite:///{'x' * 300}.db",
    ],
)
def test_a_ledger_that_is_no_file_or_has_no_folder_is_refused_and_nothing_is_touched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir(mode=0o755)
    (tmp_path / "loop.db").symlink_to("loop.db")
    with pytest.raises(ConfigError, match=r"ledger\.url"):
        Ledger.open(DatabaseUrl(url))
    assert {file.name for file in tmp_path.iterdir()} == {"folder", "loop.db"}
    assert (tmp_path / "folder").stat().st_mode & 0o777 == 0o755


@pytest.mark.parametrize(
    "url",
    ["mysql+pymysql://root@127.0.0.1/x", "nonsense", "oracle://x", "postgresql+asyncpg://x", "postgresql://x:y/z"],
)
def test_another_kind_of_ledger_is_refused_in_plain_words(url: str) -> None:
    with pytest.raises(ConfigError, match=r"ledger\.url"):
        Ledger.open(DatabaseUrl(url))


def test_a_missing_driver_is_told_with_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(ConfigError, match=r"pip install '\.\[postgresql\]'"):
        Ledger.open(DatabaseUrl("postgresql+psycopg://bridge@127.0.0.1/ledger"))


def test_a_ledger_that_cannot_be_reached_says_so_without_its_password() -> None:
    with pytest.raises(LedgerError) as caught:
        Ledger.open(DatabaseUrl("postgresql+psycopg://bridge:s3cr3t-word@127.0.0.1:1/ledger"))
    assert "s3cr3t-word" not in str(caught.value)


def test_a_connection_that_is_killed_while_it_waits_for_another_run_is_an_error_of_the_ledger(
    postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    holder, waiter = (Ledger.open(DatabaseUrl(postgresql_url)) for _ in range(2))
    others = sa.text(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
        " AND pid <> pg_backend_pid() AND pid NOT IN (SELECT pid FROM pg_locks WHERE locktype = 'advisory')"
    )

    def kill(_seconds: float) -> None:
        with holder.database.read() as connection:
            connection.execute(others).all()

    monkeypatch.setattr("tollbridge.ledger.upgrade.time.sleep", kill)
    with upgrade.exclusive(holder.database, wait_seconds=1):
        with pytest.raises(LedgerError, match="terminat"), upgrade.exclusive(waiter.database, wait_seconds=30):
            pass
        with pytest.raises(LedgerError, match="another run"), upgrade.exclusive(waiter.database, wait_seconds=0):
            pass
    with upgrade.exclusive(waiter.database, wait_seconds=1):
        pass
    holder.close()
    waiter.close()


def test_a_postgresql_server_that_is_gone_is_noticed_unless_the_url_says_otherwise(postgresql_url: str) -> None:
    ledger = Ledger.open(DatabaseUrl(f"{postgresql_url}?keepalives_idle=77"))
    with ledger.database.read() as connection:
        used = connection.connection.dbapi_connection.info.get_parameters()  # type: ignore[union-attr]
    ledger.close()
    wanted = {"connect_timeout": "10", "keepalives_interval": "5", "keepalives_count": "3", "keepalives_idle": "77"}
    assert wanted.items() <= used.items()
