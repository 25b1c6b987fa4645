"""What ``tollbridge demo --operator`` serves: the operator's pages, with a year of a hosting company behind them."""

import random
import secrets
import sqlite3
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import attrs
import typer

from tollbridge.audit import Sources
from tollbridge.audit import audit as make_audit
from tollbridge.bridge import bridge
from tollbridge.cli.demo import as_operator, command, company, write_configuration
from tollbridge.cli.output import out, progress, say
from tollbridge.jobs.daily import Run, when
from tollbridge.jobs.parts import Parts, Progress
from tollbridge.ledger import Ledger
from tollbridge.ledger.database import Database
from tollbridge.loopback import running as serving
from tollbridge.rules.calendar import Month
from tollbridge.server.app import create_app
from tollbridge.solus.sandbox import Panel, in_memory, small_company

_MONTHS = 12
_AT_FIRST, _MORE_EACH_MONTH = 12, 2
_SEED = 2026
_HELD, _NEVER_PAYS, _NO_PRICE, _PAYING = 2002, 2003, 2006, 2010
_COUNTRIES = {"USD": ("US", "CA"), "EUR": ("DE", "FR"), "JPY": ("JP",)}
_SETTINGS = """
[operator]
token = "{token}"

[[pricing.changes]]
from = "{coming}"
tokens = {{ USD = "0.0012", EUR = "0.0011" }}
"""


def serve_operator(context: typer.Context) -> None:
    """Serve them until Ctrl+C, from a folder of its own that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="tollbridge-demo-") as folder, as_operator(Path(folder)):
        token = secrets.token_urlsafe(24)
        _solus_port, own_port = write_configuration()
        say("A year of a company is made now; that takes about a minute.")
        with (
            a_company(context, token, datetime.now(UTC), _MONTHS) as parts,
            serving(create_app(parts), port=own_port) as url,
            suppress(KeyboardInterrupt),
        ):
            say(f"\nThe operator's pages: {url}/operator")
            out.print(f"The token: {token}", soft_wrap=True)  # unlike all others it is to be shown
            say("They show the commands that would mend what has gone wrong. Ctrl+C ends it.")
            threading.Event().wait()


@contextmanager
def a_company(context: typer.Context, token: str, now: datetime, months: int) -> Iterator[Parts]:
    """A company with as many months behind it, in this folder with its bridge.toml."""
    path, running = Path("bridge.toml"), Month(now.year, now.month)
    first = _months_before(running, months)
    _configure(path, first, token, running.next)
    panel = Panel(_at(first.first_day), api_token="demo-api-token", per_page=100)  # noqa: S106
    small_company(panel)
    command(context, "generic-sql", "init")
    company()
    with bridge(path, lambda settings: in_memory(panel, settings)) as parts:
        clock = _Clock(panel)
        with progress() as tell:
            _Year(_in_the_past(parts, clock), panel, clock, tell).live(first, now)
        yield parts


def _configure(path: Path, first: Month, token: str, coming: Month) -> None:
    text = path.read_text(encoding="utf-8")
    text = text.replace('start = "2026-06"', f'start = "{first}"', 1).replace("# hold_above", "hold_above", 1)
    path.write_text(text + _SETTINGS.format(token=token, coming=coming), encoding="utf-8")


@attrs.define
class _Clock:
    """The sandbox's clock, and the seconds that have gone by since it was moved."""

    panel: Panel
    moved_at: float = attrs.field(factory=time.monotonic)

    def move(self, day: date, hour: int = 4) -> None:
        self.panel.set_time(_at(day, hour))
        self.moved_at = time.monotonic()

    def now(self) -> datetime:
        return self.panel.now + timedelta(seconds=time.monotonic() - self.moved_at)


class _PastDatabase(Database):
    """The ledger's database, by the sandbox's clock: so that the year lies behind, and was not made just now."""

    def __init__(self, database: Database, clock: _Clock) -> None:
        super().__init__(database.engine, database.url, database.file)
        self._clock = clock

    def now(self, connection: object) -> datetime:  # noqa: ARG002 - whatever the database says
        """The sandbox's time."""
        return self._clock.now()


def _in_the_past(parts: Parts, clock: _Clock) -> Parts:
    return attrs.evolve(parts, ledger=Ledger(_PastDatabase(parts.ledger.database, clock)))


