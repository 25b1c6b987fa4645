"""Trying an operator's statements without writing anything."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from tollbridge import Check, Refused
from tollbridge.words import counted
from tollbridge_generic_sql import rows
from tollbridge_generic_sql.database import reason
from tollbridge_generic_sql.statements import NO_ID, SHAPES, TELL_ID, column_problems

_SAMPLE = 1000
# The sequences that number a table's rows; those of identity columns need no right of their own.
_SEQUENCES = sa.text("""
    SELECT s.oid::regclass::text, has_sequence_privilege(s.oid, 'USAGE')
    FROM pg_depend d JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S'
    JOIN pg_class t ON t.oid = d.refobjid JOIN pg_namespace n ON n.oid = t.relnamespace
    WHERE d.deptype = 'a' AND n.nspname = :schema AND t.relname = :table
""")
_EXPLAINS = {"sqlite", "postgresql", "mysql", "mariadb"}
_NOBODY = {
    "client_id": 0, "reference": "", "email": "", "invoice_id": "0", "day": "2999-12-31",
    "month_start": "2999-12-01", "month_end": "3000-01-01",
}  # fmt: skip
_WITHOUT = {
    "currencies": "amounts are written as ISO 4217 has them",
    "discounts": "bridge.toml's apply",
    "taxes": "bridge.toml's apply",
    "invoice": "one is looked for by its reference, as its client's",
    "invoices_since": "each is looked for by its reference",
    "login": "nobody can log in on the pages",
    "insert_client": "nobody can sign up on the pages",
}


def check_statements(
    engine: sa.Engine, fitted: Callable[[], Mapping[str, str]], older: Mapping[str, str]
) -> list[Check]:
    """One check for the connection and one for each of the ``fitted`` statements.

    Reading statements are run; writing ones are only explained by the database, which proves their tables and columns.
    ``older`` says why a statement of the preset may not fit this database.
    """
    try:
        with engine.connect():
            pass
    except SQLAlchemyError as error:
        return [Check("database", ok=False, detail=f"cannot be reached: {reason(error)}")]
    try:
        statements = fitted()
    except Refused as error:
        return [Check("database", ok=False, detail=str(error))]
    checks = [Check("database", ok=True, detail=engine.dialect.name), *_writable(engine)]
    checks += [_checked(engine, name, text) for name, text in statements.items()]
    if not any(check.ok is False for check in checks):
        checks.append(_one_row_each(engine, statements))
    return checks + [
        Check(f"statement {name}", ok=True, detail=f"{older.get(name, 'not given')}: {without}")
        for name, without in _WITHOUT.items()
        if name not in statements
    ]


def _checked(engine: sa.Engine, name: str, text: str) -> Check:
    try:
        problems = _problems(engine, name, text)
    except SQLAlchemyError as error:
        problems = [f"fails: {reason(error)}"]
    if problems:
        return Check(f"statement {name}", ok=False, detail="; ".join(problems))
    unproved = "" if SHAPES[name].reads else _unproved(engine, text)
    return Check(f"statement {name}", ok=None if unproved else True, detail=unproved or "fits")


def _writable(engine: sa.Engine) -> Iterator[Check]:
    """Whether anything can be written at all, as far as no statement's EXPLAIN proves it."""
    try:
        with engine.connect() as connection:
            if engine.dialect.name == "sqlite":
                # A file that may only be read lets a transaction begin, and refuses the first change, if it changes
                # nothing, too. It is never kept.
                connection.exec_driver_sql("BEGIN IMMEDIATE")
                version = connection.exec_driver_sql("PRAGMA user_version").scalar()
                connection.exec_driver_sql(f"PRAGMA user_version = {version}")
                connection.rollback()
            elif (
                engine.dialect.name == "postgresql" and connection.scalar(sa.text("SHOW transaction_read_only")) == "on"
            ):
                words = "it takes no writes from this user: it is a standby, or default_transaction_read_only is on"
                yield Check("database writes", ok=False, detail=words)
    except SQLAlchemyError as error:
        yield Check("database writes", ok=False, detail=f"nothing can be written: {reason(error)}")


def _unproved(engine: sa.Engine, text: str) -> str:
    """What of the right to run a writing statement could not be proved by having it explained; empty if nothing."""
    if engine.dialect.name not in _EXPLAINS:
        return "could not be proved: this database explains nothing without doing it"
    if engine.dialect.name != "postgresql":
        return ""
    statement = sa.text(text)
    with engine.connect() as connection:
        values: dict[str, Any] = dict.fromkeys(statement.compile().params)
        plans = connection.scalar(sa.text(f"EXPLAIN (VERBOSE, FORMAT JSON) {text}"), values)
        table = plans[0]["Plan"]
        if table.get("Node Type") != "ModifyTable":
            return ""
        where = {"schema": table["Schema"], "table": table["Relation Name"]}
        missing = [name for name, allowed in connection.execute(_SEQUENCES, where) if not allowed]
    words = "could not be proved: it may not use the sequence"
    return f"{words} {', '.join(missing)}, unless it gives that number itself: GRANT USAGE" if missing else ""


def _problems(engine: sa.Engine, name: str, text: str) -> list[str]:
    statement = sa.text(text)
    values: dict[str, Any] = dict.fromkeys(statement.compile().params)
    with engine.connect() as connection:
        if not SHAPES[name].reads:
            if name in TELL_ID and engine.dialect.name == "postgresql" and "returning" not in text.lower():
                return [NO_ID]
            if engine.dialect.name in _EXPLAINS:
                connection.execute(sa.text(f"EXPLAIN {text}"), values)
            return []
        values.update({key: nobody for key, nobody in _NOBODY.items() if key in values})
        return column_problems(name, _columns(connection.execute(statement, values)))


def _one_row_each(engine: sa.Engine, statements: Mapping[str, str]) -> Check:
    """Whether `clients` lists usable rows, each id once, and `client` gives one row for each of the first thousand."""
    name = "one row for each client"
    one = sa.text(statements["client"])
    seen: set[int] = set()
    with (
        engine.connect() as single,
        engine.connect().execution_options(yield_per=_SAMPLE) as listing,
        listing.execute(sa.text(statements["clients"])) as result,
    ):
        columns = [str(key).lower() for key in result.keys()]  # noqa: SIM118 - not a dict
        for row in result:
            try:
                client_id = rows.client(dict(zip(columns, row, strict=True))).id
            except Refused as error:
                return Check(name, ok=False, detail=str(error))
            if client_id in seen:
                return Check(
                    name, ok=False, detail=f"`clients` lists client {client_id} twice: join less, or use DISTINCT"
                )
            seen.add(client_id)
            if len(seen) > _SAMPLE:
                continue
            count = len(single.execute(one, {"client_id": client_id}).all())
            if count != 1:
                return Check(
                    name, ok=False, detail=f"`client` gives {count} rows for client {client_id}: it must give one"
                )
    return Check(name, ok=True, detail=counted(len(seen), "client"))


def _columns(result: sa.CursorResult[Any]) -> set[str]:
    return {str(key).lower() for key in result.keys()}  # noqa: SIM118 - not a dict
