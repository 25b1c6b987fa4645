"""How Ubersmith's lists are falsified when a fault wants it."""

import json
from contextvars import ContextVar
from typing import Any
from urllib.parse import parse_qsl, urlencode

from starlette.types import Scope

from tollbridge.sandbox import Breaker, Fault
from tollbridge_ubersmith.sandbox.endpoint import PATH, arguments

_called: ContextVar[str] = ContextVar("called")


class UbersmithBreaker(Breaker):
    """Faults hit calls, which are named by their method, such as ``client.invoice_generate``."""

    def called(self, scope: Scope, body: bytes) -> str | None:
        """The method."""
        if scope["path"] != PATH:
            return None
        name = str(arguments(scope["query_string"].decode("latin-1"), body).get("method", ""))
        _called.set(name)
        return name

    def falsify(self, fault: Fault, document: Any) -> None:
        """Half the rows of a list; of a count, one too many, or nothing at all."""
        rows, name = document.get("data"), _called.get()
        if (fault.kind == "half_page" and name.endswith("_list")) or name == "client.list":
            if isinstance(rows, list):
                del rows[len(rows) // 2 :]
            elif isinstance(rows, dict):
                document["data"] = dict([*rows.items()][: len(rows) // 2])
        elif fault.kind == "wrong_total" and name == "client.count":
            document["data"] = str(int(rows) + 1)
        elif fault.kind == "no_meta":
            document.pop("data", None)

    async def page_before(self, scope: Scope, body: bytes, document: Any) -> None:
        """The rows of the page before; what has no pages stays as it is."""
        fields = dict(parse_qsl(body.decode(), keep_blank_values=True))
        if "limit" not in fields:
            return
        fields["offset"] = str(max(0, int(fields.get("offset", 0)) - int(fields["limit"])))
        _, _, content = await self.answer(scope, urlencode(fields).encode())
        document["data"] = json.loads(content).get("data", document.get("data"))
