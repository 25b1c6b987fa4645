"""``new-adapter``: a small project for an adapter of one's own, whose tests pass as it stands."""

import keyword
import re
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated

import typer

from tollbridge.cli.output import say
from tollbridge.errors import UsageError

_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")


def new_adapter(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The billing system's, like acme or my_billing.")],
    folder: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Where to write it; default: tollbridge-NAME.")
    ] = None,
    several_calls: Annotated[
        bool,
        typer.Option("--several-calls", help="For a system that makes an invoice in several calls: a draft, lines."),
    ] = False,
) -> None:
    """Write a project for an adapter of your own: the adapter, its settings, and tests that pass untouched."""
    if not _NAME.fullmatch(name) or keyword.iskeyword(name):
        raise UsageError(f"{name} is no name for an adapter: it takes lower-case letters, digits and single _")
    target = folder or Path(f"tollbridge-{name.replace('_', '-')}")
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise UsageError(f"{target} is there already and not empty; --folder names another place")
    try:
        for part in ("acme", "several_calls") if several_calls else ("acme",):
            _write(files("tollbridge").joinpath("scaffold", part), target, name)
    except OSError as error:
        raise UsageError(f"{error.filename or target} cannot be written: {error.strerror}") from None
    say(f"{target} is written. Its README.md says how to go on; its tests pass as they are.")


def _write(source: Traversable, target: Path, name: str) -> None:
    """Copy a folder of the scaffold, with the name in place of its own."""
    target.mkdir(parents=True, exist_ok=True)
    for entry in source.iterdir():
        place = target / _renamed(entry.name, name)
        if not entry.is_dir():
            place.write_text(_renamed(entry.read_text(encoding="utf-8"), name), encoding="utf-8")
        elif not entry.name.startswith((".", "__")):
            _write(entry, place, name)


def _renamed(text: str, name: str) -> str:
    words = name.split("_")
    title = "".join(word.capitalize() for word in words)
    dashed = "-".join(words)
    text = text.replace("tollbridge-acme", f"tollbridge-{dashed}").replace("acme-secret", f"{dashed}-secret")
    return text.replace("ACME", name.upper()).replace("Acme", title).replace("acme", name)
