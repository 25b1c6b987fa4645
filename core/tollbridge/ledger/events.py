"""What has changed, when, by which run and why; only ever added to."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import attrs
import sqlalchemy as sa

from tollbridge.ledger.database import Database
from tollbridge.ledger.schema import events


@attrs.frozen
class Event:
    """One change.

    Attributes:
        what: ``invoice`` (a state), ``payment`` and ``problem`` of one, ``correction``, ``status`` (of a user),
            ``hold``, ``account``, ``month``, ``prices`` (of a month), ``approval`` or ``write-off`` (of usage).
        month: with ``client_id``, the invoice it is about.
        run_id: None: no run did it.
    """

    what: str
    client_id: int | None = None
    month: str | None = None
    before: str | None = None
    after: str | None = None
    why: str | None = None
    run_id: int | None = None
    at: datetime | None = None


def note(connection: sa.Connection, at: datetime, changes: Iterable[Event]) -> None:
    """Add events in the transaction of the change itself."""
    rows = [{**attrs.asdict(change), "at": at} for change in changes]
    if rows:
        connection.execute(sa.insert(events), rows)


class Events:
    """The ledger's events."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of_client(self, client_id: int) -> list[Event]:
        """A client's events, oldest first."""
        return self._where(events.c.client_id == client_id)

    def of_kind(self, what: str) -> list[Event]:
        """All events of one kind, oldest first."""
        return self._where(events.c.what == what)

    def approved(self, month: str, client_ids: Sequence[int]) -> dict[int, Decimal]:
        """Up to which sums humans have approved of these clients' invoices of a month."""
        columns = events.c.client_id, events.c.after
        query = sa.select(*columns).where(
            events.c.what == "approval", events.c.month == month, events.c.client_id.in_(client_ids)
        )
        with self._database.read() as connection:
            return {row.client_id: Decimal(row.after) for row in connection.execute(query.order_by(events.c.id))}

    def approve(self, what: str, reason: str, run_id: int | None = None) -> None:
        """Note that a human looked at something and lets the bridge, or only one run, go on."""
        with self._database.write() as connection:
            note(connection, self._database.now(connection), [
                Event("approval", after=what, why=reason, run_id=run_id)
            ])  # fmt: skip

    def _where(self, condition: sa.ColumnElement[bool]) -> list[Event]:
        columns = [events.c[field.name] for field in attrs.fields(Event)]
        with self._database.read() as connection:
            rows: Iterable[Any] = connection.execute(sa.select(*columns).where(condition).order_by(events.c.id))
            return [Event(**row._mapping) for row in rows]  # noqa: SLF001 - SQLAlchemy's way to a row's columns


def last_approval(what: str) -> sa.ScalarSelect[datetime]:
    """When a human last approved of something, for use in other queries.

    It is no client's, and an index has the few such events: it is asked for before every page of invoices is sent.
    """
    approved = sa.and_(events.c.client_id.is_(None), events.c.what == "approval", events.c.after == what)
    return sa.select(sa.func.max(events.c.at)).where(approved).scalar_subquery()
