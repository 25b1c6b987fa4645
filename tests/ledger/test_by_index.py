"""What is asked again and again, or shown, is found by an index, so it is quick where there are a million clients."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from tollbridge.ledger import Ledger
from tollbridge.secret import DatabaseUrl

DAY = date(2026, 7, 1)


@pytest.mark.parametrize(
    "ask",
    [
        lambda ledger: ledger.claims.differing(),
        lambda ledger: ledger.figures(DAY),
        lambda ledger: ledger.finder.owed_by_age(DAY),
        lambda ledger: ledger.finder.debtors(5),
        lambda ledger: ledger.finder.pending(),
        lambda ledger: ledger.finder.unfinished(5),
        lambda ledger: ledger.finder.refused(5),
        lambda ledger: ledger.finder.doubtful(5, [1]),
        lambda ledger: ledger.finder.unsent(5),
        lambda ledger: ledger.finder.wrong(5),
        lambda ledger: ledger.finder.with_problems(),
    ],
)
def test_nothing_reads_all_invoices_or_all_events(tmp_path: Path, ask: Callable[[Ledger], object]) -> None:
    ledger = Ledger.open(DatabaseUrl(f"sqlite:///{tmp_path}/tollbridge.db"))
    engine = ledger.database.engine
    asked: list[tuple[str, Any]] = []

    def note(*said: Any) -> None:
        asked.append((said[2], said[3]))

    sa.event.listen(engine, "before_cursor_execute", note)
    ask(ledger)
    sa.event.remove(engine, "before_cursor_execute", note)
    plans = []
    with engine.connect() as connection:
        for statement, values in asked:
            if statement.startswith("SELECT"):
                rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
                plans += [(row[3], statement) for row in rows]
    ledger.close()
    assert plans
    assert [each for each in plans if each[0] in {"SCAN invoices", "SCAN events"}] == []
