"""WHMCS as the conformance kit sees it: the simulator, without the adapter."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from decimal import Decimal

import attrs

from tollbridge import Client, Currency, Discount, InvoiceStatus, Secret
from tollbridge.conformance import Held, HeldLine, OtherSide
from tollbridge.http import Retry
from tollbridge.sandbox import Fault
from tollbridge_whmcs_like import WhmcsAdapter
from tollbridge_whmcs_like.sandbox import Install
from tollbridge_whmcs_like.settings import WhmcsSettings

QUICK = Retry(attempts=2, wait_initial=0.01, wait_max=0.01)
CUSTOM_FIELD = 7
_WORDS = {
    "cancelled": "Cancelled",
    "paid": "Paid",
    "unpaid": "Unpaid",
    "pending": "Payment Pending",
    "refunded": "Refunded",
}


class WhmcsSide(OtherSide):
    """An install with short pages."""

    def __init__(self, install: Install, url: str) -> None:
        self.install = install
        self.url = url
        self.page_size = install.page_limit
        self.secret = install.secret
        self.secrets = (install.identifier, install.secret, install.access_key)

    def settings(self) -> WhmcsSettings:
        """``[adapter.whmcs_like]``."""
        key = self.install.access_key
        return WhmcsSettings(
            self.url,
            Secret(self.install.identifier),
            Secret(self.secret),
            access_key=Secret(key) if key else None,
            custom_field=CUSTOM_FIELD,
        )

    def adapter(self) -> WhmcsAdapter:
        return WhmcsAdapter(self.settings(), QUICK)

    def add_currency(self, currency: Currency) -> None:
        writing = 4 if currency.decimals == 0 else 2
        self.install.add_currency(currency.code, prefix=currency.prefix, suffix=currency.suffix, format=writing)

    def add_client(self, client: Client) -> int:
        return self.install.add_client(
            client.email,
            currency=client.currency,
            first_name=client.first_name,
            last_name=client.last_name,
            company=client.company,
            status=client.status.capitalize(),
            country=client.country,
            state=client.state,
            tax_exempt=client.tax_exempt,
            language={"de": "german", "en": "english"}.get(client.language, ""),
            client_id=client.id,
        )

    def invoices(self) -> list[Held]:
        clients = {client.id: client for client in self.install.clients}
        return [
            Held(
                id=invoice.id,
                client_id=invoice.client_id,
                currency=clients[invoice.client_id].currency,
                status=InvoiceStatus(
                    {"Payment Pending": "pending", "Collections": "unpaid"}.get(invoice.status, invoice.status.lower())
                ),
                issue_date=invoice.date,
                due_date=invoice.duedate or date.min,
                lines=tuple(HeldLine(line.description, line.amount) for line in invoice.lines),
                total=invoice.total,
            )
            for invoice in self.install.invoices()
        ]

    def set_status(self, invoice_id: int | str, status: InvoiceStatus) -> None:
        self.install.set_invoice(int(invoice_id), status=_WORDS[status])

    def close_client(self, client_id: int) -> None:
        self.install.set_client(client_id, status="Closed")

    def remove_currency(self, code: str) -> None:
        with self.install.lock:
            del self.install._currencies[code]

    def move_invoice(self, invoice_id: int | str, client_id: int) -> None:
        """As where WHMCS merges two clients."""
        number = int(invoice_id)
        with self.install.lock:
            invoice = self.install.invoice(number)
            self.install._by_client[invoice.client_id].remove(number)
            self.install._by_client.setdefault(client_id, []).append(number)
            self.install._invoices[number] = attrs.evolve(invoice, client_id=client_id)

    def remove_invoice(self, invoice_id: int | str) -> None:
        number = int(invoice_id)
        with self.install.lock:
            invoice = self.install._invoices.pop(number)
            self.install._by_client[invoice.client_id].remove(number)

    def merge_clients(self, client_id: int, survivor_id: int) -> None:
        self.install.merge_clients(client_id, survivor_id)

    def pay_part(self, invoice_id: int | str, amount: Decimal) -> None:
        self.install.add_payment(int(invoice_id), amount)

    def postpone(self, invoice_id: int | str, day: date) -> None:
        self.install.set_invoice(int(invoice_id), duedate=day)

    def call_overdue(self, invoice_id: int | str) -> None:
        self.install.set_invoice(int(invoice_id), status="Collections")

    def copy_invoice(self, invoice_id: int | str) -> None:
        """Duplicate Invoice, which copies the notes."""
        invoice = self.install.invoice(int(invoice_id))
        lines = [(line.description, line.amount, line.taxed) for line in invoice.lines]
        self.install.add_invoice(invoice.client_id, lines, notes=invoice.notes, duedate=invoice.duedate)

    def remove_reference(self, invoice_id: int | str) -> None:
        self.install.set_invoice(int(invoice_id), notes="")

    def add_draft(self, client_id: int, words: str) -> int:
        return self.install.add_invoice(client_id, [(words, "99.00", False)], status="Draft")

    def demand_second_factor(self, client_id: int) -> None:
        email = self.install.client(client_id).email.casefold()
        with self.install.lock:
            user = self.install._user_ids[email]
            self.install._users[user] = attrs.evolve(self.install._users[user], two_factor=True)

    @contextmanager
    def short_lists(self) -> Iterator[None]:
        self.install.faults.add(Fault("half_page", path="GetClients", times=None))
        with self.fault(Fault("half_page", path="GetInvoices", times=None)):
            yield

    @contextmanager
    def wrong_key(self) -> Iterator[None]:
        self.install.secret = "another-secret"
        yield
        self.install.secret = self.secret

    @contextmanager
    def missing_permission(self) -> Iterator[None]:
        self.install.quirks.forbidden_actions = ("GetInvoices",)
        yield
        self.install.quirks.forbidden_actions = ()

    @contextmanager
    def outage(self) -> Iterator[None]:
        with self.fault(Fault("503", times=None)):
            yield

    @contextmanager
    def refusal(self) -> Iterator[None]:
        self.install.quirks.forbidden_actions = ("CreateInvoice",)
        yield
        self.install.quirks.forbidden_actions = ()

    @contextmanager
    def lost_answer(self) -> Iterator[None]:
        with self.fault(Fault("lost", path="CreateInvoice", times=None)):
            yield

    @contextmanager
    def fault(self, fault: Fault) -> Iterator[None]:
        """Something goes wrong for a while."""
        self.install.faults.add(fault)
        yield
        self.install.faults.clear()

    def give_discount(self, client_id: int, discount: Discount) -> None:
        percent = (1 - discount.multiplier) * Decimal(100)
        group = self.install.add_group(discount.name, f"{percent:.2f}")
        self.install.set_client(client_id, group_id=group)

    def notes(self, invoice_id: int | str) -> str:
        return self.install.invoice(int(invoice_id)).notes

    def write_notes(self, invoice_id: int | str, notes: str) -> None:
        self.install.set_invoice(int(invoice_id), notes=notes)

    def remembered_user(self, client_id: int) -> int | None:
        value = self.install.custom_field(client_id, CUSTOM_FIELD)
        return int(value) if value else None

    def state(self) -> object:
        return attrs.asdict(self.install.quirks), self.install.clients, self.install.invoices()
