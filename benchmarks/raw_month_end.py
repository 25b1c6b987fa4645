"""The floor of month end: a raw sqlite3 program that reads as much and makes the same durable writes, and no more.

The usage feed is read twice. Per 200 clients one transaction of the ledger writes their entries, per 50 one claims them
and one notes them as issued, each with an event for each client; per client one transaction of the billing database
writes an invoice and its lines. Tables, indexes, journal and synchronous settings are the ledger's own.
"""

import http.client
import json
import sqlite3
import sys
from itertools import islice
from pathlib import Path
from typing import Any

DRAFTED, CLAIMED = 200, 50
DOCUMENT = "{" + '"line":' + '"' + "x" * 1900 + '"}'
NOW = "2026-07-01 04:00:00.000000"
TABLES = """
    PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;
    CREATE TABLE invoices (id INTEGER PRIMARY KEY, client_id BIGINT NOT NULL, month VARCHAR(7) NOT NULL,
        state VARCHAR(8) NOT NULL, currency VARCHAR(3), issue_date DATE, due_date DATE, tokens BIGINT,
        subtotal VARCHAR(32), total VARCHAR(32), document TEXT, prices VARCHAR(16), billing_id VARCHAR(64),
        other_billing_id VARCHAR(64), billing_status VARCHAR(10), carried_into VARCHAR(7), problem TEXT,
        differs_at DATETIME, written_at DATETIME, sent_at DATETIME, issued_at DATETIME, settled_at DATETIME,
        run_id INTEGER, attempt INTEGER DEFAULT 0, leased_until DATETIME, kept TEXT DEFAULT '',
        UNIQUE (client_id, month));
    CREATE INDEX invoices_open ON invoices (state, billing_status, client_id);
    CREATE INDEX invoices_of_month ON invoices (month, state, client_id);
    CREATE INDEX invoices_of_run ON invoices (run_id);
    CREATE INDEX invoices_differing ON invoices (differs_at);
    CREATE TABLE events (id INTEGER PRIMARY KEY, at DATETIME NOT NULL, run_id INTEGER, client_id BIGINT,
        month VARCHAR(7), what VARCHAR(16) NOT NULL, before TEXT, after TEXT, why TEXT);
    CREATE INDEX events_of_client ON events (client_id, id);
    CREATE INDEX events_of_month ON events (month, id);
"""


def main(folder: Path, port: int) -> None:
    """Read what a month's end reads, and write what it writes."""
    clients = [row["user_id"] for row in _usage(port)]
    if clients != [row["user_id"] for row in _usage(port)]:
        raise SystemExit("the feed changed")
    billing = sqlite3.connect(folder / "billing.db", isolation_level=None)
    ledger = sqlite3.connect(folder / "raw.db", isolation_level=None)
    ledger.executescript(TABLES)
    numbers = iter(clients)
    while page := list(islice(numbers, DRAFTED)):
        ledger.execute("BEGIN IMMEDIATE")
        ledger.executemany(
            "INSERT INTO invoices (client_id, month, state, currency, issue_date, due_date, tokens, subtotal, total,"
            " document, prices, written_at) VALUES (?, '2026-06', 'written', 'USD', '2026-07-01', '2026-07-15', 9907,"
            " '9.42', '11.30', ?, '0123456789abcdef', ?)",
            ((client_id, DOCUMENT, NOW) for client_id in page),
        )
        _note(ledger, page, None, "written")
        ledger.execute("COMMIT")
    while page := _claimed(ledger):
        issued = [(str(write_invoice(billing, client_id)), client_id) for client_id in page]
        ledger.execute("BEGIN IMMEDIATE")
        ledger.executemany(
            f"UPDATE invoices SET state = 'issued', billing_id = ?, billing_status = 'unpaid', issued_at = '{NOW}',"
            " leased_until = NULL WHERE client_id = ? AND month = '2026-06'",
            issued,
        )
        _note(ledger, page, "sending", "issued")
        ledger.execute("COMMIT")


def _usage(port: int) -> list[dict[str, Any]]:
    """All rows of the feed, one page after the other."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    rows, page, last = [], 1, 1
    while page <= last:
        connection.request("GET", f"/api/v1/usage?page={page}")
        document = json.loads(connection.getresponse().read())
        rows += document["data"]
        page, last = page + 1, document["meta"]["last_page"]
    return rows


def _claimed(ledger: sqlite3.Connection) -> list[int]:
    """The next page of entries, marked as sending."""
    ledger.execute("BEGIN IMMEDIATE")
    query = "SELECT id, client_id, document FROM invoices WHERE state = 'written' ORDER BY month, client_id LIMIT ?"
    rows = ledger.execute(query, (CLAIMED,)).fetchall()
    marks = ",".join("?" * len(rows))
    ledger.execute(
        f"UPDATE invoices SET state = 'sending', run_id = 1, attempt = attempt + 1, sent_at = '{NOW}',"
        f" leased_until = '{NOW}' WHERE id IN ({marks})",
        [row[0] for row in rows],
    )
    _note(ledger, [row[1] for row in rows], "written", "sending")
    ledger.execute("COMMIT")
    return [row[1] for row in rows]


def _note(ledger: sqlite3.Connection, clients: list[int], before: str | None, after: str) -> None:
    ledger.executemany(
        "INSERT INTO events (at, run_id, client_id, month, what, before, after)"
        " VALUES (?, 1, ?, '2026-06', 'invoice', ?, ?)",
        ((NOW, client_id, before, after) for client_id in clients),
    )


def write_invoice(billing: sqlite3.Connection, client_id: int) -> int | None:
    """One invoice with its lines, in one transaction that looks first."""
    billing.execute("BEGIN IMMEDIATE")
    reference = f"TB-2026-06-{client_id}"
    billing.execute("SELECT id FROM invoices WHERE client_id = ? AND reference = ?", (client_id, reference)).fetchone()
    invoice_id = billing.execute(
        "INSERT INTO invoices (reference, client_id, currency, issue_date, due_date, subtotal, total, notes)"
        " VALUES (?, ?, 'USD', '2026-07-01', '2026-07-15', '9.42', '11.30', 'usage in 2026-06')",
        (reference, client_id),
    ).lastrowid
    words = f"web-{client_id}, 1 Core, 1 GB RAM: 700 h x 7 tokens = 4900 tokens"
    billing.executemany(
        "INSERT INTO invoice_lines (invoice_id, position, description, tokens, amount, taxed)"
        " VALUES (?, ?, ?, 4900, '4.66', 1)",
        [(invoice_id, position, words) for position in (1, 2, 3)],
    )
    billing.execute("COMMIT")
    return invoice_id


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
