"""What the billing system in memory knows: clients, currencies, taxes, discounts and invoices; and who called it."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import reduce
from typing import Any, ClassVar
from weakref import WeakValueDictionary

import attrs

from tollbridge.errors import NotFound, Refused
from tollbridge.memory.troubles import Troubles
from tollbridge.model import (
    EXACT,
    Client,
    Currency,
    Discount,
    Invoice,
    InvoiceLine,
    InvoiceStatus,
    Receipt,
    TaxRate,
    tax_factor,
)
from tollbridge.reference import months_in

STEPS = ("new_draft", "add_line", "finish_draft", "remove_draft")
CHANGES = frozenset({"create_invoice", "create_client", "remember_user", *STEPS})


@attrs.frozen
class Booked:
    """An invoice as it is kept.

    Attributes:
        made_on: the day on which it came to be.
        extra: what it comes to beyond its lines and taxes, which no billing system should do.
    """

    number: int
    reference: str
    client_id: int
    currency: str
    status: InvoiceStatus = attrs.field(converter=InvoiceStatus)
    made_on: date
    issue_date: date
    due_date: date
    lines: tuple[InvoiceLine, ...]
    notes: str
    taxes: tuple[TaxRate, ...] = ()
    compound: bool = False
    prices_include_tax: bool = False
    decimals: int = 2
    extra: Decimal = Decimal(0)
    paid: Decimal = Decimal(0)

    @property
    def subtotal(self) -> Decimal:
        """The sum of its lines."""
        return reduce(EXACT.add, (line.amount for line in self.lines), Decimal(0))

    @property
    def total(self) -> Decimal:
        """Its lines, with the taxes that are charged on it, rounded once, half up."""
        factor = Decimal(1) if self.prices_include_tax else tax_factor(self.taxes, compound=self.compound)
        amounts = (EXACT.multiply(line.amount, factor if line.taxed else 1) for line in self.lines)
        unit = Decimal(1).scaleb(-self.decimals)
        return EXACT.add(reduce(EXACT.add, amounts, Decimal(0)).quantize(unit, context=EXACT), self.extra)

    @property
    def receipt(self) -> Receipt:
        """It, as the adapter tells it."""
        return Receipt(
            id=self.number,
            reference=self.reference,
            client_id=self.client_id,
            status=self.status,
            due_date=self.due_date,
            total=self.total,
            balance=self.total - self.paid,
            subtotal=self.subtotal,
            currency=self.currency,
            months=months_in(self.notes, self.reference),
        )


@attrs.frozen
class Call:
    """One call: a hook or a step, and the client it was about, if any."""

    name: str
    client_id: int | None


class Books:
    """The billing system itself, and the controls of whoever tries something with it. It may be used by any threads.

    Attributes:
        troubles: what goes wrong, on request.
        cannot: what the adapter says it cannot do; ``three_decimals``, ``prices_include_tax`` and
            ``negative_lines`` are refused then.
        in_doubt_seconds: how long after a request without an answer its invoice may still appear.
        several_steps: whether an invoice is made in several calls: a draft, one line after the other, and an end.
        today: the day on which invoices come to be; None: the real one.
        watch: called before (False) and after (True) each step that changes something, with the step's name; what it
            raises is let through.
        remembered: the SolusIO user kept with each client.
        calls: every call there was, in order: hooks, and the steps of an invoice that is made in several.
        most_at_once: the most hooks that were being answered at the same moment.
    """

    _named: ClassVar["WeakValueDictionary[str, Books]"] = WeakValueDictionary()
    _names: ClassVar[threading.Lock] = threading.Lock()

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.troubles = Troubles()
        self.cannot: dict[str, str] = {"set_taxes": "where these books have taxes of their own, they charge them"}
        self.in_doubt_seconds = 0.0
        self.several_steps = False
        self.today: date | None = None
        self.watch: Callable[[str, bool], None] | None = None
        self.remembered: dict[int, int] = {}
        self.calls: list[Call] = []
        self.most_at_once = 0
        self.currencies: dict[str, Currency] = {}
        self.clients: dict[int, Client] = {}
        self.unreadable: set[int] = set()
        self.taxes: list[tuple[str, int, TaxRate]] = []
        self.discounts: list[tuple[int, Discount]] = []
        self.compound = False
        self._passwords: dict[int, str] = {}
        self._invoices: dict[int, Booked] = {}
        self._last_number = 0
        self._late: list[Invoice] = []
        self._under_way = 0

    @classmethod
    def named(cls, name: str) -> "Books":
        """The books of this name in this process, as long as somebody holds them; new ones if nobody does."""
        with cls._names:
            found = cls._named.get(name)
            if found is None:
                found = cls._named[name] = cls()
            return found

    # What a human there does.

    def add_currency(self, currency: Currency) -> None:
        """Make a currency active. While there is none, the books cannot say which there are, and take any."""
        with self.lock:
            self.currencies[currency.code] = currency

    def remove_currency(self, code: str) -> None:
        """Make a currency inactive."""
        with self.lock:
            del self.currencies[code]

    def add_client(self, client_id: int, currency: str = "USD", **fields: Any) -> Client:
        """A client with this id, or another in its place; its address is client<id>@example.com unless given."""
        client = Client(**{"id": client_id, "email": f"client{client_id}@example.com", "currency": currency, **fields})
        with self.lock:
            self.clients[client.id] = client
        return client

    def new_client(self, password: str, **fields: Any) -> Client:
        """A client with the next free id."""
        with self.lock:
            client = self.add_client(max(self.clients, default=1041) + 1, **fields)
            self._passwords[client.id] = password
            return client

    def has_password(self, client: Client, password: str) -> bool:
        """Whether it is the client's; one that was entered by hand has none."""
        with self.lock:
            return bool(password) and self._passwords.get(client.id) == password

    def change_client(self, client_id: int, **fields: Any) -> None:
        """Other values for some of a client's fields, such as ``status="closed"``."""
        with self.lock:
            self.clients[client_id] = attrs.evolve(self.clients[client_id], **fields)

    def remove_client(self, client_id: int) -> None:
        """Delete a client; its invoices stay."""
        with self.lock:
            del self.clients[client_id]

    def add_tax(self, country: str, tax: TaxRate, level: int = 1) -> None:
        """Charge a tax on everybody in a country. While there is none, each invoice is charged what it says."""
        with self.lock:
            self.taxes.append((country, level, tax))

    def give_discount(self, client_id: int, discount: Discount) -> None:
        """Give a client a discount. While nobody has one, the books cannot tell any."""
        with self.lock:
            self.discounts.append((client_id, discount))

    def pay(self, reference: str, amount: Decimal | None = None) -> None:
        """Pay an invoice, or a part of it."""
        with self.lock:
            [booked] = self.find(reference)
            paid = booked.total if amount is None else booked.paid + amount
            status = InvoiceStatus.PAID if paid >= booked.total else booked.status
            self.change_invoice(booked.number, paid=paid, status=status)

    def bounce(self, reference: str) -> None:
        """Take back all that was paid of an invoice: it is unpaid."""
        with self.lock:
            [booked] = self.find(reference)
            self.change_invoice(booked.number, paid=Decimal(0), status=InvoiceStatus.UNPAID)

    def set_status(self, reference: str, status: str) -> None:
        """Give the invoices of this reference a status."""
        with self.lock:
            for booked in self.find(reference):
                self.change_invoice(booked.number, status=status)

    def change_invoice(self, number: int, **fields: Any) -> Booked:
        """Other values for some of an invoice's fields: another ``due_date``, or ``client_id`` of merged clients."""
        with self.lock:
            booked = self._invoices[number] = attrs.evolve(self._invoices[number], **fields)
            return booked

    def remove_invoice(self, number: int) -> None:
        """Delete an invoice, as if it had never been."""
        with self.lock:
            del self._invoices[number]

    def copy_invoice(self, number: int, **fields: Any) -> Booked:
        """An invoice like another one, notes and reference included, with the next number."""
        with self.lock:
            return self._put(attrs.evolve(self._invoices[number], made_on=self._day(), **fields))

    def add_invoice(self, reference: str, client_id: int, amount: str, **fields: Any) -> Booked:
        """An invoice that somebody else made, of one line."""
        usual = {
            "currency": self.clients[client_id].currency,
            "issue_date": self._day(),
            "due_date": self._day(),
            "lines": [InvoiceLine("something else", 0, Decimal(amount))],
        }
        return self.book(Invoice(reference=reference, client_id=client_id, **{**usual, **fields}))

    def land(self) -> None:
        """Make the invoices whose answers came before they did."""
        with self.lock:
            late, self._late = self._late, []
        for invoice in late:
            self.book(invoice)

    # What is there.

    @property
    def invoices(self) -> list[Booked]:
        """Every invoice, drafts included, in the order in which they were made."""
        with self.lock:
            return list(self._invoices.values())

    def find(self, reference: str) -> list[Booked]:
        """Every invoice with this reference."""
        return [booked for booked in self.invoices if booked.reference == reference]

    def asked(self, call: str) -> int:
        """How often a hook or step was called."""
        return sum(each.name == call for each in self.calls)

    def rates(self, client: Client) -> tuple[TaxRate, ...]:
        """The taxes that apply where the client lives, first level first, whether it is exempt or not."""
        with self.lock:
            found = sorted((each for each in self.taxes if each[0] == client.country), key=lambda each: each[1])
            return tuple(tax for _country, _level, tax in found)

    def discounts_of(self, client: Client) -> tuple[Discount, ...]:
        """The client's discounts."""
        with self.lock:
            return tuple(discount for client_id, discount in self.discounts if client_id == client.id)

    # What its API does.

    def book(self, invoice: Invoice, **fields: Any) -> Booked:
        """Enter an invoice, unpaid unless ``fields`` say otherwise, or refuse it."""
        with self.lock, self.step("book"):
            self._refuse(invoice)
            usual = {
                "number": 0,
                "reference": invoice.reference,
                "client_id": invoice.client_id,
                "currency": invoice.currency,
                "status": InvoiceStatus.UNPAID,
                "made_on": self._day(),
                "issue_date": invoice.issue_date,
                "due_date": invoice.due_date,
                "lines": invoice.lines,
                "notes": invoice.notes,
                "taxes": self._charged(invoice),
                "compound": self.compound if self.taxes else invoice.compound,
                "prices_include_tax": invoice.prices_include_tax,
                "decimals": self._decimals(invoice),
            }
            return self._put(Booked(**{**usual, **fields}))

    def postpone(self, invoice: Invoice) -> None:
        """Take an invoice that is made later, by :meth:`land`."""
        with self.lock:
            self._late.append(invoice)

    @contextmanager
    def under_way(self, call: Call) -> Iterator[None]:
        """While a call is answered."""
        more = call.name not in STEPS
        with self.lock:
            self.calls.append(call)
            self._under_way += more
            self.most_at_once = max(self.most_at_once, self._under_way)
        try:
            yield
        finally:
            with self.lock:
                self._under_way -= more

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """One step that changes something, watched by whoever wants to."""
        if self.watch is not None:
            self.watch(name, False)
        yield
        if self.watch is not None:
            self.watch(name, True)

    def _put(self, booked: Booked) -> Booked:
        self._last_number += 1
        made = self._invoices[self._last_number] = attrs.evolve(booked, number=self._last_number)
        return made

    def _refuse(self, invoice: Invoice) -> None:
        """What the books cannot keep exactly is not kept at all."""
        if invoice.client_id not in self.clients:
            raise NotFound(f"there is no client {invoice.client_id}")
        if self.currencies and invoice.currency not in self.currencies:
            raise Refused(f"{invoice.reference}: the currency {invoice.currency} is not active")
        if "prices_include_tax" in self.cannot and invoice.prices_include_tax and invoice.taxes:
            raise Refused(f"{invoice.reference}: {self.cannot['prices_include_tax']}")
        if "negative_lines" in self.cannot and any(line.amount < 0 for line in invoice.lines):
            raise Refused(f"{invoice.reference}: {self.cannot['negative_lines']}")
        decimals = min(self._decimals(invoice), 2) if "three_decimals" in self.cannot else self._decimals(invoice)
        unit = Decimal(1).scaleb(-decimals)
        if any(line.amount != line.amount.quantize(unit, context=EXACT) for line in invoice.lines):
            raise Refused(f"{invoice.reference} has amounts with more than {decimals} decimals")

    def _decimals(self, invoice: Invoice) -> int:
        currency = self.currencies.get(invoice.currency)
        return invoice.decimals if currency is None else currency.decimals

    def _charged(self, invoice: Invoice) -> tuple[TaxRate, ...]:
        """The books' own rules, if they have any; else what the customer was shown."""
        client = self.clients[invoice.client_id]
        if client.tax_exempt:
            return ()
        return self.rates(client) if self.taxes else invoice.taxes

    def _day(self) -> date:
        return self.today or datetime.now(UTC).date()
