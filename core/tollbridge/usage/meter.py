"""The bridge's own meter as a usage source: what its snapshots of the panel's servers come to, at the least."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta

import attrs

from tollbridge.adapters.hookspecs import hookimpl
from tollbridge.config import MeterSettings
from tollbridge.errors import Incomplete
from tollbridge.ledger import Ledger
from tollbridge.model import ServerMeter, UsageItem, UserUsage
from tollbridge.rules.stretches import Gap, MeteredServer, gaps_too_long, meter_stretches
from tollbridge.solus import Solus
from tollbridge.solus.panel import again_if_incomplete

_HOUR = timedelta(hours=1)

ItemKey = tuple[int, str, int]


@attrs.frozen
class Bounds:
    """An item as the meter has it: its tokens are the least that was used, and ``most`` the most."""

    item: UsageItem
    most: int


@attrs.frozen
class OwnMeter:
    """The usage source that reads the ledger's stretches. The panel is only asked whose client each user is by now."""

    ledger: Ledger
    solus: Solus
    settings: MeterSettings

    @hookimpl
    def usage(self, start: datetime, end: datetime) -> Iterator[UserUsage]:
        """What every user used in ``[start, end)`` at the least.

        Raises:
            Incomplete: a time without snapshots that touches the interval is longer than ``longest_gap_hours``, or
                there is no snapshot since its end.
        """
        gaps = gaps_of(self.ledger, self.settings, start, end)
        if gaps:
            raise Incomplete(gap_words(gaps[0], self.settings))
        yield from self.at_least(start, end)

    def at_least(self, start: datetime, end: datetime) -> Iterator[UserUsage]:
        """The same, whatever gaps there are: to be shown, not to be billed."""
        servers = [*metered_servers(self.ledger, self.settings, start, end)]
        clients = again_if_incomplete(lambda: {user.id: user.billing_user_id for user in self.solus.users()})
        for user_id, theirs in _by_user(servers).items():
            items = tuple(bounds.item for bounds in _bounds(theirs) if bounds.item.tokens or bounds.item.server)
            if items:  # whoever is gone from the panel is the client's that was named last
                yield UserUsage(user_id, clients.get(user_id, theirs[-1].billing_user_id), items)


def gaps_of(ledger: Ledger, settings: MeterSettings, start: datetime, end: datetime) -> list[Gap]:
    """The times without snapshots for which ``[start, end)`` cannot be billed from the meter."""
    snapshots = ledger.meter.snapshots(start, end)
    return gaps_too_long(snapshots, start, end, longest=settings.longest_gap, now=datetime.now(UTC))


def gap_words(gap: Gap, settings: MeterSettings) -> str:
    """Why a month cannot be billed from the meter, and what to do."""
    if gap.since is None:
        then = f" ({gap.until:%Y-%m-%d %H:%M} UTC)" if gap.until else ""
        return (
            f"the meter knows nothing of the time before its first snapshot{then}: it can bill the months that begin"
            " after that; let `tollbridge meter` be run by a timer, or set meter.inside_serve"
        )
    if gap.until is None:
        return (
            f"the meter's last snapshot is of {gap.since:%Y-%m-%d %H:%M} UTC: run `tollbridge meter`, and let a timer"
            " do so, or set meter.inside_serve"
        )
    hours = -(-(gap.until - gap.since) // _HOUR)
    return (
        f"the meter took no snapshot from {gap.since:%Y-%m-%d %H:%M} to {gap.until:%Y-%m-%d %H:%M} UTC, which is longer"
        f" than meter.longest_gap_hours ({settings.longest_gap_hours}): bill this month from another"
        f" solus.usage.source, or set meter.longest_gap_hours to {hours} to bill what the meter is sure of"
    )


def metered_servers(
    ledger: Ledger, settings: MeterSettings, start: datetime, end: datetime, user_ids: Iterable[int] | None = None
) -> Iterator[MeteredServer]:
    """What each server came to in ``[start, end)``; with ``user_ids``, those that one of these users had."""
    stretches = ledger.meter.stretches(start, end, user_ids)
    return meter_stretches(stretches, start, end, now=datetime.now(UTC), stopped_servers=settings.stopped_servers)


def metered_items(
    ledger: Ledger, settings: MeterSettings, start: datetime, end: datetime, user_ids: Iterable[int] | None = None
) -> dict[ItemKey, Bounds]:
    """At least and at most, by user, type and number of the item, as :class:`OwnMeter` names them."""
    servers = _by_user(metered_servers(ledger, settings, start, end, user_ids))
    return {
        (user_id, bounds.item.type, bounds.item.id): bounds
        for user_id, theirs in servers.items()
        for bounds in _bounds(theirs)
    }


def _by_user(servers: Iterable[MeteredServer]) -> dict[int, list[MeteredServer]]:
    """Each user's servers, those made first before the others."""
    found: dict[int, list[MeteredServer]] = {}
    for server in sorted(servers, key=lambda each: (each.user_id, each.created_at, each.id, each.uuid)):
        found.setdefault(server.user_id, []).append(server)
    return found


def _bounds(servers: Iterable[MeteredServer]) -> Iterator[Bounds]:
    """One user's items. A panel that gives a number to a second server has it billed under a type of its own."""
    numbers: set[int] = set()
    for server in servers:
        again = f" {server.uuid[:8]}" if server.id in numbers else ""
        numbers.add(server.id)
        least, most = server.least, server.most
        meter = None
        if least.hours:
            *earlier, last = least.hours
            meter = ServerMeter(
                last.plan, last.tokens_per_hour, last.tokens_per_month, last.hours, server.is_gone, tuple(earlier)
            )
        for kind, tokens, at_most in (
            ("server", least.server, most.server),
            ("backup", least.backups, most.backups),
            ("additional_ip", least.addresses, most.addresses),
        ):
            own = meter if kind == "server" else None
            if own or tokens or at_most:
                item = UsageItem(f"{kind}{again}", server.id, server.name, tokens, own)
                yield Bounds(item, at_most)
