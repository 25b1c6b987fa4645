"""Every item's tokens, as the usage source reports them today and as they are billed."""

from collections.abc import Collection, Iterable, Iterator

import attrs

from tollbridge.audit.scratch import Scratch
from tollbridge.model import UserUsage
from tollbridge.rules.calendar import Month
from tollbridge.rules.corrections import BilledItem, Correction, CorrectionState, ItemKey
from tollbridge.rules.entry import Entry, State


@attrs.frozen
class OddItem:
    """An item that is reported otherwise than it stands on invoices.

    Attributes:
        key: the user, the type and the number.
        client_id: whose it is today; None: nobody's.
        reported: None if it is not reported any more.
        placed: what stands on invoices, waits for one, is nothing to pay or was written off.
        known: what entries and corrections say of it, by which the next run finds what is still to be corrected.
        billed: the same as ``placed``, as the rules of corrections take it.
    """

    key: ItemKey
    name: str
    client_id: int | None
    reported: int | None
    placed: int
    known: int
    billed: BilledItem

    @property
    def difference(self) -> int:
        """How many more tokens are reported than billed."""
        return (self.reported or 0) - self.placed

    @property
    def is_to_come(self) -> bool:
        """Whether the next run that reads the month again will correct just this."""
        return self.difference == (self.reported or 0) - self.known


class Items(Scratch):
    """The items of all months that are audited."""

    tables = """
        CREATE TABLE used (
            month TEXT, user_id INTEGER, type TEXT, item_id INTEGER, client_id INTEGER, name TEXT, tokens INTEGER,
            PRIMARY KEY (month, user_id, type, item_id)
        ) WITHOUT ROWID;
        CREATE TABLE billed (
            month TEXT, user_id INTEGER, type TEXT, item_id INTEGER, client_id INTEGER, name TEXT, currency TEXT,
            placed INTEGER, known INTEGER, into_month TEXT
        );
        CREATE INDEX billed_items ON billed (month, user_id, type, item_id);
        CREATE TABLE entries (month TEXT, client_id INTEGER, state TEXT, PRIMARY KEY (month, client_id)) WITHOUT ROWID;
        CREATE TABLE taken_back (month TEXT, client_id INTEGER, carries TEXT, PRIMARY KEY (month, client_id));
        CREATE TABLE corrects (id INTEGER PRIMARY KEY);
    """

    # What is reported

    def use(self, month: Month, rows: Iterable[UserUsage]) -> None:
        """Replace the month's usage."""
        self.connection.execute("DELETE FROM used WHERE month = ?", (str(month),))
        self.connection.executemany(
            "INSERT INTO used VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                (str(month), row.user_id, item.type, item.id, row.billing_user_id, item.name, item.tokens)
                for row in rows
                for item in row.items
            ),
        )

    def unassigned(self, month: Month) -> list[int]:
        """Users without a client."""
        query = "SELECT DISTINCT user_id FROM used WHERE month = ? AND client_id IS NULL"
        return [row[0] for row in self.connection.execute(query, (str(month),))]

    def assign(self, month: Month, clients: dict[int, int]) -> None:
        """Give users the clients that the ledger knows them to belong to."""
        self.connection.executemany(
            "UPDATE used SET client_id = ? WHERE month = ? AND user_id = ?",
            ((client, str(month), user) for user, client in clients.items()),
        )

    def used(self, month: Month) -> Iterator[tuple[ItemKey, int]]:
        """What is reported, by item."""
        query = "SELECT user_id, type, item_id, tokens FROM used WHERE month = ?"
        for user, kind, number, tokens in self.connection.execute(query, (str(month),)):
            yield (user, kind, number), tokens

    # What is billed

    def bill(self, entry: Entry, months: Collection[str]) -> None:
        """Add an entry: the lines of whatever month that stand on it, and what it says of its own."""
        self.connection.execute(
            "INSERT OR IGNORE INTO entries VALUES (?, ?, ?)", (str(entry.month), entry.client_id, entry.state)
        )
        if entry.taken_back:
            row = str(entry.month), entry.client_id, " ".join(entry.document.carries)
            self.connection.execute("INSERT OR IGNORE INTO taken_back VALUES (?, ?, ?)", row)
        elsewhere = entry.state is State.CARRIED and entry.carried_into is not None
        self.connection.executemany(
            "INSERT INTO billed VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                (
                    line.month, line.user_id, line.item_type, line.item_id, entry.client_id, line.item_name,
                    entry.currency, 0 if elsewhere else line.tokens,
                    line.tokens if line.month == str(entry.month) else 0, entry.carried_into if elsewhere else None,
                )
                for line in entry.document.lines
                if line.month in months
            ),
        )  # fmt: skip
        self.connection.executemany(
            "INSERT OR IGNORE INTO corrects VALUES (?)", ((number,) for number in entry.document.corrects)
        )

    def find_carried(self) -> None:
        """When all entries are there: what an invoice has taken in that a lost ledger made stands there unseen.

        Of such an invoice the ledger's lines are not those it was made with.
        """
        self.connection.execute("""
            UPDATE billed SET placed = known WHERE into_month IS NOT NULL AND EXISTS (
                SELECT 1 FROM taken_back t WHERE t.month = billed.into_month AND t.client_id = billed.client_id
                AND instr(t.carries, billed.month) = 0
            )
        """)

    def correct(self, found: Iterable[Correction]) -> None:
        """Add corrections, when all entries are there: one that stands on an invoice is counted as its line there."""
        for each in found:
            on_an_invoice = self.connection.execute("SELECT 1 FROM corrects WHERE id = ?", (each.id,)).fetchone()
            lost = each.state is CorrectionState.OPEN and each.taken_into is not None
            line = each.line
            self.connection.execute(
                "INSERT INTO billed VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, NULL)",
                (
                    str(each.month), line.user_id, line.item_type, line.item_id, each.client_id, line.item_name,
                    each.currency, 0 if on_an_invoice or lost else line.tokens, line.tokens,
                ),
            )  # fmt: skip

    def state(self, month: Month, client_id: int) -> State | None:
        """How far the client's entry of the month is; None: there is none."""
        query = "SELECT state FROM entries WHERE month = ? AND client_id = ?"
        row = self.connection.execute(query, (str(month), client_id)).fetchone()
        return State(row[0]) if row else None

    # Side by side

    def count(self, month: Month) -> int:
        """How many items are reported or billed."""
        count: int = self.connection.execute(f"SELECT count(*) FROM ({_ITEMS})", _twice(month)).fetchone()[0]  # noqa: S608
        return count

    def placed(self, month: Month) -> int:
        """All that stands on invoices, or has its place elsewhere."""
        query = "SELECT coalesce(sum(placed), 0) FROM billed WHERE month = ?"
        tokens: int = self.connection.execute(query, (str(month),)).fetchone()[0]
        return tokens

    def nameless(self, month: Month) -> int:
        """What stands on lines that name no user."""
        query = "SELECT coalesce(sum(placed), 0) FROM billed WHERE month = ? AND user_id IS NULL"
        tokens: int = self.connection.execute(query, (str(month),)).fetchone()[0]
        return tokens

    def of_nobody(self, month: Month) -> dict[int, tuple[int, int]]:
        """Reported and placed tokens of clients with lines that name no user, as those of old ledgers do."""
        query = "SELECT DISTINCT client_id FROM billed WHERE month = ? AND user_id IS NULL"
        sums = [f"SELECT coalesce(sum({what}), 0) FROM {table} WHERE month = ? AND client_id = ?"  # noqa: S608
                for what, table in (("tokens", "used"), ("placed", "billed"))]  # fmt: skip
        found = {}
        for (client_id,) in self.connection.execute(query, (str(month),)).fetchall():
            of_client = str(month), client_id
            reported, placed = (self.connection.execute(each, of_client).fetchone()[0] for each in sums)
            found[client_id] = reported, placed
        return found

    def odd(self, month: Month) -> Iterator[OddItem]:
        """Every item that is reported otherwise than it is billed, or than the ledger says that it is."""
        for row in self.connection.execute(_ODD, (*_twice(month), str(month), str(month))):
            user, kind, number, client_id, name, reported, placed, known, clients, currencies = row
            billed = BilledItem(
                name, placed, frozenset(map(int, _words(clients))), frozenset(_words(currencies))
            )  # fmt: skip
            yield OddItem((user, kind, number), name, client_id, reported, placed, known, billed)


