"""An unknown company's own billing database: German names, five currencies, nothing like the preset."""

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

from tollbridge import DatabaseUrl, Invoice, Receipt
from tollbridge.adapters.billing import BillingSystem
from tollbridge.adapters.loading import plugin_manager
from tollbridge_generic_sql import GenericSqlAdapter
from tollbridge_generic_sql.adapter import GenericSqlSettings
from tollbridge_generic_sql.statements import Queries

NUMBER = {
    "sqlite": "INTEGER PRIMARY KEY",
    "postgresql": "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
    "mysql": "BIGINT AUTO_INCREMENT PRIMARY KEY",
}

TABLES = [
    "CREATE TABLE waehrungen (kuerzel CHAR(3) PRIMARY KEY, zeichen VARCHAR(5), stellen INTEGER, aktiv INTEGER)",
    """CREATE TABLE kunden (kundennr INTEGER PRIMARY KEY, mail VARCHAR(200) NOT NULL, vorname VARCHAR(50),
       nachname VARCHAR(50), firma VARCHAR(50), waehrung CHAR(3) NOT NULL, land CHAR(2), bundesland VARCHAR(20),
       gruppe VARCHAR(20), gesperrt INTEGER DEFAULT 0, geloescht_am DATE, steuerbefreit CHAR(1) DEFAULT 'N')""",
    "CREATE TABLE rabatte (gruppe VARCHAR(20), titel VARCHAR(50), prozent NUMERIC(6,3))",
    "CREATE TABLE steuern (land CHAR(2), bezeichnung VARCHAR(30), satz NUMERIC(7,4), stufe INTEGER)",
    """CREATE TABLE rechnungen (rechnungsnr {number}, verweis VARCHAR(40) NOT NULL UNIQUE, kundennr INTEGER NOT NULL,
       waehrung CHAR(3) NOT NULL, ausgestellt DATE NOT NULL, faellig DATE NOT NULL, netto {money} NOT NULL,
       brutto {money} NOT NULL, bezahlt {money} DEFAULT 0, zustand VARCHAR(12) DEFAULT 'offen',
       bemerkung VARCHAR(200))""",
    """CREATE TABLE rechnungspositionen (rechnungsnr BIGINT NOT NULL, nr INTEGER NOT NULL, text VARCHAR(300) NOT NULL,
       marken BIGINT NOT NULL, betrag {money} NOT NULL CHECK (betrag <> 666), steuerpflichtig BOOLEAN NOT NULL,
       PRIMARY KEY (rechnungsnr, nr))""",
]

_KUNDE = """
    SELECT kundennr AS id, mail AS email, waehrung AS currency, vorname AS first_name, nachname AS last_name,
           firma AS company, land AS country, bundesland AS state, gruppe AS "group",
           CASE steuerbefreit WHEN 'J' THEN 'yes' ELSE 'no' END AS tax_exempt,
           CASE WHEN geloescht_am IS NOT NULL THEN 'closed' WHEN gesperrt = 1 THEN 'inactive' ELSE 'active' END
               AS status
    FROM kunden
"""
_RECHNUNG = """
    SELECT rechnungsnr AS id, verweis AS reference, kundennr AS client_id, faellig AS due_date, brutto AS total,
           brutto - bezahlt AS balance,
           CASE zustand WHEN 'offen' THEN 'unpaid' WHEN 'angewiesen' THEN 'pending' WHEN 'bezahlt' THEN 'paid'
               WHEN 'storniert' THEN 'cancelled' ELSE zustand END AS status
    FROM rechnungen
"""

QUERIES = {
    "client": f"{_KUNDE} WHERE kundennr = :client_id",
    "clients": f"{_KUNDE} ORDER BY kundennr",
    "currencies": """SELECT kuerzel AS code, zeichen AS suffix, stellen AS decimals, '.' AS thousands_separator,
                     ',' AS decimal_separator FROM waehrungen WHERE aktiv = 1""",
    "discounts": """SELECT r.titel AS name, '' AS description, 1 - r.prozent / 100.0 AS multiplier
                    FROM rabatte r JOIN kunden k ON k.gruppe = r.gruppe WHERE k.kundennr = :client_id""",
    "taxes": """SELECT s.bezeichnung AS label, s.satz AS rate, s.stufe AS level, 'ja' = 'ja' AS compound
                FROM steuern s JOIN kunden k ON k.land = s.land WHERE k.kundennr = :client_id""",
    "insert_invoice": """INSERT INTO rechnungen (verweis, kundennr, waehrung, ausgestellt, faellig, netto, brutto,
                         bemerkung) VALUES (:reference, :client_id, :currency, :issue_date, :due_date, :subtotal,
                         :total, :notes)""",
    "insert_line": """INSERT INTO rechnungspositionen (rechnungsnr, nr, text, marken, betrag, steuerpflichtig)
                      VALUES (:invoice_id, :position, :description, :tokens, :amount, :taxed)""",
    "find_invoice": f"{_RECHNUNG} WHERE kundennr = :client_id AND verweis = :reference",
    "unpaid_invoices": f"{_RECHNUNG} WHERE zustand IN ('offen', 'angewiesen')",
}

