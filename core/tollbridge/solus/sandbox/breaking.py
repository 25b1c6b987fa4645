"""How SolusIO's lists are falsified when a fault wants it."""

import json
from typing import Any
from urllib.parse import parse_qsl, urlencode

from starlette.types import Scope

from tollbridge.sandbox import Breaker, Fault

API = "/api/v1/"


class PanelBreaker(Breaker):
    """Faults hit what lies below ``/api/v1/``, and are matched with the path there."""

    def called(self, scope: Scope, _body: bytes) -> str | None:
        """The path below ``/api/v1/``."""
        path: str = scope["path"]
        return path.removeprefix(API) if path.startswith(API) else None

    def falsify(self, fault: Fault, document: Any) -> None:
        """Half the rows, one row too many in the total, or no ``meta`` and ``links``."""
        if not isinstance(document.get("meta"), dict):
            return
        if fault.kind == "half_page":
            del document["data"][len(document["data"]) // 2 :]
        elif fault.kind == "wrong_total":
            document["meta"]["total"] += 1
        else:
            del document["meta"], document["links"]

    async def page_before(self, scope: Scope, body: bytes, document: Any) -> None:
        """The rows of the page before, in this page's envelope."""
        if not isinstance(document.get("meta"), dict):
            return
        number = document["meta"]["current_page"]
        query = [(key, value) for key, value in parse_qsl(scope["query_string"].decode()) if key != "page"]
        before = urlencode([*query, ("page", max(1, number - 1))]).encode()
        _, _, content = await self.answer({**scope, "query_string": before}, body)
        document["data"] = json.loads(content)["data"]
