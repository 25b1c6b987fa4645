"""At least and at most, from sightings alone."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import attrs
import pytest

from tollbridge.model import PlanHours
from tollbridge.rules.metering import Metered, PlanPrices, Stay, meter_plans, meter_stays
from tollbridge.rules.stretches import Facts, Gap, MeteredServer, Stretch, gaps_too_long, meter_stretches

JUNE, JULY = datetime(2026, 6, 1, tzinfo=UTC), datetime(2026, 7, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
SMALL = PlanPrices(1, "Small", 7, 5000, Decimal(10), 1, 300)
LARGE = PlanPrices(2, "Large", 28, 20000)
FACTS = Facts(2, SMALL, runs=True, backups=False, addresses=frozenset())


def at(hours: float) -> datetime:
    return JUNE + hours * HOUR


def stretch(first: float, last: float, before: float | None, after: float | None, **facts: Any) -> Stretch:
    """Seen from ``first`` to ``last``, in hours of June; made long before unless ``created`` says when."""
    created = at(facts.pop("created", -9000))
    unseen = [None if hours is None else at(hours) for hours in (before, after)]
    return Stretch(
        "uuid", 11, "web-1", created, 1042, attrs.evolve(FACTS, **facts), at(first), at(last), unseen[0], unseen[1]
    )


def metered(*stretches: Stretch, now: float = 9000, stopped_servers: bool = False) -> list[MeteredServer]:
    return list(meter_stretches(stretches, JUNE, JULY, now=at(now), stopped_servers=stopped_servers))


def bounds(*stretches: Stretch, **more: Any) -> list[tuple[int, int]]:
    return [(each.least.server, each.most.server) for each in metered(*stretches, **more)]


def test_a_server_is_billed_from_when_it_was_made_to_its_last_sighting() -> None:
    assert bounds(stretch(2, 5, 0, 7, created=0.5)) == [(5 * 7, 7 * 7)]


def test_but_never_from_before_it_was_first_possible() -> None:
    assert bounds(stretch(2, 5, 1, 5, created=0.5)) == [(3 * 7, 4 * 7)]


def test_before_the_first_snapshot_of_all_nothing_is_sure() -> None:
    assert bounds(stretch(2, 5, None, 5, created=0)) == [(3 * 7, 5 * 7)]


def test_who_was_seen_running_once_has_used_an_hour() -> None:
    assert bounds(stretch(2, 2, 2, 2)) == [(7, 7)]
    assert bounds(stretch(0, 0, 0, 0)) == [(7, 7)]


def test_a_sighting_at_the_very_end_of_a_month_is_the_next_one_s() -> None:
    assert metered(stretch(720, 720, 720, 721)) == []
    assert bounds(stretch(-5, 0, -6, 0)) == []


def test_a_new_plan_is_billed_from_its_first_sighting_and_the_old_one_to_its_last() -> None:
    least, most = bounds(stretch(0, 4, 0, 6), stretch(6, 10, 4, 10, plan=LARGE))[0]
    assert least == 4 * 7 + 4 * 28
    assert most == 6 * 7 + 6 * 28, "either of them may have been there from four to six"


def test_a_new_owner_pays_from_its_first_sighting() -> None:
    assert bounds(stretch(0, 4, 0, 6), stretch(6, 10, 4, 10, user_id=3)) == [(28, 42), (28, 42)]


def test_each_owner_s_part_names_server_and_users_and_is_gone_once_it_is_another_s() -> None:
    stays, gone = stretch(0, 4, 0, 6), stretch(6, 10, 4, 12, user_id=3)
    first, second = metered(stays, gone)
    named = [(each.uuid, each.id, each.name, each.user_id, each.billing_user_id) for each in (first, second)]
    assert named == [("uuid", 11, "web-1", each.facts.user_id, each.billing_user_id) for each in (stays, gone)]
    assert (first.created_at, first.is_gone, second.is_gone) == (stays.created_at, True, True)
    [there] = metered(stretch(0, 710, None, None))
    assert not there.is_gone


def test_a_change_of_owner_and_plan_at_once_leaves_open_who_had_which() -> None:
    [(_, first), (_, second)] = bounds(stretch(0, 4, 0, 6), stretch(6, 10, 4, 10, user_id=3, plan=LARGE))
    assert (first, second) == (6 * 7 + 2 * 28, 2 * 7 + 6 * 28)


def test_a_server_that_vanished_for_a_while_may_have_been_there_up_to_the_looks_that_did_not_show_it() -> None:
    assert bounds(stretch(0, 4, 0, 5), stretch(9, 10, 8, 10)) == [((4 + 1) * 7, (5 + 2) * 7)]


def test_what_nobody_knows_of_its_running_may_cost_and_is_not_billed() -> None:
    assert bounds(stretch(0, 4, 0, 4, runs=None)) == [(0, 28)]
    assert bounds(stretch(0, 4, 0, 4, runs=False)) == [(0, 0)]
    assert bounds(stretch(0, 4, 0, 4, runs=False), stopped_servers=True) == [(28, 28)]


def test_what_has_not_happened_yet_was_not_used() -> None:
    assert bounds(stretch(0, 4, 0, None), now=6) == [(28, 42)]
    assert bounds(stretch(0, 4, 0, None), now=9000) == [(28, 5000)]


def test_backups_and_addresses_count_from_their_first_sighting() -> None:
    [server] = metered(stretch(0, 10, 0, 10), stretch(10, 20, 10, 20, backups=True, addresses=frozenset({5, 6})))
    assert (server.least.server, server.least.backups, server.least.addresses) == (140, 7, 20)
    assert server.least == server.most


@pytest.mark.parametrize(
    ("plans", "metered"),
    [
        ([PlanHours("A", 7, 5000, 700), PlanHours("B", 28, 20000, 20)], Metered(4900 + 560, "mixed")),
        ([PlanHours("A", 7, 5000, 100), PlanHours("B", 28, 3000, 644)], Metered(5000, "mixed")),
        ([PlanHours("A", 7, 5000, 700), PlanHours("B", 5, 0, 20)], Metered(5000, "mixed")),
        ([PlanHours("A", 7, 0, 1000), PlanHours("B", 7, 5000, 1)], Metered(7007, "mixed")),
        ([PlanHours("A", 7, 5000, 10), PlanHours("B", 0, 3000, 0)], Metered(3070, "mixed")),
        ([PlanHours("A", 7, 5000, 720)], Metered(5000, "monthly")),
    ],
)
def test_several_plans_cost_at_most_the_dearest_monthly_price(plans: list[PlanHours], metered: Metered) -> None:
    assert meter_plans(plans) == metered


def test_uptime_is_added_up_per_plan_and_then_rounded_up_once() -> None:
    times = [(0.0, 0.4, SMALL), (1.0, 1.3, LARGE), (2.0, 2.5, SMALL), (3.0, 3.2, LARGE)]
    tokens = meter_stays(Stay(at(start), at(end), plan) for start, end, plan in times)
    assert (tokens.server, [each.hours for each in tokens.hours]) == (7 + 28, [1, 1])


def test_a_plan_that_is_renamed_is_the_same_plan_and_one_with_another_price_is_not() -> None:
    assert attrs.evolve(SMALL, name="Tiny") == SMALL
    assert attrs.evolve(SMALL, tokens_per_hour=8) != SMALL


# Gaps


def gaps(*hours: float, longest: float = 3, now: float = 9000, start: float = 0, end: float = 24) -> list[Gap]:
    snapshots: Sequence[datetime] = [at(each) for each in hours]
    return gaps_too_long(snapshots, at(start), at(end), longest=longest * HOUR, now=at(now))


EVERY_THREE_HOURS = [*range(0, 25, 3)]


def test_no_gap_is_longer_than_the_longest_that_may_be() -> None:
    assert gaps(*EVERY_THREE_HOURS) == []
    assert gaps(*EVERY_THREE_HOURS, longest=2.9)[0] == Gap(at(0), at(3))


def test_a_gap_across_an_edge_counts_and_one_that_only_meets_it_does_not() -> None:
    assert gaps(-3.5, 0.5, *EVERY_THREE_HOURS[1:]) == [Gap(at(-3.5), at(0.5))]
    assert gaps(*EVERY_THREE_HOURS[:-1], 22, 26) == [Gap(at(22), at(26))]
    assert gaps(-9, *EVERY_THREE_HOURS, 33) == []


def test_the_time_before_the_first_snapshot_is_a_gap_without_a_beginning() -> None:
    assert gaps(1, *EVERY_THREE_HOURS[1:]) == [Gap(None, at(1))]
    assert gaps() == [Gap(None, None)]


def test_there_must_be_a_snapshot_from_after_the_end_once_it_is_over() -> None:
    assert gaps(*EVERY_THREE_HOURS[:-1], 23.9) == [Gap(at(23.9), None)]
    assert gaps(*EVERY_THREE_HOURS[:-1], 23.9, now=24) == []
    assert gaps(0, 3, 6, now=8) == []
    assert gaps(0, 3, 6, now=9.5) == [Gap(at(6), None)]
