"""What a command prints: tables and JSON on standard output, progress and problems on standard error.

Names and messages come from customers and from other systems. None of it reaches the terminal but as plain text: no
control characters, no escape sequences, no markup.
"""

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import attrs
from rich.box import SIMPLE_HEAD
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from tollbridge.rules.calendar import Month
from tollbridge.secret import redact
from tollbridge.words import UNPRINTABLE, for_terminal

if TYPE_CHECKING:
    from tollbridge.jobs.parts import Failure, Progress

out = Console(highlight=False, soft_wrap=False, emoji=False, markup=False)
err = Console(stderr=True, highlight=False, emoji=False, markup=False)

_PROGRESS_SECONDS = 5.0


def print_json(document: Any) -> None:
    """One JSON document on standard output; money as text."""
    sys.stdout.write(as_json_text(document) + "\n")


def as_json_text(document: Any) -> str:
    """A JSON document; money as text, and every control character as one of JSON's escapes."""
    import orjson  # noqa: PLC0415 - most people read tables

    try:
        text = orjson.dumps(document, default=_plain, option=orjson.OPT_INDENT_2).decode()
    except orjson.JSONEncodeError:  # half a character, or a number beyond 64 bits: JSON has both
        text = json.dumps(document, default=_plain, indent=2)
    return UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return plain_money(value)
    if isinstance(value, Month | StrEnum):
        return str(value)
    if isinstance(value, date):
        return iso(value)
    if attrs.has(type(value)):
        return attrs.asdict(value, recurse=False)
    raise TypeError(type(value).__name__)


def plain_money(amount: Decimal) -> str:
    """An amount as JSON has it: all its digits, as text, never an exponent."""
    return f"{amount:f}"


class PlainTable(Table):
    """A table whose cells are text and nothing else, whoever wrote it."""

    def add_row(self, *cells: RenderableType | None, **options: Any) -> None:
        """A row; options as of Rich."""
        super().add_row(*(_cell(cell) if isinstance(cell, str) else cell for cell in cells), **options)


def _cell(text: str) -> Text:
    return Text(for_terminal(text, lines=False))


def table(title: str, *columns: str, right: tuple[str, ...] = ()) -> PlainTable:
    """A table with the named columns; those in ``right`` hold numbers."""
    made = PlainTable(
        title=_cell(title) if title else None,
        title_justify="left",
        title_style="bold",
        header_style="bold",
        box=SIMPLE_HEAD,
        pad_edge=False,
    )
    for column in columns:
        made.add_column(_cell(column), justify="right" if column in right else "left", overflow="fold")
    return made


def say(text: str, *, wrap: bool = True) -> None:
    """A line for people, on standard output; without ``wrap`` it stays one line, however long."""
    out.print(for_terminal(redact(text)), soft_wrap=not wrap)


def complain(text: str) -> None:
    """A problem, on standard error."""
    err.print(for_terminal(redact(text)), style="red", soft_wrap=True)


def print_failures(failures: "list[Failure]", *, most: int = 20) -> None:
    """The clients that failed, with what to do about each."""
    for failure in failures[:most]:
        complain(str(failure))
    if len(failures) > most:
        complain(f"… and {len(failures) - most} more (--json lists all)")


@contextmanager
def progress(*, quiet: bool = False) -> "Iterator[Progress]":
    """Progress on standard error: a live line for people, a line now and then for logs."""
    if quiet:
        yield lambda _step, _done: None
    elif err.is_terminal:
        with err.status("starting") as status:
            yield lambda step, done: status.update(_cell(f"{step}: {done:,}" if done else step))
    else:
        yield _slow_lines()


def _slow_lines() -> "Progress":
    """A line every few seconds, and none for what is done sooner."""
    last = time.monotonic()

    def show(step: str, done: int) -> None:
        nonlocal last
        if time.monotonic() - last >= _PROGRESS_SECONDS:
            last = time.monotonic()
            err.print(for_terminal(f"{step}: {done:,}" if done else step))

    return show


def iso(value: date | datetime | None) -> str:
    """A date or an instant as text; empty if there is none."""
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds").replace("+00:00", "Z")
    return value.isoformat() if value else ""
