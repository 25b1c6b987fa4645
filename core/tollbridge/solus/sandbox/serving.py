"""Serving a panel over HTTP, from a thread or for good."""

from contextlib import AbstractContextManager

from tollbridge import sandbox
from tollbridge.solus.sandbox.app import create_app
from tollbridge.solus.sandbox.panel import Panel


def running(panel: Panel, *, host: str = "127.0.0.1", port: int = 0) -> AbstractContextManager[str]:
    """Serve the panel from a thread; entering gives its base URL, such as ``http://127.0.0.1:43211``.

    Port 0 takes a free one. Leaving closes every connection, answered or not.
    """
    return sandbox.running(create_app(panel), host=host, port=port)


def serve(panel: Panel, *, host: str, port: int) -> None:
    """Serve the panel until the process is interrupted. OSError if the address is taken."""
    sandbox.serve(create_app(panel), host=host, port=port)
