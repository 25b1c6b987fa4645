"""docs/adapter-helpers.md, made from the code: ``python -m tests.docs.helpers > docs/adapter-helpers.md``."""

import importlib
import inspect
import re
import textwrap
from collections.abc import Iterator
from enum import Enum
from typing import Any

from tollbridge.conformance import OtherSide
from tollbridge.http import Answer, Http

MODULES = {
    "tollbridge": "The values that hooks take and give, the errors they raise, and what goes with them.",
    "tollbridge.reading": "Loosely typed records, read strictly. A `row` is a mapping; `who` names it in errors.",
    "tollbridge.reference": "An invoice's reference, such as `TB-2026-07-1042`: made, read, and found in texts.",
    "tollbridge.asking": "Several questions at once, answers kept for a while, and checks.",
    "tollbridge.http": "HTTP: time-outs, retries, TLS and honest outcomes.",
    "tollbridge.fields": "Validators of settings.",
    "tollbridge.words": "What people typed, made fit to be shown and kept.",
    "tollbridge.sandbox": "What the simulator of a billing system needs.",
    "tollbridge.conformance": "The conformance kit, for tests.",
}
# What has no docstring of its own.
CONSTANTS: dict[str, dict[str, str]] = {
    "tollbridge": {
        "NOBODY": "The id of a client who is nobody in particular, only a country and a currency: see `terms`.",
        "hookimpl": "The mark of a hook, put above it as a decorator.",
    },
    "tollbridge.reading": {"Row": "A record as it came: a mapping from names to whatever there is."},
}
_MARKS = {"VAR_POSITIONAL": "*", "VAR_KEYWORD": "**"}
CLASSES: dict[str, type[Any]] = {"Http": Http, "Answer": Answer, "OtherSide": OtherSide}
INTRO = """\
# Helpers for adapters: the reference

Every helper that an adapter, its simulator and its tests may import, with its arguments; what stands behind `*` is
given by name. How they are used is shown in [adapters.md](adapters.md#http).
"""


def page() -> str:
    """The whole page."""
    parts = [INTRO]
    for name, words in MODULES.items():
        constants = [_wrapped(each, told) for each, told in CONSTANTS.get(name, {}).items()]
        entries = "\n".join([*constants, *(entry for helper in _helpers(name) for entry in _entries(*helper))])
        parts.append(f"## `{name}`\n\n{words}\n\n{entries}\n")
    return "\n".join(parts)


def _helpers(name: str) -> Iterator[tuple[str, Any]]:
    module = importlib.import_module(name)
    own = [each for each, value in vars(module).items() if getattr(value, "__module__", "") == name]
    for each in getattr(module, "__all__", [each for each in own if not each.startswith("_")]):
        value = getattr(module, each)
        if inspect.isfunction(value) or (inspect.isclass(value) and value.__module__.startswith("tollbridge")):
            yield each, value


def _entries(name: str, value: Any) -> Iterator[str]:
    yield _entry(name, value)
    for method, function in vars(CLASSES.get(name, object)).items():
        if name in CLASSES and not method.startswith("_") and inspect.isfunction(function):
            yield _entry(f"{name}.{method}", function)


def _entry(name: str, value: Any) -> str:
    first = (inspect.getdoc(value) or "").split("\n\n")[0]
    words = re.sub(r":\w+:`~?([^`]*)`", r"`\1`", " ".join(first.split()).replace("``", "`"))
    return _wrapped(f"{name}{_arguments(value)}", words)


def _wrapped(entry: str, words: str) -> str:
    return textwrap.fill(f"- `{entry}`: {words}", 118, subsequent_indent="  ", break_on_hyphens=False)


def _arguments(value: Any) -> str:
    if inspect.isclass(value) and (issubclass(value, Enum) or getattr(value, "_is_protocol", False)):
        return ""
    if inspect.isclass(value) and "__init__" not in vars(value) and not hasattr(value, "__attrs_attrs__"):
        return ""
    shown, by_name = [], False
    for parameter in inspect.signature(value).parameters.values():
        if parameter.name == "self":
            continue
        if parameter.kind is parameter.KEYWORD_ONLY and not by_name:
            shown.append("*")
        by_name = by_name or parameter.kind in {parameter.KEYWORD_ONLY, parameter.VAR_POSITIONAL}
        mark = _MARKS.get(parameter.kind.name, "")
        given = str(parameter.default) if isinstance(parameter.default, Enum) else parameter.default
        default = repr(given) if isinstance(given, str | int | float | None | tuple) else "…"
        shown.append(mark + parameter.name + ("" if parameter.default is parameter.empty else f"={default}"))
    return f"({', '.join(shown)})"


if __name__ == "__main__":
    print(page(), end="")
