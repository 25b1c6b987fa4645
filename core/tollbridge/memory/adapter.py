"""The adapter of the billing system in memory: every hook there is."""

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from functools import partial
from typing import TypeVar
from urllib.parse import quote

import attrs

from tollbridge.adapters.billing import BillingSystem
from tollbridge.adapters.hookspecs import hookimpl
from tollbridge.adapters.loading import managed
from tollbridge.errors import AddressTaken, NotFound, Refused
from tollbridge.memory.books import CHANGES, Booked, Books, Call
from tollbridge.memory.troubles import Trouble
from tollbridge.model import (
    Attempt,
    Check,
    Client,
    Currency,
    Invoice,
    InvoiceStatus,
    Receipt,
    Signup,
    Terms,
    tax_explains,
)
from tollbridge.reference import PREFIX
from tollbridge.words import counted

T = TypeVar("T")

_MOST_SECONDS = 60.0  # that a slow call waits: a test that fails must not wait for ever


@attrs.frozen
class MemorySettings:
    """The adapter's table in bridge.toml."""

    books: str = attrs.field(default="billing", metadata={"doc": "which of this process's books"})


class MemoryBilling:
    """Billing in memory."""

    Settings = MemorySettings
    at_once = 8

    def __init__(self, settings: MemorySettings | None = None, *, books: Books | None = None) -> None:
        self.books = books or (Books() if settings is None else Books.named(settings.books))
        self.cannot = self.books.cannot
        self.in_doubt_seconds = self.books.in_doubt_seconds

    @hookimpl
    def client(self, client_id: int) -> Client | None:
        with self._call("client", client_id):
            if client_id in self.books.unreadable:
                raise _unreadable(client_id)
            return self.books.clients.get(client_id)

    @hookimpl
    def clients(self) -> Iterator[Client | Refused]:
        with self.books.lock:
            unreadable = set(self.books.unreadable)
            clients = list(self.books.clients.values())
        return self._list("clients", [_unreadable(each.id) if each.id in unreadable else each for each in clients])

    @hookimpl
    def currencies(self) -> list[Currency]:
        with self._call("currencies"):
            return list(self.books.currencies.values())

    @hookimpl
    def terms(self, client: Client) -> Terms:
        """None where the books have no such rules at all: bridge.toml's apply."""
        with self._call("terms", client.id):
            discounts = self.books.discounts_of(client) if self.books.discounts else None
            taxes = self.books.rates(client) if self.books.taxes else None
            return Terms(discounts, taxes, self.books.compound)

    @hookimpl
    def create_invoice(self, invoice: Invoice, attempt: Attempt) -> Receipt:
        with self._call("create_invoice", invoice.client_id) as trouble:
            kind = trouble.kind if trouble else ""
            if trouble and kind == "late":
                self.books.postpone(invoice)
                raise trouble.told(surely_undone=False)
            draft = self._draft_of(invoice, attempt)
            if draft is None and not self.books.several_steps and kind != "draft":
                extra = {"extra": trouble.amount} if trouble and kind == "total" else {}
                half = {"lines": invoice.lines[: len(invoice.lines) // 2]} if kind == "half" else {}
                booked = self.books.book(invoice, **extra, **half)
            else:
                booked = self._in_steps(invoice, attempt, draft, trouble)
            if trouble and kind == "half":
                raise trouble.told(surely_undone=False)
            return booked.receipt

    @hookimpl
    def find_invoice(self, client_id: int, reference: str) -> Receipt | None:
        with self._call("find_invoice", client_id):
            found = [each for each in self.books.find(reference) if each.client_id == client_id]
            if len(found) > 1:
                numbers = ", ".join(str(each.number) for each in found)
                raise Refused(f"several invoices have the reference {reference}: {numbers}")
            return found[0].receipt if found else None

    @hookimpl
    def unpaid_invoices(self) -> Iterator[Receipt]:
        return self._list("unpaid_invoices", [each.receipt for each in self.books.invoices if each.status.is_open])

    @hookimpl
    def invoice(self, client_id: int, invoice_id: str) -> Receipt | None:
        with self._call("invoice", client_id):
            return next((each.receipt for each in self.books.invoices if str(each.number) == invoice_id), None)

    @hookimpl
    def invoices_since(self, day: date) -> Iterator[Receipt]:
        found = [each for each in self.books.invoices if each.made_on >= day and each.reference.startswith(PREFIX)]
        return self._list("invoices_since", [each.receipt for each in found])

    @hookimpl
    def check(self) -> list[Check]:
        with self._call("check"):
            return [Check("billing in memory", ok=True, detail=counted(len(self.books.clients), "client"))]

    @hookimpl
    def create_client(self, signup: Signup) -> Client:
        with self._call("create_client"), self.books.lock, self.books.step("create_client"):
            if self._with_address(signup.email) is not None:
                raise AddressTaken(f"somebody has the address {signup.email}")
            names = ("email", "first_name", "last_name", "company", "currency", "country")
            return self.books.new_client(signup.password, **{name: getattr(signup, name) for name in names})

    @hookimpl
    def authenticate(self, email: str, password: str) -> Client | None:
        with self._call("authenticate"):
            client = self._with_address(email)
            return client if client and self.books.has_password(client, password) else None

    @hookimpl
    def portal_login_url(self, client_id: int) -> str | None:
        with self._call("portal_login_url", client_id):
            if client_id not in self.books.clients:
                return None
            return f"https://billing.example.com/login/{client_id}/{secrets.token_urlsafe(12)}"

    @hookimpl
    def invoice_url(self, client_id: int, invoice_id: str) -> str | None:
        with self._call("invoice_url", client_id):
            return f"https://billing.example.com/pay/{quote(invoice_id, safe='')}"

    @hookimpl
    def remember_user(self, client_id: int, solus_user_id: int) -> None:
        with self._call("remember_user", client_id), self.books.step("remember_user"):
            if client_id not in self.books.clients:
                raise NotFound(f"there is no client {client_id}")
            self.books.remembered[client_id] = solus_user_id

    @hookimpl
    def close(self) -> None:
        with self._call("close"):
            pass

    def _with_address(self, email: str) -> Client | None:
        with self.books.lock:
            found = (each for each in self.books.clients.values() if each.email.lower() == email.lower())
            return next(found, None)

    def _draft_of(self, invoice: Invoice, attempt: Attempt) -> Booked | None:
        """The unfinished invoice that an earlier try left: by its number if that was kept, else by its reference."""
        drafts = [each for each in self.books.find(invoice.reference) if each.status is InvoiceStatus.DRAFT]
        kept = [each for each in drafts if str(each.number) == attempt.kept]
        return next(iter(kept or drafts), None)

    def _in_steps(self, invoice: Invoice, attempt: Attempt, draft: Booked | None, trouble: Trouble | None) -> Booked:
        """A draft, its lines one after the other, and the end; from where an earlier try stopped."""
        draft = draft or self._step(
            "new_draft", invoice, lambda: self.books.book(invoice, status=InvoiceStatus.DRAFT, lines=())
        )
        number = draft.number
        attempt.keep(str(number))
        if draft.lines != invoice.lines[: len(draft.lines)]:
            draft = self.books.change_invoice(number, lines=())
        for count in range(len(draft.lines), len(invoice.lines)):
            if trouble and trouble.kind == "half" and count >= len(invoice.lines) // 2:
                return self.books.change_invoice(number, status=InvoiceStatus.UNPAID)
            longer = partial(self.books.change_invoice, number, lines=invoice.lines[: count + 1])
            draft = self._step("add_line", invoice, longer)
        if trouble and trouble.kind == "draft":
            return draft
        if trouble and trouble.kind == "total":
            draft = self.books.change_invoice(number, extra=trouble.amount)
        if not tax_explains(invoice, draft.total):
            self._step("remove_draft", invoice, lambda: self.books.remove_invoice(number))
            attempt.keep("")
            raise Refused(f"{invoice.reference} would come to {draft.total}, which no tax explains")
        dates = {"issue_date": invoice.issue_date, "due_date": invoice.due_date}
        return self._step(
            "finish_draft",
            invoice,
            lambda: self.books.change_invoice(number, status=InvoiceStatus.UNPAID, **dates),
        )

    def _step(self, name: str, invoice: Invoice, change: Callable[[], T]) -> T:
        with self._call(name, invoice.client_id), self.books.step(name):
            return change()

    @contextmanager
    def _call(self, name: str, client_id: int | None = None) -> Iterator[Trouble | None]:
        """One call, noted, and with the trouble it runs into."""
        with self.books.under_way(Call(name, client_id)):
            trouble = self.books.troubles.take(name, client_id)
            if trouble and trouble.kind == "slow":
                trouble.until.wait(_MOST_SECONDS)
            if trouble and trouble.kind == "before":
                raise trouble.told(surely_undone=True)
            yield trouble
            if trouble and trouble.kind == "after":
                raise trouble.told(surely_undone=name not in CHANGES)

    def _list(self, name: str, rows: list[T]) -> Iterator[T]:
        with self._call(name) as trouble:
            torn = trouble is not None and trouble.kind in {"after", "short"}
            yield from rows[: len(rows) // 2] if torn else rows


def _unreadable(client_id: int) -> Refused:
    return Refused(f"client {client_id} cannot be read")


def billing_system(books: Books) -> BillingSystem:
    """The books as the core sees them: typed, checked, and with honest errors."""
    return BillingSystem("memory", managed("memory", MemoryBilling(books=books)))
