"""Workers that help a run send: what they have issued for it, what they hold, and what they could not do."""

from collections.abc import Collection, Iterator
from datetime import timedelta
from decimal import Decimal

import attrs
import sqlalchemy as sa

from tollbridge.ledger.claims import claimable
from tollbridge.ledger.database import Database
from tollbridge.ledger.invoices import entry_of
from tollbridge.ledger.schema import Money, invoices, runs
from tollbridge.rules.calendar import Month
from tollbridge.rules.entry import Entry, State


@attrs.frozen
class Left:
    """What is left of a run's months: entries that it may claim, and those that workers which live have claimed."""

    claimable: int
    held: int


@attrs.frozen
class Issued:
    """Invoices that workers issued in one currency and with one price list; ``sample`` is one of them."""

    count: int
    subtotal: Decimal
    sample: Entry


class Helpers:
    """The ledger's workers, as the run sees them that they help."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def left(self, run_id: int, months: Collection[Month], patience: timedelta) -> Left:
        """What is left, as of one moment.

        What a worker holds whose claim is over for longer than ``patience`` is not counted: it does not go on.
        """
        helps = sa.select(runs.c.id).where(runs.c.helps == run_id, runs.c.ended_at.is_(None))
        with self._database.read() as connection:
            oldest = self._database.now(connection) - patience
            held = sa.and_(
                invoices.c.state == State.SENDING,
                invoices.c.run_id.in_(helps),
                invoices.c.leased_until > oldest,
                invoices.c.month.in_([str(month) for month in months]),
            )
            counts = [
                sa.select(sa.func.count()).select_from(invoices).where(condition).scalar_subquery()
                for condition in (claimable(run_id, months), held)
            ]
            row = connection.execute(sa.select(*counts)).one()
        return Left(row[0], row[1])

    def count(self, run_id: int) -> int:
        """How many invoices workers have issued for a run."""
        query = sa.select(sa.func.count()).select_from(invoices).where(self._issued_for(run_id))
        with self._database.read() as connection:
            return connection.scalar(query) or 0

    def issued(self, run_id: int) -> list[Issued]:
        """The same, added up."""
        totals = sa.func.count(), sa.func.sum(invoices.c.subtotal, type_=Money), sa.func.min(invoices.c.id)
        grouped = sa.select(*totals).group_by(invoices.c.currency, invoices.c.prices)
        with self._database.read() as connection:
            sums = connection.execute(grouped.where(self._issued_for(run_id))).all()
            samples = connection.execute(sa.select(invoices).where(invoices.c.id.in_([first for _, _, first in sums])))
            by_id = {row.id: entry_of(row) for row in samples}
            return [Issued(count, subtotal, by_id[first]) for count, subtotal, first in sums]

    def with_problem(self, run_id: int) -> Iterator[Entry]:
        """What workers could not send for a run, or is wrong as they found it to be there."""
        theirs = invoices.c.run_id.in_(sa.select(runs.c.id).where(runs.c.helps == run_id))
        query = sa.select(invoices).where(invoices.c.problem.is_not(None), theirs)
        with self._database.read() as connection:
            for row in connection.execute(query.order_by(invoices.c.month, invoices.c.client_id)):
                yield entry_of(row)

    def next_for(self, run_id: int, months: Collection[Month]) -> Entry | None:
        """An entry that a worker which begins to help a run now could claim; it is not claimed."""
        tried = sa.select(runs.c.id).where(sa.or_(runs.c.id == run_id, runs.c.helps == run_id))
        free = sa.or_(invoices.c.run_id.is_(None), invoices.c.run_id.not_in(tried))
        query = sa.select(invoices).where(claimable(run_id, months), free)
        with self._database.read() as connection:
            row = connection.execute(query.order_by(invoices.c.month, invoices.c.client_id).limit(1)).first()
        return None if row is None else entry_of(row)

    @staticmethod
    def _issued_for(run_id: int) -> sa.ColumnElement[bool]:
        theirs = invoices.c.run_id.in_(sa.select(runs.c.id).where(runs.c.helps == run_id))
        return sa.and_(theirs, invoices.c.state == State.ISSUED)
