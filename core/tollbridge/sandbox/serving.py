"""Serving a sandbox over HTTP, from a thread or for good."""

import contextlib
from collections.abc import Iterator

from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from tollbridge import loopback
from tollbridge.sandbox.middleware import TRANSPORT


class _CuttableProtocol(HttpToolsProtocol):
    """Hands its transport to the application, so that a fault can cut the connection."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {TRANSPORT: {"transport": self.transport}}


@contextlib.contextmanager
def running(app: ASGIApp, *, host: str = "127.0.0.1", port: int = 0) -> Iterator[str]:
    """Serve a sandbox from a thread, and yield its base URL, such as ``http://127.0.0.1:43211``.

    Port 0 takes a free one. Leaving closes every connection, answered or not.
    """
    with loopback.running(app, host=host, port=port, http=_CuttableProtocol) as url:
        yield url


def serve(app: ASGIApp, *, host: str, port: int) -> None:
    """Serve a sandbox until the process is interrupted. OSError if the address is taken."""
    config = loopback.configured(app, http=_CuttableProtocol)
    with contextlib.suppress(KeyboardInterrupt):
        loopback.LoopbackServer(config).run([loopback.listen(host, port)])
