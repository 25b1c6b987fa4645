"""The world without a database or a plugin, for tests of rules and jobs: billing in memory beside the SolusIO sandbox.

It has the helpers of :class:`tests.world.World`, so that a test moves here by another fixture; what it did to the
billing database it does to ``world.books``.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, NoReturn

import attrs

from tests.world import World
from tollbridge.jobs.daily import Run
from tollbridge.memory import Books
from tollbridge.model import Currency
from tollbridge.solus.sandbox import Panel, running, small_company

CURRENCIES = (Currency("USD"), Currency("EUR"), Currency("JPY", decimals=0), Currency("KWD", decimals=3))
MEMORY = """use = "tollbridge.memory:MemoryBilling"

[adapter.settings]
books = "{folder}"
"""


@attrs.define
class SmallWorld(World):
    """Everything a test of the core needs; ``books`` are the billing system, with clients, invoices and troubles."""

    books: Books = attrs.field(factory=Books)

    def adapter_table(self) -> str:
        """Billing in memory, with this world's books."""
        return MEMORY.format(folder=self.folder)

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

    def billed(self) -> dict[str, str]:
        """What the books hold: the subtotal by reference."""
        booked = sorted(self.books.invoices, key=lambda each: each.reference)
        return {each.reference: f"{each.subtotal.normalize():f}" for each in booked}

    def database(self) -> NoReturn:
        """There is none."""
        raise AssertionError("a small world has no database: look at world.books")


@contextmanager
def a_small_world(folder: Path, ledger_url: str = "", **more: Any) -> Iterator[SmallWorld]:
    """A small world on 1 June 2026, with the guide's plans, four currencies, and no clients yet."""
    books = Books.named(str(folder))
    for currency in CURRENCIES:
        books.add_currency(currency)
    panel = Panel(datetime(2026, 6, 1, tzinfo=UTC))
    small_company(panel)
    with running(panel) as url:
        yield SmallWorld(folder, panel, url, "", ledger_url or f"sqlite:///{folder}/tollbridge.db", books=books, **more)
