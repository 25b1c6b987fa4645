"""What is kept of each complete answer of the usage source; what was billed of it stands in the entries' lines."""

from collections.abc import Iterable
from datetime import datetime

import attrs
import sqlalchemy as sa

from tollbridge.ledger.database import Database
from tollbridge.ledger.schema import readings, unbilled
from tollbridge.rules.calendar import Month


@attrs.frozen
class Reading:
    """One complete answer of a usage source, for ``[starts_at, ends_at)``.

    Attributes:
        digest: a hash, in hexadecimal, of what two passes agreed in: the users' ids and billing ids, and once the
            interval is over each item's type, id and tokens.
    """

    source: str
    starts_at: datetime
    ends_at: datetime
    read_at: datetime
    users: int
    tokens: int
    digest: str


@attrs.frozen
class UnbilledUser:
    """A user with usage that belongs to no client."""

    user_id: int
    tokens: int


class Readings:
    """The ledger's readings."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def keep(self, month: Month, reading: Reading, nobodys: Iterable[UnbilledUser], run_id: int) -> None:
        """Keep a reading of the month, and the users of it that belong to no client."""
        values = {**attrs.asdict(reading), "month": str(month), "run_id": run_id}
        with self._database.write() as connection:
            made = connection.execute(sa.insert(readings).values(**values).returning(readings.c.id)).scalar_one()
            rows = [{"reading_id": made, **attrs.asdict(user)} for user in nobodys]
            if rows:
                connection.execute(sa.insert(unbilled), rows)

    def last(self, month: Month) -> Reading | None:
        """The month's last reading."""
        columns = [readings.c[field.name] for field in attrs.fields(Reading)]
        query = sa.select(*columns).where(readings.c.month == str(month)).order_by(readings.c.id.desc()).limit(1)
        with self._database.read() as connection:
            row = connection.execute(query).first()
        return None if row is None else Reading(**row._mapping)  # noqa: SLF001 - SQLAlchemy's way to a row's columns

    def unbilled(self, month: Month) -> list[UnbilledUser]:
        """The users of the month's last reading that belong to no client."""
        newest = sa.select(sa.func.max(readings.c.id)).where(readings.c.month == str(month)).scalar_subquery()
        query = (
            sa.select(unbilled.c.user_id, unbilled.c.tokens)
            .where(unbilled.c.reading_id == newest)
            .order_by(unbilled.c.user_id)
        )
        with self._database.read() as connection:
            return [UnbilledUser(*row) for row in connection.execute(query)]
