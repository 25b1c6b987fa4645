"""Cables between machines of one test: connections through them can be cut and mended, each by itself."""

import asyncio
import socket
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from contextlib import suppress
from typing import Any

import attrs


@attrs.define
class Cable:
    """One way to a port of this machine; while it is cut nobody gets through, and who was through is thrown out.

    Attributes:
        port: the port to connect to in the place of the real one.
    """

    port: int
    _target: int
    _loop: asyncio.AbstractEventLoop
    is_cut: bool = False
    _through: set[asyncio.StreamWriter] = attrs.Factory(set)

    def cut(self) -> None:
        """Cut it, in the middle of whatever is being said."""
        self._loop.call_soon_threadsafe(self._cut)

    def mend(self) -> None:
        """Let everybody through again."""
        self.is_cut = False

    def _cut(self) -> None:
        self.is_cut = True
        for writer in [*self._through]:
            writer.transport.abort()

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Somebody connects."""
        if self.is_cut:
            writer.transport.abort()
            return
        other_reader, other_writer = await asyncio.open_connection("127.0.0.1", self._target)
        self._through |= {writer, other_writer}
        with suppress(asyncio.CancelledError):
            await asyncio.gather(_pass(reader, other_writer), _pass(other_reader, writer))
        self._through -= {writer, other_writer}


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while said := await reader.read(65536):
            writer.write(said)
            await writer.drain()
    writer.transport.abort()


class Switchboard:
    """All cables of a test, in a thread of its own."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._servers: list[asyncio.Server] = []

    def cable(self, target: int) -> Cable:
        """A new cable to a port."""
        listener = socket.create_server(("127.0.0.1", 0))
        cable = Cable(listener.getsockname()[1], target, self._loop)
        self._servers.append(self._await(asyncio.start_server(cable.connected, sock=listener)))
        return cable

    def close(self) -> None:
        """Cut all of them for good."""
        self._await(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _end(self) -> None:
        for server in self._servers:
            server.close()
        tasks = [task for task in asyncio.all_tasks(self._loop) if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _await(self, what: Coroutine[Any, Any, Any]) -> Any:
        future: Future[Any] = asyncio.run_coroutine_threadsafe(what, self._loop)
        return future.result(10)
