"""All clients of the billing system beside all users of SolusIO."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

from cattrs.preconf.orjson import make_converter

from tollbridge.audit.scratch import Scratch
from tollbridge.model import Client, UserStatus
from tollbridge.solus import SolusUser

_values = make_converter(detailed_validation=False)


class People(Scratch):
    """A scratch table of each."""

    tables = """
        CREATE TABLE clients (id INTEGER PRIMARY KEY, email_key TEXT, client BLOB);
        CREATE TABLE twice (id INTEGER PRIMARY KEY);
        CREATE TABLE users (
            id INTEGER PRIMARY KEY, email TEXT, email_key TEXT, status TEXT, billing_user_id INTEGER,
            is_administrator INTEGER
        );
        CREATE INDEX users_by_billing_id ON users (billing_user_id);
        CREATE INDEX users_by_email ON users (email_key);
    """

    def fill_clients(self, clients: Iterable[Client]) -> None:
        """Add the clients; one that is listed twice is noted."""
        for client in clients:
            row = client.id, client.email.casefold(), _values.dumps(client)
            new = self.connection.execute("INSERT OR IGNORE INTO clients VALUES (?, ?, ?)", row).rowcount == 1
            if not new:
                self.connection.execute("INSERT OR IGNORE INTO twice VALUES (?)", (client.id,))

    def fill_users(self, users: Iterable[SolusUser]) -> None:
        """Replace the users."""
        self.connection.execute("DELETE FROM users")
        self.connection.executemany(
            "INSERT OR REPLACE INTO users VALUES (?, ?, ?, ?, ?, ?)",
            (
                (user.id, user.email, user.email.casefold(), user.status, user.billing_user_id, user.is_administrator)
                for user in users
            ),
        )

    def client(self, client_id: int) -> Client | None:
        """The client, if it is listed."""
        row = self.connection.execute("SELECT client FROM clients WHERE id = ?", (client_id,)).fetchone()
        return _values.loads(row[0], Client) if row else None

    def user(self, user_id: int) -> SolusUser | None:
        """SolusIO's user with this id."""
        row = self.connection.execute("SELECT * FROM users WHERE id = ?", (user_id,)).fetchone()
        return _user(row) if row else None

    def twice(self) -> list[int]:
        """Clients that were listed twice."""
        return [row[0] for row in self.connection.execute("SELECT id FROM twice ORDER BY id")]

    def pairs(self) -> Iterator[tuple[Client, list[SolusUser]]]:
        """Each client, by id, with the users that carry its billing id or its address."""
        for _, rows in groupby(self.connection.execute(_PAIRS), key=itemgetter(0)):
            group = list(rows)
            yield _values.loads(group[0][1], Client), [_user(row[2:]) for row in group if row[2] is not None]

    def linked_to_nobody_listed(self) -> Iterator[SolusUser]:
        """Users with a billing id that no listed client has."""
        query = """
            SELECT * FROM users WHERE billing_user_id IS NOT NULL
            AND billing_user_id NOT IN (SELECT id FROM clients) ORDER BY id
        """
        return (_user(row) for row in self.connection.execute(query))


_PAIRS = """
    SELECT c.id, c.client, u.* FROM clients c LEFT JOIN users u ON u.id IN (
        SELECT id FROM users WHERE billing_user_id = c.id
        UNION SELECT id FROM users WHERE email_key = c.email_key
    ) ORDER BY c.id, u.id
"""


def _user(row: Sequence[Any]) -> SolusUser:
    user_id, email, _, status, billing_user_id, administrator = row
    return SolusUser(
        user_id, email, UserStatus(status), billing_user_id, None if administrator is None else bool(administrator)
    )
