"""The floor of month end: a raw sqlite3 program that makes the same durable writes, and does nothing else.

Per client one transaction in the billing database (an invoice and its lines), and per 200 clients two in the ledger
(written as sending, then issued), with the ledger's own journal and synchronous settings.
"""

import sqlite3
import sys
from itertools import islice
from pathlib import Path

BATCH = 200
DOCUMENT = "{" + '"line":' + '"' + "x" * 1700 + '"}'


def main(folder: Path, clients: int) -> None:
    """Write what a month's end writes."""
    billing = sqlite3.connect(folder / "billing.db", isolation_level=None)
    ledger = sqlite3.connect(folder / "raw.db", isolation_level=None)
    ledger.executescript("""
        PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;
        CREATE TABLE invoices (id INTEGER PRIMARY KEY, client_id, month, state, currency, issue_date, due_date, tokens,
            subtotal, total, document, billing_id, billing_status, carried_into, problem, written_at, sent_at,
            issued_at, settled_at, UNIQUE (client_id, month));
        CREATE INDEX invoices_open ON invoices (state, billing_status, client_id);
    """)
    numbers = iter(range(1, clients + 1))
    while batch := list(islice(numbers, BATCH)):
        ledger.execute("BEGIN IMMEDIATE")
        ledger.executemany(
            "INSERT INTO invoices (client_id, month, state, currency, issue_date, due_date, tokens, subtotal, total,"
            " document, written_at, sent_at) VALUES (?, '2026-06', 'sending', 'USD', '2026-07-01', '2026-07-15', 9907,"
            " '9.42', '11.30', ?, '2026-07-01 04:00:00.000000', '2026-07-01 04:00:00.000000')",
            ((client_id, DOCUMENT) for client_id in batch),
        )
        ledger.execute("COMMIT")
        issued = [(str(write_invoice(billing, client_id)), client_id) for client_id in batch]
        ledger.execute("BEGIN IMMEDIATE")
        ledger.executemany(
            "UPDATE invoices SET state = 'issued', billing_id = ?, billing_status = 'unpaid',"
            " issued_at = '2026-07-01 04:00:00.000000' WHERE client_id = ? AND month = '2026-06'",
            issued,
        )
        ledger.execute("COMMIT")


def write_invoice(billing: sqlite3.Connection, client_id: int) -> int | None:
    """One invoice with its lines, in one transaction."""
    billing.execute("BEGIN")
    invoice_id = billing.execute(
        "INSERT INTO invoices (reference, client_id, currency, issue_date, due_date, subtotal, total, notes)"
        " VALUES (?, ?, 'USD', '2026-07-01', '2026-07-15', '9.42', '11.30', 'usage in 2026-06')",
        (f"TB-2026-06-{client_id}", client_id),
    ).lastrowid
    billing.executemany(
        "INSERT INTO invoice_lines (invoice_id, position, description, tokens, amount, taxed)"
        " VALUES (?, ?, ?, ?, ?, 1)",
        [
            (
                invoice_id,
                position,
                f"web-{client_id}, 1 Core, 1 GB RAM: 700 h x 7 tokens = 4900 tokens",
                4900,
                "4.66",
            )
            for position in (1, 2, 3)
        ],
    )
    billing.execute("COMMIT")
    return invoice_id


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
