"""What the operator was told: one thing once, for as long as it is true."""

import secrets
from collections.abc import Callable, Collection, Iterable

import sqlalchemy as sa

from tollbridge.ledger.database import TOLD_LOCK, Database
from tollbridge.ledger.outbox import Mail, waiting_row
from tollbridge.ledger.schema import mails, told


class Told:
    """What the operator was told."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def tell(
        self,
        scope: str,
        keys: Collection[str],
        messages: Callable[[frozenset[str]], Iterable[tuple[str, Mail]]],
        *,
        complete: bool,
    ) -> frozenset[str]:
        """Put messages about what is new among ``keys`` into the outbox, in one transaction; what is new.

        Args:
            scope: the command that found it.
            keys: what there is now.
            messages: recipients and messages about these keys; not called if none is new.
            complete: whether the command has seen all there is: what it did not find is forgotten then, and told
                again should it come back.
        """
        with self._database.write() as connection:
            if not self._database.is_sqlite:  # there, one transaction writes at a time anyway
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(TOLD_LOCK)))
            now = self._database.now(connection)
            known = set(connection.scalars(sa.select(told.c.key).where(told.c.scope == scope)))
            new = frozenset(keys) - known
            if complete and (over := [{"b_key": key} for key in known - set(keys)]):
                gone = sa.delete(told).where(told.c.scope == scope, told.c.key == sa.bindparam("b_key"))
                connection.execute(gone, over)
            if new:
                rows = [{"scope": scope, "key": key, "told_at": now} for key in sorted(new)]
                connection.execute(sa.insert(told), rows)
                for recipient, mail in messages(new):
                    key = f"notice {secrets.token_hex(8)}"
                    connection.execute(sa.insert(mails).values(**waiting_row(key, recipient, mail, now)))
        return new
