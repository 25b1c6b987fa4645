"""``CreateInvoice``, ``GetInvoice`` and ``GetInvoices``."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from tollbridge_whmcs_like.sandbox.api.calls import Call
from tollbridge_whmcs_like.sandbox.form import truth
from tollbridge_whmcs_like.sandbox.install import Install
from tollbridge_whmcs_like.sandbox.money import cents
from tollbridge_whmcs_like.sandbox.problems import InstallError
from tollbridge_whmcs_like.sandbox.records import Client, Invoice
from tollbridge_whmcs_like.sandbox.wire import Document, Flag, Money, Rows, Written, shown_day, shown_moment

_DRAFT_AND_SEND = "Cannot create and send a draft invoice in a single API request. Please create and send separately."
CREATE_FIELDS = ("userid", "status", "draft", "sendinvoice", "paymentmethod", "taxrate", "taxrate2", "date", "duedate",
                 "notes", "itemdescription#", "itemamount#", "itemtaxed#", "autoapplycredit")  # fmt: skip
_ORDERS: dict[str, Callable[[Invoice], Any]] = {
    "id": lambda invoice: invoice.id,
    "invoicenumber": lambda invoice: (invoice.number, invoice.id),
    "date": lambda invoice: (invoice.date, invoice.id),
    "duedate": lambda invoice: (shown_day(invoice.duedate), invoice.id),
    "total": lambda invoice: (invoice.total, invoice.id),
    "status": lambda invoice: (invoice.status, invoice.id),
}


def create_invoice(call: Call) -> Document:
    """A new invoice, whole, in the client's currency."""
    install, fields = call.install, call.fields
    client = _client(call)
    draft = fields.flag("draft")
    sent = fields.flag("sendinvoice")
    if draft and sent:
        raise InstallError(_DRAFT_AND_SEND)
    given = _given(call, "status", "date", "duedate", "notes", "paymentmethod")
    if draft:
        given["status"] = "Draft"
    invoice_id = install.add_invoice(
        client.id,
        _lines(call, client),
        taxrate=fields.rate("taxrate"),
        taxrate2=fields.rate("taxrate2"),
        use_credit=fields.flag("autoapplycredit"),
        sent=sent,
        **given,
    )
    return {"invoiceid": Written(invoice_id), "status": install.invoice(invoice_id).status}


def _client(call: Call) -> Client:
    try:
        return call.install.client(call.fields.number("userid"))
    except InstallError:
        raise InstallError("Client ID Not Found") from None


def _given(call: Call, *names: str) -> dict[str, Any]:
    """Those of the invoice's fields that were sent; empty ones stand for the default, except for notes."""
    fields = call.fields
    given: dict[str, Any] = {name: fields.text(name) for name in names if fields.text(name)}
    if "notes" in names and fields.given("notes"):
        given["notes"] = fields.text("notes")
    methods = call.install.payment_methods
    if given.get("paymentmethod", next(iter(methods), "")) not in methods:
        raise InstallError(f"Invalid Payment Method. Valid options include {','.join(methods)}")
    return given


def _lines(call: Call, client: Client) -> list[tuple[str, Decimal, bool]]:
    """The lines by their number; what is missing of one is empty, zero and untaxed."""
    fields = call.fields
    descriptions = fields.numbered("itemdescription")
    amounts = fields.numbered("itemamount")
    taxed = fields.numbered("itemtaxed")
    factor = _discount_factor(call.install, client)
    return [
        (
            descriptions.get(number, ""),
            cents(fields.money(f"itemamount{number}") * factor) if number in amounts else Decimal(0),
            truth(taxed.get(number, "")),
        )
        for number in sorted({*descriptions, *amounts})
    ]


def _discount_factor(install: Install, client: Client) -> Decimal:
    """1, for WHMCS is not known to take a group's discount off such lines, unless this install does."""
    if not install.quirks.group_discount_on_lines:
        return Decimal(1)
    discounts = {group.id: group.discount for group in install.groups}
    return 1 - discounts.get(client.group_id, Decimal(0)) / 100


