"""What is kept of each complete answer of the usage source; what was billed of it stands in the entries' lines."""

from collections.abc import Collection, Iterable
from datetime import datetime

import attrs
import sqlalchemy as sa

from tollbridge.ledger.database import Database
from tollbridge.ledger.documents import documents
from tollbridge.ledger.events import Event, note
from tollbridge.ledger.schema import readings, unbilled, write_offs
from tollbridge.model import UsageItem
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
    """A user with usage that belongs to no client; ``items``: what it used, as far as that was kept."""

    user_id: int
    tokens: int
    items: tuple[UsageItem, ...] = ()


@attrs.frozen
class WriteOff:
    """A user's usage of a month, or ``onwards`` from it, that is nobody's to pay, and why."""

    user_id: int
    month: Month
    onwards: bool
    reason: str

    def covers(self, month: Month) -> bool:
        """Whether the user's usage of that month is nobody's to pay."""
        return month == self.month or (self.onwards and month >= self.month)


_OF_READINGS = readings.join(unbilled, unbilled.c.reading_id == readings.c.id)
_LAST = readings.c.id.in_(sa.select(sa.func.max(readings.c.id)).group_by(readings.c.month))
_WRITTEN_OFF = sa.exists().where(
    write_offs.c.user_id == unbilled.c.user_id,
    sa.or_(
        write_offs.c.month == readings.c.month, sa.and_(write_offs.c.onwards, write_offs.c.month <= readings.c.month)
    ),
)


class Readings:
    """The ledger's readings."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def keep(self, month: Month, reading: Reading, nobodys: Iterable[UnbilledUser], run_id: int) -> None:
        """Keep a reading of the month, and the users of it that belong to no client."""
        values = {**attrs.asdict(reading), "month": str(month), "run_id": run_id}
        with self._database.write() as connection:
            made = connection.execute(sa.insert(readings).values(**values).returning(readings.c.id)).scalar_one()
            rows = [
                {
                    "reading_id": made,
                    "user_id": user.user_id,
                    "tokens": user.tokens,
                    "used": documents.dumps(user.items).decode(),
                }
                for user in nobodys
            ]
            if rows:
                connection.execute(sa.insert(unbilled), rows)

    def last(self, month: Month) -> Reading | None:
        """The month's last reading."""
        columns = [readings.c[field.name] for field in attrs.fields(Reading)]
        query = sa.select(*columns).where(readings.c.month == str(month)).order_by(readings.c.id.desc()).limit(1)
        with self._database.read() as connection:
            row = connection.execute(query).first()
        return None if row is None else Reading(**row._mapping)  # noqa: SLF001 - SQLAlchemy's way to a row's columns

    def newest(self) -> tuple[Month, Reading] | None:
        """The last reading of any month."""
        columns = [readings.c[field.name] for field in attrs.fields(Reading)]
        query = sa.select(readings.c.month, *columns).order_by(readings.c.id.desc()).limit(1)
        with self._database.read() as connection:
            row = connection.execute(query).first()
        return None if row is None else (Month.parse(row.month), Reading(*row[1:]))

    def unbilled(self, month: Month) -> list[UnbilledUser]:
        """The users of the month's last reading that belong to no client, and are not written off."""
        return [user for _, user in self._unbilled(sa.and_(readings.c.month == str(month), ~_WRITTEN_OFF))]

    def let_be(self, month: Month) -> list[UnbilledUser]:
        """Those that are written off: that usage of theirs stays nobody's, whosever they are later."""
        return [user for _, user in self._unbilled(sa.and_(readings.c.month == str(month), _WRITTEN_OFF))]

    def all_unbilled(self) -> list[tuple[Month, UnbilledUser]]:
        """The same of every month, oldest first."""
        return self._unbilled(~_WRITTEN_OFF)

    def unbilled_tokens(self) -> int:
        """How many tokens all of them make."""
        query = sa.select(sa.func.sum(unbilled.c.tokens)).select_from(_OF_READINGS).where(_LAST, ~_WRITTEN_OFF)
        with self._database.read() as connection:
            return int(connection.scalar(query) or 0)

    def _unbilled(self, condition: sa.ColumnElement[bool]) -> list[tuple[Month, UnbilledUser]]:
        query = (
            sa.select(readings.c.month, unbilled.c.user_id, unbilled.c.tokens, unbilled.c.used)
            .select_from(_OF_READINGS)
            .where(_LAST, condition)
            .order_by(readings.c.month, unbilled.c.user_id)
        )
        with self._database.read() as connection:
            return [
                (
                    Month.parse(row.month),
                    UnbilledUser(row.user_id, row.tokens, documents.loads(row.used, tuple[UsageItem, ...])),
                )
                for row in connection.execute(query)
            ]

    def settle(self, month: Month, user_ids: Collection[int]) -> None:
        """Forget users of a month whose usage has found its client by now."""
        of_month = sa.select(readings.c.id).where(readings.c.month == str(month))
        theirs = sa.and_(unbilled.c.reading_id.in_(of_month), unbilled.c.user_id.in_(user_ids))
        with self._database.write() as connection:
            connection.execute(sa.delete(unbilled).where(theirs))

    def write_off(self, user_id: int, month: Month, reason: str, *, onwards: bool) -> None:
        """Let a user's usage of a month be nobody's to pay; ``onwards``: that of all later months, too."""
        with self._database.write() as connection:
            now = self._database.now(connection)
            values = {"onwards": onwards, "reason": reason, "at": now}
            insert = self._database.insert(write_offs).values(user_id=user_id, month=str(month), **values)
            connection.execute(insert.on_conflict_do_update(index_elements=["user_id", "month"], set_=values))
            after = f"user {user_id}{' from then on' if onwards else ''}"
            note(connection, now, [Event("write-off", month=str(month), after=after, why=reason)])

    def written_off(self) -> list[WriteOff]:
        """Everything that was written off, oldest month first."""
        query = sa.select(write_offs).order_by(write_offs.c.month, write_offs.c.user_id)
        with self._database.read() as connection:
            return [
                WriteOff(row.user_id, Month.parse(row.month), row.onwards, row.reason)
                for row in connection.execute(query)
            ]
