"""What the bridge's own meter saw: the moments of its snapshots, and the stretches in which each server was the same.

A snapshot in which nothing has changed adds one row, however many servers there are.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

import attrs
import orjson
import sqlalchemy as sa

from tollbridge.errors import LedgerError
from tollbridge.ledger.database import BATCH, METER_LOCK, Database
from tollbridge.ledger.schema import leases, snapshots, stretches
from tollbridge.rules.metering import PlanPrices
from tollbridge.rules.stretches import Facts, SeenServer, Stretch

_TURN = "meter"


@attrs.frozen
class Snapshot:
    """One look at all servers: when, by the panel's clock, and what had changed since the one before.

    Attributes:
        before: when the one before was taken; None for the first.
        new, changed, gone: numbers of servers.
    """

    taken_at: datetime
    before: datetime | None
    servers: int
    new: int
    changed: int
    gone: int


class Meter:
    """The ledger's meter."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def last(self) -> datetime | None:
        """When the last snapshot was taken."""
        with self._database.read() as connection:
            return _last(connection)

    def snapshots(self, start: datetime, end: datetime) -> list[datetime]:
        """The moments of all snapshots that touch ``[start, end)``, the next ones on both sides included."""
        first = sa.select(sa.func.max(snapshots.c.taken_at)).where(snapshots.c.taken_at <= start).scalar_subquery()
        last = sa.select(sa.func.min(snapshots.c.taken_at)).where(snapshots.c.taken_at >= end).scalar_subquery()
        taken = snapshots.c.taken_at
        query = (
            sa.select(taken)
            .where(sa.or_(taken >= start, taken == first), sa.or_(taken <= end, taken == last))
            .order_by(taken, snapshots.c.id)
        )
        with self._database.read() as connection:
            return list(connection.scalars(query))

    def stretches(self, start: datetime, end: datetime, user_ids: Iterable[int] | None = None) -> list[Stretch]:
        """The stretches that were, or may have been, in ``[start, end)``, by server and time.

        ``user_ids``: only of servers that one of these users had then, whoever had them otherwise.
        """
        there = sa.and_(
            sa.or_(stretches.c.not_before.is_(None), stretches.c.not_before < end),
            sa.or_(stretches.c.not_after.is_(None), stretches.c.not_after > start),
        )
        query = sa.select(stretches).where(there).order_by(stretches.c.uuid, stretches.c.first_seen, stretches.c.id)
        if user_ids is not None:
            theirs = sa.select(stretches.c.uuid).where(there, stretches.c.user_id.in_([*user_ids]))
            query = query.where(stretches.c.uuid.in_(theirs))
        with self._database.read() as connection:
            last = _last(connection)
            return [_stretch(row, last) for row in connection.execute(query)] if last else []

    def add(self, taken_at: datetime, servers: Sequence[SeenServer]) -> Snapshot:
        """Keep a snapshot: all servers there are, each once.

        Raises:
            LedgerError: it is older than the last one, and nothing is kept of it.
        """
        with self._database.write() as connection:
            if not self._database.is_sqlite:  # there, one transaction writes at a time anyway
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(METER_LOCK)))
            before = _last(connection)
            if before is not None and taken_at < before:
                raise LedgerError(
                    f"the meter's last snapshot is of {before.isoformat()}, and this one of {taken_at.isoformat()} is"
                    " older: time goes forwards only"
                )
            connection.execute(sa.insert(snapshots).values(taken_at=taken_at, servers=len(servers)))
            return _Comparing(connection, taken_at, before).compare(servers)

    def take_turn(self, every: timedelta) -> bool:
        """Whether it is this caller's turn to take a snapshot, after which nobody has one for so long.

        Processes and machines that share the ledger take turns by its clock.
        """
        with self._database.write() as connection:
            now = self._database.now(connection)
            first = self._database.insert(leases).values(name=_TURN, run_id=None, epoch=0, leased_until=now)
            connection.execute(first.on_conflict_do_nothing(index_elements=["name"]))
            due = sa.and_(leases.c.name == _TURN, leases.c.leased_until <= now)
            return connection.execute(sa.update(leases).where(due).values(leased_until=now + every)).rowcount == 1

    def give_turn_back(self, wait: timedelta) -> None:
        """After a snapshot that failed: let somebody try again after ``wait``."""
        with self._database.write() as connection:
            until = self._database.now(connection) + wait
            connection.execute(sa.update(leases).where(leases.c.name == _TURN).values(leased_until=until))


