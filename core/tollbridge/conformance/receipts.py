"""Receipts: they say what the billing system has, by reference, by number, and since a day."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import attrs
import pytest

from tollbridge.adapters.billing import BillingSystem
from tollbridge.conformance.side import OtherSide, an_invoice
from tollbridge.errors import NotFound, Refused, Unavailable
from tollbridge.model import Invoice, InvoiceLine, InvoiceStatus, Receipt, TaxRate

_NO_NUMBER = "987654"
# Taxed and untaxed lines, each with one that takes something back; a fifth of each has no more decimals than itself.
_TAKING_BACK = {
    "USD": ("-3.50", "10.00", "-0.25", "5.25"),
    "JPY": ("-135", "735", "-15", "40"),
    "KWD": ("-2.345", "12.345", "-0.005", "1.005"),
}


def _readable(receipts: Iterable[Receipt | Refused]) -> list[Receipt]:
    return [receipt for receipt in receipts if not isinstance(receipt, Refused)]


def _lately() -> date:
    """The earliest day that it may be anywhere, half a day behind UTC; what is made now is no older."""
    return (datetime.now(UTC) - timedelta(hours=12)).date()


def _every_receipt(side: OtherSide, invoice: Invoice) -> list[Receipt]:
    """The invoice, made, and told in every way there is."""
    billing = side.billing()
    made = billing.create_invoice(invoice)
    found = [made, billing.find_invoice(invoice.client_id, invoice.reference), *_readable(billing.unpaid_invoices())]
    if billing.can("invoice"):
        found.append(billing.invoice(invoice.client_id, str(made.id), invoice.reference))
    if billing.can("invoices_since"):
        found += _readable(billing.invoices_since(_lately()))
    receipts = [receipt for receipt in found if receipt is not None]
    assert len(receipts) == len(found)
    return receipts


def _months_told(billing: BillingSystem, made: Receipt) -> list[tuple[str, ...] | None]:
    """The months that each receipt of the invoice tells: those of one invoice alone first, then those of lists."""
    alone = [billing.find_invoice(made.client_id, made.reference)]
    if billing.can("invoice"):
        alone.append(billing.invoice(made.client_id, str(made.id), made.reference))
    [months] = {each.months for each in alone if each is not None}
    listed = _readable(billing.unpaid_invoices())
    if billing.can("invoices_since"):
        listed += _readable(billing.invoices_since(_lately()))
    return [months, *(each.months for each in listed)]


class ReceiptTests:
    """What every receipt tells, and the hooks ``invoice`` and ``invoices_since``."""

    def test_every_receipt_tells_the_same_invoice(self, side: OtherSide) -> None:
        client = side.some_client()
        receipts = _every_receipt(side, an_invoice(client, "4.90", "2.10"))
        told = {(str(each.id), each.reference, each.client_id, each.status, each.total) for each in receipts}
        assert told == {
            (str(side.the_invoice().id), f"TB-2026-07-{client.id}", client.id, InvoiceStatus.UNPAID, Decimal("7.00"))
        }

    def test_every_receipt_tells_the_total_that_is_there_and_not_the_one_that_was_shown(self, side: OtherSide) -> None:
        """Taxes were shown that the billing system has no rule for: it charges them if it was told to, or does not."""
        client = side.some_client()
        shown = an_invoice(client, "4.90", taxes=(TaxRate("VAT", Decimal(20)),))
        try:
            receipts = _every_receipt(side, shown)
        except Refused:
            assert side.invoices() == []
            return
        assert {each.total for each in receipts} == {side.the_invoice().total}

    def test_every_receipt_tells_the_subtotal_currency_and_months_or_none(self, side: OtherSide) -> None:
        client = side.some_client()
        lines = (InvoiceLine("a", 1, Decimal("10.00")), InvoiceLine("b", 1, Decimal("5.00"), taxed=False))
        invoice = an_invoice(client, lines=lines, taxes=side.charged_taxes(client, "20"))
        notes = f"{invoice.reference}: usage in 2026-06, 2026-07"
        for receipt in _every_receipt(side, attrs.evolve(invoice, notes=notes)):
            assert receipt.subtotal in {None, Decimal("15.00")}, "the sum of the lines as they were entered"
            assert receipt.currency in {None, "USD"}
            assert receipt.months in {None, ("2026-06", "2026-07")}, "as the notes name them"

    def test_receipts_tell_the_months_that_the_notes_name_whatever_people_write_around_it(
        self, side: OtherSide
    ) -> None:
        """Where there are notes. Lists may lack them; then their receipts tell none."""
        client = side.some_client()
        billing, months = side.billing(), ("2026-06", "2026-07")
        reference = f"TB-2026-07-{client.id}"
        made = billing.create_invoice(an_invoice(client, notes=f"{reference}: usage in 2026-06, 2026-07"))
        kept = side.notes(made.id)
        if kept is None:
            pytest.skip("this other side tells no notes")
        assert made.months == months
        side.write_notes(made.id, f"2026-01: moved here.\n{kept}\n{reference} went by post in 2026-09.")
        assert set(_months_told(billing, made)) in ({months}, {months, None})
        assert _months_told(billing, made)[0] == months
        side.write_notes(made.id, f"2026-01: moved here.\n{reference}: see 2026-05.")
        assert set(_months_told(billing, made)) == {None}

    @pytest.mark.parametrize("included", [False, True], ids=["tax_added", "tax_included"])
    @pytest.mark.parametrize("currency", _TAKING_BACK)
    def test_every_receipt_tells_what_is_left_where_lines_take_something_back(
        self, side: OtherSide, currency: str, included: bool
    ) -> None:
        side.needs("negative_lines")
        if currency == "KWD":
            side.needs("three_decimals")
        client = side.some_client(currency)
        lines = tuple(
            InvoiceLine(f"web-{number}", -7 if amount.startswith("-") else 7, Decimal(amount), taxed=number < 2)
            for number, amount in enumerate(_TAKING_BACK[currency])
        )
        taxes = side.charged_taxes(client, "20")
        invoice = an_invoice(client, lines=lines, taxes=taxes, prices_include_tax=included)
        try:
            receipts = _every_receipt(side, invoice)
        except Refused:
            assert included, "a line below zero is no reason to refuse an invoice, or cannot names negative_lines"
            assert side.invoices() == []
            return
        assert side.the_invoice().total == invoice.total
        assert {each.total for each in receipts} == {invoice.total}
        assert {each.subtotal for each in receipts} <= {None, invoice.subtotal}

    @pytest.mark.parametrize("status", [InvoiceStatus.PAID, InvoiceStatus.CANCELLED])
    def test_invoice_is_found_by_its_number_whatever_its_status(self, side: OtherSide, status: InvoiceStatus) -> None:
        side.needs("invoice")
        client = side.some_client()
        made = side.billing().create_invoice(an_invoice(client))
        side.set_status(made.id, status)
        found = side.billing().invoice(client.id, str(made.id), made.reference)
        assert found is not None
        assert (str(found.id), found.reference, found.status) == (str(made.id), made.reference, status)

    def test_invoice_is_told_apart_from_the_others(self, side: OtherSide) -> None:
        side.needs("invoice")
        client = side.some_client()
        billing = side.billing()
        made = [billing.create_invoice(an_invoice(client, month=f"2026-0{number}")) for number in (5, 6, 7)]
        for receipt in made:
            found = billing.invoice(client.id, str(receipt.id), receipt.reference)
            assert found is not None
            assert (str(found.id), found.reference) == (str(receipt.id), receipt.reference)

    def test_invoice_names_the_client_that_has_it_now(self, side: OtherSide) -> None:
        """Clients were merged: it is still the same invoice."""
        side.needs("invoice")
        client, survivor = side.some_client(), side.some_client(id=1043, email="b@example.com")
        made = side.billing().create_invoice(an_invoice(client))
        side.move_invoice(made.id, survivor.id)
        found = side.billing().invoice(client.id, str(made.id), made.reference)
        assert found is not None
        assert found.client_id == survivor.id

    def test_invoice_that_is_gone_is_none(self, side: OtherSide) -> None:
        side.needs("invoice")
        client = side.some_client()
        made = side.billing().create_invoice(an_invoice(client))
        billing = side.billing()
        assert billing.invoice(client.id, _NO_NUMBER, made.reference) is None
        side.remove_invoice(made.id)
        assert billing.invoice(client.id, str(made.id), made.reference) is None

    def test_invoices_since_has_every_one_made_since_then(self, side: OtherSide) -> None:
        """By the day on which it came to be; its own date says nothing."""
        side.needs("invoices_since")
        client = side.some_client()
        billing = side.billing()
        first = an_invoice(client, month="2026-06", issue_date=date(2019, 1, 1), due_date=date(2019, 1, 15))
        made = [billing.create_invoice(invoice) for invoice in (first, an_invoice(client))]
        side.set_status(made[1].id, InvoiceStatus.CANCELLED)
        listed = _readable(side.billing().invoices_since(_lately()))
        assert sorted((each.reference, each.status) for each in listed) == [
            (made[0].reference, InvoiceStatus.UNPAID),
            (made[1].reference, InvoiceStatus.CANCELLED),
        ]

    def test_invoices_since_come_once_each_however_many_pages_there_are(self, side: OtherSide) -> None:
        side.needs("invoices_since")
        client = side.some_client()
        billing = side.billing()
        assert _readable(billing.invoices_since(_lately())) == []
        months = [f"{2026 + number // 12}-{number % 12 + 1:02}" for number in range(2 * (side.page_size or 1) + 1)]
        made = [billing.create_invoice(an_invoice(client, month=month)).reference for month in months]
        assert sorted(each.reference for each in _readable(billing.invoices_since(_lately()))) == sorted(made)

    def test_invoice_and_invoices_since_are_unavailable_in_an_outage(self, side: OtherSide) -> None:
        client = side.some_client()
        billing = side.billing()
        made = billing.create_invoice(an_invoice(client))
        with side.outage():
            if billing.can("invoice"):
                with pytest.raises(Unavailable):
                    billing.invoice(client.id, str(made.id), made.reference)
            if billing.can("invoices_since"):
                with pytest.raises(Unavailable):
                    list(billing.invoices_since(_lately()))

    def test_find_invoice_is_not_led_to_what_is_gone(self, side: OtherSide) -> None:
        client = side.some_client()
        made = side.billing().create_invoice(an_invoice(client))
        side.remove_invoice(made.id)
        try:
            assert side.billing().find_invoice(client.id, made.reference) is None
        except NotFound:
            return
