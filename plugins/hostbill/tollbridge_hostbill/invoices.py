"""Invoices as HostBill takes and gives them."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import attrs

from tollbridge import Currency, Invoice, InvoiceStatus, Receipt, Refused
from tollbridge.reading import (
    Row,
    carries,
    day,
    decimal,
    flag,
    made,
    months_in,
    one_of,
    records,
    reference_in,
    text,
    whole,
    without_references,
)
from tollbridge_hostbill.clients import words

# "Collections" is an unpaid invoice that somebody else now tries to collect.
_STATUSES: Mapping[str, InvoiceStatus] = {
    "draft": InvoiceStatus.DRAFT,
    "unpaid": InvoiceStatus.UNPAID,
    "collections": InvoiceStatus.UNPAID,
    "paid": InvoiceStatus.PAID,
    "cancelled": InvoiceStatus.CANCELLED,
    "refunded": InvoiceStatus.REFUNDED,
}
OPEN = {"unpaid", "collections"}
DRAFT = "draft"


@attrs.frozen
class Line:
    """One line as it is sent to ``addInvoiceItem``; its quantity is 1."""

    description: str
    price: Decimal
    taxed: bool

    @property
    def fields(self) -> dict[str, Any]:
        """What is sent."""
        return {"line": self.description, "price": f"{self.price:f}", "qty": 1, "tax": int(self.taxed)}

    def is_like(self, item: Row, who: str) -> bool:
        """Whether HostBill has this line as it was sent, escaped or not; what it does to spaces is no matter."""
        return (
            (self.price, Decimal(1)) == (decimal(item, "amount", who), decimal(item, "qty", who))
            and self.taxed == flag(item, "taxed", who)
            and self.description.split() in (text(item, "description").split(), words(item, "description").split())
        )


def lines(invoice: Invoice) -> tuple[Line, ...]:
    """An invoice's lines. The first begins with the reference, and names the months that are billed.

    Lines are taxed only if there is a tax for this client.
    """
    heading = invoice.notes if carries(invoice.notes, invoice.reference) else invoice.reference
    taxed = bool(invoice.taxes)
    made_of = [Line(without_references(line.description), line.amount, line.taxed and taxed) for line in invoice.lines]
    return (attrs.evolve(made_of[0], description=f"{heading}\n{made_of[0].description}"), *made_of[1:])


def details(answer: Row) -> Row | None:
    """The invoice of an answer that has one whole, with what was paid for it; None if there is none in it."""
    row = answer.get("invoice")
    return {**row, "transactions": answer.get("transactions")} if isinstance(row, dict) and row else None


def items(row: Row) -> list[Row]:
    """The lines, in the order in which they were made."""
    who = f"HostBill's invoice {row.get('id')}"
    if "items" not in row:
        raise Refused(f"{who} is told without its lines, and references are kept there")
    return sorted(records(row["items"], "items"), key=lambda item: whole(item, "id", f"a line of {who}"))


def has_lines(row: Row) -> bool:
    """Whether an answer tells an invoice whole, with whatever lines it has."""
    return "items" in row and bool(text(row, "status"))


def reference(row: Row) -> str:
    """The reference that the invoice's first line begins with; empty if there is none."""
    return reference_in(_first_line(row))


def _first_line(row: Row) -> str:
    return next((words(item, "description") for item in items(row)), "")


def is_a_beginning(row: Row, wanted: tuple[Line, ...]) -> bool:
    """Whether the lines that are there are the first of those that are wanted, or all of them, and no others."""
    there = items(row)
    who = f"a line of HostBill's invoice {row.get('id')}"
    return len(there) <= len(wanted) and all(line.is_like(item, who) for line, item in zip(wanted, there, strict=False))


def status(row: Row) -> str:
    """The status in lower case, as HostBill calls it."""
    return text(row, "status").lower()


def total(row: Row, who: str) -> Decimal:
    """What the invoice comes to with both taxes; credit that was applied may have been taken off ``total``."""
    return sum((decimal(row, key, who) for key in ("tax", "tax2") if text(row, key)), decimal(row, "subtotal", who))


def receipt(row: Row, wanted: str, currency: Currency | None) -> Receipt:
    """An invoice that is told whole, and carries the reference ``wanted``."""
    number = whole(row, "id", "an invoice")
    who = f"HostBill's invoice {number} ({wanted or 'without a reference'})"
    comes_to = _written(total(row, who), currency)
    of_lines = sum((decimal(item, "amount", who) * decimal(item, "qty", who) for item in items(row)), Decimal(0))
    return made(
        who,
        Receipt,
        id=number,
        reference=wanted,
        client_id=whole(row, "client_id", who),
        status=one_of(row, "status", _STATUSES, who),
        due_date=_due(row, who),
        total=comes_to,
        balance=_balance(row, comes_to, currency, who),
        subtotal=_written(of_lines, currency),
        currency=currency.code if currency else None,
        months=months_in(_first_line(row), wanted) if wanted else None,
        number=_printed_number(row),
    )


def listed(row: Row, wanted: str, currency: Currency | None) -> Receipt | None:
    """A row of ``getInvoices`` whose reference is known; None if it does not tell what the invoice comes to."""
    number = whole(row, "id", "an invoice")
    who = f"HostBill's invoice {number} ({wanted})"
    if not text(row, "total") or not text(row, "credit") or decimal(row, "credit", who):
        return None
    return made(
        who,
        Receipt,
        id=number,
        reference=wanted,
        client_id=whole(row, "client_id", who),
        status=one_of(row, "status", _STATUSES, who),
        due_date=_due(row, who),
        total=_written(decimal(row, "total", who), currency),
        currency=currency.code if currency else None,
        number=_printed_number(row),
    )


def _printed_number(row: Row) -> str | None:
    """The number that an invoice gets when it is paid; until then it is known by its id."""
    number = text(row, "paid_id")
    return number if number.strip("0") else None


def _written(amount: Decimal, currency: Currency | None) -> Decimal:
    """The same amount with the currency's decimals, which HostBill and a quantity such as 1.00 lengthen."""
    if currency is None or amount != round(amount, currency.decimals):
        return amount
    return round(amount, currency.decimals)


def _due(row: Row, who: str) -> date:
    """The due date; a draft need not have one yet."""
    if status(row) == DRAFT and not text(row, "duedate").strip("0-: "):
        return date.min
    return day(row, "duedate", who)


def _balance(row: Row, comes_to: Decimal, currency: Currency | None, who: str) -> Decimal | None:
    """What is left to pay: HostBill does not tell it, but what was paid. None if that is in a form not known."""
    paid = decimal(row, "credit", who) if text(row, "credit") else Decimal(0)
    for transaction in records(row.get("transactions"), "transactions"):
        came = next((key for key in ("in", "amount") if text(transaction, key)), None)
        if came is None and not text(transaction, "out"):
            return None
        paid += decimal(transaction, came, who) if came else 0
        paid -= decimal(transaction, "out", who) if text(transaction, "out") else 0
    return _written(comes_to - paid, currency)


def dated_before(row: Row, limit: date) -> bool:
    """Whether the invoice has a date before this day; people may have given it that date."""
    try:
        return day(row, "date", "an invoice") < limit
    except Refused:
        return False
