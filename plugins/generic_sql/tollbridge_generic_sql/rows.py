"""Result rows as values, with every doubt refused in words that name the row and the column."""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar

from babel.numbers import get_currency_precision

from tollbridge import Client, ClientStatus, Currency, Discount, InvoiceStatus, Receipt, Refused, TaxRate

Row = Mapping[str, Any]
Value = TypeVar("Value")

_TRUE = {"1", "t", "true", "y", "yes", "on"}
_FALSE = {"", "0", "f", "false", "n", "no", "off"}


def client(row: Row) -> Client:
    """A row of ``client`` or ``clients``."""
    who = f"client {row.get('id')}"
    texts = {key: _text(row, key) for key in ("first_name", "last_name", "company", "group", "country", "state")}
    return _made(
        who,
        Client,
        id=_whole(row, "id", who),
        email=_text(row, "email").strip(),
        currency=_text(row, "currency").strip().upper(),
        status=_status(row, ClientStatus, who) if "status" in row else ClientStatus.ACTIVE,
        tax_exempt=_flag(row, "tax_exempt", who),
        **texts,
    )


def currency(row: Row) -> Currency:
    """A row of ``currencies``; a column that is left out or NULL is as usual, ``decimals`` as ISO 4217 has them."""
    who = f"currency {row.get('code')}"
    code = _text(row, "code").strip().upper()
    decimals = get_currency_precision(code) if row.get("decimals") is None else _whole(row, "decimals", who)
    texts = ("prefix", "suffix", "thousands_separator", "decimal_separator")
    given = {key: _text(row, key) for key in texts if row.get(key) is not None}
    return _made(who, Currency, code=code, decimals=decimals, **given)


def discount(row: Row) -> Discount:
    """A row of ``discounts``."""
    who = f"discount {row.get('name')}"
    multiplier = _decimal(row, "multiplier", who)
    return _made(who, Discount, name=_text(row, "name"), description=_text(row, "description"), multiplier=multiplier)


def tax(row: Row) -> tuple[int, bool, TaxRate]:
    """A row of ``taxes``: its level, whether it is compound, and the tax."""
    who = f"tax {row.get('label')}"
    level = _whole(row, "level", who) if row.get("level") is not None else 1
    rate = _made(who, TaxRate, label=_text(row, "label"), rate=_decimal(row, "rate", who))
    return level, _flag(row, "compound", who), rate


def receipt(row: Row) -> Receipt:
    """A row of ``find_invoice`` or ``unpaid_invoices``."""
    who = f"invoice {row.get('reference') or row.get('id')}"
    return _made(
        who,
        Receipt,
        id=identifier(row["id"]),
        reference=_text(row, "reference"),
        client_id=_whole(row, "client_id", who),
        status=_status(row, InvoiceStatus, who),
        due_date=_date(row, "due_date", who),
        total=_decimal(row, "total", who),
        balance=None if row.get("balance") is None else _decimal(row, "balance", who),
    )


def identifier(value: Any) -> int | str:
    """An invoice's id as receipts have it: a number, or the text of whatever else it is."""
    return value if isinstance(value, int) else str(value)


def _made(who: str, kind: Callable[..., Value], **fields: Any) -> Value:
    try:
        return kind(**fields)
    except (ValueError, TypeError) as error:
        raise Refused(f"{who} in the database cannot be used: {error}") from None


def _text(row: Row, key: str) -> str:
    value = row.get(key)
    return "" if value is None else str(value)


def _status(row: Row, kind: type[Value], who: str) -> Value:
    text = _text(row, "status").strip().lower()
    known = [str(each) for each in kind]  # type: ignore[attr-defined]
    if text not in known:
        raise Refused(f"{who} in the database has status {text!r}, where one of {', '.join(known)} is needed")
    return kind(text)  # type: ignore[call-arg]


def _whole(row: Row, key: str, who: str) -> int:
    value = row[key]
    if isinstance(value, bool) or not str(value).strip().removeprefix("-").isdecimal():
        raise Refused(f"{who} in the database has {key} {value!r}, where a whole number is needed")
    return int(value)


def _decimal(row: Row, key: str, who: str) -> Decimal:
    """An exact number; a REAL of SQLite is taken by its shortest digits, which are those that were written."""
    try:
        number = Decimal(str(row[key]))
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite():
        raise Refused(f"{who} in the database has {key} {row[key]!r}, where a number is needed")
    return number


def _date(row: Row, key: str, who: str) -> date:
    value = row[key]
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(str(value)[:10])
    except ValueError:
        raise Refused(f"{who} in the database has {key} {value!r}, where a date like 2026-08-15 is needed") from None


def _flag(row: Row, key: str, who: str) -> bool:
    text = _text(row, key).strip().lower()
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    raise Refused(f"{who} in the database has {key} {text!r}, where true or false is needed")
