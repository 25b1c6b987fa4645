"""The operator's own templates: a folder checked whole when the server starts, so that no customer finds its faults."""

import traceback
from collections.abc import Callable, Collection, Mapping
from functools import partial
from pathlib import Path

import jinja2

from tollbridge.config.value_problems import nearest
from tollbridge.errors import ConfigError
from tollbridge.texts.catalogue import placeholders, read_texts

_TEMPLATES = {".html", ".css"}
_CHECKED = {*_TEMPLATES, ".toml"}


class OwnFolder:
    """The folder named in ``pages.templates``. ConfigError if there is none."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._problems: list[str] = []
        if not path.is_dir():
            raise ConfigError("bridge.toml", [f"pages.templates: there is no folder {path}"])

    def check_names(self, known: Collection[str]) -> None:
        """Note every file that replaces nothing of ours; the operator's own parts begin with an underscore."""
        for name in self._files():
            if name not in known and not Path(name).name.startswith("_"):
                hint = nearest(name, sorted(known))
                self._note(
                    f"{name}: there is nothing of this name to replace{hint} (name parts of your own _like_this)"
                )

    def check_syntax(self, environment: jinja2.Environment) -> None:
        """Note every template that Jinja cannot read."""
        for name in self._files():
            if not name.endswith(".toml"):
                self.attempt(name, partial(environment.get_template, name))

    def texts(self, language: str, ours: Mapping[str, str], everywhere: Collection[str]) -> dict[str, str]:
        """The sentences that replace ours, or are new; note those that ask for values ours are not given."""
        file = self.path / "texts" / f"{language}.toml"
        if not file.is_file():
            return {}
        own = read_texts(file)
        for key, text in own.items():
            strange = placeholders(text) - placeholders(ours.get(key, text)) - set(everywhere)
            for name in sorted(strange):
                self._note(f"texts/{file.name}: {key} has {{{name}}}, which nothing fills in")
        return own

    def attempt(self, name: str, render: Callable[[], object]) -> None:
        """Do something with templates; note what goes wrong, and where in the folder. ``name``: if that is unknown."""
        try:
            render()
        except Exception as error:  # noqa: BLE001 - a template may raise anything, and all of it is the operator's to know
            self._note(f"{self._place(error) or name}: {_explained(error)}")

    def refuse(self) -> None:
        """ConfigError if anything has been noted."""
        if self._problems:
            raise ConfigError(f"{self.path} (pages.templates)", list(dict.fromkeys(self._problems)))

    def _files(self) -> list[str]:
        """The names of the files that matter, in the folder; a .txt only among the e-mails, for notes are text."""
        names = [file.relative_to(self.path) for file in sorted(self.path.rglob("*")) if file.is_file()]
        visible = [name for name in names if not any(part.startswith(".") for part in name.parts)]
        return [
            name.as_posix()
            for name in visible
            if name.suffix in _CHECKED or (name.suffix, name.parts[0]) == (".txt", "mail")
        ]

    def _note(self, problem: str) -> None:
        self._problems.append(problem)

    def _place(self, error: Exception) -> str:
        """File and line of the innermost template of this folder that the error went through; empty if none."""
        if isinstance(error, jinja2.TemplateSyntaxError) and error.filename:
            places: list[tuple[str, int | None]] = [(error.filename, error.lineno)]
        else:
            places = [(frame.filename, frame.lineno) for frame in traceback.extract_tb(error.__traceback__)]
        own = [(Path(file), line) for file, line in places if Path(file).is_relative_to(self.path)]
        return f"{own[-1][0].relative_to(self.path).as_posix()}, line {own[-1][1]}" if own else ""


def _explained(error: Exception) -> str:
    if isinstance(error, jinja2.TemplateNotFound):
        return f"there is no template {error.name}"
    if isinstance(error, UnicodeDecodeError):
        return "it is not written in UTF-8"
    return str(error) or type(error).__name__
