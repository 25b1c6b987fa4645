"""The ledger's accounts: which SolusIO user a client has, why it is held, and what the bridge did to its status.

Whoever changes an account claims it first, a page of clients at a time; every change names the claim.
"""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import attrs
import sqlalchemy as sa

from tollbridge.errors import LedgerError
from tollbridge.ledger.database import BATCH, Database
from tollbridge.ledger.events import Event, note
from tollbridge.ledger.runs import alive, ended, holders
from tollbridge.ledger.schema import accounts, held_back, holds, invoices, runs
from tollbridge.model import UserStatus
from tollbridge.rules.entry import State
from tollbridge.rules.overdue import Hold, HoldReason, Mark


@attrs.frozen
class Account:
    """A client's SolusIO user.

    Attributes:
        holds: why it is locked or suspended.
        mark: what the bridge did to its status.
        judged_at: when the receipts were asked for by which it was judged last.
        explained: whether a lock without a mark is known to be a human's: the user was seen active, or somebody said
            so. False: it may have been set by a ledger that was lost.
    """

    client_id: int
    user_id: int
    email: str
    holds: tuple[Hold, ...] = ()
    mark: Mark | None = None
    judged_at: datetime | None = None
    explained: bool = True

    def held_for(self, reason: HoldReason) -> Hold | None:
        """The hold that has this reason."""
        return next((hold for hold in self.holds if hold.reason is reason), None)


