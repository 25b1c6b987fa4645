"""Around a simulated API: every request is written down, and ordered faults happen."""

import asyncio
import json
import math
import re
from typing import Any
from urllib.parse import parse_qsl

import orjson
from starlette.responses import HTMLResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tollbridge.sandbox.faults import Fault, Faults
from tollbridge.sandbox.journal import Entry, Journal, masked
from tollbridge.sandbox.load import Load

TRANSPORT = "tollbridge.sandbox.transport"
CONTROLS = "/sandbox"
_NUMBER = re.compile(r"(?<=/)\d+")
_LOGIN_PAGE = "<!DOCTYPE html><title>Log in</title><form method=post><input name=email><input name=password></form>"
_STATUSES = {"500": "Server Error", "429": "Too Many Attempts.", "503": "Service Unavailable"}


class Recorder:
    """Writes every request but those to the sandbox's own controls into the journal."""

    def __init__(self, app: ASGIApp, journal: Journal) -> None:
        self._app = app
        self._journal = journal

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Read the body, note the request, and note the status just before the client sees it."""
        if scope["type"] != "http" or scope["path"].startswith(CONTROLS):
            await self._app(scope, receive, send)
            return
        raw = await _read(receive)
        if raw is None:
            return
        entry = Entry(scope["method"], scope["path"], scope["query_string"].decode("latin-1"), _shown(raw))
        self._journal.add(entry)

        async def noting(message: Message) -> None:
            if message["type"] == "http.response.start":
                entry.status = message["status"]
            await send(message)

        await self._app(scope, _replay(raw, receive), noting)


class Breaker:
    """Lets faults happen to calls of the API, and counts them.

    A sandbox says what names a call and how its lists are falsified.
    """

    def __init__(self, app: ASGIApp, faults: Faults, load: Load | None = None) -> None:
        self._app = app
        self._faults = faults
        self._load = load or Load()

    def called(self, scope: Scope, body: bytes) -> str | None:
        """What :attr:`Fault.path` is compared with; None for a request that no fault may hit."""
        raise NotImplementedError

    def falsify(self, fault: Fault, document: Any) -> None:
        """Change an answer as the fault wants it: ``half_page``, ``no_meta`` or ``wrong_total``."""
        raise NotImplementedError

    async def page_before(self, scope: Scope, body: bytes, document: Any) -> None:
        """Put the rows of the page before into an answer, for ``shuffled_pages``."""
        raise NotImplementedError

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, unless a fault is due for it."""
        if scope["type"] != "http" or scope["path"].startswith(CONTROLS):
            await self._app(scope, receive, send)
            return
        raw = await _read(receive)
        if raw is None:
            return
        call = self.called(scope, raw)
        if call is None:
            await self._app(scope, _replay(raw, receive), send)
            return
        async with self._load.answering(_NUMBER.sub("{id}", call).strip("/")):
            await self._answer(self._faults.take(scope["method"], call), scope, raw, receive, send)

    async def _answer(self, fault: Fault | None, scope: Scope, raw: bytes, receive: Receive, send: Send) -> None:
        if fault is None:
            await self._app(scope, _replay(raw, receive), send)
        elif fault.kind in {"slow", "cut", "lost"}:
            await self._delay_or_cut(fault, scope, raw, receive, send)
        elif fault.kind in {"half_page", "no_meta", "wrong_total", "shuffled_pages"}:
            response = await self._falsified(fault, scope, raw)
            await response(scope, receive, send)
        else:
            await _instead(fault)(scope, receive, send)

    async def _delay_or_cut(self, fault: Fault, scope: Scope, body: bytes, receive: Receive, send: Send) -> None:
        if fault.kind == "slow":
            try:
                await asyncio.sleep(fault.seconds)
            except asyncio.CancelledError:  # the server is closing: nobody waits for the answer any more
                await _hang_up(scope, receive)
            else:
                await self._app(scope, _replay(body, receive), send)
            return
        if fault.kind == "lost":
            await self.answer(scope, body)
        await _hang_up(scope, receive)

    async def _falsified(self, fault: Fault, scope: Scope, body: bytes) -> Response:
        status, headers, content = await self.answer(scope, body)
        try:
            document = json.loads(content)
        except ValueError:
            document = None
        if isinstance(document, dict):
            if fault.kind == "shuffled_pages":
                await self.page_before(scope, body, document)
            else:
                self.falsify(fault, document)
            content = orjson.dumps(document)
        headers = {key: value for key, value in headers.items() if key != "content-length"}
        return Response(content, status, headers)

    async def answer(self, scope: Scope, body: bytes) -> tuple[int, dict[str, str], bytes]:
        """What the API answers, status, headers and content, kept from the client."""
        start: Message = {}
        content = bytearray()

        async def keep(message: Message) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
            else:
                content.extend(message.get("body", b""))

        await self._app(scope, _replay(body, _nothing_more), keep)
        headers = {key.decode("latin-1"): value.decode("latin-1") for key, value in start["headers"]}
        return start["status"], headers, bytes(content)


async def _nothing_more() -> Message:
    return {"type": "http.disconnect"}


def _instead(fault: Fault) -> Response:
    """The answer of a fault that does nothing else."""
    if fault.kind == "html":
        return HTMLResponse(_LOGIN_PAGE)
    if fault.kind == "empty":
        return Response(b"", media_type="application/json")
    headers = {}
    if fault.seconds and fault.kind != "500":
        headers["Retry-After"] = str(math.ceil(fault.seconds))
    body = orjson.dumps({"message": _STATUSES[fault.kind]})
    return Response(body, int(fault.kind), headers, media_type="application/json")


async def _hang_up(scope: Scope, receive: Receive) -> None:
    """Close the connection, and stay until it is closed, so that the server sends no answer of its own."""
    transport = (scope.get("extensions") or {}).get(TRANSPORT, {}).get("transport")
    if transport is None:
        raise ConnectionResetError("this ASGI server has no connection to cut; use running() or serve()")
    transport.abort()
    while (await receive())["type"] != "http.disconnect":
        pass


async def _read(receive: Receive) -> bytes | None:
    """The whole body; None if the client went away before it had sent it."""
    raw = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        raw.extend(message.get("body", b""))
        if not message.get("more_body"):
            return bytes(raw)


def _replay(raw: bytes, receive: Receive) -> Receive:
    """``receive`` as if the body had not been read yet."""
    unread = [raw]

    async def again() -> Message:
        if unread:
            return {"type": "http.request", "body": unread.pop(), "more_body": False}
        return await receive()

    return again


def _shown(raw: bytes) -> Any:
    try:
        return masked(json.loads(raw))
    except ValueError:
        pass
    try:
        form = raw and dict(parse_qsl(raw.decode(), keep_blank_values=True, strict_parsing=True))
    except ValueError:
        return None
    return masked(form) if form else None
