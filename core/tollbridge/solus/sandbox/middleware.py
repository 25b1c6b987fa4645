"""Around the API: every request is written down, and ordered faults happen."""

import asyncio
import json
import math
from typing import Any
from urllib.parse import parse_qsl, urlencode

import orjson
from starlette.responses import HTMLResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tollbridge.solus.sandbox.faults import Fault
from tollbridge.solus.sandbox.journal import Entry, masked
from tollbridge.solus.sandbox.panel import Panel

API = "/api/v1/"
TRANSPORT = "tollbridge.sandbox.transport"
_LOGIN_PAGE = "<!DOCTYPE html><title>Log in</title><form method=post><input name=email><input name=password></form>"
_STATUSES = {"500": "Server Error", "429": "Too Many Attempts.", "503": "Service Unavailable"}


class Recorder:
    """Writes every request but those to the sandbox's own controls into the panel's journal."""

    def __init__(self, app: ASGIApp, panel: Panel) -> None:
        self._app = app
        self._panel = panel

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Read the body, note the request, and note the status just before the client sees it."""
        if scope["type"] != "http" or scope["path"].startswith("/sandbox"):
            await self._app(scope, receive, send)
            return
        raw = await _read(receive)
        if raw is None:
            return
        entry = Entry(scope["method"], scope["path"], scope["query_string"].decode("latin-1"), _shown(raw))
        self._panel.journal.add(entry)

        async def noting(message: Message) -> None:
            if message["type"] == "http.response.start":
                entry.status = message["status"]
            await send(message)

        await self._app(scope, _replay(raw, receive), noting)


class Breaker:
    """Lets the panel's faults happen to requests below ``/api/v1/``."""

    def __init__(self, app: ASGIApp, panel: Panel) -> None:
        self._app = app
        self._panel = panel

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, unless a fault is due for it."""
        path = scope.get("path", "")
        fault = None
        if scope["type"] == "http" and path.startswith(API):
            fault = self._panel.faults.take(scope["method"], path.removeprefix(API))
        if fault is None:
            await self._app(scope, receive, send)
        elif fault.kind in {"slow", "cut", "lost"}:
            await self._delay_or_cut(fault, scope, receive, send)
        elif fault.kind in {"half_page", "no_meta", "wrong_total", "shuffled_pages"}:
            await self._falsify(fault, scope, receive, send)
        else:
            await _instead(fault)(scope, receive, send)

    async def _delay_or_cut(self, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
        if fault.kind == "slow":
            try:
                await asyncio.sleep(fault.seconds)
            except asyncio.CancelledError:  # the server is closing: nobody waits for the answer any more
                await _hang_up(scope, receive)
            else:
                await self._app(scope, receive, send)
            return
        if fault.kind == "lost":
            await self._answer(scope, receive)
        await _hang_up(scope, receive)

    async def _falsify(self, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
        status, headers, content = await self._answer(scope, receive)
        try:
            page = json.loads(content)
        except ValueError:
            page = None
        if isinstance(page, dict) and isinstance(page.get("meta"), dict):
            if fault.kind == "shuffled_pages":
                page["data"] = await self._rows_before(page, scope, receive)
            else:
                _falsified(fault, page)
            content = orjson.dumps(page)
        headers = {key: value for key, value in headers.items() if key != "content-length"}
        await Response(content, status, headers)(scope, receive, send)

    async def _rows_before(self, page: dict[str, Any], scope: Scope, receive: Receive) -> Any:
        number = page["meta"]["current_page"]
        query = [(key, value) for key, value in parse_qsl(scope["query_string"].decode()) if key != "page"]
        before = urlencode([*query, ("page", max(1, number - 1))]).encode()
        _, _, content = await self._answer({**scope, "query_string": before}, _replay(b"", receive))
        return json.loads(content)["data"]

    async def _answer(self, scope: Scope, receive: Receive) -> tuple[int, dict[str, str], bytes]:
        """What the API answers, kept from the client."""
        start: Message = {}
        content = bytearray()

        async def keep(message: Message) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
            else:
                content.extend(message.get("body", b""))

        await self._app(scope, receive, keep)
        headers = {key.decode("latin-1"): value.decode("latin-1") for key, value in start["headers"]}
        return start["status"], headers, bytes(content)


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


def _falsified(fault: Fault, page: dict[str, Any]) -> None:
    if fault.kind == "half_page":
        del page["data"][len(page["data"]) // 2 :]
    elif fault.kind == "wrong_total":
        page["meta"]["total"] += 1
    else:
        del page["meta"], page["links"]


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
        return None
