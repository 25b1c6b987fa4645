"""Two months of a small company, audited, and ways to spoil them behind the bridge's back."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

import orjson

from tests.small_world import SmallWorld
from tests.world import World
from tollbridge.audit import Audit, Finding, Sources, audit
from tollbridge.jobs.reports import DailyReport
from tollbridge.rules.calendar import Month

JUNE, JULY, AUGUST = Month(2026, 6), Month(2026, 7), Month(2026, 8)


def daily(world: SmallWorld, day: str) -> DailyReport:
    """Four o'clock on a day, and one run of everything."""
    world.at(day)
    return world.daily(day)


def audited(world: World, month: Month | None = None) -> Audit:
    """An audit of the world as it is."""
    with world.parts() as parts:
        sources = Sources(parts.settings, parts.solus, parts.billing, parts.ledger, parts.usage)
        return audit(sources, month)


def two_months(world: SmallWorld) -> None:
    """Two clients whose June and July are invoiced; client 2 has paid June, and client 1, who has not, is suspended."""
    first, second = world.client_with_server(1, hours=700), world.client_with_server(2, hours=300)
    daily(world, "2026-07-01")
    world.run_server(first, 200, name="july-1")
    world.run_server(second, 100, name="july-2")
    world.books.pay("TB-2026-06-2")
    daily(world, "2026-08-01")


def holds(world: SmallWorld) -> bool:
    """Whether an audit finds nothing; what it finds is shown if it does."""
    made = audited(world)
    assert made.findings == ()
    assert made.not_made == {}
    return made.holds


def the_finding(world: SmallWorld, month: Month | None = None) -> Finding:
    """The one thing that an audit finds."""
    made = audited(world, month)
    assert made.not_made == {}
    assert len(made.findings) == 1, made.findings
    return made.findings[0]


@contextmanager
def ledger(world: SmallWorld) -> Iterator[sqlite3.Connection]:
    """The ledger's file, as somebody with a database tool has it."""
    with closing(sqlite3.connect(world.folder / "tollbridge.db")) as connection:
        yield connection
        connection.commit()


def spoil(world: SmallWorld, statement: str, *values: Any) -> None:
    """Change the ledger by hand."""
    with ledger(world) as connection:
        assert connection.execute(statement, values).rowcount > 0


def spoil_document(world: SmallWorld, month: Month, client_id: int, change: Callable[[Any], None]) -> None:
    """Change what an entry's document says."""
    with ledger(world) as connection:
        mine = (str(month), client_id)
        query = "SELECT document FROM invoices WHERE month = ? AND client_id = ?"
        document = orjson.loads(connection.execute(query, mine).fetchone()[0])
        change(document)
        update = "UPDATE invoices SET document = ? WHERE month = ? AND client_id = ?"
        connection.execute(update, (orjson.dumps(document).decode(), *mine))
