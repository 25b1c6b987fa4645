"""The billing system behind an adapter, as the kit's tests see it."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from datetime import date
from decimal import Decimal
from typing import Any, TypeVar

import attrs
import pytest

from tollbridge.adapters.billing import BillingSystem
from tollbridge.adapters.loading import inabilities, managed
from tollbridge.conformance.adapter_faults import with_the_fault_on_trial
from tollbridge.conformance.wire import Watch, watching
from tollbridge.errors import Refused
from tollbridge.model import Client, Currency, Discount, Invoice, InvoiceLine, InvoiceStatus, TaxRate
from tollbridge.rules.calendar import Month

NOBODY = 987_654
_LISTS = ("clients", "currencies", "unpaid_invoices", "invoices_since", "check")
_Value = TypeVar("_Value")


@attrs.frozen
class HeldLine:
    """A line of an invoice as the billing system holds it."""

    description: str
    amount: Decimal


@attrs.frozen
class Held:
    """An invoice as the billing system holds it.

    Attributes:
        total: with tax, by the billing system's own rules.
    """

    id: int | str
    client_id: int
    currency: str
    status: InvoiceStatus
    issue_date: date
    due_date: date
    lines: tuple[HeldLine, ...]
    total: Decimal


class _Prompt(BillingSystem):
    """The core's view of an adapter, without the wait for what was sent long ago: here nothing lands late.

    It counts the calls that each hook makes, if it is to.
    """

    def __init__(self, side: "OtherSide", *, counted: bool) -> None:
        super().__init__("adapter", managed("adapter", side.new_adapter()))
        self._side = side
        self._counted = counted

    def _guarded(self, hook: str, **arguments: Any) -> Any:
        if hook in _LISTS or not self._counted:
            return super()._guarded(hook, **arguments)
        with self._side.counting(hook):
            return super()._guarded(hook, **arguments)

    def _each(self, hook: str, wanted: type[_Value], **arguments: Any) -> Iterator[_Value | Refused]:
        if not self._counted:
            yield from super()._each(hook, wanted, **arguments)
            return
        with self._side.counting(hook):
            yield from super()._each(hook, wanted, **arguments)

    @property
    def in_doubt_seconds(self) -> float:
        return 0.0


class OtherSide(ABC):
    """The billing system behind an adapter: set up, looked at and broken by tests, without the adapter's help.

    Attributes:
        page_size: how many rows one page of its lists has; None if it has no pages.
        secrets: the credentials in the adapter's settings, which must never show.
        most_calls: how many calls a hook may make, by its name, of an adapter that was asked before, where there are
            two clients with an invoice each. The kit fails for one more. What it finds stands in its last lines.
    """

    page_size: int | None = None
    secrets: tuple[str, ...] = ()
    most_calls: Mapping[str, int] = {}

    @abstractmethod
    def adapter(self) -> Any:
        """A new adapter for this billing system, as a new process would make it. Give its HTTP few, quick retries."""

    @abstractmethod
    def add_currency(self, currency: Currency) -> None:
        """Make a currency active. Nothing happens if it is already."""

    @abstractmethod
    def add_client(self, client: Client) -> int:
        """Make a client like this one, whose currency is active; its id, which may be another than ``client.id``.

        ``client.language`` is ``en``, ``de`` or empty: enter it as the billing system calls it, if it knows languages.
        """

    @abstractmethod
    def invoices(self) -> list[Held]:
        """Every invoice there is, read past the adapter."""

    @abstractmethod
    def set_status(self, invoice_id: int | str, status: InvoiceStatus) -> None:
        """Give an invoice a status, as a human there would: ``paid``, ``cancelled``, ``refunded`` and so on.

        Skip if there is no such status there.
        """

    @abstractmethod
    def outage(self) -> AbstractContextManager[None]:
        """Within it, nothing there can be reached."""

    @abstractmethod
    def refusal(self) -> AbstractContextManager[None]:
        """Within it, it answers every new invoice with a no, and keeps none."""

    @abstractmethod
    def lost_answer(self) -> AbstractContextManager[None]:
        """Within it, it does make a new invoice, and its answer is lost. Skip the test if it has none to lose."""

    def spoil_client(self, client_id: int) -> None:
        """Make the client's record one that cannot be used, as by a status nobody knows. Skip if that is impossible."""
        pytest.skip(f"this other side cannot spoil client {client_id}")

    def close_client(self, client_id: int) -> None:
        """Close a client, as a human there would; its record stays. Skip if that is impossible."""
        pytest.skip(f"this other side cannot close client {client_id}")

    def remove_currency(self, code: str) -> None:
        """Take a currency out of use that no client has, as a human there would. Skip if that is impossible."""
        pytest.skip(f"this other side cannot take the currency {code} out of use")

    def give_discount(self, client_id: int, discount: Discount) -> None:
        """Give the client a discount. Only needed by an adapter that can tell discounts."""
        raise NotImplementedError("this adapter can tell discounts, so its other side must be able to give them")

    def add_tax(self, country: str, tax: TaxRate, level: int = 1) -> None:
        """Charge a tax on everybody in a country; level 2 comes beside level 1, where there are levels.

        Only needed by an adapter that can tell taxes, or cannot be told them; and where a rate that an invoice names
        must be known there before.
        """
        raise NotImplementedError("this adapter's taxes are its billing system's: its other side must add them")

    def move_invoice(self, invoice_id: int | str, client_id: int) -> None:
        """Give an invoice to another client, as where two are merged. Skip if that is impossible there."""
        pytest.skip(f"this other side cannot move invoice {invoice_id} to client {client_id}")

    def remove_invoice(self, invoice_id: int | str) -> None:
        """Delete an invoice, as a human there would. Skip if that is impossible there."""
        pytest.skip(f"this other side cannot remove invoice {invoice_id}")

    def notes(self, invoice_id: int | str) -> str | None:  # noqa: ARG002 - for those who override it
        """What stands in an invoice's notes; None if there are none, or the adapter does not read them."""
        return None

    def write_notes(self, invoice_id: int | str, notes: str) -> None:
        """Put these notes on an invoice in place of its own, as a human would there. Only needed beside ``notes``."""
        raise NotImplementedError("this other side tells its notes, so it must be able to change them")

    def remove_client(self, client_id: int) -> None:
        """Delete a client, as a human there would, and with it whatever goes with it there. Skip if impossible."""
        pytest.skip(f"this other side cannot remove client {client_id}")

    def merge_clients(self, client_id: int, survivor_id: int) -> None:
        """Merge a client into another one, which has its invoices then. Skip if that is impossible there."""
        for invoice in self.invoices():
            if invoice.client_id == client_id:
                self.move_invoice(invoice.id, survivor_id)
        self.remove_client(client_id)

    def pay_part(self, invoice_id: int | str, amount: Decimal) -> None:  # noqa: ARG002
        """Enter a payment, or a credit, of a part of an invoice, which stays open. Skip if that is impossible."""
        pytest.skip(f"this other side cannot enter a part payment of invoice {invoice_id}")

    def copy_invoice(self, invoice_id: int | str) -> None:
        """Duplicate an invoice, with its reference and all, as a human there would. Skip if that is impossible."""
        pytest.skip(f"this other side cannot duplicate invoice {invoice_id}")

    def postpone(self, invoice_id: int | str, day: date) -> None:
        """Give an unpaid invoice another due date, as a human there would. Skip if that is impossible."""
        pytest.skip(f"this other side cannot make invoice {invoice_id} due on {day}")

    def call_overdue(self, invoice_id: int | str) -> None:
        """Let an unpaid invoice be called what the billing system calls one that is past its due date.

        Such as overdue, late or with a collector. Skip if it has no word of its own for that.
        """
        pytest.skip(f"this billing system has no word for an unpaid invoice, such as {invoice_id}, that is overdue")

    def remove_reference(self, invoice_id: int | str) -> None:
        """Take the bridge's reference out of an invoice, as a human there would. Skip if that is impossible."""
        pytest.skip(f"this other side cannot take the reference out of invoice {invoice_id}")

    def spoil_invoice(self, invoice_id: int | str) -> None:
        """Make an invoice one that cannot be read, as by a status nobody knows. Skip if that is impossible."""
        pytest.skip(f"this other side cannot spoil invoice {invoice_id}")

    def add_draft(self, client_id: int, words: str) -> int | str:  # noqa: ARG002
        """Make a draft with one line, as a human there would begin an invoice; its number. Skip if impossible."""
        pytest.skip(f"this other side has no drafts that a human could make for client {client_id}")

    def add_contact(self, client_id: int, email: str) -> None:  # noqa: ARG002
        """Give a client another person, who is no client. Skip if there is no such thing."""
        pytest.skip(f"this other side has no contacts of client {client_id} that could be taken for clients")

    def short_lists(self) -> AbstractContextManager[None]:
        """Within it, every list that is not empty lacks rows that it says it has. Skip if there is no such thing."""
        pytest.skip("this other side cannot give lists that lack rows")

    def wrong_key(self) -> AbstractContextManager[None]:
        """Within it, the adapter's credentials are not good any more. Skip if there are none."""
        pytest.skip("this other side cannot refuse the adapter's credentials")

    def missing_permission(self) -> AbstractContextManager[None]:
        """Within it, the adapter may not do something that it needs, and ``check`` can prove. Skip if impossible."""
        pytest.skip("this other side cannot take a permission away")

    def demand_second_factor(self, client_id: int) -> None:
        """Let the client log in with a second factor only. Skip if there is none."""
        pytest.skip(f"this other side cannot demand a second factor of client {client_id}")

    def opened_by(self, url: str) -> int:  # noqa: ARG002
        """Whose client area a link of ``portal_login_url`` opens, found out past the adapter. Skip if impossible."""
        pytest.skip("this other side cannot say whose client area a link opens")

    def remembered_user(self, client_id: int) -> int | None:
        """The SolusIO user kept with a client. Only needed by an adapter that remembers users."""
        raise NotImplementedError("this adapter remembers users, so its other side must be able to show them")

    def calls(self) -> int | None:
        """How many calls the billing system was asked so far; None: the kit counts them, as HTTP and SQL go by."""
        return None

    def state(self) -> object:
        """All there is to see: two states are equal if nothing was written in between. Override it if there is more."""
        return self.invoices()

    # What follows is for the tests.

    def new_adapter(self) -> Any:
        """What :meth:`adapter` gives; with a fault, where the kit itself is tried."""
        return with_the_fault_on_trial(self.adapter(), self)

    def billing(self, *, counted: bool = True) -> BillingSystem:
        """A new adapter, called and checked as the core does it; its calls are counted, if nobody else makes any."""
        made = _Prompt(self, counted=counted)
        vars(self).setdefault("_made", []).append(made)
        return made

    @contextmanager
    def counting(self, hook: str) -> Iterator[Watch]:
        """Count the calls of one use of a hook that went well, a list's to its end."""
        before = self.calls()
        with watching(Watch()) as watch:
            yield watch
        after = self.calls()
        calls = len(watch.calls) if before is None or after is None else after - before
        if not watch.mixed:
            vars(self).setdefault("_counted", []).append((hook, calls))

    def counted(self) -> list[tuple[str, int]]:
        """How many calls each use of a hook made, so far; nothing of one whose calls nobody can see."""
        found: list[tuple[str, int]] = vars(self).get("_counted", [])
        return found if any(calls for _, calls in found) else []

    def close_adapters(self) -> None:
        """Close every adapter that :meth:`billing` made, if it can be closed."""
        for made in vars(self).pop("_made", []):
            made.close()

    def cannot(self) -> Mapping[str, str]:
        """What the adapter says it cannot do, with the reasons."""
        return inabilities(self.new_adapter())

    def is_dated(self, held: Held, day: date) -> bool:
        """Whether the invoice has this issue date, or the adapter cannot set one."""
        return "issue_date" in self.cannot() or held.issue_date == day

    def needs(self, ability: str) -> None:
        """Skip the test if the adapter cannot do this."""
        if ability in self.cannot():
            pytest.skip(f"cannot {ability}: {self.cannot()[ability] or 'no such hook'}")

    def some_client(self, currency: str = "USD", **fields: Any) -> Client:
        """A client of the billing system, with its id there."""
        self.add_currency(WRITINGS[currency])
        client = a_client(currency=currency, **fields)
        return attrs.evolve(client, id=self.add_client(client))

    def charged_taxes(self, client: Client, *rates: str) -> tuple[TaxRate, ...]:
        """Taxes of these rates for the client, charged there by the time an invoice with them is made.

        Told by the adapter, if it can; else they are bridge.toml's. They are the billing system's own, too, unless an
        invoice says what to charge.
        """
        taxes = tuple(TaxRate(f"tax of {rate} %", Decimal(rate)) for rate in rates)
        cannot = self.cannot()
        are_set = "taxes" in cannot and "set_taxes" not in cannot
        for level, tax in enumerate(taxes, 1):
            try:
                self.add_tax(client.country, tax, level)
            except NotImplementedError:
                if not are_set:
                    raise
        if "taxes" in cannot:
            return taxes
        terms = self.billing().terms(client, MONTH)
        assert terms is not None
        assert terms.taxes
        return terms.taxes

    def the_invoice(self) -> Held:
        """The one invoice there is."""
        found = self.invoices()
        assert len(found) == 1, f"{len(found)} invoices where there should be one"
        return found[0]


