"""E-mail addresses, taken only in forms that can stand in a mail's header and in an SMTP command as they are."""

import re
import unicodedata

import attrs
import idna

_LONGEST_LOCAL, _LONGEST = 64, 254
_SPECIAL = frozenset('()<>[]:;@\\,."')
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_WITH_NAME = re.compile(r"(?P<name>[^<>]*)<(?P<address>[^<>]*)>")


@attrs.frozen
class Address:
    """One mailbox: ``domain`` is in ASCII, ``local`` need not be; ``name`` is whose it is, to be shown."""

    local: str
    domain: str
    name: str = ""

    def __str__(self) -> str:
        return f"{self.local}@{self.domain}"

    @property
    def needs_utf8(self) -> bool:
        """Whether only servers with the extension SMTPUTF8 (RFC 6531) can take it."""
        return not self.local.isascii()


def bare_address(text: str) -> Address:
    """An address and nothing else, ``ada@example.com``; ValueError in words.

    Quoted local parts, comments and addresses of numbers are left out: nobody has them, and they are what injected
    headers and recipients are made of.
    """
    local, _, domain = text.rpartition("@")
    try:
        host = domain.lower() if domain.isascii() else idna.encode(domain.lower()).decode()
    except idna.IDNAError:
        host = ""
    labels = host.split(".")
    good_host = len(labels) > 1 and all(map(_LABEL.fullmatch, labels)) and not labels[-1].isdecimal()
    good_local = all(part and all(map(_is_plain, part)) for part in local.split("."))
    if not (good_host and good_local):
        raise ValueError(f"{_shown(text)} is no e-mail address like ada@example.com")
    if len(local.encode()) > _LONGEST_LOCAL or len(f"{local}@{host}".encode()) > _LONGEST:
        raise ValueError(f"{_shown(text)} is longer than an e-mail address can be")
    return Address(local, host)


def named_address(text: str) -> Address:
    """An address that may have a name: ``Example Cloud <billing@example.com>``; ValueError in words."""
    match = _WITH_NAME.fullmatch(text.strip())
    if match is None:
        return bare_address(text.strip())
    name = match["name"].strip()
    if len(name) > 1 and name[0] == name[-1] == '"':
        name = name[1:-1]
    return attrs.evolve(bare_address(match["address"]), name=one_line(name, "the name"))


def one_line(text: str, what: str) -> str:
    """``text``, if it has nothing in it that ends a line or that no line can hold; ValueError in words."""
    if any(unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"} for character in text):
        raise ValueError(f"{what} {_shown(text)} has line breaks or control characters in it")
    return text


def _is_plain(character: str) -> bool:
    """Whether the character can stand in a local part without quotes; marks join letters and are as good."""
    return character not in _SPECIAL and unicodedata.category(character)[0] not in "CZ"


def _shown(text: str) -> str:
    return ascii(text[:80])