class _Year:
    """What happens in the year: people come and go, servers run, most pay, and something goes wrong in the end."""

    def __init__(self, parts: Parts, panel: Panel, clock: _Clock, tell: Progress) -> None:
        self._parts = parts
        self._panel = panel
        self._clock = clock
        self._tell = tell
        self._chance = random.Random(_SEED)  # noqa: S311 - the same story each time
        self._served: set[int] = set()
        self._next_client = 2001

    def live(self, first: Month, now: datetime) -> None:
        """From the first day of the first month until today."""
        today, month = now.date(), first
        self._join(_AT_FIRST)
        while month.first_day <= today:
            self._tell(f"{month}", 0)
            is_last = month.next.first_day > today
            late = self._some_pay_late if is_last else self._pay_late
            for day, happens in (
                (1, self._nothing), (5, self._servers), (14, self._pay_in_time), (20, late),
                (25, self._servers),
            ):  # fmt: skip
                moment = month.first_day + timedelta(days=day - 1)
                if moment > today:
                    break
                self._clock.move(moment)
                happens()
                self._run(moment)
                self._approve()
            if month.next.next.first_day > today and not is_last:
                self._go_wrong()
            self._join(_MORE_EACH_MONTH)
            month = month.next
        self._end(now)

    def _run(self, day: date) -> None:
        moment = when(self._parts, day, dry_run=False)
        Run(self._parts, moment, False, lambda _step, _done: None).daily()

    def _approve(self) -> None:
        """Whoever grows much in the course of the year may."""
        invoices = self._parts.ledger.invoices
        for page in list(invoices.held()):
            for entry in page:
                if entry.client_id != _HELD:
                    invoices.approve(entry.month, entry.client_id, "they grow")

    def _nothing(self) -> None:
        """On the first of a month only the bridge does something."""

    def _join(self, count: int) -> None:
        """New clients, in the three currencies."""
        rows = []
        for _ in range(count):
            code = self._chance.choice(("USD", "USD", "EUR", "EUR", "JPY"))
            number, self._next_client = self._next_client, self._next_client + 1
            country = self._chance.choice(_COUNTRIES[code])
            rows.append((number, f"client{number}@example.com", code, f"Example {number} Ltd", country))
        _billing("INSERT INTO clients (id, email, currency, company, country) VALUES (?, ?, ?, ?, ?)", rows)

    def _servers(self) -> None:
        """Whoever is new gets a server or some, and now and then somebody one more, or one less."""
        plans = [plan.id for plan in self._panel.tables.plans.rows()]
        for user in self._panel.users:
            client = user.billing_user_id
            if client is None or (client in self._served and self._chance.random() > 0.08):
                continue
            self._served.add(client)
            self._panel.create_server(user.id, self._chance.choice(plans), f"web-{self._chance.randrange(100, 1000)}")
        running = [server for server in self._panel.tables.servers.rows() if self._chance.random() < 0.02]
        for server in running:
            self._panel.delete_server(server.id)

    def _pay_in_time(self) -> None:
        """Most do; who never does is the same one each month."""
        self._pay(f"client_id % 5 <> 0 AND client_id <> {_NEVER_PAYS}")

    def _pay_late(self) -> None:
        self._pay(f"client_id <> {_NEVER_PAYS} AND client_id % 10 <> 0")

    def _some_pay_late(self) -> None:
        """In the month that is running, others than ever."""
        self._pay(f"client_id <> {_NEVER_PAYS} AND client_id % 5 <> 0")

    def _pay(self, who: str) -> None:
        _billing(f"UPDATE invoices SET status = 'paid' WHERE status = 'unpaid' AND {who}", [()])  # noqa: S608

    def _go_wrong(self) -> None:
        """In the last month that is billed: a user of nobody, somebody with very much, a currency without a price."""
        plans = [plan.id for plan in self._panel.tables.plans.rows()]
        stranger = self._panel.add_user("somebody@example.com")
        self._panel.create_server(stranger.id, plans[0], "left-behind")
        by_client = {user.billing_user_id: user.id for user in self._panel.users}
        for number in range(40):
            self._panel.create_server(by_client[_HELD], plans[-1], f"render-{number}")
        _billing("INSERT INTO currencies (code, suffix) VALUES ('CHF', ' CHF')", [()])
        _billing("UPDATE clients SET currency = 'CHF' WHERE id = ?", [(_NO_PRICE,)])

    def _end(self, now: datetime) -> None:
        """This morning: a payment under way, an invoice that somebody deleted, a run and an audit."""
        _billing("UPDATE invoices SET status = 'pending' WHERE status = 'unpaid' AND client_id = ?", [(_PAYING,)])
        _billing("DELETE FROM invoice_lines WHERE invoice_id = (SELECT MAX(id) FROM invoices)", [()])
        _billing("DELETE FROM invoices WHERE id = (SELECT MAX(id) FROM invoices)", [()])
        self._clock.panel.set_time(now)
        parts = self._parts
        began_at = self._clock.now()
        sources = Sources(parts.settings, parts.solus, parts.billing, parts.ledger, parts.usage)
        made = make_audit(sources, None, self._tell)
        parts.ledger.runs.keep("audit", now.date(), began_at, made.outcome, made.kept())
        self._run(now.date())


def _billing(statement: str, rows: Sequence[tuple[object, ...]]) -> None:
    """What happens in the billing system."""
    with closing(sqlite3.connect("billing.db")) as database, database:
        database.executemany(statement, rows)


def _months_before(month: Month, count: int) -> Month:
    for _ in range(count):
        month = month.previous
    return month


def _at(day: date, hour: int = 0) -> datetime:
    return datetime(day.year, day.month, day.day, hour, tzinfo=UTC)
