"""Prices, remembered: fresh for a while, fetched by one caller at a time, and still served when billing is down."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable

import attrs
import structlog

from tollbridge.errors import NotFound, TollbridgeError

_log = structlog.get_logger("tollbridge.server")
_MOST_REMEMBERED = 50_000
_PATIENCE_SECONDS = 2.0  # a panel that shows a price waits no longer than that for a fresher one


@attrs.frozen
class Remembered:
    """An answer and when it was fetched, by the event loop's clock."""

    answer: bytes
    fetched_at: float


class PriceMemory:
    """Answers by client id.

    ``fetch`` makes the answer of one client. A fresh answer is served from memory; a missing or older one is fetched
    once, however many callers wait for it. When fetching fails an answer that is not yet stale is served instead.
    """

    def __init__(self, fetch: Callable[[int], Awaitable[bytes]], *, fresh_seconds: float, stale_seconds: float) -> None:
        self._fetch = fetch
        self._fresh_seconds = fresh_seconds
        self._stale_seconds = stale_seconds
        self._remembered: OrderedDict[int, Remembered] = OrderedDict()
        self._under_way: dict[int, asyncio.Task[bytes]] = {}

    def fresh(self, client_id: int) -> bytes | None:
        """The answer, if it is in memory and fresh."""
        found = self._remembered.get(client_id)
        if found is None or asyncio.get_running_loop().time() - found.fetched_at >= self._fresh_seconds:
            return None
        return found.answer

    async def answer(self, client_id: int) -> bytes:
        """The answer, fetched if need be.

        Raises:
            TollbridgeError: it cannot be fetched, and nothing that may still be served is remembered.
        """
        answer = self.fresh(client_id)
        if answer is not None:
            return answer
        task = self._under_way.get(client_id)
        if task is None:
            task = asyncio.create_task(self._refresh(client_id))
            self._under_way[client_id] = task
            task.add_done_callback(lambda done: self._fetched(client_id, done))
        found = self._remembered.get(client_id)
        if found is not None and asyncio.get_running_loop().time() - found.fetched_at < self._stale_seconds:
            await asyncio.wait({task}, timeout=_PATIENCE_SECONDS)
            if not task.done():
                return found.answer
        return await asyncio.shield(task)

    def _fetched(self, client_id: int, task: asyncio.Task[bytes]) -> None:
        self._under_way.pop(client_id, None)
        if not task.cancelled():
            task.exception()  # whoever waited has it; asked for here so that nobody waiting is no fault

    async def _refresh(self, client_id: int) -> bytes:
        loop = asyncio.get_running_loop()
        try:
            answer = await self._fetch(client_id)
        except NotFound:
            self._remembered.pop(client_id, None)
            raise
        except TollbridgeError as error:
            found = self._remembered.get(client_id)
            if found is None or loop.time() - found.fetched_at >= self._stale_seconds:
                raise
            _log.warning("price served from memory", client_id=client_id, reason=str(error))
            return found.answer
        self._remembered[client_id] = Remembered(answer, loop.time())
        self._remembered.move_to_end(client_id)
        while len(self._remembered) > _MOST_REMEMBERED:
            self._remembered.popitem(last=False)
        return answer
