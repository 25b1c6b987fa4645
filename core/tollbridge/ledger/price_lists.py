"""The ledger's price lists: the one that each month is billed with.

It is the first one that was seen in the month. No later one takes its place, unless a human says so before the month
is drafted; a currency without a price gets one, for nothing was shown or billed by none.
"""

from datetime import datetime

import attrs
import sqlalchemy as sa

from tollbridge.errors import UsageError
from tollbridge.ledger.database import Database
from tollbridge.ledger.documents import documents
from tollbridge.ledger.events import Event, note
from tollbridge.ledger.leases import held
from tollbridge.ledger.schema import invoices, months, price_lists
from tollbridge.rules.calendar import Month
from tollbridge.rules.pricing import PriceList


@attrs.frozen
class KeptList:
    """A month's list, and the bridge.toml in which it was seen; None: not known."""

    prices: PriceList
    file: str | None
    kept_at: datetime


class PriceLists:
    """The price lists of the months that were seen."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, month: Month) -> KeptList | None:
        """The month's list; None if none was seen in it yet."""
        with self._database.read() as connection:
            return _find(connection, month)

    def all(self) -> list[tuple[Month, KeptList]]:
        """Every month's list, the newest first."""
        with self._database.read() as connection:
            rows = connection.execute(sa.select(price_lists).order_by(price_lists.c.month.desc()))
            return [
                (Month.parse(row.month), KeptList(documents.loads(row.prices, PriceList), row.file, row.kept_at))
                for row in rows
            ]

    def look(self, month: Month, seen: PriceList, file: str | None) -> KeptList:
        """As :meth:`keep`, for whoever asks again and again: once the list is there nothing is locked or written."""
        found = self.find(month)
        if found is not None and found.prices.joined(seen) == found.prices:
            return found
        return self.keep(month, seen, file)

    def keep(self, month: Month, seen: PriceList, file: str | None, run_id: int | None = None) -> KeptList:
        """The month's list, which is ``seen`` if it is the first one.

        It waits for whoever replaces it just now, so a run that has begun to draft before it asks gets what holds.
        """
        with self._database.write() as connection:
            now = self._database.now(connection)
            first = {"month": str(month), "prices": _text(seen), "file": file, "kept_at": now}
            insert = self._database.insert(price_lists).values(**first)
            unless = insert.on_conflict_do_nothing(index_elements=["month"])
            made = connection.scalar(unless.returning(price_lists.c.month)) is not None
            kept = _locked(connection, month)
            assert kept is not None  # noqa: S101 - it was made above, if it was not there
            joined = kept.prices.joined(seen)
            if made:
                note(connection, now, [_change(month, None, kept.prices, "first seen", run_id)])
            elif joined != kept.prices:
                connection.execute(_update(month).values(prices=_text(joined)))
                note(connection, now, [_change(month, kept.prices, joined, "a currency without a price", run_id)])
            return attrs.evolve(kept, prices=joined)

    def replace(self, month: Month, by: PriceList, file: str | None, reason: str) -> KeptList | None:
        """Bill a month that is not drafted yet with another list; the one it had, None if it had none.

        Raises:
            UsageError: the month is drafted, be it for one client, or a run is drafting just now.
        """
        with self._database.write() as connection:
            now = self._database.now(connection)
            kept = _locked(connection, month)
            if kept is None or kept.prices == by:
                return kept
            _refuse_drafted(connection, month, now)
            connection.execute(_update(month).values(prices=_text(by), file=file, kept_at=now))
            note(connection, now, [_change(month, kept.prices, by, reason, None)])
            return kept


def _find(connection: sa.Connection, month: Month, *, lock: bool = False) -> KeptList | None:
    query = sa.select(price_lists).where(price_lists.c.month == str(month))
    row = connection.execute(query.with_for_update() if lock else query).first()
    return None if row is None else KeptList(documents.loads(row.prices, PriceList), row.file, row.kept_at)


def _locked(connection: sa.Connection, month: Month) -> KeptList | None:
    """The month's list, which nobody else changes before this transaction has ended."""
    return _find(connection, month, lock=True)


def _refuse_drafted(connection: sa.Connection, month: Month, now: datetime) -> None:
    """Refuse what cannot be changed any more.

    A run takes its lease, then keeps its list, which waits for this transaction: so either the lease is seen here, or
    the run sees what is written here.
    """
    drafted = sa.or_(
        sa.exists().where(invoices.c.month == str(month)),
        sa.exists().where(months.c.month == str(month), months.c.drafted_at.is_not(None)),
    )
    if connection.scalar(sa.select(drafted)):
        raise UsageError(
            f"{month} is drafted already, so what its usage costs stands in the ledger and on invoices: its prices"
            " cannot be changed any more; correct single invoices in the billing system"
        )
    if connection.scalar(sa.select(held("drafting", now))):
        raise UsageError(f"a run is drafting just now, perhaps {month}: try again when it has ended")


def _update(month: Month) -> sa.Update:
    return sa.update(price_lists).where(price_lists.c.month == str(month))


def _change(month: Month, before: PriceList | None, after: PriceList, why: str, run_id: int | None) -> Event:
    words = None if before is None else str(before)
    return Event("prices", month=str(month), before=words, after=str(after), why=why, run_id=run_id)


def _text(prices: PriceList) -> str:
    return documents.dumps(prices).decode()
