"""The adapter: an operator's statements, run with bound parameters, one transaction per invoice."""

import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from itertools import chain
from typing import Any, Literal

import attrs
import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from tollbridge import (
    Check,
    Client,
    Currency,
    DatabaseUrl,
    Invoice,
    InvoiceStatus,
    OutcomeUnknown,
    Receipt,
    Refused,
    Terms,
    Unavailable,
    hookimpl,
)
from tollbridge_generic_sql import rows
from tollbridge_generic_sql.checking import check_statements
from tollbridge_generic_sql.database import is_down, open_database, reason
from tollbridge_generic_sql.prepared import Prepared
from tollbridge_generic_sql.preset import PRESETS
from tollbridge_generic_sql.statements import NO_ID, REQUIRED, Queries, parameter_problems


@attrs.frozen
class GenericSqlSettings:
    """``[adapter.generic_sql]``."""

    url: DatabaseUrl = attrs.field(metadata={"doc": "any SQLAlchemy URL", "example": "sqlite:///billing.db"})
    preset: Literal["tollbridge"] | None = attrs.field(
        default=None, metadata={"doc": "the adapter's own schema; `tollbridge generic-sql init` creates it"}
    )
    queries: Queries = attrs.field(default=Queries(), metadata={"doc": "your own statements, see docs/generic_sql.md"})

    def __attrs_post_init__(self) -> None:
        try:
            open_database(self.url).dispose()
        except Refused as error:
            raise ValueError(str(error)) from None
        given = self.statements()
        missing = [name for name in REQUIRED if name not in given]
        if missing:
            raise ValueError(
                f'queries.{missing[0]}: is missing (needed: {", ".join(missing)}), and so is preset = "tollbridge"'
            )
        wrong = [f"{name} {problem}" for name, text in given.items() for problem in parameter_problems(name, text)]
        if wrong:
            raise ValueError(f"queries.{'; '.join(wrong)}")

    def statements(self) -> dict[str, str]:
        """The statements in force: the operator's own, and the preset's for the rest."""
        preset = PRESETS[self.preset].given() if self.preset else {}
        return {**preset, **self.queries.given()}


