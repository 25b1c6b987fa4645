"""The panel as an ASGI application."""

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from tollbridge.sandbox import simulator_app
from tollbridge.solus.sandbox.api.calls import problem
from tollbridge.solus.sandbox.api.routes import api_routes
from tollbridge.solus.sandbox.breaking import PanelBreaker
from tollbridge.solus.sandbox.control import control_routes
from tollbridge.solus.sandbox.panel import Panel
from tollbridge.solus.sandbox.problems import PanelError


def create_app(panel: Panel) -> Starlette:
    """The HTTP API below ``/api/v1/``, login links below ``/auth/``, and the controls below ``/sandbox/``.

    Under a server other than :func:`running` and :func:`serve` faults that cut a connection raise instead.
    """
    return simulator_app(panel, [*api_routes(panel), *control_routes(panel)], PanelBreaker, _unrouted)


async def _unrouted(_request: Request, error: Exception) -> Response:
    """404 and 405 in the API's own words."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    message = error.detail if isinstance(error, HTTPException) else "Server Error"
    return problem(PanelError(status, message))