_ITEMS = """
    SELECT user_id, type, item_id FROM used WHERE month = ?
    UNION SELECT user_id, type, item_id FROM billed WHERE month = ? AND user_id IS NOT NULL
"""
_ODD = f"""
    SELECT i.user_id, i.type, i.item_id, u.client_id, coalesce(u.name, max(b.name)), u.tokens,
        coalesce(sum(b.placed), 0) AS all_placed, coalesce(sum(b.known), 0) AS all_known,
        group_concat(DISTINCT CASE WHEN b.placed <> 0 THEN b.client_id END),
        group_concat(DISTINCT CASE WHEN b.placed <> 0 THEN b.currency END)
    FROM ({_ITEMS}) i
    LEFT JOIN used u ON u.month = ? AND u.user_id = i.user_id AND u.type = i.type AND u.item_id = i.item_id
    LEFT JOIN billed b ON b.month = ? AND b.user_id = i.user_id AND b.type = i.type AND b.item_id = i.item_id
    GROUP BY i.user_id, i.type, i.item_id
    HAVING coalesce(u.tokens, 0) <> all_placed OR all_placed <> all_known
"""  # noqa: S608


def _twice(month: Month) -> tuple[str, str]:
    return str(month), str(month)


def _words(joined: str | None) -> list[str]:
    return joined.split(",") if joined else []
