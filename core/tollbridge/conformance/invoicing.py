"""Invoices: created whole, found again, and told when unpaid."""

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import attrs
import pytest

from tollbridge.conformance.side import MONTH, NOBODY, OtherSide, an_invoice
from tollbridge.errors import NotFound, Refused
from tollbridge.model import Client, Invoice, InvoiceLine, InvoiceStatus

_AMOUNTS = [
    ("USD", ("4.90",)),
    ("USD", ("0.01", "0.10", "123456.78")),
    ("JPY", ("735", "1")),
    ("KWD", ("0.001", "12.345")),
]


def _taxed(side: OtherSide, client: Client, rates: tuple[str, ...], *amounts: str) -> Invoice:
    """An invoice with these taxes: charged by the other side and told by the adapter, or given by bridge.toml."""
    taxes = side.charged_taxes(client, *rates)
    terms = None if "taxes" in side.cannot() else side.billing().terms(client, MONTH)
    return an_invoice(client, *amounts, taxes=taxes, compound=terms.compound if terms else False)


def _exact_or_refused(side: OtherSide, invoice: Invoice) -> bool:
    """Whether the invoice was made, to the last digit; if not, it was refused and nothing is there."""
    try:
        receipt = side.billing().create_invoice(invoice)
    except Refused:
        assert side.invoices() == []
        return False
    held = side.the_invoice()
    assert (held.total, held.currency) == (invoice.total, invoice.currency)
    assert receipt.total == held.total
    return True


