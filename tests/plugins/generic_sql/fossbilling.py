"""A hosting company on FOSSBilling: its tables in four versions, and FOSSBilling's own arithmetic."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import attrs
import sqlalchemy as sa

from tollbridge import DatabaseUrl, Invoice, InvoiceLine, TaxRate
from tollbridge.adapters.billing import BillingSystem
from tollbridge.adapters.loading import plugin_manager
from tollbridge_generic_sql import GenericSqlAdapter
from tollbridge_generic_sql.adapter import GenericSqlSettings
from tollbridge_generic_sql.statements import Queries

VAT = (TaxRate("VAT", Decimal(20)),)
VERSIONS = ("0.7.2", "0.8.5", "main", "main with issued")

_ID = "id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY"
_DATES = "created_at DATETIME NULL, updated_at DATETIME NULL"
_PARTY = "company company_vat company_number address phone email"
_BUYER = "first_name last_name company company_vat company_number address city state country zip phone email"
_CLIENT = "first_name last_name company company_vat address_1 address_2 city state postcode country phone"
_CURRENCY = {
    "0.7.2": "title VARCHAR(50), format VARCHAR(30), price_format VARCHAR(50) DEFAULT '1',",
    "0.8.5": "",
    "main": "format_pattern VARCHAR(64), fraction_digits SMALLINT, is_rate_manual TINYINT(1) NOT NULL DEFAULT 0,",
}
_CURRENCY["main with issued"] = _CURRENCY["main"]

SETTINGS = {
    "company_name": "Example Hosting",
    "company_email": "billing@example.com",
    "company_tel": "+44 1632 960000",
    "company_address_1": "1 High Street",
    "company_address_2": "",
    "company_address_3": "London",
    "company_vat_number": "GB123456789",
    "company_number": "01234567",
    "invoice_series": "FOSS",
    "invoice_starting_number": "42",
    "invoice_due_days": "5",
    "invoice_default_note": "Thank you for your custom.",
    "tax_enabled": "1",
}


def _texts(names: str, length: int, prefix: str = "") -> str:
    return ", ".join(f"{prefix}{name} VARCHAR({length}) NULL" for name in names.split())


def tables(version: str, engine: str = "InnoDB") -> list[str]:
    """FOSSBilling's tables of a version, as far as an invoice concerns them."""
    newest = version == "main with issued"
    money = "DECIMAL(18, 2)" if version.startswith("main") else "DOUBLE(18, 2)"
    text = "utf8mb4" if version.startswith("main") else "utf8"
    end = f"ENGINE={engine} DEFAULT CHARSET={text}"
    published = "issued TINYINT(1) NOT NULL DEFAULT 0" if newest else "approved TINYINT(1) DEFAULT 0"
    more = "" if version == "0.7.2" else ", hash_expires_at DATETIME NULL"
    more += ", replaced_by_invoice_id BIGINT NULL, credit_note_for_invoice_id BIGINT NULL" if newest else ""
    group = "" if newest else "client_group_id BIGINT NULL,"
    made = [
        f"""CREATE TABLE client ({_ID}, aid VARCHAR(255), {group} role VARCHAR(30) NOT NULL DEFAULT 'client',
            email VARCHAR(255) UNIQUE, pass VARCHAR(255), status VARCHAR(30) DEFAULT 'active',
            email_approved TINYINT(1),
            tax_exempt TINYINT(1) DEFAULT 0, {_texts(_CLIENT, 100)}, company_number VARCHAR(255), phone_cc VARCHAR(10),
            currency VARCHAR(10), lang VARCHAR(10), api_token VARCHAR(128), {_DATES}) {end}""",
        f"CREATE TABLE client_group ({_ID}, title VARCHAR(255), {_DATES}) {end}",
        f"""CREATE TABLE currency ({_ID}, code VARCHAR(3) UNIQUE, is_default TINYINT(1) DEFAULT 0,
            conversion_rate DECIMAL(13, 6) DEFAULT 1, {_CURRENCY[version]} {_DATES}) {end}""",
        f"""CREATE TABLE tax ({_ID}, level BIGINT, name VARCHAR(255), country VARCHAR(255), state VARCHAR(255),
            taxrate VARCHAR(255), {_DATES}) {end}""",
        f"""CREATE TABLE setting ({_ID}, param VARCHAR(255) UNIQUE, value TEXT, public TINYINT(1) DEFAULT 0,
            category VARCHAR(255), hash VARCHAR(255), {_DATES}) {end}""",
        f"""CREATE TABLE invoice ({_ID}, client_id BIGINT NULL, serie VARCHAR(50), nr VARCHAR(255),
            hash VARCHAR(255) UNIQUE, currency VARCHAR(25), currency_rate DECIMAL(13, 6), credit {money},
            base_income {money}, base_refund {money}, refund {money}, notes TEXT, text_1 TEXT, text_2 TEXT,
            status VARCHAR(50) DEFAULT 'unpaid', {_texts(_PARTY, 255, "seller_")}, {_texts(_BUYER, 255, "buyer_")},
            gateway_id INT, {published}, taxname VARCHAR(255), taxrate VARCHAR(35), due_at DATETIME,
            reminded_at DATETIME, paid_at DATETIME, {_DATES} {more}, KEY client_id_idx (client_id)) {end}""",
        f"""CREATE TABLE invoice_item ({_ID}, invoice_id BIGINT, type VARCHAR(100), rel_id TEXT, task VARCHAR(100),
            status VARCHAR(100), title VARCHAR(255), period VARCHAR(10), quantity BIGINT, unit VARCHAR(100),
            price {money}, charged TINYINT(1) DEFAULT 0, taxed TINYINT(1) DEFAULT 0,
            {"attempts INT NOT NULL DEFAULT 0," if version.startswith("main") else ""} {_DATES},
            KEY invoice_id_idx (invoice_id)) {end}""",
    ]
    if newest:
        made.append(f"CREATE TABLE client_group_members (client_id BIGINT, client_group_id BIGINT) {end}")
    return made


