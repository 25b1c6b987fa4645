"""Reading what was sent the way PHP does."""

import itertools
from typing import Any
from urllib.parse import parse_qsl

Array = dict[str, Any]


def parsed(encoded: str, most: int | None = None) -> Array:
    """A query or a form: ``a[b][0]=c`` becomes ``{"a": {"b": {"0": "c"}}}``.

    As in PHP a list is an array with numbers for keys, ``a[]`` takes the next number, what comes twice counts the
    second time, and fields beyond ``most`` are dropped.
    """
    found: Array = {}
    for name, value in itertools.islice(parse_qsl(encoded, keep_blank_values=True), most):
        keys = _keys(name)
        if keys:
            _put(found, keys, value)
    return found


def is_true(value: Any) -> bool:
    """What PHP takes for true: any text but none and ``0``, so ``false`` as well."""
    return value not in {"", "0"} if isinstance(value, str) else bool(value)


def _keys(name: str) -> list[str]:
    """``a[b][]`` as ``["a", "b", ""]``; what follows the last bracket is ignored."""
    name = name.lstrip(" ")
    base = name.partition("[")[0]
    keys, rest = [base.replace(".", "_").replace(" ", "_")], name[len(base) :]
    while rest.startswith("["):
        key, closing, rest = rest[1:].partition("]")
        if not closing:
            return [f"{keys[0]}_{key}"] if len(keys) == 1 else keys
        keys.append(key)
    return keys if base else []


def _put(array: Array, keys: list[str], value: str) -> None:
    for key in keys[:-1]:
        place = key or _next(array)
        if not isinstance(array.get(place), dict):
            array[place] = {}
        array = array[place]
    array[keys[-1] or _next(array)] = value


def _next(array: Array) -> str:
    return str(max((int(key) for key in array if key.isdecimal()), default=-1) + 1)