@attrs.frozen
class _Comparing:
    """A snapshot laid beside the stretches that were open until then."""

    connection: sa.Connection
    taken_at: datetime
    before: datetime | None

    def compare(self, servers: Sequence[SeenServer]) -> Snapshot:
        rows = self.connection.execute(sa.select(stretches).where(stretches.c.not_after.is_(None)))
        there = {row.uuid: row for row in rows}
        seen = {server.uuid: _values(server) for server in servers}
        over = [row.id for uuid, row in there.items() if uuid not in seen or not _same(row, seen[uuid])]
        begun = [values for uuid, values in seen.items() if uuid not in there or not _same(there[uuid], values)]
        for start in range(0, len(over), BATCH):
            ids = over[start : start + BATCH]
            end = {"last_seen": self.before, "not_after": self.taken_at}
            self.connection.execute(sa.update(stretches).where(stretches.c.id.in_(ids)).values(**end))
        if begun:
            moments = {"not_before": self.before, "first_seen": self.taken_at, "last_seen": None, "not_after": None}
            self.connection.execute(sa.insert(stretches), [{**values, **moments} for values in begun])
        self._correct(there, seen)
        gone = len(there.keys() - seen.keys())
        new = len(seen.keys() - there.keys())
        return Snapshot(self.taken_at, self.before, len(seen), new, len(begun) - new, gone)

    def _correct(self, there: dict[str, Any], seen: dict[str, dict[str, Any]]) -> None:
        """Names and clients are those seen last; no price hangs on them."""
        loose = ("server_id", "name", "billing_user_id", "plan_name", "created_at")
        for uuid, values in seen.items():
            row = there.get(uuid)
            if row is not None and any(getattr(row, key) != values[key] for key in loose) and _same(row, values):
                change = sa.update(stretches).where(stretches.c.id == row.id)
                self.connection.execute(change.values(**{key: values[key] for key in loose}))


_FACTS = (
    "user_id", "plan_id", "tokens_per_hour", "tokens_per_month", "backup_percent", "ip_tokens_per_hour",
    "ip_tokens_per_month", "runs", "backups", "addresses",
)  # fmt: skip


def _same(row: Any, values: dict[str, Any]) -> bool:
    return all(getattr(row, key) == values[key] for key in _FACTS)


def _values(server: SeenServer) -> dict[str, Any]:
    facts, plan = server.facts, server.facts.plan
    return {
        "uuid": server.uuid,
        "server_id": server.id,
        "name": server.name,
        "billing_user_id": server.billing_user_id,
        "created_at": server.created_at,
        "user_id": facts.user_id,
        "plan_id": plan.id,
        "plan_name": plan.name,
        "tokens_per_hour": plan.tokens_per_hour,
        "tokens_per_month": plan.tokens_per_month,
        "backup_percent": plan.backup_percent,
        "ip_tokens_per_hour": plan.ip_tokens_per_hour,
        "ip_tokens_per_month": plan.ip_tokens_per_month,
        "runs": facts.runs,
        "backups": facts.backups,
        "addresses": orjson.dumps(sorted(facts.addresses)).decode(),
    }


def _stretch(row: Any, last: datetime) -> Stretch:
    plan = PlanPrices(
        row.plan_id, row.plan_name, row.tokens_per_hour, row.tokens_per_month, row.backup_percent,
        row.ip_tokens_per_hour, row.ip_tokens_per_month,
    )  # fmt: skip
    facts = Facts(row.user_id, plan, row.runs, row.backups, frozenset(orjson.loads(row.addresses)))
    return Stretch(
        row.uuid, row.server_id, row.name, row.created_at, row.billing_user_id, facts,
        row.first_seen, row.last_seen or last, row.not_before, row.not_after,
    )  # fmt: skip


def _last(connection: sa.Connection) -> datetime | None:
    last: datetime | None = connection.scalar(sa.select(sa.func.max(snapshots.c.taken_at)))
    return last
