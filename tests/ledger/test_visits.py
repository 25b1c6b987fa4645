"""Attempts are limited and links work once, however many processes serve the pages."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from tollbridge.ledger import Ledger
from tollbridge.ledger.database import RUN_LOCKS
from tollbridge.ledger.schema import attempts, used_links
from tollbridge.ledger.visits import LONGEST_WINDOW, Visits
from tollbridge.secret import DatabaseUrl

NOW = datetime(2026, 7, 1, 4, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


@pytest.fixture
def visits(ledger: Ledger) -> Visits:
    """Its visits."""
    return ledger.visits


def at_once(ledger_url: str, ask: Callable[[Visits], bool], callers: int = 4) -> list[bool]:
    """The answers to as many callers with a connection of their own, who all ask at the same moment."""
    answers: list[bool] = []
    gate = threading.Barrier(callers)

    def caller() -> None:
        mine = Ledger.open(DatabaseUrl(ledger_url))
        gate.wait()
        answers.append(ask(mine.visits))
        mine.close()

    threads = [threading.Thread(target=caller) for _ in range(callers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def test_so_many_attempts_are_allowed_and_no_more_until_the_first_is_long_enough_ago(visits: Visits) -> None:
    moments = [NOW, NOW + MINUTE, NOW + 2 * MINUTE]
    assert [visits.allow("login:203.0.113.9", 3, HOUR, moment) for moment in moments] == [True, True, True]
    assert not visits.allow("login:203.0.113.9", 3, HOUR, NOW + 3 * MINUTE)
    assert not visits.allow("login:203.0.113.9", 3, HOUR, NOW + HOUR - timedelta(microseconds=1))
    assert visits.allow("login:203.0.113.9", 3, HOUR, NOW + HOUR)
    assert not visits.allow("login:203.0.113.9", 3, HOUR, NOW + HOUR), "the window slides, it does not start anew"


def test_each_address_has_its_own_count(visits: Visits) -> None:
    assert visits.allow("login:203.0.113.9", 1, HOUR, NOW)
    assert visits.allow("login:203.0.113.10", 1, HOUR, NOW)
    assert not visits.allow("login:203.0.113.9", 1, HOUR, NOW)


def test_attempts_that_are_not_allowed_lock_nobody_out_for_longer_and_fill_no_table(
    visits: Visits, ledger: Ledger
) -> None:
    assert visits.allow("login:ada", 1, HOUR, NOW)
    for minutes in range(1, 60):
        assert not visits.allow("login:ada", 1, HOUR, NOW + minutes * MINUTE)
    with ledger.database.read() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(attempts)) == 1
    assert visits.allow("login:ada", 1, HOUR, NOW + HOUR)


def test_those_who_try_at_once_are_counted_one_after_the_other(ledger_url: str, ledger: Ledger) -> None:
    for round_number in range(5):
        bucket = f"login:{round_number}"
        answers = at_once(ledger_url, lambda visits, bucket=bucket: visits.allow(bucket, 2, HOUR, NOW))  # type: ignore[misc]
        assert sorted(answers) == [False, False, True, True]


def test_a_window_longer_than_attempts_are_remembered_is_a_mistake(visits: Visits) -> None:
    with pytest.raises(ValueError, match="1 day"):
        visits.allow("login:ada", 1, timedelta(days=2), NOW)


def test_a_link_works_once(visits: Visits) -> None:
    assert visits.use("n1", NOW + HOUR, NOW)
    assert not visits.use("n1", NOW + HOUR, NOW)
    assert not visits.use("n1", NOW + 9 * HOUR, NOW + MINUTE)
    assert visits.use("n2", NOW + HOUR, NOW)


def test_a_link_that_several_follow_at_once_works_for_one_of_them(ledger_url: str, ledger: Ledger) -> None:
    for nonce in "abcde":
        answers = at_once(ledger_url, lambda visits, nonce=nonce: visits.use(nonce, NOW + HOUR, NOW))  # type: ignore[misc]
        assert sorted(answers) == [False, False, False, True]


def test_what_was_begun_and_not_finished_can_be_taken_up_when_its_time_is_over_or_it_is_let_go_of(
    visits: Visits, ledger_url: str
) -> None:
    assert visits.use("confirming:n1", NOW + 2 * MINUTE, NOW)
    later = NOW + 2 * MINUTE
    answers = at_once(ledger_url, lambda visits: visits.use("confirming:n1", later + MINUTE, later))
    assert sorted(answers) == [False, False, False, True]
    visits.release("confirming:n1", NOW + 2 * MINUTE)  # by who was slow, and whose time is over
    assert not visits.use("confirming:n1", later + MINUTE, later)
    visits.release("confirming:n1", later + MINUTE)
    assert visits.use("confirming:n1", later + MINUTE, later)


def test_an_attempt_that_is_forgiven_counts_no_more_and_the_others_do(visits: Visits) -> None:
    for number in range(2):
        assert visits.allow("login:ada", 2, HOUR, NOW + number * MINUTE)
    visits.forgive("login:bob", NOW)
    assert not visits.allow("login:ada", 2, HOUR, NOW + 2 * MINUTE)
    visits.forgive("login:ada", NOW)
    assert visits.allow("login:ada", 2, HOUR, NOW + 2 * MINUTE)
    assert not visits.allow("login:ada", 2, HOUR, NOW + 3 * MINUTE)


def test_what_was_used_is_known_until_it_is_over(visits: Visits) -> None:
    assert not visits.was_used("n1", NOW)
    visits.use("n1", NOW + HOUR, NOW)
    assert visits.was_used("n1", NOW + HOUR - MINUTE)
    assert not visits.was_used("n1", NOW + HOUR)


def test_only_what_is_over_is_forgotten(visits: Visits, ledger: Ledger) -> None:
    visits.allow("login:ada", 9, HOUR, NOW)
    visits.allow("login:ada", 9, HOUR, NOW + MINUTE)
    visits.use("short", NOW + HOUR, NOW)
    visits.use("long", NOW + 3 * LONGEST_WINDOW, NOW)
    visits.purge(NOW + LONGEST_WINDOW)
    with ledger.database.read() as connection:
        assert list(connection.scalars(sa.select(attempts.c.at))) == [NOW + MINUTE]
        assert list(connection.scalars(sa.select(used_links.c.nonce))) == ["long"]
    assert not visits.use("long", NOW + 3 * LONGEST_WINDOW, NOW + LONGEST_WINDOW)


def test_a_visitor_never_waits_for_a_run(shared: tuple[Ledger, Ledger]) -> None:
    pages, job = shared
    with job.database.session() as session:
        numbers = sa.select(sa.func.generate_series(1, 9).label("n")).subquery()
        locks = sa.func.pg_advisory_lock(RUN_LOCKS, sa.func.hashtext(sa.func.concat("login:", numbers.c.n)))
        session.execute(sa.select(locks)).all()
        assert all(pages.visits.allow(f"login:{number}", 1, HOUR, NOW) for number in range(1, 10))
