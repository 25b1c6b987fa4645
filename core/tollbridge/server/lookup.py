"""GetTokenPricing: SolusIO asks what one token costs a client (step 6 of the custom billing guide)."""

import asyncio
import hmac
from collections.abc import AsyncGenerator
from urllib.parse import parse_qsl

import structlog
from starlette.datastructures import Headers
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from tollbridge.errors import NotFound, TollbridgeError
from tollbridge.secret import Secret, redact
from tollbridge.server.metrics import Metrics
from tollbridge.server.remembering import PriceMemory
from tollbridge.solus.pricing_answer import encode

PATHS = ("/solusio/api/", "/modules/addons/solusio/api/", "/solusio/api", "/modules/addons/solusio/api")
_LARGEST_BODY = 16 * 1024
_MOST_FIELDS = 20
_BODY_SECONDS = 10.0
_JSON = (b"content-type", b"application/json")
_MORE_HEADERS = {413: [(b"connection", b"close")], 503: [(b"retry-after", b"30")]}
_LONGEST_ID = 18

_log = structlog.get_logger("tollbridge.server")


class _Refusal(Exception):
    """A request that is answered with an error."""

    def __init__(self, status: int, message: str) -> None:
        self.status = status
        self.message = message
        super().__init__(message)


class _Gone(Exception):
    """The caller left before its request was complete: there is nobody to answer."""


class PriceLookup:
    """The endpoint, as a bare ASGI application.

    It is asked for every price that SolusIO shows; building request and response objects would cost more than the
    answer does.
    """

    def __init__(self, token: Secret | None, prices: PriceMemory, metrics: Metrics) -> None:
        self._token = None if token is None else token.reveal().encode()
        self._prices = prices
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one look-up."""
        status, headers = 200, [_JSON]
        try:
            answer = await self._answer(scope, receive)
        except _Refusal as refusal:
            status, answer = refusal.status, encode({"result": "error", "message": refusal.message})
            headers = [_JSON, *_MORE_HEADERS.get(status, ())]
        except _Gone:
            return
        self._metrics.lookup(status)
        length = (b"content-length", str(len(answer)).encode())
        await send({"type": "http.response.start", "status": status, "headers": [*headers, length]})
        await send({"type": "http.response.body", "body": answer})

    async def _answer(self, scope: Scope, receive: Receive) -> bytes:
        fields = await _form(scope, receive)
        self._authorize(fields.get("token", ""))
        if fields.get("action") != "GetTokenPricing":
            raise _Refusal(400, "unknown action: GetTokenPricing is the only one")
        client_id = _client_id(fields.get("userid", ""))
        return self._prices.fresh(client_id) or await self._fetched(client_id)

    async def _fetched(self, client_id: int) -> bytes:
        try:
            return await self._prices.answer(client_id)
        except NotFound:
            raise _Refusal(404, f"there is no client {client_id}") from None
        except TollbridgeError as error:
            _log.error("price not available", client_id=client_id, reason=redact(str(error)))
            raise _Refusal(503, "the price is not available just now; try again later") from None

    def _authorize(self, given: str) -> None:
        if self._token is not None and not hmac.compare_digest(given.encode(errors="surrogatepass"), self._token):
            raise _Refusal(401, "wrong or missing token")


async def _form(scope: Scope, receive: Receive) -> dict[str, str]:
    """The form's fields, from a body that is small and readable; of fields given twice the last counts, as in PHP."""
    kind, length = b"", b""
    for name, value in scope["headers"]:
        if name == b"content-type":
            kind = value
        elif name == b"content-length":
            length = value
    if length.isdigit() and int(length) > _LARGEST_BODY:
        raise _Refusal(413, "the body is larger than 16 KiB")
    body = await _body(receive)
    kind = kind.partition(b";")[0].strip().lower()
    if kind == b"multipart/form-data":
        return await _multipart(scope, body)
    if kind not in {b"application/x-www-form-urlencoded", b""}:
        raise _Refusal(400, "the form cannot be read: it must be application/x-www-form-urlencoded")
    try:
        text = body.decode("ascii")
        return dict(parse_qsl(text, True, bool(body), errors="strict", max_num_fields=_MOST_FIELDS))
    except ValueError:
        raise _Refusal(400, "the form cannot be read") from None


async def _body(receive: Receive) -> bytes:
    """The body, read no further than it may be long, and no longer than it may take.

    A look-up comes in one piece, so only what comes in several is timed: a timer costs as much as the answer.
    """
    message = await receive()
    body = _chunk(message)
    if message.get("more_body"):
        try:
            async with asyncio.timeout(_BODY_SECONDS):
                while message.get("more_body"):
                    message = await receive()
                    body += _chunk(message)
                    if len(body) > _LARGEST_BODY:
                        break
        except TimeoutError:
            raise _Refusal(400, "the form cannot be read: it did not arrive in time") from None
    if len(body) > _LARGEST_BODY:
        raise _Refusal(413, "the body is larger than 16 KiB")
    return body


def _chunk(message: Message) -> bytes:
    if message["type"] == "http.disconnect":
        raise _Gone
    chunk: bytes = message.get("body", b"")
    return chunk


async def _multipart(scope: Scope, body: bytes) -> dict[str, str]:
    async def whole() -> AsyncGenerator[bytes]:
        yield body

    try:
        parser = MultiPartParser(Headers(scope=scope), whole(), max_files=0, max_fields=_MOST_FIELDS)
        form = await parser.parse()
    except (MultiPartException, KeyError, ValueError):
        raise _Refusal(400, "the form cannot be read") from None
    return {name: value for name, value in form.items() if isinstance(value, str)}


def _client_id(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= _LONGEST_ID):
        raise _Refusal(400, "userid is missing" if not text else "userid must be a whole number")
    return int(text)


def method_not_allowed() -> Response:
    """405 in the endpoint's own words."""
    body = encode({"result": "error", "message": "this address takes POST only"})
    return Response(body, 405, {"Allow": "POST"}, media_type="application/json")