@attrs.frozen
class Shop:
    """One company's FOSSBilling database."""

    url: str
    version: str
    engine: sa.Engine

    @property
    def published(self) -> str:
        """The column that is 0 for a draft."""
        return "issued" if self.version == "main with issued" else "approved"

    def query(self, sql: str, **values: Any) -> list[dict[str, Any]]:
        """Rows by column name."""
        with self.engine.begin() as connection:
            return [dict(row) for row in connection.execute(sa.text(sql), values).mappings()]

    def execute(self, sql: str, **values: Any) -> None:
        """Change the database, as FOSSBilling or its operator would."""
        with self.engine.begin() as connection:
            connection.execute(sa.text(sql), values)

    def insert(self, table: str, **values: Any) -> None:
        """One row."""
        names = ", ".join(f"`{name}`" for name in values)
        self.execute(f"INSERT INTO {table} ({names}) VALUES ({', '.join(f':{name}' for name in values)})", **values)

    def set(self, param: str, value: str | None) -> None:
        """One of FOSSBilling's settings; None removes it."""
        self.execute("DELETE FROM setting WHERE param = :param", param=param)
        if value is not None:
            self.insert("setting", param=param, value=value)

    def add_client(self, client_id: int, currency: str | None = "EUR", group: int | None = None, **more: Any) -> None:
        """A client; it belongs to the group as this version has it."""
        if group and self.version == "main with issued":
            self.insert("client_group_members", client_id=client_id, client_group_id=group)
        elif group:
            more["client_group_id"] = group
        self.insert("client", id=client_id, **{"email": f"client{client_id}@example.com", "currency": currency} | more)

    def adapter(self, **queries: str) -> GenericSqlAdapter:
        """An adapter of its own, with its own connections."""
        return GenericSqlAdapter(self.settings(**queries))

    def billing(self, **queries: str) -> BillingSystem:
        """The same as the core calls it."""
        manager = plugin_manager("generic_sql", GenericSqlAdapter, self.settings(**queries))
        return BillingSystem("generic_sql", manager)

    def settings(self, **queries: str) -> GenericSqlSettings:
        """``[adapter.generic_sql]``."""
        return GenericSqlSettings(DatabaseUrl(self.url), "fossbilling", Queries(**queries))

    def invoices(self) -> list[dict[str, Any]]:
        """All invoice rows."""
        return self.query("SELECT * FROM invoice ORDER BY id")

    def lines(self, invoice_id: Any) -> list[dict[str, Any]]:
        """The lines of one invoice."""
        return self.query("SELECT * FROM invoice_item WHERE invoice_id = :id ORDER BY id", id=invoice_id)

    def total(self, invoice_id: Any) -> Decimal:
        """What FOSSBilling shows as the invoice's total: it keeps none, and computes it so each time."""
        (invoice,) = self.query("SELECT taxrate FROM invoice WHERE id = :id", id=invoice_id)
        lines = [(Decimal(str(line["price"])) * line["quantity"], line["taxed"]) for line in self.lines(invoice_id)]
        taxable = sum((amount for amount, taxed in lines if taxed), Decimal(0))
        tax = (taxable * Decimal(invoice["taxrate"]) / 100).quantize(Decimal("0.01"), ROUND_HALF_UP)
        return sum((amount for amount, _ in lines), Decimal(0)) + tax

    def next_number(self) -> str:
        """The number of the next invoice."""
        number: str = self.query("SELECT value FROM setting WHERE param = 'invoice_starting_number'")[0]["value"]
        return number


