"""The conformance kit, on generic_sql with the preset's schema, on every database."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa

from tests.plugins.generic_sql.wire import Wire
from tollbridge import Client, Currency, DatabaseUrl, Discount, InvoiceStatus, TaxRate
from tollbridge.conformance import AdapterTests, Held, HeldLine, OtherSide
from tollbridge_generic_sql import GenericSqlAdapter
from tollbridge_generic_sql.adapter import GenericSqlSettings
from tollbridge_generic_sql.preset import metadata

_CLIENT = (
    "INSERT INTO clients (id, email, currency, first_name, last_name, company, status, client_group, country, state,"
    " tax_exempt, language) VALUES (:id, :email, :currency, :first_name, :last_name, :company, :status, :group,"
    " :country, :state, :tax_exempt, :language)"
)


class SqlSide(OtherSide):
    """A database with the preset's tables; the adapter reaches it by a wire, if it is a server."""

    def __init__(self, url: str, wire: Wire | None) -> None:
        self.engine = sa.create_engine(url)
        self.wire = wire
        self.url = sa.make_url(url).set(port=wire.port).render_as_string(hide_password=False) if wire else url
        metadata.create_all(self.engine)

    def adapter(self) -> GenericSqlAdapter:
        return GenericSqlAdapter(GenericSqlSettings(DatabaseUrl(self.url), preset="tollbridge"))

    def _run(self, sql: str, **values: Any) -> None:
        with self.engine.begin() as connection:
            connection.execute(sa.text(sql), values)

    def _rows(self, sql: str, **values: Any) -> list[Any]:
        with self.engine.connect() as connection:
            return list(connection.execute(sa.text(sql), values))

    def add_currency(self, currency: Currency) -> None:
        if not self._rows("SELECT 1 FROM currencies WHERE code = :code", code=currency.code):
            self._run(
                "INSERT INTO currencies (code, prefix, suffix, decimals) VALUES (:code, :prefix, :suffix, :decimals)",
                code=currency.code,
                prefix=currency.prefix,
                suffix=currency.suffix,
                decimals=currency.decimals,
            )

    def add_client(self, client: Client) -> int:
        values = {field: getattr(client, field) for field in _FIELDS}
        self._run(_CLIENT, **{**values, "status": str(client.status), "tax_exempt": int(client.tax_exempt)})
        return client.id

    def invoices(self) -> list[Held]:
        rows = self._rows(
            "SELECT id, client_id, currency, status, issue_date, due_date, total FROM invoices ORDER BY id"
        )
        return [self._held(row) for row in rows]

    def _held(self, row: Any) -> Held:
        lines = self._rows(
            "SELECT description, amount FROM invoice_lines WHERE invoice_id = :id ORDER BY position", id=row.id
        )
        return Held(
            id=row.id,
            client_id=row.client_id,
            currency=row.currency,
            status=InvoiceStatus(row.status),
            issue_date=date.fromisoformat(str(row.issue_date)),
            due_date=date.fromisoformat(str(row.due_date)),
            lines=tuple(HeldLine(line.description, Decimal(str(line.amount))) for line in lines),
            total=Decimal(str(row.total)),
        )

    def set_status(self, invoice_id: int | str, status: InvoiceStatus) -> None:
        self._run("UPDATE invoices SET status = :status WHERE id = :id", status=str(status), id=int(invoice_id))

    def close_client(self, client_id: int) -> None:
        self._run("UPDATE clients SET status = 'closed' WHERE id = :id", id=client_id)

    def remove_currency(self, code: str) -> None:
        self._run("DELETE FROM currencies WHERE code = :code", code=code)

    def postpone(self, invoice_id: int | str, day: date) -> None:
        self._run("UPDATE invoices SET due_date = :day WHERE id = :id", day=day, id=int(invoice_id))

    def move_invoice(self, invoice_id: int | str, client_id: int) -> None:
        self._run("UPDATE invoices SET client_id = :client WHERE id = :id", client=client_id, id=int(invoice_id))

    def remove_invoice(self, invoice_id: int | str) -> None:
        self._run("DELETE FROM invoice_lines WHERE invoice_id = :id", id=int(invoice_id))
        self._run("DELETE FROM invoices WHERE id = :id", id=int(invoice_id))

    def notes(self, invoice_id: int | str) -> str:
        [row] = self._rows("SELECT notes FROM invoices WHERE id = :id", id=int(invoice_id))
        return str(row.notes)

    def write_notes(self, invoice_id: int | str, notes: str) -> None:
        self._run("UPDATE invoices SET notes = :notes WHERE id = :id", notes=notes, id=int(invoice_id))

    @contextmanager
    def outage(self) -> Iterator[None]:
        with self._wire("a file is never down").being("cut"):
            yield

    @contextmanager
    def refusal(self) -> Iterator[None]:
        """The lines' table is away, so that an invoice gets as far as its first line."""
        self._run("ALTER TABLE invoice_lines RENAME TO kept_lines")
        yield
        self._run("ALTER TABLE kept_lines RENAME TO invoice_lines")

    @contextmanager
    def lost_answer(self) -> Iterator[None]:
        with self._wire("a file does not answer").being("lossy"):
            yield

    def _wire(self, without: str) -> Wire:
        if self.wire is None:
            pytest.skip(without)
        return self.wire

    def give_discount(self, client_id: int, discount: Discount) -> None:
        self._run("UPDATE clients SET client_group = 'partners' WHERE id = :id", id=client_id)
        self._run(
            "INSERT INTO discounts (name, description, multiplier, client_group)"
            " VALUES (:name, :words, :m, 'partners')",
            name=discount.name,
            words=discount.description,
            m=f"{discount.multiplier}",
        )

    def add_tax(self, country: str, tax: TaxRate, level: int = 1) -> None:
        self._run(
            "INSERT INTO taxes (label, rate, level, country) VALUES (:label, :rate, :level, :country)",
            label=tax.label,
            rate=f"{tax.rate}",
            level=level,
            country=country,
        )

    def spoil_invoice(self, invoice_id: int | str) -> None:
        self._run("UPDATE invoices SET status = 'odd' WHERE id = :id", id=int(invoice_id))

    def spoil_client(self, client_id: int) -> None:
        self._run("UPDATE clients SET status = 'odd' WHERE id = :id", id=client_id)


_FIELDS = ("id", "email", "currency", "first_name", "last_name", "company", "group", "country", "state", "language")


class TestGenericSql(AdapterTests):
    """All of the kit."""

    @pytest.fixture
    def side(self, billing_url: str) -> Iterator[SqlSide]:
        port = {"postgresql": 5432, "mysql": 3306}.get(sa.make_url(billing_url).get_backend_name())
        wire = Wire(sa.make_url(billing_url).port or port) if port else None
        side = SqlSide(billing_url, wire)
        yield side
        side.engine.dispose()
        if wire is not None:
            wire.close()
