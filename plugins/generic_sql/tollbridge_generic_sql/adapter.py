"""The adapter: an operator's statements, run with bound parameters, one transaction per invoice."""

import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from datetime import date
from itertools import chain
from typing import Any, Literal, TypeVar
from urllib.parse import quote, urlsplit

import attrs
import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from tollbridge import (
    NOBODY,
    AddressTaken,
    Check,
    Client,
    Currency,
    DatabaseUrl,
    Invoice,
    NotFound,
    OutcomeUnknown,
    Receipt,
    Refused,
    Signup,
    Terms,
    TollbridgeError,
    Unavailable,
    hookimpl,
)
from tollbridge.asking import whole_list
from tollbridge.fields import FieldError, web_address
from tollbridge.reading import Row, whole
from tollbridge_generic_sql import parameters, rows
from tollbridge_generic_sql.checking import check_statements
from tollbridge_generic_sql.database import is_down, open_database, reason, was_rolled_back
from tollbridge_generic_sql.locks import LOCKING, locked
from tollbridge_generic_sql.passwords import Logins, Scheme
from tollbridge_generic_sql.prepared import Prepared
from tollbridge_generic_sql.presets import preset_called
from tollbridge_generic_sql.statements import REQUIRED, TELL_ID, Queries, parameter_problems
from tollbridge_generic_sql.writing import Transaction, taken, the_client

Value = TypeVar("Value")

_RETRIES = 2
_NEEDED = {
    "create_client": "insert_client",
    "authenticate": "login",
    "invoice": "invoice",
    "invoices_since": "invoices_since",
}

_NUMBER = "{invoice_id}"
_UNTOLD_LINES = "try whether your own insert_line keeps amounts below zero, and say negative_lines = true"


class _GaveWay(Unavailable):
    """The database gave the transaction up for another's sake: nothing of it is left, and it may be tried again."""


def _pay_address(_instance: object, attribute: "attrs.Attribute[Any]", value: str | None) -> None:
    """The value is an address in whose path or query an invoice's number has one place."""
    if value is None:
        return
    before, _, after = value.partition(_NUMBER)
    if value.count(_NUMBER) != 1 or not {*"{}"}.isdisjoint(before + after):
        example = f'"https://billing.example.com/pay/{_NUMBER}"'
        raise FieldError(attribute.name, f"must have {_NUMBER} once and no other braces, such as {example}")
    try:
        parts = urlsplit(before + after)
    except ValueError:
        parts = urlsplit("")
    web_address(_instance, attribute, f"{parts.scheme}://{parts.netloc}{parts.path}")
    if "/" not in before.partition("://")[2] or not value.isprintable() or " " in value:
        raise FieldError(attribute.name, f"must have {_NUMBER} behind the host, and no spaces")


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
    password_scheme: Scheme = attrs.field(
        default="bcrypt", metadata={"doc": "how passwords of new clients are hashed: bcrypt or argon2id"}
    )
    pay_url: str | None = attrs.field(
        default=None,
        validator=_pay_address,
        metadata={
            "doc": "where a client pays an invoice, by the number in your database",
            "example": "https://billing.example.com/pay/{invoice_id}",
        },
    )
    negative_lines: bool = attrs.field(
        default=False, metadata={"doc": "whether your own insert_line keeps amounts below zero; the presets' do"}
    )

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
        if "insert_client" in given and "login" not in given:
            raise ValueError(
                "queries.insert_client: needs queries.login, which tells whether an address is a client's already;"
                ' give both, or switch it off with insert_client = ""'
            )
        if wrong := parameter_problems(given):
            raise ValueError(f"queries.{'; '.join(wrong)}")

    def statements(self, preset: Queries) -> dict[str, str]:
        """The statements in force: the operator's own, and the preset's for the rest; an empty one is none."""
        return {name: text for name, text in {**preset.given(), **self.queries.given()}.items() if text.strip()}


