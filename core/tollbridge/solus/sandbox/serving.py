"""Serving a panel over HTTP, from a thread or for good."""

import contextlib
from collections.abc import Iterator

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from tollbridge import loopback
from tollbridge.solus.sandbox.app import create_app
from tollbridge.solus.sandbox.middleware import TRANSPORT
from tollbridge.solus.sandbox.panel import Panel


class _CuttableProtocol(HttpToolsProtocol):
    """Hands its transport to the application, so that a fault can cut the connection."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {TRANSPORT: {"transport": self.transport}}


@contextlib.contextmanager
def running(panel: Panel, *, host: str = "127.0.0.1", port: int = 0) -> Iterator[str]:
    """Serve the panel from a thread, and yield its base URL, such as ``http://127.0.0.1:43211``.

    Port 0 takes a free one. Leaving closes every connection, answered or not.
    """
    with loopback.running(create_app(panel), host=host, port=port, http=_CuttableProtocol) as url:
        yield url


def serve(panel: Panel, *, host: str, port: int) -> None:
    """Serve the panel until the process is interrupted. OSError if the address is taken."""
    config = loopback.configured(create_app(panel), http=_CuttableProtocol)
    with contextlib.suppress(KeyboardInterrupt):
        loopback.LoopbackServer(config).run([loopback.listen(host, port)])
