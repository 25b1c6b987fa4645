"""The adapter's own small schema, for a company that has none yet, and the statements that go with it."""

import sqlalchemy as sa

from tollbridge_generic_sql.statements import Queries

metadata = sa.MetaData()

_MONEY = sa.Numeric(18, 4)

sa.Table(
    "currencies",
    metadata,
    sa.Column("code", sa.String(3), primary_key=True),
    sa.Column("prefix", sa.String(10), nullable=False, server_default=""),
    sa.Column("suffix", sa.String(10), nullable=False, server_default=""),
    sa.Column("decimals", sa.Integer, nullable=False, server_default="2"),
    sa.Column("thousands_separator", sa.String(1), nullable=False, server_default=","),
    sa.Column("decimal_separator", sa.String(1), nullable=False, server_default="."),
)
sa.Table(
    "clients",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("email", sa.String(254), nullable=False),
    sa.Column("currency", sa.String(3), sa.ForeignKey("currencies.code"), nullable=False),
    sa.Column("first_name", sa.String(100), nullable=False, server_default=""),
    sa.Column("last_name", sa.String(100), nullable=False, server_default=""),
    sa.Column("company", sa.String(200), nullable=False, server_default=""),
    sa.Column("status", sa.String(10), nullable=False, server_default="active"),
    sa.Column("client_group", sa.String(100), nullable=False, server_default=""),
    sa.Column("country", sa.String(2), nullable=False, server_default=""),
    sa.Column("state", sa.String(100), nullable=False, server_default=""),
    sa.Column("tax_exempt", sa.Integer, nullable=False, server_default="0"),
)
sa.Table(
    "discounts",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("name", sa.String(100), nullable=False),
    sa.Column("description", sa.String(200), nullable=False, server_default=""),
    sa.Column("multiplier", sa.String(20), nullable=False, comment="0.95 takes five per cent off"),
    sa.Column("client_group", sa.String(100), nullable=False, comment="the group of clients that get it"),
)
sa.Table(
    "taxes",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("label", sa.String(100), nullable=False),
    sa.Column("rate", sa.String(20), nullable=False, comment="percent"),
    sa.Column("level", sa.Integer, nullable=False, server_default="1"),
    sa.Column("compound", sa.Integer, nullable=False, server_default="0"),
    sa.Column("country", sa.String(2), nullable=False),
    sa.Column("state", sa.String(100), nullable=False, server_default="", comment="empty: the whole country"),
)
sa.Table(
    "invoices",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("reference", sa.String(64), nullable=False, unique=True),
    sa.Column("client_id", sa.Integer, sa.ForeignKey("clients.id"), nullable=False),
    sa.Column("currency", sa.String(3), nullable=False),
    sa.Column("issue_date", sa.Date, nullable=False),
    sa.Column("due_date", sa.Date, nullable=False),
    sa.Column("subtotal", _MONEY, nullable=False),
    sa.Column("total", _MONEY, nullable=False),
    sa.Column("status", sa.String(10), nullable=False, server_default="unpaid", index=True),
    sa.Column("notes", sa.Text, nullable=False),
)
sa.Table(
    "invoice_lines",
    metadata,
    sa.Column("invoice_id", sa.Integer, sa.ForeignKey("invoices.id"), primary_key=True),
    sa.Column("position", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("description", sa.Text, nullable=False),
    sa.Column("tokens", sa.BigInteger, nullable=False),
    sa.Column("amount", _MONEY, nullable=False),
    sa.Column("taxed", sa.Boolean, nullable=False),
)

_CLIENT = """
    SELECT id, email, currency, first_name, last_name, company, status, client_group AS "group", country, state,
           tax_exempt
    FROM clients
"""
_INVOICE = "SELECT id, reference, client_id, status, due_date, total FROM invoices"

QUERIES = Queries(
    client=f"{_CLIENT} WHERE id = :client_id",
    clients=f"{_CLIENT} ORDER BY id",
    currencies="SELECT code, prefix, suffix, decimals, thousands_separator, decimal_separator FROM currencies",
    discounts="""
        SELECT d.name, d.description, d.multiplier
        FROM discounts d JOIN clients c ON c.client_group = d.client_group
        WHERE c.id = :client_id ORDER BY d.id
    """,
    taxes="""
        SELECT t.label, t.rate, t.level, t.compound
        FROM taxes t JOIN clients c ON c.country = t.country AND t.state IN ('', c.state)
        WHERE c.id = :client_id ORDER BY t.level, t.id
    """,
    insert_invoice="""
        INSERT INTO invoices (reference, client_id, currency, issue_date, due_date, subtotal, total, notes)
        VALUES (:reference, (SELECT id FROM clients WHERE id = :client_id), :currency, :issue_date, :due_date,
                :subtotal, :total, :notes)
    """,
    insert_line="""
        INSERT INTO invoice_lines (invoice_id, position, description, tokens, amount, taxed)
        VALUES (:invoice_id, :position, :description, :tokens, :amount, :taxed)
    """,
    find_invoice=f"{_INVOICE} WHERE client_id = :client_id AND reference = :reference",
    unpaid_invoices=f"{_INVOICE} WHERE status IN ('unpaid', 'pending')",
)
