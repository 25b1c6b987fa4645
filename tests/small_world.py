"""The world without a database or a plugin, for tests of rules and jobs: billing in memory beside the SolusIO sandbox.

It has the helpers of :class:`tests.world.World`, so that a test moves here by another fixture; what it did to the
billing database it does to ``world.books``.
"""

import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

import attrs

from tests.world import QUICK, World, new_ledger
from tollbridge.bridge import read_settings
from tollbridge.config import Settings
from tollbridge.jobs.daily import Run
from tollbridge.jobs.parts import Parts
from tollbridge.jobs.reports import DailyReport
from tollbridge.ledger import Account, Ledger
from tollbridge.memory import Books, billing_system
from tollbridge.model import Currency
from tollbridge.secret import DatabaseUrl
from tollbridge.solus import Solus
from tollbridge.solus.sandbox import Panel, in_memory, small_company
from tollbridge.usage import built_in_source

CURRENCIES = (Currency("USD"), Currency("EUR"), Currency("JPY", decimals=0), Currency("KWD", decimals=3))
NOWHERE = "http://127.0.0.1:1"
MEMORY = """use = "tollbridge.memory:MemoryBilling"

[adapter.settings]
books = "{folder}"
"""


@attrs.define
class SmallWorld(World):
    """Everything a test of the core needs; ``books`` are the billing system, with clients, invoices and troubles.

    ``file`` is what its bridge.toml is said to be called.
    """

    books: Books = attrs.field(factory=Books)
    file: str | None = None

    def adapter_table(self) -> str:
        """Billing in memory, with this world's books."""
        return MEMORY.format(folder=self.folder)

    def settings(self) -> Settings:
        """bridge.toml as settings, read once for all worlds that differ in addresses only."""
        here = {self.solus_url: NOWHERE, self.ledger_url: "sqlite:///ledger.db", str(self.folder): "books"}
        text = self.text()
        for own, everybodys in here.items():
            text = text.replace(own, everybodys)
        settings = _settings(text)
        return attrs.evolve(
            settings,
            solus=attrs.evolve(settings.solus, url=self.solus_url),
            ledger=attrs.evolve(settings.ledger, url=DatabaseUrl(self.ledger_url)),
        )

    def solus(self, settings: Settings) -> Solus:
        """The panel as the bridge sees it, without a socket and with quick retries."""
        return in_memory(self.panel, settings.solus, QUICK)

    @contextmanager
    def parts(self) -> Iterator[Parts]:
        """The bridge's parts."""
        settings = self.settings()
        billing = billing_system(self.books)
        with closing(Ledger.open(settings.ledger.url)) as ledger, closing(self.solus(settings)) as solus:
            usage = built_in_source(settings, solus, ledger)
            yield Parts(settings, solus, billing, ledger, usage, self.file)

    def add_client(self, client_id: int, currency: str = "USD", **columns: Any) -> None:
        """A client; its e-mail address is client<id>@example.com unless said otherwise."""
        group = columns.pop("client_group", "")
        self.books.add_client(client_id, currency, **{"group": group, **columns})

    def at(self, day: str) -> None:
        """Move the sandbox's clock, and the books', to four o'clock on ``day``."""
        super().at(day)
        self.books.today = date.fromisoformat(day)

    @contextmanager
    def run(self, day: str, *, dry_run: bool = False) -> Iterator[Run]:
        """A run for ``day``; the invoices it makes come to be on it."""
        self.books.today = date.fromisoformat(day)
        with super().run(day, dry_run=dry_run) as run:
            yield run

    def daily(self, day: str, *, dry_run: bool = False) -> DailyReport:
        """One whole run for ``day``."""
        with self.run(day, dry_run=dry_run) as run:
            return run.daily()

    def status(self, user_id: int) -> str:
        """A SolusIO user's."""
        return str(self.panel.user(user_id).status)

    def account(self, client_id: int) -> Account:
        """A client's account in the ledger."""
        with self.parts() as parts:
            return parts.ledger.accounts.of_clients([client_id])[client_id]

    def billed(self) -> dict[str, str]:
        """What the books hold: the subtotal by reference."""
        booked = sorted(self.books.invoices, key=lambda each: each.reference)
        return {each.reference: f"{each.subtotal.normalize():f}" for each in booked}

    def lines(self) -> list[tuple[str, int]]:
        """Description and tokens of each line that the books hold."""
        return [(line.description, line.tokens) for booked in self.books.invoices for line in booked.lines]

    def database(self) -> NoReturn:
        """There is none."""
        raise AssertionError("a small world has no database: look at world.books")


@contextmanager
def a_small_world(folder: Path, ledger_url: str = "", **more: Any) -> Iterator[SmallWorld]:
    """A small world on 1 June 2026, with the guide's plans, four currencies, and no clients yet."""
    books = Books.named(str(folder))
    for currency in CURRENCIES:
        books.add_currency(currency)
    if not ledger_url:
        (folder / "tollbridge.db").write_bytes(new_ledger())
        ledger_url = f"sqlite:///{folder}/tollbridge.db"
    panel = Panel(datetime(2026, 6, 1, tzinfo=UTC))
    small_company(panel)
    yield SmallWorld(folder, panel, NOWHERE, "", ledger_url, books=books, **more)


@cache
def _settings(text: str) -> Settings:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bridge.toml"
        path.write_text(text, encoding="utf-8")
        return read_settings(path)[0]
