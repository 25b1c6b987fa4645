"""What people do in a billing system between two runs: pay a part, copy, delete, merge, begin an invoice by hand."""

from datetime import date
from decimal import Decimal

import attrs
import pytest

from tollbridge.conformance.side import OtherSide, an_invoice
from tollbridge.errors import NotFound, Refused, Unavailable
from tollbridge.model import Client, InvoiceLine, InvoiceStatus, Receipt

_LONG = "Größe, Ünicode & <b>mehr</b>; " * 40


def _two_clients(side: OtherSide) -> tuple[Client, Client]:
    return side.some_client(), side.some_client(id=1043, email="b@example.com")


def _listed(side: OtherSide) -> list[Receipt]:
    return [each for each in side.billing().unpaid_invoices() if not isinstance(each, Refused)]


class HumanTests:
    """Invoices and clients that people changed."""

    def test_a_payment_of_a_part_is_told_as_what_is_left(self, side: OtherSide) -> None:
        """Or a credit: who owes nothing any more must not be locked, and who owes a cent still owes it."""
        client = side.some_client()
        made = side.billing().create_invoice(an_invoice(client, "4.90"))
        side.pay_part(made.id, Decimal("1.90"))
        found = side.billing().find_invoice(client.id, made.reference)
        by_number = side.billing().invoice(client.id, str(made.id), made.reference)
        told = []
        for receipt in (found, by_number, *_listed(side)):
            assert receipt is not None
            assert (receipt.total, receipt.status) == (Decimal("4.90"), InvoiceStatus.UNPAID)
            assert receipt.balance in {None, Decimal("3.00")}, "what is left to pay, or None where it is not told"
            told.append(receipt.balance)
        if not any(told):
            pytest.skip("this billing system does not tell what is left to pay of an invoice")
        assert told[1] == Decimal("3.00"), "an invoice is asked for by its number before anybody is locked for it"

    def test_two_invoices_of_one_reference_are_refused(self, side: OtherSide) -> None:
        """None would make a third one, and either of them may be the wrong one."""
        client = side.some_client()
        made = side.billing().create_invoice(an_invoice(client))
        side.copy_invoice(made.id)
        with pytest.raises(Refused):
            side.billing().find_invoice(client.id, made.reference)

    def test_an_invoice_that_cannot_be_read_is_not_taken_for_none(self, side: OtherSide) -> None:
        client = side.some_client()
        made = side.billing().create_invoice(an_invoice(client))
        side.spoil_invoice(made.id)
        with pytest.raises((Refused, Unavailable)):
            side.billing().find_invoice(client.id, made.reference)

    def test_an_invoice_that_cannot_be_read_hides_no_others(self, side: OtherSide) -> None:
        client, other = _two_clients(side)
        made = side.billing().create_invoice(an_invoice(client))
        side.billing().create_invoice(an_invoice(other))
        side.spoil_invoice(made.id)
        listed = list(side.billing().unpaid_invoices())
        assert [each.client_id for each in listed if isinstance(each, Receipt)] == [other.id], (
            "the others are listed, and it comes as Refused: a function with yield in it, even yield from map(…), ends"
            " where an error is raised"
        )

    def test_an_invoice_that_was_postponed_is_due_on_its_new_day(self, side: OtherSide) -> None:
        """Somebody was given more time there, and is not locked before."""
        client, day = side.some_client(), date(2026, 9, 30)
        billing = side.billing()
        made = billing.create_invoice(an_invoice(client))
        side.postpone(made.id, day)
        assert side.the_invoice().due_date == day
        told = [billing.find_invoice(client.id, made.reference), *_listed(side)]
        if billing.can("invoice"):
            told.append(billing.invoice(client.id, str(made.id), made.reference))
        assert [each.due_date for each in told if each is not None] == [day] * len(told)

    def test_an_invoice_whose_reference_was_removed_is_there_by_its_number(self, side: OtherSide) -> None:
        client, other = _two_clients(side)
        made, kept = (side.billing().create_invoice(an_invoice(each)) for each in (client, other))
        side.remove_reference(made.id)
        billing = side.billing()
        if billing.can("invoice"):
            found = billing.invoice(client.id, str(made.id), made.reference)
            assert found is not None, "it is not gone: only its reference is"
            assert (str(found.id), found.client_id, found.status) == (str(made.id), client.id, InvoiceStatus.UNPAID)
        by_reference = billing.find_invoice(client.id, made.reference)
        assert by_reference is None or str(by_reference.id) == str(made.id)
        assert kept.reference in [each.reference for each in _listed(side)], "the others are still listed"

    def test_a_draft_that_a_human_began_is_left_alone(self, side: OtherSide) -> None:
        """It is neither taken for the bridge's, nor deleted, nor counted as owed."""
        client = side.some_client()
        draft = str(side.add_draft(client.id, "Consulting, to be agreed"))
        begun = [held for held in side.invoices() if str(held.id) == draft]
        billing = side.billing()
        assert [each for each in billing.unpaid_invoices() if isinstance(each, Receipt) and each.is_open] == []
        assert billing.find_invoice(client.id, f"TB-2026-07-{client.id}") is None
        made = billing.create_invoice(an_invoice(client))
        assert str(made.id) != draft
        assert [held for held in side.invoices() if str(held.id) == draft] == begun
        assert len(side.invoices()) == 2

    def test_contacts_of_a_client_are_no_clients(self, side: OtherSide) -> None:
        client = side.some_client()
        side.add_contact(client.id, "contact@example.com")
        assert [each.id for each in side.billing().clients() if isinstance(each, Client)] == [client.id]

    def test_a_client_that_was_deleted_is_not_found_and_stops_nobody(self, side: OtherSide) -> None:
        client, other = _two_clients(side)
        made, kept = (side.billing().create_invoice(an_invoice(each)) for each in (client, other))
        side.remove_client(client.id)
        billing = side.billing()
        with pytest.raises(NotFound):
            billing.client(client.id)
        assert [each.id for each in billing.clients() if isinstance(each, Client)] == [other.id]
        assert kept.reference in [each.reference for each in _listed(side)]
        try:
            found = billing.find_invoice(client.id, made.reference)
        except Refused:
            return
        assert found is None or found.client_id == client.id

    def test_a_client_that_was_merged_leaves_its_invoice_to_the_other(self, side: OtherSide) -> None:
        client, survivor = _two_clients(side)
        made = side.billing().create_invoice(an_invoice(client))
        side.merge_clients(client.id, survivor.id)
        billing = side.billing()
        with pytest.raises(NotFound):
            billing.client(client.id)
        assert {each.client_id for each in _listed(side)} <= {survivor.id}
        if billing.can("invoice"):
            found = billing.invoice(client.id, str(made.id), made.reference)
            assert found is not None
            assert found.client_id == survivor.id

    def test_find_invoice_is_for_that_client_only(self, side: OtherSide) -> None:
        client, other = _two_clients(side)
        made = side.billing().create_invoice(an_invoice(client))
        try:
            found = side.billing().find_invoice(other.id, made.reference)
        except Refused:
            return
        assert found is None

    def test_taxes_that_nobody_was_shown_are_told_or_not_charged(self, side: OtherSide) -> None:
        """A receipt says what is there, and never repeats what was sent."""
        client = side.some_client()
        if "taxes" in side.cannot():
            pytest.skip("taxes: the billing system charges what the invoice says, or bridge.toml's")
        side.charged_taxes(client, "20")
        invoice = an_invoice(client, "4.90")
        try:
            receipt = side.billing().create_invoice(invoice)
        except Refused:
            assert side.invoices() == []
            return
        assert receipt.total == side.the_invoice().total
        if "set_taxes" not in side.cannot():
            assert receipt.total == Decimal("4.90"), "it is told what to charge, and that is nothing"

    def test_create_invoice_takes_long_words(self, side: OtherSide) -> None:
        """They may be cut at their end, never the amounts, nor the reference."""
        client = side.some_client()
        lines = tuple(InvoiceLine(f"{number}: {_LONG}", 7, Decimal("1.50")) for number in range(3))
        invoice = an_invoice(client, lines=lines)
        notes = "\n".join([invoice.notes, *(["- web-1: 700 hours"] * 100)])
        side.billing().create_invoice(attrs.evolve(invoice, notes=notes))
        held = side.the_invoice()
        assert [line.amount for line in held.lines] == [Decimal("1.50")] * 3
        for number, line in enumerate(held.lines):
            assert f"{number}: {_LONG[:40]}" in line.description
        found = side.billing().find_invoice(client.id, invoice.reference)
        assert found is not None
        assert [each.reference for each in _listed(side)] == [invoice.reference]

    @pytest.mark.parametrize("included", [False, True], ids=["tax_added", "tax_included"])
    @pytest.mark.parametrize(("currency", "amount"), [("USD", "10.00"), ("JPY", "735"), ("KWD", "12.345")])
    def test_create_invoice_charges_tax_in_every_currency(
        self, side: OtherSide, currency: str, amount: str, included: bool
    ) -> None:
        if "negative_lines" not in side.cannot():
            pytest.skip("negative_lines: it is tried with lines that take something back")
        if currency == "KWD":
            side.needs("three_decimals")
        client = side.some_client(currency)
        taxes = side.charged_taxes(client, "20")
        invoice = an_invoice(client, amount, taxes=taxes, prices_include_tax=included)
        try:
            receipt = side.billing().create_invoice(invoice)
        except Refused:
            assert included, "tax that is added to prices is no reason to refuse an invoice"
            assert side.invoices() == []
            return
        assert side.the_invoice().total == receipt.total == invoice.total
