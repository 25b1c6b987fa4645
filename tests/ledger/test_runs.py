"""A run lives as long as its process does, and whoever comes next knows which have died."""

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.ledger.books import DAY, HOUR, claim, draft, entry, found, running, take_over
from tollbridge.errors import LedgerError
from tollbridge.ledger import Ledger
from tollbridge.ledger.runs import LiveRun, PastRun
from tollbridge.secret import DatabaseUrl

A_RUN = """
import sys
from datetime import date, timedelta
from tollbridge.ledger import Ledger
from tollbridge.rules.calendar import Month
from tollbridge.secret import DatabaseUrl

ledger, day = Ledger.open(DatabaseUrl(sys.argv[1])), date(2026, 7, 1)
with ledger.runs.live("run", day, works=True) as run:
    claims = ledger.claims.claim(run.id, [Month(2026, 6)], day, day, timedelta(hours=1), 1)
    print(run.id, run.works, len(claims), flush=True)
    sys.stdin.read()
"""


@contextmanager
def another_process(ledger_url: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A process that is a run, works, and has claimed an entry; and the run's number."""
    command = [sys.executable, "-c", A_RUN, ledger_url]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            words = process.stdout.readline().split()
            assert words[1:] == ["True", "1"]
            yield process, int(words[0])
        finally:
            process.kill()


def of_run(ledger: Ledger, run_id: int) -> PastRun:
    """A run as the ledger has it."""
    return next(run for run in ledger.runs.last(99) if run.id == run_id)


def bury_until_ended(ledger: Ledger, run_id: int) -> PastRun:
    """A database server takes a moment to notice that a process is gone."""
    for _ in range(1000):
        ledger.runs.bury()
        if (found := of_run(ledger, run_id)).ended_at is not None:
            return found
        time.sleep(0.01)
    raise AssertionError("it is still taken for alive")


def test_a_process_that_was_killed_is_found_dead_by_the_next_and_a_live_one_is_not(
    ledger_url: str, ledger: Ledger
) -> None:
    draft(ledger, entry(1))
    with another_process(ledger_url) as (process, run_id):
        for _ in range(2):
            ledger.runs.bury()
            assert (of_run(ledger, run_id).outcome, of_run(ledger, run_id).ended_at) == (None, None)
        with running(ledger) as meanwhile:
            assert [run.id for run in ledger.runs.alive(meanwhile.id)] == [run_id]
            assert take_over(ledger, meanwhile, -2 * HOUR) == []
        process.send_signal(signal.SIGKILL)
        process.wait()
        dead = bury_until_ended(ledger, run_id)
        assert (dead.outcome, dead.report) == ("died", None)
        with running(ledger, works=True) as later:
            assert ledger.runs.alive(later.id) == []
            assert later.works
            left = take_over(ledger, later, timedelta(0) if ledger.database.is_sqlite else -2 * HOUR)
            assert [each.entry.client_id for each in left] == [1]


def test_a_run_that_begins_looks_for_the_dead_first(ledger: Ledger) -> None:
    with ledger.database.write() as connection:
        connection.exec_driver_sql(
            "INSERT INTO runs (command, host, day, began_at) VALUES ('run', 'x:1', '2026-07-01', '2026-07-01 04:00:00')"
        )
    with running(ledger) as live:
        assert ledger.runs.alive(live.id) == []
    assert [run.outcome for run in ledger.runs.last(9)] == ["died", "died"]


def test_a_run_is_ended_as_it_says_and_the_first_word_counts(ledger: Ledger) -> None:
    report = {"invoices": [{"total": "5.55"}], "failures": []}
    with running(ledger) as live:
        before = of_run(ledger, live.id)
        assert (before.command, before.day, before.outcome, before.report) == ("run", DAY, None, None)
        ledger.runs.end(live.id, "done", report)
        ledger.runs.end(live.id, "failures", {})
    after = of_run(ledger, live.id)
    assert (after.outcome, after.report) == ("done", report)
    assert after.ended_at is not None


def test_a_run_that_an_error_ended_without_a_word_has_died(ledger: Ledger) -> None:
    with pytest.raises(ZeroDivisionError), running(ledger) as live:
        _ = 1 / 0
    assert of_run(ledger, live.id).outcome == "died"


def test_runs_are_told_newest_first_and_no_more_than_asked_for(ledger: Ledger) -> None:
    ids = []
    for _ in range(3):
        with running(ledger) as live:
            ids.append(live.id)
    assert [run.id for run in ledger.runs.last(2)] == ids[:0:-1]


def test_a_run_leaves_no_files_behind(tmp_path: Path) -> None:
    ledger = Ledger.open(DatabaseUrl(f"sqlite:///{tmp_path}/tollbridge.db"))
    with running(ledger, works=True), running(ledger):
        modes = {oct(file.stat().st_mode & 0o777) for file in tmp_path.iterdir()}
        assert modes == {"0o600"}, "and what it has meanwhile is its owner's alone"
    ledger.close()
    assert {file.name for file in tmp_path.iterdir()} <= {"tollbridge.db", "tollbridge.db.lock"}


# Who works


def test_on_sqlite_one_run_works_at_a_time_and_others_may_still_begin(tmp_path: Path) -> None:
    url = DatabaseUrl(f"sqlite:///{tmp_path}/tollbridge.db")
    ledger, same = Ledger.open(url), Ledger.open(url)
    with running(ledger) as looks, running(same, works=True) as first:
        with running(ledger, works=True) as second:
            assert (looks.works, first.works, second.works) == (False, True, False)
            assert {run.id for run in ledger.runs.alive(second.id)} == {looks.id, first.id}
        with running(ledger, works=True) as third:
            assert not third.works, "the second did not take the first's lock with it"
    with running(same, works=True) as fourth:
        assert fourth.works
    ledger.close()
    same.close()


def test_on_postgresql_any_number_of_runs_work(shared: tuple[Ledger, Ledger]) -> None:
    first, second = shared
    with running(first, works=True) as one, running(second, works=True) as two, running(second) as looks:
        assert (one.works, two.works, looks.works) == (True, True, False)


def test_on_sqlite_whatever_is_claimed_when_a_run_begins_to_work_was_claimed_by_one_that_is_gone(
    tmp_path: Path,
) -> None:
    ledger = Ledger.open(DatabaseUrl(f"sqlite:///{tmp_path}/tollbridge.db"))
    draft(ledger, entry(1))
    with running(ledger, works=True) as gone:
        claim(ledger, gone, lease=9 * HOUR)
    with running(ledger) as looks:
        assert take_over(ledger, looks) == [], "one that only looks ends no lease"
    with running(ledger, works=True) as works:
        assert take_over(ledger, works, HOUR) == [], "what was sent may still appear"
        assert [each.entry.client_id for each in take_over(ledger, works)] == [1]
    ledger.close()


def test_on_sqlite_a_run_that_may_not_work_ends_no_leases(tmp_path: Path) -> None:
    ledger = Ledger.open(DatabaseUrl(f"sqlite:///{tmp_path}/tollbridge.db"))
    draft(ledger, entry(1))
    with running(ledger, works=True) as works:
        [claimed] = claim(ledger, works)
        with running(ledger, works=True) as second:
            assert not second.works
        assert found(ledger, 1) == claimed.entry
    ledger.close()


# A run that has lost its lock


def end_other_connections(ledger: Ledger) -> None:
    """As a database does that restarts."""
    with ledger.database.read() as connection:
        connection.execute(sa.text(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid <> pg_backend_pid()"
        )).all()  # fmt: skip


def test_a_run_whose_connection_was_lost_is_found_dead(shared: tuple[Ledger, Ledger]) -> None:
    first, second = shared
    with running(first) as live:
        first.claims.renew(live.id, timedelta(hours=1))
        end_other_connections(second)
        assert bury_until_ended(second, live.id).outcome == "died"


def test_a_run_that_was_taken_for_dead_is_told_so(ledger: Ledger, run: LiveRun) -> None:
    ledger.claims.renew(run.id, timedelta(hours=1))
    ledger.runs.end(run.id, "died", None)
    with pytest.raises(LedgerError, match="taken for dead"):
        ledger.claims.renew(run.id, timedelta(hours=1))


# Slots


def test_never_more_than_so_many_at_once_over_two_runs_and_all_come_to_their_turn(
    shared: tuple[Ledger, Ledger],
) -> None:
    counting, three = threading.Lock(), threading.Barrier(3, timeout=30)
    inside, most, done = 0, 0, 0

    def call(live: LiveRun) -> None:
        nonlocal inside, most, done
        with live.slot("billing", 3):
            with counting:
                inside += 1
                most = max(most, inside)
            three.wait()  # nobody leaves before three are in
            with counting:
                inside -= 1
                done += 1

    with ExitStack() as stack:
        runs = [stack.enter_context(running(each)) for each in shared]
        threads = [threading.Thread(target=call, args=(runs[number % 2],)) for number in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert (most, done) == (3, 12)


def test_one_run_has_no_more_slots_than_there_are_and_gets_back_what_it_lets_go(
    shared: tuple[Ledger, Ledger],
) -> None:
    first, second = shared
    with running(first) as one, running(second) as two:
        for _ in range(3):
            with one.slot("billing", 2), one.slot("billing", 2), one.slot("solus", 1):
                assert one._take("billing", 2) is None
                assert two._take("billing", 2) is None
                with two.slot("billing", 3):
                    pass
        with two.slot("billing", 2), two.slot("billing", 2):
            assert one._take("billing", 2) is None


def test_the_slots_of_a_run_that_is_gone_are_free(shared: tuple[Ledger, Ledger]) -> None:
    first, second = shared
    with running(first) as one:
        assert one._take("billing", 1) == 1
        with running(second) as two:
            assert two._take("billing", 1) is None
    with running(second) as two:
        for _ in range(1000):
            if two._take("billing", 1) == 1:
                return
            time.sleep(0.01)
    raise AssertionError("it is still taken")
