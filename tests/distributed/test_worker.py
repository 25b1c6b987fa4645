"""One worker: how it begins and ends, what it refuses, and what it makes of tasks that are not what they should be."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.distributed.machines import ROOT, Company, a_company
from tollbridge.bridge import bridge
from tollbridge.distributed.queue import Queue, task_arguments
from tollbridge.jobs.crew import Errand
from tollbridge.jobs.daily import when
from tollbridge.ledger.upgrade import NEWEST

JOBS = "tollbridge_queue.procrastinate_jobs"


@pytest.fixture
def company(tmp_path: Path, postgresql_url: str) -> Iterator[Company]:
    """Sixty clients, and a billing system that takes its time."""
    with a_company(tmp_path, postgresql_url, clients=120, latency=0.1) as made:
        yield made


def add_task(company: Company, name: str, arguments: dict[str, object]) -> None:
    values = {"name": name, "args": json.dumps(arguments)}
    statement = f"INSERT INTO {JOBS} (queue_name, task_name, args) VALUES ('tollbridge', :name, CAST(:args AS jsonb))"
    company.execute(statement, **values)


def test_a_worker_that_is_told_to_end_finishes_what_it_has_and_gives_the_rest_back(company: Company) -> None:
    worker, run = company.worker(), company.run(company.machine())
    issued = "SELECT count(*) FROM invoices JOIN runs ON runs.id = invoices.run_id WHERE helps = 1 AND state = 'issued'"
    company.wait_until(lambda: company.execute(issued) > [(0,)])
    code, said, errors = worker.end()
    assert (code, errors) == (0, "")
    assert "sent for run 1" in said
    assert company.held_by_workers() == 0
    assert company.execute("SELECT outcome FROM runs WHERE helps = 1") == [("done",)]
    said, errors = run.communicate(timeout=60)
    assert (run.returncode, errors) == (0, "")
    assert len(json.loads(said)) == 120
    company.check_books()


def test_a_worker_that_meets_a_newer_ledger_finishes_what_it_has_and_exits_75(company: Company) -> None:
    worker, run = company.worker(), company.run(company.machine())
    company.wait_until(lambda: company.held_by_workers() > 0)
    company.execute("UPDATE alembic_version SET version_num = '9999'")
    assert worker.process is not None
    said, errors = worker.process.communicate(timeout=60)
    assert (worker.process.returncode, "newer Tollbridge (revision 9999)" in errors) == (75, True), (said, errors)
    assert company.held_by_workers() == 0
    again = company.machine().start("worker")
    assert "newer Tollbridge" in again.communicate(timeout=60)[1]
    assert again.returncode == 75
    company.execute("UPDATE alembic_version SET version_num = :newest", newest=NEWEST)
    run.communicate(timeout=60)
    company.finish()
    company.check_books()


def test_a_worker_outlives_tasks_that_it_does_not_know_and_those_of_runs_that_have_ended(company: Company) -> None:
    worker = company.worker()
    run = company.run(company.machine())
    run.communicate(timeout=60)
    assert run.returncode == 0
    helped = company.execute("SELECT count(*) FROM runs WHERE helps IS NOT NULL")
    with bridge(worker.config) as parts:
        old = task_arguments(Errand(1, when(parts, None, dry_run=False), [], 1))
    add_task(company, "of a version to come", {})
    add_task(company, "send", {"anything": "else"})
    add_task(company, "send", {**old, "months": ["2026-06"]})
    add_task(company, "send", {**old, "run": 999, "months": ["2026-06"]})
    company.execute("NOTIFY procrastinate_any_queue_v1")
    company.wait_until(lambda: company.execute(f"SELECT count(*) FROM {JOBS}") == [(0,)])
    code, said, errors = worker.end()
    assert (code, errors) == (0, "")
    assert "TypeError" in said
    assert company.execute("SELECT count(*) FROM runs WHERE helps IS NOT NULL") == helped
    company.check_books()


def test_a_run_whose_workers_cannot_be_asked_works_alone_and_says_so(company: Company) -> None:
    worker = company.worker()
    company.execute("DROP FUNCTION tollbridge_queue.procrastinate_defer_jobs_v1 CASCADE")
    run = company.run(company.machine())
    _, errors = run.communicate(timeout=60)
    assert run.returncode == 0
    assert "no worker could be asked to help: the queue cannot be used" in errors
    company.check_books()
    company.execute("DROP SCHEMA tollbridge_queue CASCADE")
    check = company.machine().start("check")
    check.communicate(timeout=60)
    assert company.execute(f"SELECT count(*) FROM {JOBS}") == [(0,)], "the next command makes them anew"
    assert worker.end()[0] == 0


def test_a_worker_without_billing_gives_its_claims_back_and_stops_claiming(company: Company) -> None:
    worker = company.worker()
    run = company.run(company.machine())
    company.wait_until(lambda: company.held_by_workers() > 0)
    worker.books.cut()
    said, errors = run.communicate(timeout=60)
    assert run.returncode in {0, 1}, errors
    code, said, _ = worker.end()
    assert code == 0
    assert "nothing more is claimed until it answers again" in said
    company.finish()
    company.check_books()


def test_the_daily_job_is_started_once_however_often_it_is_due(company: Company) -> None:
    company.billing = 'timezone = "Asia/Tokyo"'
    worker = company.machine()
    with company.ledger() as ledger, bridge(worker.config) as parts:
        check = worker.start("check")
        check.communicate(timeout=60)
        queue = Queue(ledger)
        queue.start_daily()
        queue.start_daily()
        assert company.execute(f"SELECT task_name FROM {JOBS}") == [("daily",)]
        del parts
    worker.work()
    company.wait_until(lambda: company.execute("SELECT command FROM runs WHERE outcome IS NOT NULL") == [("run",)])
    assert worker.end()[0] == 0
    assert company.execute(f"SELECT count(*) FROM {JOBS}") == [(0,)]


@pytest.mark.parametrize(
    ("ledger", "distributed", "words"),
    [
        ("sqlite:///tollbridge.db", "", "is a SQLite file: one machine needs no worker"),
        ("sqlite:///tollbridge.db", "[distributed]", "leave [distributed] out for one machine"),
        ("postgresql+psycopg://127.0.0.1/nothing", "", "needs the table [distributed]"),
        ("postgresql+psycopg://127.0.0.1/nothing", '[distributed]\nevery = "hourly"', "as cron writes it"),
    ],
)
def test_a_worker_says_what_it_needs(tmp_path: Path, ledger: str, distributed: str, words: str) -> None:
    config = tmp_path / "bridge.toml"
    config.write_text(
        f'[solus]\nurl = "http://127.0.0.1:9"\napi_token = "x"\n[pricing.tokens]\nUSD = "0.001"\n[billing]\n'
        f'start = "2026-06"\n[ledger]\nurl = "{ledger}"\n{distributed}\n[adapter]\n'
        'use = "tollbridge.memory:MemoryBilling"\n'
    )
    command = [sys.executable, "-m", "tollbridge", "--config", str(config), "worker"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert (done.returncode, words in " ".join(done.stderr.split())) == (2, True), done.stderr


def test_a_worker_that_is_started_before_the_database_says_so_and_is_started_again(company: Company) -> None:
    machine = company.machine()
    machine.ledger.cut()
    process = machine.start("worker")
    _, errors = process.communicate(timeout=60)
    assert (process.returncode, "cannot be used" in errors) == (3, True), errors
    machine.ledger.mend()
    machine.work()
    assert machine.end(signal.SIGINT)[0] == 0
