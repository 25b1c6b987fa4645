"""``admin/api.php``: every call, with the fields that its documents list."""

import hmac
import time
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl

import attrs
import orjson
from starlette.requests import Request
from starlette.responses import Response

from tollbridge_hostbill.sandbox.install import METHODS, Install
from tollbridge_hostbill.sandbox.records import (
    INVOICE_STATUSES,
    Client,
    Currency,
    InstallError,
    Invoice,
    day,
    number,
)
from tollbridge_hostbill.sandbox.wire import Document, Real, failure, rendered

_CREDENTIALS = {"api_id", "api_key", "outputformat", "call"}
_LISTS = {"all": INVOICE_STATUSES, "paid": ("Paid",), "unpaid": ("Unpaid",), "cancelled": ("Cancelled",)}
_CLIENT_FILTERS = {
    "firstname": "first_name",
    "lastname": "last_name",
    "companyname": "company",
    "email": "email",
    "country": "country",
    "status": "status",
}


@attrs.frozen
class Call:
    """A call that was let in."""

    install: Install
    fields: dict[str, str]

    def text(self, name: str, default: str | None = None) -> str:
        """A field; one without a default must be there, and not be empty."""
        value = self.fields.get(name, default)
        if value is None or (default is None and not value):
            raise InstallError(f"Required parameter {name} is missing")
        return value

    def whole(self, name: str, default: str | None = None) -> int:
        """A whole number."""
        value = self.text(name, default)
        if not value.isdecimal():
            raise InstallError(f"Parameter {name} must be a number")
        return int(value)

    def flag(self, name: str) -> bool:
        """1 or 0."""
        if self.text(name) not in {"0", "1"}:
            raise InstallError(f"Parameter {name} must be 1 or 0")
        return self.text(name) == "1"

    @property
    def filters(self) -> dict[str, str]:
        """What stands in ``filter[…]``, by its key."""
        return {name[len("filter[") : -1]: value for name, value in self.fields.items() if name.startswith("filter[")}

    def page(self, rows: Sequence[Any], of: Callable[[Any], Document], key: str) -> Document:
        """A page of a list, and its ``sorter``, in which ``sorterpage`` is the next page."""
        install, size = self.install, self.install.page_size
        first = install.quirks.first_page
        asked = max(self.whole("page", "0"), first)
        pages = -(-len(rows) // size)
        start = (asked - first) * size
        sorter = {
            "perpage": size,
            "totalpages": pages,
            "sorterrecords": len(rows),
            "sorterpage": asked + install.quirks.next_page,
        }
        shown = [of(row) for row in rows[start : start + size]]
        return {key: shown, "sorter": {name: Real(int(value)) for name, value in sorter.items()}}


# Clients


def get_clients(call: Call) -> Document:
    """Rows without currency and country; contacts are not among them."""
    wanted, quirks = call.filters, call.install.quirks
    fields = [name for name in wanted if name not in _CLIENT_FILTERS]
    if unknown := [name for name in fields if name not in call.install.registration_fields]:
        raise InstallError(f"getClients has no filter {', '.join(unknown)}")
    usable = {name: value for name, value in wanted.items() if name in {*_CLIENT_FILTERS, *quirks.searchable_fields}}

    def fits(client: Client) -> bool:
        values = {**client.fields, **{name: getattr(client, key) for name, key in _CLIENT_FILTERS.items()}}
        return all(value.casefold() in values.get(name, "").casefold() for name, value in usable.items())

    rows = [client for client in call.install.clients if not client.parent_id and fits(client)]
    return call.page(rows, _client_row, "clients")


def _client_row(client: Client) -> Document:
    return {
        "id": client.id,
        "firstname": client.first_name,
        "lastname": client.last_name,
        "datecreated": client.created_at.date(),
        "email": client.email,
        "companyname": client.company,
        "services": Real(0),
    }


def get_client_details(call: Call) -> Document:
    """Everything of a client, with the hash of its password, as HostBill has it."""
    client = call.install.client(call.whole("id"))
    empty = dict.fromkeys(call.install.registration_fields, "")
    return {
        "client": {
            "id": client.id,
            "client_id": client.id,
            "email": client.email,
            "password": "$2y$10$sandboxsandboxsandbox",
            "status": client.status,
            "firstname": client.first_name,
            "lastname": client.last_name,
            "companyname": client.company,
            "country": client.country,
            "state": client.state,
            "currency_id": client.currency_id,
            "group_id": 1 if client.group_name else 0,
            "group_name": client.group_name,
            "taxexempt": client.tax_exempt,
            "taxrateoverride": client.own_rate is not None,
            "taxrate": client.own_rate or Decimal(0),
            "credit": client.credit,
            "company": bool(client.company),
            "language": client.language,
            "parent_id": client.parent_id,
            "lastlogin": "0000-00-00 00:00:00",
            "privileges": None,
            **empty,
            **client.fields,
        }
    }


def get_client_tax_details(call: Call) -> Document:
    """The rates of the client's place, by level; what it is for an exempt client is not documented."""
    client = call.install.client(call.whole("id"))
    told = call.install.quirks.exempt_rates if client.tax_exempt else "rates"
    rules = [] if told == "none" else call.install.rules_for(client)
    levels = {
        f"L{rule.level}": {
            "name": rule.name,
            "rate": Decimal(0) if told == "zero" else rule.rate,
            "country": rule.country,
            "state": rule.state,
            "applyto": "all",
        }
        for rule in rules
    }
    return {"taxes": levels or []}


def add_client(call: Call) -> Document:
    """A new client."""
    install = call.install
    if call.text("password") != call.text("password2"):
        raise InstallError("Passwords do not match")
    currency_id = call.whole("currency_id", "0")
    if currency_id not in install.currencies:
        raise InstallError("Unknown currency")
    key = install.add_client(
        call.text("email"),
        currency=install.currencies[currency_id].iso,
        password=call.text("password"),
        first_name=call.text("firstname", ""),
        last_name=call.text("lastname", ""),
        company=call.text("companyname", ""),
        country=call.text("country", "US"),
    )
    return {"client_id": key, "info": ["Client profile has been created"]}


def set_client_details(call: Call) -> Document:
    """Registration fields, by their codes; others are left out here."""
    client = call.install.client(call.whole("id"))
    changes = {name: value for name, value in call.fields.items() if name not in {*_CREDENTIALS, "id"}}
    if unknown := [name for name in changes if name not in call.install.registration_fields]:
        raise InstallError(f"setClientDetails has no {', '.join(unknown)} here")
    call.install.set_client(client.id, fields={**client.fields, **changes})
    return {"info": ["Client details updated"]}


def verify_client_login(call: Call) -> Document:
    """Whose password it is, and whether there is a second factor; a contact has one, too."""
    client = call.install.log_in(call.text("email"), call.text("password"))
    return {"client_id": client.id, "mfa_status": Real(int(client.second_factor))}


# Settings


def get_currencies(call: Call) -> Document:
    """The main one, and the others."""
    main, *others = call.install.currencies.values()
    rows = [
        {**_currency(each), "id": each.id, "rate": "1.3340", "last_changes": "", "update": True, "enable": each.enabled}
        for each in others
    ]
    return {"main": {**_currency(main), "id": Real(0), "rate": Real(1)}, "currencies": rows}


def _currency(currency: Currency) -> Document:
    return {
        "code": currency.code,
        "iso": currency.iso,
        "sign": currency.sign,
        "decimal": currency.decimal,
        "format": currency.format,
    }


def get_api_methods(call: Call) -> Document:
    """The calls there are; whether those that are forbidden are among them is not documented."""
    quirks = call.install.quirks
    if quirks.methods == "none":
        raise InstallError("Requested method does not exist")
    names = [name for name in METHODS if quirks.methods == "all" or name not in quirks.forbidden]
    return {"methods": {name: {"params": ""} for name in names} if quirks.methods == "keys" else names}


# Invoices


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


def _item(item: Any, invoice_id: int) -> Document:
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


_PAGED = ("page",)
_CALLS: dict[str, tuple[Callable[[Call], Document], tuple[str, ...]]] = {
    "addClient": (
        add_client,
        ("email", "password", "password2", "firstname", "lastname", "companyname", "type", "country", "currency_id",
         "notify"),
    ),
    "addInvoice": (add_invoice, ("client_id",)),
    "addInvoiceItem": (add_invoice_item, ("id", "line", "price", "qty", "tax")),
    "convertInvoice": (convert_invoice, ("id",)),
    "deleteInvoice": (delete_invoice, ("id",)),
    "editInvoiceDetails": (edit_invoice_details, ("id", "date", "duedate", "taxrate", "taxrate2")),
    "getAPIMethods": (get_api_methods, ()),
    "getClientDetails": (get_client_details, ("id",)),
    "getClientInvoices": (get_client_invoices, ("id", *_PAGED)),
    "getClientTaxDetails": (get_client_tax_details, ("id",)),
    "getClients": (get_clients, _PAGED),
    "getCurrencies": (get_currencies, ()),
    "getInvoiceDetails": (get_invoice_details, ("id",)),
    "getInvoices": (get_invoices, ("list", *_PAGED)),
    "setClientDetails": (set_client_details, ("id",)),
    "verifyClientLogin": (verify_client_login, ("email", "password", "brand", "origin_ip", "ban_on_failure",
                                                "trigger_login_event")),
}  # fmt: skip
assert {*_CALLS} == {*METHODS}  # noqa: S101 - what a fault can name is what there is


@attrs.frozen
class Endpoint:
    """The API of one install."""

    install: Install

    async def __call__(self, request: Request) -> Response:
        """Answer one request. What is no POST is refused: an address with the key in it is in every log."""
        pairs = parse_qsl((await request.body()).decode(), keep_blank_values=True) if request.method == "POST" else []
        quirks = self.install.quirks
        fields = dict(pairs)
        name = fields.get("call", "")
        status = 200
        try:
            with self.install.lock:
                document = {"success": True, **rendered(self._run(fields), quirks)}
        except InstallError as error:
            document, status = failure(str(error), quirks), quirks.error_status
        answer = {**document, "call": name, "server_time": int(time.time())}
        return Response(orjson.dumps(answer), status, media_type="application/json")

    def _run(self, fields: dict[str, str]) -> Document:
        install, name = self.install, fields.get("call", "")
        right = [
            hmac.compare_digest(fields.get(key, "").encode(), own.encode())
            for key, own in (("api_id", install.api_id), ("api_key", install.api_key))
        ]
        if not all(right) or not install.quirks.key_accepted:
            raise InstallError("Invalid API credentials or IP address not allowed")
        if name not in _CALLS:
            raise InstallError("Requested method does not exist")
        if name in install.quirks.forbidden:
            raise InstallError("You are not allowed to use this function")
        run, known = _CALLS[name]
        may_filter = name in {"getClients", "getInvoices"}
        own_fields = name == "setClientDetails"
        unknown = [key for key in fields if key not in {*_CREDENTIALS, *known} and not own_fields]
        if unknown := [key for key in unknown if not (may_filter and key.startswith("filter["))]:
            raise InstallError(f"{name} has no parameter {', '.join(unknown)}")
        return run(Call(install, fields))
