"""Acme's billing API, simulated: as strict as the real one, and able to fail as it does."""

from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Scope
from tollbridge.sandbox import Breaker, Fault, Faults, Journal, Recorder, control_routes

Row = dict[str, Any]
KEY = "acme-secret-key"
PAGE_SIZE = 5


class Billing:
    """Everything Acme knows, in memory."""

    def __init__(self) -> None:
        self.faults = Faults()
        self.journal = Journal()
        self.refuses_invoices = False
        self.currencies: dict[str, Row] = {}
        self.clients: dict[int, Row] = {}
        self.taxes: list[Row] = []
        self.invoices: dict[int, Row] = {}

    def app(self) -> Starlette:
        """Its API, with ``/sandbox/faults`` and ``/sandbox/requests`` beside it."""
        routes = [
            Route("/clients", self._clients),
            Route("/clients/{id:int}", self._client),
            Route("/currencies", self._currencies),
            Route("/taxes", self._taxes),
            Route("/invoices", self._invoices, methods=["GET"]),
            Route("/invoices", self._create, methods=["POST"]),
            Route("/invoices/{id:int}", self._invoice),
            *control_routes(self.faults, self.journal),
        ]
        middleware = [Middleware(Recorder, journal=self.journal), Middleware(AcmeBreaker, faults=self.faults)]
        return Starlette(routes=routes, middleware=middleware)

    async def _clients(self, request: Request) -> Response:
        return _page(request, list(self.clients.values()))

    async def _client(self, request: Request) -> Response:
        client = self.clients.get(request.path_params["id"])
        return _answer(request, client) if client else JSONResponse({"error": "no such client"}, 404)

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
        return _answer(request, invoice) if invoice else JSONResponse({"error": "no such invoice"}, 404)

    async def _create(self, request: Request) -> Response:
        body = await request.json()
        client = self.clients.get(body["client"])
        if self.refuses_invoices or client is None:
            return JSONResponse({"error": "this client is not invoiced"}, 422)
        decimals = self.currencies[body["currency"]]["decimals"]
        if any(Decimal(line["amount"]) != round(Decimal(line["amount"]), decimals) for line in body["lines"]):
            return JSONResponse({"error": "an amount is finer than its currency"}, 422)
        row = {
            **body,
            "id": max(self.invoices, default=0) + 1,
            "status": "unpaid",
            "created": datetime.now(UTC).date().isoformat(),
            "total": self._total(client, body, decimals),
        }
        self.invoices[row["id"]] = row
        return _answer(request, row, 201)

    def _total(self, client: Row, body: Row, decimals: int) -> str:
        """All lines, with the taxes of the client's country on the taxed ones, rounded once."""
        taxes = [] if client["tax_exempt"] else [each for each in self.taxes if each["country"] == client["country"]]
        factor = 1 + sum((Decimal(each["percent"]) for each in taxes), Decimal(0)) / 100
        amounts = [Decimal(line["amount"]) * (factor if line["taxed"] else 1) for line in body["lines"]]
        return f"{sum(amounts, Decimal(0)).quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP):f}"


def _page(request: Request, rows: list[Row]) -> Response:
    first = (int(request.query_params.get("page", 1)) - 1) * PAGE_SIZE
    return _answer(request, {"items": rows[first : first + PAGE_SIZE], "total": len(rows)})


def _answer(request: Request, content: Row, status: int = 200) -> Response:
    if request.headers.get("x-api-key") != KEY:
        return JSONResponse({"error": "wrong key"}, 401)
    return JSONResponse(content, status)


class AcmeBreaker(Breaker):
    """Faults are ordered for a path, such as ``invoices``; see ``tollbridge.sandbox.Fault``."""

    def called(self, scope: Scope, _body: bytes) -> str | None:
        return str(scope["path"]).lstrip("/")

    def falsify(self, fault: Fault, document: Row) -> None:
        """Half a page, or a wrong total."""
        if fault.kind == "half_page":
            del document["items"][len(document["items"]) // 2 :]
        elif fault.kind == "wrong_total":
            document["total"] += 1
        else:
            del document["total"]
