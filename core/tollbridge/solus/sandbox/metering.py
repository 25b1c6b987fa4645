"""Servers to usage rows, in the shape that ``/usage`` is declared to have.

Public documents name the usage call and leave its format open, so this is Tollbridge's own reading of it. The
figures follow the custom billing guide; the arithmetic is the bridge's own, :mod:`tollbridge.rules.metering`.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

import attrs

from tollbridge.rules.metering import backup_tokens, billable_hours, meter
from tollbridge.solus.sandbox.records import Correction, Plan, Server


@attrs.frozen
class Window:
    """The interval ``[start, end)`` that is metered."""

    start: datetime
    end: datetime

    def uptime(self, server: Server) -> timedelta:
        """How long the server ran within the window."""
        total = timedelta(0)
        for ran in server.uptime:
            begin = max(ran.started, self.start)
            end = min(ran.stopped or self.end, self.end)
            if begin < end:
                total += end - begin
        return total

    def saw(self, server: Server) -> bool:
        """Whether the server existed within the window, running or not."""
        return server.created_at < self.end and (server.deleted_at is None or server.deleted_at > self.start)


def usage_items(server: Server, plan: Plan, window: Window) -> Iterator[dict[str, Any]]:
    """The server's items: itself, its paid backups and its additional addresses. Nothing if it did not run.

    Uptime is added up and then rounded up once to started hours. A plan with a monthly price only is
    charged for a server that existed, whether it ran or not.
    """
    uptime = window.uptime(server)
    monthly_only = plan.tokens_per_hour == 0 and plan.tokens_per_month > 0
    if not uptime and not (monthly_only and window.saw(server)):
        return
    hours = billable_hours(uptime)
    tokens = meter(hours, plan.tokens_per_hour, plan.tokens_per_month).tokens
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
        "uptime_hours": hours,
        "tokens": tokens,
        "is_deleted": server.deleted_at is not None,
    }
    if server.backups and plan.backup_price:
        backup = backup_tokens(tokens, plan.backup_price)
        yield {"type": "backup", "id": server.id, "name": server.name, "tokens": backup}
    count = len(server.additional_ips)
    if count:
        addresses = meter(hours, count * plan.ip_tokens_per_hour, count * plan.ip_tokens_per_month)
        yield {
            "type": "additional_ip",
            "id": server.id,
            "name": server.name,
            "count": count,
            "tokens": addresses.tokens,
        }


def items_by_user(
    metered: Iterable[tuple[Server, Plan]], corrections: Iterable[Correction], window: Window
) -> dict[int, list[dict[str, Any]]]:
    """Every user's items, corrected, by user id in order; users without any are not in it."""
    users: dict[int, list[dict[str, Any]]] = {}
    for server, plan in metered:
        items = [*usage_items(server, plan, window)]
        if items:
            users.setdefault(server.user_id, []).extend(items)
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
