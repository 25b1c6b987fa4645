"""Stretches are kept, not snapshots: what is the same adds nothing, and what changed is known to lie in between."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import attrs
import pytest
import sqlalchemy as sa

from tests.ledger.books import HOUR, NOW
from tollbridge.errors import LedgerError
from tollbridge.ledger import Ledger
from tollbridge.ledger.schema import snapshots, stretches
from tollbridge.rules.metering import PlanPrices
from tollbridge.rules.stretches import Facts, SeenServer, Stretch

SMALL = PlanPrices(1, "Small", 7, 5000, Decimal("3.14"), 1, 300)
LARGE = PlanPrices(2, "Large", 2**53 + 1, 0)
MADE = NOW - timedelta(days=1)
FACTS = Facts(2, SMALL, runs=True, backups=False, addresses=frozenset())
WEB = SeenServer("uuid-1", 11, "web-1", MADE, 1042, FACTS)
FAR = NOW + timedelta(days=365)


def changed(server: SeenServer, **facts: Any) -> SeenServer:
    return attrs.evolve(server, facts=attrs.evolve(server.facts, **facts))


def at(hours: int) -> datetime:
    return NOW + hours * HOUR


def look(ledger: Ledger, *snapshots: list[SeenServer]) -> list[Stretch]:
    """One snapshot an hour."""
    for hours, servers in enumerate(snapshots):
        ledger.meter.add(at(hours), servers)
    return ledger.meter.stretches(MADE, FAR)


def count(ledger: Ledger, table: sa.Table) -> int:
    with ledger.database.read() as connection:
        return connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()


def test_what_stays_the_same_is_one_stretch_however_often_it_is_seen(ledger: Ledger) -> None:
    [stretch] = look(ledger, [WEB], [WEB], [WEB])
    assert stretch == Stretch("uuid-1", 11, "web-1", MADE, 1042, FACTS, at(0), at(2), None, None)
    assert (count(ledger, stretches), count(ledger, snapshots)) == (1, 3)


@pytest.mark.parametrize(
    "change",
    [{"user_id": 3}, {"plan": LARGE}, {"plan": attrs.evolve(SMALL, tokens_per_hour=8)}, {"runs": False}, {"runs": None},
     {"backups": True}, {"addresses": frozenset({5, 2**40})}, {"plan": attrs.evolve(SMALL, backup_percent=Decimal(3))}],
)  # fmt: skip
def test_whatever_a_price_hangs_on_begins_a_new_stretch(ledger: Ledger, change: dict[str, Any]) -> None:
    other = changed(WEB, **change)
    first, second = look(ledger, [WEB], [WEB], [other], [other])
    assert (first.first_seen, first.last_seen, first.not_after) == (at(0), at(1), at(2))
    assert (second.not_before, second.first_seen, second.last_seen, second.not_after) == (at(1), at(2), at(3), None)
    assert (first.facts, second.facts) == (FACTS, other.facts)


def test_a_name_and_a_client_are_those_seen_last_and_begin_nothing(ledger: Ledger) -> None:
    renamed = attrs.evolve(
        changed(WEB, plan=attrs.evolve(SMALL, name="Tiny")), name="mail", billing_user_id=None, id=12
    )
    [stretch] = look(ledger, [WEB], [renamed])
    assert (stretch.name, stretch.billing_user_id, stretch.server_id) == ("mail", None, 12)
    assert (stretch.facts.plan.name, stretch.first_seen) == ("Tiny", at(0))


def test_a_server_that_is_gone_and_one_that_comes_back_are_two_stretches(ledger: Ledger) -> None:
    first, second = look(ledger, [WEB], [], [WEB])
    assert (first.last_seen, first.not_after, second.not_before, second.first_seen) == (at(0), at(1), at(1), at(2))


def test_a_snapshot_says_what_has_changed(ledger: Ledger) -> None:
    mail = attrs.evolve(WEB, uuid="uuid-2", id=12)
    first = ledger.meter.add(at(0), [WEB, mail])
    second = ledger.meter.add(at(1), [changed(WEB, runs=False), attrs.evolve(WEB, uuid="uuid-3")])
    assert (first.before, first.servers, first.new, first.changed, first.gone) == (None, 2, 2, 0, 0)
    assert (second.before, second.servers, second.new, second.changed, second.gone) == (at(0), 2, 1, 1, 1)


def test_time_goes_forwards_only(ledger: Ledger) -> None:
    look(ledger, [WEB], [WEB])
    with pytest.raises(LedgerError, match="forwards only"):
        ledger.meter.add(at(0), [])
    [stretch] = ledger.meter.stretches(MADE, FAR)
    assert (stretch.not_after, ledger.meter.last(), count(ledger, snapshots)) == (None, at(1), 2)


def test_two_snapshots_of_one_moment_are_taken_in_their_order(ledger: Ledger) -> None:
    ledger.meter.add(at(0), [WEB])
    ledger.meter.add(at(1), [WEB])
    ledger.meter.add(at(1), [changed(WEB, plan=LARGE)])
    first, second = ledger.meter.stretches(MADE, FAR)
    assert (first.facts.plan, first.last_seen, first.not_after) == (SMALL, at(1), at(1))
    assert (second.facts.plan, second.not_before, second.first_seen) == (LARGE, at(1), at(1))


def test_an_interval_has_the_stretches_that_can_reach_into_it(ledger: Ledger) -> None:
    look(ledger, [WEB], [changed(WEB, plan=LARGE)], [changed(WEB, user_id=3)], [])

    def plans(start: int, end: int) -> list[tuple[int, int]]:
        there = ledger.meter.stretches(at(start), at(end))
        return [(stretch.facts.plan.id, stretch.facts.user_id) for stretch in there]

    assert plans(0, 1) == [(1, 2), (2, 2)]
    assert plans(1, 2) == [(2, 2), (1, 3)]
    assert plans(3, 9) == []
    assert plans(2, 9) == [(1, 3)]


def test_only_one_user_s_servers_come_with_whoever_else_had_them(ledger: Ledger) -> None:
    mail = attrs.evolve(changed(WEB, user_id=4), uuid="uuid-2")
    look(ledger, [WEB, mail], [changed(WEB, user_id=3), mail])

    def users(*wanted: int) -> set[int]:
        return {stretch.facts.user_id for stretch in ledger.meter.stretches(MADE, FAR, wanted)}

    assert (users(3), users(4), users(3, 4), users(5), users()) == ({2, 3}, {4}, {2, 3, 4}, set(), set())


def test_the_snapshots_of_an_interval_come_with_their_neighbours(ledger: Ledger) -> None:
    look(ledger, [], [], [], [], [])
    half = HOUR / 2
    assert ledger.meter.snapshots(at(1) + half, at(2) + half) == [at(1), at(2), at(3)]
    assert ledger.meter.snapshots(at(1), at(2)) == [at(1), at(2)]
    assert ledger.meter.snapshots(at(-9), at(-8)) == [at(0)]
    assert ledger.meter.snapshots(at(8), at(9)) == [at(4)]


def test_one_takes_a_turn_and_nobody_else_until_it_is_over(ledger: Ledger) -> None:
    assert ledger.meter.take_turn(HOUR)
    assert not ledger.meter.take_turn(HOUR)
    ledger.meter.give_turn_back(timedelta(0))
    assert ledger.meter.take_turn(HOUR)


def test_snapshots_of_several_machines_at_once_are_kept_one_after_the_other(shared: tuple[Ledger, Ledger]) -> None:
    first, second = shared
    first.meter.add(at(0), [WEB])
    with first.database.write() as connection:
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": 0x701_1F})
        with pytest.raises(LedgerError, match="lock"):
            second.meter.add(at(1), [WEB])
    second.meter.add(at(1), [WEB])
    assert [stretch.last_seen for stretch in first.meter.stretches(MADE, FAR)] == [at(1)]


def test_moments_are_kept_to_the_microsecond(ledger: Ledger) -> None:
    moment = datetime(2026, 6, 1, 0, 0, 0, 1, tzinfo=UTC)
    ledger.meter.add(moment, [])
    assert ledger.meter.last() == moment
