"""What cattrs found wrong, as sentences that each begin with the key's path."""

import difflib
from collections.abc import Iterator
from keyword import iskeyword
from typing import Any

import attrs
from cattrs.errors import ForbiddenExtraKeysError, StructureHandlerNotFoundError

from tollbridge.fields import FieldError


class ValueProblem(ValueError):
    """A value that cannot be used; the message follows the key's path in a sentence."""


def key_of(field: "attrs.Attribute[Any]") -> str:
    """A field's key: its name, without the underscore at the end of a word that Python has for itself."""
    return _key(field.name)


def _key(name: str) -> str:
    return name[:-1] if name.endswith("_") and iskeyword(name[:-1]) else name


def explain(error: BaseException, key: str, wanted: Any) -> Iterator[str]:
    """Sentences for everything that cattrs found wrong, each beginning with its key's path."""
    if isinstance(error, ExceptionGroup):
        for inner in error.exceptions:
            path, inner_type = _place(inner, key, wanted)
            yield from explain(inner, path, inner_type)
    elif isinstance(error, ForbiddenExtraKeysError):
        names = [key_of(field) for field in attrs.fields(error.cl) if field.init] if attrs.has(error.cl) else []
        for extra in sorted(error.extra_fields):
            yield f"{f'{key}.{extra}'.lstrip('.')}: is not known{nearest(extra, names)}"
    elif isinstance(error, FieldError):
        yield f"{f'{key}.{error.key}'.lstrip('.')}: {error.message}"
    elif isinstance(error, KeyError):
        yield f"{key}: is missing"
    elif isinstance(error, ValueProblem):
        yield f"{key}: {error}"
    elif isinstance(error, StructureHandlerNotFoundError) or not str(error):
        yield f"{key}: cannot be used ({type(error).__name__})"
    else:
        yield f"{key}: {error}"


def _place(error: BaseException, key: str, wanted: Any) -> tuple[str, Any]:
    """The key path and the type that ``error`` is about, from the notes cattrs leaves on it."""
    for note in getattr(error, "__notes__", ()):
        if hasattr(note, "name"):
            return f"{key}.{_key(note.name)}".lstrip("."), note.type
        if hasattr(note, "index"):
            place = f"{key}[{note.index}]" if isinstance(note.index, int) else f"{key}.{note.index}"
            return place, note.type
    return key, wanted


def nearest(name: str, known: list[str]) -> str:
    """A hint at the known name that ``name`` may stand for, or at all of them."""
    close = difflib.get_close_matches(name, known, 1)
    if close:
        return f"; did you mean {close[0]}?"
    return f"; known here: {', '.join(known)}" if known else ""
