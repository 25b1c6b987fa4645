"""The ledger's months: how far each is, and which interval it bills."""

from datetime import datetime
from zoneinfo import ZoneInfo

import attrs
import sqlalchemy as sa

from tollbridge.ledger.database import Database
from tollbridge.ledger.events import Event, note
from tollbridge.ledger.invoices import UNFINISHED
from tollbridge.ledger.leases import Lease
from tollbridge.ledger.readings import Reading
from tollbridge.ledger.schema import invoices, months
from tollbridge.rules.calendar import Month

_UNFINISHED = sa.exists().where(invoices.c.month == months.c.month, UNFINISHED)


@attrs.frozen
class KnownMonth:
    """A month that was begun; the interval and the source are those it was billed by, None in ledgers without them."""

    month: Month
    starts_at: datetime | None
    ends_at: datetime | None
    source: str | None
    drafted_at: datetime | None
    closed_at: datetime | None


class Months:
    """The months that were begun."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> list[KnownMonth]:
        """Every month that was begun, oldest first, just as it is noted."""
        with self._database.read() as connection:
            rows = connection.execute(sa.select(months).order_by(months.c.month))
            return [KnownMonth(**{**row._asdict(), "month": Month.parse(row.month)}) for row in rows]

    def is_closed(self, month: Month) -> bool:
        """Whether every client's usage of the month has found its place, and every entry has come to its end."""
        return self._has(month, sa.and_(months.c.closed_at.is_not(None), ~_UNFINISHED))

    def is_drafted(self, month: Month) -> bool:
        """Whether every client's usage of the month has its entry."""
        return self._has(month, months.c.drafted_at.is_not(None))

    def interval(self, month: Month, zone: ZoneInfo) -> tuple[datetime, datetime]:
        """What the month bills: what it billed before, else from where the one before it ended to its end in ``zone``.

        So nothing is billed twice and nothing is left out when the zone of bridge.toml was changed in between.
        """
        start, end = month.interval(zone)
        query = sa.select(months.c.month, months.c.starts_at, months.c.ends_at).where(
            months.c.month.in_([str(month), str(month.previous)])
        )
        with self._database.read() as connection:
            known = {row.month: row for row in connection.execute(query)}
        own, before = known.get(str(month)), known.get(str(month.previous))
        if own is not None and own.ends_at is not None:
            return own.starts_at, own.ends_at
        return (before.ends_at if before is not None and before.ends_at is not None else start), end

    def source(self, month: Month) -> str | None:
        """Where the usage came from that the month was billed by; None if it was not begun, or in an older ledger."""
        with self._database.read() as connection:
            found: str | None = connection.scalar(sa.select(months.c.source).where(months.c.month == str(month)))
            return found

    def begin(self, month: Month, reading: Reading, lease: Lease) -> None:
        """Note what a month bills, before anybody has an entry of it; one that was drafted or closed is open again.

        It is whatever becomes of the drafts: who is left out of them must not be left out of the month.
        """
        values = {"starts_at": reading.starts_at, "ends_at": reading.ends_at, "source": reading.source}
        done = sa.or_(months.c.drafted_at.is_not(None), months.c.closed_at.is_not(None))
        with self._database.write() as connection:
            lease.renew(connection)
            insert = self._database.insert(months).values(month=str(month), **values)
            connection.execute(insert.on_conflict_do_nothing(index_elements=["month"]))
            again = sa.update(months).where(months.c.month == str(month), done)
            if connection.execute(again.values(drafted_at=None, closed_at=None)).rowcount == 1:
                now = self._database.now(connection)
                note(connection, now, [Event("month", month=str(month), after="open", run_id=lease.run_id)])

    def draft(self, month: Month, reading: Reading, lease: Lease) -> None:
        """Note that every client's usage of the reading has its entry; LedgerError if the lease is another's by now."""
        values = {"starts_at": reading.starts_at, "ends_at": reading.ends_at, "source": reading.source}
        with self._database.write() as connection:
            lease.renew(connection)
            now = self._database.now(connection)
            insert = self._database.insert(months).values(month=str(month), drafted_at=now, **values)
            connection.execute(
                insert.on_conflict_do_update(index_elements=["month"], set_={"drafted_at": now, **values})
            )
            note(connection, now, [Event("month", month=str(month), after="drafted", run_id=lease.run_id)])

    def close(self, month: Month, run_id: int) -> bool:
        """Close a month that is drafted and has nothing open left; whether it is closed now by this."""
        ready = sa.and_(
            months.c.month == str(month), months.c.drafted_at.is_not(None), months.c.closed_at.is_(None), ~_UNFINISHED
        )
        with self._database.write() as connection:
            now = self._database.now(connection)
            closed = connection.execute(sa.update(months).where(ready).values(closed_at=now)).rowcount == 1
            if closed:
                note(connection, now, [Event("month", month=str(month), after="closed", run_id=run_id)])
            return closed

    def last_closed_at(self) -> datetime | None:
        """When a month was closed last; None if none ever was."""
        with self._database.read() as connection:
            last: datetime | None = connection.scalar(sa.select(sa.func.max(months.c.closed_at)))
            return last

    def _has(self, month: Month, condition: sa.ColumnElement[bool]) -> bool:
        query = sa.select(months.c.month).where(months.c.month == str(month), condition)
        with self._database.read() as connection:
            return connection.scalar(query) is not None