class Accounts:
    """The accounts of the ledger, one for each client at most."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # Looking

    def of_clients(self, client_ids: Sequence[int]) -> dict[int, Account]:
        """The SolusIO users of these clients."""
        with self._database.read() as connection:
            return _accounts(connection, client_ids)

    def clients_of_users(self, user_ids: Sequence[int]) -> dict[int, int]:
        """The clients that these SolusIO users are known to belong to."""
        known = sa.select(accounts.c.user_id, accounts.c.client_id)
        with self._database.read() as connection:
            return {
                row.user_id: row.client_id
                for start in range(0, len(user_ids), BATCH)
                for row in connection.execute(known.where(accounts.c.user_id.in_(user_ids[start : start + BATCH])))
            }

    def all(self) -> Iterator[list[Account]]:
        """Every account, in batches by client."""
        return self._pages(sa.true())

    def in_question(self) -> Iterator[list[Account]]:
        """Accounts that are held, or whose status the bridge has set and not put back, in batches by client."""
        held = sa.exists().where(holds.c.client_id == accounts.c.client_id)
        return self._pages(sa.or_(held, accounts.c.set_status.is_not(None)))

    def unexplained(self) -> Iterator[list[Account]]:
        """Accounts whose lock, if there is one, may be that of a lost ledger: clients with an invoice of the bridge."""
        invoiced = sa.exists().where(invoices.c.client_id == accounts.c.client_id, invoices.c.state == State.ISSUED)
        return self._pages(sa.and_(accounts.c.explained.is_(False), invoiced))

    def held_back(self, reason: HoldReason) -> set[int]:
        """The clients whose users are not locked or suspended for this reason before a human confirms it."""
        query = sa.select(held_back.c.client_id).where(held_back.c.reason == reason)
        with self._database.read() as connection:
            return set(connection.scalars(query))

    def _pages(self, condition: sa.ColumnElement[bool]) -> Iterator[list[Account]]:
        query = sa.select(accounts.c.client_id).where(condition).order_by(accounts.c.client_id)
        for client_ids in self._database.batches(query, accounts.c.client_id):
            found = self.of_clients(client_ids)
            yield [found[client_id] for client_id in client_ids if client_id in found]

    # Claiming

    def claim(self, run_id: int, client_ids: Sequence[int], lease: timedelta) -> dict[int, Account]:
        """Claim these clients' accounts; those that are this run's to change now. Another run's are left out."""
        with self._database.write() as connection:
            now = self._database.now(connection)
            over = sa.or_(accounts.c.leased_until.is_(None), accounts.c.leased_until <= now)
            # On SQLite a run that has ended has no process any more; on PostgreSQL only its connection may be gone.
            dead = ended(accounts.c.run_id)
            gone = dead if self._database.is_sqlite else sa.and_(dead, over)
            nobodys = sa.or_(accounts.c.run_id.is_(None), gone)
            free = sa.and_(accounts.c.client_id.in_(client_ids), sa.or_(nobodys, accounts.c.run_id == run_id))
            pick = sa.select(accounts.c.client_id).where(free).order_by(accounts.c.client_id)
            ids = list(connection.scalars(pick.with_for_update(skip_locked=True)))
            claimed = sa.update(accounts).where(accounts.c.client_id.in_(ids))
            connection.execute(claimed.values(run_id=run_id, leased_until=now + lease))
            return _accounts(connection, ids)

    def renew(self, run_id: int, account: Account, lease: timedelta) -> None:
        """Renew the claim on one account, before anything about it is asked for: its page may take longer than a lease.

        Raises:
            LedgerError: this run counts as dead.
        """
        with self._database.write() as connection:
            now = self._database.now(connection)
            renewed = sa.update(accounts).where(_of_claim(run_id, account.client_id), alive(run_id))
            if connection.execute(renewed.values(leased_until=now + lease)).rowcount != 1:
                raise _lost(account)

    def let_go(self, run_id: int, client_ids: Collection[int]) -> None:
        """Give claimed accounts back."""
        mine = sa.and_(accounts.c.client_id.in_(client_ids), accounts.c.run_id == run_id)
        with self._database.write() as connection:
            connection.execute(sa.update(accounts).where(mine).values(run_id=None, leased_until=None))

    def held_by_the_frozen(self, run_id: int) -> list[tuple[int, str, int]]:
        """Runs that live, and have claimed accounts without going on: number, machine and how many."""
        with self._database.read() as connection:
            stale = accounts.c.leased_until <= self._database.now(connection)
            return holders(connection, accounts, run_id, stale, runs.c.ended_at.is_(None))

    def held_by_the_dead(self, run_id: int) -> list[tuple[int, str, int]]:
        """Runs that have ended before they gave back accounts whose lease is not over: number, machine and how many.

        There are none on SQLite, where such a run has no process any more, and its accounts are free at once.
        """
        if self._database.is_sqlite:
            return []
        with self._database.read() as connection:
            leased = accounts.c.leased_until > self._database.now(connection)
            return holders(connection, accounts, run_id, leased, runs.c.ended_at.is_not(None))

    # Changing

    def add(self, account: Account, run_id: int | None = None, lease: timedelta = timedelta(0)) -> Account | None:
        """Note whose user it is, and claim it for a run; None if another run has claimed it.

        A user that belonged to another client before belongs to this one now. What the bridge did to the user while it
        was another client's is still the bridge's to undo.
        """
        known = {"email": account.email, "explained": account.explained}
        row = {"user_id": account.user_id, **known, **_mark_row(account.mark)}
        with self._database.write() as connection:
            now = self._database.now(connection)
            known_as = sa.select(accounts.c.client_id).where(accounts.c.user_id == account.user_id)
            if others := [each for each in connection.scalars(known_as) if each != account.client_id]:
                connection.execute(sa.delete(holds).where(holds.c.client_id.in_(others)))
                connection.execute(sa.delete(accounts).where(accounts.c.client_id.in_(others)))
            claim = {} if run_id is None else {"run_id": run_id, "leased_until": now + lease}
            statement = self._database.insert(accounts).values(client_id=account.client_id, **row, **claim)
            free = sa.or_(accounts.c.run_id.is_(None), accounts.c.run_id == run_id)
            claimed = statement.on_conflict_do_update(index_elements=["client_id"], set_={**row, **claim}, where=free)
            noted = connection.execute(claimed.returning(*accounts.c)).first()
            if noted is None:
                return None
            note(connection, now, [
                Event("account", account.client_id, after=f"user {account.user_id}", run_id=run_id)
            ])  # fmt: skip
            return _account(noted, _holds(connection, [account.client_id]).get(account.client_id, ()))

    def change_email(self, account: Account) -> None:
        """Note the user's address."""
        mine = sa.and_(accounts.c.client_id == account.client_id, accounts.c.user_id == account.user_id)
        with self._database.write() as connection:
            connection.execute(sa.update(accounts).where(mine).values(email=account.email))

    def explain(self, client_ids: Collection[int], *, explained: bool = True) -> None:
        """Note of these clients' users that they were seen active; or, with False, that a lock of them is in doubt."""
        with self._database.write() as connection:
            ids = sorted(client_ids)
            for start in range(0, len(ids), BATCH):
                theirs = accounts.c.client_id.in_(ids[start : start + BATCH])
                connection.execute(sa.update(accounts).where(theirs).values(explained=explained))

    def hold_back(self, reason: HoldReason, client_ids: Collection[int], run_id: int) -> None:
        """Note whose users are not to be locked or suspended for this reason before a human confirms it; only these."""
        with self._database.write() as connection:
            now = self._database.now(connection)
            of_reason = held_back.c.reason == reason
            before = set(connection.scalars(sa.select(held_back.c.client_id).where(of_reason)))
            gone, new = sorted(before.difference(client_ids)), sorted(set(client_ids) - before)
            for start in range(0, len(gone), BATCH):
                these = held_back.c.client_id.in_(gone[start : start + BATCH])
                connection.execute(sa.delete(held_back).where(of_reason, these))
            if new:
                rows = [{"client_id": client_id, "reason": reason, "since": now} for client_id in new]
                connection.execute(self._database.insert(held_back).on_conflict_do_nothing(), rows)
                note(connection, now, (
                    Event("hold", client_id, after=f"{reason}: held back", why="most_locks", run_id=run_id)
                    for client_id in new
                ))  # fmt: skip

    def say_whose(  # noqa: PLR0917
        self, run_id: int, account: Account, mark: Mark | None, hold: Hold | None, after: str, why: str
    ) -> None:
        """Note what a human said of a claimed account's lock: whose it is, and if the bridge's, what it is held for.

        Raises:
            LedgerError: the account is not this run's to change any more.
        """
        with self._database.write() as connection:
            now = self._database.now(connection)
            said = sa.update(accounts).where(_of_claim(run_id, account.client_id), alive(run_id))
            if connection.execute(said.values(explained=True, **_mark_row(mark))).rowcount != 1:
                raise _lost(account)
            if hold is not None:
                this = sa.and_(holds.c.client_id == account.client_id, holds.c.reason == hold.reason)
                connection.execute(sa.delete(holds).where(this))
                connection.execute(
                    sa.insert(holds).values(
                        client_id=account.client_id, reason=hold.reason, status=hold.status, since=now
                    )
                )
            note(connection, now, [Event("hold", account.client_id, after=after, why=why, run_id=run_id)])

    def hold(  # noqa: PLR0917
        self,
        run_id: int,
        account: Account,
        reason: HoldReason,
        status: UserStatus,
        why: str,
        judged_at: datetime | None = None,
    ) -> Account | None:
        """Hold a claimed account for a reason, or with ``active`` lift that hold; the account as it is then.

        None, and nothing is changed, if it is not this run's to change any more, or was judged by newer receipts.
        """
        mine = _of_claim(run_id, account.client_id)
        values: dict[str, Any] = {"email": accounts.c.email}  # nothing but the question whether it is this run's
        if judged_at is not None:
            values = {"judged_at": judged_at}
        before = account.held_for(reason)
        this = sa.and_(holds.c.client_id == account.client_id, holds.c.reason == reason)
        with self._database.write() as connection:
            now = self._database.now(connection)
            if judged_at is not None:
                last = accounts.c.judged_at  # one that is still to come was noted by a clock that was wrong
                mine = sa.and_(mine, sa.or_(last.is_(None), last <= judged_at, last > now))
            if connection.execute(sa.update(accounts).where(mine).values(values)).rowcount != 1:
                return None
            if (before.status if before else UserStatus.ACTIVE) is not status:
                connection.execute(sa.delete(holds).where(this))
                if status is not UserStatus.ACTIVE:
                    row = {"client_id": account.client_id, "reason": reason, "status": status, "since": now}
                    connection.execute(sa.insert(holds).values(row))
                note(connection, now, [
                    Event("hold", account.client_id, before=f"{reason}: {before.status}" if before else None,
                          after=f"{reason}: {status}", why=why, run_id=run_id)
                ])  # fmt: skip
            return _accounts(connection, [account.client_id])[account.client_id]

    def attempt(self, run_id: int, account: Account, mark: Mark) -> None:
        """Note a status that is about to be asked for; LedgerError if the account is not this run's to change."""
        with self._database.write() as connection:
            now = self._database.now(connection)
            mine = sa.and_(_of_claim(run_id, account.client_id), accounts.c.leased_until > now)
            changed = sa.update(accounts).where(mine, alive(run_id)).values(_mark_row(mark))
            if connection.execute(changed).rowcount != 1:
                raise _lost(account)

    def set_status(  # noqa: PLR0917
        self, run_id: int, account: Account, mark: Mark | None, before: UserStatus, after: UserStatus, why: str
    ) -> None:
        """Note a status that was set, and what is to be put back.

        If the claim was lost meanwhile, whoever has the account by now may have gone on from there, and their word
        stands; that this status was asked for is noted beside it, or it would be taken for somebody's by hand.
        """
        of_user = sa.and_(accounts.c.client_id == account.client_id, accounts.c.user_id == account.user_id)
        mine = sa.and_(of_user, accounts.c.run_id == run_id)
        found = mark.found if mark else after
        beside = {
            "set_status": sa.func.coalesce(accounts.c.set_status, found),
            "found_status": sa.func.coalesce(accounts.c.found_status, found),
            "attempted_status": after,
        }
        with self._database.write() as connection:
            noted = connection.execute(sa.update(accounts).where(mine).values(_mark_row(mark))).rowcount == 1
            if not noted and after is not before:
                connection.execute(sa.update(accounts).where(of_user).values(beside))
            if after is not before:
                note(connection, self._database.now(connection), [
                    Event("status", account.client_id, before=before, after=after, why=why, run_id=run_id)
                ])  # fmt: skip

    def forget(self, client_id: int, run_id: int) -> None:
        """Forget an account whose user is gone, and why it was held."""
        with self._database.write() as connection:
            connection.execute(sa.delete(accounts).where(accounts.c.client_id == client_id))
            connection.execute(sa.delete(holds).where(holds.c.client_id == client_id))
            note(connection, self._database.now(connection), [
                Event("account", client_id, after="none", run_id=run_id)
            ])  # fmt: skip


