"""The adapter: an operator's statements, run with bound parameters, one transaction per invoice."""

import weakref
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cached_property
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
from tollbridge.reading import Row
from tollbridge_generic_sql import parameters, rows
from tollbridge_generic_sql.checking import check_statements
from tollbridge_generic_sql.database import is_down, open_database, reason, was_rolled_back
from tollbridge_generic_sql.prepared import Prepared
from tollbridge_generic_sql.presets import preset_called
from tollbridge_generic_sql.statements import NO_ID, REQUIRED, Queries, parameter_problems

_RETRIES = 2


class _GaveWay(Unavailable):
    """The database gave the transaction up for another's sake: nothing of it is left, and it may be tried again."""


@attrs.frozen
class GenericSqlSettings:
    """``[adapter.generic_sql]``."""

    url: DatabaseUrl = attrs.field(metadata={"doc": "any SQLAlchemy URL", "example": "sqlite:///billing.db"})
    preset: Literal["tollbridge", "fossbilling"] | None = attrs.field(
        default=None,
        metadata={
            "doc": "a schema that is known: tollbridge (its own, see `tollbridge generic-sql init`) or fossbilling"
        },
    )
    queries: Queries = attrs.field(default=Queries(), metadata={"doc": "your own statements, see docs/generic_sql.md"})

    def __attrs_post_init__(self) -> None:
        try:
            engine = open_database(self.url)
        except Refused as error:
            raise ValueError(str(error)) from None
        engine.dispose()
        preset = preset_called(self.preset)
        if preset.dialects and engine.dialect.name not in preset.dialects:
            raise ValueError(f'preset = "{self.preset}" is for {" and ".join(sorted(preset.dialects))}')
        given = self.statements(preset.queries)
        missing = [name for name in REQUIRED if name not in given]
        if missing:
            raise ValueError(
                f'queries.{missing[0]}: is missing (needed: {", ".join(missing)}), and so is preset = "tollbridge"'
            )
        if wrong := parameter_problems(given):
            raise ValueError(f"queries.{'; '.join(wrong)}")

    def statements(self, preset: Queries) -> dict[str, str]:
        """The statements in force: the operator's own, and the preset's for the rest; an empty one is none."""
        return {name: text for name, text in {**preset.given(), **self.queries.given()}.items() if text.strip()}


