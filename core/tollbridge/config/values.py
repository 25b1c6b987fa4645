"""Values of bridge.toml, each taken only in the form that the contract gives it."""

import difflib
import re
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal, InvalidOperation
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import attrs
import cattrs
from cattrs.cols import is_mapping, is_sequence, list_structure_factory, mapping_structure_factory
from cattrs.errors import ClassValidationError
from cattrs.gen import make_dict_structure_fn, override

from tollbridge.config.value_problems import ValueProblem, key_of, nearest
from tollbridge.fields import FieldError
from tollbridge.rules.calendar import Month
from tollbridge.secret import DatabaseUrl, Secret

_MOST_DIGITS = 30
_SQLITE_FILE = re.compile(r"(sqlite(?:\+\w+)?:///)(?!/|:memory:|file:)(.+)")


@cache
def make_converter(folder: Path) -> cattrs.Converter:
    """A converter to settings classes, an adapter's own among them; relative files are relative to ``folder``."""
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
    keys = {field.name: override(rename=key_of(field)) for field in attrs.fields(kind) if key_of(field) != field.name}
    plain = make_dict_structure_fn(kind, converter, _cattrs_forbid_extra_keys=True, **keys)  # type: ignore[arg-type]

    def structure(value: Any, _: Any) -> Any:
        if not isinstance(value, dict):
            raise ValueProblem(f"must be a table, not {_shown(value)}")
        try:
            return plain(value, kind)
        except ClassValidationError as error:
            more = list(_field_errors(kind, value, converter))
            raise ClassValidationError(error.message, [*error.exceptions, *more], kind) from None

    return structure


def _field_errors(kind: type[Any], value: dict[str, Any], converter: cattrs.Converter) -> Iterator[Exception]:
    for field in attrs.fields(attrs.resolve_types(kind)):
        if field.validator is None or key_of(field) not in value:
            continue
        try:
            field.validator(None, field, converter.structure(value[key_of(field)], field.type))
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
                raise ValueProblem(f"must be {name}, not {_shown(value)}")
            return plain(value, target)

        return structure

    return make


def _secret(value: Any, _: Any) -> Secret:
    if not isinstance(value, str):
        raise ValueProblem("must be text in quotes")
    return Secret(value)


def _name_or_number(value: Any, _: Any) -> str | int | None:
    if isinstance(value, bool) or not isinstance(value, str | int | None):
        raise ValueProblem(f"must be a name in quotes or a number, not {_shown(value)}")
    return value


def _exactly(kind: type[Any], name: str) -> Callable[[Any, Any], Any]:
    def structure(value: Any, _: Any) -> Any:
        if type(value) is not kind:
            raise ValueProblem(f"must be {name}, not {_shown(value)}")
        return value

    return structure


def _read(parse: Callable[[str], Any]) -> Callable[[Any, Any], Any]:
    def structure(value: Any, _: Any) -> Any:
        if not isinstance(value, str):
            raise ValueProblem(f"must be text in quotes, not {_shown(value)}")
        try:
            return parse(value)
        except ValueError as error:
            raise ValueProblem(str(error)) from None

    return structure


def _decimal(value: Any, _: Any) -> Decimal:
    if isinstance(value, float):
        raise ValueProblem(f'must be text in quotes, like "{value}", so that not a digit is lost')
    try:
        number = Decimal(value) if isinstance(value, str) and value.isascii() else Decimal(_exactly(int, "")(value, _))
    except (InvalidOperation, ValueProblem):
        raise ValueProblem(f'must be a number as text, like "0.001", not {_shown(value)}') from None
    if not number.is_finite() or number < 0:
        raise ValueProblem(f"must be a finite number that is not negative, not {value}")
    if abs(number.adjusted()) > _MOST_DIGITS:
        raise ValueProblem(f"must have at most {_MOST_DIGITS} digits before or after its point, not {value}")
    return number


def _zone(value: Any, _: Any) -> ZoneInfo:
    zones = available_timezones()
    if not isinstance(value, str) or value not in zones:
        close = difflib.get_close_matches(str(value), zones, 1, 0.4)
        hint = f"; did you mean {close[0]}?" if close else ""
        raise ValueProblem(f"must be a time zone like Europe/Berlin, not {_shown(value)}{hint}")
    return ZoneInfo(value)


def _choice(value: Any, choices: tuple[Any, ...]) -> Any:
    if value not in choices:
        hint = nearest(value, list(choices)) if isinstance(value, str) else ""
        wanted = ", ".join(f'"{choice}"' for choice in choices)
        raise ValueProblem(f"must be one of {wanted}, not {_shown(value)}{hint if 'mean' in hint else ''}")
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