class GenericSqlAdapter:
    """Billing in any SQL database.

    Attributes:
        at_once: SQLite has one writer.
        in_doubt_seconds: none where the database has a lock, since whoever writes an invoice looks for it first.
    """

    Settings = GenericSqlSettings

    def __init__(self, settings: GenericSqlSettings) -> None:
        self._settings = settings
        self._preset = preset_called(settings.preset)
        self._given = settings.statements(self._preset.queries)
        own = settings.queries.given()
        self.cannot = {
            **({"negative_lines": _UNTOLD_LINES} if "insert_line" in own and not settings.negative_lines else {}),
            **({} if settings.pay_url else {"invoice_url": "give its address in pay_url"}),
            **{hook: _not_given(name) for hook, name in _NEEDED.items() if name not in self._given},
            **self._preset.cannot,
        }
        self._nothing = {name: why for name, why in self._preset.nothing.items() if name not in own}
        self._older = {name: why for name, why in self._preset.older.items() if name not in own}
        self._made: Mapping[str, Prepared] | None = None
        self._logins = Logins(settings.password_scheme)
        self._engine = open_database(settings.url)
        kind = self._engine.dialect.name
        self.at_once = 1 if kind == "sqlite" else 8
        self.in_doubt_seconds = 0.0 if kind in LOCKING else 1.0
        weakref.finalize(self, self._engine.dispose)

    @hookimpl
    def client(self, client_id: int) -> Client | None:
        """The client; Refused if the statement gives two rows for one id."""
        return the_client(self._rows("client", client_id=client_id), client_id)

    @hookimpl
    def clients(self) -> Iterator[Client | Refused]:
        """All clients; a row that cannot be used is refused alone, and the next ones still come.

        A list with fewer columns than the statement `client` has is a list of numbers, and each client is read by
        that: what a column left out says is not known, and must not be taken for empty.
        """
        listed = self._stream("clients")
        first = next(listed, None)
        if first is None:
            return iter(())
        known = self._rows("client", client_id=first.get("id"))
        if known and known[0].keys() - first.keys():
            return self._one_by_one(chain([first], listed))
        return map(rows.client, chain([first], listed))

    def _one_by_one(self, listed: Iterator[Row]) -> Iterator[Client | Refused]:
        for row in listed:
            try:
                client = self.client(whole(row, "id", "a client in the database"))
            except Refused as error:
                yield error
            else:
                yield from () if client is None else (client,)

    @hookimpl
    def currencies(self) -> list[Currency]:
        """The currencies; none if there is no statement for them."""
        return [rows.currency(row) for row in self._rows("currencies")] if self._has("currencies") else []

    @hookimpl
    def terms(self, client: Client, month_start: date, month_end: date) -> Terms:
        """Discounts and taxes in a month, each as far as there is a statement for it."""
        discounts = taxes = None
        compound = False
        of = {"client_id": client.id, "month_start": self._day(month_start), "month_end": self._day(month_end)}
        if self._has("discounts"):
            found = [] if client.id == NOBODY else self._rows("discounts", **of)
            discounts = tuple(rows.discount(row) for row in found)
        if client.id == NOBODY and self._has("taxes"):
            of["client_id"] = self._taxpayer_in(client.country)
        if self._has("taxes"):
            due = sorted((rows.tax(row) for row in self._rows("taxes", **of)), key=lambda each: each[0])
            taxes = tuple(rate for _, _, rate in due)
            compound = any(is_compound for _, is_compound, _ in due)
        return Terms(discounts, taxes, compound)

    def _taxpayer_in(self, country: str) -> int:
        """Somebody who pays the taxes of a country, for the statement tells them by client only; NotFound if nobody."""
        for each in self.clients():
            if isinstance(each, Client) and each.country.upper() == country and not each.tax_exempt:
                return each.id
        raise NotFound(f"no client in {country} pays taxes, so the statement `taxes` cannot tell those there")

    @hookimpl
    def create_invoice(self, invoice: Invoice) -> Receipt:
        """The invoice and its lines, in one transaction; after a deadlock, which leaves nothing behind, twice more.

        Of several who write it at once one does, and all get its receipt.
        """
        if "negative_lines" in self.cannot and any(line.amount < 0 for line in invoice.lines):
            raise Refused(f"{invoice.reference} has lines below zero: {self.cannot['negative_lines']}")
        fitting = self._preset.fit(invoice)
        what = f"invoice {invoice.reference}"
        return self._kept(what, lambda transaction: transaction.invoice(fitting), invoice.reference)

    @hookimpl
    def find_invoice(self, client_id: int, reference: str) -> Receipt | None:
        """The invoice with this reference."""
        statements = self._statements()
        with self._reading("the statement `find_invoice`") as connection:
            return Transaction(connection, statements, reference, {}).find_invoice(client_id, reference)

    @hookimpl
    def unpaid_invoices(self) -> Iterator[Receipt]:
        """Every unpaid or pending invoice; a row that cannot be used is refused alone."""
        return map(rows.receipt, self._stream("unpaid_invoices"))

    @hookimpl
    def invoice(self, client_id: int, invoice_id: str) -> Receipt | None:
        """The invoice with this number."""
        found = self._rows("invoice", client_id=client_id, invoice_id=invoice_id)
        if len(found) > 1:
            raise Refused(f"the statement `invoice` gives {len(found)} rows for invoice {invoice_id}: it must give one")
        return rows.receipt(found[0]) if found else None

    @hookimpl
    def invoices_since(self, day: date) -> Iterator[Receipt]:
        """Every invoice made since; a row that cannot be used is refused alone."""
        return map(rows.receipt, self._stream("invoices_since", day=self._day(day)))

    @hookimpl
    def invoice_url(self, client_id: int, invoice_id: str) -> str | None:  # noqa: ARG002 - numbers are nobody's own
        """The address of ``pay_url``, with the invoice's number."""
        pattern = self._settings.pay_url
        return pattern.replace(_NUMBER, quote(invoice_id, safe="")) if pattern else None

    @hookimpl
    def close(self) -> None:
        """The connections that are kept open."""
        self._engine.dispose()

    @hookimpl
    def check(self) -> list[Check]:
        """Whether the database answers and every statement fits it; nothing is written."""
        self._forget()
        return check_statements(
            self._engine,
            lambda: {name: statement.text.text for name, statement in self._statements().items()},
            self._older,
        )

    @hookimpl
    def create_client(self, signup: Signup) -> Client:
        """The client as `client` finds it; AddressTaken if `login` finds somebody with the address, now or meanwhile.

        In one transaction, like an invoice.
        """
        for name in ("login", "insert_client"):
            self._statement(name)
        values = parameters.of_signup(signup, self._settings.password_scheme)
        with _without(values["password_hash"]):
            try:
                return self._kept(f"the client {signup.email}", lambda transaction: transaction.client(values))
            except AddressTaken:
                raise
            except Refused:
                if self._rows("login", email=signup.email):  # another one was faster, and the address is unique
                    raise taken(signup.email) from None
                raise

    @hookimpl
    def authenticate(self, email: str, password: str) -> Client | None:
        """The client whose password it is; where nobody has the address, it takes as long as where somebody has.

        Raises:
            Refused: somebody's hash cannot be compared with, or several clients have this address and password.
        """
        if not email or not password:
            return None
        ids = self._logins.whose(password, self._rows("login", email=email))
        if len(ids) > 1:
            numbers = ", ".join(map(str, sorted(ids)))
            raise Refused(f"{email} logs in as several clients with one password: {numbers}. Change all but one")
        return self.client(ids.pop()) if ids else None

    def _statements(self) -> Mapping[str, Prepared]:
        """The statements in force, made when the first is needed: a preset may have to look at the tables."""
        made = self._made
        if made is None:
            made = self._made = self._fitted()
        return made

    def _fitted(self) -> Mapping[str, Prepared]:
        preset, dialect = self._preset.queries, self._engine.dialect
        if self._preset.fitted:
            with self._reading("looking at the tables") as connection:
                preset = self._preset.fitted(connection)
        given = self._settings.statements(preset)
        if dialect.name == "postgresql":
            for name in TELL_ID:
                if name in given and given[name] == getattr(preset, name):
                    given[name] += " RETURNING id"
        return {name: Prepared.of(name, text, dialect) for name, text in given.items()}

    def _forget(self) -> None:
        """After a statement failed, look at the tables anew the next time: they may be those of a newer version."""
        if self._preset.fitted:
            self._made = None

    def _day(self, day: date) -> date | str:
        """A day as the database takes it: SQLite has it as text."""
        return parameters.date_of(day, plain=self._engine.dialect.name == "sqlite")

    def _has(self, name: str) -> bool:
        return name in self._given

    def _statement(self, name: str) -> Prepared:
        """The statement; Refused if there is none, Unavailable if the tables are too old for it."""
        found = self._statements().get(name)
        if found is None and name in self._older:  # the tables may have been brought up to date meanwhile
            self._forget()
            found = self._statements().get(name)
        if found is None and name in self._older:
            raise Unavailable(self._older[name])
        if found is None:
            raise Refused(_not_given(name))
        return found

    def _kept(self, what: str, write: Callable[[Transaction], Value], lock: str = "") -> Value:
        """What ``write`` gives, in one transaction; after a deadlock, which leaves nothing behind, twice more.

        ``lock`` is what nobody else may be writing meanwhile.
        """
        for _ in range(_RETRIES):
            with suppress(_GaveWay):
                return self._kept_once(what, write, lock)
        return self._kept_once(what, write, lock)

    def _kept_once(self, what: str, write: Callable[[Transaction], Value], lock: str) -> Value:
        statements = self._statements()
        sent = False
        try:
            with self._engine.connect() as connection, locked(connection, lock) if lock else nullcontext():
                written = write(Transaction(connection, statements, what, self._nothing))
                sent = True
                _commit(connection)
        except SQLAlchemyError as error:
            self._forget()
            why = reason(error)
            if was_rolled_back(error):
                raise _GaveWay(f"the database is too busy just now: {why}") from None
            if sent and is_down(error):
                raise OutcomeUnknown(f"the database was told to keep {what} and did not answer: {why}") from None
            if is_down(error):
                raise Unavailable(f"the database cannot be used just now: {why}") from None
            raise Refused(f"the database refuses {what}: {why}") from None
        return written

    def _rows(self, name: str, **values: Any) -> list[Row]:
        statement = self._statement(name)
        with self._reading(f"the statement `{name}`") as connection:
            return list(statement.rows(statement.run(connection, values)))

    def _stream(self, name: str, **values: Any) -> Iterator[Row]:
        """A long result, some thousand rows at a time; the first is read now, so that errors show now.

        What the database refuses is the whole list, and not one of its rows.
        """
        found = self._pages(name, values)
        try:
            return chain([next(found)], found)
        except StopIteration:
            return iter(())

    def _pages(self, name: str, values: Mapping[str, Any]) -> Iterator[Row]:
        with whole_list():
            statement = self._statement(name)
        given = {key: value for key, value in values.items() if key in statement.parameters}
        with (
            whole_list(),
            self._reading(f"the statement `{name}`") as connection,
            connection.execution_options(yield_per=1000).execute(statement.text, given) as result,
        ):
            yield from statement.by_name(result.keys(), result)

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


def _commit(connection: sa.Connection) -> None:
    """Commit; a connection that cannot is given up, for SQLite's would keep the file locked against everybody."""
    try:
        connection.commit()
    except SQLAlchemyError:
        connection.invalidate()
        raise


def _not_given(name: str) -> str:
    return f"there is no statement `{name}`: give one in [adapter.generic_sql.queries]"


@contextmanager
def _without(secret: str) -> Iterator[None]:
    """Within it, no error shows the secret; some databases repeat a value that they do not like."""
    try:
        yield
    except TollbridgeError as error:
        error.args = (str(error).replace(secret, "…"),)
        raise
