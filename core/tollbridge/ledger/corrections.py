"""The ledger's corrections: what is billed later, or taken back, of months that were billed."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from tollbridge.ledger.database import BATCH, Database
from tollbridge.ledger.documents import documents
from tollbridge.ledger.events import Event, note
from tollbridge.ledger.leases import Lease
from tollbridge.ledger.schema import corrections
from tollbridge.model import EXACT
from tollbridge.rules.calendar import Month
from tollbridge.rules.corrections import Correction, CorrectionState
from tollbridge.rules.entry import Entry, Line

_FREE = sa.and_(corrections.c.state == CorrectionState.OPEN, corrections.c.taken_into.is_(None))


class Corrections:
    """The corrections of the ledger; each is on one invoice at most."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, found: Sequence[Correction], lease: Lease) -> None:
        """Keep what was found of a page of clients, in one transaction under the lease."""
        if not found:
            return
        with self._database.write() as connection:
            lease.renew(connection)
            now = self._database.now(connection)
            rows = [{**_row(each), "found_at": now, "run_id": lease.run_id} for each in found]
            connection.execute(sa.insert(corrections), rows)
            note(connection, now, (_event(each, None, each.state, lease.run_id) for each in found))

    def of_month(self, month: Month) -> Iterator[list[Correction]]:
        """All that was ever found of a month's usage, in batches."""
        query = sa.select(corrections.c.id).where(corrections.c.month == str(month)).order_by(corrections.c.id)
        for ids in self._database.batches(query, corrections.c.id):
            yield self._where(corrections.c.id.in_(ids))

    def sums(self, month: Month, client_ids: Sequence[int]) -> dict[tuple[int, str], Decimal]:
        """By client and currency, what their invoices of this month's usage were corrected by, or are going to be."""
        found: dict[tuple[int, str], Decimal] = {}
        for start in range(0, len(client_ids), BATCH):
            page = corrections.c.client_id.in_(client_ids[start : start + BATCH])
            is_open = corrections.c.state == CorrectionState.OPEN
            for each in self._where(sa.and_(corrections.c.month == str(month), is_open, page)):
                key = each.client_id, each.currency
                found[key] = EXACT.add(found.get(key, Decimal(0)), each.line.amount)
        return found

    def to_take(self, month: Month, client_ids: Sequence[int]) -> dict[int, list[Correction]]:
        """What these clients' invoices of the month take in: what is on no other one yet."""
        mine = sa.or_(_FREE, sa.and_(corrections.c.taken_into == str(month)))
        earlier = corrections.c.month < str(month)
        found: dict[int, list[Correction]] = {}
        for start in range(0, len(client_ids), BATCH):
            page = corrections.c.client_id.in_(client_ids[start : start + BATCH])
            for each in self._where(sa.and_(page, mine, earlier)):
                found.setdefault(each.client_id, []).append(each)
        return found

    def clients(self, month: Month) -> Iterator[list[int]]:
        """Clients whose invoice of the month has something to take in, whether or not they used anything."""
        query = sa.select(corrections.c.client_id).where(_FREE, corrections.c.month < str(month)).distinct()
        return self._database.batches(query.order_by(corrections.c.client_id), corrections.c.client_id)

    def unsettled(self) -> list[Correction]:
        """Those that a human is to look at: they wait, or cannot be given back on an invoice."""
        return self._where(corrections.c.state.in_([CorrectionState.WAITING, CorrectionState.CREDIT]))

    def free(self) -> dict[int, list[Correction]]:
        """What waits for the next invoice of each client, and for nobody's word."""
        found: dict[int, list[Correction]] = {}
        for each in self._where(_FREE):
            found.setdefault(each.client_id, []).append(each)
        return found

    def owe(self, found: Sequence[Correction], lease: Lease) -> None:
        """Note that what waits for an invoice can be on none, so that a human settles it."""
        if not found:
            return
        with self._database.write() as connection:
            lease.renew(connection)
            these = sa.and_(_FREE, corrections.c.id.in_([each.id for each in found]))
            owed = sa.update(corrections).where(these).values(state=CorrectionState.CREDIT)
            ids = set(connection.scalars(owed.returning(corrections.c.id)))
            now = self._database.now(connection)
            note(
                connection,
                now,
                (_event(each, each.state, CorrectionState.CREDIT, lease.run_id) for each in found if each.id in ids),
            )

    def decide(self, month: Month, client_id: int, state: CorrectionState, reason: str) -> list[Correction]:
        """Let those that wait for the client's invoice of the month go, or refuse them; what was decided on."""
        theirs = sa.and_(corrections.c.client_id == client_id, corrections.c.stands_on == str(month))
        undecided = [CorrectionState.WAITING]
        if state is CorrectionState.REFUSED:
            undecided.append(CorrectionState.CREDIT)
        with self._database.write() as connection:
            now = self._database.now(connection)
            these = sa.and_(theirs, corrections.c.state.in_(undecided))
            rows = connection.execute(sa.select(corrections).where(these).order_by(corrections.c.id).with_for_update())
            found = [_correction(row) for row in rows]
            ids = [each.id for each in found]
            connection.execute(
                sa.update(corrections).where(corrections.c.id.in_(ids)).values(state=state, reason=reason)
            )
            note(connection, now, (_event(each, each.state, state, None, reason) for each in found))
            return found

    def _where(self, condition: sa.ColumnElement[bool]) -> list[Correction]:
        with self._database.read() as connection:
            rows = connection.execute(sa.select(corrections).where(condition).order_by(corrections.c.id))
            return [_correction(row) for row in rows]


def take_in(connection: sa.Connection, month: Month, entries: Sequence[Entry]) -> None:
    """Note which corrections are on these invoices of a month, in the transaction that writes them."""
    into = str(month)
    theirs = corrections.c.client_id.in_([entry.client_id for entry in entries])
    connection.execute(sa.update(corrections).where(theirs, corrections.c.taken_into == into).values(taken_into=None))
    if taken := [number for entry in entries for number in entry.document.corrects]:
        connection.execute(sa.update(corrections).where(corrections.c.id.in_(taken)).values(taken_into=into))


def _event(
    found: Correction,
    before: CorrectionState | None,
    after: CorrectionState,
    run_id: int | None,
    why: str | None = None,
) -> Event:
    what = f"{found.line.description} ({found.line.amount:f} {found.currency})"
    return Event(
        "correction", found.client_id, str(found.month), before, after, f"{what}: {why}" if why else what, run_id
    )


def _row(found: Correction) -> dict[str, Any]:
    return {
        "client_id": found.client_id,
        "month": str(found.month),
        "stands_on": str(found.stands_on),
        "user_id": found.line.user_id,
        "item_type": found.line.item_type,
        "item_id": found.line.item_id,
        "tokens": found.line.tokens,
        "currency": found.currency,
        "amount": found.line.amount,
        "line": documents.dumps(found.line).decode(),
        "state": found.state,
        "taken_into": found.taken_into,
    }


def _correction(row: sa.Row[Any]) -> Correction:
    return Correction(
        client_id=row.client_id,
        month=Month.parse(row.month),
        stands_on=Month.parse(row.stands_on),
        currency=row.currency,
        line=documents.loads(row.line, Line),
        state=CorrectionState(row.state),
        taken_into=row.taken_into,
        id=row.id,
    )
