"""Clients, currencies and client groups as Blesta answers them, and as the bridge has them."""

import re
from collections.abc import Mapping
from typing import Any

from tollbridge import Client, ClientStatus, Currency, Refused
from tollbridge.reading import Row, flag, made, one_of, records, text, whole

# A client marked as fraudulent is somebody the company does not serve any more.
_STATUSES = {"active": ClientStatus.ACTIVE, "inactive": ClientStatus.INACTIVE, "fraud": ClientStatus.CLOSED}
STATUSES = tuple(_STATUSES)
# Settings that only a company has: a client's settings that hold one of them hold what it inherits.
_OF_COMPANIES = {"timezone", "enable_tax", "cascade_tax"}
_PICTURE = re.compile(r"#([^#]?)(?:##[^#])?###(?:([^#])#+)?")


def currencies(answer: Any) -> list[Currency]:
    """``currencies/getAll``."""
    return [_currency(row) for row in records(answer)]


def _currency(row: Row) -> Currency:
    who = f"Blesta's currency {text(row, 'code')}"
    picture = _PICTURE.fullmatch(text(row, "format"))
    thousands, point = (picture[1], picture[2] or ".") if picture else (",", ".")
    return made(
        who,
        Currency,
        code=text(row, "code").upper(),
        prefix=str(row.get("prefix") or ""),
        suffix=str(row.get("suffix") or ""),
        decimals=whole(row, "precision", who),
        thousands_separator=thousands,
        decimal_separator=point,
    )


def group_names(answer: Any) -> dict[int, str]:
    """``client_groups/getAll``."""
    return {whole(row, "id", "a client group"): text(row, "name") for row in records(answer)}


def settings(value: Any) -> dict[str, str]:
    """Settings by key: as an object, as an object of ``{key, value}`` records, or as a list of them."""
    pairs = enumerate(value) if isinstance(value, list) else (value or {}).items()
    found = {}
    for key, inner in pairs:
        if isinstance(inner, dict):
            found[text(inner, "key") or str(key)] = text(inner, "value")
        else:
            found[str(key)] = "" if inner is None else str(inner)
    return found


def is_whole(own: Mapping[str, str]) -> bool:
    """Whether a client's settings are all that are in force: what nobody ever set is in no list of them."""
    is_inherited = not own.keys().isdisjoint(_OF_COMPANIES)
    return bool(own.get("default_currency")) and ("tax_exempt" in own or is_inherited)


def client(row: Row, own: Mapping[str, str], groups: Mapping[int, str]) -> Client:
    """A client from ``clients/get`` and its settings, which hold its currency and whether it is tax exempt."""
    number = whole(row, "id", "a client")
    who = f"client {number} in Blesta"
    group = whole(row, "client_group_id", who) if text(row, "client_group_id") else 0
    if group and group not in groups:
        raise Refused(f"{who} is in client group {group}, which Blesta does not list for this company")
    return made(
        who,
        Client,
        id=number,
        email=text(row, "email"),
        currency=text(own, "default_currency").upper(),
        first_name=text(row, "first_name"),
        last_name=text(row, "last_name"),
        company=text(row, "company"),
        status=one_of(row, "status", _STATUSES, who),
        group=groups.get(group, ""),
        country=text(row, "country").upper(),
        state=text(row, "state"),
        tax_exempt=flag(own, "tax_exempt", who),
        language=text(own, "language"),
    )
