"""One call of the API: who makes it, what it says, and how answers look."""

import json
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, TypeVar
from urllib.parse import urlencode

import attrs
import orjson
from starlette.requests import Request
from starlette.responses import Response

from tollbridge.solus.sandbox.panel import Panel
from tollbridge.solus.sandbox.problems import PanelError
from tollbridge.solus.sandbox.records import User

RowT = TypeVar("RowT")
Json = dict[str, Any]


@attrs.frozen
class Call:
    """A call by somebody who may make it; ``actor`` is whose token it carries."""

    panel: Panel
    request: Request
    body: Json
    actor: User

    def key(self, name: str = "id") -> int:
        """The id in the path."""
        return int(self.request.path_params[name])

    def filter(self, name: str) -> str | None:
        """The value of ``filter[name]``; None if it is absent or empty."""
        return self.request.query_params.get(f"filter[{name}]") or None

    def matching(self, rows: Sequence[RowT], **values: Callable[[RowT], object]) -> Sequence[RowT]:
        """The rows that every filter sent lets pass.

        ``values`` says by the name of a filter what it is compared with; ``search`` looks for a part of that
        text, whatever its case.
        """
        for name, value in values.items():
            wanted = self.filter(name)
            if wanted is None:
                continue
            if name == "search":
                part = wanted.casefold()
                rows = [row for row in rows if part in str(value(row)).casefold()]
            else:
                rows = [row for row in rows if str(value(row)) == wanted]
        return rows


Handler = Callable[[Call], Response]


def read_body(raw: bytes) -> Json:
    """The JSON object in a request; no body is an empty one, anything else a 400. Decimals stay exact."""
    if not raw.strip():
        return {}
    try:
        body = json.loads(raw, parse_float=Decimal)
    except ValueError:
        raise PanelError(400, "The body is not JSON.") from None
    if not isinstance(body, dict):
        raise PanelError(400, "The body is not a JSON object.")
    return body


def respond(content: Json, status: int = 200) -> Response:
    """A JSON answer."""
    return Response(dumped(content), status, media_type="application/json")


def dumped(content: Any) -> bytes:
    """JSON; decimals are written as numbers, digit by digit."""
    return orjson.dumps(content, default=_number)


def _number(value: object) -> orjson.Fragment:
    if isinstance(value, Decimal):
        return orjson.Fragment(format(value, "f"))
    raise TypeError(f"{value!r} has no place in JSON")


def item(data: Json, status: int = 200) -> Response:
    """``{"data": {…}}``."""
    return respond({"data": data}, status)


def no_content() -> Response:
    """204, as deletions that are done at once answer."""
    return Response(status_code=204)


def problem(error: PanelError) -> Response:
    """``{"message": …, "errors": {…}}``; without ``errors`` if no field is to blame."""
    body: Json = {"message": error.message}
    if error.errors:
        body["errors"] = error.errors
    return respond(body, error.status)


def listing(call: Call, rows: Sequence[RowT], to_json: Callable[[RowT], Json]) -> Response:
    """One page of ``rows`` as an answer."""
    return respond(page_of(call, rows, to_json))


def page_of(call: Call, rows: Sequence[RowT], to_json: Callable[[RowT], Json]) -> Json:
    """One page of ``rows`` with ``links`` and ``meta``.

    The links are absolute and keep the query. A page beyond the last one has no rows.
    """
    page = _page(call.request)
    size = call.panel.per_page
    first = (page - 1) * size
    shown = rows[first : first + size]
    last_page = max(1, -(-len(rows) // size))
    path = str(call.request.url.replace(query="", fragment=""))
    query = [(key, value) for key, value in call.request.query_params.multi_items() if key != "page"]

    def link(number: int) -> str:
        return f"{path}?{urlencode([*query, ('page', number)])}"

    return {
        "data": [to_json(row) for row in shown],
        "links": {
            "first": link(1),
            "last": link(last_page),
            "prev": link(page - 1) if page > 1 else None,
            "next": link(page + 1) if page < last_page else None,
        },
        "meta": {
            "current_page": page,
            "from": first + 1 if shown else None,
            "last_page": last_page,
            "path": path,
            "per_page": size,
            "to": first + len(shown) if shown else None,
            "total": len(rows),
        },
    }


def _page(request: Request) -> int:
    asked = request.query_params.get("page", "1")
    return max(1, int(asked)) if asked.isdecimal() and len(asked) < 10 else 1
