"""Tollbridge's conformance kit, on Acme."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from decimal import Decimal

import pytest
from tollbridge import Client, Currency, InvoiceStatus, Secret, TaxRate, Unavailable
from tollbridge.conformance import AdapterTests, Held, HeldLine, OtherSide
from tollbridge.http import Retry
from tollbridge.sandbox import Fault, running

from billing import CREATE_CALLS, ISSUING, KEY, PAGE_SIZE, Billing
from tollbridge_acme import AcmeAdapter
from tollbridge_acme.settings import AcmeSettings


class AcmeSide(OtherSide):
    """How the kit sets Acme up, looks at it and breaks it, all without the adapter."""

    page_size = PAGE_SIZE
    secrets = (KEY,)
    most_calls: Mapping[str, int] = {"client": 1, "find_invoice": 1, "invoice": 1, "create_invoice": CREATE_CALLS}

    def __init__(self, billing: Billing, url: str) -> None:
        self.there = billing
        self.url = url
        self.key = KEY

    def adapter(self) -> AcmeAdapter:
        return AcmeAdapter(AcmeSettings(self.url, Secret(self.key)), Retry(attempts=2, wait_initial=0.01, wait_max=0.01))

    def add_currency(self, currency: Currency) -> None:
        row = {"code": currency.code, "symbol": currency.prefix, "decimals": currency.decimals}
        self.there.currencies[currency.code] = row

    def add_client(self, client: Client) -> int:
        self.there.clients[client.id] = {
            "id": client.id,
            "email": client.email,
            "currency": client.currency,
            "first_name": client.first_name,
            "last_name": client.last_name,
            "company": client.company,
            "status": str(client.status),
            "country": client.country,
            "state": client.state,
            "tax_exempt": client.tax_exempt,
        }
        return client.id

    def invoices(self) -> list[Held]:
        return [
            Held(
                id=row["id"],
                client_id=row["client"],
                currency=row["currency"],
                status=InvoiceStatus(row["status"]),
                issue_date=date.fromisoformat(row["date"]),
                due_date=date.fromisoformat(row["due"]),
                lines=tuple(HeldLine(line["description"], Decimal(line["amount"])) for line in row["lines"]),
                total=Decimal(row["total"]),
            )
            for row in self.there.invoices.values()
        ]

    def set_status(self, invoice_id: int | str, status: InvoiceStatus) -> None:
        self.there.invoices[int(invoice_id)]["status"] = str(status)

    def move_invoice(self, invoice_id: int | str, client_id: int) -> None:
        self.there.invoices[int(invoice_id)]["client"] = client_id

    def remove_invoice(self, invoice_id: int | str) -> None:
        del self.there.invoices[int(invoice_id)]

    def add_tax(self, country: str, tax: TaxRate, level: int = 1) -> None:
        self.there.taxes.append({"country": country, "name": tax.label, "percent": f"{tax.rate:f}", "level": level})

    def close_client(self, client_id: int) -> None:
        self.there.clients[client_id]["status"] = "closed"

    def remove_currency(self, code: str) -> None:
        del self.there.currencies[code]

    def spoil_client(self, client_id: int) -> None:
        self.there.clients[client_id]["status"] = "nobody knows"

    def remove_client(self, client_id: int) -> None:
        del self.there.clients[client_id]

    def pay_part(self, invoice_id: int | str, amount: Decimal) -> None:
        row = self.there.invoices[int(invoice_id)]
        row["balance"] = f"{Decimal(row['total']) - amount:f}"

    def postpone(self, invoice_id: int | str, day: date) -> None:
        self.there.invoices[int(invoice_id)]["due"] = day.isoformat()

    def copy_invoice(self, invoice_id: int | str) -> None:
        number = max(self.there.invoices) + 1
        self.there.invoices[number] = {**self.there.invoices[int(invoice_id)], "id": number}

    def remove_reference(self, invoice_id: int | str) -> None:
        self.there.invoices[int(invoice_id)]["reference"] = ""

    def spoil_invoice(self, invoice_id: int | str) -> None:
        self.there.invoices[int(invoice_id)]["total"] = "a lot"

    @contextmanager
    def short_lists(self) -> Iterator[None]:
        with self._fault(Fault("half_page", method="GET", times=None)):
            yield

    @contextmanager
    def wrong_key(self) -> Iterator[None]:
        self.key = "another"
        yield
        self.key = KEY

    def add_draft(self, client_id: int, words: str) -> int:
        number = max(self.there.invoices, default=0) + 1
        lines = [{"description": words, "amount": "99.00", "taxed": False}]
        row = {"id": number, "reference": "", "client": client_id, "currency": "USD", "lines": lines}
        day = "2026-07-01"
        self.there.invoices[number] = {
            **row, "status": "draft", "created": day, "date": day, "due": day, "total": "99.00", "balance": "99.00"
        }  # fmt: skip
        return number

    # If the adapter can tell discounts: give_discount(client_id, discount).
    # If it remembers users: remembered_user(client_id).

    @contextmanager
    def outage(self) -> Iterator[None]:
        with self._fault(Fault("503", times=None)):
            yield

    @contextmanager
    def refusal(self) -> Iterator[None]:
        self.there.refuses_invoices = True
        yield
        self.there.refuses_invoices = False

    @contextmanager
    def lost_answer(self) -> Iterator[None]:
        with self._fault(Fault("lost", method="POST", path=ISSUING, times=None)):
            yield

    @contextmanager
    def _fault(self, fault: Fault) -> Iterator[None]:
        self.there.faults.add(fault)
        yield
        self.there.faults.clear()


class TestAcme(AdapterTests):
    """All the tests of the kit."""

    @pytest.fixture
    def side(self) -> Iterator[AcmeSide]:
        billing = Billing()
        with running(billing.app()) as url:
            yield AcmeSide(billing, url)

    def test_clients_with_half_a_page_are_refused(self, side: AcmeSide) -> None:
        """One of Acme's own habits; add what you find out about your billing system."""
        for number in range(PAGE_SIZE + 1):
            side.some_client(id=1042 + number)
        side.there.faults.add(Fault("half_page", path="clients", times=None))
        with pytest.raises(Unavailable, match="gave"):
            list(side.adapter().clients())
