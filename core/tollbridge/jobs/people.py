"""All of SolusIO's users and all of the billing system's clients, side by side, however many there are."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

from cattrs.preconf.orjson import make_converter

from tollbridge.jobs.scratch import Scratch
from tollbridge.ledger.signups import Joining
from tollbridge.model import Client, UserStatus
from tollbridge.solus import SolusUser

_values = make_converter(detailed_validation=False)


class StagedPeople(Scratch):
    """A scratch table of each."""

    tables = """
        CREATE TABLE users (
            id INTEGER PRIMARY KEY, email TEXT, email_key TEXT, status TEXT, billing_user_id INTEGER,
            is_administrator INTEGER
        );
        CREATE INDEX users_by_billing_id ON users (billing_user_id);
        CREATE INDEX users_by_email ON users (email_key);
        CREATE TABLE clients (id INTEGER PRIMARY KEY, email_key TEXT, name TEXT, client BLOB);
        CREATE INDEX clients_by_email ON clients (email_key);
    """

    def fill_users(self, users: Iterable[SolusUser]) -> None:
        """Replace the users by ``users``."""
        self.connection.execute("DELETE FROM users")
        self.connection.executemany(
            "INSERT OR REPLACE INTO users VALUES (?, ?, ?, ?, ?, ?)",
            (
                (user.id, user.email, user.email.casefold(), user.status, user.billing_user_id, user.is_administrator)
                for user in users
            ),
        )

    def add_client(self, client: Client) -> bool:
        """Add a client; False if one with this id is there already."""
        row = (client.id, client.email.casefold(), _name(client), _values.dumps(client))
        return self.connection.execute("INSERT OR IGNORE INTO clients VALUES (?, ?, ?, ?)", row).rowcount == 1

    def client_of(self, joining: Joining) -> int | None:
        """The one client with a sign-up's address, if the sign-up made it; None if there is none, or another one."""
        query = "SELECT id, name FROM clients WHERE email_key = ?"
        rows = self.connection.execute(query, (joining.email.casefold(),)).fetchall()
        return rows[0][0] if len(rows) == 1 and rows[0][1] == _name(joining) else None

    def share_address(self, client: Client) -> bool:
        """Whether another client has the same address."""
        query = "SELECT count(*) FROM (SELECT 1 FROM clients WHERE email_key = ? LIMIT 2)"
        with self.one_at_a_time:
            count: int = self.connection.execute(query, (client.email.casefold(),)).fetchone()[0]
        return count > 1

    def user(self, user_id: int) -> SolusUser | None:
        """SolusIO's user with this id, if there is one."""
        with self.one_at_a_time:
            row = self.connection.execute(_ONE, (user_id,)).fetchone()
        return None if row is None else _user(row)

    def has_client(self, client_id: int) -> bool:
        """Whether the billing system lists the client."""
        with self.one_at_a_time:
            return self.connection.execute("SELECT 1 FROM clients WHERE id = ?", (client_id,)).fetchone() is not None

    def pairs(self) -> Iterator[tuple[Client, list[SolusUser]]]:
        """Each client, by id, with the users that carry its billing id or its address."""
        for _, rows in groupby(self.connection.execute(_PAIRS), key=itemgetter(0)):
            group = list(rows)
            yield _values.loads(group[0][1], Client), [_user(row[2:]) for row in group if row[2] is not None]


_ONE = "SELECT id, email, status, billing_user_id, is_administrator FROM users WHERE id = ?"
_PAIRS = """
    SELECT c.id, c.client, u.id, u.email, u.status, u.billing_user_id, u.is_administrator
    FROM clients c LEFT JOIN users u ON u.id IN (
        SELECT id FROM users WHERE billing_user_id = c.id
        UNION SELECT id FROM users WHERE email_key = c.email_key
    ) ORDER BY c.id, u.id
"""


def _user(row: Sequence[Any]) -> SolusUser:
    administrator = None if row[4] is None else bool(row[4])
    return SolusUser(row[0], row[1], UserStatus(row[2]), row[3], administrator)


def _name(person: Client | Joining) -> str:
    words = f"{person.first_name} {person.last_name} {person.company}".casefold().split()
    return " ".join(words)