class GenericSqlAdapter:
    """Billing in any SQL database."""

    Settings = GenericSqlSettings
    in_doubt_seconds = 1.0

    def __init__(self, settings: GenericSqlSettings) -> None:
        self._settings = settings
        self._preset = preset_called(settings.preset)
        self.cannot = self._preset.cannot
        self._engine = open_database(settings.url)
        weakref.finalize(self, self._engine.dispose)
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
        """The invoice and its lines, in one transaction; after a deadlock, which leaves nothing behind, once more."""
        invoice = self._preset.fit(invoice)
        for _ in range(_RETRIES):
            with suppress(_GaveWay):
                return self._create(invoice)
        return self._create(invoice)

    @hookimpl
    def find_invoice(self, client_id: int, reference: str) -> Receipt | None:
        """The invoice with this reference."""
        statement = self._statements["find_invoice"]
        with self._reading("the statement `find_invoice`") as connection:
            return _find(connection, statement, client_id, reference)

    @hookimpl
    def unpaid_invoices(self) -> Iterator[Receipt]:
        """Every unpaid or pending invoice; a row that cannot be used is refused alone."""
        return map(rows.receipt, self._stream("unpaid_invoices"))

    @hookimpl
    def check(self) -> list[Check]:
        """Whether the database answers and every statement fits it; nothing is written."""
        self._forget()
        return check_statements(
            self._engine, lambda: {name: statement.text.text for name, statement in self._statements.items()}
        )

    @cached_property
    def _statements(self) -> Mapping[str, Prepared]:
        """The statements in force, made when the first is needed: a preset may have to look at the tables."""
        preset, dialect = self._preset.queries, self._engine.dialect
        if self._preset.fitted:
            with self._reading("looking at the tables") as connection:
                preset = self._preset.fitted(connection)
        given = self._settings.statements(preset)
        if dialect.name == "postgresql" and given["insert_invoice"] == preset.insert_invoice:
            given["insert_invoice"] += " RETURNING id"
        return {name: Prepared.of(name, text, dialect) for name, text in given.items()}

    def _forget(self) -> None:
        """After a statement failed, look at the tables anew the next time: they may be those of a newer version."""
        if self._preset.fitted:
            self.__dict__.pop("_statements", None)

    def _has(self, name: str) -> bool:
        return name in self._statements

    def _create(self, invoice: Invoice) -> Receipt:
        statements = self._statements
        sent = False
        try:
            with self._engine.begin() as connection:
                receipt = self._write(connection, statements, invoice)
                sent = True
        except SQLAlchemyError as error:
            self._forget()
            why = reason(error)
            if was_rolled_back(error):
                raise _GaveWay(f"the database is too busy just now: {why}") from None
            if sent and is_down(error):
                words = f"the database was told to keep {invoice.reference} and did not answer: {why}"
                raise OutcomeUnknown(words) from None
            if is_down(error):
                raise Unavailable(f"the database cannot be used just now: {why}") from None
            raise Refused(f"the database refuses invoice {invoice.reference}: {why}") from None
        return receipt

    def _write(self, connection: sa.Connection, statements: Mapping[str, Prepared], invoice: Invoice) -> Receipt:
        """All rows of the invoice.

        With ``before_invoice`` nobody else can be writing one until this transaction ends. So it can be told for sure
        that the reference is not there yet, and what the database makes of the invoice is read back.
        """
        values = parameters.of_invoice(invoice, plain=self._plain)
        find, before = statements["find_invoice"], statements.get("before_invoice")
        if before:
            values["number"] = self._first(before, before.run(connection, values), invoice)
            if found := _find(connection, find, invoice.client_id, invoice.reference):
                raise Refused(f"{invoice.reference} is there already: the invoice {found.id}")
        insert = statements["insert_invoice"]
        result = insert.run(connection, values)
        returned, new = result.returns_rows, self._first(insert, result, invoice)
        new = new if returned else getattr(result.context.cursor, "lastrowid", None)
        if not new:
            raise Refused(f"the statement `insert_invoice` {NO_ID}")
        invoice_id = rows.identifier(new)
        lines = parameters.of_lines(invoice, invoice_id, values, plain=self._plain)
        statements["insert_line"].run_each(connection, lines)
        if not before:
            return Receipt(
                id=invoice_id,
                reference=invoice.reference,
                client_id=invoice.client_id,
                status=InvoiceStatus.UNPAID,
                due_date=invoice.due_date,
                total=invoice.total,
            )
        receipt = _find(connection, find, invoice.client_id, invoice.reference)
        if receipt is None:
            raise Refused(
                f"the statement `find_invoice` would not find {invoice.reference} again, so it is not written"
            )
        return receipt

    def _first(self, statement: Prepared, result: sa.CursorResult[Any], invoice: Invoice) -> Any:
        """The first value that a writing statement gives, if it gives any; Refused if it found nothing to do."""
        row = result.first() if result.returns_rows else None
        if row is None if result.returns_rows else result.rowcount == 0:
            why = f"the statement `{statement.name}` finds nothing to do"
            if getattr(self._settings.queries, statement.name) is None:
                why = self._preset.nothing.get(statement.name, why)
            raise Refused(f"{invoice.reference} is not written: {why}")
        return row[0] if row else None

    def _rows(self, name: str, **values: Any) -> list[Row]:
        statement = self._statements[name]
        with self._reading(f"the statement `{name}`") as connection:
            return list(statement.rows(statement.run(connection, values)))

    def _stream(self, name: str) -> Iterator[Row]:
        """A long result, some thousand rows at a time; the first is read now, so that errors show now."""
        found = self._pages(name)
        try:
            return chain([next(found)], found)
        except StopIteration:
            return iter(())

    def _pages(self, name: str) -> Iterator[Row]:
        statement = self._statements[name]
        with (
            self._reading(f"the statement `{name}`") as connection,
            connection.execution_options(yield_per=1000).execute(statement.text) as result,
        ):
            yield from statement.rows(result)

    @contextmanager
    def _reading(self, what: str) -> Iterator[sa.Connection]:
        try:
            with self._engine.connect() as connection:
                yield connection
        except SQLAlchemyError as error:
            if is_down(error):
                raise Unavailable(f"the database cannot be used just now ({what}): {reason(error)}") from None
            self._forget()
            raise Refused(f"{what} fails: {reason(error)}") from None


def _find(connection: sa.Connection, statement: Prepared, client_id: int, reference: str) -> Receipt | None:
    found = list(statement.rows(statement.run(connection, {"client_id": client_id, "reference": reference})))
    if len(found) > 1:
        raise Refused(f"the database has {len(found)} invoices with the reference {reference}: remove all but one")
    return rows.receipt(found[0]) if found else None
