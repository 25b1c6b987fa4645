"""``admin/api.php``: every call, with the fields that HostBill's documents list for it."""

import hmac
import time
from collections.abc import Callable
from urllib.parse import parse_qsl

import attrs
import orjson
from starlette.requests import Request
from starlette.responses import Response

from tollbridge_hostbill.sandbox.api import clients, invoices, setup
from tollbridge_hostbill.sandbox.api.calls import CREDENTIALS, Call
from tollbridge_hostbill.sandbox.install import METHODS, Install
from tollbridge_hostbill.sandbox.records import InstallError
from tollbridge_hostbill.sandbox.wire import Document, failure, rendered

_PAGED = ("page",)
_CALLS: dict[str, tuple[Callable[[Call], Document], tuple[str, ...]]] = {
    "addClient": (
        clients.add_client,
        ("email", "password", "password2", "firstname", "lastname", "companyname", "type", "country", "currency_id",
         "notify"),
    ),
    "addInvoice": (invoices.add_invoice, ("client_id",)),
    "addInvoiceItem": (invoices.add_invoice_item, ("id", "line", "price", "qty", "tax")),
    "convertInvoice": (invoices.convert_invoice, ("id",)),
    "deleteInvoice": (invoices.delete_invoice, ("id",)),
    "editInvoiceDetails": (invoices.edit_invoice_details, ("id", "date", "duedate", "taxrate", "taxrate2")),
    "getAPIMethods": (setup.get_api_methods, ()),
    "getClientDetails": (clients.get_client_details, ("id",)),
    "getClientInvoices": (invoices.get_client_invoices, ("id", *_PAGED)),
    "getClientTaxDetails": (clients.get_client_tax_details, ("id",)),
    "getClients": (clients.get_clients, _PAGED),
    "getCurrencies": (setup.get_currencies, ()),
    "getInvoiceDetails": (invoices.get_invoice_details, ("id",)),
    "getInvoices": (invoices.get_invoices, ("list", *_PAGED)),
    "setClientDetails": (clients.set_client_details, ("id",)),
    "verifyClientLogin": (clients.verify_client_login, ("email", "password", "brand", "origin_ip", "ban_on_failure",
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
                found = {key: value for key, value in self._run(fields).items() if key not in quirks.left_out}
                document = {"success": True, **rendered(found, quirks)}
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
            raise InstallError(install.quirks.denied)
        if name not in _CALLS:
            raise InstallError("Requested method does not exist")
        if name in install.quirks.forbidden:
            raise InstallError(install.quirks.denied)
        run, known = _CALLS[name]
        may_filter = name in {"getClients", "getInvoices"}
        own_fields = name == "setClientDetails"
        unknown = [key for key in fields if key not in {*CREDENTIALS, *known} and not own_fields]
        if unknown := [key for key in unknown if not (may_filter and key.startswith("filter["))]:
            raise InstallError(f"{name} has no parameter {', '.join(unknown)}")
        return run(Call(install, fields))
