"""Clients, currencies and client groups as WHMCS answers them, and as the bridge has them."""

import html
import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

import attrs
import structlog

from tollbridge import Client, ClientStatus, Currency, Discount, Refused
from tollbridge.reading import Row, decimal, flag, made, one_of, records, text, whole

_STATUSES = {"active": ClientStatus.ACTIVE, "inactive": ClientStatus.INACTIVE, "closed": ClientStatus.CLOSED}
_log = structlog.get_logger("tollbridge_whmcs_like")
_FLAT = re.compile(r"currencies\[currency\]\[(\d+)\]\[(\w+)\]")
# WHMCS's format codes: 1234.56, 1,234.56, 1.234,56 and 1,234.
_FORMATS: Mapping[str, dict[str, Any]] = {
    "1": {"decimals": 2, "thousands_separator": "", "decimal_separator": "."},
    "2": {"decimals": 2, "thousands_separator": ",", "decimal_separator": "."},
    "3": {"decimals": 2, "thousands_separator": ".", "decimal_separator": ","},
    "4": {"decimals": 0, "thousands_separator": ",", "decimal_separator": "."},
}


@attrs.frozen
class Group:
    """A client group and its discount in percent."""

    name: str
    percent: Decimal


def words(row: Row, key: str) -> str:
    """A text as a person typed it; WHMCS keeps some of them escaped for HTML."""
    return html.unescape(text(row, key))


def currencies_by_id(answer: Row) -> dict[int, Currency]:
    """``GetCurrencies``, nested or with the flattened keys that its reference prints."""
    flat: dict[str, dict[str, Any]] = {}
    for key, value in answer.items():
        if match := _FLAT.fullmatch(key):
            flat.setdefault(match[1], {})[match[2]] = value
    found = [*flat.values()] or records(answer.get("currencies"), "currency")
    currencies = ((whole(row, "id", f"currency {text(row, 'code')}"), _currency(row)) for row in found)
    return {number: currency for number, currency in currencies if currency is not None}


def _currency(row: Row) -> Currency | None:
    """A currency; None for one that is written in no way known, which then counts as not active."""
    who = f"WHMCS's currency {text(row, 'code')}"
    written = _FORMATS.get(text(row, "format"))
    if written is None:
        _log.warning("WHMCS writes a currency in a way not known", code=text(row, "code"), format=text(row, "format"))
        return None
    affixes = {key: html.unescape(str(row.get(key) or "")) for key in ("prefix", "suffix")}
    return made(who, Currency, code=text(row, "code").upper(), **affixes, **written)


def groups_by_id(answer: Row) -> dict[int, Group]:
    """``GetClientGroups``."""
    found = {}
    for row in records(answer.get("groups"), "group"):
        who = f"WHMCS's client group {words(row, 'groupname')}"
        found[whole(row, "id", who)] = Group(words(row, "groupname"), decimal(row, "discountpercent", who))
    return found


def discounts(client: Client, groups: Iterable[Group]) -> tuple[Discount, ...]:
    """The discount of the client's group.

    Raises:
        Refused: two groups have the client's group's name, and different discounts.
    """
    percents = {group.percent for group in groups if group.name == client.group} if client.group else set()
    if len(percents) > 1:
        raise Refused(f'WHMCS has client groups named "{client.group}" with different discounts: rename one of them')
    return tuple(
        Discount(client.group, f"{percent.normalize():f}% recurring discount", 1 - percent / 100)
        for percent in percents
        if percent
    )


def details(answer: Row) -> Row:
    """The client of ``GetClientsDetails``; older versions have the same keys at the top only."""
    inner = answer.get("client")
    return inner if isinstance(inner, dict) else answer


def client_id(row: Row) -> int:
    """A client's id, under whichever of its three names it came."""
    key = next((key for key in ("client_id", "id", "userid") if text(row, key)), "id")
    return whole(row, key, "a client")


def group_id(row: Row) -> int:
    """The client's group; 0 for none."""
    return whole(row, "groupid", f"client {client_id(row)}") if text(row, "groupid") else 0


def client(row: Row, currencies: Mapping[int, Currency], groups: Mapping[int, Group]) -> Client:
    """A client from its details. ``currencies`` are only needed where the details lack the code."""
    number = client_id(row)
    who = f"client {number} in WHMCS"
    group = groups.get(group_id(row))
    if group is None and group_id(row):
        raise Refused(f"{who} is in client group {group_id(row)}, which WHMCS does not list: its discount is not known")
    return made(
        who,
        Client,
        id=number,
        email=words(row, "email"),
        currency=text(row, "currency_code").upper() or _currency_of(row, currencies, who),
        first_name=words(row, "firstname"),
        last_name=words(row, "lastname"),
        company=words(row, "companyname"),
        status=one_of(row, "status", _STATUSES, who),
        group=group.name if group else "",
        country=(text(row, "countrycode") or text(row, "country")).upper(),
        state=words(row, "state"),
        state_names=filter(None, (words(row, "fullstate"), words(row, "statecode"))),
        tax_exempt=flag(row, "taxexempt", who),
        language=text(row, "language"),
    )


def _currency_of(row: Row, currencies: Mapping[int, Currency], who: str) -> str:
    number = whole(row, "currency", who)
    if number not in currencies:
        raise Refused(f"{who} has currency {number}, which WHMCS does not list")
    return currencies[number].code
