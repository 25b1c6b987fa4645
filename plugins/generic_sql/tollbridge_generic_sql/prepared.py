"""A statement, compiled once for its database; month end runs some of them several times for each client."""

from collections.abc import Iterable, Mapping
from typing import Any, Self

import attrs
import sqlalchemy as sa

from tollbridge import Refused
from tollbridge_generic_sql.statements import column_problems


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
        order = None if positions is None else tuple(positions)
        return cls(name, clause, str(compiled), frozenset(compiled.params), order)

    def run(self, connection: sa.Connection, values: Mapping[str, Any]) -> sa.CursorResult[Any]:
        """Run it with those of ``values`` that it names."""
        if not self.parameters:
            return connection.execute(self.text)
        return connection.exec_driver_sql(self.sql, self._given(values))

    def run_each(self, connection: sa.Connection, many: Iterable[Mapping[str, Any]]) -> None:
        """Run it once for each of ``many``."""
        if rows := [self._given(values) for values in many]:
            connection.exec_driver_sql(self.sql, rows)

    def rows(self, result: sa.CursorResult[Any]) -> Iterable[dict[str, Any]]:
        """The rows by column name, without regard to case, since databases differ in what they make of it.

        Raises:
            Refused: a column is missing.
        """
        if not self._columns:
            columns = [str(key).lower() for key in result.keys()]  # noqa: SIM118 - not a dict
            if problems := column_problems(self.name, set(columns)):
                raise Refused(f"the statement `{self.name}` {'; '.join(problems)}")
            self._columns = columns
        columns = self._columns
        return (dict(zip(columns, row, strict=True)) for row in result)

    def _given(self, values: Mapping[str, Any]) -> Any:
        if self.order is None:
            return {name: values[name] for name in self.parameters}
        return tuple(values[name] for name in self.order)
