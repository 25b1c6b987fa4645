"""Reading bridge.toml: variables filled in, every table checked, and everything that is wrong told at once."""

import difflib
import os
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import attrs
import cattrs
from cattrs.cols import is_mapping, is_sequence, list_structure_factory, mapping_structure_factory
from cattrs.errors import ClassValidationError, ForbiddenExtraKeysError, StructureHandlerNotFoundError
from cattrs.gen import make_dict_structure_fn

from tollbridge.config.settings import FieldError, Settings
from tollbridge.errors import ConfigError
from tollbridge.rules.calendar import Month
from tollbridge.secret import DatabaseUrl, Secret, hide, redact

_VARIABLE = re.compile(r"\$\{([^}]*)\}")
_MOST_DIGITS = 30
_SQLITE_FILE = re.compile(r"(sqlite(?:\+\w+)?:///)(?!/|:memory:|file:)(.+)")

AdapterSettings = Callable[[str], tuple[str, type[Any] | None]]


class _Problem(ValueError):
    """A value that cannot be used; the message follows the key's path in a sentence."""


def load_settings(path: Path, adapter_settings: AdapterSettings) -> tuple[Settings, Any]:
    """Read ``path`` into settings and the adapter's own settings.

    Args:
        path: bridge.toml; relative files named in it are relative to its folder.
        adapter_settings: for the adapter named in ``use``, the name of its table and the class of its settings
            (None if it has none); raises ConfigError when there is no such adapter.

    Raises:
        ConfigError: with every problem of the whole file.
    """
    unset: list[str] = []
    problems: list[str] = []
    tree = _fill(_parse(path), "", path.parent, unset)
    converter = _converter(path.parent)
    chosen = tree.pop("adapter", None)
    settings = _structured(converter, tree, Settings, "", problems)
    name, own = _adapter(converter, chosen, adapter_settings, problems)
    if unset or problems or settings is None:
        raise ConfigError(path.name, _told(unset, problems))
    object.__setattr__(settings, "adapter", name)
    return settings, own


def _told(unset: list[str], problems: list[str]) -> list[str]:
    """Every problem once, without secrets; a key whose variable is not set has no other problem."""
    hopeless = {_key_of(problem) for problem in unset}
    others = [problem for problem in problems if _key_of(problem) not in hopeless]
    return [
        f"{_key_of(problem)}{redact(problem.removeprefix(_key_of(problem)))}"
        for problem in dict.fromkeys([*unset, *others])
    ]


def _key_of(problem: str) -> str:
    return problem.partition(": ")[0]


