"""All of SolusIO's users and all of the billing system's clients, side by side, however many there are."""

from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import itemgetter

from tollbridge.jobs.staging import Scratch
from tollbridge.ledger.signups import Joining
from tollbridge.model import Client, UserStatus
from tollbridge.solus import SolusUser


class StagedPeople(Scratch):
    """A scratch table of each."""

    tables = """
        CREATE TABLE users (
            id INTEGER PRIMARY KEY, email TEXT, email_key TEXT, status TEXT, billing_user_id INTEGER,
            is_administrator INTEGER
        );
        CREATE INDEX users_by_billing_id ON users (billing_user_id);
        CREATE INDEX users_by_email ON users (email_key);
        CREATE TABLE clients (
            id INTEGER PRIMARY KEY, email TEXT, email_key TEXT, status TEXT, currency TEXT, name TEXT
        );
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
        row = (client.id, client.email, client.email.casefold(), client.status, client.currency, _name(client))
        return self.connection.execute("INSERT OR IGNORE INTO clients VALUES (?, ?, ?, ?, ?, ?)", row).rowcount == 1

    def client_of(self, joining: Joining) -> int | None:
        """The one client with a sign-up's address, if the sign-up made it; None if there is none, or another one."""
        query = "SELECT id, name FROM clients WHERE email_key = ?"
        rows = self.connection.execute(query, (joining.email.casefold(),)).fetchall()
        return rows[0][0] if len(rows) == 1 and rows[0][1] == _name(joining) else None

    def has_user(self, user_id: int) -> bool:
        """Whether SolusIO has the user."""
        return self.connection.execute("SELECT 1 FROM users WHERE id = ?", (user_id,)).fetchone() is not None

    def pairs(self) -> Iterator[tuple[Client, list[SolusUser]]]:
        """Each client, by id, with the users that carry its billing id or its address."""
        query = """
            SELECT c.id, c.email, c.status, c.currency, u.id, u.email, u.status, u.billing_user_id,
                   u.is_administrator
            FROM clients c LEFT JOIN users u ON u.id IN (
                SELECT id FROM users WHERE billing_user_id = c.id
                UNION SELECT id FROM users WHERE email_key = c.email_key
            ) ORDER BY c.id, u.id
        """
        for _, rows in groupby(self.connection.execute(query), key=itemgetter(0)):
            group = list(rows)
            client = Client(group[0][0], group[0][1], group[0][3], status=group[0][2])
            users = [
                SolusUser(row[4], row[5], UserStatus(row[6]), row[7], None if row[8] is None else bool(row[8]))
                for row in group
                if row[4] is not None
            ]
            yield client, users


def _name(person: Client | Joining) -> str:
    words = f"{person.first_name} {person.last_name} {person.company}".casefold().split()
    return " ".join(words)
