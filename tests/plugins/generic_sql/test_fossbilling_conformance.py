"""The conformance kit, on generic_sql with FOSSBilling's tables."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from typing import Any

import attrs
import pytest
import sqlalchemy as sa

from tests.plugins.generic_sql.fossbilling import Shop
from tests.plugins.generic_sql.wire import Wire
from tollbridge import Client, Currency, InvoiceStatus, TaxRate
from tollbridge.conformance import AdapterTests, Held, HeldLine, OtherSide
from tollbridge_generic_sql import GenericSqlAdapter

_CLIENT = {"active": "active", "inactive": "suspended", "closed": "canceled"}
_INVOICE = {"unpaid": "unpaid", "paid": "paid", "canceled": "cancelled", "refunded": "refunded"}


class FossBillingSide(OtherSide):
    """A FOSSBilling database; the adapter reaches it by a wire."""

    def __init__(self, shop: Shop, wire: Wire) -> None:
        self.shop = shop
        self.wire = wire
        url = sa.make_url(shop.url).set(port=wire.port)
        self.reached = attrs.evolve(shop, url=url.render_as_string(hide_password=False))

    def adapter(self) -> GenericSqlAdapter:
        return GenericSqlAdapter(self.reached.settings())

    def add_currency(self, currency: Currency) -> None:
        self.shop.execute(
            "UPDATE currency SET format_pattern = :pattern, fraction_digits = :digits WHERE code = :code",
            pattern=f"{currency.prefix}{{amount}}{currency.suffix}",
            digits=currency.decimals,
            code=currency.code,
        )

    def add_client(self, client: Client) -> int:
        fields = attrs.asdict(client)
        fields |= {"status": _CLIENT[fields["status"]], "tax_exempt": int(client.tax_exempt)}
        fields["lang"] = {"de": "de_DE", "en": "en_US"}.get(fields.pop("language"))
        del fields["group"], fields["state_names"]
        self.shop.add_client(fields.pop("id"), fields.pop("currency"), **fields)
        return client.id

    def invoices(self) -> list[Held]:
        return [self._held(row) for row in self.shop.invoices()]

    def _held(self, row: dict[str, Any]) -> Held:
        lines = [HeldLine(line["title"], Decimal(str(line["price"]))) for line in self.shop.lines(row["id"])]
        return Held(
            id=row["id"],
            client_id=row["client_id"],
            currency=row["currency"],
            status=InvoiceStatus(_INVOICE[row["status"]]),
            issue_date=row["created_at"].date(),
            due_date=row["due_at"].date(),
            lines=tuple(lines),
            total=self.shop.total(row["id"]),
        )

    def set_status(self, invoice_id: int | str, status: InvoiceStatus) -> None:
        words = {ours: theirs for theirs, ours in _INVOICE.items()}
        self.shop.execute("UPDATE invoice SET status = :status WHERE id = :id", status=words[status], id=invoice_id)

    def close_client(self, client_id: int) -> None:
        self.shop.execute("UPDATE client SET status = 'canceled' WHERE id = :id", id=client_id)

    def postpone(self, invoice_id: int | str, day: date) -> None:
        self.shop.execute("UPDATE invoice SET due_at = :day WHERE id = :id", day=day, id=invoice_id)

    def move_invoice(self, invoice_id: int | str, client_id: int) -> None:
        self.shop.execute("UPDATE invoice SET client_id = :client WHERE id = :id", client=client_id, id=invoice_id)

    def remove_invoice(self, invoice_id: int | str) -> None:
        self.shop.execute("DELETE FROM invoice_item WHERE invoice_id = :id", id=invoice_id)
        self.shop.execute("DELETE FROM invoice WHERE id = :id", id=invoice_id)

    def notes(self, invoice_id: int | str) -> str:
        [invoice] = [each for each in self.shop.invoices() if each["id"] == invoice_id]
        return str(invoice["notes"])

    def write_notes(self, invoice_id: int | str, notes: str) -> None:
        self.shop.execute("UPDATE invoice SET notes = :notes WHERE id = :id", notes=notes, id=invoice_id)

    @contextmanager
    def outage(self) -> Iterator[None]:
        with self.wire.being("cut"):
            yield

    @contextmanager
    def refusal(self) -> Iterator[None]:
        """Lines need something that nobody gives, so that an invoice gets as far as its first one."""
        self.shop.execute("ALTER TABLE invoice_item ADD COLUMN needed INT NOT NULL")
        yield
        self.shop.execute("ALTER TABLE invoice_item DROP COLUMN needed")

    @contextmanager
    def lost_answer(self) -> Iterator[None]:
        with self.wire.being("lossy"):
            yield

    def add_tax(self, country: str, tax: TaxRate, level: int = 1) -> None:
        """FOSSBilling charges one tax only, the first that is found."""
        self.shop.insert("tax", name=tax.label, country=country, taxrate=str(tax.rate))

    def state(self) -> object:
        return self.invoices(), self.shop.next_number()


class TestFossBilling(AdapterTests):
    """All of the kit."""

    @pytest.fixture
    def side(self, main_shop: Shop) -> Iterator[FossBillingSide]:
        wire = Wire(sa.make_url(main_shop.url).port or 3306)
        yield FossBillingSide(main_shop, wire)
        wire.close()
