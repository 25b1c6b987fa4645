"""Workers that are killed, frozen and cut off: a month is billed once, and the run names what is left.

``TOLLBRIDGE_CLIENTS`` in the environment is how many clients the month of the great trial has.
"""

import json
import os
import random
import signal
import subprocess
import threading
import time
from pathlib import Path

from tests.distributed.machines import LEASE_SECONDS, Machine, a_company

CLIENTS = int(os.environ.get("TOLLBRIDGE_CLIENTS", "300"))
LONGEST = 60 + CLIENTS  # seconds


class Trouble(threading.Thread):
    """What happens to the workers, again and again, for as long as the run is at work."""

    def __init__(self, run: "subprocess.Popen[str]", workers: list[Machine], dice: random.Random) -> None:
        super().__init__(daemon=True)
        self.run_, self.workers, self.dice = run, workers, dice
        self.done = {"killed": 0, "frozen": 0, "cut from the ledger": 0, "cut from billing": 0, "cut from the panel": 0}

    def run(self) -> None:
        killed, frozen, cut = self.workers
        thaws = 0.0
        while self.run_.poll() is None:
            now = time.monotonic()
            if now > thaws:
                frozen.send(signal.SIGCONT)
                time.sleep(self.dice.uniform(0.1, 1.0))
                frozen.send(signal.SIGSTOP)
                self.done["frozen"] += 1
                thaws = now + LEASE_SECONDS * 3
            cables = {"ledger": cut.ledger, "billing": cut.books, "panel": cut.solus}
            for what, cable in cables.items():
                cable.cut()
                self.done[f"cut from the {what}" if what != "billing" else "cut from billing"] += 1
                time.sleep(self.dice.uniform(0.1, 0.5))
                cable.mend()
            killed.send(signal.SIGKILL)
            self.done["killed"] += 1
            assert killed.process is not None
            killed.process.communicate()
            killed.work()
        frozen.send(signal.SIGCONT)


def test_a_month_is_billed_once_while_workers_are_killed_frozen_and_cut_off(
    tmp_path: Path, postgresql_url: str
) -> None:
    seed = random.SystemRandom().randrange(10**6)
    print(f"seed {seed}")
    with a_company(tmp_path, postgresql_url, CLIENTS, latency=0.15) as company:
        company.distributed = "[distributed]\nper_worker = 3"
        company.billing = "at_once = 12"
        workers = [company.worker() for _ in range(3)]
        run = company.run(company.machine(), "run")
        company.wait_for_helpers(3)
        trouble = Trouble(run, workers, random.Random(seed))
        trouble.start()
        _, errors = run.communicate(timeout=LONGEST)
        trouble.join()
        print(trouble.done, "and the run said", run.returncode, errors)
        assert "Traceback" not in errors
        assert run.returncode in {0, 1}, errors
        left = company.execute("SELECT count(*) FROM invoices WHERE state <> 'issued'")[0][0]
        assert bool(left) <= (run.returncode == 1), "a run that leaves something says so"
        assert left == 0 or "does not go on" in errors, errors
        assert [each.end()[0] for each in workers] == [0, 0, 0]
        company.finish()
        company.check_books()


def test_a_worker_that_is_frozen_in_the_middle_of_a_send_keeps_what_it_holds_and_is_named(
    tmp_path: Path, postgresql_url: str
) -> None:
    with a_company(tmp_path, postgresql_url, clients=120, latency=0.1) as company:
        worker = company.worker()
        run = company.run(company.machine())
        company.wait_for_helpers(1)
        company.wait_until(lambda: company.held_by_workers() > 0)
        worker.send(signal.SIGSTOP)
        said, errors = run.communicate(timeout=LONGEST)
        held = company.held_by_workers()
        assert (run.returncode, held > 0) == (1, True), errors
        assert f"it holds {held} invoices and does not go on" in errors
        assert len(company.invoices()) >= 120 - held
        assert sum(each["status"] == "unpaid" for each in json.loads(said)) >= 120 - held, "the workers' are told, too"
        assert worker.end()[0] == 0
        company.finish()
        company.check_books()


def test_two_runs_with_workers_bill_everybody_once(tmp_path: Path, postgresql_url: str) -> None:
    with a_company(tmp_path, postgresql_url, clients=200, latency=0.1) as company:
        workers = [company.worker() for _ in range(2)]
        runs = [company.run(company.machine(), "run") for _ in range(2)]
        errors = [run.communicate(timeout=LONGEST)[1] for run in runs]
        assert {run.returncode for run in runs} <= {0, 1}, errors
        assert all("does not go on" in line for each in errors for line in each.splitlines()), "on a busy machine"
        assert [worker.end()[0] for worker in workers] == [0, 0]
        company.finish()
        company.check_books()
        assert company.execute("SELECT count(*) FROM tollbridge_queue.procrastinate_jobs") == [(0,)]
