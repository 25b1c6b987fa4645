"""Invoices as WHMCS takes and gives them."""

import html
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from tollbridge import Invoice, InvoiceStatus, Receipt, Refused
from tollbridge.reading import Row, carries, day, decimal, made, months_in, one_of, records, text, whole

# "Collections" is an unpaid invoice that somebody else now tries to collect.
STATUSES: Mapping[str, InvoiceStatus] = {
    "draft": InvoiceStatus.DRAFT,
    "unpaid": InvoiceStatus.UNPAID,
    "overdue": InvoiceStatus.UNPAID,
    "collections": InvoiceStatus.UNPAID,
    "payment pending": InvoiceStatus.PENDING,
    "paid": InvoiceStatus.PAID,
    "cancelled": InvoiceStatus.CANCELLED,
    "refunded": InvoiceStatus.REFUNDED,
}
OPEN = ("Unpaid", "Overdue", "Collections", "Payment Pending")


def notes(row: Row) -> str:
    """The invoice's notes, where the reference is.

    Raises:
        Refused: the row has none, not even empty ones, so that nothing could ever be found again.
    """
    if "notes" not in row:
        raise Refused(f"WHMCS's answer has no notes for invoice {row.get('id')}, and references are kept there")
    return html.unescape(text(row, "notes"))


def receipt(row: Row, wanted: str, *, included: bool | None) -> Receipt:
    """An invoice of ``GetInvoice`` or ``GetInvoices``, which carries the reference ``wanted``.

    WHMCS takes applied credit off ``total``, so what was invoiced is the subtotal with both taxes. ``included`` says
    whether amounts hold their tax there; then ``subtotal`` does not.
    """
    number = whole(row, "invoiceid" if text(row, "invoiceid") else "id", "an invoice")
    who = f"WHMCS's invoice {number} ({wanted})"
    subtotal, *taxes = (decimal(row, key, who) for key in ("subtotal", "tax", "tax2"))
    entered = _entered(row, who)
    if entered is None and (included is False or not any(taxes)):
        entered = subtotal
    return made(
        who,
        Receipt,
        id=number,
        reference=wanted,
        client_id=whole(row, "userid", who),
        status=one_of(row, "status", STATUSES, who),
        due_date=day(row, "duedate", who),
        total=sum(taxes, subtotal),
        balance=decimal(row, "balance", who) if text(row, "balance") else None,
        subtotal=entered,
        currency=text(row, "currencycode").upper() or None,
        months=months_in(notes(row), wanted),
        number=text(row, "invoicenum") or None,  # empty unless numbers are custom or sequential
    )


def _entered(row: Row, who: str) -> Decimal | None:
    """The sum of the lines; None in lists, which have none."""
    lines = records(row.get("items"), "item")
    return sum((decimal(line, "amount", who) for line in lines), Decimal(0)) if lines else None


def made_before(row: Row, limit: date) -> bool:
    """Whether WHMCS says that it made the invoice before this day; not what a human may have put on it."""
    try:
        return day(row, "created_at", "an invoice") < limit
    except Refused:  # versions before 8 do not tell, and of their invoices later ones do not either
        return False


def fields(invoice: Invoice, rates: tuple[Decimal, Decimal]) -> dict[str, Any]:
    """What ``CreateInvoice`` is sent of an invoice. Lines are taxed only if there is a tax for this client.

    Raises:
        Refused: an amount has more decimals than WHMCS keeps.
    """
    taxed = bool(invoice.taxes)
    if not invoice.lines:
        raise Refused(f"{invoice.reference} has no lines")
    sent: dict[str, Any] = {
        "userid": invoice.client_id,
        "status": "Unpaid",
        "date": invoice.issue_date.isoformat(),
        "duedate": invoice.due_date.isoformat(),
        "taxrate": f"{rates[0]:.3f}",  # "0" would be no rate at all to PHP, and "0.000" is one
        "taxrate2": f"{rates[1]:.3f}",
        "notes": invoice.notes if carries(invoice.notes, invoice.reference) else _noted(invoice),
    }
    for number, line in enumerate(invoice.lines, 1):
        if line.amount != round(line.amount, 2):
            raise Refused(f"{invoice.reference}: WHMCS keeps two decimals, and a line comes to {line.amount:f}")
        sent[f"itemdescription{number}"] = line.description
        sent[f"itemamount{number}"] = f"{line.amount:.2f}"
        sent[f"itemtaxed{number}"] = int(line.taxed and taxed)
    return sent


def _noted(invoice: Invoice) -> str:
    return "\n".join(part for part in (invoice.reference, invoice.notes) if part)
