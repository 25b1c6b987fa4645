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
from tollbridge.rules.corrections import BilledItem, ItemKey
from tollbridge.rules.entry import Line, UserItem

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
    """What all users of one client used in a month.

    Attributes:
        as_before: nothing of it is reported any more, so what was written before holds.
    """

    client_id: int
    items: tuple[UserItem, ...]
    as_before: bool = False

    @property
    def tokens(self) -> int:
        """The sum of the items."""
        return sum(each.item.tokens for each in self.items)


class StagedBilled(Scratch):
    """What was billed of one month's items, to whomever, by entries of the month and by corrections."""

    tables = """
        CREATE TABLE billed (
            user_id INTEGER, type TEXT, item_id INTEGER, name TEXT NOT NULL, tokens INTEGER NOT NULL,
            client_id INTEGER NOT NULL, currency TEXT NOT NULL, corrects INTEGER NOT NULL
        );
        CREATE INDEX billed_to_user ON billed (user_id);
    """

    def add(self, client_id: int, currency: str, lines: Iterable[Line], *, corrects: bool = False) -> None:
        """Lines of the month that a client was billed; of ledgers older than user ids, the user is not known.

        ``corrects``: they are corrections, which stand on the invoice of another month.
        """
        self.connection.executemany(
            "INSERT INTO billed VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                (line.user_id, line.item_type, line.item_id, line.item_name, line.tokens, client_id, currency, corrects)
                for line in lines
            ),
        )

    def of_users(self, user_ids: Iterable[int], *, but_not: int | None = None) -> dict[ItemKey, BilledItem]:
        """What was billed of these users' items; ``but_not``: not by this client's own entry of the month."""
        found: dict[ItemKey, BilledItem] = {}
        query = "SELECT type, item_id, name, tokens, client_id, currency, corrects FROM billed WHERE user_id = ?"
        for user in user_ids:
            for kind, number, name, tokens, client_id, currency, corrects in self.connection.execute(query, (user,)):
                if corrects or client_id != but_not:
                    one = BilledItem(name, tokens, frozenset({client_id}), frozenset({currency}))
                    key = (user, kind, number)
                    found[key] = found[key] + one if key in found else one
        return found

    def users(self) -> Iterator[int]:
        """Everybody who was billed anything."""
        return (row[0] for row in self.connection.execute("SELECT DISTINCT user_id FROM billed ORDER BY user_id"))

    def clients_of_nobody(self) -> set[int]:
        """Clients with lines of which the user is not known: what they were billed cannot be compared."""
        return {row[0] for row in self.connection.execute("SELECT client_id FROM billed WHERE user_id IS NULL")}


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

    def leave_out(self, user_ids: Iterable[int]) -> None:
        """Whatever these users are reported with."""
        self.connection.executemany("DELETE FROM usage WHERE user_id = ?", ((user_id,) for user_id in user_ids))

    def unassigned(self) -> list[int]:
        """Users without a client."""
        return [row[0] for row in self.connection.execute("SELECT user_id FROM usage WHERE client_id IS NULL")]

    def unbilled(self) -> list[UnbilledUser]:
        """Users with tokens and without a client."""
        query = "SELECT user_id, tokens, items FROM usage WHERE client_id IS NULL AND tokens > 0 ORDER BY user_id"
        return [
            UnbilledUser(user_id, tokens, _values.loads(items, tuple[UsageItem, ...]))
            for user_id, tokens, items in self.connection.execute(query)
        ]

    def has(self, client_id: int) -> bool:
        """Whether the client has usage."""
        query = "SELECT 1 FROM usage WHERE client_id = ?"
        return self.connection.execute(query, (client_id,)).fetchone() is not None

    def of_user(self, user_id: int) -> int:
        """The tokens of one user."""
        row = self.connection.execute("SELECT tokens FROM usage WHERE user_id = ?", (user_id,)).fetchone()
        return row[0] if row else 0

    def items_of_users(self, user_ids: Iterable[int]) -> set[ItemKey]:
        """What is reported of these users at all, whoever's they are."""
        query = "SELECT items FROM usage WHERE user_id = ?"
        return {
            (user_id, item.type, item.id)
            for user_id in user_ids
            for (items,) in self.connection.execute(query, (user_id,))
            for item in _values.loads(items, tuple[UsageItem, ...])
        }

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
