"""The install as an ASGI application."""

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from tollbridge.sandbox import Recorder
from tollbridge_blesta.sandbox.api.dispatch import NOT_FOUND_PAGE, PREFIXES, Dispatcher
from tollbridge_blesta.sandbox.breaking import BlestaBreaker
from tollbridge_blesta.sandbox.control import control_routes
from tollbridge_blesta.sandbox.install import Install
from tollbridge_blesta.sandbox.shared_login import SharedLogin

_METHODS = ["GET", "POST", "PUT", "DELETE"]


def create_app(install: Install) -> Starlette:
    """The API below ``/api/`` and ``/index.php/api/``, Shared Login, and the controls below ``/sandbox/``.

    Under a server other than :func:`running` and :func:`serve` faults that cut a connection raise instead.
    """
    call, log_in = Dispatcher(install).answer, SharedLogin(install).answer
    app = Starlette(
        routes=[
            *(Route(f"{prefix}{{call:path}}", call, methods=_METHODS) for prefix in PREFIXES),
            *(Route(f"{prefix}/plugin/shared_login/", log_in, methods=["GET"]) for prefix in ("", "/index.php")),
            *control_routes(install),
        ],
        middleware=[Middleware(Recorder, journal=install.journal), Middleware(BlestaBreaker, faults=install.faults)],
        exception_handlers={HTTPException: _unrouted},
    )
    app.router.redirect_slashes = False
    return app


async def _unrouted(_request: Request, error: Exception) -> Response:
    """The web server's own page, as for everything that is not Blesta's."""
    return HTMLResponse(NOT_FOUND_PAGE, error.status_code if isinstance(error, HTTPException) else 500)
