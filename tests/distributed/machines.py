"""Several machines on one ledger: each a process with a bridge.toml, and a network, of its own.

The billing system is a process, too; it protects itself from nothing, so whatever is billed once is so by the ledger.
"""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
import sqlalchemy as sa

from benchmarks.measuring import free_port, python, serving
from benchmarks.slow_systems import make_panel
from tests.distributed.cables import Cable, Switchboard
from tollbridge.ledger import Ledger
from tollbridge.rules.calendar import Month
from tollbridge.rules.entry import State
from tollbridge.secret import DatabaseUrl
from tollbridge.solus.sandbox import running

JUNE = Month(2026, 6)
ROOT = Path(__file__).resolve().parents[2]
LEASE_SECONDS = 2
_LONGEST = 60.0

CONFIGURATION = """
[solus]
url = "http://127.0.0.1:{solus}"
api_token = "sandbox-token"
[pricing.tokens]
USD = "0.001"
[billing]
start = "2026-06"
{billing}
[ledger]
url = "{ledger}"
lease_seconds = {lease}
{distributed}
[adapter]
use = "benchmarks.remote_books:RemoteBooks"
[adapter.settings]
url = "http://127.0.0.1:{books}"
in_doubt_seconds = 1
"""


@attrs.define
class Machine:
    """One machine: its bridge.toml, and its cables to the ledger, the billing system and the panel."""

    config: Path
    ledger: Cable
    books: Cable
    solus: Cable
    process: "subprocess.Popen[str] | None" = None

    def start(self, *command: str) -> "subprocess.Popen[str]":
        """A command in a process of its own."""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tollbridge", "--config", str(self.config), *command],
            cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        return self.process

    def work(self) -> None:
        """A worker, that waits for work."""
        process = self.start("worker")
        assert process.stdout is not None
        assert "Waiting" in process.stdout.readline(), process.communicate()

    def send(self, number: signal.Signals) -> None:
        """Send its process a signal, if it is there."""
        if self.process is not None and self.process.poll() is None:
            os.kill(self.process.pid, number)

    def end(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, str, str]:
        """End its process; its exit code, and what it said."""
        assert self.process is not None
        self.send(signal.SIGCONT)
        self.send(number)
        try:
            said, errors = self.process.communicate(timeout=_LONGEST)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        assert "Traceback" not in errors, errors
        return self.process.returncode, said, errors


@attrs.define
class Company:
    """A hosting company with June to be invoiced, and as many machines as are wanted."""

    folder: Path
    ledger_url: str
    clients: int
    solus_port: int
    books_port: int
    switchboard: Switchboard
    billing: str = ""
    distributed: str = "[distributed]"
    machines: list[Machine] = attrs.Factory(list)

    def machine(self) -> Machine:
        """One more."""
        url = sa.make_url(self.ledger_url)
        ledger = self.switchboard.cable(url.port or 5432)
        books, solus = self.switchboard.cable(self.books_port), self.switchboard.cable(self.solus_port)
        own = url.set(port=ledger.port).render_as_string(hide_password=False)
        config = self.folder / f"bridge{len(self.machines)}.toml"
        config.write_text(CONFIGURATION.format(
            solus=solus.port, billing=self.billing, ledger=own, lease=LEASE_SECONDS, distributed=self.distributed,
            books=books.port,
        ))  # fmt: skip
        self.machines.append(Machine(config, ledger, books, solus))
        return self.machines[-1]

    def worker(self) -> Machine:
        """One more, with a worker that waits for work."""
        made = self.machine()
        made.work()
        return made

    def run(self, machine: Machine, command: str = "invoice") -> "subprocess.Popen[str]":
        """June's invoices, or the daily job of 1 July."""
        more = ["--month", str(JUNE)] if command == "invoice" else ["--date", "2026-07-01"]
        return machine.start(command, *more, "--json")

    @contextmanager
    def ledger(self) -> Iterator[Ledger]:
        """The ledger, past all cables."""
        ledger = Ledger.open(DatabaseUrl(self.ledger_url))
        try:
            yield ledger
        finally:
            ledger.close()

    def execute(self, sql: str, **values: Any) -> list[Any]:
        """Ask the ledger's database something, or change it."""
        engine = sa.create_engine(self.ledger_url, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(sa.text("SET search_path TO public, tollbridge_queue"))
            result = connection.execute(sa.text(sql), values)
            rows = [tuple(row) for row in result] if result.returns_rows else []
        engine.dispose()
        return rows

    def invoices(self) -> list[dict[str, Any]]:
        """What the billing system has."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.books_port}/state") as answer:
            found: list[dict[str, Any]] = json.load(answer)["invoices"]
        return found

    def wait_until(self, what: Callable[[], bool]) -> None:
        """Wait for something that must happen."""
        until = time.monotonic() + _LONGEST + self.clients / 10
        while not what():
            assert time.monotonic() < until, "it does not happen"
            time.sleep(0.05)

    def wait_for_invoices(self, count: int) -> None:
        """Until the billing system has so many."""
        self.wait_until(lambda: len(self.invoices()) >= count)

    def held_by_workers(self) -> int:
        """How many entries workers have claimed and not sent yet."""
        theirs = "run_id IN (SELECT id FROM runs WHERE helps IS NOT NULL)"
        count: int = self.execute(f"SELECT count(*) FROM invoices WHERE state = 'sending' AND {theirs}")[0][0]
        return count

    def wait_for_helpers(self, count: int) -> None:
        """Until so many workers have begun to help."""
        query = "SELECT count(*) FROM runs WHERE helps IS NOT NULL"
        self.wait_until(lambda: self.execute(query)[0][0] >= count)

    def check_books(self) -> None:
        """Every client once, whole and to the cent, by both ends, and the month is closed."""
        booked = sorted((row["client"], row["reference"], Decimal(row["total"])) for row in self.invoices())
        assert booked == [(each, f"TB-2026-06-{each}", Decimal("4.90")) for each in range(1, self.clients + 1)]
        numbers = {row["client"]: str(row["number"]) for row in self.invoices()}
        with self.ledger() as ledger:
            entries = ledger.invoices.of_month(JUNE, range(1, self.clients + 1))
            assert ledger.months.is_closed(JUNE)
        assert {(entry.state, entry.problem) for entry in entries.values()} == {(State.ISSUED, None)}
        assert {client_id: entry.billing_id for client_id, entry in entries.items()} == numbers

    def finish(self) -> None:
        """Undisturbed runs, until all is done: before that they may only name what others still hold."""
        for _ in range(5):
            run = self.run(self.machine())
            _, errors = run.communicate(timeout=_LONGEST)
            if run.returncode == 0:
                return
            assert run.returncode == 1, errors
            time.sleep(LEASE_SECONDS)
        raise AssertionError(errors)


@contextmanager
def a_company(folder: Path, ledger_url: str, clients: int, latency: float = 0.0) -> Iterator[Company]:
    """A company, whose machines all end with the block."""
    books, switchboard = free_port(), Switchboard()
    with (
        serving(python("benchmarks.remote_books", books, clients, latency), books, cwd=ROOT),
        running(make_panel(clients, linked=True)) as solus,
    ):
        company = Company(folder, ledger_url, clients, int(solus.rpartition(":")[2]), books, switchboard)
        try:
            yield company
        finally:
            for machine in company.machines:
                if machine.process is not None:
                    machine.send(signal.SIGKILL)
                    machine.process.communicate()
            switchboard.close()
