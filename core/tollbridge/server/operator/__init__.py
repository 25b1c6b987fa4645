"""The operator's pages: what the ledger has, for whoever runs the bridge. They show, and change nothing."""

from collections.abc import Awaitable, Callable
from functools import partial

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tollbridge.config import OperatorSettings
from tollbridge.errors import NotFound
from tollbridge.jobs.forecast import Forecasts
from tollbridge.jobs.parts import Parts
from tollbridge.jobs.price_lists import Clock
from tollbridge.reference import month_and_client
from tollbridge.rules.calendar import Month
from tollbridge.server.metrics import Metrics
from tollbridge.server.operator.books_sheet import Books
from tollbridge.server.operator.clients_sheet import ClientsPage
from tollbridge.server.operator.desk import ROOT, Caller, Desk
from tollbridge.server.operator.invoices_sheet import InvoicesPage
from tollbridge.server.operator.months_memory import MonthsMemory
from tollbridge.server.operator.owed_sheet import OwedPage
from tollbridge.server.operator.prices_sheet import PricesPage
from tollbridge.server.operator.revenue_sheet import RevenuePage
from tollbridge.server.operator.sheets import Asked, Sheet
from tollbridge.server.operator.today_sheet import Today

__all__ = ["operator_pages"]


def operator_pages(parts: Parts, metrics: Metrics, clock: Clock) -> list[Route]:
    """The pages for Starlette; none if bridge.toml has no ``[operator]``."""
    settings = parts.settings.operator
    return _routes(parts, settings, metrics, clock) if settings else []


def _routes(parts: Parts, settings: OperatorSettings, metrics: Metrics, clock: Clock) -> list[Route]:
    desk = Desk(parts, settings, clock)
    memory = MonthsMemory(parts.ledger)
    today, clients, invoices = Today(parts, metrics, clock), ClientsPage(parts), InvoicesPage(parts)
    sheets = {
        "books": Books(parts, memory).sheet,
        "revenue": RevenuePage(parts, memory, Forecasts(parts, clock)).sheet,
        "owed": OwedPage(parts).sheet,
        "clients": clients.sheet,
        "invoices": invoices.sheet,
        "prices": PricesPage(parts).sheet,
    }

    async def home(caller: Caller) -> Response:
        return await (desk.sheet(caller, today.sheet) if caller.is_in else desk.show_log_in(caller))

    async def client(caller: Caller) -> Response:
        return await desk.sheet(caller, partial(clients.one, caller.request.path_params["client_id"]))

    async def invoice(caller: Caller) -> Response:
        named = month_and_client(caller.request.path_params["reference"])
        if named is None:
            raise NotFound("no invoice is called so")
        return await desk.sheet(caller, partial(invoices.one, Month.parse(named[0]), named[1]))

    async def nowhere(caller: Caller) -> Response:
        return desk.message(caller, "not_found", status=404)

    async def show_style(request: Request) -> Response:
        named = request.query_params.get("v") == desk.renderer.style_version
        kept = "public, max-age=31536000, immutable" if named else "public, max-age=3600"
        headers = {"X-Content-Type-Options": "nosniff", "Cache-Control": kept}
        return Response(desk.renderer.style, media_type="text/css", headers=headers)

    def shown(make: Callable[[Asked], Sheet]) -> Callable[[Request], Awaitable[Response]]:
        async def show(caller: Caller) -> Response:
            return await desk.sheet(caller, make)

        return desk.endpoint(show)

    return [
        Route(f"{ROOT}/static/style.css", show_style),
        Route(ROOT, desk.endpoint(home, to_anybody=True)),
        Route(f"{ROOT}/login", desk.endpoint(desk.log_in, to_anybody=True), methods=["POST"]),
        Route(f"{ROOT}/logout", desk.endpoint(desk.log_out, to_anybody=True), methods=["POST"]),
        *(Route(f"{ROOT}/{name}", shown(make)) for name, make in sheets.items()),
        Route(f"{ROOT}/clients/{{client_id:int}}", desk.endpoint(client)),
        Route(f"{ROOT}/invoices/{{reference}}", desk.endpoint(invoice)),
        Route(f"{ROOT}/{{anything:path}}", desk.endpoint(nowhere)),
    ]
