"""``/includes/api.php``."""

from typing import Any

import attrs
import orjson
from starlette.requests import Request
from starlette.responses import Response

from tollbridge_whmcs_like.sandbox.api.access import admit, allowed_action
from tollbridge_whmcs_like.sandbox.api.actions import Action
from tollbridge_whmcs_like.sandbox.api.calls import Call
from tollbridge_whmcs_like.sandbox.form import Fields, read_fields, read_pairs
from tollbridge_whmcs_like.sandbox.install import Install
from tollbridge_whmcs_like.sandbox.problems import InstallError
from tollbridge_whmcs_like.sandbox.wire import Document, flattened, rendered

_NOTICE = (
    b'<br />\n<b>Warning</b>:  Undefined array key "module" in <b>/var/www/billing/includes/hooks/example.php</b>'
    b" on line <b>12</b><br />\n"
)
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_NOTHING_DONE = "The request could not be completed. Please try again."
_DEPRECATED = "This API functionality is deprecated and may be removed in a future version."


@attrs.frozen
class Endpoint:
    """The API of one install."""

    install: Install

    async def __call__(self, request: Request) -> Response:
        """Answer one request; what is no POST has no fields, so that it fails for want of credentials."""
        body = await request.body() if request.method == "POST" else b""
        pairs = read_pairs(request.headers.get("content-type", ""), body)
        fields = Fields(read_fields(pairs[: self.install.quirks.max_input_vars]))
        address = request.client.host if request.client else ""
        with self.install.lock:
            status, document = self._answer(request, fields, address)
        return self._written(fields, status, document)

    def _answer(self, request: Request, fields: Fields, address: str) -> tuple[int, Document]:
        quirks = self.install.quirks
        try:
            admit(self.install, fields, request.query_params, address)
            action = allowed_action(self.install, fields)
            call = Call(self.install, fields, str(request.base_url).rstrip("/"))
            return 200, self._done(action, call)
        except InstallError as error:
            key = "status" if quirks.status_on_errors else "result"
            status = quirks.denied_status if error.denied else quirks.error_status
            return status, {key: "error", "message": str(error)}

    def _done(self, action: Action, call: Call) -> Document:
        quirks = self.install.quirks
        if action.creates and quirks.warning_only:
            return {"result": "success", "warning": _NOTHING_DONE}
        answer: Document = {"result": "success", **rendered(action.run(call), quirks)}
        if action.writes and quirks.extra_warning:
            answer["warning"] = _DEPRECATED
        return dict(flattened(answer)) if action.name == "GetCurrencies" and quirks.flat_currencies else answer

    def _written(self, fields: Fields, status: int, document: dict[str, Any]) -> Response:
        """JSON if it was asked for; otherwise the old ``name=value;`` text, as WHMCS answers by default."""
        quirks = self.install.quirks
        before = (_BYTE_ORDER_MARK if quirks.byte_order_mark else b"") + (_NOTICE if quirks.php_notice else b"")
        if fields.text("responsetype").lower() != "json":
            text = "".join(f"{name}={value};" for name, value in flattened(document).items())
            return Response(before + text.encode(), status, media_type="text/plain")
        return Response(before + orjson.dumps(document), status, media_type="application/json")
