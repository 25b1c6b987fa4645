"""The usage feed in the shape that is declared, and in others that a live panel may well have.

Public documents name the call and leave its answer open. What each shape holds is the same usage.
"""

from collections.abc import Callable, Sequence
from typing import Any

from starlette.responses import Response

from tollbridge.solus.sandbox.api.calls import Call, Json, page_of, respond
from tollbridge.solus.sandbox.problems import PanelError
from tollbridge.solus.sandbox.records import FeedShape

Shape = Callable[[Call, Sequence[Json]], Json]

_OTHER_NAMES = {
    "type": "kind", "id": "resource_id", "uuid": "guid", "name": "label", "uptime_hours": "hours",
    "tokens": "token_count", "is_deleted": "removed", "count": "quantity",
}  # fmt: skip


def usage_feed(call: Call, rows: Sequence[Json]) -> Response:
    """A page of the usage, in the panel's shape; 404 if it is one without a feed."""
    return respond(_SHAPES[call.panel.feed](call, rows))


def _declared(call: Call, rows: Sequence[Json]) -> Json:
    return page_of(call, rows, dict)


def _names(call: Call, rows: Sequence[Json]) -> Json:
    """Everything there, under other names and in other places."""
    page = page_of(call, rows, _renamed)
    meta = page["meta"]
    names = {"currentPage": "current_page", "lastPage": "last_page", "perPage": "per_page", "total": "total"}
    return {"usage": page["data"], "meta": {other: meta[name] for other, name in names.items()}}


def _renamed(row: Json) -> Json:
    customer = {"id": row["user_id"], "billing_id": row["billing_user_id"]}
    return {"customer": customer, "resources": [_renamed_item(item) for item in row["items"]]}


def _renamed_item(item: Json) -> Json:
    plan = item.get("plan")
    prices = {} if plan is None else {
        "plan_name": plan["name"], "hourly_tokens": plan["tokens_per_hour"], "monthly_tokens": plan["tokens_per_month"],
    }  # fmt: skip
    return {_OTHER_NAMES[key]: value for key, value in item.items() if key != "plan"} | prices


def _flat(call: Call, rows: Sequence[Json]) -> Json:
    """Each row is an item: servers first, so that the rows of one user are not together."""
    items = [(row, item) for row in rows for item in row["items"]]
    items.sort(key=lambda pair: (pair[1]["type"] != "server", pair[1]["type"], pair[1]["id"]))
    return page_of(call, items, lambda pair: _flattened(*pair))


def _flattened(row: Json, item: Json) -> Json:
    plan = {f"plan_{key}" if key == "name" else key: value for key, value in item.get("plan", {}).items()}
    plan.pop("id", None)
    who = {"user_id": row["user_id"], "billing_user_id": row["billing_user_id"]}
    return who | {key: value for key, value in item.items() if key != "plan"} | plan


def _totals(call: Call, rows: Sequence[Json]) -> Json:
    """Sums per user, and not what they are made of."""
    return page_of(call, rows, _summed)


def _summed(row: Json) -> Json:
    sums = {key: sum(item.get(key, 0) for item in row["items"]) for key in ("uptime_hours", "tokens")}
    return {"user_id": row["user_id"], "billing_user_id": row["billing_user_id"], **sums}


def _text(call: Call, rows: Sequence[Json]) -> Json:
    """Hours, tokens and prices as text, as PHP sends what it has from a database."""
    return page_of(call, rows, _as_text)


def _as_text(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _as_text(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_as_text(inner) for inner in value]
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _paging(call: Call, rows: Sequence[Json]) -> Json:
    """Pages that do not say which one is the last."""
    page = page_of(call, rows, dict)
    meta = page["meta"]
    return {
        "data": page["data"],
        "paging": {"page": meta["current_page"], "size": meta["per_page"], "total_count": meta["total"]},
    }


def _none(_call: Call, _rows: Sequence[Json]) -> Json:
    raise PanelError(404, "Not Found")


_SHAPES: dict[FeedShape, Shape] = {
    "declared": _declared,
    "names": _names,
    "flat": _flat,
    "totals": _totals,
    "text": _text,
    "paging": _paging,
    "none": _none,
}
