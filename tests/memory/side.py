"""The billing system in memory, as the conformance kit sets it up, looks at it and breaks it."""

from collections.abc import Iterator
from contextlib import contextmanager

from tollbridge import Client, Currency, Discount, InvoiceStatus, Refused, TaxRate
from tollbridge.conformance import Held, HeldLine, OtherSide
from tollbridge.memory import Booked, Books, MemoryBilling, Trouble


class MemorySide(OtherSide):
    """Books, looked at and changed past the adapter."""

    def __init__(self, *, several_steps: bool) -> None:
        self.books = Books()
        self.books.several_steps = several_steps

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
