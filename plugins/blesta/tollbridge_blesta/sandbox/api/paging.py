"""Sorting and paging of lists."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from tollbridge_blesta.sandbox.api.calls import Call
from tollbridge_blesta.sandbox.api.php import Array
from tollbridge_blesta.sandbox.problems import crashed


class _Row(Protocol):
    @property
    def id(self) -> int: ...


RowT = TypeVar("RowT", bound=_Row)
Columns = Mapping[str, Callable[[Any], Any]]


def page_of(call: Call, rows: Sequence[RowT], columns: Columns, order_by: Array) -> list[RowT]:
    """The rows of the page that is wanted, in this order; none beyond the last page."""
    size = call.install.page_size
    first = (call.page - 1) * size
    turned = call.install.quirks.unstable_ties and call.page % 2 == 0
    return in_order(rows, order_by, columns, turned=turned)[first : first + size]


def in_order(rows: Sequence[RowT], order_by: Array, columns: Columns, *, turned: bool = False) -> list[RowT]:
    """The rows by the columns in ``order_by``; those that sort alike by id, or the other way round if ``turned``.

    A column there is none of is a 500, since it goes into the query as it came.
    """
    ordered = sorted(rows, key=lambda row: row.id, reverse=turned)
    for column, direction in reversed(order_by.items()):
        value = columns.get(column)
        if value is None or not isinstance(direction, str) or direction.lower() not in {"asc", "desc"}:
            raise crashed()
        ordered.sort(key=_nulls_first(value), reverse=direction.lower() == "desc")
    return ordered


def _nulls_first(value: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def key(row: Any) -> Any:
        found = value(row)
        return (found is not None, found)

    return key
