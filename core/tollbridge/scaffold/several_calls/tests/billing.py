"""Acme's billing API, simulated: as strict as the real one, and able to fail as it does."""

from datetime import UTC, datetime
from decimal import Decimal

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from books import KEY, PAGE_SIZE, Books, Row

__all__ = ["CREATE_CALLS", "ISSUING", "KEY", "PAGE_SIZE", "Billing"]
ISSUING = "issue"  # the call that makes an invoice count
CREATE_CALLS = 5  # that an invoice of one line takes


class Billing(Books):
    """Acme, which makes an invoice in several calls: a draft, its lines, its dates, and an end."""

    def invoice_routes(self) -> list[Route]:
        return [
            Route("/invoices", self._begin, methods=["POST"]),
            Route("/invoices/{id:int}/lines", self._add_line, methods=["POST"]),
            Route("/invoices/{id:int}", self._date, methods=["PUT"]),
            Route("/invoices/{id:int}/issue", self._issue, methods=["POST"]),
            Route("/invoices/{id:int}", self._delete, methods=["DELETE"]),
        ]

    async def _begin(self, request: Request) -> Response:
        body = await request.json()
        if self.refuses_invoices or body["client"] not in self.clients:
            return JSONResponse({"error": "this client is not invoiced"}, 422)
        today = datetime.now(UTC).date().isoformat()
        row = {
            **body,
            "id": max(self.invoices, default=0) + 1,
            "status": "draft",
            "created": today,
            "date": today,
            "due": today,
            "lines": [],
            "total": "0",
            "balance": "0",
        }
        self.invoices[row["id"]] = row
        return JSONResponse(row, 201)

    async def _add_line(self, request: Request) -> Response:
        line, row = await request.json(), self._draft(request)
        if row is None:
            return JSONResponse({"error": "no such draft"}, 404)
        decimals = self.currencies[row["currency"]]["decimals"]
        if Decimal(line["amount"]) != round(Decimal(line["amount"]), decimals):
            return JSONResponse({"error": "an amount is finer than its currency"}, 422)
        row["lines"].append(line)
        row["total"] = row["balance"] = self.total(self.clients[row["client"]], row, decimals)
        return JSONResponse(row, 201)

    async def _date(self, request: Request) -> Response:
        body, row = await request.json(), self._draft(request)
        if row is None:
            return JSONResponse({"error": "no such draft"}, 404)
        row.update({"date": body["date"], "due": body["due"]})
        return JSONResponse(row)

    async def _issue(self, request: Request) -> Response:
        row = self._draft(request)
        if row is None:
            return JSONResponse({"error": "no such draft"}, 404)
        row["status"] = "unpaid"
        return JSONResponse(row)

    async def _delete(self, request: Request) -> Response:
        row = self._draft(request)
        if row is None:
            return JSONResponse({"error": "no such draft"}, 404)
        del self.invoices[row["id"]]
        return JSONResponse({"deleted": row["id"]})

    def _draft(self, request: Request) -> Row | None:
        """An invoice that counts can be changed no more."""
        row = self.invoices.get(request.path_params["id"])
        return row if row is not None and row["status"] == "draft" else None
