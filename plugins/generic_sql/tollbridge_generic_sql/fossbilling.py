"""FOSSBilling's tables, in every version: what is read there, and rows that it reads back as its own.

FOSSBilling keeps no totals: an invoice comes to the sum of its lines' price times quantity, with ``taxrate`` percent of
the taxed ones on top, rounded once. Its columns differ from version to version, so they are looked at first.
"""

# ruff: noqa: S608 - the statements are put together from pieces that stand here; values are bound

from decimal import ROUND_HALF_UP, Decimal
from itertools import chain, repeat

import attrs
import sqlalchemy as sa

from tollbridge import Invoice, InvoiceLine, Refused
from tollbridge.reference import PREFIX
from tollbridge_generic_sql.parameters import tax_label, tax_rate
from tollbridge_generic_sql.statements import Queries

DIALECTS = frozenset({"mysql", "mariadb"})
CANNOT = {
    "discounts": "FOSSBilling discounts products, not usage: bridge.toml's apply",
    "three_decimals": "FOSSBilling's prices have two",
    "prices_include_tax": "FOSSBilling only adds tax to prices",
    "pending": "FOSSBilling's invoices are unpaid until they are paid",
}
NEWEST = frozenset(
    {
        "client.lang",
        "client_group_members.client_id",
        "currency.format_pattern",
        "invoice.hash_expires_at",
        "invoice.issued",
        "invoice.replaced_by_invoice_id",
    }
)
NOTHING = {
    "before_invoice": "FOSSBilling's next invoice number, its setting invoice_starting_number, is not a whole number"
    " from 1 on",
    "insert_invoice": "FOSSBilling has no such client, or the client pays in another currency by now",
}

_TABLES = ("client", "client_group", "currency", "invoice", "invoice_item", "setting", "tax")
_WRITTEN = ("invoice", "invoice_item", "setting")
_EITHER = (
    ("invoice.approved", "invoice.issued"),
    ("client.client_group_id", "client_group_members.client_id"),
)
_TITLE = 255
_LOOK = sa.text("""
    SELECT c.table_name, c.column_name, t.engine
    FROM information_schema.columns c
    JOIN information_schema.tables t ON t.table_schema = c.table_schema AND t.table_name = c.table_name
    WHERE c.table_schema = DATABASE() AND c.table_name IN :tables
""").bindparams(sa.bindparam("tables", expanding=True))

# Tables that were converted one by one compare in different ways, so texts of two of them are made alike first.
_DEFAULT_CURRENCY = (
    "(SELECT CONVERT(d.code USING utf8mb4) FROM currency d WHERE d.is_default = 1 ORDER BY d.id LIMIT 1)"
)
_CURRENCY = f"COALESCE(NULLIF(CONVERT(c.currency USING utf8mb4), ''), {_DEFAULT_CURRENCY})"
_GROUP = "(SELECT g.title FROM client_group g WHERE g.id = c.client_group_id)"
_GROUPS = """(SELECT g.title FROM client_group_members m JOIN client_group g ON g.id = m.client_group_id
            WHERE m.client_id = c.id ORDER BY g.id LIMIT 1)"""

_HERE = "CONVERT(t.country USING utf8mb4) = CONVERT(c.country USING utf8mb4)"
_RIGHT_HERE = f"{_HERE} AND CONVERT(t.state USING utf8mb4) = CONVERT(c.state USING utf8mb4)"
# FOSSBilling's own order: the client's state, then its country, whatever the state, then everywhere.
_TAXES = f"""
    SELECT t.name AS label, t.taxrate AS rate
    FROM client c JOIN tax t ON {_HERE} OR (COALESCE(t.country, '') = '' AND COALESCE(t.state, '') = '')
    WHERE c.id = :client_id AND (SELECT s.value FROM setting s WHERE s.param = 'tax_enabled') NOT IN ('', '0')
    ORDER BY COALESCE({_RIGHT_HERE}, 0) DESC, COALESCE({_HERE}, 0) DESC, t.id
    LIMIT 1
"""

# The row stays locked until the invoice is there; LAST_INSERT_ID() is the number for this connection alone.
_NUMBER = """
    UPDATE setting SET value = LAST_INSERT_ID(CAST(value AS UNSIGNED)) + 1, updated_at = NOW()
    WHERE param = 'invoice_starting_number' AND value REGEXP '^[1-9][0-9]*$'
"""

