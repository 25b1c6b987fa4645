"""Result rows as values, with every doubt refused in words that name the row and the column."""

from typing import Any

from babel.numbers import get_currency_precision

from tollbridge import Client, ClientStatus, Currency, Discount, InvoiceStatus, Receipt, TaxRate
from tollbridge.reading import Row, day, decimal, flag, made, months_in, one_of, text, whole

_CLIENT_STATUSES = {str(status): status for status in ClientStatus}
_INVOICE_STATUSES = {str(status): status for status in InvoiceStatus}


def client(row: Row) -> Client:
    """A row of ``client`` or ``clients``."""
    who = f"client {row.get('id')} in the database"
    texts = {
        key: text(row, key) for key in ("first_name", "last_name", "company", "group", "country", "state", "language")
    }
    return made(
        who,
        Client,
        id=whole(row, "id", who),
        email=text(row, "email"),
        currency=text(row, "currency").upper(),
        status=one_of(row, "status", _CLIENT_STATUSES, who) if "status" in row else ClientStatus.ACTIVE,
        tax_exempt=flag(row, "tax_exempt", who),
        **texts,
    )


def currency(row: Row) -> Currency:
    """A row of ``currencies``; a column that is left out or NULL is as usual, ``decimals`` as ISO 4217 has them.

    ``max_decimals`` is how many the tables can hold.
    """
    who = f"currency {row.get('code')} in the database"
    code = text(row, "code").upper()
    decimals = get_currency_precision(code) if row.get("decimals") is None else whole(row, "decimals", who)
    if row.get("max_decimals") is not None:
        decimals = min(decimals, whole(row, "max_decimals", who))
    texts = ("prefix", "suffix", "thousands_separator", "decimal_separator")
    given = {key: str(row[key]) for key in texts if row.get(key) is not None}
    return made(who, Currency, code=code, decimals=decimals, **given)


def discount(row: Row) -> Discount:
    """A row of ``discounts``."""
    who = f"discount {row.get('name')} in the database"
    multiplier = decimal(row, "multiplier", who)
    return made(who, Discount, name=text(row, "name"), description=text(row, "description"), multiplier=multiplier)


def tax(row: Row) -> tuple[int, bool, TaxRate]:
    """A row of ``taxes``: its level, whether it is compound, and the tax."""
    who = f"tax {row.get('label')} in the database"
    level = whole(row, "level", who) if row.get("level") is not None else 1
    rate = made(who, TaxRate, label=text(row, "label"), rate=decimal(row, "rate", who))
    return level, flag(row, "compound", who), rate


def receipt(row: Row) -> Receipt:
    """A row of a statement that reads invoices."""
    who = f"invoice {row.get('reference') or row.get('id')} in the database"
    amounts = {key: None if row.get(key) is None else decimal(row, key, who) for key in ("balance", "subtotal")}
    return made(
        who,
        Receipt,
        id=identifier(row["id"]),
        reference=text(row, "reference"),
        client_id=whole(row, "client_id", who),
        status=one_of(row, "status", _INVOICE_STATUSES, who),
        due_date=day(row, "due_date", who),
        total=decimal(row, "total", who),
        currency=text(row, "currency").upper() or None,
        months=months_in(text(row, "notes"), text(row, "reference")),
        number=text(row, "number") or None,
        **amounts,
    )


def identifier(value: Any) -> int | str:
    """An invoice's id as receipts have it: a number, or the text of whatever else it is."""
    return value if isinstance(value, int) else str(value)
