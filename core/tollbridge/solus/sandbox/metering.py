"""Servers to usage rows, in the shape that ``/usage`` is declared to have.

Public documents name the usage call and leave its format open, so this is Tollbridge's own reading of it. The
figures follow the custom billing guide; the arithmetic is the bridge's own, :mod:`tollbridge.rules.metering`.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, TypeVar

import attrs

from tollbridge.rules.metering import PlanPrices, Stay, meter_stays
from tollbridge.solus.sandbox.records import Correction, Plan, Server

ThingT = TypeVar("ThingT")

Since = Sequence[tuple[datetime, ThingT]]
Stays = dict[int, list[Stay]]


@attrs.frozen
class Window:
    """The interval ``[start, end)`` that is metered."""

    start: datetime
    end: datetime


def stays(server: Server, plans_since: Callable[[int], Since[Plan]], window: Window) -> Stays:
    """Whose the server was within the window, and what it was like, by user; cut wherever anything changed."""
    found: Stays = {}
    there_until = min(server.deleted_at or window.end, window.end)
    history = [(each.since, each) for each in server.history]
    for chapter, start, end in _within(history, max(server.created_at, window.start), there_until):
        for plan, since, until in _within(plans_since(chapter.plan_id), start, end):
            for runs, begin, stop in _running(server, since, until):
                stay = Stay(begin, stop, _prices(plan), runs, chapter.backups, chapter.addresses)
                found.setdefault(chapter.user_id, []).append(stay)
    return found


def _within(things: Since[ThingT], start: datetime, end: datetime) -> Iterator[tuple[ThingT, datetime, datetime]]:
    """Each thing with the part of ``[start, end)`` in which it held."""
    ends = [*(since for since, _ in things[1:]), end]
    for (since, thing), until in zip(things, ends, strict=True):
        if max(since, start) < min(until, end):
            yield thing, max(since, start), min(until, end)


def _running(server: Server, start: datetime, end: datetime) -> Iterator[tuple[bool, datetime, datetime]]:
    """When it ran within ``[start, end)``, and when it did not."""
    at = start
    for ran in server.uptime:
        begin, stop = max(ran.started, at), min(ran.stopped or end, end)
        if begin < stop:
            if at < begin:
                yield False, at, begin
            yield True, begin, stop
            at = stop
    if at < end:
        yield False, at, end


def _prices(plan: Plan) -> PlanPrices:
    return PlanPrices(
        plan.id, plan.name, plan.tokens_per_hour, plan.tokens_per_month, plan.backup_price,
        plan.ip_tokens_per_hour, plan.ip_tokens_per_month,
    )  # fmt: skip


def usage_items(server: Server, there: list[Stay]) -> Iterator[dict[str, Any]]:
    """One user's items: the server, its paid backups and its additional addresses. Nothing if it did not run.

    A plan with a monthly price only is charged for a server that existed, whether it ran or not. The plan shown is the
    last one; hours are those on all plans.
    """
    metered = meter_stays(there)
    if not metered.hours:
        return
    plan = _last_counted(there)
    yield {
        "type": "server",
        "id": server.id,
        "uuid": str(server.uuid),
        "name": server.name,
        "plan": {
            "id": plan.id,
            "name": plan.name,
            "tokens_per_hour": plan.tokens_per_hour,
            "tokens_per_month": plan.tokens_per_month,
        },
        "uptime_hours": sum(each.hours for each in metered.hours),
        "tokens": metered.server,
        "is_deleted": server.deleted_at is not None,
    }
    if any(stay.backups and stay.plan.backup_percent for stay in there):
        yield {"type": "backup", "id": server.id, "name": server.name, "tokens": metered.backups}
    if addresses := frozenset[int]().union(*(stay.addresses for stay in there)):
        yield {
            "type": "additional_ip",
            "id": server.id,
            "name": server.name,
            "count": len(addresses),
            "tokens": metered.addresses,
        }


def _last_counted(there: list[Stay]) -> PlanPrices:
    """The last plan on which the server ran; the last of all if it never did."""
    return next((stay.plan for stay in reversed(there) if stay.runs), there[-1].plan)


def items_by_user(
    metered: Iterable[tuple[Server, Stays]], corrections: Iterable[Correction], window: Window
) -> dict[int, list[dict[str, Any]]]:
    """Every user's items, corrected, by user id in order; users without any are not in it."""
    users: dict[int, list[dict[str, Any]]] = {}
    for server, by_user in metered:
        for user_id, there in by_user.items():
            if items := [*usage_items(server, there)]:
                users.setdefault(user_id, []).extend(items)
    for correction in corrections:
        if window.start <= correction.moment < window.end:
            _correct(users.setdefault(correction.user_id, []), correction)
    return dict(sorted(users.items()))


def _correct(items: list[dict[str, Any]], correction: Correction) -> None:
    """Change the tokens of the server's item, or add an item; hours stay as they are."""
    if correction.server_id is None:
        items.append({"type": "correction", "id": correction.id, "name": "Reported later", "tokens": correction.tokens})
    for item in items:
        if (item["type"], item["id"]) == ("server", correction.server_id):
            item["tokens"] = max(0, item["tokens"] + correction.tokens)
