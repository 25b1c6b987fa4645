"""The ledger's accounts: which SolusIO user a client has, and what the bridge did to it."""

from collections.abc import Iterator, Sequence
from typing import Any

import attrs
import sqlalchemy as sa

from tollbridge.ledger.database import BATCH, Database
from tollbridge.ledger.schema import accounts
from tollbridge.model import UserStatus
from tollbridge.rules.overdue import Hold


@attrs.frozen
class Account:
    """A client's SolusIO user, and what the bridge did to it."""

    client_id: int
    user_id: int
    email: str
    closed: bool = False
    hold: Hold | None = None


class Accounts:
    """The accounts of the ledger, one for each client at most."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of_clients(self, client_ids: Sequence[int]) -> dict[int, Account]:
        """The SolusIO users of these clients."""
        query = sa.select(accounts).where(accounts.c.client_id.in_(client_ids))
        with self._database.read() as connection:
            return {row.client_id: _account(row) for row in connection.execute(query)}

    def clients_of_users(self, user_ids: Sequence[int]) -> dict[int, int]:
        """The clients that these SolusIO users are known to belong to."""
        known = sa.select(accounts.c.user_id, accounts.c.client_id)
        with self._database.read() as connection:
            return {
                row.user_id: row.client_id
                for start in range(0, len(user_ids), BATCH)
                for row in connection.execute(known.where(accounts.c.user_id.in_(user_ids[start : start + BATCH])))
            }

    def in_question(self) -> Iterator[list[Account]]:
        """Accounts that are held or closed, in batches by client id."""
        condition = sa.or_(accounts.c.closed, accounts.c.hold_status.is_not(None))
        query = sa.select(accounts.c.client_id).where(condition).order_by(accounts.c.client_id)
        for client_ids in self._database.batches(query, accounts.c.client_id):
            found = self.of_clients(client_ids)
            yield [found[client_id] for client_id in client_ids if client_id in found]

    def save(self, account: Account) -> None:
        """Write an account whole; a user that belonged to another client before belongs to this one now."""
        row = _account_row(account)
        changed = {key: value for key, value in row.items() if key != "client_id"}
        with self._database.write() as connection:
            connection.execute(
                sa.delete(accounts).where(
                    accounts.c.user_id == account.user_id, accounts.c.client_id != account.client_id
                )
            )
            statement = self._database.insert(accounts).values(row)
            connection.execute(statement.on_conflict_do_update(index_elements=["client_id"], set_=changed))

    def forget(self, client_id: int) -> None:
        """Forget an account whose user was deleted."""
        with self._database.write() as connection:
            connection.execute(sa.delete(accounts).where(accounts.c.client_id == client_id))


def _account(row: sa.Row[Any]) -> Account:
    attempted = row.hold_attempted
    hold = Hold(
        UserStatus(row.hold_status), UserStatus(row.hold_found), None if attempted is None else UserStatus(attempted)
    ) if row.hold_status is not None else None  # fmt: skip
    return Account(
        client_id=row.client_id,
        user_id=row.user_id,
        email=row.email,
        closed=row.closed,
        hold=hold,
    )


def _account_row(account: Account) -> dict[str, Any]:
    hold = account.hold
    return {
        "client_id": account.client_id,
        "user_id": account.user_id,
        "email": account.email,
        "closed": account.closed,
        "hold_status": hold and hold.status,
        "hold_found": hold and hold.found,
        "hold_attempted": hold and hold.attempted,
    }