_LIFETIME = """
    COALESCE((SELECT IF(s.value REGEXP '^[0-9]+$', s.value + 0, 0) FROM setting s
              WHERE s.param = 'invoice_hash_lifetime_days'), 90)
"""

# A line that is no usage: it makes the total what was shown.
ROUNDING = "rounding"
_ROUNDED = " rounded"
_ROUNDING_WORDS = {"en": "Rounding", "de": "Rundung"}

# The reference stands in rel_id: FOSSBilling shows that to nobody, and keeps it when a line is edited.
_INSERT_LINE = f"""
    INSERT INTO invoice_item (invoice_id, type, rel_id, task, status, title, quantity, charged, taxed, created_at,
                              updated_at, price)
    VALUES (:invoice_id, 'custom', IF(:kind = '{ROUNDING}', CONCAT(:reference, '{_ROUNDED}'), :reference), 'void',
            'pending_payment', :description, 1, 0,
            IF(:tax_rate > 0, :taxed, 0), NOW(), NOW(), :amount)
"""

_LINES = "FROM invoice_item l WHERE l.invoice_id = i.id"
_AMOUNT = "CAST(l.price AS DECIMAL(18, 2)) * COALESCE(l.quantity, 1)"
_SUM = f"(SELECT COALESCE(SUM({_AMOUNT}), 0) {_LINES})"
_SUBTOTAL = f"(SELECT COALESCE(SUM({_AMOUNT}), 0) {_LINES} AND COALESCE(l.rel_id, '') NOT LIKE '{PREFIX}%{_ROUNDED}')"
_TAXABLE = f"(SELECT COALESCE(SUM({_AMOUNT}), 0) {_LINES} AND l.taxed = 1)"
_RATE = "GREATEST(CAST(COALESCE(NULLIF(i.taxrate, ''), '0') AS DECIMAL(40, 20)), 0)"
# A due date that was taken away never comes, in FOSSBilling and here.
_DUE = "DATE(COALESCE(i.due_at, '2999-12-31'))"
_OURS = f"{_LINES} AND l.type = 'custom' AND l.rel_id"
_ANY_OF_OURS = f"{_OURS} LIKE '{PREFIX}%'"
_REFERENCE = f"COALESCE((SELECT MIN(l.rel_id) {_ANY_OF_OURS}), '')"
# As FOSSBilling prints it: the series, and the number with zeros before it.
_PADDED = """LPAD(i.nr, GREATEST(CHAR_LENGTH(i.nr), COALESCE((SELECT CAST(s.value AS UNSIGNED) FROM setting s
    WHERE s.param = 'invoice_number_padding' AND s.value REGEXP '^[0-9]+$' LIMIT 1), 5)), '0')"""
_PRINTED = f"CONCAT(COALESCE(i.serie, ''), {_PADDED})"
# The invoice that replaced the one with the number, at last.
_LATEST = """(WITH RECURSIVE replaced (id, next) AS (
        SELECT id, replaced_by_invoice_id FROM invoice WHERE id = :invoice_id
        UNION SELECT n.id, n.replaced_by_invoice_id FROM invoice n JOIN replaced r ON n.id = r.next
    ) SELECT MAX(id) FROM replaced WHERE next IS NULL)"""


def fitted(connection: sa.Connection) -> Queries:
    """The statements for the version of FOSSBilling in this database.

    Raises:
        Refused: its tables are not there, or they keep no transactions.
    """
    found = connection.execute(_LOOK, {"tables": [*_TABLES, "client_group_members"]}).all()
    engines = {table: str(engine or "InnoDB") for table, _, engine in found}
    if missing := [table for table in _TABLES if table not in engines]:
        raise Refused(f"the database has no table of FOSSBilling called {', '.join(missing)} that this user may read")
    if unsafe := [table for table in _WRITTEN if engines[table].lower() != "innodb"]:
        raise Refused(
            f"FOSSBilling's table {unsafe[0]} is kept by {engines[unsafe[0]]}, which has no transactions: convert"
            f" {', '.join(unsafe)} with ALTER TABLE … ENGINE=InnoDB"
        )
    columns = frozenset(f"{table}.{column}" for table, column, _ in found)
    for one, other in _EITHER:
        if not columns & {one, other}:
            raise Refused(f"FOSSBilling's {one}, in other versions {other}, is not there for this user to read")
    return queries(columns)


