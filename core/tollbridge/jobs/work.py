"""What every phase of one run is given."""

import threading
import time
from collections.abc import Callable
from datetime import timedelta

import attrs
from cattrs.preconf.orjson import make_converter

from tollbridge.jobs.at_once import AtOnce
from tollbridge.jobs.crew import Crew
from tollbridge.jobs.parts import Failures, Parts, Progress, When
from tollbridge.jobs.scratch import Scratch
from tollbridge.ledger.runs import LiveRun
from tollbridge.model import Client
from tollbridge.words import counted

_FRESH = timedelta(minutes=10)
_LONGEST_SLEEP = 3600.0
_values = make_converter(detailed_validation=False)


class ClientsRead(Scratch):
    """The clients that were read in this run, each as the billing system had it, so that none is asked for twice."""

    tables = "CREATE TABLE clients (id INTEGER PRIMARY KEY, read_at REAL, client BLOB)"

    def add(self, client: Client) -> None:
        """Remember a client that was read just now."""
        row = (client.id, _boot_seconds(), _values.dumps(client))
        with self.one_at_a_time:
            self.connection.execute("INSERT OR REPLACE INTO clients VALUES (?, ?, ?)", row)

    def find(self, client_id: int) -> Client | None:
        """The client, if it was read in the last ten minutes."""
        oldest = _boot_seconds() - _FRESH.total_seconds()
        with self.one_at_a_time:
            query = "SELECT client FROM clients WHERE id = ? AND read_at > ?"
            row = self.connection.execute(query, (client_id, oldest)).fetchone()
        return None if row is None else _values.loads(row[0], Client)

    def has(self, client_id: int) -> bool:
        """Whether the client was read in this run at all."""
        with self.one_at_a_time:
            query = "SELECT 1 FROM clients WHERE id = ?"
            return self.connection.execute(query, (client_id,)).fetchone() is not None


@attrs.frozen
class Work:
    """One run at work.

    Attributes:
        live: the run in the ledger, under which everything is claimed.
        clients: those that were read in this run.
        confirmed_by: who lets this run lock as many users as it would; None: nobody.
        crew: how it works together with other machines.
    """

    parts: Parts
    when: When
    live: LiveRun
    clients: ClientsRead
    progress: Progress
    confirmed_by: str | None = None
    crew: Crew = Crew()

    def client(self, client_id: int) -> Client:
        """The client, as read in this run at most ten minutes ago, or else anew; NotFound if there is none."""
        found = self.clients.find(client_id)
        if found is None:
            found = self.parts.billing.client(client_id)
            self.clients.add(found)
        return found

    def name_holders(self, failures: Failures) -> None:
        """Tell of runs that hold accounts and do not go on: one that lives keeps them, one that ended for a while."""
        for run_id, host, count in self.parts.ledger.accounts.held_by_the_dead(self.live.id):
            words = f"it ended while it held {counted(count, 'account')}: run again when its lease is over"
            failures.tell(f"run {run_id} on {host}", words)
        for run_id, host, count in self.parts.ledger.accounts.held_by_the_frozen(self.live.id):
            words = f"it holds {counted(count, 'account')} and does not go on: end that process, or let it go on"
            failures.tell(f"run {run_id} on {host}", words)

    @property
    def at_billing(self) -> AtOnce:
        """How much is asked of the billing system at once."""
        most = self.parts.settings.billing.at_once or self.parts.billing.at_once
        return AtOnce(self._own(most), lambda: self.live.slot("billing", most))

    @property
    def at_solus(self) -> AtOnce:
        """How much is asked of SolusIO at once."""
        most = self.parts.settings.solus.at_once
        return AtOnce(self._own(most), lambda: self.live.slot("solus", most))

    def _own(self, most: int) -> int:
        """How many of the calls that a system stands this process makes."""
        return min(most, self.crew.at_most or most)

    @property
    def lease(self) -> timedelta:
        """For how long a claim holds."""
        return timedelta(seconds=self.parts.settings.ledger.lease_seconds)


class LeaseClock:
    """A claim's time by this machine's own clock, which also counts while the machine sleeps.

    The ledger's clock decides what others may take over. This one only ever says "late" sooner: it begins before the
    claim is asked for.
    """

    def __init__(self, length: timedelta) -> None:
        self._length = length.total_seconds()
        self._renewing = threading.Lock()
        self._began = _boot_seconds()

    def still_holds(self, renew: Callable[[], None]) -> bool:
        """Whether nobody else may have taken over; when half of it is over it is renewed, by one thread at a time.

        One that is over is renewed as well, as long as the ledger says that nobody took this run for gone: a billing
        system that is slower than a lease stops nobody. After an hour's sleep it is not, for the day may be another.
        """
        with self._renewing:
            now = _boot_seconds()
            if now - self._began >= self._length + _LONGEST_SLEEP:
                return False
            if now - self._began >= self._length / 2:
                renew()
                self._began = now
        return _boot_seconds() - self._began < self._length


def _boot_seconds() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()
