"""Many senders on one ledger: June of some clients is drafted, and runs of one process send it to books in memory.

The books protect themselves from nothing, so whatever is right in the end is the ledger's doing. Each sender has a
ledger of its own, with connections of its own, as a process has; what it does is counted, and something can be made to
happen just before or just after any of it.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import attrs
import sqlalchemy as sa

from tollbridge.adapters.billing import BillingSystem
from tollbridge.adapters.loading import managed
from tollbridge.bridge import bridge
from tollbridge.errors import TollbridgeError
from tollbridge.jobs.daily import Run
from tollbridge.jobs.parts import Parts, When
from tollbridge.jobs.reports import InvoicingReport
from tollbridge.ledger import Ledger
from tollbridge.ledger.database import Database
from tollbridge.ledger.invoices import Draft
from tollbridge.ledger.readings import Reading
from tollbridge.memory import Books, MemoryBilling
from tollbridge.model import Client, Currency, InvoiceStatus, UsageItem
from tollbridge.rules.calendar import Month
from tollbridge.rules.closing import InvoiceRules, draft
from tollbridge.rules.entry import State, UserItem
from tollbridge.rules.pricing import token_price
from tollbridge.secret import DatabaseUrl

JUNE = Month(2026, 6)
DAY = date(2026, 7, 1)
NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)
_RULES = InvoiceRules({}, 14, zero_invoices=False)
_TABLES = ("invoices", "months", "readings", "unbilled", "leases", "events", "runs", "accounts", "holds")
_LONGEST = 60.0  # that a test waits for a sender, before it says that it hangs

CONFIGURATION = """
[solus]
url = "http://127.0.0.1:9"
api_token = "sandbox-token"

[pricing.tokens]
USD = "0.001"

[billing]
start = "2026-06"
lock_after_days = 7
suspend_after_days = 14
at_once = {at_once}

[server]
token = "bridge-token"

[ledger]
url = "{ledger}"
lease_seconds = 2

