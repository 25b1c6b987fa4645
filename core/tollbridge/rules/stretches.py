"""What the bridge's own meter makes of the servers that it saw: at least so much was used, and at most so much.

A stretch is a time in which every snapshot of the panel showed a server just the same. What lies between two snapshots
that showed the same was the same; between two that did not, nothing of a server changed more than once, but nobody
knows when. So a stretch lasts at least from its first sighting to its last, and at most from the snapshot before to the
one after. A server that was made in between existed from ``created_at`` on, just as it was seen first.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import groupby, pairwise, product
from operator import attrgetter

import attrs

from tollbridge.rules.metering import PlanPrices, ServerTokens, Stay, meter_stays

# Who was seen running ran for some time, however short; and a started hour is an hour.
_SOME_TIME = timedelta(microseconds=1)
# An interval that ended no longer ago is the present: no snapshot can be expected from after it.
_PRESENT = timedelta(minutes=1)


@attrs.frozen
class Facts:
    """What a server's price hangs on; ``runs`` None means that the panel's word for its state does not tell."""

    user_id: int
    plan: PlanPrices
    runs: bool | None
    backups: bool
    addresses: frozenset[int]


@attrs.frozen
class SeenServer:
    """A server as one snapshot shows it."""

    uuid: str
    id: int
    name: str
    created_at: datetime
    billing_user_id: int | None
    facts: Facts


@attrs.frozen
class Stretch:
    """A time in which a server was seen, and always the same.

    Attributes:
        name, billing_user_id: as they were seen last.
        not_before: the snapshot before the first sighting; None if there was none.
        not_after: the snapshot after the last sighting; None if there was none yet.
    """

    uuid: str
    server_id: int
    name: str
    created_at: datetime
    billing_user_id: int | None
    facts: Facts
    first_seen: datetime
    last_seen: datetime
    not_before: datetime | None
    not_after: datetime | None

    @property
    def first_possible(self) -> datetime:
        """Since when it can have been so."""
        return min(
            self.created_at if self.not_before is None else max(self.created_at, self.not_before), self.first_seen
        )


@attrs.frozen
class Gap:
    """A time without a snapshot; None: there was none before, or there is none since."""

    since: datetime | None
    until: datetime | None


@attrs.frozen
class MeteredServer:
    """One user's server in an interval: what it comes to at least and at most."""

    uuid: str
    id: int
    name: str
    user_id: int
    billing_user_id: int | None
    created_at: datetime
    is_gone: bool
    least: ServerTokens
    most: ServerTokens


def gaps_too_long(
    snapshots: Sequence[datetime], start: datetime, end: datetime, *, longest: timedelta, now: datetime
) -> list[Gap]:
    """The gaps that touch ``[start, end)``, those across its edges too, and are longer than may be.

    ``snapshots`` are the moments of all that touch it, in order: from the last one that is not after ``start`` to the
    first one that is not before ``end``. Once the interval is over there must be one from after its end.
    """
    found = [
        Gap(since, until)
        for since, until in pairwise(snapshots)
        if until > start and since < end and until - since > longest
    ]
    if not snapshots or snapshots[0] > start:
        found.insert(0, Gap(None, snapshots[0] if snapshots else None))
    if snapshots and snapshots[-1] < end and (now - end > _PRESENT or min(now, end) - snapshots[-1] > longest):
        found.append(Gap(snapshots[-1], None))
    return found


def meter_stretches(
    stretches: Iterable[Stretch], start: datetime, end: datetime, *, now: datetime, stopped_servers: bool
) -> Iterator[MeteredServer]:
    """What each user's servers come to in ``[start, end)``, by server and user.

    Args:
        stretches: those of whole servers, ordered by uuid and time.
        start: the interval's first moment.
        end: the first moment after it.
        now: what has not happened yet was not used.
        stopped_servers: whether a server that is stopped counts as one that runs.
    """
    for _, each in groupby(stretches, key=attrgetter("uuid")):
        there = list(each)
        least = _by_user(_at_least(there, stopped_servers=stopped_servers), start, end)
        most = _by_user(_at_most(there, min(end, now), stopped_servers=stopped_servers), start, end)
        gone = there[-1].not_after is not None and there[-1].not_after < end
        for user_id, stays in most.items():
            last = [stretch for stretch in there if stretch.facts.user_id == user_id][-1]
            yield MeteredServer(
                last.uuid, last.server_id, last.name, user_id, last.billing_user_id, last.created_at,
                gone or last is not there[-1],
                meter_stays(least.get(user_id, [])), meter_stays(stays),
            )  # fmt: skip


def _by_user(stays: Iterable[tuple[int, Stay]], start: datetime, end: datetime) -> dict[int, list[Stay]]:
    found: dict[int, list[Stay]] = {}
    for user_id, stay in stays:
        if (inside := stay.within(start, end)) is not None:
            found.setdefault(user_id, []).append(inside)
    return found


def _at_least(stretches: Sequence[Stretch], *, stopped_servers: bool) -> Iterator[tuple[int, Stay]]:
    for stretch in stretches:
        facts, start = stretch.facts, _surely_since(stretch, stretches)
        runs = facts.runs is True or stopped_servers
        end = max(stretch.last_seen, start + _SOME_TIME)
        yield facts.user_id, Stay(start, end, facts.plan, runs, facts.backups, facts.addresses)


def _surely_since(stretch: Stretch, stretches: Sequence[Stretch]) -> datetime:
    """A server's first sighting; or when it was made, if that was after the snapshot before, and not before it.

    Whether an earlier stretch of the server is missing here does not matter, for that is one from before the interval.
    """
    before = stretch.not_before
    made_since = stretch is stretches[0] and before is not None and before <= stretch.created_at
    return min(stretch.created_at, stretch.first_seen) if made_since else stretch.first_seen


def _at_most(stretches: Sequence[Stretch], until: datetime, *, stopped_servers: bool) -> Iterator[tuple[int, Stay]]:
    """The stretches themselves, and what can have been in each gap before, between and after them."""
    for start, end, possible in (*_seen(stretches, until), *_unseen(stretches, until)):
        runs = stopped_servers or any(facts.runs is not False for facts in possible)
        backups = any(facts.backups for facts in possible)
        addresses = frozenset[int]().union(*(facts.addresses for facts in possible))
        plans = {facts.plan: None for facts in possible}
        for user_id, plan in product(sorted({facts.user_id for facts in possible}), plans):
            if start < end:
                yield user_id, Stay(start, end, plan, runs, backups, addresses)


Possible = tuple[datetime, datetime, Sequence[Facts]]


def _seen(stretches: Sequence[Stretch], until: datetime) -> Iterator[Possible]:
    for stretch in stretches:
        start, end = stretch.first_seen, stretch.last_seen
        if start == end and (stretch.not_after or until) <= end:
            end += _SOME_TIME  # seen once, and nothing comes after that could be counted
        yield start, end, [stretch.facts]


def _unseen(stretches: Sequence[Stretch], until: datetime) -> Iterator[Possible]:
    first, last = stretches[0], stretches[-1]
    yield first.first_possible, first.first_seen, [first.facts]
    for earlier, later in pairwise(stretches):
        if earlier.not_after == later.first_seen and later.not_before == earlier.last_seen:
            yield earlier.last_seen, later.first_seen, [earlier.facts, later.facts]
        else:  # it was gone in between, or so it seemed
            yield earlier.last_seen, earlier.not_after or until, [earlier.facts]
            yield later.first_possible, later.first_seen, [later.facts]
    yield last.last_seen, last.not_after or until, [last.facts]
