"""Serving a sandbox over HTTP, from a thread or for good."""

import contextlib
import sys
from collections.abc import Iterator

from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from tollbridge import loopback
from tollbridge.errors import Unavailable
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


def serve(app: ASGIApp, *, host: str, port: int, told: str = "") -> None:
    """Serve a sandbox until the process is interrupted.

    ``told`` is written to standard error once it can be reached; ``{root}`` in it stands for the address.

    Raises:
        Unavailable: the address is taken, or not this machine's.
    """
    root = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    try:
        listener = loopback.listen(host, port)
    except OSError as error:
        raise Unavailable(f"{root} cannot be served: {error.strerror or error}") from None
    if told:
        print(told.replace("{root}", root), file=sys.stderr, flush=True)  # noqa: T201 - it is a command's
    config = loopback.configured(app, http=_CuttableProtocol)
    with contextlib.suppress(KeyboardInterrupt):
        loopback.LoopbackServer(config).run([listener])
