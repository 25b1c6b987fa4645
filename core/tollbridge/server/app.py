"""The Starlette application, built from the bridge's parts."""

import asyncio
import gc
import os
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager, suppress
from functools import partial
from pathlib import Path

import structlog
from anyio import to_thread
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from tollbridge.adapters.billing import BillingSystem
from tollbridge.bridge import bridge
from tollbridge.errors import NotFound, TollbridgeError
from tollbridge.jobs.parts import Parts
from tollbridge.jobs.price_lists import Clock, RunningPrices, now
from tollbridge.logs import configure_logs
from tollbridge.mail import Delivery, carriers
from tollbridge.rules.pricing import MonthPrices
from tollbridge.secret import redact
from tollbridge.server.lookup import PATHS, PriceLookup, method_not_allowed
from tollbridge.server.metrics import Metrics
from tollbridge.server.pages import Pages, pages_of
from tollbridge.server.prices import LookupThreads, Prices, arrival
from tollbridge.server.probe import Probe
from tollbridge.server.snapshots import Snapshots
from tollbridge.solus.pricing_answer import encode, pricing_answer

CONFIG_VARIABLE = "TOLLBRIDGE_CONFIG"
WORKERS_VARIABLE = "TOLLBRIDGE_WORKERS"
_PATIENCE_SECONDS = 2.0

_log = structlog.get_logger("tollbridge.server")


def create_app(parts: Parts, clock: Clock = now) -> Starlette:
    """The application for parts that somebody else opens and closes."""
    metrics = Metrics(parts.ledger, parts.settings)
    running = RunningPrices(parts, clock)
    with suppress(TollbridgeError):  # or the first look-up does it
        running.list()  # a month has the first list that was seen in it, also if nobody asks for a price

    def look_up(client_id: int, prices: MonthPrices) -> bytes:
        try:
            answer = encode(pricing_answer(running.pricer.price(parts.billing.client(client_id), prices)))
        except TollbridgeError as error:
            missing = isinstance(error, NotFound)
            metrics.fetch("not_found" if missing else "failed")
            if not missing:
                _log.error("price not available", client_id=client_id, reason=redact(str(error)))
            raise
        metrics.fetch("ok")
        return answer

    server = parts.settings.server
    threads = LookupThreads(_at_once(parts))
    prices = Prices(
        look_up, running.kept, threads, fresh_seconds=server.cache_seconds, stale_seconds=server.stale_seconds
    )
    pages = pages_of(parts, running)
    lookup = PriceLookup(server.token, prices, metrics, pages)
    probes = [Probe("ledger", parts.ledger.ping), Probe("billing system", partial(_ask, parts.billing))]
    panel = [Probe("SolusIO", parts.solus.try_out)] if pages else []  # prices are told without it

    async def ready(_request: Request) -> Response:
        found = await asyncio.gather(*(probe.problem() for probe in [*probes, *panel]))
        problems = [each for each in found[: len(probes)] if each]
        status = 503 if problems else 200
        warnings = [] if problems else await _warnings(running)
        if not problems and any(found[len(probes) :]):
            warnings.append("SolusIO does not answer: the pages show its plans as they were, and nobody can sign up")
        return JSONResponse({"ready": not problems, "problems": problems, "warnings": warnings}, status)

    async def alive(_request: Request) -> Response:
        return JSONResponse({"alive": True})

    async def show_metrics(_request: Request) -> Response:
        return Response(await to_thread.run_sync(metrics.text), media_type=metrics.content_type)

    app = Starlette(
        middleware=[Middleware(_PricesFirst, lookup=lookup)],
        routes=[
            *(Route(path, lookup, methods=["POST"]) for path in PATHS),
            Route("/healthz", alive, methods=["GET"]),
            Route("/readyz", ready, methods=["GET"]),
            Route("/metrics", show_metrics, methods=["GET"]),
            *(pages.routes if pages else ()),
        ],
        exception_handlers={404: _no_such_address, 405: _method_not_allowed, 500: _fault},
    )
    app.router.redirect_slashes = False  # it would send people wherever the Host header says
    app.state.threads = threads
    app.state.deliveries = _deliveries(parts, pages)
    app.state.snapshots = Snapshots(parts) if parts.settings.meter.inside_serve else None
    return app


def _deliveries(parts: Parts, pages: Pages | None) -> list[Delivery]:
    """Who delivers what is in the outbox: the pages' mails and the operator's notices, each mail by one of them."""
    mails = pages.delivery if pages else None
    notices = [each for each in carriers(parts.settings) if mails is None or each.to_webhook]
    return [*([mails] if mails else []), *(Delivery(parts.ledger.outbox, each) for each in notices)]


async def _warnings(running: RunningPrices) -> list[str]:
    """What is amiss and stops nothing; no prices, since anybody may ask."""
    kept = running.kept()
    reading = kept.reading()
    await arrival(reading, _PATIENCE_SECONDS)
    try:
        prices = kept.outcome(reading)
    except TollbridgeError as error:
        _log.warning("price list not known", reason=redact(str(error)))
        return ["the price list of this month is not known"]
    if not running.differs(prices):
        return []
    return [f"bridge.toml has other prices than {prices.month} is billed with; `tollbridge check` says which"]


def _at_once(parts: Parts) -> int:
    """How many look-ups this process makes at once: its share of what the billing system stands."""
    most = parts.settings.billing.at_once or parts.billing.at_once
    return max(1, most // int(os.environ.get(WORKERS_VARIABLE, "1")))


def _no_such_address(_request: Request, _error: Exception) -> Response:
    return JSONResponse({"result": "error", "message": "there is nothing at this address"}, 404)


class _PricesFirst:
    """Answers SolusIO's look-ups before the router, whose search costs as much as the answer."""

    def __init__(self, app: ASGIApp, lookup: PriceLookup) -> None:
        self._app = app
        self._lookup = lookup

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a look-up; pass everything else on."""
        asked = scope["type"] == "http" and scope["method"] == "POST" and scope["path"] in PATHS
        await (self._lookup if asked else self._app)(scope, receive, send)


def _method_not_allowed(request: Request, error: Exception) -> Response:
    if request.url.path in PATHS:
        return method_not_allowed()
    headers = error.headers if isinstance(error, HTTPException) else None
    return JSONResponse({"result": "error", "message": "method not allowed"}, 405, headers)


def _fault(_request: Request, error: Exception) -> Response:
    _log.error("fault", error=redact(f"{type(error).__name__}: {error}"))
    return JSONResponse({"result": "error", "message": "the bridge has a fault; its log has more"}, 500)


def _ask(billing: BillingSystem) -> None:
    """Ask for something small that no adapter can answer from memory; nobody is client 0."""
    billing.currencies()
    with suppress(NotFound):
        billing.client(0)


def worker_app() -> Starlette:
    """The application of one worker process, which opens its own parts; bridge.toml is named in the environment."""
    configure_logs(as_json=True)
    with ExitStack() as opened:
        app = create_app(opened.enter_context(bridge(Path(os.environ[CONFIG_VARIABLE]))))
        closing = opened.pop_all()

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        gc.collect()  # what is loaded now stays for good: without it every collection would look at all of it again
        gc.freeze()
        with closing:
            beside = [*app.state.deliveries, *([app.state.snapshots] if app.state.snapshots else [])]
            for each in beside:
                each.start()
            try:
                yield
            finally:
                app.state.threads.stop()
                for each in beside:
                    await to_thread.run_sync(each.stop)

    app.router.lifespan_context = lifespan
    return app
