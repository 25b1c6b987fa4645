"""Custom field values as WHMCS takes them: base64 of an array as PHP's ``serialize`` writes it."""

import base64
import binascii
import re

from tollbridge_whmcs_like.sandbox.problems import InstallError

_HEAD = re.compile(rb"a:([0-9]+):\{")
_INTEGER = re.compile(rb"i:(-?[0-9]+);")
_STRING = re.compile(rb's:([0-9]+):"')


def read_map(text: str) -> dict[int, str]:
    """The map of field ids to values.

    WHMCS ignores what it cannot read; here any flaw is an error, so that it is found: lengths that do not count
    bytes, a number of entries that is not theirs, anything after the end.
    """
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise InstallError("customfields is not base64") from None
    head = _HEAD.match(raw)
    if head is None:
        raise _unreadable("it is no array")
    values: dict[int, str] = {}
    place = head.end()
    for _ in range(int(head[1])):
        key, place = _scalar(raw, place)
        value, place = _scalar(raw, place)
        if not re.fullmatch("[0-9]+", key):
            raise _unreadable(f"{key!r} is not the id of a field")
        values[int(key)] = value
    if raw[place:] != b"}":
        raise _unreadable("it does not end after its entries")
    return values


def _scalar(raw: bytes, place: int) -> tuple[str, int]:
    """An integer or a string at this place, as text, and where the next value begins."""
    if found := _INTEGER.match(raw, place):
        return found[1].decode(), found.end()
    found = _STRING.match(raw, place)
    if found is None:
        raise _unreadable(f"there is no integer or string at byte {place}")
    end = found.end() + int(found[1])
    if raw[end : end + 2] != b'";':
        raise _unreadable(f"the string at byte {place} is not {int(found[1])} bytes long")
    try:
        return raw[found.end() : end].decode(), end + 2
    except UnicodeDecodeError:
        raise _unreadable(f"the string at byte {place} is not UTF-8") from None


def _unreadable(why: str) -> InstallError:
    return InstallError(f"customfields is not a serialized array: {why}")
