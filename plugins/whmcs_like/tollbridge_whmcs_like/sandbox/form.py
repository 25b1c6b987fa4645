"""Form fields as PHP reads them."""

import re
from collections.abc import Callable, Iterable
from decimal import Decimal
from email.parser import BytesParser
from email.policy import HTTP
from urllib.parse import parse_qsl

import attrs

from tollbridge_whmcs_like.sandbox.money import cents, percent
from tollbridge_whmcs_like.sandbox.problems import InstallError

Value = str | dict[str, str]
_NAME = re.compile(r"([^\[]+)(?:\[([^\]]*)\])?.*", re.DOTALL)
_FORM = "application/x-www-form-urlencoded"
_PARTS = "multipart/form-data"


def read_pairs(content_type: str, body: bytes) -> list[tuple[str, str]]:
    """The names and values of a form's fields in their order; any other kind of body, JSON for one, has none."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind == _FORM:
        return parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)
    if kind == _PARTS:
        message = BytesParser(policy=HTTP).parsebytes(f"Content-Type: {content_type}\r\n\r\n".encode() + body)
        return [
            (str(part.get_param("name", "", "content-disposition")), _content(part.get_payload(decode=True)))
            for part in message.iter_parts()
        ]
    return []


def _content(payload: object) -> str:
    return payload.decode("utf-8", "replace") if isinstance(payload, bytes) else ""


def read_fields(pairs: Iterable[tuple[str, str]]) -> dict[str, Value]:
    """The fields by name: the last of a name wins, ``a[7]`` and ``a[]`` make a map, and dots become underscores."""
    fields: dict[str, Value] = {}
    for name, value in pairs:
        found = _NAME.fullmatch(name)
        if found is None:
            continue
        key = found[1].lstrip(" ").replace(".", "_").replace(" ", "_")
        if found[2] is None:
            fields[key] = value
            continue
        inner = fields.get(key)
        if not isinstance(inner, dict):
            inner = fields[key] = {}
        inner[found[2] or str(len(inner))] = value
    return fields


@attrs.frozen
class Fields:
    """The fields of one call, read one by one."""

    values: dict[str, Value]

    def given(self, name: str) -> bool:
        """Whether the field was sent, empty or not."""
        return name in self.values

    def text(self, name: str) -> str:
        """Text; "" if the field was not sent, or is a map."""
        value = self.values.get(name, "")
        return value if isinstance(value, str) else ""

    def number(self, name: str) -> int:
        """A whole number that is not negative; 0 for anything else, as PHP casts text."""
        text = self.text(name).strip()
        return int(text) if text.isascii() and text.isdecimal() and len(text) < 16 else 0

    def flag(self, name: str) -> bool:
        """PHP's idea of truth: everything but "" and "0" is true, the word "false" among it."""
        return truth(self.text(name))

    def money(self, name: str) -> Decimal:
        """An amount; an error that names the field if it is none. WHMCS would make some number of it."""
        return _named(name, cents, self.text(name))

    def rate(self, name: str) -> Decimal | None:
        """A tax rate in percent; None if there is none."""
        return _named(name, percent, self.text(name)) if self.text(name) else None

    def map(self, name: str) -> dict[str, str]:
        """The entries of ``name[…]``."""
        value = self.values.get(name, {})
        return value if isinstance(value, dict) else {}

    def numbered(self, prefix: str) -> dict[int, str]:
        """The values of ``prefix1``, ``prefix2`` and so on, by their number."""
        return {
            int(name.removeprefix(prefix)): value
            for name, value in self.values.items()
            if name.startswith(prefix) and name.removeprefix(prefix).isdecimal() and isinstance(value, str)
        }


def _named(name: str, read: Callable[[str], Decimal], text: str) -> Decimal:
    try:
        return read(text)
    except InstallError as error:
        raise InstallError(f"{name}: {error}") from None


def truth(text: str) -> bool:
    """Whether PHP takes this text for true."""
    return text not in {"", "0"}
