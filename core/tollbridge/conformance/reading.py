"""What an adapter reads: clients, currencies, terms, and every page of a list."""

from decimal import Decimal

import attrs
import pytest

from tollbridge.conformance.side import MONTH, NOBODY, WRITINGS, OtherSide, an_invoice
from tollbridge.errors import NotFound, Refused
from tollbridge.model import ClientStatus, Discount, TaxRate
from tollbridge.rules.calendar import Month
from tollbridge.texts.languages import LANGUAGES, language_called

_BEYOND_A_PAGE = (-1, 0, 1)


def _sizes(side: OtherSide) -> list[int]:
    """None, one less than a page, a page, one more, and the same where a third page begins."""
    if side.page_size is None:
        return [0, 1, 3]
    return sorted(
        {max(0, size) for size in (0, *(side.page_size + by for by in _BEYOND_A_PAGE), 2 * side.page_size + 1)}
    )


class ReadingTests:
    """Hooks ``client``, ``clients``, ``currencies`` and ``terms``."""

    @pytest.mark.parametrize("tax_exempt", [False, True])
    def test_client_comes_as_it_was_entered(self, side: OtherSide, tax_exempt: bool) -> None:
        client = side.some_client(tax_exempt=tax_exempt)
        found = side.billing().client(client.id)
        assert attrs.evolve(found, group="", language="") == client

    def test_client_and_clients_tell_its_language_or_none(self, side: OtherSide) -> None:
        """Not every billing system knows it; one that does must not take one language for another."""
        known = {
            side.some_client(id=1042 + number, email=f"{language}@example.com", language=language).id: language
            for number, language in enumerate(LANGUAGES)
        }
        billing = side.billing()
        told = {client_id: billing.client(client_id).language for client_id in known}
        assert {client.id: client.language for client in billing.clients() if not isinstance(client, Refused)} == told
        if not any(told.values()):
            pytest.skip("this billing system tells no client's language")
        assert {client_id: language_called(words) for client_id, words in told.items()} == known

    @pytest.mark.parametrize("status", ClientStatus)
    def test_client_and_clients_tell_its_status(self, side: OtherSide, status: ClientStatus) -> None:
        client = side.some_client(status=status)
        billing = side.billing()
        assert billing.client(client.id).status == status
        assert [found.status for found in billing.clients() if not isinstance(found, Refused)] == [status]

    def test_client_that_nobody_is_is_not_found(self, side: OtherSide) -> None:
        side.some_client()
        with pytest.raises(NotFound):
            side.billing().client(NOBODY)

    def test_clients_are_the_same_as_each_client(self, side: OtherSide) -> None:
        """With all fields: a group or a state that the list lacks would be taken for none."""
        for number in range(3):
            group, exempt = ("Partners", "", "")[number], number == 1
            side.some_client(id=1042 + number, email=f"client{number}@example.com", group=group, tax_exempt=exempt)
        billing = side.billing()
        listed = list(billing.clients())
        assert len(listed) == 3
        for client in listed:
            assert not isinstance(client, Refused)
            assert billing.client(client.id) == client

    def test_a_client_that_nobody_was_is_found_once_it_is_there(self, side: OtherSide) -> None:
        """Somebody signs up there while the bridge runs."""
        side.some_client()
        billing = side.billing()
        with pytest.raises(NotFound):
            billing.client(1043)
        newcomer = side.some_client(id=1043, email="b@example.com")
        assert billing.client(newcomer.id).email == "b@example.com"
        assert newcomer.id in [each.id for each in billing.clients() if not isinstance(each, Refused)]

    def test_a_client_that_was_closed_is_told_as_closed_at_once(self, side: OtherSide) -> None:
        """And not as it was a while ago: the core itself keeps what it may keep."""
        client = side.some_client()
        billing = side.billing()
        assert billing.client(client.id).status is ClientStatus.ACTIVE
        assert [each.status for each in billing.clients() if not isinstance(each, Refused)] == [ClientStatus.ACTIVE]
        side.close_client(client.id)
        assert billing.client(client.id).status is ClientStatus.CLOSED
        assert [each.status for each in billing.clients() if not isinstance(each, Refused)] == [ClientStatus.CLOSED]

    def test_clients_that_cannot_be_read_hide_no_others(self, side: OtherSide) -> None:
        ids = [side.some_client(id=1042 + n, email=f"client{n}@example.com").id for n in range(5)]
        side.spoil_client(ids[2])
        listed = list(side.billing().clients())
        assert [client.id for client in listed if not isinstance(client, Refused)] == [*ids[:2], *ids[3:]]
        assert len(listed) == 5, "the one that cannot be read comes as Refused"

    def test_clients_come_once_each_however_many_pages_there_are(self, side: OtherSide) -> None:
        ids: set[int] = set()
        for size in _sizes(side):
            while len(ids) < size:
                number = len(ids)
                ids.add(side.some_client(id=1042 + number, email=f"client{number}@example.com").id)
            found = [client.id for client in side.billing().clients() if not isinstance(client, Refused)]
            assert sorted(found) == sorted(ids)

    def test_unpaid_invoices_come_once_each_however_many_pages_there_are(self, side: OtherSide) -> None:
        clients = [side.some_client(id=1042 + number, email=f"client{number}@example.com") for number in range(2)]
        billing = side.billing()
        references: set[str] = set()
        for size in _sizes(side):
            while len(references) < size:
                number = len(references)
                invoice = an_invoice(clients[number % 2], month=f"{2026 + number // 12}-{number % 12 + 1:02}")
                references.add(billing.create_invoice(invoice).reference)
            found = [each.reference for each in billing.unpaid_invoices() if not isinstance(each, Refused)]
            assert sorted(found) == sorted(references)

    def test_find_invoice_goes_back_to_the_oldest_page(self, side: OtherSide) -> None:
        client = side.some_client()
        billing = side.billing()
        count = _sizes(side)[-1]
        months = [f"{2026 + number // 12}-{number % 12 + 1:02}" for number in range(count)]
        for month in months:
            billing.create_invoice(an_invoice(client, month=month))
        for month in {months[0], months[count // 2], months[-1]}:
            found = billing.find_invoice(client.id, f"TB-{month}-{client.id}")
            assert found is not None, f"the invoice of {month} is lost among {count}"
        assert billing.find_invoice(client.id, f"TB-1999-01-{client.id}") is None

    def test_currencies_come_with_their_decimals(self, side: OtherSide) -> None:
        wanted = {"USD": 2, "JPY": 0}
        if "three_decimals" not in side.cannot():
            wanted["KWD"] = 3
        for code in wanted:
            side.add_currency(WRITINGS[code])
        found = side.billing().currencies()
        if "currencies" in side.cannot():
            assert found == {}
            return
        assert {code: found[code].decimals for code in wanted} == wanted
        assert (found["USD"].prefix, found["USD"].suffix) == ("$", "")

    def test_a_currency_that_was_taken_out_of_use_is_not_told(self, side: OtherSide) -> None:
        """New invoices would be refused in it."""
        side.needs("currencies")
        for code in ("USD", "JPY"):
            side.add_currency(WRITINGS[code])
        assert {"USD", "JPY"} <= side.billing().currencies().keys()
        side.remove_currency("JPY")
        told = side.billing().currencies()
        assert "USD" in told
        assert "JPY" not in told

    def test_terms_tell_the_clients_discount(self, side: OtherSide) -> None:
        client = side.some_client()
        billing = side.billing()
        if "discounts" in side.cannot():
            terms = billing.terms(client, MONTH)
            assert terms is None or terms.discounts is None
            return
        side.give_discount(client.id, Discount("Partners", "5% recurring discount", Decimal("0.95")))
        billing = side.billing()
        terms = billing.terms(billing.client(client.id), MONTH)
        assert terms is not None
        assert terms.discounts is not None
        assert [discount.multiplier for discount in terms.discounts] == [Decimal("0.95")]

    def test_terms_tell_the_taxes_where_the_client_lives(self, side: OtherSide) -> None:
        here, elsewhere = side.some_client(country="GB"), side.some_client(id=1043, email="b@example.com", country="FR")
        billing = side.billing()
        if "taxes" in side.cannot():
            terms = billing.terms(here, MONTH)
            assert terms is None or terms.taxes is None
            return
        side.add_tax("GB", TaxRate("VAT", Decimal("17.5")))
        billing = side.billing()
        rates = []
        for client in (here, elsewhere):
            terms = billing.terms(billing.client(client.id), MONTH)
            assert terms is not None
            assert terms.taxes is not None
            rates.append([tax.rate for tax in terms.taxes])
        assert rates == [[Decimal("17.5")], []]

    def test_terms_are_told_of_any_month(self, side: OtherSide) -> None:
        client = side.some_client()
        billing = side.billing()
        told = [billing.terms(client, month) for month in (Month(1999, 12), MONTH, Month(2999, 12))]
        assert told == [None] * 3 or None not in told

    def test_check_finds_nothing_wrong_and_writes_nothing(self, side: OtherSide) -> None:
        side.some_client()
        before = side.state()
        checks = side.billing().check()
        assert checks
        assert [check for check in checks if check.ok is False] == []
        assert side.state() == before
