"""docs/ledger.md is in step with the tables that there are."""

import re
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.docs.walking import ROOT, Block, all_blocks
from tollbridge.ledger import Ledger
from tollbridge.ledger.schema import metadata
from tollbridge.rules.entry import State
from tollbridge.secret import DatabaseUrl

PAGE = (ROOT / "docs/ledger.md").read_text(encoding="utf-8")
DOCUMENTED = re.findall(r"^\| `(\w+)` \| `(\w+)` \| (.*) \|$", PAGE, flags=re.MULTILINE)
PROMISED = {
    ("months", "month"),
    *(("invoices", name) for name in ("client_id", "month", "state", "tokens", "total", "billing_id")),
}


@pytest.fixture
def ledger_file(tmp_path: Path) -> Path:
    file = tmp_path / "tollbridge.db"
    Ledger.open(DatabaseUrl(f"sqlite:///{file}")).close()
    return file


def test_every_column_that_may_be_relied_on_is_in_a_ledger(ledger_file: Path) -> None:
    engine = sa.create_engine(f"sqlite:///{ledger_file}")
    found = sa.inspect(engine)
    there = {(table, column["name"]) for table in found.get_table_names() for column in found.get_columns(table)}
    engine.dispose()
    documented = {(table, column) for table, column, _ in DOCUMENTED}
    assert documented >= PROMISED
    assert documented - there == set()
    assert documented <= {(table.name, column.name) for table in metadata.tables.values() for column in table.columns}


def test_every_state_is_named() -> None:
    (words,) = [words for table, column, words in DOCUMENTED if (table, column) == ("invoices", "state")]
    assert {str(state) for state in State} == set(re.findall(r"`(\w+)`", words))


@pytest.mark.parametrize("block", all_blocks("sql", "ledger"), ids=str)
def test_a_documented_query_is_answered_by_a_ledger(block: Block, ledger_file: Path) -> None:
    engine = sa.create_engine(f"sqlite:///{ledger_file}")
    with engine.connect() as connection:
        assert connection.execute(sa.text(block.text)).all() == []
    engine.dispose()
