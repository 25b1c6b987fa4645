"""GetTokenPricing: SolusIO asks what one token costs a client (step 6 of the custom billing guide)."""

import hmac
from collections.abc import AsyncGenerator
from urllib.parse import parse_qsl

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from tollbridge.errors import NotFound, TollbridgeError
from tollbridge.secret import Secret, redact
from tollbridge.server.metrics import Metrics
from tollbridge.server.remembering import PriceMemory
from tollbridge.solus.pricing_answer import encode

PATHS = ("/solusio/api/", "/modules/addons/solusio/api/")
_LARGEST_BODY = 16 * 1024
_MOST_FIELDS = 20
_RETRY_AFTER_SECONDS = 30
_LONGEST_ID = 18

_log = structlog.get_logger("tollbridge.server")


class _Refusal(Exception):
    """A request that is answered with an error."""

    def __init__(self, status: int, message: str) -> None:
        self.status = status
        self.message = message
        super().__init__(message)


class PriceLookup:
    """The endpoint."""

    def __init__(self, token: Secret | None, prices: PriceMemory, metrics: Metrics) -> None:
        self._token = None if token is None else token.reveal().encode()
        self._prices = prices
        self._metrics = metrics

    async def __call__(self, request: Request) -> Response:
        """Answer one look-up."""
        try:
            response = await self._answer(request)
        except _Refusal as refusal:
            response = _refused(refusal.status, refusal.message)
        self._metrics.lookup(response.status_code)
        return response

    async def _answer(self, request: Request) -> Response:
        fields = await _form(request)
        self._authorize(fields.get("token", ""))
        if fields.get("action") != "GetTokenPricing":
            raise _Refusal(400, "unknown action: GetTokenPricing is the only one")
        client_id = _client_id(fields.get("userid", ""))
        answer = self._prices.fresh(client_id)
        if answer is None:
            answer = await self._fetched(client_id)
        return Response(answer, media_type="application/json")

    async def _fetched(self, client_id: int) -> bytes:
        try:
            return await self._prices.answer(client_id)
        except NotFound:
            raise _Refusal(404, f"there is no client {client_id}") from None
        except TollbridgeError as error:
            _log.error("price not available", client_id=client_id, reason=redact(str(error)))
            raise _Refusal(503, "the price is not available just now; try again later") from None

    def _authorize(self, given: str) -> None:
        if self._token is not None and not hmac.compare_digest(given.encode(), self._token):
            raise _Refusal(401, "wrong or missing token")


async def _form(request: Request) -> dict[str, str]:
    """The form's fields, from a body that is small and readable."""
    body = await _body(request)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        return await _multipart(request, body)
    if kind not in {"application/x-www-form-urlencoded", ""}:
        raise _Refusal(400, "the form cannot be read: it must be application/x-www-form-urlencoded")
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            max_num_fields=_MOST_FIELDS,
            errors="strict",
            strict_parsing=bool(body),
        )
    except ValueError:
        raise _Refusal(400, "the form cannot be read") from None
    return dict(pairs)


async def _body(request: Request) -> bytes:
    """The body, read no further than it may be long."""
    declared = request.headers.get("content-length", "0")
    if declared.isdecimal() and int(declared) > _LARGEST_BODY:
        raise _Refusal(413, "the body is larger than 16 KiB")
    chunks, size = [], 0
    try:
        async for chunk in request.stream():
            size += len(chunk)
            if size > _LARGEST_BODY:
                raise _Refusal(413, "the body is larger than 16 KiB")
            chunks.append(chunk)
    except ClientDisconnect:
        raise _Refusal(400, "the form was cut off") from None
    return b"".join(chunks)


async def _multipart(request: Request, body: bytes) -> dict[str, str]:
    from starlette.formparsers import MultiPartException, MultiPartParser  # noqa: PLC0415 - hardly ever needed

    async def whole() -> AsyncGenerator[bytes]:
        yield body

    try:
        form = await MultiPartParser(request.headers, whole(), max_files=0, max_fields=_MOST_FIELDS).parse()
    except (MultiPartException, KeyError, ValueError):
        raise _Refusal(400, "the form cannot be read") from None
    return {name: value for name, value in form.items() if isinstance(value, str)}


def _client_id(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= _LONGEST_ID):
        raise _Refusal(400, "userid is missing" if not text else "userid must be a whole number")
    return int(text)


def _refused(status: int, message: str) -> Response:
    headers = {"Retry-After": str(_RETRY_AFTER_SECONDS)} if status == 503 else {}
    body = encode({"result": "error", "message": message})
    return Response(body, status, headers, media_type="application/json")


def method_not_allowed(_request: Request, _error: Exception) -> Response:
    """405 in the endpoint's own words."""
    response = _refused(405, "this address takes POST only")
    response.headers["Allow"] = "POST"
    return response
