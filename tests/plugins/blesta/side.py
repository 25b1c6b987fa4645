"""Blesta as the conformance kit sees it: the simulator, without the adapter."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, time
from decimal import Decimal
from zoneinfo import ZoneInfo

import attrs
import pytest

from tollbridge import Client, ClientStatus, Currency, InvoiceStatus, Secret, TaxRate
from tollbridge.conformance import Held, HeldLine, OtherSide
from tollbridge.http import Retry
from tollbridge.sandbox import Fault
from tollbridge_blesta import BlestaAdapter
from tollbridge_blesta.sandbox import Install
from tollbridge_blesta.sandbox.records import Invoice, Line
from tollbridge_blesta.settings import BlestaSettings

QUICK = Retry(attempts=2, wait_initial=0.01, wait_max=0.01)
_REFERENCE = re.compile(r"TB-\d{4}-\d{2}-\d+")
_STATUSES = {"active": "unpaid", "proforma": "unpaid", "draft": "draft", "void": "cancelled"}


class BlestaSide(OtherSide):
    """An install with short pages."""

    def __init__(self, install: Install, url: str) -> None:
        self.install = install
        self.url = url
        self.page_size = install.page_size
        self.secrets = (install.key, install.shared_login_key)
        self.field = install.custom_fields[0].id
        self.key = install.key

    def settings(self) -> BlestaSettings:
        """``[adapter.blesta]``."""
        root = self.url if self.install.quirks.rewriting else f"{self.url}/index.php"
        return BlestaSettings(
            root,
            self.install.user,
            Secret(self.key),
            company_id=self.install.company_id,
            custom_field=self.field,
            shared_login_key=Secret(self.install.shared_login_key),
        )

    def adapter(self) -> BlestaAdapter:
        return BlestaAdapter(self.settings(), QUICK)

    def add_currency(self, currency: Currency) -> None:
        picture = "#,###" if currency.decimals == 0 else f"#,###.{'#' * currency.decimals}"
        self.install.add_currency(
            currency.code, precision=currency.decimals, prefix=currency.prefix, suffix=currency.suffix, format=picture
        )

    def add_client(self, client: Client) -> int:
        return self.install.add_client(
            client.email,
            currency=client.currency,
            first_name=client.first_name,
            last_name=client.last_name,
            company=client.company,
            status="fraud" if client.status is ClientStatus.CLOSED else str(client.status),
            country=client.country,
            state=client.state,
            tax_exempt=client.tax_exempt,
            language={"de": "de_de", "en": "en_gb"}.get(client.language),
            client_id=client.id,
        )

    def invoices(self) -> list[Held]:
        return [self._held(invoice) for invoice in self.install.invoices()]

    def _held(self, invoice: Invoice) -> Held:
        zone = ZoneInfo(self.install.settings["timezone"])
        return Held(
            id=invoice.id,
            client_id=invoice.client_id,
            currency=invoice.currency,
            status=InvoiceStatus("paid" if invoice.date_closed else _STATUSES[invoice.status]),
            issue_date=invoice.date_billed.astimezone(zone).date(),
            due_date=invoice.date_due.astimezone(zone).date(),
            lines=tuple(HeldLine(line.description, line.qty * line.amount) for line in invoice.lines),
            total=invoice.total,
        )

    def set_status(self, invoice_id: int | str, status: InvoiceStatus) -> None:
        if status is InvoiceStatus.REFUNDED:
            pytest.skip("Blesta has no refunded invoices")
        if status is InvoiceStatus.PAID:
            self.install.pay(int(invoice_id))
        else:
            self.install.void(int(invoice_id))

    def close_client(self, client_id: int) -> None:
        self.install.set_client(client_id, status="fraud")

    def remove_currency(self, code: str) -> None:
        with self.install.lock:
            del self.install._currencies[code]

    def postpone(self, invoice_id: int | str, day: date) -> None:
        zone = ZoneInfo(self.install.settings["timezone"])
        self.install.set_invoice(int(invoice_id), date_due=datetime.combine(day, time(23, 59, 59), zone))

    def move_invoice(self, invoice_id: int | str, client_id: int) -> None:
        """As where staff put it right in the database; Blesta itself merges no clients and deletes no invoices."""
        self.install.set_invoice(int(invoice_id), client_id=client_id)

    def pay_part(self, invoice_id: int | str, amount: Decimal) -> None:
        self.install.pay(int(invoice_id), amount)

    def copy_invoice(self, invoice_id: int | str) -> None:
        """As staff do who enter it once more; Blesta itself has no such button."""
        [invoice] = [each for each in self.install.invoices() if each.id == int(invoice_id)]
        self.install.add_invoice(
            invoice.client_id, invoice.lines, currency=invoice.currency, note_private=invoice.note_private
        )

    def remove_reference(self, invoice_id: int | str) -> None:
        [invoice] = [each for each in self.install.invoices() if each.id == int(invoice_id)]
        lines = tuple(attrs.evolve(line, description=_REFERENCE.sub("", line.description)) for line in invoice.lines)
        self.install.set_invoice(invoice.id, lines=lines, note_private="")

    def add_draft(self, client_id: int, words: str) -> int:
        return self.install.add_invoice(client_id, [Line(words, "99.00")], status="draft")

    @contextmanager
    def short_lists(self) -> Iterator[None]:
        self.install.faults.add(Fault("half_page", path="clients/getList", times=None))
        with self.fault(Fault("half_page", path="invoices/getList", times=None)):
            yield

    @contextmanager
    def wrong_key(self) -> Iterator[None]:
        self.install.key = "another-key"
        yield
        self.install.key = self.key

    @contextmanager
    def outage(self) -> Iterator[None]:
        self.install.quirks.maintenance = True
        yield
        self.install.quirks.maintenance = False

    @contextmanager
    def refusal(self) -> Iterator[None]:
        """Blesta takes no invoice in a currency that is not the company's any more."""
        kept = dict(self.install._currencies)
        self.install._currencies.clear()
        yield
        self.install._currencies.update(kept)

    @contextmanager
    def lost_answer(self) -> Iterator[None]:
        with self.fault(Fault("lost", path="invoices/add", times=None)):
            yield

    @contextmanager
    def fault(self, fault: Fault) -> Iterator[None]:
        """Something goes wrong for a while."""
        self.install.faults.add(fault)
        yield
        self.install.faults.clear()

    def add_tax(self, country: str, tax: TaxRate, level: int = 1) -> None:
        self.install.add_tax(tax.label, tax.rate, country=country, level=level)

    def notes(self, invoice_id: int | str) -> str:
        [invoice] = [each for each in self.install.invoices() if each.id == int(invoice_id)]
        return invoice.note_private

    def write_notes(self, invoice_id: int | str, notes: str) -> None:
        self.install.set_invoice(int(invoice_id), note_private=notes)

    def remembered_user(self, client_id: int) -> int | None:
        value = self.install.custom_field(client_id, self.field)
        return int(value) if value else None

    def state(self) -> object:
        return self.install.clients, self.install.users, self.install.invoices()
