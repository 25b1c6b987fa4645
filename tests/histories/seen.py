"""What can be seen of the world at one moment: the panel's usage, the billing system's invoices, the ledger's tables.

The ledger is read with plain SQL from its file, and not by the code that wrote it.
"""

import json
import sqlite3
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import attrs

from tests.small_world import SmallWorld
from tollbridge.memory.books import Booked
from tollbridge.rules.calendar import Month

UTC = ZoneInfo("UTC")
Item = tuple[int, str, int]
"""A user, and the type and number of something it used."""


@attrs.frozen
class Line:
    """One line of an entry or a correction."""

    item: Item
    month: str
    tokens: int
    amount: Decimal
    description: str
    taxed: bool

    @classmethod
    def of(cls, row: dict[str, Any]) -> "Line":
        """A line as the ledger keeps it."""
        item = (row["user_id"], row["item_type"], row["item_id"])
        return cls(item, row["month"], row["tokens"], Decimal(row["amount"]), row["description"], row["taxed"])


@attrs.frozen
class Entry:
    """One client's month in the ledger."""

    client: int
    month: str
    state: str
    currency: str
    subtotal: Decimal
    total: Decimal
    lines: tuple[Line, ...]
    billing_id: str | None
    carried_into: str | None
    held: bool
    written_off: bool

    @property
    def reference(self) -> str:
        """What its invoice is called."""
        return f"TB-{self.month}-{self.client}"

    @property
    def own(self) -> tuple[Line, ...]:
        """The lines of its own month."""
        return tuple(line for line in self.lines if line.month == self.month)


@attrs.frozen
class Correction:
    """What is billed later, or taken back."""

    number: int
    client: int
    line: Line
    currency: str
    state: str
    taken_into: str | None


@attrs.frozen
class Seen:
    """Everything.

    Attributes:
        usage: by month that is over, what the panel says that each item used, and whose the user is there.
        unbilled: by month, the users that the ledger says are nobody's, with their tokens by item.
        written_off: users, months, and whether from then on.
    """

    usage: dict[str, dict[Item, int]]
    clients_of_users: dict[int, int | None]
    statuses: dict[int, str]
    booked: tuple[Booked, ...]
    entries: dict[str, Entry]
    corrections: tuple[Correction, ...]
    unbilled: dict[str, dict[Item, int]]
    written_off: tuple[tuple[int, str, bool], ...]
    drafted: frozenset[str]
    closed: frozenset[str]
    lists: frozenset[str]
    accounts: dict[int, int]

    def lines(self) -> Iterator[tuple[str, int, Line]]:
        """Every line that bills something by itself, once, with its currency and client."""
        for entry in self.entries.values():
            for line in entry.own:
                yield entry.currency, entry.client, line
        for each in self.corrections:
            yield each.currency, each.client, each.line

    def billed(self) -> dict[tuple[str, Item], int]:
        """The tokens that each item was billed by month, in all that bills or has billed it, to whomever."""
        found: dict[tuple[str, Item], int] = {}
        for _, _, line in self.lines():
            key = (line.month, line.item)
            found[key] = found.get(key, 0) + line.tokens
        return found


def look(world: SmallWorld) -> Seen:
    """All of it as it is now."""
    start = Month.parse(world.start)
    usage: dict[str, dict[Item, int]] = {}
    month = start
    while month.interval(UTC)[1] <= world.panel.now:
        usage[str(month)] = {
            (row["user_id"], item["type"], item["id"]): item["tokens"]
            for row in world.panel.usage(*month.interval(UTC))
            for item in row["items"]
        }
        month = month.next
    users = world.panel.tables.users
    everybody = {user for items in usage.values() for user, _, _ in items} | {user.id for user in users}
    with sqlite3.connect(f"file:{ledger_file(world)}?mode=ro", uri=True) as connection:
        connection.row_factory = sqlite3.Row

        def rows(query: str) -> list[sqlite3.Row]:
            return connection.execute(query).fetchall()

        entries = {(entry := _entry(row)).reference: entry for row in rows("SELECT * FROM invoices")}
        corrections = tuple(_correction(row) for row in rows("SELECT * FROM corrections ORDER BY id"))
        unbilled: dict[str, dict[Item, int]] = {}
        newest = "SELECT max(id) FROM readings GROUP BY month"
        for row in rows(
            "SELECT month, user_id, used FROM unbilled JOIN readings ON readings.id = reading_id"
            f" WHERE reading_id IN ({newest})"
        ):
            of_month = unbilled.setdefault(row["month"], {})
            of_month.update(
                {(row["user_id"], each["type"], each["id"]): each["tokens"] for each in json.loads(row["used"])}
            )
        months = rows("SELECT * FROM months")
        seen = Seen(
            usage=usage,
            clients_of_users={user: users.ever(user).billing_user_id for user in everybody},
            statuses={user.id: str(user.status) for user in users},
            booked=tuple(world.books.invoices),
            entries=entries,
            corrections=corrections,
            unbilled=unbilled,
            written_off=tuple(
                (row["user_id"], row["month"], bool(row["onwards"])) for row in rows("SELECT * FROM write_offs")
            ),
            drafted=frozenset(row["month"] for row in months if row["drafted_at"]),
            closed=frozenset(row["month"] for row in months if row["closed_at"]),
            lists=frozenset(row["month"] for row in rows("SELECT month FROM price_lists")),
            accounts={row["user_id"]: row["client_id"] for row in rows("SELECT * FROM accounts")},
        )
    connection.close()
    return seen


def ledger_file(world: SmallWorld) -> Path:
    """Where the world's ledger is."""
    return Path(world.ledger_url.removeprefix("sqlite:///"))


def _entry(row: sqlite3.Row) -> Entry:
    return Entry(
        row["client_id"], row["month"], row["state"], row["currency"], Decimal(row["subtotal"]), Decimal(row["total"]),
        tuple(Line.of(line) for line in json.loads(row["document"])["lines"]),
        row["billing_id"], row["carried_into"], row["held"] is not None, row["written_off"] is not None,
    )  # fmt: skip


def _correction(row: sqlite3.Row) -> Correction:
    line = Line.of(json.loads(row["line"]))
    return Correction(row["id"], row["client_id"], line, row["currency"], row["state"], row["taken_into"])
