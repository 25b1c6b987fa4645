"""A month's price list is the first one that was seen in it, and stays it unless a human says otherwise in time."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from decimal import Decimal

import pytest

from tests.ledger.books import HOUR, JULY, JUNE, NOW, draft, draft_month, entry, reading, running
from tollbridge.errors import LedgerError, UsageError
from tollbridge.ledger import Ledger
from tollbridge.ledger.schema import price_lists
from tollbridge.ledger.scratch_copy import scratch_copy
from tollbridge.model import Discount, TaxRate
from tollbridge.rules.entry import State
from tollbridge.rules.pricing import DiscountRule, PriceList, TaxRule
from tollbridge.secret import DatabaseUrl

CHEAP, DEAR = PriceList({"USD": Decimal("0.001")}), PriceList({"USD": Decimal("0.002")})
WHOLE = PriceList(
    {"USD": Decimal("0.00000010"), "JPY": Decimal(15), "EUR": Decimal("123456789.012345678901234567")},
    prices_include_tax=True,
    compound_tax=True,
    discounts=(DiscountRule(Discount("Partners", "5 %", Decimal("0.95")), "partners"),),
    taxes=(TaxRule(TaxRate("GST", Decimal(5)), 1, "CA"), TaxRule(TaxRate("QST", Decimal("9.975")), 2, "CA", "QC")),
)


def kept(ledger: Ledger) -> PriceList | None:
    found = ledger.price_lists.find(JULY)
    return None if found is None else found.prices


@contextmanager
def as_two_machines(url: str) -> Iterator[tuple[Ledger, Ledger]]:
    first, second = Ledger.open(DatabaseUrl(url)), Ledger.open(DatabaseUrl(url))
    try:
        yield first, second
    finally:
        first.close()
        second.close()


def test_the_first_list_that_is_seen_in_a_month_is_kept_and_the_next_month_has_its_own(ledger: Ledger) -> None:
    assert kept(ledger) is None
    assert ledger.price_lists.keep(JULY, CHEAP, "a.toml", 7).prices == CHEAP
    for again in (ledger.price_lists.keep(JULY, DEAR, "b.toml", 8), ledger.price_lists.look(JULY, DEAR, "b.toml")):
        assert (again.prices, again.file) == (CHEAP, "a.toml")
    assert ledger.price_lists.look(JULY.next, DEAR, None).prices == DEAR
    assert kept(ledger) == CHEAP
    told = [(each.month, each.before, each.after, each.run_id) for each in ledger.events.of_kind("prices")]
    assert told == [("2026-07", None, "USD 0.001", 7), ("2026-08", None, "USD 0.002", None)]


def test_a_list_read_back_is_the_same_to_the_last_digit_and_has_the_same_digest(ledger: Ledger) -> None:
    first = ledger.price_lists.keep(JULY, WHOLE, None)
    assert first.prices == kept(ledger) == WHOLE
    assert {first.prices.digest} == {each.prices.digest for each in [ledger.price_lists.keep(JULY, CHEAP, None)]}
    assert list(first.prices.tokens) == list(WHOLE.tokens), "they are offered in this order"


def test_a_currency_without_a_price_gets_one_and_no_price_that_was_there_changes(ledger: Ledger) -> None:
    ledger.price_lists.keep(JULY, CHEAP, None)
    more = PriceList({"EUR": Decimal("0.003"), "USD": Decimal("0.002")}, prices_include_tax=True)
    both = PriceList({"USD": Decimal("0.001"), "EUR": Decimal("0.003")})
    assert ledger.price_lists.look(JULY, more, None).prices == both
    assert kept(ledger) == both
    assert [each.after for each in ledger.events.of_kind("prices")] == ["USD 0.001", "USD 0.001, EUR 0.003"]


def test_of_several_that_see_a_month_first_with_different_lists_one_is_believed_by_all(ledger_url: str) -> None:
    lists = [PriceList({"USD": Decimal(number)}) for number in range(1, 9)]
    with as_two_machines(ledger_url) as machines, ThreadPoolExecutor(8) as threads:
        looks = [
            threads.submit(machines[number % 2].price_lists.look, JULY, each, None) for number, each in enumerate(lists)
        ]
        believed = {str(each.result().prices) for each in looks}
        assert len(believed) == 1
        assert [each.after for each in machines[0].events.of_kind("prices")] == list(believed)


def test_a_human_says_otherwise_and_the_reason_is_kept(ledger: Ledger) -> None:
    ledger.price_lists.keep(JULY, CHEAP, "a.toml")
    before = ledger.price_lists.replace(JULY, DEAR, "b.toml", "a typing error")
    assert before is not None
    assert (before.prices, kept(ledger)) == (CHEAP, DEAR)
    assert ledger.price_lists.keep(JULY, CHEAP, "a.toml").file == "b.toml"
    last = ledger.events.of_kind("prices")[-1]
    assert (last.month, last.before, last.after, last.why) == ("2026-07", "USD 0.001", "USD 0.002", "a typing error")


def test_a_month_that_nobody_has_seen_has_no_list_to_replace(ledger: Ledger) -> None:
    assert ledger.price_lists.replace(JULY, DEAR, None, "too soon") is None
    assert kept(ledger) is None
    assert ledger.events.of_kind("prices") == []


@pytest.mark.parametrize("state", [State.WRITTEN, State.CARRIED, State.NOTHING])
def test_the_prices_of_a_month_stay_once_one_client_is_drafted(ledger: Ledger, state: State) -> None:
    ledger.price_lists.keep(JUNE, CHEAP, None)
    draft(ledger, entry(1, JUNE, state))
    with pytest.raises(UsageError, match="2026-06 is drafted already"):
        ledger.price_lists.replace(JUNE, DEAR, None, "too late")
    found = ledger.price_lists.find(JUNE)
    assert found is not None
    assert found.prices == CHEAP


def test_the_prices_of_a_month_without_any_usage_stay_once_it_is_drafted(ledger: Ledger) -> None:
    ledger.price_lists.keep(JUNE, CHEAP, None)
    draft_month(ledger, JUNE, reading(NOW - 9 * HOUR, NOW, users=0, tokens=0))
    with pytest.raises(UsageError, match="drafted already"):
        ledger.price_lists.replace(JUNE, DEAR, None, "too late")


def test_nobody_changes_prices_while_a_run_drafts_with_them(ledger: Ledger) -> None:
    ledger.price_lists.keep(JULY, CHEAP, None)
    with running(ledger, works=True) as live:
        lease = ledger.leases.take("drafting", live.id, HOUR)
        assert lease is not None
        with pytest.raises(UsageError, match="drafting just now"):
            ledger.price_lists.replace(JULY, DEAR, None, "in between")
        ledger.leases.give_back(lease)
        assert ledger.price_lists.replace(JULY, DEAR, None, "afterwards")
    assert kept(ledger) == DEAR


def test_a_run_that_was_killed_while_it_drafted_keeps_nobody_from_it(ledger: Ledger) -> None:
    ledger.price_lists.keep(JULY, CHEAP, None)
    with running(ledger, works=True) as live:
        assert ledger.leases.take("drafting", live.id, HOUR)
    assert ledger.price_lists.replace(JULY, DEAR, None, "it is dead")


def test_a_run_that_begins_to_draft_waits_for_whoever_changes_prices_just_now(shared: tuple[Ledger, Ledger]) -> None:
    first, second = shared
    first.price_lists.keep(JULY, CHEAP, None)
    with first.database.write() as connection:
        connection.execute(price_lists.select().with_for_update())
        with pytest.raises(LedgerError, match="lock timeout"):
            second.price_lists.keep(JULY, CHEAP, None)
        assert second.price_lists.look(JULY, CHEAP, None).prices == CHEAP, "look-ups wait for nobody"


def test_a_scratch_ledger_has_the_months_lists(ledger: Ledger) -> None:
    ledger.price_lists.keep(JULY, WHOLE, "a.toml")
    with scratch_copy(ledger, JUNE) as scratch:
        assert scratch.price_lists.find(JULY) == ledger.price_lists.find(JULY)
        scratch.price_lists.keep(JULY.next, CHEAP, None)
    assert ledger.price_lists.find(JULY.next) is None
