"""Acme's billing API, simulated: as strict as the real one, and able to fail as it does."""

from datetime import UTC, datetime
from decimal import Decimal

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from books import KEY, PAGE_SIZE, Books

__all__ = ["CREATE_CALLS", "ISSUING", "KEY", "PAGE_SIZE", "Billing"]
ISSUING = "invoices"  # the call that makes an invoice count
CREATE_CALLS = 1  # that an invoice of one line takes


class Billing(Books):
    """Acme, which makes an invoice in one call."""

    def invoice_routes(self) -> list[Route]:
        return [Route("/invoices", self._create, methods=["POST"])]

    async def _create(self, request: Request) -> Response:
        body = await request.json()
        client = self.clients.get(body["client"])
        if self.refuses_invoices or client is None:
            return JSONResponse({"error": "this client is not invoiced"}, 422)
        decimals = self.currencies[body["currency"]]["decimals"]
        if any(Decimal(line["amount"]) != round(Decimal(line["amount"]), decimals) for line in body["lines"]):
            return JSONResponse({"error": "an amount is finer than its currency"}, 422)
        total = self.total(client, body, decimals)
        row = {
            **body,
            "id": max(self.invoices, default=0) + 1,
            "status": "unpaid",
            "created": datetime.now(UTC).date().isoformat(),
            "total": total,
            "balance": total,
        }
        self.invoices[row["id"]] = row
        return JSONResponse(row, 201)
