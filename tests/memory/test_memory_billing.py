"""The billing system in memory fails as real ones do, and its books say what came of it."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from decimal import Decimal
from pathlib import Path

import attrs
import pytest

from tollbridge import Invoice, InvoiceStatus, OutcomeUnknown, Refused, TaxRate, Unavailable
from tollbridge.adapters.billing import BillingSystem, LooseAttempt
from tollbridge.adapters.loading import adapter_class, plugin_manager
from tollbridge.conformance import an_invoice
from tollbridge.memory import Books, MemoryBilling, MemorySettings, Trouble, billing_system

REFERENCE = "TB-2026-07-1042"


class Died(BaseException):
    """The process is gone."""


@pytest.fixture
def books() -> Books:
    """Books with one client."""
    made = Books()
    made.add_client(1042)
    return made


@pytest.fixture
def billing(books: Books) -> BillingSystem:
    """The books as the core sees them."""
    return billing_system(books)


def the_invoice(*amounts: str) -> Invoice:
    """July of client 1042."""
    return an_invoice(Books().add_client(1042), *amounts)


def test_a_trouble_before_leaves_nothing_and_one_after_leaves_the_invoice(books: Books, billing: BillingSystem) -> None:
    books.troubles.add(Trouble("before", "create_invoice"))
    with pytest.raises(Unavailable):
        billing.create_invoice(the_invoice())
    assert books.invoices == []
    books.troubles.add(Trouble("after", "create_invoice"))
    with pytest.raises(OutcomeUnknown):
        billing.create_invoice(the_invoice())
    assert [booked.reference for booked in books.invoices] == [REFERENCE]


def test_an_invoice_that_is_late_is_there_once_it_lands(books: Books, billing: BillingSystem) -> None:
    books.troubles.add(Trouble("late", "create_invoice"))
    with pytest.raises(OutcomeUnknown):
        billing.create_invoice(the_invoice())
    assert billing.find_invoice(1042, REFERENCE) is None
    books.land()
    books.land()
    assert [booked.reference for booked in books.invoices] == [REFERENCE]


def test_a_half_invoice_is_short_of_lines(books: Books, billing: BillingSystem) -> None:
    books.troubles.add(Trouble("half", "create_invoice"))
    with pytest.raises(OutcomeUnknown):
        billing.create_invoice(the_invoice("4.90", "2.10"))
    found = billing.find_invoice(1042, REFERENCE)
    assert found is not None
    assert (found.status, found.subtotal, found.total) == (InvoiceStatus.UNPAID, Decimal("4.90"), Decimal("4.90"))


def test_a_total_that_differs_is_told_as_it_is(books: Books, billing: BillingSystem) -> None:
    books.troubles.add(Trouble("total", "create_invoice", amount=Decimal("3.00")))
    assert billing.create_invoice(the_invoice("4.90")).total == Decimal("7.90")
    assert billing.create_invoice(attrs.evolve(the_invoice("4.90"), reference="TB-2026-08-1042")).total == Decimal(
        "4.90"
    )


@pytest.mark.parametrize("several_steps", [False, True])
def test_a_draft_is_finished_by_the_next_call(books: Books, billing: BillingSystem, *, several_steps: bool) -> None:
    books.several_steps = several_steps
    books.troubles.add(Trouble("draft", "create_invoice"))
    attempt = LooseAttempt()
    draft = billing.create_invoice(the_invoice("4.90", "2.10"), attempt)
    assert (draft.status, attempt.kept) == (InvoiceStatus.DRAFT, str(draft.id))
    assert list(billing.unpaid_invoices()) == []
    later = attrs.evolve(the_invoice("4.90", "2.10"), issue_date=date(2026, 8, 9), due_date=date(2026, 8, 23))
    made = billing.create_invoice(later, attempt)
    assert (made.id, made.status, made.due_date) == (draft.id, InvoiceStatus.UNPAID, later.due_date)
    assert len(books.invoices) == 1


@pytest.mark.parametrize("kind", ["before", "after"])
@pytest.mark.parametrize(("step", "skip"), [("new_draft", 0), ("add_line", 0), ("add_line", 1), ("finish_draft", 0)])
@pytest.mark.parametrize("forgetful", [False, True])
def test_an_invoice_made_in_steps_survives_a_death_at_each(
    books: Books, billing: BillingSystem, kind: str, step: str, skip: int, *, forgetful: bool
) -> None:
    books.several_steps = True
    books.troubles.add(Trouble(kind, step, skip=skip, error=Died))  # type: ignore[arg-type]
    attempt = LooseAttempt()
    invoice = the_invoice("4.90", "2.10")
    with pytest.raises(Died):
        billing.create_invoice(invoice, attempt)
    found = billing.find_invoice(1042, REFERENCE)
    if found is None or found.status is InvoiceStatus.DRAFT:
        billing.create_invoice(invoice, LooseAttempt() if forgetful else attempt)
    [booked] = books.invoices
    assert (booked.status, booked.lines) == (InvoiceStatus.UNPAID, invoice.lines)


def test_a_draft_that_comes_to_what_no_tax_explains_is_removed_and_refused(
    books: Books, billing: BillingSystem
) -> None:
    books.several_steps = True
    books.troubles.add(Trouble("total", "create_invoice", amount=Decimal("-1.00")))
    attempt = LooseAttempt()
    with pytest.raises(Refused, match="no tax explains"):
        billing.create_invoice(the_invoice(), attempt)
    assert (books.invoices, attempt.kept) == ([], "")


def test_a_list_may_end_in_the_middle_with_a_word_or_without(books: Books, billing: BillingSystem) -> None:
    books.add_client(1043)
    books.troubles.add(Trouble("after", "clients"))
    listed = billing.clients()
    assert next(listed) == books.clients[1042]
    with pytest.raises(Unavailable):
        next(listed)
    books.troubles.add(Trouble("short", "clients"))
    assert len(list(billing.clients())) == 1
    assert len(list(billing.clients())) == 2


def test_a_trouble_may_be_one_clients_and_begin_later(books: Books, billing: BillingSystem) -> None:
    books.add_client(1043)
    books.troubles.add(Trouble("before", "client", client_id=1043, skip=1, times=2))
    answers = []
    for client_id in (1042, 1043, 1043, 1042, 1043, 1043):
        try:
            answers.append(billing.client(client_id).id)
        except Unavailable:
            answers.append(0)
    assert answers == [1042, 1043, 0, 1042, 0, 1043]


def test_slow_calls_wait_and_are_counted_at_once(books: Books, billing: BillingSystem) -> None:
    slow = books.troubles.add(Trouble("slow", "client", times=None))
    with ThreadPoolExecutor(3) as pool:
        answers = [pool.submit(billing.client, 1042) for _ in range(3)]
        while books.asked("client") < 3:
            threading.Event().wait(0.001)
        assert not any(answer.done() for answer in answers)
        slow.until.set()
        assert {answer.result().id for answer in answers} == {1042}
    assert books.most_at_once == 3


def test_every_step_that_changes_something_is_watched(books: Books, billing: BillingSystem) -> None:
    seen: list[tuple[str, bool]] = []
    books.watch = lambda step, done: seen.append((step, done))
    billing.create_invoice(the_invoice())
    billing.remember_user(1042, 7)
    billing.find_invoice(1042, REFERENCE)
    assert seen == [("book", False), ("book", True), ("remember_user", False), ("remember_user", True)]


def test_what_people_do_there_is_told(books: Books, billing: BillingSystem) -> None:
    number = str(billing.create_invoice(the_invoice("10.00")).id)
    books.add_client(1043)
    books.pay(REFERENCE, Decimal("4.00"))
    books.change_invoice(int(number), client_id=1043)
    assert billing.find_invoice(1042, REFERENCE) is None
    found = billing.invoice(1042, number, REFERENCE)
    assert found is not None
    assert (found.client_id, found.balance, found.is_open) == (1043, Decimal("6.00"), True)
    books.pay(REFERENCE)
    assert list(billing.unpaid_invoices()) == []
    books.copy_invoice(int(number), status="unpaid")
    with pytest.raises(Refused, match="several"):
        billing.find_invoice(1043, REFERENCE)
    books.remove_invoice(int(number))
    assert billing.invoice(1042, number, REFERENCE) is None


def test_invoices_since_counts_from_the_day_they_came_to_be(books: Books, billing: BillingSystem) -> None:
    for day, month in ((1, "2026-06"), (2, "2026-07")):
        books.today = date(2026, 8, day)
        billing.create_invoice(an_invoice(books.clients[1042], month=month))
    books.add_invoice("HOUSE-1", 1042, "100.00")
    books.set_status(REFERENCE, "cancelled")
    receipts = [each for each in billing.invoices_since(date(2026, 8, 2)) if not isinstance(each, Refused)]
    assert [(each.reference, each.status, each.months) for each in receipts] == [
        (REFERENCE, InvoiceStatus.CANCELLED, ("2026-07",))
    ]


def test_its_own_taxes_are_charged_whatever_was_shown(books: Books, billing: BillingSystem) -> None:
    books.change_client(1042, country="GB")
    shown = attrs.evolve(the_invoice("10.00"), taxes=(TaxRate("VAT", Decimal(20)),))
    assert billing.create_invoice(shown).total == Decimal("12.00")
    books.add_tax("GB", TaxRate("VAT", Decimal(25)))
    again = attrs.evolve(shown, reference="TB-2026-08-1042")
    assert billing.create_invoice(again).total == Decimal("12.50")


def test_adapters_of_one_name_share_their_books(tmp_path: Path) -> None:
    table, found = adapter_class("tollbridge.memory:MemoryBilling", tmp_path)
    assert (table, found) == ("settings", MemoryBilling)
    books = Books.named("mine")
    adapter = plugin_manager("memory", MemoryBilling, MemorySettings("mine")).get_plugin("memory")
    assert isinstance(adapter, MemoryBilling)
    assert adapter.books is books
    assert Books.named("others") is not books


def test_many_threads_keep_one_set_of_books(books: Books, billing: BillingSystem) -> None:
    months = [f"{2000 + n // 12}-{n % 12 + 1:02}" for n in range(200)]
    invoices = [an_invoice(books.clients[1042], month=month) for month in months]
    with ThreadPoolExecutor(8) as pool:
        receipts = list(pool.map(billing.create_invoice, invoices))
    assert len({receipt.id for receipt in receipts}) == 200
    assert {booked.reference for booked in books.invoices} == {invoice.reference for invoice in invoices}


def test_books_that_take_no_negative_lines_say_so_and_refuse_them(books: Books, billing: BillingSystem) -> None:
    assert billing.takes_negative_lines
    books.cannot["negative_lines"] = "these books only ever ask for money"
    assert not billing.takes_negative_lines
    with pytest.raises(Refused, match="only ever ask for money"):
        billing.create_invoice(the_invoice("4.90", "-1.00"))
    assert books.invoices == []
