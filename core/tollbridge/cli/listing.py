"""Long lists: as a table, as CSV or as JSON, each row written as it comes, so that a hundred thousand are no matter."""

import csv
import sys
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import Annotated, Any

import attrs
import typer
from rich.cells import cell_len
from rich.text import Text

from tollbridge.cli.output import as_json_text, out
from tollbridge.errors import UsageError
from tollbridge.words import csv_cell, for_terminal

AsCsv = Annotated[bool, typer.Option("--csv", help="Comma-separated values for a spreadsheet.")]

_MEASURED = 500  # rows that are looked at before the first is written
_GAP = "  "
_LEAST = 10


@attrs.frozen
class Column:
    """A column of a table: numbers stand on the ``right``; one that ``folds`` takes what room the others leave.

    ``least`` is its width, if the first rows have shorter cells than later ones may have.
    """

    name: str
    right: bool = False
    folds: bool = False
    least: int = 0


def one_format(*, as_json: bool, as_csv: bool) -> None:
    """Raise UsageError if both are asked for."""
    if as_json and as_csv:
        raise UsageError("--json and --csv are two formats: ask for one of them")


def print_rows(columns: Sequence[Column], rows: Iterable[Sequence[str]], *, head: bool = True) -> int:
    """Write the rows as a table that is no wider than the terminal; how many there were. None: nothing is written."""
    shown = ([for_terminal(cell, lines=False) for cell in row] for row in rows)
    first = list(islice(shown, _MEASURED))
    if not first:
        return 0
    widths = _widths(columns, first)
    if head:
        for line in _lines(columns, widths, [column.name for column in columns]):
            out.print(Text(line, style="bold", no_wrap=True))
        out.print("─" * (sum(widths) + len(_GAP) * (len(widths) - 1)))
    count = 0
    for row in chain(first, shown):
        count += 1
        for line in _lines(columns, widths, row):
            out.file.write(f"{line}\n")
    return count


def _widths(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> list[int]:
    """As wide as their cells; what does not fit is taken from those that fold, then from the widest."""
    head = [column.name for column in columns]
    least = [column.least for column in columns]
    widths = [max(most, *map(_width, cells)) for most, *cells in zip(least, head, *rows, strict=True)]
    room = out.width - len(_GAP) * (len(columns) - 1)
    while sum(widths) > room and max(widths) > 1:
        folding = [number for number, column in enumerate(columns) if column.folds and widths[number] > _LEAST]
        widest = max(folding or range(len(widths)), key=widths.__getitem__)
        widths[widest] -= 1
    return widths


def _lines(columns: Sequence[Column], widths: Sequence[int], row: Sequence[str]) -> Iterator[str]:
    """The lines of one row; a cell that is too wide goes on in the next."""
    folded = [_folded(cell, width) for cell, width in zip(row, widths, strict=True)]
    for number in range(max(map(len, folded))):
        cells = [cell[number] if number < len(cell) else "" for cell in folded]
        padded = (_padded(*each) for each in zip(columns, widths, cells, strict=True))
        yield _GAP.join(padded).rstrip()


def _width(cell: str) -> int:
    return len(cell) if cell.isascii() else cell_len(cell)


def _folded(cell: str, width: int) -> list[str]:
    if _width(cell) <= width:
        return [cell]
    return [line.plain.rstrip() for line in Text(cell).wrap(out, width, overflow="fold")]


def _padded(column: Column, width: int, cell: str) -> str:
    padding = " " * (width - _width(cell))
    return padding + cell if column.right else cell + padding


def print_csv(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Write CSV: money with all its digits, nothing for what is not known, no formulas and no control characters."""
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(header)
    writer.writerows([csv_cell(value) for value in row] for row in rows)


def print_json_list(documents: Iterable[Any]) -> None:
    """One JSON list on standard output, each entry written as it comes."""
    separator = "["
    for document in documents:
        sys.stdout.write(f"{separator}\n{as_json_text(document)}")
        separator = ","
    sys.stdout.write("[]\n" if separator == "[" else "\n]\n")
