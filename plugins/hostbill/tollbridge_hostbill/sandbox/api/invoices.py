"""Calls about invoices."""

from decimal import Decimal
from typing import Any

from tollbridge_hostbill.sandbox.api.calls import Call
from tollbridge_hostbill.sandbox.records import INVOICE_STATUSES, InstallError, Invoice, Item, day, number
from tollbridge_hostbill.sandbox.wire import Document, Real

_LISTS = {"all": INVOICE_STATUSES, "paid": ("Paid",), "unpaid": ("Unpaid",), "cancelled": ("Cancelled",)}


def add_invoice(call: Call) -> Document:
    """An empty draft."""
    return {"invoice_id": call.install.new_draft(call.whole("client_id")), "info": ["Invoice has been created"]}


def add_invoice_item(call: Call) -> Document:
    """One line."""
    price, qty = number(call.text("price")), number(call.text("qty", "1"))
    item = call.install.add_item(call.whole("id"), call.text("line"), price, call.flag("tax"), qty)
    return {"newline": {**_item(item, call.whole("id")), "linetotal": Real(item.total)}}


def edit_invoice_details(call: Call) -> Document:
    """Dates and rates."""
    invoice = call.install.invoice(call.whole("id"))
    changes: dict[str, Any] = {name: day(call.text(name)) for name in ("date", "duedate") if name in call.fields}
    changes |= {name: number(call.text(name)) for name in ("taxrate", "taxrate2") if name in call.fields}
    return _answered(call, call.install.set_invoice(invoice.id, **changes))


def convert_invoice(call: Call) -> Document:
    """The draft counts from now on."""
    return _answered(call, call.install.convert(call.whole("id")))


def delete_invoice(call: Call) -> Document:
    """It is gone."""
    call.install.delete_invoice(call.whole("id"))
    return {"info": ["Invoice has been removed"]}


def get_invoice_details(call: Call) -> Document:
    """One invoice, whole."""
    return _whole(call, call.install.invoice(call.whole("id")))


def get_invoices(call: Call) -> Document:
    """Everybody's; filters are exact."""
    wanted = call.text("list", "all")
    filters = call.filters
    if wanted not in _LISTS or not set(filters) <= {"status"}:
        raise InstallError("Unknown list or filter")
    unlisted = "Draft" if call.install.quirks.drafts == "nowhere" else ""
    if filters and filters["status"] not in {*INVOICE_STATUSES} - {unlisted}:
        raise InstallError("Unknown status")
    statuses = {filters["status"]} if filters else set(_LISTS[wanted])
    return _invoice_page(call, [each for each in call.install.invoices() if each.status in statuses], bool(filters))


def get_client_invoices(call: Call) -> Document:
    """One client's."""
    client = call.install.client(call.whole("id"))
    return _invoice_page(call, call.install.invoices(client.id), filtered=False)


def _invoice_page(call: Call, invoices: list[Invoice], filtered: bool) -> Document:
    quirks = call.install.quirks
    if not filtered and quirks.drafts != "everywhere":
        invoices = [each for each in invoices if each.status != "Draft"]
    invoices.sort(key=lambda each: each.id, reverse=not quirks.oldest_first)
    of_client = call.fields["call"] == "getClientInvoices"
    if of_client and not quirks.client_invoices_counted:
        return {"invoices": [_invoice_row(call, each) for each in invoices]}
    return call.page(invoices, lambda each: _invoice_row(call, each), "invoices")


def _total(call: Call, invoice: Invoice) -> Decimal:
    return invoice.total - invoice.credit if call.install.quirks.total_less_credit else invoice.total


def _invoice_row(call: Call, invoice: Invoice) -> Document:
    first_name, last_name = call.install.name_of(invoice.client_id)
    return {
        "id": invoice.id,
        "currency_id": invoice.currency_id,
        "date": invoice.date,
        "duedate": invoice.duedate or "0000-00-00",
        "subtotal2": invoice.subtotal,
        "credit": invoice.credit,
        "total": _total(call, invoice),
        "paid_id": "",
        "status": invoice.status,
        "client_id": invoice.client_id,
        "firstname": first_name,
        "lastname": last_name,
        "module": None,
    }


def _answered(call: Call, invoice: Invoice) -> Document:
    if not call.install.quirks.whole_answers:
        return {"info": ["Invoice has been updated"]}
    return _whole(call, invoice)


def _whole(call: Call, invoice: Invoice) -> Document:
    mode = invoice.mode
    told = {
        "taxconfig": {
            "CompoundL2": mode.compound,
            "TaxType": "inclusive" if mode.inclusive else "exclusive",
            "TaxRounding": "line" if mode.by_line else "total",
        }
    }
    first, second = invoice.taxes
    whole = {
        **_invoice_row(call, invoice),
        "recurring_id": "0",
        "datepaid": "0000-00-00 00:00:00",
        "subtotal": invoice.subtotal,
        "tax": first,
        "taxrate": invoice.taxrate,
        "tax2": second,
        "taxrate2": invoice.taxrate2,
        "rate": "1.0000",
        "notes": invoice.notes,
        "items": [{**_item(item, invoice.id), "linetotal": Real(item.total)} for item in invoice.items],
        **({"metadata": told} if call.install.quirks.tax_mode_told else {}),
    }
    paid = [
        {"id": key, "module": "BankTransfer", "in": amount, "out": Decimal("0.00"), "fee": Decimal("0.00")}
        for key, amount in enumerate(invoice.payments, 1)
    ]
    return {"invoice": whole, "transactions": paid}


def _item(item: Item, invoice_id: int) -> Document:
    return {
        "id": item.id,
        "invoice_id": invoice_id,
        "type": "Other",
        "item_id": 0,
        "description": item.description,
        "amount": item.amount,
        "taxed": item.taxed,
        "qty": item.qty,
    }
