"""The billing system in memory, as the conformance kit sets it up, looks at it and breaks it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from decimal import Decimal

from tollbridge import (
    Client,
    Currency,
    Discount,
    Invoice,
    InvoiceLine,
    InvoiceStatus,
    OutcomeUnknown,
    Refused,
    TaxRate,
    Unavailable,
)
from tollbridge.conformance import Held, HeldLine, OtherSide, wire
from tollbridge.memory import Booked, Books, MemoryBilling, Trouble


class MemorySide(OtherSide):
    """Books, looked at and changed past the adapter."""

    secrets = ("hunter2-hunter2",)
    most_calls = {  # noqa: RUF012 - read only
        "client": 1, "clients": 1, "currencies": 1, "terms": 1, "find_invoice": 1, "unpaid_invoices": 1, "invoice": 1,
        "invoices_since": 1, "create_invoice": 4,
    }  # fmt: skip

    def __init__(self, *, several_steps: bool) -> None:
        self.books = Books()
        self.books.several_steps = several_steps
        self.books.in_doubt_seconds = 1.0
        self.books.watch = self._tell_the_kit
        self._begun: wire.Begun | None = None
        self._opened: set[str] = set()

    def _tell_the_kit(self, step: str, done: bool) -> None:
        """Of each step that changes something: it goes over no wire that the kit could hear."""
        watch = wire.current()
        if watch is None:
            return
        if not done:
            self._begun = watch.begin(wire.Call(step, object(), may_write=True), lambda: Unavailable("it is down"))
        elif self._begun is not None:
            watch.end(self._begun, lambda: OutcomeUnknown("no answer came"))

    def adapter(self) -> MemoryBilling:
        return MemoryBilling(books=self.books)

    def add_currency(self, currency: Currency) -> None:
        self.books.add_currency(currency)

    def add_client(self, client: Client) -> int:
        self.books.clients[client.id] = client
        return client.id

    def invoices(self) -> list[Held]:
        return [_held(booked) for booked in self.books.invoices]

    def set_status(self, invoice_id: int | str, status: InvoiceStatus) -> None:
        self.books.change_invoice(int(invoice_id), status=status)

    def close_client(self, client_id: int) -> None:
        self.books.change_client(client_id, status="closed")

    def remove_currency(self, code: str) -> None:
        self.books.remove_currency(code)

    def spoil_client(self, client_id: int) -> None:
        self.books.unreadable.add(client_id)

    def give_discount(self, client_id: int, discount: Discount) -> None:
        self.books.give_discount(client_id, discount)

    def add_tax(self, country: str, tax: TaxRate, level: int = 1) -> None:
        self.books.add_tax(country, tax, level)

    def calls(self) -> int:
        return len(self.books.calls)

    def move_invoice(self, invoice_id: int | str, client_id: int) -> None:
        self.books.change_invoice(int(invoice_id), client_id=client_id)

    def remove_invoice(self, invoice_id: int | str) -> None:
        self.books.remove_invoice(int(invoice_id))

    def notes(self, invoice_id: int | str) -> str:
        [booked] = [each for each in self.books.invoices if each.number == int(invoice_id)]
        return booked.notes

    def write_notes(self, invoice_id: int | str, notes: str) -> None:
        self.books.change_invoice(int(invoice_id), notes=notes)

    def remove_client(self, client_id: int) -> None:
        self.books.remove_client(client_id)

    def pay_part(self, invoice_id: int | str, amount: Decimal) -> None:
        self.books.change_invoice(int(invoice_id), paid=amount)

    def postpone(self, invoice_id: int | str, day: date) -> None:
        self.books.change_invoice(int(invoice_id), due_date=day)

    def copy_invoice(self, invoice_id: int | str) -> None:
        self.books.copy_invoice(int(invoice_id))

    def remove_reference(self, invoice_id: int | str) -> None:
        self.books.change_invoice(int(invoice_id), reference="", notes="")

    def add_draft(self, client_id: int, words: str) -> int:
        day = date(2026, 8, 1)
        lines = [InvoiceLine(words, 0, Decimal("99.00"))]
        draft = Invoice("", client_id, self.books.clients[client_id].currency, day, day, lines)
        return self.books.book(draft, status=InvoiceStatus.DRAFT).number

    @contextmanager
    def wrong_key(self) -> Iterator[None]:
        """Whole lists are unavailable then; a no is for one record, or for one who logs in."""
        no = Refused("the key is wrong")
        self.books.troubles.add(Trouble("before", "authenticate", times=None, error=no))
        with self._trouble(Trouble("before", times=None, error=Unavailable(str(no)))):
            yield

    @contextmanager
    def missing_permission(self) -> Iterator[None]:
        with self._trouble(Trouble("before", "check", times=None, error=Refused("it may not"))):
            yield

    def demand_second_factor(self, client_id: int) -> None:
        self.books._passwords.pop(client_id)

    def opened_by(self, url: str) -> int:
        """A link is good once."""
        assert url not in self._opened
        self._opened.add(url)
        return int(url.split("/")[-2])

    def remembered_user(self, client_id: int) -> int | None:
        return self.books.remembered.get(client_id)

    @contextmanager
    def outage(self) -> Iterator[None]:
        with self._trouble(Trouble("before", times=None)):
            yield

    @contextmanager
    def refusal(self) -> Iterator[None]:
        with self._trouble(Trouble("before", "create_invoice", times=None, error=Refused("the books are closed"))):
            yield

    @contextmanager
    def lost_answer(self) -> Iterator[None]:
        with self._trouble(Trouble("after", "create_invoice", times=None)):
            yield

    @contextmanager
    def _trouble(self, trouble: Trouble) -> Iterator[None]:
        self.books.troubles.add(trouble)
        yield
        self.books.troubles.clear()


def _held(booked: Booked) -> Held:
    return Held(
        id=booked.number,
        client_id=booked.client_id,
        currency=booked.currency,
        status=booked.status,
        issue_date=booked.issue_date,
        due_date=booked.due_date,
        lines=tuple(HeldLine(line.description, line.amount) for line in booked.lines),
        total=booked.total,
    )
