"""The adapter's own small schema, for a company that has none yet, and the statements that go with it."""

import attrs
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from tollbridge.reference import PREFIX
from tollbridge_generic_sql.database import is_down
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
_CLIENTS = sa.Table(
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
    sa.Column(
        "language", sa.String(35), nullable=False, server_default="", comment="de, de_AT, german; empty: unknown"
    ),
    sa.Column("password_hash", sa.String(255)),
    # Only among those who can log in an address has to be one client's: several may get their invoices at one address.
    sa.Column(
        "login_email",
        sa.String(254),
        sa.Computed("CASE WHEN password_hash IS NOT NULL THEN NULLIF(LOWER(email), '') END", persisted=True),
    ),
    sa.Index("clients_login_email", "login_email", unique=True),
    sqlite_autoincrement=True,  # else the next client would get the id of one that was deleted, and its SolusIO user
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
_INVOICES = sa.Table(
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
    sa.Column("created_at", sa.DateTime, index=True, comment="when the row came to be, whatever its dates say"),
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
           tax_exempt, language
    FROM clients
"""
_INVOICE = "SELECT id, reference, client_id, status, due_date, total, subtotal, currency, notes FROM invoices"
_OURS = f"{_INVOICE} WHERE reference LIKE '{PREFIX}%'"

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
        INSERT INTO invoices (reference, client_id, currency, issue_date, due_date, subtotal, total, notes, created_at)
        VALUES (:reference, (SELECT id FROM clients WHERE id = :client_id), :currency, :issue_date, :due_date,
                :subtotal, :total, :notes, CURRENT_TIMESTAMP)
    """,
    insert_line="""
        INSERT INTO invoice_lines (invoice_id, position, description, tokens, amount, taxed)
        VALUES (:invoice_id, :position, :description, :tokens, :amount, :taxed)
    """,
    find_invoice=f"{_INVOICE} WHERE client_id = :client_id AND reference = :reference",
    unpaid_invoices=f"{_INVOICE} WHERE status IN ('unpaid', 'pending')",
    invoice=f"{_INVOICE} WHERE id = :invoice_id",
    # rows that people entered by hand know no time, and may be of any
    invoices_since=f"{_OURS} AND (created_at >= :day OR created_at IS NULL)",
    login="SELECT id, password_hash FROM clients WHERE LOWER(email) = LOWER(:email)",
    insert_client="""
        INSERT INTO clients (email, password_hash, currency, first_name, last_name, company, country)
        VALUES (:email, :password_hash, (SELECT code FROM currencies WHERE code = :currency), :first_name, :last_name,
                :company, :country)
    """,
)
# PostgreSQL does not count the clients that were entered with their ids, so its counter is moved behind them.
_POSTGRESQL_INSERT_CLIENT = """
    INSERT INTO clients (id, email, password_hash, currency, first_name, last_name, company, country)
    SELECT setval(s.name, GREATEST(nextval(s.name), (SELECT COALESCE(MAX(id), 0) + 1 FROM clients))),
           :email, :password_hash, (SELECT code FROM currencies WHERE code = :currency), :first_name, :last_name,
           :company, :country
    FROM (SELECT CAST(pg_get_serial_sequence('clients', 'id') AS regclass) AS name) s
"""
OLDER = dict.fromkeys(
    ("login", "insert_client"),
    "run `tollbridge generic-sql init`: the table clients has no password_hash and login_email yet",
)

# The tables of earlier versions do not know in which language to write to a client.
_WITHOUT_LANGUAGE = {name: str(getattr(QUERIES, name)).replace(", language", "") for name in ("client", "clients")}
# Nor when an invoice was made: then all of them are listed.
_UNDATED = {
    "insert_invoice": str(QUERIES.insert_invoice).replace(", created_at)", ")").replace(", CURRENT_TIMESTAMP)", ")"),
    "invoices_since": _OURS,
}


def fitted(connection: sa.Connection) -> Queries:
    """The statements for the tables in this database: those of an earlier version know no log-ins, or no times."""
    found = QUERIES
    if not _has(connection, "password_hash, login_email", _CLIENTS.name):
        found = attrs.evolve(found, login=None, insert_client=None)
    elif connection.dialect.name == "postgresql":
        found = attrs.evolve(found, insert_client=_POSTGRESQL_INSERT_CLIENT)
    if not _has(connection, "language", _CLIENTS.name):
        found = attrs.evolve(found, **_WITHOUT_LANGUAGE)
    if not _has(connection, "created_at", _INVOICES.name):
        found = attrs.evolve(found, **_UNDATED)
    return found


def _has(connection: sa.Connection, columns: str, table: str) -> bool:
    try:
        connection.execute(sa.text(f"SELECT {columns} FROM {table} WHERE 1 = 0"))  # noqa: S608 - both stand above
    except DBAPIError as error:
        if is_down(error):
            raise
        connection.rollback()
        return False
    return True


def create_tables(engine: sa.Engine) -> None:
    """Create what is missing: tables, and the columns that an earlier version of them did not have."""
    metadata.create_all(engine)
    with engine.begin() as connection:
        _add_columns(connection, _CLIENTS)
        if "created_at" in _add_columns(connection, _INVOICES):
            connection.execute(sa.update(_INVOICES).values(created_at=_INVOICES.c.issue_date))


def _add_columns(connection: sa.Connection, table: sa.Table) -> list[str]:
    """Add the columns that the table lacks, with their indexes; their names."""
    present = {column["name"] for column in sa.inspect(connection).get_columns(table.name)}
    missing = [column for column in table.columns if column.name not in present]
    for column in missing:
        words = str(sa.schema.CreateColumn(column).compile(dialect=connection.dialect))
        if connection.dialect.name == "sqlite":  # it adds only those that it computes when they are read
            words = words.replace(" STORED", " VIRTUAL")
        connection.exec_driver_sql(f"ALTER TABLE {table.name} ADD COLUMN {words}")
    for index in table.indexes:
        index.create(connection, checkfirst=True)
    return [column.name for column in missing]
