"""A ledger to try things in: what a run would look at, copied; it vanishes with the run."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import sqlalchemy as sa

from tollbridge.ledger import Ledger
from tollbridge.ledger.database import BATCH, Database
from tollbridge.ledger.invoices import OPEN
from tollbridge.ledger.schema import (
    accounts,
    corrections,
    enrolments,
    events,
    held_back,
    holds,
    invoices,
    metadata,
    months,
    price_lists,
    readings,
    signups,
    unbilled,
    write_offs,
)
from tollbridge.rules.calendar import Month
from tollbridge.rules.entry import State
from tollbridge.secret import DatabaseUrl

_LONG_AGO = timedelta(days=365)
_NOT_CLOSED = ~sa.exists().where(months.c.month == invoices.c.month, months.c.closed_at.is_not(None))
_OF_THE_UNEXPLAINED = sa.exists().where(accounts.c.client_id == invoices.c.client_id, accounts.c.explained.is_(False))
_COPIED: tuple[tuple[sa.Table, sa.ColumnElement[bool]], ...] = (
    (months, sa.true()),
    (price_lists, sa.true()),
    (accounts, sa.true()),
    (holds, sa.true()),
    (held_back, sa.true()),
    (enrolments, sa.true()),
    (signups, sa.true()),
    (events, events.c.what == "approval"),
    (corrections, sa.true()),
    (readings, sa.true()),
    (unbilled, sa.true()),
    (write_offs, sa.true()),
)


@contextmanager
def scratch_copy(ledger: Ledger, since: Month) -> Iterator[Ledger]:
    """What a run looks at of the ledger, in a file that nobody else sees.

    What another run has claimed is nobody's there, and can be looked for at once. Of the entries older than ``since``
    those are there that are not settled.
    """
    looked_at = sa.or_(
        invoices.c.month >= str(since),
        invoices.c.state != State.ISSUED,
        OPEN,
        invoices.c.differs_at.is_not(None),
        invoices.c.problem.is_not(None),
        _NOT_CLOSED,
        _OF_THE_UNEXPLAINED,
    )
    with tempfile.TemporaryDirectory(prefix="tollbridge-") as folder:
        database = Database.open(DatabaseUrl(f"sqlite:///{folder}/scratch.db"))
        try:
            metadata.create_all(database.engine)
            for table, condition in (*_COPIED, (invoices, looked_at)):
                _copy(ledger.database, database, table, condition)
            with database.write() as connection:
                now = database.now(connection)
                connection.execute(sa.update(accounts).values(run_id=None, leased_until=None))
                claimed = sa.update(invoices).where(invoices.c.state == State.SENDING)
                connection.execute(claimed.values(run_id=None, leased_until=now - _LONG_AGO))
            yield Ledger(database)
        finally:
            database.close()


def _copy(source: Database, target: Database, table: sa.Table, condition: sa.ColumnElement[bool]) -> None:
    with source.read() as reading, target.write() as writing:
        found = reading.execution_options(yield_per=BATCH).execute(sa.select(table).where(condition))
        for rows in found.partitions():
            writing.execute(sa.insert(table), [row._asdict() for row in rows])