def _parse(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(
            str(path), ["there is no such file: `tollbridge init` writes one, or name yours with --config"]
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(str(path), [f"it cannot be read: {error}"]) from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(path.name, [f"it is not valid TOML: {error}"]) from None


def _fill(value: Any, key: str, folder: Path, problems: list[str]) -> Any:
    """``value`` with ``${NAME}`` and ``${file:…}`` replaced in every text; what they held is hidden from now on."""
    if isinstance(value, dict):
        return {name: _fill(item, f"{key}.{name}".lstrip("."), folder, problems) for name, item in value.items()}
    if isinstance(value, list):
        return [_fill(item, f"{key}[{index}]", folder, problems) for index, item in enumerate(value)]
    if not isinstance(value, str):
        return value

    def replace(match: re.Match[str]) -> str:
        try:
            found = _variable(match[1], folder)
        except _Problem as problem:
            problems.append(f"{key}: {problem}")
            return ""
        hide(found)
        return found

    return _VARIABLE.sub(replace, value)


def _variable(name: str, folder: Path) -> str:
    if name.startswith("file:"):
        file = folder / name.removeprefix("file:")
        try:
            return file.read_text(encoding="utf-8").strip()
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not text, or not a file's name"
            raise _Problem(f"the file {file} cannot be read ({reason})") from None
    if name not in os.environ:
        raise _Problem(f"the environment variable {name} is not set")
    return os.environ[name]


def _adapter(
    converter: cattrs.Converter, chosen: Any, adapter_settings: AdapterSettings, problems: list[str]
) -> tuple[str, Any]:
    """The adapter's name and its own settings; problems are added to ``problems``."""
    if not isinstance(chosen, dict) or not isinstance(chosen.get("use"), str):
        problems.append('adapter.use: is missing: name an installed adapter, or "package.module:Class" of your own')
        return "", None
    try:
        table, settings_class = adapter_settings(chosen["use"])
    except ConfigError as error:
        problems.extend(f"adapter.use: {problem}" for problem in error.problems)
        return "", None
    strangers = sorted(chosen.keys() - {"use", table})
    problems.extend(f"adapter.{name}: is not known here{_nearest(name, ['use', table])}" for name in strangers)
    if settings_class is None:
        return chosen["use"], None
    own = _structured(converter, chosen.get(table, {}), settings_class, f"adapter.{table}", problems)
    return chosen["use"], own


def _structured(converter: cattrs.Converter, tree: Any, wanted: type[Any], key: str, problems: list[str]) -> Any:
    try:
        return converter.structure(tree, wanted)
    except Exception as error:  # noqa: BLE001 - an author's own settings class may raise anything
        problems.extend(_explain(error, key, wanted))
        return None


def _explain(error: BaseException, key: str, wanted: Any) -> Iterator[str]:
    """Sentences for everything that cattrs found wrong, each beginning with its key's path."""
    if isinstance(error, ExceptionGroup):
        for inner in error.exceptions:
            path, inner_type = _place(inner, key, wanted)
            yield from _explain(inner, path, inner_type)
    elif isinstance(error, ForbiddenExtraKeysError):
        names = [field.name for field in attrs.fields(error.cl) if field.init] if attrs.has(error.cl) else []
        for extra in sorted(error.extra_fields):
            yield f"{f'{key}.{extra}'.lstrip('.')}: is not known{_nearest(extra, names)}"
    elif isinstance(error, FieldError):
        yield f"{f'{key}.{error.key}'.lstrip('.')}: {error.message}"
    elif isinstance(error, KeyError):
        yield f"{key}: is missing"
    elif isinstance(error, _Problem):
        yield f"{key}: {error}"
    elif isinstance(error, StructureHandlerNotFoundError) or not str(error):
        yield f"{key}: cannot be used ({type(error).__name__})"
    else:
        yield f"{key}: {error}"


def _place(error: BaseException, key: str, wanted: Any) -> tuple[str, Any]:
    """The key path and the type that ``error`` is about, from the notes cattrs leaves on it."""
    for note in getattr(error, "__notes__", ()):
        if hasattr(note, "name"):
            return f"{key}.{note.name}".lstrip("."), note.type
        if hasattr(note, "index"):
            place = f"{key}[{note.index}]" if isinstance(note.index, int) else f"{key}.{note.index}"
            return place, note.type
    return key, wanted


def _nearest(name: str, known: list[str]) -> str:
    close = difflib.get_close_matches(name, known, 1)
    if close:
        return f"; did you mean {close[0]}?"
    return f"; known here: {', '.join(known)}" if known else ""


def _converter(folder: Path) -> cattrs.Converter:
    """A converter that takes every value only in the form the contract gives it."""
    converter = cattrs.Converter(forbid_extra_keys=True)
    converter.register_structure_hook_factory(attrs.has, _thorough)
    converter.register_structure_hook_factory(is_sequence, _only(list, "a list, in brackets", list_structure_factory))
    converter.register_structure_hook_factory(is_mapping, _only(dict, "a table", mapping_structure_factory))
    for union in (str | int, str | int | None):
        converter.register_structure_hook(union, _name_or_number)
    for kind, name in ((str, "text in quotes"), (int, "a whole number"), (bool, "true or false")):
        converter.register_structure_hook(kind, _exactly(kind, name))
    converter.register_structure_hook(Decimal, _decimal)
    converter.register_structure_hook(Month, _read(Month.parse))
    converter.register_structure_hook(ZoneInfo, _zone)
    converter.register_structure_hook(Secret, _secret)
    converter.register_structure_hook(DatabaseUrl, _read(lambda text: DatabaseUrl(_anchored(text, folder))))
    converter.register_structure_hook(Path, _read(lambda text: folder / text))
    converter.register_structure_hook_func(
        lambda kind: getattr(kind, "__name__", "") == "Literal",
        lambda value, kind: _choice(value, kind.__args__),
    )
    return converter


def _thorough(kind: type[Any], converter: cattrs.Converter) -> Callable[[Any, Any], Any]:
    """Read a table; when a key of it is wrong, still validate the others, so that all problems show at once."""
    plain = make_dict_structure_fn(kind, converter, _cattrs_forbid_extra_keys=True)

    def structure(value: Any, _: Any) -> Any:
        if not isinstance(value, dict):
            raise _Problem(f"must be a table, not {_shown(value)}")
        try:
            return plain(value, kind)
        except ClassValidationError as error:
            more = list(_field_errors(kind, value, converter))
            raise ClassValidationError(error.message, [*error.exceptions, *more], kind) from None

    return structure


def _field_errors(kind: type[Any], value: dict[str, Any], converter: cattrs.Converter) -> Iterator[Exception]:
    for field in attrs.fields(attrs.resolve_types(kind)):
        if field.validator is None or field.name not in value:
            continue
        try:
            field.validator(None, field, converter.structure(value[field.name], field.type))
        except FieldError as error:
            yield error
        except Exception:  # noqa: BLE001, S112 - reported already, with the key's place
            continue


def _only(kind: type[Any], name: str, factory: Callable[..., Any]) -> Callable[[Any, cattrs.Converter], Any]:
    """The hooks that ``factory`` makes, for values that are of ``kind`` and nothing that merely resembles it."""

    def make(wanted: Any, converter: cattrs.Converter) -> Callable[[Any, Any], Any]:
        plain = factory(wanted, converter)

        def structure(value: Any, target: Any) -> Any:
            if not isinstance(value, kind):
                raise _Problem(f"must be {name}, not {_shown(value)}")
            return plain(value, target)

        return structure

    return make


def _secret(value: Any, _: Any) -> Secret:
    if not isinstance(value, str):
        raise _Problem("must be text in quotes")
    return Secret(value)


def _name_or_number(value: Any, _: Any) -> str | int | None:
    if isinstance(value, bool) or not isinstance(value, str | int | None):
        raise _Problem(f"must be a name in quotes or a number, not {_shown(value)}")
    return value


def _exactly(kind: type[Any], name: str) -> Callable[[Any, Any], Any]:
    def structure(value: Any, _: Any) -> Any:
        if type(value) is not kind:
            raise _Problem(f"must be {name}, not {_shown(value)}")
        return value

    return structure


def _read(parse: Callable[[str], Any]) -> Callable[[Any, Any], Any]:
    def structure(value: Any, _: Any) -> Any:
        if not isinstance(value, str):
            raise _Problem(f"must be text in quotes, not {_shown(value)}")
        try:
            return parse(value)
        except ValueError as error:
            raise _Problem(str(error)) from None

    return structure


def _decimal(value: Any, _: Any) -> Decimal:
    if isinstance(value, float):
        raise _Problem(f'must be text in quotes, like "{value}", so that not a digit is lost')
    try:
        number = Decimal(value) if isinstance(value, str) and value.isascii() else Decimal(_exactly(int, "")(value, _))
    except (InvalidOperation, _Problem):
        raise _Problem(f'must be a number as text, like "0.001", not {_shown(value)}') from None
    if not number.is_finite() or number < 0:
        raise _Problem(f"must be a finite number that is not negative, not {value}")
    if abs(number.adjusted()) > _MOST_DIGITS:
        raise _Problem(f"must have at most {_MOST_DIGITS} digits before or after its point, not {value}")
    return number


def _zone(value: Any, _: Any) -> ZoneInfo:
    zones = available_timezones()
    if not isinstance(value, str) or value not in zones:
        close = difflib.get_close_matches(str(value), zones, 1, 0.4)
        hint = f"; did you mean {close[0]}?" if close else ""
        raise _Problem(f"must be a time zone like Europe/Berlin, not {_shown(value)}{hint}")
    return ZoneInfo(value)


def _choice(value: Any, choices: tuple[Any, ...]) -> Any:
    if value not in choices:
        hint = _nearest(value, list(choices)) if isinstance(value, str) else ""
        wanted = ", ".join(f'"{choice}"' for choice in choices)
        raise _Problem(f"must be one of {wanted}, not {_shown(value)}{hint if 'mean' in hint else ''}")
    return value


def _anchored(url: str, folder: Path) -> str:
    """``url`` with a relative SQLite file made relative to bridge.toml's folder, wherever a command is started."""
    match = _SQLITE_FILE.fullmatch(url)
    return f"{match[1]}{(folder / match[2]).absolute()}" if match else url


def _shown(value: Any) -> str:
    if isinstance(value, Mapping):
        return "a table"
    if isinstance(value, list):
        return "a list"
    return f'"{value}"' if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else str(value)
