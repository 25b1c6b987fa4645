"""The sandbox's own controls below ``/sandbox/``.

They ask for no credentials: the sandbox is meant for a loopback address.
"""

from decimal import Decimal
from typing import Any

import attrs
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tollbridge.sandbox import respond, seed, simulator_routes
from tollbridge.sandbox.control import Control, Json
from tollbridge_ubersmith.sandbox.company import small_company
from tollbridge_ubersmith.sandbox.install import Install
from tollbridge_ubersmith.sandbox.methods import METHODS
from tollbridge_ubersmith.sandbox.records import Invoice, Rejected

_OVERVIEW = """\
An Ubersmith sandbox. Clients {clients}, services {services}, invoices {invoices}, tax rates {rates}.

The API is at {base}/api/2.0/ with the user {user} and the token {token}:

  curl -u '{user}:{token}' '{base}/api/2.0/?method=client.list&limit=3'
  curl -u '{user}:{token}' '{base}/api/2.0/?method=uber.method_get' -d method_name=client.invoice_list
  curl -u '{user}:{token}' '{base}/api/2.0/?method=client.service_add' \\
    -d client_id=1 -d 'description=Server web-1' -d period=0 -d price=4.90 -d 'taxes[0]=0'
  curl -u '{user}:{token}' '{base}/api/2.0/?method=client.invoice_generate' -d client_id=1 -d 'include_packs[2001]=1'

Its methods: {methods}.

Clients to begin with, with the passwords password-01 and so on, and one more:

  curl -d '{{"company": "small"}}' {base}/sandbox/seed
  curl -d '{{"email": "ada@example.com", "country": "GB", "discount": "10"}}' {base}/sandbox/clients
  curl {base}/sandbox/clients

Invoices, for you to pay or disregard; services; and Ubersmith's own billing of one client, which takes all that it can:

  curl {base}/sandbox/invoices
  curl -d '{{"pay": true}}' {base}/sandbox/invoices/401
  curl -d '{{"pay": "1.50"}}' {base}/sandbox/invoices/401
  curl -d '{{"disregard": true}}' {base}/sandbox/invoices/401
  curl {base}/sandbox/services
  curl -d '{{"bill": true}}' {base}/sandbox/clients/1
"""


def control_routes(install: Install) -> list[Route]:
    """The routes outside the API."""
    controls = _Controls(install)
    table: list[tuple[str, str, Control]] = [
        ("POST", "/sandbox/seed", seed(lambda: _told(lambda: small_company(install)), lambda: len(install.clients))),
        ("GET", "/sandbox/clients", controls.clients),
        ("POST", "/sandbox/clients", controls.add_client),
        ("POST", "/sandbox/clients/{id:int}", controls.bill),
        ("GET", "/sandbox/services", controls.services),
        ("GET", "/sandbox/invoices", controls.invoices),
        ("POST", "/sandbox/invoices/{id:int}", controls.change_invoice),
    ]
    return simulator_routes(
        install, controls.overview, table, call="client.invoice_generate", quirk='{"version": "4.6.1"}'
    )


def _told(change: Any) -> Any:
    try:
        return change()
    except Rejected as error:
        raise ValueError(str(error)) from None


@attrs.frozen
class _Controls:
    install: Install

    def overview(self, base: str) -> str:
        install = self.install
        return _OVERVIEW.format(
            base=base,
            user=install.user,
            token=install.token,
            clients=len(install.clients),
            services=len(install.services),
            invoices=len(install.invoices),
            rates=", ".join(row.name for row in install.rates.values()) or "none",
            methods=", ".join(METHODS),
        )

    def clients(self, _request: Request, _body: Json) -> Response:
        return respond({"data": [self._client(number) for number in self.install.clients]})

    def add_client(self, _request: Request, body: Json) -> Response:
        number = _told(lambda: self.install.add_client(**body))
        return respond({"data": self._client(number)}, 201)

    def _client(self, number: int) -> Json:
        row = self.install.clients[number]
        return attrs.asdict(row, filter=lambda field, _: field.name != "password")

    def bill(self, request: Request, body: Json) -> Response:
        if body != {"bill": True}:
            raise ValueError('what can be done to a client is {"bill": true}')
        return respond({"data": _invoice(_told(lambda: self.install.generate(request.path_params["id"])))}, 201)

    def services(self, _request: Request, _body: Json) -> Response:
        return respond({"data": [attrs.asdict(row) for row in self.install.services.values()]})

    def invoices(self, _request: Request, _body: Json) -> Response:
        return respond({"data": [_invoice(row) for row in self.install.invoices.values()]})

    def change_invoice(self, request: Request, body: Json) -> Response:
        number: int = request.path_params["id"]
        match body:
            case {"pay": True}:
                row = _told(lambda: self.install.pay(number))
            case {"pay": str(amount)}:
                row = _told(lambda: self.install.pay(number, Decimal(amount)))
            case {"disregard": True}:
                row = _told(lambda: self.install.disregard(number))
            case _:
                raise ValueError('an invoice is changed by {"pay": true}, {"pay": "1.50"} or {"disregard": true}')
        return respond({"data": _invoice(row)})


def _invoice(row: Invoice) -> Json:
    """Money as text, as everywhere outside the API."""
    return {
        "id": row.id,
        "client_id": row.client_id,
        "status": ("unpaid", "paid", "disregarded")[row.paid],
        "date": row.date.isoformat(),
        "due": row.due.isoformat(),
        "amount": str(row.amount),
        "unpaid": str(row.unpaid),
        "tax": str(row.tax),
        "mailed": row.mailed,
        "lines": [{"description": pack.description, "cost": str(pack.cost)} for pack in row.packs],
    }
