"""A ledger moves to another database whole, and what is wrong with a ledger or a backup is told."""

import shutil
from datetime import date
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.small_world import SmallWorld, a_small_world
from tollbridge.errors import LedgerError, UsageError
from tollbridge.ledger import Ledger, copying
from tollbridge.ledger.copying import copy_ledger
from tollbridge.ledger.verifying import Verified, verify
from tollbridge.secret import DatabaseUrl


def copied(source: str, target: str) -> dict[str, int]:
    return copy_ledger(DatabaseUrl(source), DatabaseUrl(target), lambda _step, _done: None)


def verified(url: str) -> Verified:
    ledger = Ledger.open(DatabaseUrl(url), read_only=True)
    try:
        return verify(ledger)
    finally:
        ledger.close()


def change(url: str, statement: str) -> None:
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        assert connection.exec_driver_sql(statement).rowcount == 1
    engine.dispose()


@pytest.fixture
def world(small_world: SmallWorld) -> SmallWorld:
    """A company with two months behind it."""
    return two_months(small_world)


@pytest.fixture(scope="module")
def books(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The ledger of one, in a file of its own, to be copied."""
    with a_small_world(tmp_path_factory.mktemp("company")) as world:
        engine = sa.create_engine(two_months(world).ledger_url)
        with engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        engine.dispose()
        return Path(world.ledger_url.removeprefix("sqlite:///"))


@pytest.fixture
def ledger_url(books: Path, tmp_path: Path) -> str:
    """A copy of it."""
    shutil.copy(books, tmp_path / "books.db")
    return f"sqlite:///{tmp_path}/books.db"


def two_months(world: SmallWorld) -> SmallWorld:
    """Invoices that are not paid, one that was carried, usage of nobody, a lock."""
    world.billing = 'minimum = { USD = "0.05" }'
    user = world.client_with_server(7)
    world.client_with_server(8, hours=1)  # carried
    world.run_server(world.panel.add_user("nobody@example.com").id, 10)
    world.at("2026-07-01")
    world.daily("2026-07-01")
    world.run_server(user, 100, name="july")
    world.at("2026-08-01")
    world.daily("2026-08-01")
    return world


def test_a_ledger_moves_to_postgresql_and_back_and_goes_on_there(
    world: SmallWorld, postgresql_url: str, tmp_path: Path
) -> None:
    first, back = world.ledger_url, f"sqlite:///{tmp_path}/back.db"
    before = verified(first)
    assert before.problems == []
    counts = copied(first, postgresql_url)
    assert counts == before.tables
    assert min(counts[name] for name in ("invoices", "events", "runs", "accounts", "holds", "unbilled")) > 0
    assert verified(postgresql_url) == before
    billed = world.billed()
    world.ledger_url = postgresql_url
    world.at("2026-08-02")
    world.daily("2026-08-02")
    assert world.billed() == billed, "nothing is billed again"
    after = verified(postgresql_url)
    assert after.problems == []
    assert after.tables["runs"] == counts["runs"] + 1, "new rows have numbers of their own"
    copied(postgresql_url, back)
    assert verified(back) == after


def test_a_target_that_holds_something_is_refused_and_stays_as_it_is(world: SmallWorld, tmp_path: Path) -> None:
    other = f"sqlite:///{tmp_path}/other.db"
    opened = Ledger.open(DatabaseUrl(other))
    opened.events.approve("totals", "a row of its own")
    opened.close()
    before = verified(other)
    with pytest.raises(UsageError, match="is not empty: its table events has rows"):
        copied(world.ledger_url, other)
    assert verified(other) == before


def test_a_ledger_on_which_a_run_is_at_work_is_not_copied(world: SmallWorld, tmp_path: Path) -> None:
    target = f"sqlite:///{tmp_path}/copy.db"
    with world.parts() as parts, parts.ledger.runs.live("run", date(2026, 8, 2), works=True):  # noqa: SIM117
        with pytest.raises(UsageError, match=r"\(run\) on .* is at work on"):
            copied(world.ledger_url, target)
    copied(world.ledger_url, target)


def test_a_source_that_changes_meanwhile_is_not_copied(
    world: SmallWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = f"sqlite:///{tmp_path}/copy.db"

    def busy(step: str, _done: int) -> None:
        if step == "comparing runs":
            with world.parts() as parts:
                parts.ledger.events.approve("totals", "meanwhile")

    with pytest.raises(LedgerError, match="was changed meanwhile, so nothing was copied"):
        copy_ledger(DatabaseUrl(world.ledger_url), DatabaseUrl(target), busy)
    assert set(verified(target).tables.values()) == {0}


def test_a_row_that_arrives_otherwise_undoes_the_copy(
    world: SmallWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = f"sqlite:///{tmp_path}/copy.db"
    insert = copying._copy_table

    def worse(reading: sa.Connection, writing: sa.Connection, table: sa.Table, progress: copying.Progress) -> int:
        count = insert(reading, writing, table, progress)
        if table.name == "invoices":
            writing.exec_driver_sql("UPDATE invoices SET total = '0.01' WHERE client_id = 7")
        return count

    monkeypatch.setattr(copying, "_copy_table", worse)
    with pytest.raises(LedgerError, match="is not in the copy as it was"):
        copied(world.ledger_url, target)
    assert set(verified(target).tables.values()) == {0}


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        ("DELETE FROM invoices WHERE client_id = 7 AND month = '2026-06'", "TB-2026-06-7: there are events of it, and"),
        ("UPDATE invoices SET subtotal = '9.99' WHERE client_id = 7 AND month = '2026-06'", "TB-2026-06-7: its lines"),
        ("UPDATE invoices SET state = 'nothing' WHERE client_id = 7 AND month = '2026-06'", "last event says issued"),
        ("UPDATE invoices SET document = '{' WHERE client_id = 7 AND month = '2026-06'", "document cannot be read"),
        ("UPDATE invoices SET billing_id = NULL WHERE client_id = 7 AND month = '2026-06'", "has no number of the"),
        ("UPDATE invoices SET carried_into = '2027-01' WHERE client_id = 8 AND month = '2026-06'", "is carried into"),
        ("DELETE FROM accounts WHERE client_id = 7", "client 7 is held (overdue), and has no account"),
        ("DELETE FROM months WHERE month = '2026-06'", "2026-06 has an entry, and is not known as a month"),
    ],
)
def test_what_does_not_belong_together_is_told(ledger_url: str, damage: str, told: str) -> None:
    assert verified(ledger_url).problems == []
    change(ledger_url, damage)
    assert [problem for problem in verified(ledger_url).problems if told in problem]


def test_a_damaged_file_is_told_or_cannot_be_read(books: Path, tmp_path: Path) -> None:
    backup = tmp_path / "backup.db"
    content = bytearray(books.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 4096] = b"\xff" * 4096
    backup.write_bytes(content)
    try:
        assert verified(f"sqlite:///{backup}").problems
    except LedgerError as error:
        assert "cannot be used" in str(error)  # noqa: PT017 - either way is right
