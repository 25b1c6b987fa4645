"""How WHMCS's lists are falsified when a fault wants it."""

import json
from typing import Any
from urllib.parse import urlencode

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Scope

from tollbridge.sandbox import Breaker, Fault, Load, NamedFaults
from tollbridge_whmcs_like.sandbox.form import read_pairs

API = "/includes/api.php"
_COUNTS = ("totalresults", "startnumber", "numreturned")


class WhmcsBreaker(Breaker):
    """Faults hit calls of the API, and are matched with the action."""

    def __init__(self, app: ASGIApp, faults: NamedFaults, load: Load) -> None:
        super().__init__(app, faults, load)
        self._actions = faults

    def called(self, scope: Scope, body: bytes) -> str | None:
        """The action, in the API reference's letters."""
        if scope["path"] != API:
            return None
        return self._actions.call(dict(_pairs(scope, body)).get("action", ""))

    def falsify(self, fault: Fault, document: Any) -> None:
        """Half the rows, one row too many in the total, or no counts."""
        rows = _rows(document)
        if rows is None:
            return
        if fault.kind == "half_page":
            del rows[len(rows) // 2 :]
        elif fault.kind == "wrong_total":
            total = document["totalresults"]
            document["totalresults"] = type(total)(int(total) + 1)
        else:
            for name in _COUNTS:
                document.pop(name, None)

    async def page_before(self, scope: Scope, body: bytes, document: Any) -> None:
        """As many rows from just before, in this page's envelope."""
        rows = _rows(document)
        if not rows:
            return
        pairs = [(name, value) for name, value in _pairs(scope, body) if name not in {"limitstart", "limitnum"}]
        start = max(0, int(document["startnumber"]) - len(rows))
        before = urlencode([*pairs, ("limitstart", str(start)), ("limitnum", str(len(rows)))]).encode()
        kind = (b"content-type", b"application/x-www-form-urlencoded")
        headers = [
            (name, value) for name, value in scope["headers"] if name not in {b"content-type", b"content-length"}
        ]
        _, _, content = await self.answer({**scope, "headers": [*headers, kind]}, before)
        rows[:] = _rows(json.loads(content)) or []


def _pairs(scope: Scope, body: bytes) -> list[tuple[str, str]]:
    return read_pairs(Headers(scope=scope).get("content-type", ""), body)


def _rows(document: Any) -> list[Any] | None:
    """The rows of a list that has pages, to be changed in place; None if the document is none."""
    if "totalresults" not in document or "startnumber" not in document:
        return None
    for value in document.values():
        inner = next(iter(value.values()), None) if isinstance(value, dict) else value
        if isinstance(inner, list):
            return inner
    return None
