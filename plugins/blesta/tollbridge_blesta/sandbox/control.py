"""The sandbox's own controls below ``/sandbox/``.

They ask for no credentials: the sandbox is meant for a loopback address.
"""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, get_args

import attrs
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tollbridge.sandbox import respond, seed, simulator_routes
from tollbridge.sandbox.control import Control, Json
from tollbridge_blesta.sandbox.api.methods import METHODS
from tollbridge_blesta.sandbox.company import small_company
from tollbridge_blesta.sandbox.install import Install
from tollbridge_blesta.sandbox.records import Client, Invoice

_OVERVIEW = """\
A Blesta sandbox. Clients {clients}, invoices {invoices}, tax rules {taxes}, currencies {currencies}.

The API is at {base}/api/ with the user {user} and the key {key}, of company {company}:

  curl -H 'BLESTA-API-USER: {user}' -H 'BLESTA-API-KEY: {key}' {base}/api/clients/getList.json
  curl -u '{user}:{key}' '{base}/api/currencies/getAll.json?company_id={company}'
  curl -u '{user}:{key}' {base}/api/invoices/add.json \\
    -d 'vars[client_id]={client}' -d 'vars[status]=active' -d 'vars[currency]={currency}' \\
    -d 'vars[date_billed]=2026-07-01T00:00:00Z' -d 'vars[date_due]=2026-07-15T00:00:00Z' \\
    -d 'vars[lines][0][description]=Server web-1' -d 'vars[lines][0][qty]=1' \\
    -d 'vars[lines][0][amount]=4.90' -d 'vars[lines][0][tax]=true'
  curl -u '{user}:{key}' '{base}/api/invoices/getList.json?status=open'

Its methods: {methods}.

Addresses of Shared Login are signed with {shared_key}.

Clients to begin with, with the passwords password-01 and so on, and one more:

  curl -d '{{"company": "small"}}' {base}/sandbox/seed
  curl -d '{{"email": "ada@example.com", "currency": "USD", "country": "DE"}}' {base}/sandbox/clients
  curl {base}/sandbox/clients

Invoices, for you to pay, cancel or change:

  curl {base}/sandbox/invoices
  curl -d '{{"pay": true}}' {base}/sandbox/invoices/301
  curl -d '{{"pay": "1.50"}}' {base}/sandbox/invoices/301
  curl -d '{{"void": true}}' {base}/sandbox/invoices/302
  curl -d '{{"date_due": "2026-07-01T00:00:00Z"}}' {base}/sandbox/invoices/301
"""
_CLIENT_FIELDS: dict[str, Any] = {
    "email": str,
    "currency": str | None,
    "first_name": str,
    "last_name": str,
    "company": str,
    "status": str,
    "group_id": int | None,
    "country": str,
    "state": str,
    "tax_exempt": bool,
    "language": str | None,
    "username": str | None,
    "password": str,
    "client_id": int | None,
}
_DATES = {"date_billed", "date_due", "date_closed"}
_INVOICE_FIELDS = {"status": str, "note_public": str, "note_private": str, **dict.fromkeys(_DATES, str | None)}


def control_routes(install: Install) -> list[Route]:
    """The routes outside the API."""
    controls = _Controls(install)
    table: list[tuple[str, str, Control]] = [
        ("POST", "/sandbox/seed", seed(lambda: small_company(install), lambda: len(install.clients))),
        ("GET", "/sandbox/clients", controls.clients),
        ("POST", "/sandbox/clients", controls.add_client),
        ("GET", "/sandbox/invoices", controls.invoices),
        ("POST", "/sandbox/invoices/{id:int}", controls.change_invoice),
    ]
    quirk = '{"encoded_build": true}'
    return simulator_routes(install, controls.overview, table, call="invoices/add", quirk=quirk)


@attrs.frozen
class _Controls:
    install: Install

    def overview(self, base: str) -> str:
        install = self.install
        client = install.clients[0] if install.clients else None
        return _OVERVIEW.format(
            base=base,
            user=install.user,
            key=install.key,
            company=install.company_id,
            shared_key=install.shared_login_key or "nothing: the plugin is not installed",
            clients=len(install.clients),
            invoices=len(install.invoices()),
            taxes=len(install.taxes),
            currencies=", ".join(row.code for row in install.currencies),
            client=client.id if client else 1,
            currency=install.client_setting(client.id, "default_currency") if client else "USD",
            methods=", ".join(METHODS),
        )

    def clients(self, _request: Request, _body: Json) -> Response:
        return respond({"data": [self._client(row) for row in self.install.clients]})

    def add_client(self, _request: Request, body: Json) -> Response:
        _check(body, _CLIENT_FIELDS)
        if not body.get("email"):
            raise ValueError("a client has an email")
        client_id = self.install.add_client(**body)
        return respond({"data": next(self._client(row) for row in self.install.clients if row.id == client_id)}, 201)

    def invoices(self, request: Request, _body: Json) -> Response:
        wanted = request.query_params.get("client_id")
        rows = self.install.invoices(None if wanted is None else int(wanted))
        return respond({"data": [_invoice(row) for row in rows]})

    def change_invoice(self, request: Request, body: Json) -> Response:
        invoice_id: int = request.path_params["id"]
        match body:
            case {"pay": True}:
                row = self.install.pay(invoice_id)
            case {"pay": str(amount)}:
                row = self.install.pay(invoice_id, Decimal(amount))
            case {"void": True}:
                row = self.install.void(invoice_id)
            case _:
                _check(body, _INVOICE_FIELDS)
                dates = {key: None if value is None else _moment(value) for key, value in body.items() if key in _DATES}
                row = self.install.set_invoice(invoice_id, **{**body, **dates})
        return respond({"data": _invoice(row)})

    def _client(self, row: Client) -> Json:
        return {
            "id": row.id,
            "user_id": row.user_id,
            "username": self.install.user_of(row).username,
            "status": row.status,
            "group_id": row.group_id,
            "currency": self.install.client_setting(row.id, "default_currency"),
            "tax_exempt": self.install.is_exempt(row.id),
            "language": self.install.client_setting(row.id, "language"),
            **attrs.asdict(row.contact, filter=lambda field, _: field.name != "id"),
        }


def _invoice(row: Invoice) -> Json:
    """Money as text, as everywhere outside the API."""
    return {
        "id": row.id,
        "number": row.id_code,
        "client_id": row.client_id,
        "status": row.status,
        "currency": row.currency,
        **{name: _iso(getattr(row, name)) for name in sorted(_DATES)},
        **{name: str(getattr(row, name)) for name in ("subtotal", "total", "paid", "due")},
        "note_public": row.note_public,
        "note_private": row.note_private,
        "delivery": list(row.delivery),
        "lines": [
            {"description": line.description, "qty": str(line.qty), "amount": str(line.amount), "tax": line.tax}
            for line in row.lines
        ],
    }


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text} has no time zone")
    return moment


def _check(body: Json, fields: dict[str, Any]) -> None:
    """TypeError for a field there is none of, or of another type."""
    for name, value in body.items():
        if name not in fields:
            raise TypeError(f"there is no {name}; there are {', '.join(fields)}")
        kinds = get_args(fields[name]) or (fields[name],)
        if not isinstance(value, kinds) or (isinstance(value, bool) and int in kinds):
            raise TypeError(f"{name} cannot be {value!r}")
