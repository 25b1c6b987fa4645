"""Clients and currencies as HostBill answers them, and as the bridge has them."""

import html
import re
from collections.abc import Mapping
from decimal import Decimal

import attrs

from tollbridge import Client, ClientStatus, Currency, Refused
from tollbridge.reading import Row, decimal, flag, made, one_of, records, text, whole

# A client that is closing keeps its services to the end, and pays for them. A lead, and what became of it, is nobody's
# client yet.
_STATUSES = {
    "active": ClientStatus.ACTIVE,
    "closing": ClientStatus.ACTIVE,
    "lead": ClientStatus.INACTIVE,
    "prospect": ClientStatus.INACTIVE,
    "lost": ClientStatus.INACTIVE,
    "inactive": ClientStatus.INACTIVE,
    "closed": ClientStatus.CLOSED,
    "pending removal": ClientStatus.CLOSED,
    "archived": ClientStatus.CLOSED,
}
_SAMPLE = re.compile(r"1(\D?)234(?:(\D)\d+)?")


@attrs.frozen
class Listed:
    """A currency of ``getCurrencies``; one that is not enabled may still be a client's."""

    currency: Currency
    enabled: bool


def words(row: Row, key: str) -> str:
    """A text as a person typed it, if HostBill escaped it for HTML."""
    return html.unescape(text(row, key))


def currencies(answer: Row) -> dict[int, Listed]:
    """``getCurrencies`` by number: the main currency is 0, and not in the list."""
    main = answer.get("main")
    if not isinstance(main, dict):
        raise Refused("HostBill's getCurrencies does not tell the main currency")
    rows = [{**main, "id": 0, "enable": 1}, *records(answer.get("currencies"), "currencies")]
    return {whole(row, "id", "a currency"): Listed(_currency(row), _is_enabled(row)) for row in rows}


def _is_enabled(row: Row) -> bool:
    return "enable" not in row or flag(row, "enable", "a currency")


def _currency(row: Row) -> Currency:
    """One currency: ``iso`` is its code, and ``code`` how people write it, such as "kr"; ``format`` is a sample."""
    code = text(row, "iso") or text(row, "code")
    who = f"HostBill's currency {code}"
    sign, written = words(row, "sign"), words(row, "code")
    sample = _SAMPLE.fullmatch(html.unescape(str(row.get("format") or "")).strip())
    thousands, point = (sample[1], sample[2] or ".") if sample else (",", ".")
    return made(
        who,
        Currency,
        code=code.upper(),
        prefix=sign,
        suffix=f" {written}" if not sign and written.upper() != code.upper() else "",
        decimals=whole(row, "decimal", who),
        thousands_separator=thousands,
        decimal_separator=point,
    )


def number(row: Row) -> int:
    """A client's own number."""
    return whole(row, "id" if text(row, "id") else "client_id", "a client")


def is_contact(row: Row) -> bool:
    """Whether this is somebody's contact, and no client."""
    return text(row, "parent_id") not in {"", "0"}


def client(row: Row, known: Mapping[int, Listed]) -> Client:
    """A client from ``getClientDetails``.

    Raises:
        Refused: it does not tell the currency, or whether the client pays taxes.
    """
    who = f"client {number(row)} in HostBill"
    if "taxexempt" not in row:
        raise Refused(f"{who} has no taxexempt, so that it is not known whether it pays taxes")
    currency = whole(row, "currency_id", who)
    if currency not in known:
        raise Refused(f"{who} pays in currency {currency}, which HostBill does not list")
    return made(
        who,
        Client,
        id=number(row),
        email=text(row, "email"),
        currency=known[currency].currency.code,
        first_name=words(row, "firstname"),
        last_name=words(row, "lastname"),
        company=words(row, "companyname"),
        status=one_of(row, "status", _STATUSES, who),
        group=words(row, "group_name"),
        country=text(row, "country").upper(),
        state=words(row, "state"),
        tax_exempt=flag(row, "taxexempt", who),
        language=text(row, "language"),
    )


def own_rate(row: Row) -> Decimal | None:
    """The rate that this client pays in place of the rules', if it has one: ``taxrateoverride``."""
    who = f"client {number(row)} in HostBill"
    return decimal(row, "taxrate", who) if flag(row, "taxrateoverride", who) else None
