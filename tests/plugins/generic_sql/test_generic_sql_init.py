"""``tollbridge generic-sql init``."""

from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.plugins.generic_sql.company import billing
from tests.world import World
from tollbridge.cli import main


def test_it_makes_the_presets_tables_at_a_url(billing_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["generic-sql", "init", billing_url]) == 0
    assert "invoices" in capsys.readouterr().out
    assert all(check.ok for check in billing(billing_url).check())
    assert main(["generic-sql", "init", billing_url]) == 0, "and again does no harm"


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
