"""A small world for tests: a SolusIO sandbox on loopback, a billing database with the preset schema, bridge.toml."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import attrs
import sqlalchemy as sa

from tollbridge.bridge import bridge, read_settings
from tollbridge.config import Settings
from tollbridge.http import Retry
from tollbridge.jobs.daily import Job, Run, when
from tollbridge.jobs.parts import Parts
from tollbridge.jobs.reports import DailyReport, status_of
from tollbridge.ledger import Ledger
from tollbridge.rules.entry import Entry
from tollbridge.secret import DatabaseUrl
from tollbridge.solus.sandbox import Panel, in_memory, running, small_company
from tollbridge.solus.sandbox.records import Uptime
from tollbridge_generic_sql.preset import metadata as preset_schema

QUICK = Retry(attempts=3, wait_initial=0.01, wait_max=0.02)

CONFIGURATION = """
[solus]
url = "{solus}"
api_token = "sandbox-token"
limit_group = "postpaid"

[pricing.tokens]
{prices}

[billing]
start = "{start}"
lock_after_days = 7
suspend_after_days = 14
{billing}

[server]
token = "bridge-token"

[ledger]
url = "{ledger}"
lease_seconds = {lease_seconds}

[adapter]
{adapter}
{more}
"""

PRICES = """USD = "{usd}"
EUR = "0.00091"
JPY = "0.15"
KWD = "0.0003"
"""

PRESET = """use = "generic_sql"

[adapter.generic_sql]
url = "{database}"
preset = "tollbridge"
"""


@attrs.frozen
class HeardRun(Run):
    """A run whose invoices are kept, with what they are."""

    heard: list[tuple[Entry, str]] = attrs.field(kw_only=True)

    def _do(self, command: str, part: Job, *, works: bool = False) -> DailyReport:
        report = super()._do(command, part, works=works)
        self.heard.extend((entry, status_of(entry)) for entry in report.invoicing.invoices)
        return report


@attrs.define
class World:
    """Everything a test of the bridge needs; the sandbox's clock stands still until it is moved.

    ``prices`` are the lines of [pricing.tokens]; unless they are given, ``usd`` and those of three other currencies.
    """

    folder: Path
    panel: Panel
    solus_url: str
    database_url: str
    ledger_url: str
    start: str = "2026-06"
    usd: str = "0.001"
    prices: str = ""
    billing: str = ""
    more: str = ""
    lease_seconds: int = 60
    invoices: list[tuple[Entry, str]] = attrs.Factory(list)

    @property
    def config(self) -> Path:
        """bridge.toml, written anew from the world as it is."""
        path = self.folder / "bridge.toml"
        path.write_text(self.text(), encoding="utf-8")
        return path

    def text(self) -> str:
        """What stands in bridge.toml."""
        return CONFIGURATION.format(
            solus=self.solus_url,
            start=self.start,
            prices=self.prices or PRICES.format(usd=self.usd),
            billing=self.billing,
            ledger=self.ledger_url,
            lease_seconds=self.lease_seconds,
            adapter=self.adapter_table(),
            more=self.more,
        )

    def adapter_table(self) -> str:
        """What stands below [adapter]."""
        return PRESET.format(database=self.database_url)

    def settings(self) -> Settings:
        """bridge.toml as settings."""
        return read_settings(self.config)[0]

    @contextmanager
    def parts(self) -> Iterator[Parts]:
        """The bridge's parts, with quick retries."""
        with bridge(self.config, lambda settings: in_memory(self.panel, settings, QUICK)) as parts:
            yield parts

    @contextmanager
    def run(self, day: str, *, dry_run: bool = False) -> Iterator[Run]:
        """A run for ``day``; the invoices it issues are in ``invoices`` afterwards."""
        self.invoices = []
        with self.parts() as parts:
            moment = when(parts, date.fromisoformat(day), dry_run=dry_run)
            yield HeardRun(parts, moment, dry_run, lambda _step, _done: None, heard=self.invoices)

    @contextmanager
    def database(self) -> Iterator[sa.Connection]:
        """The billing database, in one transaction."""
        engine = sa.create_engine(self.database_url)
        try:
            with engine.begin() as connection:
                yield connection
        finally:
            engine.dispose()

    def query(self, sql: str, **values: Any) -> list[tuple[Any, ...]]:
        """Rows of the billing database."""
        with self.database() as connection:
            return [tuple(row) for row in connection.execute(sa.text(sql), values)]

    def execute(self, sql: str, **values: Any) -> None:
        """Change the billing database."""
        with self.database() as connection:
            connection.execute(sa.text(sql), values)

    def add_client(self, client_id: int, currency: str = "USD", **columns: Any) -> None:
        """A client; its e-mail address is client<id>@example.com unless said otherwise."""
        values = {"id": client_id, "email": f"client{client_id}@example.com", "currency": currency, **columns}
        names = ", ".join(values)
        self.execute(f"INSERT INTO clients ({names}) VALUES ({', '.join(f':{name}' for name in values)})", **values)

    def add_user(self, client_id: int, **more: Any) -> int:
        """The client's SolusIO user, linked already; its id."""
        return self.panel.add_user(f"client{client_id}@example.com", billing_user_id=client_id, **more).id

    def run_server(self, user_id: int, hours: int, plan: str = "1 Core, 1 GB RAM", name: str = "web-1") -> None:
        """A server that runs ``hours`` from the sandbox's present on; the clock stays where it is."""
        plan_id = next(each.id for each in self.panel.tables.plans.rows() if each.name == plan)
        server = self.panel.create_server(user_id, plan_id, name)
        start = self.panel.now
        ran = attrs.evolve(server, uptime=(Uptime(start, start + timedelta(hours=hours)),))
        with self.panel.lock:
            self.panel.tables.servers.put(ran)
            self.panel.patch_settings({})

    def client_with_server(self, client_id: int, hours: int = 700, currency: str = "USD", **columns: Any) -> int:
        """A client, its linked user, and a server of the guide's first plan; the user's id."""
        self.add_client(client_id, currency, **columns)
        user_id = self.add_user(client_id)
        self.run_server(user_id, hours, name=f"web-{client_id}")
        return user_id

    def at(self, day: str) -> None:
        """Move the sandbox's clock to four o'clock on ``day``."""
        self.panel.set_time(datetime.fromisoformat(f"{day}T04:00:00+00:00"))

    def billed(self) -> dict[str, str]:
        """What the billing database holds: the subtotal by reference."""
        rows = self.query("SELECT reference, subtotal FROM invoices ORDER BY reference")
        return {reference: f"{Decimal(str(subtotal)).normalize():f}" for reference, subtotal in rows}


