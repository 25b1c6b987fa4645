"""Trying an operator's statements without writing anything."""

from collections.abc import Callable, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from tollbridge import Check, Refused
from tollbridge.words import counted
from tollbridge_generic_sql import rows
from tollbridge_generic_sql.database import reason
from tollbridge_generic_sql.statements import NO_ID, SHAPES, TELL_ID, column_problems

_SAMPLE = 1000
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
    checks = [Check("database", ok=True, detail=engine.dialect.name)]
    checks += [_checked(engine, name, text) for name, text in statements.items()]
    if all(check.ok for check in checks):
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
    return Check(f"statement {name}", ok=not problems, detail="; ".join(problems) or "fits")


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
