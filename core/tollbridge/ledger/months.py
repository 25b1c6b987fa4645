"""The ledger's months: those that are closed."""

from datetime import datetime

import sqlalchemy as sa

from tollbridge.ledger.database import Database
from tollbridge.ledger.schema import months
from tollbridge.rules.calendar import Month


class Months:
    """The months that are done."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def is_closed(self, month: Month) -> bool:
        """Whether every client's usage of the month has found its place."""
        with self._database.read() as connection:
            return connection.scalar(sa.select(months.c.month).where(months.c.month == str(month))) is not None

    def close(self, month: Month, at: datetime) -> None:
        """Mark the month as done."""
        insert = self._database.insert(months).values(month=str(month), closed_at=at)
        with self._database.write() as connection:
            connection.execute(insert.on_conflict_do_update(index_elements=["month"], set_={"closed_at": at}))

    def last_closed_at(self) -> datetime | None:
        """When a month was closed last; None if none ever was."""
        with self._database.read() as connection:
            last: datetime | None = connection.scalar(sa.select(sa.func.max(months.c.closed_at)))
            return last