def get_invoice(call: Call) -> Document:
    """One invoice with its lines."""
    invoice = call.install.invoice(call.fields.number("invoiceid"))
    items = [
        {
            "id": line.id,
            "type": "",
            "relid": 0,
            "description": line.description,
            "amount": Money(line.amount),
            "taxed": Flag(line.taxed, "number"),
        }
        for line in invoice.lines
    ]
    return {
        "invoiceid": invoice.id,
        "invoicenum": invoice.number,
        "userid": invoice.client_id,
        "date": shown_day(invoice.date),
        "duedate": shown_day(invoice.duedate),
        "datepaid": shown_moment(invoice.datepaid),
        "lastcaptureattempt": shown_moment(None),
        **_money(invoice),
        "balance": Money(invoice.balance),
        **_rates(invoice),
        "status": invoice.status,
        "paymentmethod": invoice.paymentmethod,
        "notes": invoice.notes,
        "ccgateway": Flag(False),
        "items": Rows("item", items),
        "transactions": Rows("transaction", _transactions(call.install, invoice), none=""),
    }


def _money(invoice: Invoice) -> Document:
    return {name: Money(getattr(invoice, name)) for name in ("subtotal", "credit", "tax", "tax2", "total")}


def _rates(invoice: Invoice) -> Document:
    return {"taxrate": Money(invoice.taxrate, 3), "taxrate2": Money(invoice.taxrate2, 3)}


def _transactions(install: Install, invoice: Invoice) -> list[Document]:
    currency = install.currency(install.client(invoice.client_id).currency)
    return [
        {
            "id": payment.id,
            "userid": invoice.client_id,
            "currency": currency.id,
            "gateway": payment.gateway,
            "date": shown_moment(payment.moment),
            "description": "Invoice Payment",
            "amountin": Money(payment.amount),
            "fees": "0.00",
            "amountout": "0.00",
            "rate": currency.rate,
            "transid": "",
            "invoiceid": invoice.id,
            "refundid": 0,
        }
        for payment in invoice.payments
    ]


def get_invoices(call: Call) -> Document:
    """Rows by due date unless another order is asked for: the reference does not say which order it is."""
    install, fields = call.install, call.fields
    wanted = fields.text("status").casefold()
    rows = [
        invoice
        for invoice in install.invoices(fields.number("userid") or None)
        if wanted in {"", invoice.status.casefold()} or (wanted == "overdue" and install.is_overdue(invoice))
    ]
    order = _ORDERS.get(fields.text("orderby").lower(), _ORDERS["duedate"])
    rows.sort(key=order, reverse=fields.text("order").lower() == "desc")
    shown, counts = call.page(rows)
    return {**counts, "invoices": Rows("invoice", [_row(install, invoice) for invoice in shown])}


def _row(install: Install, invoice: Invoice) -> Document:
    client = install.client(invoice.client_id)
    currency = install.currency(client.currency)
    ended = {
        name: shown_moment(invoice.updated_at if invoice.status == name else None) for name in ("Refunded", "Cancelled")
    }
    made = {"created_at": shown_moment(invoice.created_at), "updated_at": shown_moment(invoice.updated_at)}
    return {
        "id": invoice.id,
        "userid": client.id,
        "firstname": client.first_name,
        "lastname": client.last_name,
        "companyname": client.company,
        "invoicenum": invoice.number,
        "date": shown_day(invoice.date),
        "duedate": shown_day(invoice.duedate),
        "datepaid": shown_moment(invoice.datepaid),
        "last_capture_attempt": shown_moment(None),
        "date_refunded": ended["Refunded"],
        "date_cancelled": ended["Cancelled"],
        **_money(invoice),
        **_rates(invoice),
        "status": invoice.status,
        "paymentmethod": invoice.paymentmethod,
        "paymethodid": None,
        "notes": invoice.notes,
        **(made if install.quirks.since(8, 0) else {}),
        "currencycode": currency.code,
        "currencyprefix": currency.prefix,
        "currencysuffix": currency.suffix,
    }
