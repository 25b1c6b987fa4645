"""A web application served on this machine from a thread: for the sandbox, the demo and tests."""

import asyncio
import contextlib
import os
import socket
import threading
from collections.abc import Iterator
from typing import Any

import uvicorn

_TICK = 0.1


class LoopbackServer(uvicorn.Server):
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


def configured(app: Any, **options: Any) -> uvicorn.Config:
    """Uvicorn's configuration for a quiet server of ``app``."""
    defaults: dict[str, Any] = {
        "ws": "none",
        "lifespan": "off",
        "log_config": None,
        "access_log": False,
        "server_header": False,
    }
    return uvicorn.Config(app, **{**defaults, **options})


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; OSError if the address is taken. Port 0 takes a free one."""
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except socket.gaierror:
        raise
    except OSError as error:  # Python adds the address, which whoever tells this names as well
        raise OSError(error.errno, os.strerror(error.errno or 0)) from None


@contextlib.contextmanager
def running(app: Any, *, host: str = "127.0.0.1", port: int = 0, **options: Any) -> Iterator[str]:
    """Serve ``app`` from a thread, and yield its base URL, such as ``http://127.0.0.1:43211``.

    Leaving closes every connection, answered or not. ``options`` are uvicorn's.
    """
    listener = listen(host, port)
    server = LoopbackServer(configured(app, **options))
    thread = threading.Thread(target=server.run, args=([listener],), name="loopback-server", daemon=True)
    thread.start()
    try:
        while not server.ready.wait(_TICK):
            if not thread.is_alive():
                raise RuntimeError("the server did not start")
        name = f"[{host}]" if ":" in host else host
        yield f"http://{name}:{listener.getsockname()[1]}"
    finally:
        if thread.is_alive():
            server.stop()
        thread.join()