MONTH = Month(2026, 6)  # whose terms are asked for
WRITINGS = {
    "USD": Currency("USD", prefix="$"),
    "JPY": Currency("JPY", prefix="¥", decimals=0),
    "KWD": Currency("KWD", suffix=" KD", decimals=3),
}


def a_client(**fields: Any) -> Client:
    """A client of whom everything is known."""
    usual = Client(
        id=1042,
        email="ada@example.com",
        currency="USD",
        first_name="Ada",
        last_name="Ö'Neill & Søn",
        company="Example <Hosting>",
        country="GB",
        state="ENG",
    )
    return attrs.evolve(usual, **fields)


def an_invoice(client: Client, *amounts: str, month: str = "2026-07", **fields: Any) -> Invoice:
    """An invoice for the client, without any tax unless ``taxes`` are given; one line of 4.90 if no amounts are."""
    lines = tuple(
        InvoiceLine(
            f"web-{number}, 1 Core: 700 hours = {7 * number} tokens",
            7 * number,
            Decimal(amount),
            kind="server",
            name=f"web-{number}",
            plan="1 Core",
            hours=700,
            tokens_per_hour=7,
            period_start=Month.parse(month).first_day,
            period_end=Month.parse(month).last_day,
        )
        for number, amount in enumerate(amounts or ("4.90",), 1)
    )
    usual = Invoice(
        reference=f"TB-{month}-{client.id}",
        client_id=client.id,
        currency=client.currency,
        issue_date=date(2026, 8, 1),
        due_date=date(2026, 8, 15),
        lines=lines,
        notes=f"TB-{month}-{client.id}: usage in {month}",
        decimals=WRITINGS[client.currency].decimals,
    )
    return attrs.evolve(usual, **fields)
