"""Serving a panel over HTTP, from a thread or for good."""

import asyncio
import contextlib
import socket
import threading
from collections.abc import Iterator

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from tollbridge.solus.sandbox.app import create_app
from tollbridge.solus.sandbox.middleware import TRANSPORT
from tollbridge.solus.sandbox.panel import Panel

_TICK = 0.1


class _CuttableProtocol(HttpToolsProtocol):
    """Hands its transport to the application, so that a fault can cut the connection."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {TRANSPORT: {"transport": self.transport}}


class _Server(uvicorn.Server):
    """A server that stops at once when another thread asks it to, whatever its clients are doing."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        await super().startup(sockets)
        self.ready.set()

    async def main_loop(self) -> None:
        counter = 0
        while not await self.on_tick(counter):
            counter += 1
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), _TICK)

    def stop(self) -> None:
        """Stop; to be called from another thread."""
        self.should_exit = True
        self._loop.call_soon_threadsafe(self._stopping.set)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        for listener in sockets or []:
            listener.close()
        for connection in [*self.server_state.connections]:
            connection.transport.abort()
        await asyncio.sleep(0)  # the loop tells the connections that they are lost, and that ends most tasks
        await asyncio.sleep(0)
        tasks = [*self.server_state.tasks]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _server(panel: Panel) -> _Server:
    config = uvicorn.Config(
        create_app(panel),
        http=_CuttableProtocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
    )
    return _Server(config)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family)


@contextlib.contextmanager
def running(panel: Panel, *, host: str = "127.0.0.1", port: int = 0) -> Iterator[str]:
    """Serve the panel from a thread, and yield its base URL, such as ``http://127.0.0.1:43211``.

    Port 0 takes a free one. Leaving closes every connection, answered or not.
    """
    listener = _listen(host, port)
    server = _server(panel)
    thread = threading.Thread(target=server.run, args=([listener],), name="solusio-sandbox", daemon=True)
    thread.start()
    try:
        while not server.ready.wait(_TICK):
            if not thread.is_alive():
                raise RuntimeError("the sandbox did not start")
        name = f"[{host}]" if ":" in host else host
        yield f"http://{name}:{listener.getsockname()[1]}"
    finally:
        if thread.is_alive():
            server.stop()
        thread.join()


def serve(panel: Panel, *, host: str, port: int) -> None:
    """Serve the panel until the process is interrupted. OSError if the address is taken."""
    with contextlib.suppress(KeyboardInterrupt):
        _server(panel).run([_listen(host, port)])
