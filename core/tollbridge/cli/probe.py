"""``probe``: what a panel answers, without anything that is in it, to be looked at and sent to others."""

import json
import os
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import attrs
import typer

from tollbridge.cli.output import print_json, say
from tollbridge.cli.session import AsJson, MonthOption
from tollbridge.config import Settings, UsageFields, UsageSettings
from tollbridge.errors import UsageError
from tollbridge.http import Retry
from tollbridge.rules.calendar import Month
from tollbridge.solus.panel import Panel
from tollbridge.usage.probe import Findings, Probe
from tollbridge.usage.shapes import lines

_RETRY = Retry(attempts=2)  # somebody waits, and some of these calls may lead nowhere
_METER = 'Use the bridge\'s own meter instead, which needs no feed: source = "meter" in [solus.usage].'


def probe(
    context: typer.Context,
    month: MonthOption = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Write what was seen to a file, too.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """What your panel answers, all values masked, and which `solus.usage.fields` fit its feed.

    Reads only. The month is the last one that has ended, unless told.
    """
    from tollbridge.bridge import read_settings  # noqa: PLC0415 - slow to import

    settings, _ = read_settings(context.obj.config)
    found = _look(settings, month)
    told = _document(found)
    if out is not None:
        _write(out, json.dumps(told, indent=2, ensure_ascii=False) if as_json else "\n".join(_seen(found)))
    if as_json:
        print_json(told)
    else:
        for line in _seen(found) if out is None else _verdict(found):
            say(line)
        if out is not None:
            say(f"\nWhat was seen is in {out}, without any of its values: it can be sent to others.")
    if found.feed is None:
        raise typer.Exit(3 if found.is_open else 1)


def _look(settings: Settings, month: Month | None) -> Findings:
    zone = settings.billing.timezone
    wanted = month or Month.of(datetime.now(UTC), zone).previous
    with closing(Panel(settings.solus, _RETRY)) as panel:
        return Probe(panel, settings.solus.usage).look(*wanted.interval(zone))


def _document(found: Findings) -> dict[str, Any]:
    """What ``--json`` prints; ``usage`` is there if the feed would also be asked for in another way."""
    told: dict[str, Any] = {"fits": found.feed is not None, "fields": None}
    if found.feed is not None:
        told["fields"] = _other_than_default(found.feed.fields)
        if way := _way(found.feed):
            told["usage"] = way
    told["calls"] = [attrs.asdict(call) for call in found.calls]
    return told


def _seen(found: Findings) -> Iterator[str]:
    """Every call, with the shape of its answer below it, unless that is as before."""
    before: list[tuple[str, int | None, Any]] = []
    for call in found.calls:
        path, _, query = call.path.partition("?")
        yield f"{call.status or 'no answer'}  GET {path}"
        if query:
            yield from (f"       {part}" for part in query.split("&"))
        if (path, call.status, call.shape) in before:
            yield "     (as before)"
        else:
            yield from lines(call.shape, "     ") if call.shape is not None else ["     (no JSON)"]
        before.append((path, call.status, call.shape))
        yield ""
    yield from _verdict(found)


def _verdict(found: Findings) -> Iterator[str]:
    """Whether the feed fits, and the lines to paste or what to do without them."""
    if found.feed is None:
        yield f"No usage feed that can be invoiced from was found. {found.reason}."
        if not found.nothing_used:
            yield "Try again later." if found.is_open else _METER
    elif found.as_declared:
        yield "The usage feed fits, as bridge.toml has it."
    else:
        yield "The usage feed fits with these lines in bridge.toml, in place of tables of the same name:"
        yield ""
        yield from _toml(found.feed)
        yield ""
        yield "Then compare: `tollbridge usage` shows what the feed reports beside what the rules make of it."


def _toml(feed: UsageSettings) -> Iterator[str]:
    """The tables, with every key that is not as by default."""
    if way := _way(feed):
        yield "[solus.usage]"
        yield from _keys(way)
        yield ""
    yield "[solus.usage.fields]"
    yield from _keys(_other_than_default(feed.fields))


def _keys(table: dict[str, str]) -> Iterator[str]:
    return (f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in table.items())


def _way(feed: UsageSettings) -> dict[str, str]:
    """How the feed is asked, where that is not as by default."""
    names = {"path", "from_parameter", "to_parameter", "page_parameter"}
    return {name: value for name, value in _other_than_default(feed).items() if name in names}


def _other_than_default(settings: UsageSettings | UsageFields) -> dict[str, Any]:
    return {
        field.name: getattr(settings, field.name)
        for field in attrs.fields(type(settings))
        if getattr(settings, field.name) != field.default
    }


def _write(path: Path, text: str) -> None:
    """A file that only its owner can read."""
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            os.fchmod(file.fileno(), 0o600)
            file.write(f"{text}\n")
    except OSError as error:
        raise UsageError(f"{path} cannot be written (--out): {error.strerror or error}") from None
