"""A simulated system as an ASGI application."""

from collections.abc import Awaitable, Callable, Iterable

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tollbridge.sandbox.middleware import Breaker, Recorder
from tollbridge.sandbox.simulator import Simulator

Unrouted = Callable[[Request, Exception], Awaitable[Response]]


def simulator_app(
    simulator: Simulator, routes: Iterable[Route], breaker: type[Breaker], unrouted: Unrouted | None = None
) -> Starlette:
    """The application: its requests are written down, and ordered faults happen.

    ``unrouted`` answers what no route does, in the system's own words. Under a server other than ``running`` and
    ``serve`` faults that cut a connection raise instead.
    """
    app = Starlette(
        routes=[*routes],
        middleware=[
            Middleware(Recorder, journal=simulator.journal),
            Middleware(breaker, faults=simulator.faults, load=simulator.load),
        ],
        exception_handlers={HTTPException: unrouted} if unrouted else None,
    )
    app.router.redirect_slashes = False
    return app
