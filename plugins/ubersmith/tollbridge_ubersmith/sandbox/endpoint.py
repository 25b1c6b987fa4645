"""From a request to a method and back: the address, credentials, and the envelope."""

import base64
import binascii
import hmac
import json
from typing import Any

import attrs
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from tollbridge_ubersmith.sandbox.install import Install
from tollbridge_ubersmith.sandbox.methods import call
from tollbridge_ubersmith.sandbox.php import Array, parsed
from tollbridge_ubersmith.sandbox.records import Rejected
from tollbridge_ubersmith.sandbox.wire import dumped

PATH = "/api/2.0/"
_UPDATING = "<!DOCTYPE html><html><head><title>Updating Token</title></head><body>Please wait.</body></html>"


def arguments(query: str, body: bytes, content_type: str = "") -> Array:
    """What was sent: those of the address, of a form, or of a JSON object."""
    sent = parsed(query)
    if content_type.partition(";")[0].strip().lower() == "application/json":
        document = json.loads(body or b"{}")
        return sent | (_as_text(document) if isinstance(document, dict) else {})
    return sent | parsed(body.decode("utf-8", "replace"))


def _as_text(document: dict[str, Any]) -> Array:
    return {key: _as_text(value) if isinstance(value, dict) else str(value) for key, value in document.items()}


@attrs.frozen
class Endpoint:
    """Answers calls of the API. The install is locked for a whole call, so calls never overlap."""

    _install: Install

    async def answer(self, request: Request) -> Response:
        """Answer one call."""
        body = await request.body()
        sent = arguments(request.url.query, body, request.headers.get("content-type", ""))
        method = str(sent.pop("method", ""))
        with self._install.lock:
            quirks = self._install.quirks
            if quirks.updating_token:
                self._install.change_quirks(updating_token=quirks.updating_token - 1)
                return HTMLResponse(_UPDATING)
            if not self._is_admitted(request.headers.get("authorization", "")):
                return _failure(Rejected("Invalid login or password.", code=3), quirks.login_status)
            if quirks.maintenance:
                return _failure(Rejected("The system is down for maintenance."))
            try:
                data = call(self._install, method, sent)
            except Rejected as error:
                return _failure(error, quirks.denied_status if error.code == 2 else 200)
            return _json({"status": True, "error_code": None, "error_message": "", "data": data})

    def _is_admitted(self, header: str) -> bool:
        scheme, _, value = header.partition(" ")
        try:
            given = base64.b64decode(value, validate=True)
        except binascii.Error:
            return False
        wanted = f"{self._install.user}:{self._install.token}".encode()
        return scheme.lower() == "basic" and hmac.compare_digest(given, wanted)


def _failure(error: Rejected, status: int = 200) -> Response:
    return _json({"status": False, "error_code": error.code, "error_message": str(error), "data": ""}, status)


def _json(content: dict[str, Any], status: int = 200) -> Response:
    return Response(dumped(content), status, media_type="application/json")
