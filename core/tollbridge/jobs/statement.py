"""What a client is shown of its own: the running month and where it leads, and the invoices of the bridge."""

import threading
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import partial

import attrs

from tollbridge.jobs.parts import Parts
from tollbridge.kept import Freshness, Kept, aside
from tollbridge.model import UsageItem, UserUsage
from tollbridge.rules.calendar import Month
from tollbridge.rules.metering import server_tokens
from tollbridge.solus.panel import again_if_incomplete

_FRESHNESS = Freshness(300, stale_seconds=3600, most_seconds=10)
_HOUR = 3600


@attrs.frozen
class RunningMonth:
    """A client's usage of the running month as of a moment, and the tokens it comes to if all goes on so.

    ``user_ids``: of the SolusIO users whose usage it is.
    """

    month: Month
    items: tuple[UsageItem, ...]
    projected: int
    as_of: datetime
    user_ids: frozenset[int] = frozenset()

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
    return max(item.tokens, server_tokens(attrs.evolve(server, hours=server.hours + left)).tokens)


@attrs.frozen
class _Usage:
    """Everybody's usage by client, as it was at a moment."""

    of_clients: Mapping[int, tuple[UserUsage, ...]]
    as_of: datetime


class UsageMemory:
    """The running month's usage of all users, read by one thread at a time, and no more often than every five minutes.

    Nobody waits for that but who comes first, or after an hour in which nobody did, and they no longer than ten
    seconds; everybody else is given the figures there are.
    """

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._lock = threading.Lock()
        self._kept: tuple[Month, Kept[_Usage]] | None = None

    def of_client(self, client_id: int, month: Month, *, wait: bool = False) -> RunningMonth:
        """The client's part; ``month`` is the one that it is. With ``wait`` as of now, however long that takes.

        Raises:
            Unavailable: SolusIO does not answer, not in time, or not completely.
        """
        return self._running(self._of(month).get(fresh=wait), client_id, month)

    def _running(self, usage: _Usage, client_id: int, month: Month) -> RunningMonth:
        users = usage.of_clients.get(client_id, ())
        items = tuple(item for user in users for item in user.items)
        start, end = self._interval(month)
        elapsed, whole = (int((moment - start).total_seconds()) // _HOUR for moment in (usage.as_of, end))
        user_ids = frozenset(user.user_id for user in users)
        return RunningMonth(month, items, projected_tokens(items, elapsed, whole), usage.as_of, user_ids)

    def start_of(self, month: Month) -> datetime:
        """The moment from which the month's usage counts."""
        return self._interval(month)[0]

    def of_everybody(self, month: Month) -> dict[int, RunningMonth]:
        """Each client's part, by number, as of now, however long that takes; errors as of :meth:`of_client`."""
        usage = self._of(month).get(fresh=True)
        return {client_id: self._running(usage, client_id, month) for client_id in usage.of_clients}

    def _of(self, month: Month) -> Kept[_Usage]:
        with self._lock:
            if self._kept is None or self._kept[0] != month:
                self._kept = month, Kept(partial(self._read, month), _FRESHNESS, aside)
            return self._kept[1]

    def _read(self, month: Month) -> _Usage:
        now = datetime.now(UTC)
        start, end = self._interval(month)
        found = again_if_incomplete(lambda: list(self._parts.usage.read(start, min(now, end))))
        unlinked = [each.user_id for each in found if each.billing_user_id is None]
        known = self._parts.ledger.accounts.clients_of_users(unlinked)
        of_clients: dict[int, tuple[UserUsage, ...]] = {}
        for each in found:  # as drafting has it: all users of a client share its invoice
            client_id = known.get(each.user_id) if each.billing_user_id is None else each.billing_user_id
            if client_id is not None:
                of_clients[client_id] = (*of_clients.get(client_id, ()), each)
        return _Usage(of_clients, now)

    def _interval(self, month: Month) -> tuple[datetime, datetime]:
        """What the month will bill."""
        return self._parts.ledger.months.interval(month, self._parts.settings.billing.timezone)
