"""What the operator's pages are made of: sheets of sections, whose tables are shown and sent as CSV alike.

Values are plain here (numbers, money, days, moments); ``writing`` makes words of them, in the reader's language.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from types import MappingProxyType

import attrs

from tollbridge.rules.calendar import Month

PAGE_ROWS = 50


@attrs.frozen
class Words:
    """A sentence of the catalogue, with its values."""

    key: str
    values: Mapping[str, "Value"] = attrs.field(factory=lambda: MappingProxyType({}))


@attrs.frozen
class Amount:
    """Money, with the code of its currency."""

    value: Decimal
    currency: str


@attrs.frozen
class Link:
    """Text that leads to another of the operator's pages, or with a ``#`` within one; ``to`` is below ours."""

    text: "Plain"
    to: str


@attrs.frozen
class Told:
    """What the bridge itself says, in English as its commands do; commands stand between backticks."""

    text: str


@attrs.frozen
class Commands:
    """What to type, one command a line."""

    lines: tuple[str, ...]


@attrs.frozen
class Badge:
    """A state: a word, and whether it is ``good``, ``bad``, to ``wait`` for, or none of these."""

    words: Words
    kind: str = ""


Plain = str | int | Decimal | date | datetime | Month
Value = Plain | Words | Amount | Link | Told | Commands | Badge | None


@attrs.frozen
class Column:
    """``name`` is the header of the CSV, and the key of the text above the column; numbers stand on the ``right``.

    ``csv_only``: on the page another column says it, too.
    """

    name: str
    right: bool = False
    csv_only: bool = False


@attrs.frozen
class Table:
    """Rows with a name, by which it is fetched as CSV.

    Attributes:
        rows: those to be shown or, for the CSV, all of them.
        empty: the text key of what is said if there are none.
        next_page: the query of the page's address that shows the rows after these; empty if these are the last.
        more: how many rows there are beside those shown.
        row_ids: what each row is called within its page, where others lead to it.
    """

    name: str
    columns: Sequence[Column]
    rows: Iterable[Sequence[Value]]
    empty: str = "table.empty"
    next_page: str = ""
    more: int = 0
    row_ids: Sequence[str] = ()


@attrs.frozen
class Facts:
    """What there is to know of one thing: text keys with their values."""

    rows: Sequence[tuple[str, Value]]


@attrs.frozen
class Note:
    """A sentence or two; ``kind`` as of a badge."""

    words: Value
    kind: str = ""


@attrs.frozen
class Bar:
    """One bar of a chart: a month, or what else it stands for, and as many amounts as the chart has series.

    ``coming``: it is an estimate.
    """

    of: Month | Words
    amounts: Sequence[Decimal]
    coming: bool = False


@attrs.frozen
class Chart:
    """Stacked bars, drawn on the server; the same figures stand in a table beside it.

    Attributes:
        name: unique on its page.
        series: text keys of what the parts of each bar are, from the ground up.
        unit: a currency's code, or the text of what is counted.
    """

    name: str
    title: Words
    series: Sequence[str]
    bars: Sequence[Bar]
    unit: str | Words


@attrs.frozen
class Field:
    """A field of a search: typed text or, with ``options``, one of them (values with their texts)."""

    name: str
    value: str
    options: Mapping[str, Words | Month] | None = None


@attrs.frozen
class Search:
    """A form that asks the page itself."""

    fields: Sequence[Field]


@attrs.frozen
class Overview:
    """What a long table has, at a glance: names, how many of each, and the row where that stands."""

    name: str
    entries: Sequence[tuple[Badge, int, str]]


Part = Table | Facts | Note | Chart | Search | Overview


@attrs.frozen
class Section:
    """A heading with what stands below it; ``name`` is unique on its page."""

    name: str
    title: Words
    parts: Sequence[Part]


@attrs.frozen
class Sheet:
    """One page; ``page`` is which of the navigation it belongs to."""

    page: str
    title: Words
    sections: Sequence[Section]

    @property
    def tables(self) -> dict[str, Table]:
        """Its tables by name."""
        return {part.name: part for section in self.sections for part in section.parts if isinstance(part, Table)}


@attrs.frozen
class Asked:
    """What a page is asked for.

    Attributes:
        language: of what is shown; amounts and days are written as it does.
        today: the day in the zone that is billed by.
        query: the values of the address.
        whole: for the CSV: every row there is, and not just a page of them.
    """

    language: str
    now: datetime
    today: date
    query: Mapping[str, str] = attrs.field(factory=lambda: MappingProxyType({}))
    whole: bool = False

    def text(self, name: str) -> str:
        """A value of the address; empty if there is none."""
        return self.query.get(name, "").strip()[:200]


def rows_shown(
    asked: Asked, rows: Sequence[Sequence[Value]], most: int = PAGE_ROWS
) -> tuple[Sequence[Sequence[Value]], int]:
    """The rows that a page shows, and how many more there are."""
    shown = rows if asked.whole else rows[:most]
    return shown, len(rows) - len(shown)
