"""What a setting's value must meet, as validators of attrs classes: for bridge.toml's own tables and for adapters'."""

import re
from collections.abc import Callable
from decimal import Decimal
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

import attrs

from tollbridge.secret import Secret

_HOST = re.compile(r"[\w.-]+|[0-9a-f:.]+")

Validator = Callable[[Any, "attrs.Attribute[Any]", Any], None]


class FieldError(ValueError):
    """A value that is of the right type and still cannot be right."""

    def __init__(self, key: str, message: str) -> None:
        self.key = key
        self.message = message
        super().__init__(f"{key} {message}")


def at_least(least: int | Decimal, most: int | None = None) -> Validator:
    """The value is not below ``least``, nor above ``most``; None passes."""

    def validate(_instance: object, attribute: "attrs.Attribute[Any]", value: Any) -> None:
        if value is not None and (value < least or (most is not None and value > most)):
            wanted = f"at least {least}" if most is None else f"from {least} to {most}"
            raise FieldError(attribute.name, f"must be {wanted}, not {value}")

    return validate


def web_address(_instance: object, attribute: "attrs.Attribute[Any]", value: str | None) -> None:
    """The value is an https address; plain http only reaches this machine, for it would carry secrets."""
    if value is None:
        return
    host = _host_of(value)
    if host is None:
        raise FieldError(attribute.name, f'must be an address like "https://host.example.com", not "{value}"')
    parts = urlsplit(value)
    if parts.scheme == "http" and not is_loopback(host):
        raise FieldError(attribute.name, "must begin with https://, since plain http would show its secrets on the way")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise FieldError(attribute.name, "must be only scheme, host, port and path")


def _host_of(url: str) -> str | None:
    """The host of a web address; None if it is none that a request can be sent to."""
    if not url.isprintable() or " " in url:
        return None
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and parts.port != 0 and _HOST.fullmatch(parts.hostname or "")
    except ValueError:
        return None
    return parts.hostname if usable else None


def bearer(_instance: object, attribute: "attrs.Attribute[Any]", value: Secret) -> None:
    """The value can be sent in a header."""
    token = value.reveal()
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise FieldError(attribute.name, "is empty" if not token else "holds spaces, or characters no token has")


def is_loopback(host: str) -> bool:
    """Whether ``host`` is this machine itself."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
