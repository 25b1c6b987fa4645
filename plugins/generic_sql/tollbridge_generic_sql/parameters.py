"""What the writing statements are told of an invoice and its lines, and of somebody who signs up."""

import secrets
from collections.abc import Iterator
from datetime import date
from decimal import Decimal, localcontext
from math import prod
from typing import Any

from tollbridge import Invoice, Signup, TaxRate
from tollbridge_generic_sql import passwords


def of_invoice(invoice: Invoice, *, plain: bool) -> dict[str, Any]:
    """The parameters of ``before_invoice`` and ``insert_invoice``.

    ``plain`` is for SQLite, whose driver takes neither Decimal nor date: text keeps every digit of them.
    """
    return {
        "reference": invoice.reference,
        "client_id": invoice.client_id,
        "currency": invoice.currency,
        "issue_date": date_of(invoice.issue_date, plain=plain),
        "due_date": date_of(invoice.due_date, plain=plain),
        "subtotal": _money(invoice.subtotal, plain),
        "total": _money(invoice.total, plain),
        "notes": invoice.notes,
        "tax_label": tax_label(invoice.taxes),
        "tax_rate": _money(tax_rate(invoice.taxes, compound=invoice.compound), plain),
        "prices_include_tax": invoice.prices_include_tax,
        "random": secrets.token_hex(20),
        "number": None,
    }


def of_lines(
    invoice: Invoice, invoice_id: int | str, shared: dict[str, Any], *, plain: bool
) -> Iterator[dict[str, Any]]:
    """The parameters of ``insert_line``, line by line: the invoice's own are among them."""
    for position, line in enumerate(invoice.lines, start=1):
        yield {
            **shared,
            "invoice_id": invoice_id,
            "position": position,
            "description": line.description,
            "tokens": line.tokens,
            "amount": _money(line.amount, plain),
            "taxed": line.taxed,
            "kind": line.kind,
            "name": line.name,
            "plan": line.plan or None,
            "hours": line.hours,
            "tokens_per_hour": line.tokens_per_hour,
            "month": line.month or None,
            "period_start": line.period_start and date_of(line.period_start, plain=plain),
            "period_end": line.period_end and date_of(line.period_end, plain=plain),
        }


def of_signup(signup: Signup, scheme: passwords.Scheme) -> dict[str, Any]:
    """The parameters of ``login`` and ``insert_client``; without a password nobody knows the one that is hashed."""
    return {
        "email": signup.email,
        "password_hash": passwords.hashed(signup.password or secrets.token_urlsafe(24), scheme),
        "first_name": signup.first_name,
        "last_name": signup.last_name,
        "company": signup.company,
        "currency": signup.currency,
        "country": signup.country,
        "random": secrets.token_hex(20),
    }


def tax_label(taxes: tuple[TaxRate, ...]) -> str:
    """One name for all ``taxes``: ``GST + QST``."""
    return " + ".join(tax.label for tax in taxes)


def tax_rate(taxes: tuple[TaxRate, ...], *, compound: bool) -> Decimal:
    """The one percentage that comes to the same as ``taxes``, exactly: 5 and 9.975 are 14.975, compound 15.47375."""
    with localcontext(prec=200):
        if compound:
            rate = (prod((1 + tax.rate.scaleb(-2) for tax in taxes), start=Decimal(1)) - 1).scaleb(2)
        else:
            rate = sum((tax.rate for tax in taxes), Decimal(0))
        digits = f"{rate:f}"
    return Decimal(digits.rstrip("0").rstrip(".") if "." in digits else digits)


def _money(amount: Decimal, plain: bool) -> Decimal | str:
    return f"{amount:f}" if plain else amount


def date_of(day: date, *, plain: bool) -> date | str:
    """A day; ``plain`` as of :func:`of_invoice`."""
    return day.isoformat() if plain else day
