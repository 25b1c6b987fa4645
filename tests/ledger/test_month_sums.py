"""Sums of many invoices, made in the database, are exact: they are those of the entries, one by one."""

from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal

import attrs
import pytest
import sqlalchemy as sa

from tests.ledger.books import JULY, JUNE, entry
from tollbridge.ledger import Ledger
from tollbridge.ledger.invoices import row_of
from tollbridge.ledger.schema import invoices, months
from tollbridge.model import EXACT
from tollbridge.rules.entry import Entry, State
from tollbridge.secret import DatabaseUrl

AMOUNTS = ("0.1", "0.2", "0.3", "90071992547409.93", "-0.07", "100", "0.005", "1234567.891")


@pytest.fixture
def ledger(ledger_url: str) -> Iterator[Ledger]:
    with closing(Ledger.open(DatabaseUrl(ledger_url))) as opened:
        yield opened


def kept(ledger: Ledger) -> list[Entry]:
    """Entries of two months, with as many decimals as any currency has, and more in one sum than a float holds."""
    made = []
    for number, text in enumerate(AMOUNTS * 2):
        amount = Decimal(text)
        made.append(
            attrs.evolve(
                entry(number + 1, JUNE if number < len(AMOUNTS) else JULY),
                state=State.ISSUED,
                subtotal=amount,
                total=EXACT.multiply(amount, Decimal("1.19")),
                tokens=7 + number,
            )
        )
    with ledger.database.write() as connection:
        connection.execute(sa.insert(months), [{"month": "2026-06"}, {"month": "2026-07"}])
        connection.execute(sa.insert(invoices), [row_of(each) for each in made])
    return made


def test_a_sum_has_every_digit(ledger: Ledger) -> None:
    entries = kept(ledger)
    sums = {each.month: each for each in ledger.sums.of_month()}
    for month in (JUNE, JULY):
        of = [each for each in entries if each.month == month]
        total, tax = Decimal(0), Decimal(0)
        for each in of:
            total, tax = EXACT.add(total, each.total), EXACT.add(tax, each.tax)
        found = sums[str(month)]
        assert (found.total, found.tax) == (total, tax)
        assert (found.entries, found.tokens) == (len(of), sum(each.tokens for each in of))
        assert ledger.sums.of_month(str(month)) == [found]


def test_revenue_is_made_from_the_sums(ledger: Ledger) -> None:
    kept(ledger)
    rows = ledger.lists.revenue()
    assert [(row.month, row.invoices) for row in rows] == [("2026-06", len(AMOUNTS)), ("2026-07", len(AMOUNTS))]
    assert rows[0].net == sum(map(Decimal, AMOUNTS))