def fit(invoice: Invoice) -> Invoice:
    """The invoice with its texts as FOSSBilling has room for them, and the reference where its search looks.

    Raises:
        Refused: it cannot be held to the cent: taxes are inside of its prices, or an amount is finer than a cent.
    """
    who = f"{invoice.reference} cannot be written to FOSSBilling"
    if invoice.prices_include_tax and invoice.taxes and any(line.taxed for line in invoice.lines):
        raise Refused(f"{who}: it can only add tax to prices, so set prices_include_tax = false in [pricing]")
    for line in invoice.lines:
        if len(f"{line.amount:f}".partition(".")[2].rstrip("0")) > 2:
            raise Refused(f"{who}: prices have two decimals there, and {line.description} costs {line.amount}")
    rate, label = f"{tax_rate(invoice.taxes, compound=invoice.compound):f}", tax_label(invoice.taxes)
    if len(rate) > 35 or len(label) > _TITLE:
        raise Refused(f"{who}: there is no room for a tax called {label} of {rate} percent")
    invoice = _rounded_as_shown(invoice, tax_rate(invoice.taxes, compound=invoice.compound))
    tails = chain([f" ({invoice.reference})"], repeat(""))
    lines = [
        attrs.evolve(line, description=_plain(line.description)[: _TITLE - len(tail)] + tail)
        for line, tail in zip(invoice.lines, tails, strict=False)
    ]
    return attrs.evolve(invoice, lines=lines, notes=_plain(invoice.notes))


def _rounded_as_shown(invoice: Invoice, rate: Decimal) -> Invoice:
    """The invoice with a line more, untaxed, where FOSSBilling's total would not be what was shown.

    It rounds tax to hundredths in every currency, so 313 yen with 10 percent would be 344.30 there, and 344 were shown:
    whoever pays 344 would have an invoice that stays unpaid.
    """
    taxed = sum((line.amount for line in invoice.lines if line.taxed), Decimal(0))
    tax = (taxed * rate / 100).quantize(Decimal("0.01"), ROUND_HALF_UP)
    difference = invoice.total - invoice.subtotal - tax
    if not difference:
        return invoice
    line = InvoiceLine(_ROUNDING_WORDS[invoice.language], 0, difference, taxed=False, kind=ROUNDING)
    return attrs.evolve(invoice, lines=(*invoice.lines, line))


def queries(columns: frozenset[str]) -> Queries:
    """The statements for a FOSSBilling that has these columns, written ``table.column``."""
    issued = "issued" if "invoice.issued" in columns else "approved"
    group = _GROUPS if "client_group_members.client_id" in columns else _GROUP
    client = _client(group, "c.lang" if "client.lang" in columns else "NULL")
    # A credit note repeats the lines with their prices below zero, and so does a replacement as they were.
    replaces = "invoice.replaced_by_invoice_id" in columns
    stands = f"{_SUM} >= 0" + (" AND i.replaced_by_invoice_id IS NULL" if replaces else "")
    ours = _invoice(_REFERENCE, issued)
    return Queries(
        client=f"{client} WHERE c.id = :client_id",
        clients=f"{client} ORDER BY c.id",
        currencies=_currencies(columns),
        taxes=_TAXES,
        before_invoice=_NUMBER,
        insert_invoice=_insert_invoice(issued, expires="invoice.hash_expires_at" in columns),
        insert_line=_INSERT_LINE,
        find_invoice=f"""{_invoice(":reference", issued)}
            WHERE i.client_id = :client_id AND {stands} AND EXISTS (SELECT 1 {_OURS} = :reference)
        """,
        unpaid_invoices=f"""{ours}
            WHERE i.status = 'unpaid' AND i.{issued} = 1 AND EXISTS (SELECT 1 {_ANY_OF_OURS})
        """,
        invoice=f"""{_invoice(_REFERENCE, issued, "CAST(:invoice_id AS UNSIGNED)" if replaces else "i.id")}
            WHERE i.id = {_LATEST if replaces else ":invoice_id"}
        """,
        # An invoice's own time may be edited, and that of its lines may not.
        invoices_since=f"{ours} WHERE {stands} AND EXISTS (SELECT 1 {_ANY_OF_OURS} AND l.created_at >= :day)",
    )


def _client(group: str, language: str) -> str:
    return f"""
        SELECT c.id, c.email, {_CURRENCY} AS currency, c.first_name, c.last_name, c.company, c.country, c.state,
            c.tax_exempt, {group} AS `group`, {language} AS language,
            CASE COALESCE(c.status, 'active') WHEN 'suspended' THEN 'inactive' WHEN 'canceled' THEN 'closed'
                ELSE COALESCE(c.status, 'active') END AS status
        FROM client c
    """


