"""Serving an install over HTTP, from a thread or for good."""

from contextlib import AbstractContextManager

from tollbridge import sandbox
from tollbridge_blesta.sandbox.app import create_app
from tollbridge_blesta.sandbox.install import Install


def running(install: Install, host: str = "127.0.0.1", port: int = 0) -> AbstractContextManager[str]:
    """Serve the install from a thread; entering gives its root, such as ``http://127.0.0.1:43211``.

    Port 0 takes a free one. Leaving closes every connection, answered or not.
    """
    return sandbox.running(create_app(install), host=host, port=port)


def serve(install: Install, *, host: str, port: int) -> None:
    """Serve the install until the process is interrupted. OSError if the address is taken."""
    sandbox.serve(create_app(install), host=host, port=port)
