"""Copies of what other systems showed last, to be shown while they are down. Nothing is billed by them."""

import sqlalchemy as sa

from tollbridge.ledger.database import Database
from tollbridge.ledger.schema import copies


class Copies:
    """The ledger's copies."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, name: str) -> str | None:
        """The copy of this name, as it was kept last; None: there is none."""
        with self._database.read() as connection:
            found: str | None = connection.scalar(sa.select(copies.c.document).where(copies.c.name == name))
            return found

    def keep(self, name: str, document: str) -> None:
        """Keep a copy in place of the one before; nothing is written if it is the same."""
        if self.find(name) == document:
            return
        with self._database.write() as connection:
            values = {"document": document, "kept_at": self._database.now(connection)}
            insert = self._database.insert(copies).values(name=name, **values)
            connection.execute(insert.on_conflict_do_update(index_elements=["name"], set_=values))
