"""Ubersmith as the conformance kit sees it: the simulator, without the adapter."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, time
from decimal import Decimal

import attrs
import pytest

from tollbridge import Client, ClientStatus, Currency, Discount, InvoiceStatus, Secret, TaxRate
from tollbridge.conformance import Held, HeldLine, OtherSide
from tollbridge.http import Retry
from tollbridge.sandbox import Fault
from tollbridge_ubersmith import UbersmithAdapter
from tollbridge_ubersmith.sandbox import Install, Invoice
from tollbridge_ubersmith.settings import UbersmithSettings

QUICK = Retry(attempts=2, wait_initial=0.01, wait_max=0.01)
_STATUSES = (InvoiceStatus.UNPAID, InvoiceStatus.PAID, InvoiceStatus.CANCELLED)
_ACTIVE = {ClientStatus.ACTIVE: 1, ClientStatus.INACTIVE: 2, ClientStatus.CLOSED: 0}


class UbersmithSide(OtherSide):
    """An install with short pages, whose currency is that of the client who was added last."""

    def __init__(
        self, install: Install, url: str, timezone: str | None = None, custom_field: str | None = None
    ) -> None:
        self.install = install
        self.url = url
        self.timezone = timezone
        self.field = custom_field
        self.currency = "USD"
        self.page_size = install.quirks.most_rows
        self.token = install.token
        self.secrets = (install.token,)

    def settings(self) -> UbersmithSettings:
        """``[adapter.ubersmith]``."""
        return UbersmithSettings(
            self.url,
            self.install.user,
            Secret(self.token),
            currency=self.currency,
            brand_id=1,
            timezone=self.timezone,
            custom_field=self.field,
        )

    def adapter(self) -> UbersmithAdapter:
        return UbersmithAdapter(self.settings(), QUICK)

    def add_currency(self, currency: Currency) -> None:
        self.currency = currency.code

    def add_client(self, client: Client) -> int:
        number = self.install.add_client(
            client.email,
            client_id=client.id,
            first=client.first_name,
            last=client.last_name,
            company=client.company,
            country=client.country,
            state=client.state,
            active=_ACTIVE[client.status],
        )
        if client.tax_exempt:
            self.install.exempt(number)
        return number

    def invoices(self) -> list[Held]:
        return [self._held(invoice) for invoice in self.install.invoices.values()]

    def _held(self, invoice: Invoice) -> Held:
        zone = self.settings().zone
        return Held(
            id=invoice.id,
            client_id=invoice.client_id,
            currency=self.currency,
            status=_STATUSES[invoice.paid],
            issue_date=invoice.date.astimezone(zone).date(),
            due_date=invoice.due.astimezone(zone).date(),
            lines=tuple(HeldLine(pack.description, pack.cost) for pack in invoice.packs),
            total=invoice.amount,
        )

    def set_status(self, invoice_id: int | str, status: InvoiceStatus) -> None:
        if status is InvoiceStatus.REFUNDED:
            pytest.skip("Ubersmith has no refunded invoices")
        if status is InvoiceStatus.PAID:
            self.install.pay(int(invoice_id))
        else:
            self.install.disregard(int(invoice_id))

    def close_client(self, client_id: int) -> None:
        self.install.change_client(client_id, active=_ACTIVE[ClientStatus.CLOSED])

    def postpone(self, invoice_id: int | str, day: date) -> None:
        self.install.change_invoice(int(invoice_id), due=datetime.combine(day, time(12), self.settings().zone))

    def move_invoice(self, invoice_id: int | str, client_id: int) -> None:
        invoice = self.install.change_invoice(int(invoice_id), client_id=client_id)
        for pack in invoice.packs:
            self.install.change_service(pack.service_id, client_id=client_id)

    def remove_invoice(self, invoice_id: int | str) -> None:
        """As where it was deleted in the database, with its services; Ubersmith itself only disregards."""
        for pack in self.install.invoices.pop(int(invoice_id)).packs:
            del self.install.services[pack.service_id]

    def spoil_client(self, client_id: int) -> None:
        self.install.change_client(client_id, active=7)

    def give_discount(self, client_id: int, discount: Discount) -> None:
        self.install.change_client(client_id, discount=(1 - discount.multiplier) * 100)

    def add_tax(self, country: str, tax: TaxRate, level: int = 1) -> None:
        """A rate of this name, if there is none; rates have no place."""
        if tax.label not in {rate.name for rate in self.install.rates.values()}:
            self.install.add_rate(tax.label, tax.rate / 100)

    def charged_taxes(self, client: Client, *rates: str) -> tuple[TaxRate, ...]:
        """Those of bridge.toml, with a rate of the same name in Ubersmith for each."""
        taxes = super().charged_taxes(client, *rates)
        for tax in taxes:
            self.add_tax(client.country, tax)
        return taxes

    def remove_client(self, client_id: int) -> None:
        """As where it was deleted in the database, with its services and invoices; Ubersmith itself deactivates."""
        install = self.install
        del install.clients[client_id]
        for table in (install.services, install.invoices):
            for number in [row.id for row in table.values() if row.client_id == client_id]:
                del table[number]

    def pay_part(self, invoice_id: int | str, amount: Decimal) -> None:
        self.install.pay(int(invoice_id), amount)

    def copy_invoice(self, invoice_id: int | str) -> None:
        """As where it was copied in the database; Ubersmith itself copies no invoices."""
        copy = attrs.evolve(self.install.known_invoice(int(invoice_id)), id=int(invoice_id) + 10_000)
        self.install.invoices[copy.id] = copy

    def remove_reference(self, invoice_id: int | str) -> None:
        """Out of the custom field of its services, and out of their descriptions, there and on the invoice."""
        invoice = self.install.known_invoice(int(invoice_id))
        packs = tuple(attrs.evolve(pack, description="Usage") for pack in invoice.packs)
        self.install.change_invoice(invoice.id, packs=packs)
        for pack in packs:
            self.install.change_service(pack.service_id, description="Usage", metadata={})

    def spoil_invoice(self, invoice_id: int | str) -> None:
        self.install.change_invoice(int(invoice_id), paid=7)

    def add_contact(self, client_id: int, email: str) -> None:
        self.install.add_contact(client_id, email, "password-contact")

    @contextmanager
    def short_lists(self) -> Iterator[None]:
        self.install.faults.add(Fault("half_page", path="client.list", times=None))
        self.install.faults.add(Fault("half_page", path="client.invoice_list", times=None))
        yield
        self.install.faults.clear()

    @contextmanager
    def wrong_key(self) -> Iterator[None]:
        self.install.token = "another-token"
        yield
        self.install.token = self.token

    @contextmanager
    def missing_permission(self) -> Iterator[None]:
        self.install.change_quirks(forbidden=("client.service_add",))
        yield
        self.install.change_quirks(forbidden=())

    def demand_second_factor(self, client_id: int) -> None:
        self.install.change_client(client_id, two_factor=True)

    @contextmanager
    def outage(self) -> Iterator[None]:
        self.install.change_quirks(maintenance=True)
        yield
        self.install.change_quirks(maintenance=False)

    @contextmanager
    def refusal(self) -> Iterator[None]:
        """The user may not make invoices any more."""
        self.install.change_quirks(forbidden=("client.invoice_generate",))
        yield
        self.install.change_quirks(forbidden=())

    @contextmanager
    def lost_answer(self) -> Iterator[None]:
        self.install.faults.add(Fault("lost", path="client.invoice_generate", times=None))
        yield
        self.install.faults.clear()

    def remembered_user(self, client_id: int) -> int | None:
        client = self.install.clients[client_id]
        value = client.metadata.get(self.field) if self.field else client.storage.get("solusio_user_id")
        return int(value) if value else None

    def calls(self) -> int:
        return sum(self.install.load.calls.values())

    def state(self) -> object:
        install = self.install
        return dict(install.clients), dict(install.services), dict(install.invoices), install.writes

    def owed(self) -> Decimal:
        """What all invoices that count come to."""
        return sum((invoice.amount for invoice in self.install.invoices.values() if invoice.paid != 2), Decimal(0))
