"""``tollbridge generic-sql init``."""

from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.plugins.generic_sql.company import billing, connected
from tests.plugins.generic_sql.test_passwords import PASSWORD
from tests.plugins.generic_sql.test_people import SIGNUP, add_client, old_tables
from tests.world import World
from tollbridge import AddressTaken, Client, Signup, Unavailable
from tollbridge.cli import main
from tollbridge_generic_sql.preset import metadata


def test_it_makes_the_presets_tables_at_a_url(billing_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["generic-sql", "init", billing_url]) == 0
    assert "invoices" in capsys.readouterr().out
    assert all(check.ok for check in billing(billing_url).check())
    assert main(["generic-sql", "init", billing_url]) == 0, "and again does no harm"


def test_a_url_whose_password_would_be_taken_for_a_host_is_bad_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["generic-sql", "init", "postgresql+psycopg://bridge:s3cr@t-word@127.0.0.1:1/billing"]) == 2
    said = capsys.readouterr().err
    assert "%40" in said
    assert "t-word" not in said


def test_tables_of_an_earlier_version_get_what_log_ins_need_and_keep_their_rows(billing_url: str) -> None:
    """Two clients have one address there: that stays so, and only one of them may have a password."""
    old_tables(billing_url)
    system = billing(billing_url)
    before = [*system.clients()]
    with pytest.raises(Unavailable, match="run `tollbridge generic-sql init`"):
        system.create_client(SIGNUP)
    for _ in range(2):
        assert main(["generic-sql", "init", billing_url]) == 0
    assert [*system.clients()] == before
    assert [client.email for client in before if isinstance(client, Client)] == [
        "shared@example.com",
        "SHARED@example.com",
    ]
    made = system.create_client(SIGNUP)  # by a bridge that has seen the tables as they were
    assert system.authenticate(SIGNUP.email, PASSWORD) == made
    with pytest.raises(AddressTaken):
        system.create_client(Signup("Shared@example.com", currency="EUR", password=PASSWORD))
    with connected(billing_url) as connection:
        connection.execute(sa.text("UPDATE clients SET password_hash = 'one' WHERE id = 1"))
    with pytest.raises(sa.exc.IntegrityError), connected(billing_url) as connection:
        connection.execute(sa.text("UPDATE clients SET password_hash = 'other' WHERE id = 2"))
    for client_id in (8, 9):
        add_client(billing_url, client_id, "", "of one whose address was removed")


def test_new_tables_and_those_brought_up_to_date_have_the_same_columns(billing_url: str) -> None:
    old_tables(billing_url)
    assert main(["generic-sql", "init", billing_url]) == 0
    engine = sa.create_engine(billing_url)
    there = sa.inspect(engine)
    assert {column["name"] for column in there.get_columns("clients")} == set(metadata.tables["clients"].columns.keys())
    assert [index["name"] for index in there.get_indexes("clients") if index["unique"]] == ["clients_login_email"]
    engine.dispose()


def test_it_takes_the_url_of_bridge_toml(tmp_path: Path, world: World) -> None:
    world.database_url = f"sqlite:///{tmp_path}/new.db"
    assert main(["--config", str(world.config), "generic-sql", "init"]) == 0
    engine = sa.create_engine(world.database_url)
    assert "invoice_lines" in sa.inspect(engine).get_table_names()
    engine.dispose()


def test_a_database_that_cannot_be_reached_is_told_without_its_password(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["generic-sql", "init", "postgresql+psycopg://joe:sehrgeheim@127.0.0.1:1/x"]) == 3
    told = capsys.readouterr()
    assert "127.0.0.1" in told.err
    assert "sehrgeheim" not in told.out + told.err


def test_a_url_that_is_none_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["generic-sql", "init", "sehrgeheim"]) != 0
    assert "URL" in capsys.readouterr().err


def test_a_bridge_with_another_adapter_is_not_touched(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "bridge.toml").write_text("[adapter]\n")
    assert main(["--config", str(tmp_path / "bridge.toml"), "generic-sql", "init"]) == 2
    assert "adapter.use" in capsys.readouterr().err
