"""The sandbox's own controls below ``/sandbox/``, and the page a login link opens.

They ask for no credentials: the sandbox is meant for a loopback address.
"""

import html
from typing import Any

import attrs
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from tollbridge.sandbox import respond, seed, simulator_routes
from tollbridge.sandbox.control import Control
from tollbridge_whmcs_like.sandbox.company import small_company
from tollbridge_whmcs_like.sandbox.install import ACTIONS, Install
from tollbridge_whmcs_like.sandbox.problems import InstallError
from tollbridge_whmcs_like.sandbox.records import Invoice, day

_OVERVIEW = """\
A sandbox that answers like WHMCS's classic API. Its date is {today}.
Clients {clients}, users {users}, invoices {invoices}, currencies {currencies}.

The API is at {base}/includes/api.php with the identifier {identifier} and the secret {secret}:

  curl -d identifier={identifier} -d secret={secret}{key} -d responsetype=json \\
    -d action=GetClients -d limitnum=5 {base}/includes/api.php

It knows {actions}.
{seed}
A client more, and an invoice:

  curl -d '{{"email": "new@example.com", "currency": "USD", "country": "GB"}}' {base}/sandbox/clients
  curl -d identifier={identifier} -d secret={secret}{key} -d responsetype=json \\
    -d action=CreateInvoice -d userid=1 -d itemdescription1=July -d itemamount1=10.00 -d itemtaxed1=1 \\
    {base}/includes/api.php

All invoices, and what becomes of them. Moving the date makes them overdue:

  curl {base}/sandbox/invoices
  curl -d '{{"status": "Paid"}}' {base}/sandbox/invoices/1
  curl -d '{{"today": "{later}"}}' {base}/sandbox/today
"""

_SETTABLE = ("status", "date", "duedate", "notes", "credit", "taxrate", "taxrate2", "sent", "paymentmethod", "number")

_SEED = """
A small company to begin with:

  curl -d '{{"company": "small"}}' {base}/sandbox/seed
"""


def control_routes(install: Install) -> list[Route]:
    """The routes outside the API."""
    controls = _Controls(install)
    table: list[tuple[str, str, Control]] = [
        ("POST", "/sandbox/seed", seed(lambda: small_company(install), lambda: len(install.clients))),
        ("POST", "/sandbox/clients", controls.add_client),
        ("GET", "/sandbox/invoices", controls.invoices),
        ("POST", "/sandbox/invoices/{id:int}", controls.set_invoice),
        ("GET", "/sandbox/today", controls.today),
        ("POST", "/sandbox/today", controls.set_today),
        ("GET", "/oauth/singlesignon.php", controls.single_sign_on),
    ]
    quirk = '{"booleans": "on", "escaped_text": true}'
    return simulator_routes(install, controls.overview, table, call="CreateInvoice", quirk=quirk)


@attrs.frozen
class _Controls:
    install: Install

    def overview(self, base: str) -> str:
        install = self.install
        return _OVERVIEW.format(
            base=base,
            seed="" if install.clients else _SEED.format(base=base),
            identifier=install.identifier,
            secret=install.secret,
            key=f" -d accesskey={install.access_key}" if install.access_key else "",
            today=install.today,
            later=install.today.replace(day=1).replace(year=install.today.year + 1),
            clients=len(install.clients),
            users=len(install.users),
            invoices=len(install.invoices()),
            currencies=", ".join(currency.code for currency in install.currencies),
            actions=", ".join(ACTIONS),
        )

    def add_client(self, _request: Request, body: dict[str, Any]) -> Response:
        client = self.install.client(self.install.add_client(**body))
        return respond({"data": attrs.asdict(client)}, 201)

    def invoices(self, request: Request, _body: dict[str, Any]) -> Response:
        wanted = request.query_params.get("client_id")
        invoices = self.install.invoices(int(wanted) if wanted else None)
        return respond({"data": [_shown(invoice) for invoice in invoices]})

    def set_invoice(self, request: Request, body: dict[str, Any]) -> Response:
        if unknown := [name for name in body if name not in _SETTABLE]:
            raise InstallError(f"{', '.join(unknown)} cannot be set; there are {', '.join(_SETTABLE)}")
        return respond({"data": _shown(self.install.set_invoice(request.path_params["id"], **body))})

    def today(self, _request: Request, _body: dict[str, Any]) -> Response:
        return respond({"data": {"today": self.install.today}})

    def set_today(self, request: Request, body: dict[str, Any]) -> Response:
        self.install.today = day(body.get("today", ""))
        return self.today(request, {})

    def single_sign_on(self, request: Request, _body: dict[str, Any]) -> Response:
        """Where ``CreateSsoToken`` sends people."""
        try:
            user = self.install.user(self.install.redeem_login(request.query_params.get("access_token", "")))
        except InstallError as error:
            return HTMLResponse(f"<!DOCTYPE html><title>Login failed</title><p>{error}", 403)
        return HTMLResponse(f"<!DOCTYPE html><title>Client area</title><p>Logged in as {html.escape(user.email)}.")


def _shown(invoice: Invoice) -> dict[str, Any]:
    sums = ("subtotal", "tax", "tax2", "total", "balance")
    return {**attrs.asdict(invoice), **{name: getattr(invoice, name) for name in sums}}
