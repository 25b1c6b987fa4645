"""What Acme knows, simulated, but how it makes invoices, which stands in billing.py."""

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send
from tollbridge.sandbox import Breaker, Fault, Faults, Journal, Recorder, control_routes

Row = dict[str, Any]
KEY = "acme-secret-key"
PAGE_SIZE = 5


class Books:
    """Everything Acme knows, in memory."""

    def __init__(self) -> None:
        self.faults = Faults()
        self.journal = Journal()
        self.refuses_invoices = False
        self.currencies: dict[str, Row] = {}
        self.clients: dict[int, Row] = {}
        self.taxes: list[Row] = []
        self.invoices: dict[int, Row] = {}

    def invoice_routes(self) -> list[Route]:
        """The calls that make invoices."""
        return []

    def app(self) -> Starlette:
        """Its API, with ``/sandbox/faults`` and ``/sandbox/requests`` beside it."""
        routes = [
            Route("/clients", self._clients),
            Route("/clients/{id:int}", self._client),
            Route("/currencies", self._currencies),
            Route("/taxes", self._taxes),
            Route("/invoices", self._invoices, methods=["GET"]),
            Route("/invoices/{id:int}", self._invoice, methods=["GET"]),
            *self.invoice_routes(),
            *control_routes(self.faults, self.journal),
        ]
        middleware = [
            Middleware(Recorder, journal=self.journal),
            Middleware(AcmeBreaker, faults=self.faults),
            Middleware(KeyGuard),
        ]
        return Starlette(routes=routes, middleware=middleware)

    async def _clients(self, request: Request) -> Response:
        return _page(request, list(self.clients.values()))

    async def _client(self, request: Request) -> Response:
        client = self.clients.get(request.path_params["id"])
        return JSONResponse(client) if client else JSONResponse({"error": "no such client"}, 404)

    async def _currencies(self, request: Request) -> Response:
        return _page(request, list(self.currencies.values()))

    async def _taxes(self, request: Request) -> Response:
        return _page(request, [row for row in self.taxes if row["country"] == request.query_params["country"]])

    async def _invoices(self, request: Request) -> Response:
        wanted = {key: value for key, value in request.query_params.items() if key != "page"}
        since = wanted.pop("created_since", "")
        rows = [row for row in self.invoices.values() if all(str(row[key]) == value for key, value in wanted.items())]
        return _page(request, [row for row in rows if row["created"] >= since])

    async def _invoice(self, request: Request) -> Response:
        invoice = self.invoices.get(request.path_params["id"])
        return JSONResponse(invoice) if invoice else JSONResponse({"error": "no such invoice"}, 404)

    def total(self, client: Row, body: Row, decimals: int) -> str:
        """All lines, with the taxes of the client's country on the taxed ones, rounded once."""
        taxes = [] if client["tax_exempt"] else [each for each in self.taxes if each["country"] == client["country"]]
        factor = 1 + sum((Decimal(each["percent"]) for each in taxes), Decimal(0)) / 100
        amounts = [Decimal(line["amount"]) * (factor if line["taxed"] else 1) for line in body["lines"]]
        return f"{sum(amounts, Decimal(0)).quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP):f}"


def _page(request: Request, rows: list[Row]) -> Response:
    first = (int(request.query_params.get("page", 1)) - 1) * PAGE_SIZE
    return JSONResponse({"items": rows[first : first + PAGE_SIZE], "total": len(rows)})


class KeyGuard:
    """Nothing is answered, nor done, without the key."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"].startswith("/sandbox/") or Request(scope).headers.get("x-api-key") == KEY:
            await self.app(scope, receive, send)
        else:
            await JSONResponse({"error": "wrong key"}, 401)(scope, receive, send)


class AcmeBreaker(Breaker):
    """Faults are ordered for a path, such as ``invoices``, of a POST for its last part; see ``tollbridge.sandbox.Fault``."""

    def called(self, scope: Scope, _body: bytes) -> str | None:
        path = str(scope["path"]).strip("/")
        return path.rpartition("/")[2] if scope["method"] == "POST" else path

    def falsify(self, fault: Fault, document: Row) -> None:
        """Half a page, or a wrong total."""
        if "items" not in document:
            return
        if fault.kind == "half_page":
            del document["items"][len(document["items"]) // 2 :]
        elif fault.kind == "wrong_total":
            document["total"] += 1
        else:
            del document["total"]
