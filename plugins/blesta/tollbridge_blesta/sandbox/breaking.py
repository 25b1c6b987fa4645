"""How Blesta's lists are falsified when a fault wants it."""

import json
from contextvars import ContextVar
from typing import Any
from urllib.parse import parse_qsl, urlencode

from starlette.types import Scope

from tollbridge.sandbox import Breaker, Fault
from tollbridge_blesta.sandbox.api.dispatch import call_name

_LOGIN = "plugin/shared_login"
_called: ContextVar[str] = ContextVar("called")


class BlestaBreaker(Breaker):
    """Faults hit calls, which are named ``model/method``, and ``plugin/shared_login``."""

    def called(self, scope: Scope, _body: bytes) -> str | None:
        """Such as ``invoices/add``."""
        name, _ = (_LOGIN, "") if _LOGIN in scope["path"] else call_name(scope["path"]) or (None, "")
        _called.set(name or "")
        return name

    def falsify(self, fault: Fault, document: Any) -> None:
        """Half the rows of a list; of a count, one too many, or nothing at all."""
        rows = document.get("response")
        if fault.kind == "half_page":
            if isinstance(rows, list):
                del rows[len(rows) // 2 :]
            elif isinstance(rows, dict) and "List" in _called.get():
                document["response"] = dict([*rows.items()][: len(rows) // 2])
        elif _called.get().endswith("Count") and isinstance(rows, int):
            if fault.kind == "wrong_total":
                document["response"] = rows + 1
            else:
                del document["response"]

    async def page_before(self, scope: Scope, body: bytes, document: Any) -> None:
        """The rows of the page before; what has no pages stays as it is."""
        if "response" not in document:
            return
        sent = scope["query_string"] if scope["method"] == "GET" else body
        fields = parse_qsl(sent.decode(), keep_blank_values=True)
        page = next((int(value) for name, value in fields if name == "page" and value.isdecimal()), 1)
        others = [(name, value) for name, value in fields if name != "page"]
        before = urlencode([*others, ("page", max(1, page - 1))]).encode()
        if scope["method"] == "GET":
            _, _, content = await self.answer({**scope, "query_string": before}, body)
        else:
            _, _, content = await self.answer(scope, before)
        document["response"] = json.loads(content).get("response", document["response"])
