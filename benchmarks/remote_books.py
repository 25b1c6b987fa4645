"""A simulated billing system over HTTP, and its adapter: every call takes as long as is said, and nothing is refused.

The books protect themselves from nothing: who asks for an invoice twice has two. A list of clients tells everything
about each, so that a month needs one call for each invoice, and those that list.
"""

import asyncio
import os
import sys
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import attrs
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tollbridge import Client, Currency, Invoice, InvoiceStatus, Receipt, hookimpl
from tollbridge.http import Http, Retry
from tollbridge.loopback import LoopbackServer, configured, listen

_PAGE = 500


@attrs.frozen
class RemoteSettings:
    """The adapter's table: where the books are, and how long a request may take effect after it was sent."""

    url: str
    in_doubt_seconds: int = 60


class RemoteBooks:
    """The adapter."""

    Settings = RemoteSettings
    at_once = 24

    def __init__(self, settings: RemoteSettings) -> None:
        quick = Retry(attempts=2, wait_initial=0.05, wait_max=0.1)
        self._http = Http(settings.url, service="the books", timeout=10, retry=quick)
        self.in_doubt_seconds = float(settings.in_doubt_seconds)

    @hookimpl
    def client(self, client_id: int) -> Client | None:
        """One client; only those that are there can be asked for."""
        self._http.request("GET", f"clients/{client_id}").json()
        return _client(client_id)

    @hookimpl
    def clients(self) -> Iterator[Client]:
        """All of them."""
        return map(_client, self._pages("clients"))

    @hookimpl
    def currencies(self) -> list[Currency]:
        """One."""
        return [Currency("USD")]

    @hookimpl
    def create_invoice(self, invoice: Invoice) -> Receipt:
        """One more, whether or not it is there."""
        row = {"reference": invoice.reference, "client": invoice.client_id, "total": str(invoice.subtotal)}
        return _receipt(self._http.request("POST", "invoices", json={**row, "due": str(invoice.due_date)}).json())

    @hookimpl
    def find_invoice(self, client_id: int, reference: str) -> Receipt | None:  # noqa: ARG002
        """The first with this reference."""
        row = self._http.request("GET", f"invoices/{reference}").json()
        return _receipt(row) if row else None

    @hookimpl
    def invoice(self, client_id: int, invoice_id: str) -> Receipt | None:  # noqa: ARG002
        """The one with this number."""
        row = self._http.request("GET", f"numbers/{invoice_id}").json()
        return _receipt(row) if row else None

    @hookimpl
    def invoices_since(self, day: date) -> Iterator[Receipt]:  # noqa: ARG002
        """All of them."""
        return map(_receipt, self._pages("invoices"))

    @hookimpl
    def unpaid_invoices(self) -> Iterator[Receipt]:
        """All of them: nobody pays."""
        return map(_receipt, self._pages("invoices"))

    @hookimpl
    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _pages(self, what: str) -> Iterator[Any]:
        after: int | None = 0
        while after is not None:
            page = self._http.request("GET", what, params={"after": after}).json()
            yield from page["rows"]
            after = page["next"]


def _client(number: int) -> Client:
    return Client(number, f"client{number}@example.com", "USD")


def _receipt(row: Any) -> Receipt:
    due, total = date.fromisoformat(row["due"]), Decimal(row["total"])
    return Receipt(row["number"], row["reference"], row["client"], InvoiceStatus.UNPAID, due, total)


@attrs.define
class Books:
    """The billing system itself.

    Attributes:
        latency: in seconds, of every call.
        most: how many calls were under way at once at most.
    """

    clients: int
    latency: float = 0.0
    invoices: list[dict[str, Any]] = attrs.Factory(list)
    most: int = 0
    _under_way: int = 0
    _by_reference: dict[str, dict[str, Any]] = attrs.Factory(dict)

    def app(self) -> Starlette:
        """As a web application."""
        return Starlette(routes=[
            Route("/clients", self._slow(lambda asked: self._page(range(1, self.clients + 1), asked))),
            Route("/clients/{number:int}", self._slow(lambda asked: asked.path_params["number"])),
            Route("/invoices", self._slow(self._create), methods=["POST"]),
            Route("/invoices", self._slow(lambda asked: self._page(self.invoices, asked))),
            Route("/invoices/{reference}", self._slow(lambda a: self._by_reference.get(a.path_params["reference"]))),
            Route("/numbers/{number:int}", self._slow(lambda asked: self.invoices[asked.path_params["number"] - 1])),
            Route("/state", self._state),
        ])  # fmt: skip

    def _slow(self, answer: Any) -> Any:
        async def endpoint(request: Request) -> Response:
            self._under_way += 1
            self.most = max(self.most, self._under_way)
            try:
                await asyncio.sleep(self.latency)
                found = answer(request)
                return JSONResponse(await found if asyncio.iscoroutine(found) else found)
            finally:
                self._under_way -= 1

        return endpoint

    def _page(self, rows: Any, request: Request) -> Any:
        after = int(request.query_params["after"])
        following = after + _PAGE
        return {"rows": list(rows[after:following]), "next": following if following < len(rows) else None}

    async def _create(self, request: Request) -> Any:
        row = {**await request.json(), "number": len(self.invoices) + 1}
        self.invoices.append(row)
        self._by_reference.setdefault(row["reference"], row)
        return row

    async def _state(self, _request: Request) -> Response:
        return JSONResponse({"invoices": self.invoices, "most": self.most, "cpu_seconds": sum(os.times()[:2])})


if __name__ == "__main__":
    books = Books(int(sys.argv[2]), float(sys.argv[3]))
    LoopbackServer(configured(books.app())).run([listen("127.0.0.1", int(sys.argv[1]))])
