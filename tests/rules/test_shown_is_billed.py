"""What SolusIO shows a customer and what the customer is billed agree, to the rounding of the invoice's lines."""

from datetime import UTC, date, datetime
from decimal import Decimal

import attrs
from hypothesis import event, given
from hypothesis import strategies as st

from tollbridge.config import BillingSettings
from tollbridge.ledger.documents import documents
from tollbridge.model import Client, Currency, Discount, TaxRate, Terms, UsageItem, tax_factor
from tollbridge.rules.calendar import Month
from tollbridge.rules.closing import draft
from tollbridge.rules.entry import Entry, UserItem
from tollbridge.rules.pricing import PriceList, TokenPrice, token_price
from tollbridge.solus.pricing_answer import pricing_answer

JULY = Month(2026, 7)
BILLING = BillingSettings(start=JULY, zero_invoices=True)
PRECISION = Decimal("1E-12")  # products are kept to 28 digits; nothing here has more than 13 before the point

CURRENCIES = st.sampled_from([Currency("JPY", decimals=0), Currency("USD"), Currency("KWD", decimals=3)])
TAXES = st.lists(st.decimals(0, 30, places=2).map(lambda rate: TaxRate("Tax", rate)), max_size=3)
DISCOUNTS = st.lists(st.decimals(0, 2, places=3).map(lambda factor: Discount("D", "", factor)), max_size=3)
ITEMS = st.lists(st.integers(0, 10**6).map(lambda tokens: UsageItem("backup", 1, "web-1", tokens)), max_size=12)


@st.composite
def priced(draw: st.DrawFn) -> tuple[Client, TokenPrice]:
    currency = draw(CURRENCIES)
    client = Client(1042, "ada@example.com", currency.code, tax_exempt=draw(st.booleans()))
    base = draw(st.decimals(Decimal("0.0000001"), 10, places=7))
    prices = PriceList({currency.code: base}, prices_include_tax=draw(st.booleans()))
    terms = Terms(draw(DISCOUNTS), draw(TAXES), draw(st.booleans()))
    return client, token_price(prices, client, terms, currency)


def _drafted(client: Client, price: TokenPrice, items: list[UsageItem], carried: tuple[Entry, ...] = ()) -> Entry:
    now = datetime(2026, 8, 1, 6, tzinfo=UTC)
    used = [UserItem(7, item) for item in items]
    return draft(
        JULY,
        client,
        used,
        carried,
        (),
        price=price,
        rules=BILLING.invoice_rules,
        prices="",
        day=date(2026, 8, 1),
        now=now,
    )


def _bound(price: TokenPrice, lines: int) -> Decimal:
    """Half a unit for every line, grown by the tax that is added to it, and half a unit for the tax itself."""
    half = Decimal(1).scaleb(-price.currency.decimals) / 2
    added = not price.prices_include_tax and bool(price.taxes)
    factor = tax_factor(price.taxes, compound=price.compound) if added else Decimal(1)
    return lines * half * factor + (half if added else 0) + PRECISION


@given(priced(), ITEMS)
def test_what_is_shown_is_what_is_billed(made: tuple[Client, TokenPrice], items: list[UsageItem]) -> None:
    client, price = made
    entry = _drafted(client, price, items)
    shown: Decimal = pricing_answer(price)["user_token_unit_cost"]
    event(f"exempt {client.tax_exempt}, inclusive {price.prices_include_tax}")
    assert abs(sum(item.tokens for item in items) * shown - entry.invoice().total) <= _bound(price, len(items))


@given(priced(), ITEMS)
def test_every_line_is_rounded_once_half_up_and_the_subtotal_is_their_sum(
    made: tuple[Client, TokenPrice], items: list[UsageItem]
) -> None:
    client, price = made
    invoice = _drafted(client, price, items).invoice()
    half = Decimal(1).scaleb(-price.currency.decimals) / 2
    for line in invoice.lines:
        error = line.amount - line.tokens * price.net
        assert -half < error <= half
        assert line.amount.as_tuple().exponent == -price.currency.decimals
    assert invoice.subtotal == sum(line.amount for line in invoice.lines)
    assert invoice.tokens == sum(item.tokens for item in items)


@given(priced(), ITEMS)
def test_an_exempt_client_is_billed_the_subtotal_and_no_line_is_taxed(
    made: tuple[Client, TokenPrice], items: list[UsageItem]
) -> None:
    client, price = made
    invoice = _drafted(client, price, items).invoice()
    assert [line.taxed for line in invoice.lines] == [not client.tax_exempt] * len(items)
    if client.tax_exempt or price.prices_include_tax:
        assert invoice.total == invoice.subtotal
    else:
        assert invoice.total >= invoice.subtotal


@given(priced(), ITEMS, ITEMS)
def test_a_carried_month_and_its_own_are_billed_as_they_were_shown(
    made: tuple[Client, TokenPrice], before: list[UsageItem], items: list[UsageItem]
) -> None:
    client, price = made
    june = attrs.evolve(_drafted(client, price, before), month=JULY.previous)
    entry = _drafted(client, price, items, (june,))
    tokens = sum(item.tokens for item in before + items)
    assert entry.tokens == tokens
    assert abs(tokens * price.user - entry.total) <= _bound(price, len(before + items))


@given(priced(), ITEMS)
def test_an_invoice_read_back_from_the_ledger_is_the_same_to_the_last_digit(
    made: tuple[Client, TokenPrice], items: list[UsageItem]
) -> None:
    client, price = made
    entry = _drafted(client, price, items)
    read = documents.loads(documents.dumps(entry.document), type(entry.document))
    assert attrs.evolve(entry, document=read).invoice() == entry.invoice()
    assert read.price.user == price.user