CLIENTS = """
    INSERT INTO kunden (kundennr, mail, vorname, nachname, firma, waehrung, land, bundesland, gruppe, gesperrt,
                        geloescht_am, steuerbefreit) VALUES
    (1, 'eins@beispiel.example', 'Änne', 'Größe', NULL, 'EUR', 'DE', NULL, NULL, 0, NULL, 'N'),
    (2, 'two@example.com', NULL, NULL, 'Two Ltd', 'USD', 'US', 'OR', NULL, 0, NULL, 'N'),
    (3, 'san@example.jp', NULL, NULL, NULL, 'JPY', 'JP', NULL, 'treu', 0, NULL, 'N'),
    (4, 'kuwait@example.kw', NULL, NULL, NULL, 'KWD', 'KW', NULL, 'treu', 0, NULL, 'N'),
    (5, 'quebec@example.ca', NULL, NULL, NULL, 'CAD', 'CA', 'QC', NULL, 0, NULL, 'N'),
    (6, 'verein@beispiel.example', NULL, NULL, NULL, 'EUR', 'DE', NULL, NULL, 0, NULL, 'J'),
    (7, 'fort@beispiel.example', NULL, NULL, NULL, 'EUR', 'DE', NULL, NULL, 0, '2026-06-15', 'N'),
    (8, 'gesperrt@beispiel.example', NULL, NULL, NULL, 'EUR', 'DE', NULL, NULL, 1, NULL, 'N')
"""
MORE = [
    """INSERT INTO waehrungen VALUES ('EUR', ' €', 2, 1), ('USD', ' $', 2, 1), ('JPY', NULL, 0, 1),
       ('KWD', ' KD', 3, 1),       ('CAD', ' C$', 2, 1), ('DEM', ' DM', 2, 0)""",
    "INSERT INTO rabatte VALUES ('treu', 'Treue', 12.5), ('treu', 'Jubel', 4)",
    """INSERT INTO steuern VALUES ('DE', 'USt', 19, 1), ('CA', 'QST', 9.975, 2), ('CA', 'GST', 5, 1),
       ('JP', 'ct', 10, 1)""",
]


@contextmanager
def connected(url: str) -> Iterator[sa.Connection]:
    """One transaction in the database."""
    engine = sa.create_engine(url)
    try:
        with engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()


def found_company(url: str) -> dict[str, str]:
    """The company's tables and clients; the statements an operator would write for this kind of database."""
    kind = sa.make_url(url).get_backend_name()
    with connected(url) as connection:
        for table in TABLES:
            money = "TEXT" if kind == "sqlite" else "NUMERIC(20, 4)"
            connection.execute(sa.text(table.format(number=NUMBER[kind], money=money)))
        for statement in (CLIENTS, *MORE):
            connection.execute(sa.text(statement))
    queries = dict(QUERIES)
    for name in ("client", "clients"):
        if kind == "mysql":
            queries[name] = queries[name].replace('"group"', "`group`")
        queries[name] = queries[name].replace(
            "steuerbefreit AS", "CASE steuerbefreit WHEN 'J' THEN 'ja' ELSE '' END AS"
        )
        queries[name] = queries[name].replace("'ja' ELSE ''", "'yes' ELSE 'no'")
    if kind == "postgresql":
        queries["insert_invoice"] += " RETURNING rechnungsnr"
    return queries


def adapter(url: str, queries: dict[str, str] | None = None, **more: Any) -> GenericSqlAdapter:
    """The adapter over these statements, or over the preset."""
    preset: Any = None if queries else "tollbridge"
    made = Queries(**{**(queries or {}), **more})
    return GenericSqlAdapter(GenericSqlSettings(DatabaseUrl(url), preset, made))


def billing(url: str, queries: dict[str, str] | None = None, **more: Any) -> BillingSystem:
    """The same as the core calls it."""
    preset: Any = None if queries else "tollbridge"
    settings = GenericSqlSettings(DatabaseUrl(url), preset, Queries(**{**(queries or {}), **more}))
    return BillingSystem("generic_sql", plugin_manager("generic_sql", GenericSqlAdapter, settings))


def created_at_once(adapters: Sequence[GenericSqlAdapter], invoice: Invoice) -> list[Receipt]:
    """What each of them gets for the same invoice, if all begin in the same moment."""
    together = threading.Barrier(len(adapters))

    def create(adapter: GenericSqlAdapter) -> Receipt:
        together.wait()
        return adapter.create_invoice(invoice)

    with ThreadPoolExecutor(len(adapters)) as pool:
        return list(pool.map(create, adapters))
