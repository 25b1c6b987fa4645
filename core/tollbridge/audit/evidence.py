"""The sources of an audit, each read once, when the first check asks for it."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, date, datetime
from functools import partial
from typing import Self, TypeVar

import attrs

from tollbridge.adapters.billing import BillingSystem
from tollbridge.audit.arithmetic import Fault, faults
from tollbridge.audit.items import Items
from tollbridge.audit.people import People
from tollbridge.audit.receipts import Receipts
from tollbridge.audit.scratch import pages
from tollbridge.config import FEED, METER, Settings
from tollbridge.errors import AdapterFault, Conflict, Refused, ServiceError
from tollbridge.ledger import Ledger
from tollbridge.ledger.months import KnownMonth
from tollbridge.model import UserUsage
from tollbridge.rules.calendar import Month
from tollbridge.rules.entry import Entry
from tollbridge.solus import Solus
from tollbridge.usage import UsageSource, built_in_source, read_usage

Item = TypeVar("Item")
Value = TypeVar("Value")

Progress = Callable[[str, int], None]

_TELL_EVERY = 100


@attrs.frozen
class Sources:
    """What is asked: both banks, the ledger, and where usage comes from today."""

    settings: Settings
    solus: Solus
    billing: BillingSystem
    ledger: Ledger
    usage: UsageSource


@attrs.define
class Evidence:
    """What the sources say, as far as it was asked for.

    Attributes:
        months: those that are audited, oldest first.
        only_one: whether one month was asked for, and nothing else.
        known: what the ledger has of every month it has begun, oldest first.
        day: the day that the last run stood for that looked at unpaid invoices; None: none has.
        reported: by month, all tokens of a reading, as they were counted while they were read.
        added_up: how many entries of the audited months were added up while they were read.
        wrong_sums: what of them did not add up.
    """

    sources: Sources
    months: tuple[Month, ...]
    only_one: bool
    known: dict[Month, KnownMonth]
    day: date | None
    progress: Progress
    items: Items = attrs.field(factory=Items)
    people: People = attrs.field(factory=People)
    receipts: Receipts = attrs.field(factory=Receipts)
    reported: dict[Month, int] = attrs.Factory(dict)
    added_up: int = 0
    wrong_sums: list[Fault] = attrs.Factory(list)
    _outcomes: dict[str, ServiceError | AdapterFault | None] = attrs.Factory(dict)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with ExitStack() as stack:
            for scratch in (self.items, self.people, self.receipts):
                stack.enter_context(scratch)

    def _once(self, what: str, read: Callable[[], None]) -> None:
        """Read something unless it was; one that could not be read is not asked for again."""
        if what not in self._outcomes:
            self._outcomes[what] = None
            try:
                read()
            except (ServiceError, AdapterFault) as error:
                self._outcomes[what] = error
        if (failed := self._outcomes[what]) is not None:
            raise failed

    def at_once(self, ask: Callable[[Item], Value], items: Iterable[Item], step: str) -> Iterator[tuple[Item, Value]]:
        """What the billing system answers for each, several at once; the first error ends it."""
        billing = self.sources.billing
        done = 0
        with ThreadPoolExecutor(self.sources.settings.billing.at_once or billing.at_once) as pool:
            for page in pages(items):
                yield from zip(page, pool.map(ask, page), strict=True)
                done += len(page)
                self.progress(step, done)

    # Usage

    def read_usage(self) -> None:
        """Every month's usage, whole, from the source and of the interval that it was billed by.

        Raises:
            ServiceError: a month cannot be read whole, or its source is not in bridge.toml any more.
        """
        self._once("usage", self._read_usage)

    def _read_usage(self) -> None:
        for month in self.months:
            start, end = self.sources.ledger.months.interval(month, self.sources.settings.billing.timezone)
            source, keep = self._source(self.known[month]), partial(self._keep_usage, month)
            reading = read_usage(source, start, end, keep, ended=True, now=datetime.now(UTC))
            self.reported[month] = reading.tokens
            unassigned = self.items.unassigned(month)
            self.items.assign(month, self.sources.ledger.accounts.clients_of_users(unassigned))

    def _keep_usage(self, month: Month, rows: Iterator[UserUsage]) -> None:
        self.items.use(month, self._shown(f"usage of {month}", rows))

    def _shown(self, step: str, rows: Iterator[Value | Refused]) -> Iterator[Value]:
        """The rows of a list, with progress; one that cannot be read is raised, for nothing is judged on a part."""
        for number, row in enumerate(rows, 1):
            if isinstance(row, Refused):
                raise row
            if number % _TELL_EVERY == 0:
                self.progress(step, number)
            yield row

    def _source(self, known: KnownMonth) -> UsageSource:
        sources, name = self.sources, known.source or self.sources.usage.name
        if name == sources.usage.name:
            return sources.usage
        if name in {FEED, METER}:
            usage = attrs.evolve(sources.settings.solus.usage, source=name)
            solus = attrs.evolve(sources.settings.solus, usage=usage)
            return built_in_source(attrs.evolve(sources.settings, solus=solus), sources.solus, sources.ledger)
        raise Conflict(
            f"{known.month} was billed from {name}, and bridge.toml names {sources.usage.name} as solus.usage.source:"
            f" audit the other months one by one (--month), or name {name} for the time of the audit"
        )

    # What is billed

    def read_books(self) -> None:
        """What stands on invoices and in corrections of the months' usage, whichever entry has it.

        Entries are read this once, so their sums are added up on the way.
        """
        self._once("books", self._read_books)

    def _read_books(self) -> None:
        ledger, first = self.sources.ledger, self.months[0]
        elsewhere = set[Month]()
        done = 0
        for month in sorted(each for each in self.known if each >= first):
            for page in ledger.invoices.pages_of(month):
                if month in self.months:
                    self._add_up(month, page)
                elsewhere |= {Month.parse(into) for into in self._bill(page) if into < str(first)}
                done += len(page)
                self.progress("entries", done)
        for month in sorted(elsewhere):  # the last invoice of a closed client is that of the first month it has
            for page in ledger.invoices.pages_of(month):
                self._bill(page)
        self.items.find_carried()
        for month in self.months:
            for found in ledger.corrections.of_month(month):
                self.items.correct(found)

    def _bill(self, page: list[Entry]) -> set[str]:
        """Add entries to what is billed; the months whose invoices took some of them in."""
        months = {str(month) for month in self.months}
        for entry in page:
            self.items.bill(entry, months)
        return {entry.carried_into for entry in page if entry.carried_into is not None}

    def _add_up(self, month: Month, page: list[Entry]) -> None:
        kept = self.sources.ledger.price_lists.find(month)
        self.added_up += len(page)
        self.wrong_sums += faults(self.sources.ledger, page, kept.prices if kept else None)

    # The billing system

    @property
    def lists_invoices(self) -> bool:
        """Whether the billing system can list what it has of the bridge's."""
        return self.sources.billing.can("invoices_since")

    def read_receipts(self) -> None:
        """All invoices that were made with a reference of the bridge since the first month began.

        Raises:
            Refused: one of them cannot be read.
        """
        since, first = self.sources.billing.invoices_since, self.months[0].first_day
        self._once("receipts", lambda: self.receipts.fill(self._shown("invoices there", since(first))))

    def read_unpaid(self) -> None:
        """All invoices that are unpaid, or whose payment is under way.

        Raises:
            Refused: one of them cannot be read.
        """
        unpaid = self.sources.billing.unpaid_invoices
        self._once("unpaid", lambda: self.receipts.fill_unpaid(self._shown("unpaid invoices", unpaid())))

    def read_clients(self) -> None:
        """All clients that the billing system lists.

        Raises:
            Refused: one of them cannot be read.
        """
        clients = self.sources.billing.clients
        self._once("clients", lambda: self.people.fill_clients(self._shown("clients", clients())))

    # SolusIO

    def read_users(self) -> None:
        """All of SolusIO's users."""
        self._once("users", lambda: self.sources.solus.read_users(self.people.fill_users))
