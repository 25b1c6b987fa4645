"""Invoices as Blesta takes and gives them."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from tollbridge import Invoice, InvoiceStatus, Receipt, Refused
from tollbridge.reading import Row, carries, decimal, made, one_of, records, reference_in, text, whole

# Paid is not a status of Blesta's but a date of closing; a proforma invoice is one that is still to be paid.
_STATUSES = {
    "active": InvoiceStatus.UNPAID,
    "proforma": InvoiceStatus.UNPAID,
    "draft": InvoiceStatus.DRAFT,
    "void": InvoiceStatus.CANCELLED,
}
OPEN = ("open", "past_due", "proforma")
ANY_REFERENCE = "TB-"


def reference(row: Row) -> str:
    """The reference in the invoice's lines; empty if there is none."""
    found = (reference_in(text(line, "description")) for line in records(row.get("line_items")))
    return next(filter(None, found), "")


def refers_to(row: Row, wanted: str) -> bool:
    """Whether one of the invoice's lines carries this reference."""
    return any(carries(text(line, "description"), wanted) for line in records(row.get("line_items")))


def receipt(row: Row, wanted: str, zone: ZoneInfo) -> Receipt:
    """An invoice of ``invoices/get`` that carries the reference ``wanted``; ``zone`` is the company's."""
    number = whole(row, "id", "an invoice")
    who = f"Blesta's invoice {number} ({wanted})"
    status = one_of(row, "status", _STATUSES, who)
    total = decimal(row, "total", who)
    return made(
        who,
        Receipt,
        id=number,
        reference=wanted,
        client_id=whole(row, "client_id", who),
        status=InvoiceStatus.PAID if status is InvoiceStatus.UNPAID and text(row, "date_closed") else status,
        due_date=_day(row, "date_due", zone, who),
        total=total,
        balance=_balance(row, total, who),
    )


def _balance(row: Row, total: Decimal, who: str) -> Decimal | None:
    if text(row, "due"):
        return decimal(row, "due", who)
    return total - decimal(row, "paid", who) if text(row, "paid") else None


def _day(row: Row, key: str, zone: ZoneInfo, who: str) -> date:
    """The company's date of a timestamp, which Blesta gives in UTC and without saying so."""
    try:
        moment = datetime.fromisoformat(text(row, key))
    except ValueError:
        raise Refused(f"{who} has {key} {row.get(key)!r}, where a time like 2026-08-15 12:00:00 is needed") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(zone).date()


def new_invoice(invoice: Invoice, amounts: Sequence[Decimal], zone: ZoneInfo, *, send: bool) -> dict[str, Any]:
    """``vars`` of ``invoices/add``. The first line carries the reference, since lines are what can be searched."""
    taxed = bool(invoice.taxes)
    lines = [
        {"description": line.description, "qty": 1, "amount": f"{amount:f}", "tax": line.taxed and taxed}
        for line, amount in zip(invoice.lines, amounts, strict=True)
    ]
    lines[0]["description"] = f"{lines[0]['description']} [{invoice.reference}]"
    return {
        "client_id": invoice.client_id,
        "date_billed": _moment(invoice.issue_date, time(12), zone),
        "date_due": _moment(invoice.due_date, time(23, 59, 59), zone),
        "status": "active",
        "currency": invoice.currency,
        "note_private": invoice.notes or invoice.reference,
        "lines": lines,
        "delivery": ["email"] if send else None,
    }


def _moment(day: date, at: time, zone: ZoneInfo) -> str:
    return datetime.combine(day, at, zone).isoformat()
