"""Trials of real processes: `tollbridge run` several times at once, killed, frozen and cut from their database.

The billing system is a SQLite file and the panel a sandbox on loopback. What must be true in the end is read from both
ends, the billing database and the ledger, and from the panel.
"""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

import attrs
import sqlalchemy as sa

from tests.world import World, a_world
from tollbridge.rules.calendar import Month
from tollbridge.rules.entry import State
from tollbridge.rules.pricing import rounded

JUNE = Month(2026, 6)
LEASE_SECONDS = 2
NEWCOMERS = 4
_DAY = "2026-07-25"  # the invoices of last month are late by then: whoever has not paid is locked
_LONGEST = 90.0

Process = subprocess.Popen[bytes]
Meanwhile = Callable[[], None]


def _nothing() -> None:
    """Nothing happens meanwhile."""


@attrs.define
class Trial:
    """One company at the beginning of July, and what was done to its runs.

    Attributes:
        done: how often each thing was done.
    """

    world: World
    dice: random.Random
    clients: int
    done: dict[str, int] = attrs.Factory(dict)

    def start(self, day: str = "2026-07-01") -> Process:
        """The daily job in a process of its own, as cron starts it."""
        arguments = ["-m", "tollbridge", "--config", str(self.world.config), "run", "--date", day]
        return subprocess.Popen([sys.executable, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)

    def disturb(self, hands: int, *, cuts: bool, day: str = "2026-07-01", meanwhile: Meanwhile = _nothing) -> None:
        """Start ``hands`` runs at once, and do something to each at a moment of its own; none is left in the end.

        ``cuts``: the ledger is PostgreSQL's, so that all of them can be cut off.
        """
        runs = [self.start(day) for _ in range(hands)]
        ways = ["killed", "frozen", "left", *(["cut"] if cuts else [])]
        plan = sorted((self.dice.uniform(0.6, 3.0), each) for each in range(hands))
        began = time.monotonic()
        for moment, each in plan:
            time.sleep(max(0.0, began + moment - time.monotonic()))
            if runs[each].poll() is None:
                way = self.dice.choice(ways)
                self.done[way] = self.done.get(way, 0) + 1
                self._do(way, runs[each])
        meanwhile()
        if self.done.get("frozen"):
            time.sleep(self.dice.choice([0.1, LEASE_SECONDS + 0.5]))
        for run in runs:
            _signal(run, signal.SIGCONT)
        for run in runs:
            _, errors = run.communicate(timeout=_LONGEST)
            assert b"Traceback" not in errors, errors.decode()
            assert run.returncode in {0, 1, 3, -signal.SIGKILL}, errors.decode()

    def _do(self, way: str, run: Process) -> None:
        if way == "cut":
            _cut(self.world.ledger_url)
        elif way != "left":
            _signal(run, signal.SIGKILL if way == "killed" else signal.SIGSTOP)

    def go_on(self, day: str = "2026-07-01") -> None:
        """An undisturbed run, once the leases of the dead are over."""
        time.sleep(LEASE_SECONDS)
        run = self.start(day)
        _, errors = run.communicate(timeout=_LONGEST)
        assert run.returncode == 0, errors.decode()

    def try_it(self, hands: int, *, cuts: bool) -> None:
        """One trial: a month is invoiced, most clients pay while the others are being locked, and all ends right."""
        self.disturb(hands, cuts=cuts)
        self.go_on()
        self.check_books()
        self.check_users({"active"})
        self.disturb(hands, cuts=cuts, day=_DAY, meanwhile=self.pay)
        self.go_on(_DAY)
        self.check_users({"locked"}, every=3)
        self.check_books()

    def check_books(self) -> None:
        """Every client once, whole and right, in the billing database and in the ledger."""
        ids = list(range(1, self.clients + 1))
        rows = self.world.query("SELECT reference, client_id, subtotal FROM invoices ORDER BY client_id")
        assert [row[0] for row in rows] == [f"TB-2026-06-{client_id}" for client_id in ids]
        for _, client_id, subtotal in rows:
            assert Decimal(str(subtotal)) == rounded(Decimal(min(7 * (600 + client_id), 5000)) / 1000, 2)
        lines = self.world.query("SELECT invoice_id, count(*) FROM invoice_lines GROUP BY invoice_id")
        assert ({count for _, count in lines}, len(lines)) == ({1}, self.clients)
        numbers = dict(self.world.query("SELECT client_id, id FROM invoices"))
        with self.world.parts() as parts:
            entries = parts.ledger.invoices.of_month(JUNE, ids)
            assert parts.ledger.months.is_closed(JUNE)
            parts.ledger.runs.bury()
            assert parts.ledger.runs.alive(0) == []
        assert {(entry.state, entry.problem) for entry in entries.values()} == {(State.ISSUED, None)}
        assert {entry.client_id: entry.billing_id for entry in entries.values()} == {
            client_id: str(number) for client_id, number in numbers.items()
        }

    def check_users(self, statuses: set[str], every: int = 1) -> None:
        """The statuses of every third client's user; the others paid at once."""
        users = {user.billing_user_id: user.status for user in self.world.panel.users if user.billing_user_id}
        assert sorted(users) == list(range(1, self.clients + NEWCOMERS + 1)), "each client has a user"
        assert len(self.world.panel.users) == 1 + len(users), "and only one"
        unpaid = {client_id for client_id in users if client_id % every == 0 and client_id <= self.clients}
        assert {users[client_id] for client_id in unpaid} == statuses
        assert {users[client_id] for client_id in users if client_id not in unpaid} <= {"active"}

    def pay(self) -> None:
        """Everybody but every third pays."""
        self.world.execute("UPDATE invoices SET status = 'paid' WHERE client_id % 3 <> 0")


def _signal(run: Process, number: signal.Signals) -> None:
    if run.poll() is None:
        os.kill(run.pid, number)


def _cut(database: str) -> None:
    """Cut whoever is connected from the ledger's database, at once."""
    engine = sa.create_engine(database, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(sa.text(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        ))  # fmt: skip
    engine.dispose()


@contextmanager
def a_trial(folder: Path, billing_url: str, ledger_url: str, seed: int, clients: int) -> Iterator[Trial]:
    """A company with a month to invoice; some clients have no user yet, and get one."""
    with a_world(folder, billing_url, ledger_url) as world:
        world.lease_seconds = LEASE_SECONDS
        world.billing = 'most_locks = "1"'  # a third of them does not pay
        for client_id in range(1, clients + 1):
            world.client_with_server(client_id, hours=600 + client_id)
        for client_id in range(clients + 1, clients + 1 + NEWCOMERS):
            world.add_client(client_id)
        world.at("2026-07-01")
        yield Trial(world, random.Random(seed), clients)