@contextmanager
def a_world(folder: Path, database_url: str, ledger_url: str, **more: Any) -> Iterator[World]:
    """A world on 1 June 2026, with the guide's plans, and no clients yet."""
    panel = Panel(datetime(2026, 6, 1, tzinfo=UTC))
    small_company(panel)
    _make(database_url, create_books, new_books)
    _make(ledger_url, lambda _: None, new_ledger)
    with running(panel) as url:
        yield World(folder, panel, url, database_url, ledger_url, **more)


def _make(url: str, create: Callable[[str], None], new: Callable[[], bytes]) -> None:
    """A database with its tables; a SQLite file is a copy of one that was made once."""
    parsed = sa.make_url(url)
    if parsed.get_backend_name() == "sqlite" and parsed.database:
        Path(parsed.database).write_bytes(new())
    else:
        create(url)


def create_books(url: str) -> None:
    """The preset's tables, with four currencies."""
    engine = sa.create_engine(url)
    preset_schema.create_all(engine)
    with engine.begin() as connection:
        for code, decimals in (("USD", 2), ("EUR", 2), ("JPY", 0), ("KWD", 3)):
            values = {"code": code, "decimals": decimals}
            connection.execute(sa.text("INSERT INTO currencies (code, decimals) VALUES (:code, :decimals)"), values)
    engine.dispose()


@cache
def new_books() -> bytes:
    """A billing database on SQLite without clients."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "new.db"
        create_books(f"sqlite:///{path}")
        return path.read_bytes()


@cache
def new_ledger() -> bytes:
    """A ledger on SQLite with nothing in it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "new.db"
        Ledger.open(DatabaseUrl(f"sqlite:///{path}")).close()
        return path.read_bytes()
