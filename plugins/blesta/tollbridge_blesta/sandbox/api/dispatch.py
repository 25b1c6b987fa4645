"""From a request to a method and back: addresses, credentials, envelopes."""

import base64
import binascii
import hmac
from typing import Any

import attrs
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from tollbridge_blesta.sandbox.api.calls import Call
from tollbridge_blesta.sandbox.api.methods import METHODS, MODELS, UNCALLABLE
from tollbridge_blesta.sandbox.api.php import Array, parsed
from tollbridge_blesta.sandbox.api.wire import dumped
from tollbridge_blesta.sandbox.install import Install
from tollbridge_blesta.sandbox.problems import ApiProblem, Rejected
from tollbridge_blesta.sandbox.quirks import Quirks

PREFIXES = ("/api/", "/index.php/api/")
NOT_FOUND_PAGE = "<!DOCTYPE html><html><head><title>404 Not Found</title></head><body><h1>Not Found</h1></body></html>"
_FORM = "application/x-www-form-urlencoded"


def call_name(path: str) -> tuple[str, str] | None:
    """``model/method`` and the format of a path of the API, which is JSON by default; None for any other path."""
    for prefix in PREFIXES:
        if path.startswith(prefix):
            model, _, rest = path.removeprefix(prefix).partition("/")
            method, _, form = rest.partition(".")
            return f"{model}/{method}", form or "json"
    return None


@attrs.frozen
class Dispatcher:
    """Answers calls of the API. The install is locked for a whole call, so calls never overlap."""

    _install: Install

    async def answer(self, request: Request) -> Response:
        """Answer one call."""
        body = await request.body()
        with self._install.lock:
            quirks = attrs.evolve(self._install.quirks)
            if not quirks.rewriting and request.url.path.startswith(PREFIXES[0]):
                return HTMLResponse(NOT_FOUND_PAGE, 404)
            name, form = call_name(request.url.path) or ("", "")
            try:
                self._check(request, form, quirks)
                answer = self._called(name, _sent(request, body, quirks), quirks)
            except Rejected as error:
                return _errors(name, error, quirks)
            except ApiProblem as error:
                return _json({"message": error.message}, error.status)
            return _json({"response": answer})

    def _check(self, request: Request, form: str, quirks: Quirks) -> None:
        if quirks.maintenance:
            raise ApiProblem(503, "Blesta is down for maintenance.")
        if not self._is_admitted(request, quirks):
            raise ApiProblem(401, "These credentials are not valid.")
        if form != "json":
            raise ApiProblem(415, f"The sandbox speaks JSON, and no {form}.")

    def _called(self, name: str, sent: Array, quirks: Quirks) -> Any:
        if name in UNCALLABLE or (name.partition("/")[0] in MODELS and "/_" in name):
            raise ApiProblem(403, f"{name} cannot be called.")
        if name not in METHODS:
            raise ApiProblem(404, f"The sandbox has no method {name}.")
        method = METHODS[name]
        rows = method.handler(Call(self._install, method.bind(sent, quirks)))
        if isinstance(rows, list) and not rows:
            return False if method.false_if_empty and not quirks.empty_lists else []
        return _keyed(rows) if quirks.keyed_lists else rows

    def _is_admitted(self, request: Request, quirks: Quirks) -> bool:
        given = []
        if quirks.credentials != "basic":
            given.append((request.headers.get("blesta-api-user", ""), request.headers.get("blesta-api-key", "")))
        if quirks.credentials != "headers":
            given.append(_basic(request.headers.get("authorization", "")))
        wanted = f"{self._install.user}\0{self._install.key}".encode()
        return any(hmac.compare_digest(f"{user}\0{key}".encode(), wanted) for user, key in given)


def _sent(request: Request, body: bytes, quirks: Quirks) -> Array:
    """The arguments: of a GET those in the address, of anything else those in the form, and never both."""
    if request.method == "GET":
        return parsed(request.url.query, quirks.max_input_vars)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return parsed(body.decode(errors="replace"), quirks.max_input_vars) if kind == _FORM else {}


def _basic(header: str) -> tuple[str, str]:
    scheme, _, value = header.partition(" ")
    try:
        user, _, key = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return (user, key) if scheme.lower() == "basic" else ("", "")


def _keyed(value: Any) -> Any:
    """Lists of rows as objects with the rows' ids as keys, all the way down."""
    if isinstance(value, dict):
        return {key: _keyed(inner) for key, inner in value.items()}
    if not isinstance(value, list) or not value or not isinstance(value[0], dict):
        return value
    name = next((name for name in ("id", "code", "key") if name in value[0]), None)
    return value if name is None else {str(row[name]): _keyed(row) for row in value}


def _errors(name: str, error: Rejected, quirks: Quirks) -> Response:
    content: dict[str, Any] = {"message": "What was sent cannot be used.", "errors": error.errors}
    if quirks.nested_errors != "no":
        content = {"model" if quirks.nested_errors == "model" else name.partition("/")[0]: content}
    return _json(content, 200 if quirks.errors_with_200 else 400)


def _json(content: dict[str, Any], status: int = 200) -> Response:
    return Response(dumped(content), status, media_type="application/json")
