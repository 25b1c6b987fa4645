"""What a client is shown of its own: the running month and where it leads, and the invoices of the bridge."""

import threading
import time
from collections.abc import Sequence
from datetime import datetime

import attrs

from tollbridge.jobs.parts import Parts
from tollbridge.model import UsageItem, UserUsage
from tollbridge.rules.calendar import Month
from tollbridge.rules.metering import meter
from tollbridge.solus.panel import again_if_incomplete

_KEPT_SECONDS = 300.0
_HOUR = 3600


@attrs.frozen
class RunningMonth:
    """A client's usage of the running month so far, and the tokens it comes to if all goes on so."""

    items: tuple[UsageItem, ...]
    projected: int

    @property
    def tokens(self) -> int:
        """What was used so far."""
        return sum(item.tokens for item in self.items)


def projected_tokens(items: Sequence[UsageItem], elapsed_hours: int, month_hours: int) -> int:
    """What the items come to by the month's end if every server that is there goes on running.

    Servers are metered again, so that none costs more than its monthly price. A backup grows with its server, of whose
    tokens it is a share; everything else goes on as it did so far.
    """
    elapsed, left = max(elapsed_hours, 1), max(month_hours - elapsed_hours, 0)
    servers = {item.id: (item.tokens, _in_the_end(item, left)) for item in items if item.server}
    return sum(_projected(item, servers, elapsed, month_hours) for item in items)


def _projected(item: UsageItem, servers: dict[int, tuple[int, int]], elapsed: int, whole: int) -> int:
    if item.server:
        return servers[item.id][1]
    now, then = servers.get(item.id, (0, 0)) if item.type == "backup" else (0, 0)
    share = (then, now) if now else (whole, elapsed)
    return max(item.tokens, -(-item.tokens * share[0] // share[1]))


def _in_the_end(item: UsageItem, left: int) -> int:
    server = item.server
    if server is None or server.is_deleted:
        return item.tokens
    return max(item.tokens, meter(server.hours + left, server.tokens_per_hour, server.tokens_per_month).tokens)


class UsageMemory:
    """The running month's usage of all users, read at most every five minutes, by one caller at a time."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._lock = threading.Lock()
        self._read_at = float("-inf")
        self._month: Month | None = None
        self._usage: dict[int, UserUsage] = {}

    def of_client(self, client_id: int, now: datetime) -> RunningMonth:
        """The client's part.

        Raises:
            Unavailable: SolusIO does not answer, or not completely.
        """
        zone = self._parts.settings.billing.timezone
        month = Month.of(now, zone)
        start, end = month.interval(zone)
        with self._lock:
            if month != self._month or time.monotonic() - self._read_at > _KEPT_SECONDS:
                found = again_if_incomplete(lambda: list(self._parts.usage.read(start, now)))
                self._usage = {each.billing_user_id: each for each in found if each.billing_user_id is not None}
                self._month, self._read_at = month, time.monotonic()
            usage = self._usage.get(client_id)
        items = usage.items if usage else ()
        elapsed, whole = (int((moment - start).total_seconds()) // _HOUR for moment in (now, end))
        return RunningMonth(items, projected_tokens(items, elapsed, whole))
