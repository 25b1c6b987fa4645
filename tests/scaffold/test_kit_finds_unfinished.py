"""The conformance kit fails for adapters that make an invoice in several calls and lose, double or halve it."""

from collections.abc import Callable
from datetime import date

import pytest

from tests.memory.side import MemorySide
from tollbridge import Attempt, Invoice, InvoiceStatus, Receipt, hookimpl
from tollbridge.adapters.billing import LooseAttempt
from tollbridge.conformance import AdapterTests
from tollbridge.memory import Books, MemoryBilling

TESTS = AdapterTests()
FINISHED = TESTS.test_create_invoice_is_finished_by_the_next_try_wherever_the_process_died
GOES_ON = TESTS.test_create_invoice_goes_on_from_a_draft_though_nothing_was_kept_of_it
SENDS_NOTHING = TESTS.test_create_invoice_sends_nothing_more_once_the_attempt_is_lost
OTHER_DATES = TESTS.test_create_invoice_makes_what_was_shown_of_a_draft_with_other_dates


class Faulty(MemoryBilling):
    """The one in memory, with a fault."""

    def __init__(self, books: Books) -> None:
        super().__init__(books=books)


class NeverFinds(Faulty):
    """Begins anew at each try."""

    @hookimpl
    def create_invoice(self, invoice: Invoice, attempt: Attempt) -> Receipt:
        for booked in self.books.find(invoice.reference):
            self.books.change_invoice(booked.number, notes="", reference="")
        return super().create_invoice(invoice, attempt)


class IssuesTooSoon(Faulty):
    """Calls an empty draft unpaid."""

    @hookimpl
    def find_invoice(self, client_id: int, reference: str) -> Receipt | None:
        for booked in self.books.find(reference):
            self.books.change_invoice(booked.number, status=InvoiceStatus.UNPAID)
        return super().find_invoice(client_id, reference)


class GoesOn(Faulty):
    """Tells that the attempt is lost only once the invoice is made."""

    @hookimpl
    def create_invoice(self, invoice: Invoice, attempt: Attempt) -> Receipt:
        try:
            return super().create_invoice(invoice, attempt)
        except Exception:
            super().create_invoice(invoice, LooseAttempt(attempt.kept))
            raise


class KeepsItsDates(Faulty):
    """Finishes a draft with the dates it was begun with."""

    @hookimpl
    def create_invoice(self, invoice: Invoice, attempt: Attempt) -> Receipt:
        begun = self.books.find(invoice.reference)
        receipt = super().create_invoice(invoice, attempt)
        for booked in begun:
            dates: dict[str, date] = {"issue_date": booked.issue_date, "due_date": booked.due_date}
            receipt = self.books.change_invoice(booked.number, **dates).receipt
        return receipt


FAULTS: dict[type[Faulty], Callable[[MemorySide], None]] = {
    NeverFinds: FINISHED,
    IssuesTooSoon: FINISHED,
    GoesOn: SENDS_NOTHING,
    KeepsItsDates: OTHER_DATES,
}


class FaultySide(MemorySide):
    """The other side of a faulty adapter."""

    def __init__(self, adapter: type[Faulty]) -> None:
        super().__init__(several_steps=True)
        self.faulty = adapter

    def adapter(self) -> MemoryBilling:
        return self.faulty(self.books)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_a_fault_is_found(fault: type[Faulty]) -> None:
    with pytest.raises((AssertionError, ValueError)):
        FAULTS[fault](FaultySide(fault))


@pytest.mark.parametrize("found", [FINISHED, GOES_ON, SENDS_NOTHING, OTHER_DATES], ids=lambda test: test.__name__)
def test_without_a_fault_none_is_found(found: Callable[[MemorySide], None]) -> None:
    found(FaultySide(Faulty))
