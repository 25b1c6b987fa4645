"""A private scratch database in which an answer is gathered whole before anything is decided on it.

It keeps memory flat however many clients there are, and vanishes when it is closed. It is not the ledger: nothing in
it outlives the run.
"""

import sqlite3
import threading
from collections.abc import Iterable, Iterator
from typing import Self

import attrs
from cattrs.preconf.orjson import make_converter

from tollbridge.errors import Incomplete
from tollbridge.ledger.readings import UnbilledUser
from tollbridge.model import UsageItem, UserUsage
from tollbridge.rules.closing import UserItem

_BATCH = 200
_values = make_converter(detailed_validation=False)


class Scratch:
    """A temporary SQLite database; SQLite itself keeps it in memory or on disk, and removes it."""

    tables = ""

    def __init__(self) -> None:
        self.connection = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self.one_at_a_time = threading.Lock()
        self.connection.executescript(f"PRAGMA synchronous=OFF; PRAGMA journal_mode=OFF; {self.tables}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.close()


@attrs.frozen
class ClientUsage:
    """What all users of one client used in a month."""

    client_id: int
    items: tuple[UserItem, ...]

    @property
    def tokens(self) -> int:
        """The sum of the items."""
        return sum(each.item.tokens for each in self.items)


class StagedUsage(Scratch):
    """One month's usage of all users."""

    tables = """
        CREATE TABLE usage (
            user_id INTEGER PRIMARY KEY, client_id INTEGER, tokens INTEGER NOT NULL, items BLOB NOT NULL
        );
        CREATE INDEX usage_of_client ON usage (client_id);
    """

    def fill(self, rows: Iterable[UserUsage]) -> None:
        """Replace what is staged by ``rows``; Incomplete if a user comes twice."""
        self.connection.execute("DELETE FROM usage")
        try:
            self.connection.executemany(
                "INSERT INTO usage VALUES (?, ?, ?, ?)",
                ((row.user_id, row.billing_user_id, row.tokens, _values.dumps(row.items)) for row in rows),
            )
        except sqlite3.IntegrityError:
            raise Incomplete("SolusIO's usage has the same user twice") from None

    def assign(self, clients: dict[int, int]) -> None:
        """Give users without a billing id the client that the bridge knows them to belong to."""
        self.connection.executemany(
            "UPDATE usage SET client_id = ? WHERE user_id = ?", ((client, user) for user, client in clients.items())
        )

    def unassigned(self) -> list[int]:
        """Users without a client."""
        return [row[0] for row in self.connection.execute("SELECT user_id FROM usage WHERE client_id IS NULL")]

    def unbilled(self) -> list[UnbilledUser]:
        """Users with tokens and without a client."""
        query = "SELECT user_id, tokens FROM usage WHERE client_id IS NULL AND tokens > 0 ORDER BY user_id"
        return [UnbilledUser(*row) for row in self.connection.execute(query)]

    def has(self, client_id: int) -> bool:
        """Whether the client has usage."""
        query = "SELECT 1 FROM usage WHERE client_id = ?"
        return self.connection.execute(query, (client_id,)).fetchone() is not None

    def of_user(self, user_id: int) -> int:
        """The tokens of one user."""
        row = self.connection.execute("SELECT tokens FROM usage WHERE user_id = ?", (user_id,)).fetchone()
        return row[0] if row else 0

    def batches(self) -> Iterator[list[ClientUsage]]:
        """Every client's usage, by client id, some hundred at a time."""
        after = -(2**63)
        while True:
            query = "SELECT DISTINCT client_id FROM usage WHERE client_id > ? ORDER BY client_id LIMIT ?"
            client_ids = [row[0] for row in self.connection.execute(query, (after, _BATCH))]
            if not client_ids:
                return
            yield [ClientUsage(client_id, self._items(client_id)) for client_id in client_ids]
            after = client_ids[-1]

    def _items(self, client_id: int) -> tuple[UserItem, ...]:
        query = "SELECT user_id, items FROM usage WHERE client_id = ? ORDER BY user_id"
        return tuple(
            UserItem(user_id, item)
            for user_id, items in self.connection.execute(query, (client_id,))
            for item in _values.loads(items, tuple[UsageItem, ...])
        )