class GenericSqlAdapter:
    """Billing in any SQL database."""

    Settings = GenericSqlSettings
    in_doubt_seconds = 1.0

    def __init__(self, settings: GenericSqlSettings) -> None:
        self._settings = settings
        self._engine = open_database(settings.url)
        weakref.finalize(self, self._engine.dispose)
        given = settings.statements()
        if settings.preset and not settings.queries.insert_invoice and self._engine.dialect.name == "postgresql":
            given["insert_invoice"] += " RETURNING id"
        self._statements = {name: Prepared.of(name, text, self._engine.dialect) for name, text in given.items()}
        self._plain = self._engine.dialect.name == "sqlite"

    @hookimpl
    def client(self, client_id: int) -> Client | None:
        """The client; Refused if the statement gives two rows for one id."""
        found = self._rows("client", client_id=client_id)
        if len(found) > 1:
            raise Refused(f"the statement `client` gives {len(found)} rows for client {client_id}: it must give one")
        return rows.client(found[0]) if found else None

    @hookimpl
    def clients(self) -> Iterator[Client]:
        """All clients; a row that cannot be used is refused alone, and the next ones still come."""
        return map(rows.client, self._stream("clients"))

    @hookimpl
    def currencies(self) -> list[Currency]:
        """The currencies; none if there is no statement for them."""
        return [rows.currency(row) for row in self._rows("currencies")] if self._has("currencies") else []

    @hookimpl
    def terms(self, client: Client) -> Terms:
        """Discounts and taxes, each as far as there is a statement for it."""
        discounts = taxes = None
        compound = False
        if self._has("discounts"):
            discounts = tuple(rows.discount(row) for row in self._rows("discounts", client_id=client.id))
        if self._has("taxes"):
            found = sorted(
                (rows.tax(row) for row in self._rows("taxes", client_id=client.id)), key=lambda each: each[0]
            )
            taxes = tuple(rate for _, _, rate in found)
            compound = any(is_compound for _, is_compound, _ in found)
        return Terms(discounts, taxes, compound)

    @hookimpl
    def create_invoice(self, invoice: Invoice) -> Receipt:
        """The invoice and its lines, in one transaction."""
        sent = False
        try:
            with self._engine.begin() as connection:
                invoice_id = self._insert_invoice(connection, invoice)
                lines = (self._line(invoice_id, position, invoice) for position in range(len(invoice.lines)))
                self._statements["insert_line"].run_each(connection, lines)
                sent = True
        except SQLAlchemyError as error:
            if sent and is_down(error):
                raise OutcomeUnknown(
                    f"the database was told to keep {invoice.reference} and did not answer: {reason(error)}"
                ) from None
            if is_down(error):
                raise Unavailable(f"the database cannot be used just now: {reason(error)}") from None
            raise Refused(f"the database refuses invoice {invoice.reference}: {reason(error)}") from None
        return Receipt(
            id=invoice_id,
            reference=invoice.reference,
            client_id=invoice.client_id,
            status=InvoiceStatus.UNPAID,
            due_date=invoice.due_date,
            total=invoice.total,
        )

    @hookimpl
    def find_invoice(self, client_id: int, reference: str) -> Receipt | None:
        """The invoice with this reference."""
        found = self._rows("find_invoice", client_id=client_id, reference=reference)
        if len(found) > 1:
            raise Refused(f"the database has {len(found)} invoices with the reference {reference}: remove all but one")
        return rows.receipt(found[0]) if found else None

    @hookimpl
    def unpaid_invoices(self) -> Iterator[Receipt]:
        """Every unpaid or pending invoice; a row that cannot be used is refused alone."""
        return map(rows.receipt, self._stream("unpaid_invoices"))

    @hookimpl
    def check(self) -> list[Check]:
        """Whether the database answers and every statement fits it; nothing is written."""
        return check_statements(
            self._engine, {name: statement.text.text for name, statement in self._statements.items()}
        )

    def _has(self, name: str) -> bool:
        return name in self._statements

    def _insert_invoice(self, connection: sa.Connection, invoice: Invoice) -> Any:
        values = {
            "reference": invoice.reference,
            "client_id": invoice.client_id,
            "currency": invoice.currency,
            "issue_date": self._date(invoice.issue_date),
            "due_date": self._date(invoice.due_date),
            "subtotal": self._money(invoice.subtotal),
            "total": self._money(invoice.total),
            "notes": invoice.notes,
        }
        result = self._statements["insert_invoice"].run(connection, values)
        found = result.scalar() if result.returns_rows else getattr(result.context.cursor, "lastrowid", None)
        if not found:
            raise Refused(f"the statement `insert_invoice` {NO_ID}")
        return rows.identifier(found)

    def _line(self, invoice_id: Any, position: int, invoice: Invoice) -> dict[str, Any]:
        line = invoice.lines[position]
        return {
            "invoice_id": invoice_id,
            "position": position + 1,
            "description": line.description,
            "tokens": line.tokens,
            "amount": self._money(line.amount),
            "taxed": line.taxed,
        }

    def _money(self, amount: Decimal) -> Decimal | str:
        """SQLite's driver takes no Decimal; its digits as text keep every one of them."""
        return f"{amount:f}" if self._plain else amount

    def _date(self, day: Any) -> Any:
        return day.isoformat() if self._plain else day

    def _rows(self, name: str, **values: Any) -> list[rows.Row]:
        statement = self._statements[name]
        with self._reading(name) as connection:
            return list(statement.rows(statement.run(connection, values)))

    def _stream(self, name: str) -> Iterator[rows.Row]:
        """A long result, some thousand rows at a time; the first is read now, so that errors show now."""
        found = self._pages(name)
        try:
            return chain([next(found)], found)
        except StopIteration:
            return iter(())

    def _pages(self, name: str) -> Iterator[rows.Row]:
        statement = self._statements[name]
        with (
            self._reading(name) as connection,
            connection.execution_options(yield_per=1000).execute(statement.text) as result,
        ):
            yield from statement.rows(result)

    @contextmanager
    def _reading(self, name: str) -> Iterator[sa.Connection]:
        try:
            with self._engine.connect() as connection:
                yield connection
        except SQLAlchemyError as error:
            if is_down(error):
                words = f"the database cannot be used just now (statement `{name}`): {reason(error)}"
                raise Unavailable(words) from None
            raise Refused(f"the statement `{name}` fails: {reason(error)}") from None
