"""Form fields as PHP reads them."""

import re
from typing import Any
from urllib.parse import parse_qsl

Array = dict[str, Any]
_NAME = re.compile(r"([^\[]+)((?:\[[^\]]*\])*)", re.DOTALL)


def parsed(encoded: str) -> Array:
    """A query or a form: ``a[b][0]=c`` becomes ``{"a": {"b": {"0": "c"}}}``; ``a[]`` takes the next number."""
    found: Array = {}
    for name, value in parse_qsl(encoded, keep_blank_values=True):
        match = _NAME.match(name)
        if match is None:
            continue
        keys = [match[1].replace(".", "_").replace(" ", "_"), *re.findall(r"\[([^\]]*)\]", match[2])]
        place = found
        for key in keys[:-1]:
            inner = place.setdefault(key or str(len(place)), {})
            if not isinstance(inner, dict):
                inner = place[key] = {}
            place = inner
        place[keys[-1] or str(len(place))] = value
    return found


def is_true(value: Any) -> bool:
    """What PHP takes for true: any text but none and ``0``."""
    return value not in {"", "0"} if isinstance(value, str) else bool(value)