class InvoiceTests:
    """Hooks ``create_invoice``, ``find_invoice`` and ``unpaid_invoices``."""

    @pytest.mark.parametrize(("currency", "amounts"), _AMOUNTS, ids=[currency for currency, _ in _AMOUNTS])
    def test_create_invoice_keeps_every_amount(self, side: OtherSide, currency: str, amounts: tuple[str, ...]) -> None:
        if currency == "KWD" and "three_decimals" in side.cannot():
            pytest.skip(f"cannot three_decimals: {side.cannot()['three_decimals']}")
        client = side.some_client(currency)
        invoice = an_invoice(client, *amounts)
        receipt = side.billing().create_invoice(invoice)
        held = side.the_invoice()
        assert [line.amount for line in held.lines] == [Decimal(amount) for amount in amounts]
        assert held.total == receipt.total == invoice.total
        assert (held.client_id, held.currency, held.status) == (client.id, currency, InvoiceStatus.UNPAID)
        assert str(held.id) == str(receipt.id)

    def test_create_invoice_refuses_amounts_it_could_not_keep(self, side: OtherSide) -> None:
        if "three_decimals" not in side.cannot():
            pytest.skip("three_decimals: this adapter keeps them, so there is nothing to refuse")
        client = side.some_client("USD")
        with pytest.raises(Refused):
            side.billing().create_invoice(an_invoice(client, "1.000", "12.345", decimals=3))
        assert side.invoices() == []

    def test_create_invoice_keeps_finer_amounts_exactly_or_refuses_them(self, side: OtherSide) -> None:
        """Finer than the currency's own: never cut off and never rounded by the way."""
        client = side.some_client("USD")
        _exact_or_refused(side, an_invoice(client, "1.005", "2.00", decimals=3))

    @pytest.mark.parametrize(
        ("currency", "amounts"), [("USD", ("4.90", "-0.07")), ("JPY", ("-1", "735")), ("KWD", ("-0.001", "12.345"))]
    )
    def test_create_invoice_keeps_lines_that_take_something_back_or_refuses_them(
        self, side: OtherSide, currency: str, amounts: tuple[str, ...]
    ) -> None:
        if currency == "KWD":
            side.needs("three_decimals")
        client = side.some_client(currency)
        made = _exact_or_refused(side, an_invoice(client, *amounts))
        assert made == ("negative_lines" not in side.cannot())
        if made:
            assert [line.amount for line in side.the_invoice().lines] == [Decimal(amount) for amount in amounts]

    @pytest.mark.parametrize("rates", [("20",), ("7.7",), ("5", "9.975")], ids="+".join)
    def test_create_invoice_charges_the_taxes_that_were_shown(self, side: OtherSide, rates: tuple[str, ...]) -> None:
        client = side.some_client()
        invoice = _taxed(side, client, rates, "4.90", "0.07", "134.00")
        receipt = side.billing().create_invoice(invoice)
        assert side.the_invoice().total == receipt.total
        assert abs(receipt.total - invoice.total) <= Decimal("0.005") * len(rates)

    def test_create_invoice_charges_no_tax_on_lines_that_are_not_taxed(self, side: OtherSide) -> None:
        client = side.some_client()
        lines = (InvoiceLine("a", 1, Decimal("10.00")), InvoiceLine("b", 1, Decimal("5.00"), taxed=False))
        invoice = attrs.evolve(_taxed(side, client, ("20",)), lines=lines)
        receipt = side.billing().create_invoice(invoice)
        assert side.the_invoice().total == receipt.total == Decimal("17.00")

    def test_create_invoice_charges_an_exempt_client_no_tax(self, side: OtherSide) -> None:
        taxed, client = side.some_client(), side.some_client(id=1043, email="b@example.com", tax_exempt=True)
        _taxed(side, taxed, ("20",))
        receipt = side.billing().create_invoice(an_invoice(client, "4.90"))
        assert side.the_invoice().total == receipt.total == Decimal("4.90")

    def test_create_invoice_keeps_prices_that_include_tax_or_refuses_them(self, side: OtherSide) -> None:
        client = side.some_client()
        invoice = attrs.evolve(_taxed(side, client, ("20",), "12.00"), prices_include_tax=True)
        made = _exact_or_refused(side, invoice)
        assert not (made and "prices_include_tax" in side.cannot())

    def test_create_invoice_charges_tax_on_tax_or_refuses_it(self, side: OtherSide) -> None:
        """Of a second tax that is charged on the first: 10.00, 5 % and 10 % make 11.55."""
        if "set_taxes" in side.cannot():
            pytest.skip(f"cannot set_taxes: {side.cannot()['set_taxes']}")
        client = side.some_client()
        taxes = side.charged_taxes(client, "5", "10")
        if len(taxes) == 1:
            pytest.skip("this billing system has one tax at a time")
        invoice = an_invoice(client, "10.00", taxes=taxes, compound=True)
        assert invoice.total == Decimal("11.55")
        _exact_or_refused(side, invoice)

    def test_create_invoice_in_another_currency_is_exact_or_refused(self, side: OtherSide) -> None:
        """The client's was changed after the price was shown."""
        client = side.some_client("USD")
        side.some_client("JPY", id=1043, email="b@example.com")
        _exact_or_refused(side, an_invoice(attrs.evolve(client, currency="JPY"), "735"))

    def test_create_invoice_keeps_its_dates_and_receipts_tell_them(self, side: OtherSide) -> None:
        client = side.some_client()
        invoice = an_invoice(client)
        billing = side.billing()
        receipt = billing.create_invoice(invoice)
        held = side.the_invoice()
        assert side.is_dated(held, invoice.issue_date)
        assert held.due_date == invoice.due_date
        assert receipt.due_date == invoice.due_date
        assert [found.due_date for found in billing.unpaid_invoices() if not isinstance(found, Refused)] == [
            invoice.due_date
        ]

    def test_create_invoice_keeps_the_words_of_its_lines(self, side: OtherSide) -> None:
        client = side.some_client()
        words = ('Größe "XL" <b>&amp; mehr</b> – 名前; DROP TABLE', "it's 100 %, [a]=b&c=d + e\\f")
        lines = tuple(InvoiceLine(text, 7, Decimal("1.00")) for text in words)
        side.billing().create_invoice(an_invoice(client, lines=lines))
        for text, line in zip(words, side.the_invoice().lines, strict=True):
            assert text in line.description

    def test_create_invoice_takes_as_many_lines_as_there_are(self, side: OtherSide) -> None:
        client = side.some_client()
        amounts = [f"{number}.{number % 100:02}" for number in range(1, 121)]
        receipt = side.billing().create_invoice(an_invoice(client, *amounts))
        assert [line.amount for line in side.the_invoice().lines] == [Decimal(amount) for amount in amounts]
        assert receipt.total == sum(Decimal(amount) for amount in amounts)

    def test_create_invoice_for_nobody_makes_nothing(self, side: OtherSide) -> None:
        client = attrs.evolve(side.some_client(), id=NOBODY)
        with pytest.raises((NotFound, Refused)):
            side.billing().create_invoice(an_invoice(client))
        assert side.invoices() == []

    def test_create_invoice_serves_several_clients_at_the_same_time(self, side: OtherSide) -> None:
        clients = [side.some_client(id=1042 + n, email=f"client{n}@example.com") for n in range(6)]
        billing = side.billing()
        with ThreadPoolExecutor(3) as pool:
            receipts = list(pool.map(billing.create_invoice, [an_invoice(client) for client in clients]))
        assert len({receipt.id for receipt in receipts}) == 6
        assert sorted(held.client_id for held in side.invoices()) == sorted(client.id for client in clients)

    def test_find_invoice_finds_what_create_invoice_made(self, side: OtherSide) -> None:
        client = side.some_client()
        receipt = side.billing().create_invoice(an_invoice(client))
        found = side.billing().find_invoice(client.id, receipt.reference)
        assert found is not None
        assert (found.id, found.status, found.due_date, found.total) == (
            receipt.id,
            receipt.status,
            receipt.due_date,
            receipt.total,
        )

    @pytest.mark.parametrize("status", [InvoiceStatus.PAID, InvoiceStatus.CANCELLED, InvoiceStatus.REFUNDED])
    def test_find_invoice_finds_settled_ones_and_unpaid_invoices_does_not(
        self, side: OtherSide, status: InvoiceStatus
    ) -> None:
        client = side.some_client()
        billing = side.billing()
        billing.create_invoice(an_invoice(client, month="2026-06"))
        [unpaid] = side.invoices()
        billing.create_invoice(an_invoice(client))
        [settled] = [held for held in side.invoices() if held.id != unpaid.id]
        side.set_status(settled.id, status)
        found = side.billing().find_invoice(client.id, f"TB-2026-07-{client.id}")
        assert found is not None
        assert found.status == next(held.status for held in side.invoices() if held.id == settled.id)
        assert not found.is_open
        listed = [each for each in side.billing().unpaid_invoices() if not isinstance(each, Refused)]
        assert [(each.reference, each.client_id) for each in listed if each.is_open] == [
            (f"TB-2026-06-{client.id}", client.id)
        ]

    def test_unpaid_invoices_and_find_invoice_tell_a_payment_that_is_under_way(self, side: OtherSide) -> None:
        side.needs("pending")
        client = side.some_client()
        receipt = side.billing().create_invoice(an_invoice(client))
        side.set_status(receipt.id, InvoiceStatus.PENDING)
        listed = [each for each in side.billing().unpaid_invoices() if not isinstance(each, Refused)]
        found = side.billing().find_invoice(client.id, receipt.reference)
        assert found is not None
        assert [each.status for each in (*listed, found)] == [InvoiceStatus.PENDING, InvoiceStatus.PENDING]

    def test_unpaid_invoices_and_find_invoice_tell_one_that_is_called_overdue(self, side: OtherSide) -> None:
        """By whatever word it is called there. Who owes it would be released as if it were paid."""
        client = side.some_client()
        billing = side.billing()
        made = billing.create_invoice(an_invoice(client))
        side.call_overdue(made.id)
        found = billing.find_invoice(client.id, made.reference)
        assert found is not None
        listed = [each for each in billing.unpaid_invoices() if not isinstance(each, Refused)]
        assert [(each.reference, each.status) for each in (*listed, found)] == [
            (made.reference, InvoiceStatus.UNPAID)
        ] * 2

    def test_find_invoice_knows_clients_with_long_ids(self, side: OtherSide) -> None:
        client = side.some_client(id=98_765_432)
        receipt = side.billing().create_invoice(an_invoice(client))
        found = side.billing().find_invoice(client.id, receipt.reference)
        assert found is not None
        assert found.client_id == client.id

    def test_find_invoice_is_none_for_what_is_not_there(self, side: OtherSide) -> None:
        client, other = side.some_client(), side.some_client(id=1043, email="b@example.com")
        billing = side.billing()
        assert billing.find_invoice(client.id, f"TB-2026-07-{client.id}") is None
        billing.create_invoice(an_invoice(client))
        assert billing.find_invoice(client.id, f"TB-2026-06-{client.id}") is None
        assert billing.find_invoice(other.id, f"TB-2026-07-{other.id}") is None

    def test_find_invoice_is_not_misled_by_what_customers_call_their_servers(self, side: OtherSide) -> None:
        client = side.some_client()
        billing = side.billing()
        name = f"TB-2026-08-{client.id}, 1 Core [TB-2026-08-{client.id}]\nTB-2026-08-{client.id}"
        billing.create_invoice(an_invoice(client, lines=[InvoiceLine(name, 7, Decimal("1.00"))]))
        assert billing.find_invoice(client.id, f"TB-2026-08-{client.id}") is None
        listed = [each for each in billing.unpaid_invoices() if not isinstance(each, Refused)]
        assert [each.reference for each in listed] == [f"TB-2026-07-{client.id}"]

    def test_find_invoice_does_not_take_a_longer_reference_for_a_shorter_one(self, side: OtherSide) -> None:
        client = side.some_client()
        billing = side.billing()
        reference = f"TB-2026-07-{client.id}"
        billing.create_invoice(an_invoice(client, reference=f"{reference}1", notes=f"{reference}1"))
        assert billing.find_invoice(client.id, reference) is None
        assert billing.find_invoice(client.id, f"{reference}1") is not None
