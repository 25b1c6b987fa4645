"""How HostBill's lists are falsified when a fault wants it."""

import json
from typing import Any
from urllib.parse import parse_qsl, urlencode

from starlette.types import ASGIApp, Scope

from tollbridge.sandbox import Breaker, Fault, Load, NamedFaults
from tollbridge_hostbill.sandbox.install import AUTOLOGIN

API = "/admin/api.php"
AREA = "/index.php"


class HostBillBreaker(Breaker):
    """Faults hit calls of the API, and ``autologin``."""

    def __init__(self, app: ASGIApp, faults: NamedFaults, load: Load) -> None:
        super().__init__(app, faults, load)
        self._names = faults

    def called(self, scope: Scope, body: bytes) -> str | None:
        """The call's name."""
        if scope["path"] == AREA:
            return self._names.call(AUTOLOGIN)
        if scope["path"] != API:
            return None
        return self._names.call(dict(_pairs(body)).get("call", ""))

    def falsify(self, fault: Fault, document: Any) -> None:
        """Half the rows, one row too many in the total, or no ``sorter``."""
        if "sorter" not in document:
            return
        if fault.kind == "half_page":
            key, rows = _rows(document)
            document[key] = rows[: len(rows) // 2]
        elif fault.kind == "wrong_total":
            document["sorter"]["sorterrecords"] += 1
        else:
            del document["sorter"]

    async def page_before(self, scope: Scope, body: bytes, document: Any) -> None:
        """The rows of the page before, in this page's envelope."""
        if "sorter" not in document:
            return
        pairs = dict(_pairs(body))
        pairs["page"] = str(max(0, int(pairs.get("page", "0")) - 1))
        _, _, content = await self.answer(_with_length(scope), urlencode(pairs).encode())
        key, _ = _rows(document)
        document[key] = _rows(json.loads(content))[1]


def _with_length(scope: Scope) -> Scope:
    return {**scope, "headers": [pair for pair in scope["headers"] if pair[0] != b"content-length"]}


def _pairs(body: bytes) -> list[tuple[str, str]]:
    return parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)


def _rows(document: Any) -> tuple[str, list[Any]]:
    key = "invoices" if "invoices" in document else "clients"
    rows = document[key] or []
    return key, [*rows.values()] if isinstance(rows, dict) else rows
