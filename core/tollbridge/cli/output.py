"""What a command prints: tables and JSON on standard output, progress and problems on standard error."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

import attrs
import orjson
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.status import Status
from rich.table import Table

from tollbridge.jobs.parts import Failure, Progress
from tollbridge.rules.calendar import Month
from tollbridge.secret import redact

out = Console(highlight=False, soft_wrap=False)
err = Console(stderr=True, highlight=False)

_PROGRESS_SECONDS = 5.0


def print_json(document: Any) -> None:
    """One JSON document on standard output; money as text."""
    sys.stdout.write(orjson.dumps(document, default=_plain, option=orjson.OPT_INDENT_2).decode() + "\n")


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return plain_money(value)
    if isinstance(value, Month | StrEnum):
        return str(value)
    if attrs.has(type(value)):
        return attrs.asdict(value, recurse=False)
    raise TypeError(type(value).__name__)


def plain_money(amount: Decimal) -> str:
    """An amount as JSON has it: all its digits, as text, never an exponent."""
    return f"{amount:f}"


def table(title: str, *columns: str, right: tuple[str, ...] = ()) -> Table:
    """A table with the named columns; those in ``right`` hold numbers."""
    made = Table(
        title=title or None,
        title_justify="left",
        title_style="bold",
        header_style="bold",
        box=SIMPLE_HEAD,
        pad_edge=False,
    )
    for column in columns:
        made.add_column(column, justify="right" if column in right else "left", overflow="fold")
    return made


def say(text: str) -> None:
    """A line for people, on standard output."""
    out.print(redact(text), markup=False)


def complain(text: str) -> None:
    """A problem, on standard error."""
    err.print(redact(text), markup=False, style="red", soft_wrap=True)


def print_failures(failures: list[Failure], *, most: int = 20) -> None:
    """The clients that failed, with what to do about each."""
    for failure in failures[:most]:
        complain(str(failure))
    if len(failures) > most:
        complain(f"… and {len(failures) - most} more (--json lists all)")


@contextmanager
def progress(*, quiet: bool = False) -> Iterator[Progress]:
    """Progress on standard error: a live line for people, a line now and then for logs."""
    if quiet:
        yield lambda _step, _done: None
    elif err.is_terminal:
        with Status("starting", console=err) as status:
            yield lambda step, done: status.update(f"{step}: {done:,}" if done else step)
    else:
        yield _slow_lines()


def _slow_lines() -> Progress:
    """A line every few seconds, and none for what is done sooner."""
    last = time.monotonic()

    def show(step: str, done: int) -> None:
        nonlocal last
        if time.monotonic() - last >= _PROGRESS_SECONDS:
            last = time.monotonic()
            err.print(f"{step}: {done:,}" if done else step, markup=False)

    return show


def iso(value: date | datetime | None) -> str:
    """A date or an instant as text; empty if there is none."""
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds").replace("+00:00", "Z")
    return value.isoformat() if value else ""
