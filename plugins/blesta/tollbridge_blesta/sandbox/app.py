"""The install as an ASGI application, and serving it over HTTP, from a thread or for good."""

from contextlib import AbstractContextManager

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from tollbridge import sandbox
from tollbridge_blesta.sandbox.api.dispatch import NOT_FOUND_PAGE, PREFIXES, Dispatcher
from tollbridge_blesta.sandbox.breaking import BlestaBreaker
from tollbridge_blesta.sandbox.control import control_routes
from tollbridge_blesta.sandbox.install import Install
from tollbridge_blesta.sandbox.shared_login import SharedLogin

_METHODS = ["GET", "POST", "PUT", "DELETE"]


def create_app(install: Install) -> Starlette:
    """The API below ``/api/`` and ``/index.php/api/``, Shared Login, and the controls below ``/sandbox/``."""
    call, log_in = Dispatcher(install).answer, SharedLogin(install).answer
    routes = [
        *(Route(f"{prefix}{{call:path}}", call, methods=_METHODS) for prefix in PREFIXES),
        *(Route(f"{prefix}/plugin/shared_login/", log_in, methods=["GET"]) for prefix in ("", "/index.php")),
        *control_routes(install),
    ]
    return sandbox.simulator_app(install, routes, BlestaBreaker, _unrouted)


def running(install: Install, host: str = "127.0.0.1", port: int = 0) -> AbstractContextManager[str]:
    """Serve the install from a thread; entering gives its root, such as ``http://127.0.0.1:43211``.

    Port 0 takes a free one. Leaving closes every connection, answered or not.
    """
    return sandbox.running(create_app(install), host=host, port=port)


def serve(install: Install, *, host: str, port: int, told: str = "") -> None:
    """Serve the install until the process is interrupted; say how to use it. Unavailable if the address is taken."""
    sandbox.serve(create_app(install), host=host, port=port, told=told)


async def _unrouted(_request: Request, error: Exception) -> Response:
    """The web server's own page, as for everything that is not Blesta's."""
    return HTMLResponse(NOT_FOUND_PAGE, error.status_code if isinstance(error, HTTPException) else 500)
