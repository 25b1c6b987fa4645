"""A statement, compiled once for its database; month end runs some of them several times for each client.

It is run by the driver itself, on a connection of SQLAlchemy's pool: SQLAlchemy's own way takes twice the processor
time, which is most of what a month's end on SQLite needs.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Self

import attrs
import sqlalchemy as sa
from sqlalchemy.engine.interfaces import DBAPICursor

from tollbridge import Refused
from tollbridge.reading import Row
from tollbridge_generic_sql.statements import column_problems


@attrs.frozen
class Answer:
    """What a statement gave.

    Attributes:
        columns: their names; None if it is no statement that gives rows.
        changed: how many rows it changed, as far as the driver knows.
        new_id: the number of the row it wrote, as far as the driver tells.
    """

    columns: list[str] | None
    rows: list[Any]
    changed: int
    new_id: Any


@attrs.define
class Prepared:
    """One of the operator's statements.

    Attributes:
        parameters: the ``:names`` in it.
        order: the parameters in the order in which the driver wants them; None if it takes them by name.
    """

    name: str
    text: sa.TextClause
    sql: str
    parameters: frozenset[str]
    order: tuple[str, ...] | None
    _columns: list[str] = attrs.Factory(list)

    @classmethod
    def of(cls, name: str, text: str, dialect: sa.Dialect) -> Self:
        """Compile a statement."""
        clause = sa.text(text)
        compiled = clause.compile(dialect=dialect)
        positions = getattr(compiled, "positiontup", None)
        sql, parameters = str(compiled), frozenset(compiled.params)
        if not parameters and dialect.paramstyle in {"format", "pyformat"}:
            sql = sql.replace("%%", "%")  # drivers unescape it only where they put something in
        return cls(name, clause, sql, parameters, None if positions is None else tuple(positions))

    def run(self, connection: sa.Connection, values: Mapping[str, Any]) -> Answer:
        """Run it with those of ``values`` that it names, and read all it gives."""
        with _cursor(connection) as cursor:
            if self.parameters:
                cursor.execute(self.sql, self._given(values))
            else:
                cursor.execute(self.sql)
            columns = None if cursor.description is None else [column[0] for column in cursor.description]
            found = [] if columns is None else list(cursor.fetchall())
            return Answer(columns, found, cursor.rowcount, getattr(cursor, "lastrowid", None))

    def run_each(self, connection: sa.Connection, many: Iterable[Mapping[str, Any]]) -> None:
        """Run it once for each of ``many``."""
        if given := [self._given(values) for values in many]:
            with _cursor(connection) as cursor:
                cursor.executemany(self.sql, given)

    def rows(self, answer: Answer) -> Iterator[Row]:
        """The rows by column name; Refused if a column is missing."""
        return self.by_name(answer.columns or [], answer.rows)

    def by_name(self, columns: Iterable[str], found: Iterable[Any]) -> Iterator[Row]:
        """Rows by column name, without regard to case, since databases differ in what they make of it.

        Raises:
            Refused: a column is missing.
        """
        if not self._columns:
            named = [str(column).lower() for column in columns]
            if problems := column_problems(self.name, set(named)):
                raise Refused(f"the statement `{self.name}` {'; '.join(problems)}")
            self._columns = named
        names = self._columns
        return (dict(zip(names, row, strict=True)) for row in found)

    def _given(self, values: Mapping[str, Any]) -> Any:
        if self.order is None:
            return {name: values[name] for name in self.parameters}
        return tuple(values[name] for name in self.order)


@contextmanager
def _cursor(connection: sa.Connection) -> Iterator[DBAPICursor]:
    """A cursor of the driver's, within the connection's transaction; its errors come as SQLAlchemy's."""
    if not connection.in_transaction():
        connection.begin()
    dialect = connection.dialect
    cursor = connection.connection.cursor()
    try:
        yield cursor
    except dialect.loaded_dbapi.Error as error:
        lost = dialect.is_disconnect(error, connection.connection, cursor)
        told = sa.exc.DBAPIError.instance(
            None, None, error, dialect.loaded_dbapi.Error, hide_parameters=True, connection_invalidated=lost,
            dialect=dialect,
        )  # fmt: skip
        if lost:
            connection.invalidate(error)
        raise told from error
    finally:
        cursor.close()
