"""Invoices as Blesta takes and gives them."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from tollbridge import Invoice, InvoiceStatus, Receipt, Refused
from tollbridge.reading import (
    Row,
    carries,
    decimal,
    made,
    mentions,
    months_in,
    one_of,
    records,
    reference_in,
    text,
    whole,
    without_references,
)
from tollbridge.reference import PREFIX

# Paid is not a status of Blesta's but a date of closing; a proforma invoice is one that is still to be paid.
_STATUSES = {
    "active": InvoiceStatus.UNPAID,
    "proforma": InvoiceStatus.UNPAID,
    "draft": InvoiceStatus.DRAFT,
    "void": InvoiceStatus.CANCELLED,
}
OPEN = ("open", "past_due", "proforma")
ANY_REFERENCE = PREFIX
_IN_LISTS = {"client_id", "status", "date_due", "date_closed", "total", "note_private"}


def reference(row: Row) -> str:
    """The reference that the invoice's first line begins with, or else its private note; empty if there is none."""
    return reference_in(_first_line(row)) or reference_in(text(row, "note_private"))


def listed_reference(row: Row) -> str:
    """The reference in the private note of a row of a list that has all of a receipt; else empty: ask by number."""
    has_all = row.keys() >= _IN_LISTS and not row.keys().isdisjoint({"due", "paid"})
    return reference_in(text(row, "note_private")) if has_all else ""


def refers_to(row: Row, wanted: str) -> bool:
    """Whether this is the invoice with the reference: its first line begins with it, and its private note has it.

    Both, because lines hold words of customers: names of their servers.

    Raises:
        Refused: only one of the two has it, so that a human must say which is right.
    """
    in_line = carries(_first_line(row), wanted)
    in_note = mentions(text(row, "note_private"), wanted) if "note_private" in row else in_line
    if in_line != in_note:
        there, missing = ("first line", "private note") if in_line else ("private note", "first line")
        raise Refused(
            f"Blesta's invoice {row.get('id')} has {wanted} in its {there} and not in its {missing}: put it into both,"
            f" or into neither"
        )
    return in_line


def _first_line(row: Row) -> str:
    if "line_items" not in row:
        raise Refused(f"Blesta's answer has no lines for invoice {row.get('id')}, and references are kept there")
    lines = records(row["line_items"])
    return text(lines[0], "description") if lines else ""


def receipt(row: Row, wanted: str, zone: ZoneInfo) -> Receipt:
    """An invoice of ``invoices/get`` or a list that carries the reference ``wanted``; ``zone`` is the company's."""
    number = whole(row, "id", "an invoice")
    who = f"Blesta's invoice {number} ({wanted})"
    status = one_of(row, "status", _STATUSES, who)
    total = _amount(row, "total", who)
    balance = _balance(row, total, who)
    closed = text(row, "date_closed").strip("0-: ") != ""
    paid = status is InvoiceStatus.UNPAID and closed and (balance is None or balance <= 0)
    return made(
        who,
        Receipt,
        id=number,
        reference=wanted,
        client_id=whole(row, "client_id", who),
        status=InvoiceStatus.PAID if paid else status,
        due_date=_day(row, "date_due", zone, who),
        total=total,
        balance=balance,
        subtotal=_subtotal(row, who),
        currency=text(row, "currency").upper() or None,
        months=months_in(text(row, "note_private"), wanted),
        number=text(row, "id_code") or None,
    )


def entered(row: Row) -> Decimal:
    """The sum of an invoice's lines as they were entered, be it with or without tax."""
    who = f"Blesta's invoice {row.get('id')}"
    lines = records(row.get("line_items"))
    return sum((_amount(line, "qty", who) * _amount(line, "amount", who) for line in lines), Decimal(0))


def _subtotal(row: Row, who: str) -> Decimal | None:
    """The sum of the lines, if it is sure that they were entered without tax: Blesta's subtotal is without it."""
    if "line_items" not in row or not text(row, "subtotal"):
        return None
    return entered(row) if entered(row) == _amount(row, "subtotal", who) else None


def billed_before(row: Row, limit: date, zone: ZoneInfo) -> bool:
    """Whether the invoice has a date before this day; people may have given it that date."""
    try:
        return _day(row, "date_billed", zone, "an invoice") < limit
    except Refused:
        return False


def _amount(row: Row, key: str, who: str) -> Decimal:
    """An amount to Blesta's four decimals; some versions calculate with binary fractions."""
    return round(decimal(row, key, who), 4)


def _balance(row: Row, total: Decimal, who: str) -> Decimal | None:
    if text(row, "due"):
        return _amount(row, "due", who)
    return total - _amount(row, "paid", who) if text(row, "paid") else None


def _day(row: Row, key: str, zone: ZoneInfo, who: str) -> date:
    """The company's date of a timestamp, which Blesta gives in UTC and without saying so."""
    try:
        moment = datetime.fromisoformat(text(row, key))
    except ValueError:
        raise Refused(f"{who} has {key} {row.get(key)!r}, where a time like 2026-08-15 12:00:00 is needed") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(zone).date()


def new_invoice(invoice: Invoice, amounts: Sequence[Decimal], zone: ZoneInfo, *, send: bool) -> dict[str, Any]:
    """``vars`` of ``invoices/add``. The first line begins with the reference, since lines are what can be searched.

    Raises:
        Refused: there are no lines.
    """
    if not invoice.lines:
        raise Refused(f"{invoice.reference} has no lines")
    taxed = bool(invoice.taxes)
    lines = [
        {
            "description": without_references(line.description),
            "qty": 1,
            "amount": f"{amount:f}",
            "tax": line.taxed and taxed,
        }
        for line, amount in zip(invoice.lines, amounts, strict=True)
    ]
    lines[0]["description"] = f"{invoice.reference}: {lines[0]['description']}"
    return {
        "client_id": invoice.client_id,
        "date_billed": _moment(invoice.issue_date, time(12), zone),
        "date_due": _moment(invoice.due_date, time(23, 59, 59), zone),
        "status": "active",
        "currency": invoice.currency,
        "note_public": invoice.notes,
        "note_private": invoice.notes if mentions(invoice.notes, invoice.reference) else invoice.reference,
        "lines": lines,
        "delivery": ["email"] if send else None,
    }


def _moment(day: date, at: time, zone: ZoneInfo) -> str:
    return datetime.combine(day, at, zone).isoformat()
