"""A reading counts when two passes over the usage agree; what never does is refused."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from weakref import WeakSet

import attrs
import pytest

from tollbridge.errors import Incomplete
from tollbridge.ledger.readings import Reading
from tollbridge.model import ServerMeter, UsageItem, UserUsage
from tollbridge.usage import UsageSource, read_usage

JULY, AUGUST = datetime(2026, 7, 1, tzinfo=UTC), datetime(2026, 8, 1, tzinfo=UTC)


def _user(number: int, tokens: int = 490, *, client: int | None = None, name: str = "web-1") -> UserUsage:
    server = ServerMeter("1 Core, 1 GB RAM", 7, 5_000, 70)
    items = (UsageItem("server", number, name, tokens, server), UsageItem("backup", number, name, 49))
    return UserUsage(number, 1000 + number if client is None else client, items)


ALL = [_user(1), _user(2), _user(3)]


@attrs.define
class Changing:
    """A source that has another answer each time."""

    answers: Iterator[Any]
    asked: int = 0

    def usage(self, start: datetime, end: datetime) -> Iterator[UserUsage]:
        self.asked += 1
        for row in next(self.answers):
            if isinstance(row, Exception):
                raise row
            yield row


def _read(*answers: Any, ended: bool = True) -> tuple[Reading, list[UserUsage], int]:
    source, kept = Changing(iter(answers)), list[UserUsage]()

    def keep(rows: Iterator[UserUsage]) -> None:
        kept[:] = rows

    reading = read_usage(UsageSource("ours", source), JULY, AUGUST, keep, ended=ended, now=AUGUST)
    return reading, kept, source.asked


def test_two_passes_that_agree_are_a_reading() -> None:
    reading, kept, asked = _read(ALL, ALL)
    assert (kept, asked) == (ALL, 2)
    assert attrs.evolve(reading, digest="") == Reading("ours", JULY, AUGUST, AUGUST, 3, 3 * 539, "")
    assert len(reading.digest) == 64


def test_a_user_that_was_missing_between_two_pages_is_not_lost() -> None:
    moved = [_user(1), _user(3), _user(4)]  # user 2 slipped to a page that was read already, and user 4 came
    whole = [*ALL, _user(4)]
    reading, kept, asked = _read(moved, whole, whole, whole)
    assert (kept, asked, reading.users) == (whole, 4, 4)


@pytest.mark.parametrize(
    "other",
    [[_user(1), _user(2), _user(3, 491)], [_user(1), _user(2, client=7), _user(3)], [_user(1), _user(2)], []],
    ids=["a token more", "another client", "a user less", "nobody"],
)
def test_a_month_that_has_ended_is_refused_while_it_still_changes(other: list[UserUsage]) -> None:
    with pytest.raises(Incomplete, match="the usage from 2026-07-01 changed between two passes"):
        _read(*[ALL, other] * 3)


def test_a_running_month_grows_between_two_passes_and_is_read_all_the_same() -> None:
    grown = [_user(1, 497), _user(2), _user(3)]
    reading, kept, _ = _read(ALL, grown, ended=False)
    assert (kept, reading.tokens) == (ALL, 3 * 539)
    with pytest.raises(Incomplete):
        _read(*[ALL, ALL[:2]] * 3, ended=False)


def test_an_order_or_a_name_may_change_between_two_passes() -> None:
    swapped = [attrs.evolve(row, items=row.items[::-1]) for row in ALL[::-1]]
    renamed = [_user(number, name="shop") for number in (1, 2, 3)]
    digests = {_read(ALL, other)[0].digest for other in (ALL, swapped, renamed)}
    assert len(digests) == 1


def test_a_pass_that_breaks_off_is_begun_again_and_nothing_of_it_is_kept() -> None:
    reading, kept, asked = _read([_user(9), Incomplete("page 2 is missing")], ALL, ALL)
    assert (kept, reading.users, asked) == (ALL, 3, 3)
    with pytest.raises(Incomplete, match="page 2 is missing"):
        _read(*[[*ALL, Incomplete("page 2 is missing")]] * 3)


def test_a_reading_says_whether_anything_of_a_month_has_changed_since() -> None:
    before, after = (_read(rows, rows)[0] for rows in (ALL, [_user(1), _user(2), _user(3, 491)]))
    assert before.digest != after.digest


def test_many_users_are_read_without_being_held() -> None:
    alive: WeakSet[UserUsage] = WeakSet()
    most = 0

    def many() -> Iterator[UserUsage]:
        nonlocal most
        for number in range(1, 501):
            row = _user(number)
            alive.add(row)
            most = max(most, len(alive))
            yield row

    def keep(rows: Iterator[UserUsage]) -> None:
        for _ in rows:
            pass

    source = UsageSource("ours", Changing(many() for _ in range(2)))
    assert read_usage(source, JULY, AUGUST, keep, ended=True, now=AUGUST).users == 500
    assert most < 10


HUGE = 2**62


@pytest.mark.parametrize(
    ("rows", "who"),
    [([_user(1), _user(2, 2**63 - 1)], "user 2"), ([_user(1, HUGE), _user(2, HUGE), _user(3)], "user 2")],
    ids=["one user", "all of them"],
)
def test_usage_that_adds_up_to_more_than_the_ledger_can_keep_is_refused_by_name(
    rows: list[UserUsage], who: str
) -> None:
    with pytest.raises(Incomplete, match=f"the usage of {who}, .* which cannot be right"):
        _read(*[rows] * 6)
