"""A ledger copied into an empty one, of whichever kind, whole or not at all, and compared with it row by row."""

from collections.abc import Callable, Iterator
from itertools import zip_longest
from typing import Any

import sqlalchemy as sa

from tollbridge.errors import LedgerError, UsageError
from tollbridge.ledger import Ledger
from tollbridge.ledger.database import BATCH, Database
from tollbridge.ledger.schema import events, mails, metadata, runs
from tollbridge.secret import DatabaseUrl

Progress = Callable[[str, int], None]

_PAGE = 2000


def copy_ledger(source_url: DatabaseUrl, target_url: DatabaseUrl, progress: Progress) -> dict[str, int]:
    """Copy every row, in one transaction, and compare them all before it ends; how many rows each table has.

    The target's tables are made if they are not there. Until the end it stays empty for everybody else.

    Raises:
        UsageError: the target holds something, or a run is at work on the source.
        ConfigError, LedgerError: one of them cannot be opened, the source changed meanwhile, or a row is not there as
            it was; nothing is copied then.
    """
    source = Ledger.open(source_url, read_only=True)
    try:
        _refuse_runs(source)
        target = Ledger.open(target_url)
        try:
            return _copy(source.database, target.database, progress)
        finally:
            target.close()
    finally:
        source.close()


def _refuse_runs(source: Ledger) -> None:
    living = source.runs.living()
    if living:
        run = living[0]
        raise UsageError(
            f"run {run.id} ({run.command}) on {run.host} is at work on {source.database.url}: stop the timer and"
            " `tollbridge serve`, wait for it to end, and copy then"
        )


def _copy(source: Database, target: Database, progress: Progress) -> dict[str, int]:
    counts: dict[str, int] = {}
    with source.snapshot() as reading, target.write() as writing:
        _refuse_full(writing, target)
        before = _marks(reading)
        for table in metadata.sorted_tables:
            counts[table.name] = _copy_table(reading, writing, table, progress)
            _count_on(writing, table, target)
        for table in metadata.sorted_tables:
            _compare(reading, writing, table, progress)
        with source.read() as now:
            if _marks(now) != before:
                raise LedgerError(
                    f"the ledger {source.url} was changed meanwhile, so nothing was copied: stop `tollbridge serve` and"
                    " the timers, and copy again"
                )
    return counts


def _refuse_full(writing: sa.Connection, target: Database) -> None:
    for table in metadata.sorted_tables:
        if writing.execute(sa.select(sa.literal(1)).select_from(table).limit(1)).first() is not None:
            raise UsageError(f"{target.url} is not empty: its table {table.name} has rows. Name a new ledger")


def _copy_table(reading: sa.Connection, writing: sa.Connection, table: sa.Table, progress: Progress) -> int:
    done = 0
    for page in _pages(reading, table):
        writing.execute(sa.insert(table), [dict(row._mapping) for row in page])  # noqa: SLF001 - SQLAlchemy's way
        done += len(page)
        progress(f"copying {table.name}", done)
    return done


def _compare(reading: sa.Connection, writing: sa.Connection, table: sa.Table, progress: Progress) -> None:
    done = 0
    for was, now in zip_longest(_pages(reading, table), _pages(writing, table), fillvalue=()):
        for mine, theirs in zip_longest(was, now):
            if mine is None or theirs is None or tuple(mine) != tuple(theirs):
                key = {column.name: getattr(mine or theirs, column.name) for column in table.primary_key}
                raise LedgerError(f"{table.name} {key} is not in the copy as it was, so nothing was copied")
        done += len(was)
        progress(f"comparing {table.name}", done)


def _pages(connection: sa.Connection, table: sa.Table) -> Iterator[Any]:
    """Rows in one order, whatever the database's idea of letters."""
    keys = [*table.primary_key] or [*table.columns]
    is_postgresql = connection.dialect.name == "postgresql"
    order = [
        sa.collate(column, "C") if is_postgresql and isinstance(column.type, sa.String) else column for column in keys
    ]
    found = connection.execution_options(yield_per=BATCH).execute(sa.select(table).order_by(*order))
    yield from found.partitions(_PAGE)


def _count_on(writing: sa.Connection, table: sa.Table, target: Database) -> None:
    """New rows get numbers after those that were copied; SQLite sees to that itself."""
    number = table.autoincrement_column
    if target.is_sqlite or number is None:
        return
    last = writing.scalar(sa.select(sa.func.max(number)))
    if last is not None:
        sequence = sa.func.pg_get_serial_sequence(table.name, number.name)
        writing.execute(sa.select(sa.func.setval(sequence, last)))


def _marks(connection: sa.Connection) -> list[Any]:
    """What is another when anything was done."""
    columns = (runs.c.id, runs.c.ended_at, events.c.id, mails.c.id, mails.c.attempts)
    return [connection.scalar(sa.select(sa.func.max(column))) for column in columns]
