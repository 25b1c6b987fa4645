"""The install as an ASGI application, and serving it over HTTP, from a thread or for good."""

from contextlib import AbstractContextManager

from starlette.applications import Starlette
from starlette.routing import Route

from tollbridge import sandbox
from tollbridge_hostbill.sandbox.api.endpoint import Endpoint
from tollbridge_hostbill.sandbox.autologin import AutoLogin
from tollbridge_hostbill.sandbox.breaking import API, AREA, HostBillBreaker
from tollbridge_hostbill.sandbox.control import control_routes
from tollbridge_hostbill.sandbox.install import Install


def create_app(install: Install) -> Starlette:
    """The API at ``/admin/api.php``, the client area's log-in links, and the controls below ``/sandbox/``."""
    routes = [
        Route(API, Endpoint(install).__call__, methods=["GET", "POST"]),
        Route(AREA, AutoLogin(install).__call__, methods=["GET", "POST"]),
        *control_routes(install),
    ]
    return sandbox.simulator_app(install, routes, HostBillBreaker)


def running(install: Install, host: str = "127.0.0.1", port: int = 0) -> AbstractContextManager[str]:
    """Serve the install from a thread; entering gives its root, such as ``http://127.0.0.1:43211``.

    Port 0 takes a free one. Leaving closes every connection, answered or not.
    """
    return sandbox.running(create_app(install), host=host, port=port)


def serve(install: Install, *, host: str, port: int, told: str = "") -> None:
    """Serve the install until the process is interrupted; say how to use it. Unavailable if the address is taken."""
    sandbox.serve(create_app(install), host=host, port=port, told=told)
