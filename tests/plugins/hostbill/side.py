"""HostBill as the conformance kit sees it: the simulator, without the adapter."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from typing import Any

import attrs

from tollbridge import Client, ClientStatus, Currency, InvoiceStatus, Secret, TaxRate
from tollbridge.conformance import Held, HeldLine, OtherSide
from tollbridge.http import Retry
from tollbridge.sandbox import Fault
from tollbridge_hostbill import HostBillAdapter
from tollbridge_hostbill.sandbox import Install, Invoice
from tollbridge_hostbill.settings import HostBillSettings

QUICK = Retry(attempts=2, wait_initial=0.01, wait_max=0.01)
FIELD = "solusid"
_STATUSES = {ClientStatus.ACTIVE: "Active", ClientStatus.INACTIVE: "Lead", ClientStatus.CLOSED: "Archived"}


class HostBillSide(OtherSide):
    """An install with short pages."""

    most_calls: Mapping[str, int] = {"client": 1, "terms": 1, "invoice": 1, "create_invoice": 4}

    def __init__(self, install: Install, url: str) -> None:
        self.install = install
        self.url = url
        self.page_size = install.page_size
        self.secrets = (install.api_id, install.api_key, install.autologin_secret)

    def settings(self, **changes: Any) -> HostBillSettings:
        """``[adapter.hostbill]``."""
        usual = HostBillSettings(
            f"{self.url}/admin/",
            Secret(self.install.api_id),
            Secret(self.install.api_key),
            autologin_secret=Secret(self.install.autologin_secret),
            custom_field=FIELD,
            compound_tax=self.install.taxes.compound,
        )
        return attrs.evolve(usual, **changes)

    def adapter(self) -> HostBillAdapter:
        return HostBillAdapter(self.settings(), QUICK)

    def add_currency(self, currency: Currency) -> None:
        written = currency.suffix.strip() or currency.code
        self.install.add_currency(currency.code, code=written, sign=currency.prefix, decimal=currency.decimals)

    def add_client(self, client: Client) -> int:
        return self.install.add_client(
            client.email,
            currency=client.currency,
            client_id=client.id,
            first_name=client.first_name,
            last_name=client.last_name,
            company=client.company,
            status=_STATUSES[client.status],
            country=client.country,
            state=client.state,
            tax_exempt=client.tax_exempt,
            language={"de": "german", "en": "english"}.get(client.language, ""),
        )

    def invoices(self) -> list[Held]:
        return [self._held(invoice) for invoice in self.install.invoices()]

    def _held(self, invoice: Invoice) -> Held:
        return Held(
            id=invoice.id,
            client_id=invoice.client_id,
            currency=self.install.currencies[invoice.currency_id].iso,
            status=InvoiceStatus("unpaid" if invoice.status == "Collections" else invoice.status.lower()),
            issue_date=invoice.date,
            due_date=invoice.duedate or date.min,
            lines=tuple(HeldLine(item.description, item.total) for item in invoice.items),
            total=invoice.total,
        )

    def set_status(self, invoice_id: int | str, status: InvoiceStatus) -> None:
        self.install.set_invoice(int(invoice_id), status=status.capitalize())

    def close_client(self, client_id: int) -> None:
        self.install.set_client(client_id, status="Archived")

    def remove_currency(self, code: str) -> None:
        with self.install.lock:
            [number] = [number for number, currency in self.install.currencies.items() if currency.iso == code]
            del self.install.currencies[number]

    def spoil_client(self, client_id: int) -> None:
        self.install.set_client(client_id, currency_id=77)

    def move_invoice(self, invoice_id: int | str, client_id: int) -> None:
        self.install.set_invoice(int(invoice_id), client_id=client_id)

    def remove_invoice(self, invoice_id: int | str) -> None:
        self.install.delete_invoice(int(invoice_id))

    def remove_client(self, client_id: int) -> None:
        """HostBill keeps the invoices of a client that is gone."""
        with self.install.lock:
            del self.install._clients[client_id]

    def merge_clients(self, client_id: int, survivor_id: int) -> None:
        self.install.merge_clients(client_id, survivor_id)

    def pay_part(self, invoice_id: int | str, amount: Decimal) -> None:
        self.install.pay(int(invoice_id), amount)

    def postpone(self, invoice_id: int | str, day: date) -> None:
        self.install.set_invoice(int(invoice_id), duedate=day)

    def call_overdue(self, invoice_id: int | str) -> None:
        self.install.set_invoice(int(invoice_id), status="Collections")

    def copy_invoice(self, invoice_id: int | str) -> None:
        invoice = self.install.invoice(int(invoice_id))
        lines = [(item.description, f"{item.amount:f}", item.taxed) for item in invoice.items]
        self.install.add_invoice(invoice.client_id, lines)

    def remove_reference(self, invoice_id: int | str) -> None:
        first, *others = self.install.invoice(int(invoice_id)).items
        self.install.set_invoice(int(invoice_id), items=(attrs.evolve(first, description="Usage"), *others))

    def spoil_invoice(self, invoice_id: int | str) -> None:
        """Its dates are lost."""
        self.install.set_invoice(int(invoice_id), duedate=None)

    def add_draft(self, client_id: int, words: str) -> int:
        key = self.install.new_draft(client_id)
        self.install.add_item(key, words, "50.00")
        return key

    def add_contact(self, client_id: int, email: str) -> None:
        self.install.add_client(email, parent_id=client_id)

    @contextmanager
    def short_lists(self) -> Iterator[None]:
        with self.fault(Fault("wrong_total", times=None)):
            yield

    @contextmanager
    def wrong_key(self) -> Iterator[None]:
        self.install.change_quirks(key_accepted=False)
        yield
        self.install.change_quirks(key_accepted=True)

    @contextmanager
    def missing_permission(self) -> Iterator[None]:
        self.install.change_quirks(forbidden=("getInvoices", "convertInvoice"))
        yield
        self.install.change_quirks(forbidden=())

    def demand_second_factor(self, client_id: int) -> None:
        self.install.set_client(client_id, second_factor=True)

    def opened_by(self, url: str) -> int:
        return self.install.redeem_link(url.rpartition("=")[2]).id

    @contextmanager
    def outage(self) -> Iterator[None]:
        with self.fault(Fault("503", times=None)):
            yield

    @contextmanager
    def refusal(self) -> Iterator[None]:
        self.install.change_quirks(forbidden=("addInvoice",))
        yield
        self.install.change_quirks(forbidden=())

    @contextmanager
    def lost_answer(self) -> Iterator[None]:
        with self.fault(Fault("lost", path="convertInvoice", times=None)):
            yield

    @contextmanager
    def fault(self, fault: Fault) -> Iterator[None]:
        """Something goes wrong for a while."""
        self.install.faults.add(fault)
        yield
        self.install.faults.clear()

    def add_tax(self, country: str, tax: TaxRate, level: int = 1) -> None:
        self.install.add_tax(tax.label, tax.rate, country, level=level)

    def remembered_user(self, client_id: int) -> int | None:
        value = self.install.client(client_id).fields.get(FIELD, "")
        return int(value) if value else None

    def calls(self) -> int:
        return sum(self.install.load.calls.values())

    def state(self) -> object:
        return self.install.clients, self.install.invoices()