@contextmanager
def a_shop(url: str, version: str, engine: str = "InnoDB") -> Iterator[Shop]:
    """A FOSSBilling without clients, with euros as its default currency, dollars, yen and Kuwaiti dinars."""
    shop = Shop(url, version, sa.create_engine(url))
    try:
        with shop.engine.begin() as connection:
            for table in tables(version, engine):
                connection.execute(sa.text(table))
            _furnish(connection)
        yield shop
    finally:
        shop.engine.dispose()


@attrs.define
class KeptShop:
    """A FOSSBilling that is cleared out for each test, since its tables take longer to make than most tests."""

    url: str
    version: str
    _shape: object = None

    @contextmanager
    def cleared(self) -> Iterator[Shop]:
        """As :func:`a_shop` makes it; anew, if a test has changed the tables."""
        engine = sa.create_engine(self.url)
        try:
            with engine.begin() as connection:
                if self._shape is None or _shape(connection) != self._shape:
                    self._make(connection)
                for table in _names(connection):
                    connection.execute(sa.text(f"DELETE FROM {table}"))
                _furnish(connection)
            yield Shop(self.url, self.version, engine)
        finally:
            engine.dispose()

    def _make(self, connection: sa.Connection) -> None:
        for name in _names(connection):
            connection.execute(sa.text(f"DROP TABLE {name}"))
        for table in tables(self.version):
            connection.execute(sa.text(table))
        self._shape = _shape(connection)


def _furnish(connection: sa.Connection) -> None:
    for param, value in SETTINGS.items():
        statement = sa.text("INSERT INTO setting (param, value) VALUES (:param, :value)")
        connection.execute(statement, {"param": param, "value": value})
    connection.execute(sa.text("INSERT INTO client_group (id, title) VALUES (1, 'Default'), (2, 'Partners')"))
    connection.execute(
        sa.text("INSERT INTO currency (code, is_default) VALUES ('USD', 0), ('EUR', 1), ('JPY', 0), ('KWD', 0)")
    )


def _names(connection: sa.Connection) -> list[str]:
    return [name for (name,) in connection.execute(sa.text("SHOW TABLES"))]


def _shape(connection: sa.Connection) -> object:
    """All columns and indexes there are."""
    columns = "table_name, column_name, column_type, column_default, is_nullable, collation_name, extra"
    indexes = "table_name, index_name, column_name"
    return [
        connection.execute(
            sa.text(f"SELECT {names} FROM information_schema.{kind} WHERE table_schema = DATABASE()")
        ).all()
        for kind, names in (("columns", columns), ("statistics", indexes))
    ]


def an_invoice(reference: str = "TB-2026-06-1", *amounts: str, client_id: int = 1, **more: Any) -> Invoice:
    """An invoice over lines with these amounts."""
    lines = tuple(InvoiceLine(f"web-{n}", 7, Decimal(each)) for n, each in enumerate(amounts or ("4.90",), start=1))
    values: dict[str, Any] = {
        "currency": "EUR", "issue_date": date(2026, 7, 1), "due_date": date(2026, 7, 15), "lines": lines,
    }  # fmt: skip
    return Invoice(reference=reference, client_id=client_id, **values | more)
