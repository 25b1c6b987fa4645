"""The sandbox's own controls below ``/sandbox/``; they ask for no credentials."""

from typing import Any

import attrs
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tollbridge.sandbox import respond, seed, simulator_routes
from tollbridge.sandbox.control import Control
from tollbridge_hostbill.sandbox.company import small_company
from tollbridge_hostbill.sandbox.install import METHODS, Install
from tollbridge_hostbill.sandbox.records import InstallError, Invoice, TaxMode, day

_OVERVIEW = """\
A sandbox that answers like HostBill's admin API. Its date is {today}.
Clients {clients}, invoices {invoices}, currencies {currencies}.

The API is at {base}/admin/api.php:

  curl -d api_id={api_id} -d api_key={api_key} -d call=getClients {base}/admin/api.php

It knows {methods}.
{seed}
A client more; all invoices; what becomes of them; the date, the tax settings, and whether credit pays by itself:

  curl -d '{{"email": "new@example.com", "currency": "USD", "country": "GB"}}' {base}/sandbox/clients
  curl {base}/sandbox/invoices
  curl -d '{{"status": "Cancelled"}}' {base}/sandbox/invoices/1
  curl -d '{{"pay": "5.00"}}' {base}/sandbox/invoices/1
  curl -d '{{"today": "{later}", "inclusive": false, "compound": false, "by_line": true, "applies_credit": false}}' \\
    {base}/sandbox/settings
"""
_SEED = """
A small company to begin with:

  curl -d '{{"company": "small"}}' {base}/sandbox/seed
"""
_SETTABLE = ("status", "date", "duedate", "notes", "credit", "taxrate", "taxrate2")
_TAXES = ("inclusive", "compound", "by_line")


def control_routes(install: Install) -> list[Route]:
    """The routes outside the API."""
    controls = _Controls(install)
    table: list[tuple[str, str, Control]] = [
        ("POST", "/sandbox/seed", seed(lambda: small_company(install), lambda: len(install.clients))),
        ("POST", "/sandbox/clients", controls.add_client),
        ("GET", "/sandbox/invoices", controls.invoices),
        ("POST", "/sandbox/invoices/{id:int}", controls.set_invoice),
        ("GET", "/sandbox/settings", controls.settings),
        ("POST", "/sandbox/settings", controls.change_settings),
    ]
    quirk = '{"errors": "map", "first_page": 1}'
    return simulator_routes(install, controls.overview, table, call="convertInvoice", quirk=quirk)


@attrs.frozen
class _Controls:
    install: Install

    def overview(self, base: str) -> str:
        install = self.install
        return _OVERVIEW.format(
            base=base,
            seed="" if install.clients else _SEED.format(base=base),
            api_id=install.api_id,
            api_key=install.api_key,
            today=install.today,
            later=install.today.replace(day=1).replace(year=install.today.year + 1),
            clients=len(install.clients),
            invoices=len(install.invoices()),
            currencies=", ".join(currency.iso for currency in install.currencies.values()),
            methods=", ".join(METHODS),
        )

    def add_client(self, _request: Request, body: dict[str, Any]) -> Response:
        client = self.install.client(self.install.add_client(**body))
        return respond({"data": attrs.asdict(client)}, 201)

    def invoices(self, _request: Request, _body: dict[str, Any]) -> Response:
        return respond({"data": [_shown(invoice) for invoice in self.install.invoices()]})

    def set_invoice(self, request: Request, body: dict[str, Any]) -> Response:
        key = request.path_params["id"]
        changes = {name: value for name, value in body.items() if name != "pay"}
        if unknown := [name for name in changes if name not in _SETTABLE]:
            raise InstallError(f"{', '.join(unknown)} cannot be set; there are pay, {', '.join(_SETTABLE)}")
        invoice = self.install.set_invoice(key, **changes)
        return respond({"data": _shown(self.install.pay(key, body["pay"]) if "pay" in body else invoice)})

    def settings(self, _request: Request, _body: dict[str, Any]) -> Response:
        install = self.install
        told = {"today": install.today, **attrs.asdict(install.taxes), "applies_credit": install.applies_credit}
        return respond({"data": told})

    def change_settings(self, request: Request, body: dict[str, Any]) -> Response:
        if unknown := [name for name in body if name not in {"today", "applies_credit", *_TAXES}]:
            raise InstallError(f"there is no setting {', '.join(unknown)}")
        flags = {name: value for name, value in body.items() if name != "today"}
        if wrong := [name for name, value in flags.items() if not isinstance(value, bool)]:
            raise InstallError(f"{', '.join(wrong)} must be true or false")
        today = day(body.get("today", self.install.today))
        self.install.today, self.install.applies_credit = today, body.get("applies_credit", self.install.applies_credit)
        changes = {name: body[name] for name in _TAXES if name in body}
        self.install.taxes = TaxMode(**{**attrs.asdict(self.install.taxes), **changes})
        return self.settings(request, {})


def _shown(invoice: Invoice) -> dict[str, Any]:
    sums = {name: getattr(invoice, name) for name in ("subtotal", "taxes", "total", "balance")}
    return {**attrs.asdict(invoice), **sums}