def _currencies(columns: frozenset[str]) -> str:
    """Formats were templates until 0.7, have been patterns lately, and in between each locale's own."""
    written = "'' AS prefix, CONCAT(' ', code) AS suffix"
    if "currency.format_pattern" in columns:
        written = f"{_affixes('format_pattern', '{amount}')}, fraction_digits AS decimals"
    elif "currency.price_format" in columns:
        written = f"""{_affixes("format", "{{price}}")},
            CASE price_format WHEN '1' THEN '' WHEN '3' THEN '.' WHEN '5' THEN '' ELSE ',' END AS thousands_separator,
            IF(price_format = '3', ',', '.') AS decimal_separator,
            IF(price_format IN ('4', '5'), 0, NULL) AS decimals"""
    return f"SELECT code, {written}, 2 AS max_decimals FROM currency"


def _affixes(column: str, mark: str) -> str:
    there = f"LOCATE('{mark}', {column})"
    return f"""
        IF({there}, SUBSTRING_INDEX({column}, '{mark}', 1), '') AS prefix,
        IF({there}, SUBSTRING_INDEX({column}, '{mark}', -1), CONCAT(' ', code)) AS suffix
    """


def _insert_invoice(issued: str, *, expires: bool) -> str:
    """One row, complete and open, as FOSSBilling makes it from its settings and its client; due at the day's end."""
    address = ", ".join(f"NULLIF({_setting(f'company_address_{line}')}, '')" for line in (1, 2, 3))
    note = _setting("invoice_default_note", 60000)
    values = {
        "client_id": "c.id",
        "serie": _setting("invoice_series", 50),
        "nr": "LAST_INSERT_ID()",
        "hash": ":random",
        "currency": ":currency",
        "status": "'unpaid'",
        issued: "1",
        "taxname": ":tax_label",
        "taxrate": ":tax_rate",
        # FOSSBilling writes its own remarks right behind.
        "notes": f"CONCAT_WS('\n\n', NULLIF({note}, ''), CONCAT(NULLIF(:notes, ''), '\n'))",
        "due_at": "TIMESTAMP(:due_date, '23:59:59')",
        "created_at": "TIMESTAMP(:issue_date, CURTIME())",
        "updated_at": "NOW()",
        "seller_company": _setting("company_name"),
        "seller_company_vat": _setting("company_vat_number"),
        "seller_company_number": _setting("company_number"),
        "seller_address": f"LEFT(CONCAT_WS(' ', {address}), 255)",
        "seller_phone": _setting("company_tel"),
        "seller_email": _setting("company_email"),
        "buyer_address": "TRIM(CONCAT_WS(' ', c.address_1, c.address_2))",
        "buyer_phone": "TRIM(CONCAT_WS(' ', c.phone_cc, c.phone))",
        "buyer_zip": "c.postcode",
    }
    same = ("first_name", "last_name", "company", "company_vat", "company_number", "city", "state", "country", "email")
    values |= {f"buyer_{column}": f"c.{column}" for column in same}
    if expires:
        values["hash_expires_at"] = f"NOW() + INTERVAL NULLIF({_LIFETIME}, 0) DAY"
    return f"""
        INSERT INTO invoice ({", ".join(values)}) SELECT {", ".join(values.values())}
        FROM client c WHERE c.id = :client_id AND {_CURRENCY} = :currency
    """


def _setting(name: str, length: int = 255) -> str:
    return f"(SELECT LEFT(s.value, {length}) FROM setting s WHERE s.param = '{name}')"


def _invoice(reference: str, issued: str, number: str = "i.id") -> str:
    return f"""
        SELECT {number} AS id, {reference} AS reference, i.client_id, i.currency, i.notes, {_DUE} AS due_date,
            {_PRINTED} AS number,
            CASE WHEN i.status = 'unpaid' AND COALESCE(i.{issued}, 0) = 0 THEN 'draft'
                WHEN i.status = 'canceled' THEN 'cancelled' ELSE i.status END AS status,
            {_SUBTOTAL} AS subtotal, {_SUM} + ROUND({_TAXABLE} * {_RATE} / 100, 2) AS total
        FROM invoice i
    """


def _plain(text: str) -> str:
    """Letters that FOSSBilling's older tables cannot keep, such as emoji, as question marks."""
    return "".join(letter if letter <= "\uffff" else "?" for letter in text)
