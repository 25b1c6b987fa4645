"""GetTokenPricing: SolusIO asks what one token costs a client (step 6 of the custom billing guide).

At the same address, and by the same token, a billing system's own client area asks for its client's way in.
"""

import hmac
import time

import structlog
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from tollbridge.errors import NotFound, TollbridgeError
from tollbridge.secret import Secret, redact
from tollbridge.server.forms import CallerGone, FormRefused, read_form
from tollbridge.server.metrics import Metrics
from tollbridge.server.pages import DESTINATIONS, Pages
from tollbridge.server.prices import Prices
from tollbridge.solus.pricing_answer import encode

PATHS = ("/solusio/api/", "/modules/addons/solusio/api/", "/solusio/api", "/modules/addons/solusio/api")
_JSON = (b"content-type", b"application/json")
_MORE_HEADERS = {413: [(b"connection", b"close")], 503: [(b"retry-after", b"30")]}
_LONGEST_ID = 18
_TELL_SECONDS = 10.0
_CLIENT_AREA = ("CreateSsoToken", "GetEnrolment")

_log = structlog.get_logger("tollbridge.server")


class PriceLookup:
    """The endpoint, as a bare ASGI application.

    It is asked for every price that SolusIO shows; building request and response objects would cost more than the
    answer does.
    """

    def __init__(
        self,
        token: Secret | None,
        prices: Prices,
        metrics: Metrics,
        pages: Pages | None = None,
    ) -> None:
        self._token = None if token is None else token.reveal().encode()
        self._pages = pages
        self._prices = prices
        self._metrics = metrics
        self._told = float("-inf")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one look-up."""
        status, headers = 200, [_JSON]
        try:
            answer = await self._answer(scope, receive)
        except FormRefused as refusal:
            status, answer = refusal.status, encode({"result": "error", "message": refusal.message})
            headers = [_JSON, *_MORE_HEADERS.get(status, ())]
        except CallerGone:
            return
        self._metrics.lookup(status)
        length = (b"content-length", str(len(answer)).encode())
        await send({"type": "http.response.start", "status": status, "headers": [*headers, length]})
        await send({"type": "http.response.body", "body": answer})

    async def _answer(self, scope: Scope, receive: Receive) -> bytes:
        fields = await read_form(scope, receive)
        self._authorize(fields.get("token", ""))
        action = fields.get("action", "")
        if action != "GetTokenPricing":
            return await self._for_client_area(action, fields)
        client_id = _client_id(fields.get("userid", ""))
        return self._prices.remembered(client_id) or await self._looked_up(client_id)

    async def _for_client_area(self, action: str, fields: dict[str, str]) -> bytes:
        """What a billing system shows a client it has logged in: only for who has the token."""
        if self._pages is None or action not in _CLIENT_AREA:
            known = ["GetTokenPricing", *(_CLIENT_AREA if self._pages else ())]
            raise FormRefused(400, f"unknown action; known: {', '.join(known)}")
        if self._token is None:
            raise FormRefused(401, f"server.token is not set, so nobody can ask for {action}")
        client_id = _client_id(fields.get("userid", ""))
        if action == "GetEnrolment":
            return encode({"result": "success", "enrolled": await self._enrolled(client_id, self._pages)})
        destination = fields.get("destination") or DESTINATIONS[0]
        if destination not in DESTINATIONS:
            raise FormRefused(400, f"destination must be one of {', '.join(DESTINATIONS)}")
        return encode({"result": "success", "redirect_url": self._pages.entry_url(client_id, destination)})

    async def _enrolled(self, client_id: int, pages: Pages) -> bool:
        try:
            return await pages.is_enrolled(client_id)
        except TollbridgeError as error:
            _log.error("enrolment not available", client_id=client_id, reason=redact(str(error)))
            raise FormRefused(503, "the ledger does not answer just now; try again later") from None

    async def _looked_up(self, client_id: int) -> bytes:
        try:
            return await self._prices.answer(client_id)
        except NotFound:
            raise FormRefused(404, f"there is no client {client_id}") from None
        except TollbridgeError as error:
            self._tell(error)
            raise FormRefused(503, "the price is not available just now; try again later") from None

    def _tell(self, error: TollbridgeError) -> None:
        """Log that look-ups are answered without a price, and no oftener than anybody would read it."""
        now = time.monotonic()
        if now - self._told >= _TELL_SECONDS:
            self._told = now
            _log.warning("look-ups are answered without a price", reason=redact(str(error)))

    def _authorize(self, given: str) -> None:
        if self._token is not None and not hmac.compare_digest(given.encode(errors="surrogatepass"), self._token):
            raise FormRefused(401, "wrong or missing token")


def _client_id(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= _LONGEST_ID):
        raise FormRefused(400, "userid is missing" if not text else "userid must be a whole number")
    return int(text)


def method_not_allowed() -> Response:
    """405 in the endpoint's own words."""
    body = encode({"result": "error", "message": "this address takes POST only"})
    return Response(body, 405, {"Allow": "POST"}, media_type="application/json")
