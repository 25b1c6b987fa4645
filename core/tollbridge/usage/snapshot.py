"""One look at all servers of the panel, by documented calls alone: whole, or not at all."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from tollbridge.errors import Incomplete
from tollbridge.ledger import Ledger
from tollbridge.ledger.meter import Snapshot
from tollbridge.rules.stretches import SeenServer
from tollbridge.solus import Solus, wire
from tollbridge.solus.panel import read_twice


def take_snapshot(
    ledger: Ledger,
    solus: Solus,
    *,
    at_once: int,
    at: datetime | None = None,
    check_time: Callable[[datetime], None] = lambda _theirs: None,
) -> Snapshot:
    """Read every server and every plan, and keep what was seen.

    Two passes must show the same servers in the same state, and the snapshot's moment lies between them: so at that
    moment each server was as it is kept.

    Args:
        ledger: where it is kept.
        solus: the panel.
        at_once: how many pages are asked for at the same time.
        at: the moment it pretends to be of; else it is the panel's own time, and this machine's if it tells none.
        check_time: is given the panel's own time, and raises if it cannot be right.

    Raises:
        Incomplete: something was missing, or no two passes agreed; nothing is kept.
        LedgerError: it is older than the last snapshot; nothing is kept.
    """
    between: list[datetime] = []
    seen: list[SeenServer] = []

    def begin() -> Iterator[SeenServer]:
        between.append(at or _time(solus, check_time))
        plans = {plan.id: plan for plan in solus.panel.whole_list("plans", wire.plan_prices)}
        return (wire.server(row, plans) for row in solus.panel.rows("servers", at_once=at_once))

    def keep(servers: Iterator[SeenServer]) -> None:
        seen[:] = servers
        if len({server.uuid for server in seen}) != len(seen):
            raise Incomplete("SolusIO lists two servers with one UUID")

    read_twice(begin, keep, _mark, "SolusIO's list of servers")
    return ledger.meter.add(between[-1], seen)


def _mark(server: SeenServer) -> object:
    facts = server.facts
    return server.uuid, facts.user_id, facts.plan, facts.runs, facts.backups, sorted(facts.addresses)


def _time(solus: Solus, check_time: Callable[[datetime], None]) -> datetime:
    theirs = solus.time()
    if theirs is None:
        return datetime.now(UTC)
    check_time(theirs)
    return theirs