def _lost(account: Account) -> LedgerError:
    return LedgerError(f"client {account.client_id}: its account is not this run's to change any more; run again")


def _of_claim(run_id: int, client_id: int) -> sa.ColumnElement[bool]:
    return sa.and_(accounts.c.client_id == client_id, accounts.c.run_id == run_id)


def _accounts(connection: sa.Connection, client_ids: Sequence[int]) -> dict[int, Account]:
    reasons = _holds(connection, client_ids)
    rows = connection.execute(sa.select(accounts).where(accounts.c.client_id.in_(client_ids)))
    return {row.client_id: _account(row, reasons.get(row.client_id, ())) for row in rows}


def _holds(connection: sa.Connection, client_ids: Sequence[int]) -> dict[int, list[Hold]]:
    reasons: dict[int, list[Hold]] = {}
    held = sa.select(holds).where(holds.c.client_id.in_(client_ids)).order_by(holds.c.client_id, holds.c.reason)
    for row in connection.execute(held):
        reasons.setdefault(row.client_id, []).append(Hold(HoldReason(row.reason), UserStatus(row.status)))
    return reasons


def _account(row: sa.Row[Any], reasons: Sequence[Hold]) -> Account:
    attempted = row.attempted_status
    mark = None
    if row.set_status is not None:
        asked = None if attempted is None else UserStatus(attempted)
        mark = Mark(UserStatus(row.set_status), UserStatus(row.found_status), asked)
    return Account(row.client_id, row.user_id, row.email, tuple(reasons), mark, row.judged_at, row.explained)


def _mark_row(mark: Mark | None) -> dict[str, Any]:
    return {
        "set_status": mark and mark.status,
        "found_status": mark and mark.found,
        "attempted_status": mark and mark.attempted,
    }