[adapter]
use = "tollbridge.memory:MemoryBilling"
"""

CLAIMS = ("claim", "take_over", "renew", "keep", "redate", "give_back", "record")


class Died(BaseException):
    """The process is gone: nothing catches it, nothing cleans up in its name."""


Effect = Callable[[int, bool, str], None]
"""Called before (False) and after (True) the n-th effect, with its name; what it raises goes through."""


def nothing(_number: int, _after: bool, _name: str) -> None:
    """No disturbance."""


def dies(at: int, *, after: bool) -> Effect:
    """Die at the ``at``-th effect, just before or just after it; the dead have no more effects."""

    def effect(number: int, done: bool, _name: str) -> None:
        if number > at or (number == at and done is after):
            raise Died

    return effect


def once(at: int, *, after: bool, do: Callable[[], None]) -> Effect:
    """Do something at the ``at``-th effect."""

    def effect(number: int, done: bool, _name: str) -> None:
        if number == at and done is after:
            do()

    return effect


@attrs.define
class Sender:
    """A run that sends, in a thread of its own or in the caller's.

    Attributes:
        count: its effects so far.
        error: what stopped it.
        pids: its connections to PostgreSQL, as far as they were made by now.
    """

    office: "Office"
    parts: Parts
    name: str
    effect: Effect
    count: int = 0
    error: BaseException | None = None
    report: InvoicingReport | None = None
    ended: bool = False
    _counting: threading.Lock = attrs.Factory(threading.Lock)

    def send(self) -> "Sender":
        """Be `tollbridge invoice`, until it ends, is stopped, or dies."""
        run = Run(self.parts, When(NOON, DAY, pretended=True), False, lambda _step, _done: None)
        try:
            self.report = run.invoices(None)
        except (Died, TollbridgeError) as error:
            self.error = error
        finally:
            self.ended = True
            self.parts.ledger.close()
            if self.error is not None:
                self.office.let_time_pass_for_the_dead()
        return self

    def disturb(self) -> None:
        """Wrap whatever it does."""
        ledger = self.parts.ledger
        for owner, names in (
            (ledger.claims, CLAIMS),
            (ledger.months, ("close",)),
            (ledger.runs, ("end", "bury")),
            (self.parts.billing, ("create_invoice", "find_invoice", "invoices_since")),
        ):
            for name in names:
                setattr(owner, name, self._wrapped(name, getattr(owner, name)))

    def _wrapped(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*arguments: Any, **named: Any) -> Any:
            with self._counting:
                self.count += 1
                number = self.count
            self.effect(number, False, name)
            result = real(*arguments, **named)
            self.effect(number, True, name)
            return result

        return wrapped


@attrs.define
class Office:
    """A ledger with June drafted, and the books that it is sent to."""

    parts: Parts
    url: str
    clients: int
    books: Books = attrs.Factory(Books)
    _databases: dict[str, Database] = attrs.Factory(dict)

    def open(self) -> None:
        """A new month: an empty ledger but for June's drafts, and empty books."""
        self.books = Books()
        self.books.today = DAY
        self.books.add_currency(Currency("USD"))
        with self.parts.ledger.database.write() as connection:
            for table in _TABLES:
                connection.execute(sa.text(f"DELETE FROM {table}"))
        drafts = [self._draft(self.books.add_client(client_id)) for client_id in range(1, self.clients + 1)]
        ledger = self.parts.ledger
        with ledger.runs.live("invoice", DAY, works=True) as live:
            lease = ledger.leases.take("drafting", live.id, timedelta(seconds=60))
            assert lease is not None
            ledger.invoices.draft(drafts, lease)
            start, end = ledger.months.interval(JUNE, self.parts.settings.billing.timezone)
            ledger.months.draft(JUNE, Reading("test", start, end, NOON, self.clients, 1, ""), lease)
            ledger.leases.give_back(lease)
            ledger.runs.end(live.id, "done", None)

    def _draft(self, client: Client) -> Draft:
        prices = self.parts.settings.pricing.price_list(JUNE)
        price = token_price(prices, client, None, Currency("USD"))
        items = [
            UserItem(client.id, UsageItem("server", number, f"web-{number}", tokens(client.id))) for number in (1, 2)
        ]
        return Draft(draft(
            JUNE, client, items, (), (), price=price, rules=_RULES, prices=prices.digest, day=DAY, now=NOON,
        ))  # fmt: skip

    def sender(self, name: str = "sender", effect: Effect = nothing) -> Sender:
        """A sender with connections of its own, which have its name; who had the name before has closed its own."""
        if name not in self._databases:  # kept, for it knows how to write the ledger's statements
            url = f"{self.url}?application_name={name}" if self.url.startswith("postgresql") else self.url
            self._databases[name] = Database.open(DatabaseUrl(url))
        billing = BillingSystem("memory", managed("memory", MemoryBilling(books=self.books)))
        parts = attrs.evolve(self.parts, ledger=Ledger(self._databases[name]), billing=billing)
        made = Sender(self, parts, name, effect)
        made.disturb()
        return made

    def send_all(self, senders: list[Sender]) -> None:
        """All of them at once, until each has ended."""
        barrier = threading.Barrier(len(senders))

        def body(sender: Sender) -> None:
            barrier.wait(_LONGEST)
            sender.send()

        threads = [threading.Thread(target=body, args=(sender,), daemon=True) for sender in senders]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(_LONGEST)
        assert all(sender.ended for sender in senders), "a sender hangs"

    def finish(self) -> None:
        """The next run, undisturbed: nothing fails, and the month is done."""
        self.let_time_pass_for_the_dead()
        last = self.sender("last").send()
        assert last.error is None, repr(last.error)
        assert last.report is not None
        assert last.report.failures == []
        self.check()

    def check(self) -> None:
        """What must be true of the finished month, from both ends."""
        booked = sorted((each.client_id, each.reference, each.subtotal, each.status) for each in self.books.invoices)
        assert booked == [
            (client_id, f"TB-2026-06-{client_id}", Decimal(2 * tokens(client_id)) / 1000, InvoiceStatus.UNPAID)
            for client_id in range(1, self.clients + 1)
        ]
        assert {len(each.lines) for each in self.books.invoices} == {2}
        ledger = self.parts.ledger
        entries = ledger.invoices.of_month(JUNE, range(1, self.clients + 1))
        numbers = {each.client_id: str(each.number) for each in self.books.invoices}
        assert {entry.client_id: entry.billing_id for entry in entries.values()} == numbers
        states = {(entry.state, entry.problem, entry.billing_status) for entry in entries.values()}
        assert states == {(State.ISSUED, None, InvoiceStatus.UNPAID)}
        assert ledger.months.is_closed(JUNE)
        ledger.runs.bury()
        assert ledger.runs.alive(0) == [], "the dead are buried"
        for client_id in range(1, self.clients + 1):
            self._check_events(client_id)

    def _check_events(self, client_id: int) -> None:
        """Each change begins where the one before it ended, and nothing changes what is issued."""
        story = [
            event for event in self.parts.ledger.events.of_client(client_id) if event.what == "invoice" and event.after
        ]
        for earlier, later in pairwise(story):
            assert later.before == earlier.after, story
        assert [event.after for event in story].count("issued") == 1

    def let_time_pass_for_the_dead(self) -> None:
        """As if a lease and the time in doubt had passed since runs died that are gone for good."""
        self.parts.ledger.runs.bury()
        self._execute(
            "UPDATE invoices SET leased_until = :past WHERE state = 'sending'"
            " AND run_id IN (SELECT id FROM runs WHERE ended_at IS NOT NULL)"
        )

    def let_leases_end(self) -> None:
        """As if a lease had passed for everybody."""
        self._execute("UPDATE invoices SET leased_until = :past WHERE state = 'sending'")
        self._execute("UPDATE accounts SET leased_until = :past WHERE leased_until IS NOT NULL")

    def _execute(self, sql: str) -> None:
        with self.parts.ledger.database.write() as connection:
            connection.execute(sa.text(sql), {"past": datetime(2000, 1, 1, tzinfo=UTC)})

    def cut(self, name: str) -> None:
        """Cut all of a sender's connections to PostgreSQL."""
        kill = sa.text(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE application_name = :name AND datname = current_database()"  # others run the same tests beside this
        )
        with self.parts.ledger.database.session() as connection:
            connection.execute(kill, {"name": name})


def tokens(client_id: int) -> int:
    """What each of a client's two servers used."""
    return 100 * client_id


@contextmanager
def an_office(folder: Path, url: str, clients: int, at_once: int = 1) -> Iterator[Office]:
    """An office with June drafted."""
    config = folder / "bridge.toml"
    config.write_text(CONFIGURATION.format(ledger=url, at_once=at_once), encoding="utf-8")
    with bridge(config) as parts:
        made = Office(parts, url, clients)
        made.open()
        yield made
