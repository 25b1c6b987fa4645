"""Invoices that are made in several calls: finished by the next try, wherever the last one ended."""

import inspect
from contextlib import suppress
from typing import Any

import attrs
import pytest

from tollbridge.conformance.side import OtherSide, an_invoice
from tollbridge.conformance.wire import Died
from tollbridge.errors import LedgerError, Refused
from tollbridge.model import Client, Invoice, InvoiceStatus, Receipt

_MOST_TRIES = 9


@attrs.define
class _Dying:
    """An attempt whose process dies as soon as something was kept for the ``at``-th time."""

    at: int
    kept: str = ""
    times: int = 0

    def keep(self, text: str) -> None:
        """Keep it, and die."""
        self.kept = text
        self.times += 1
        if self.times == self.at:
            raise Died


@attrs.define
class _Lost:
    """An attempt that is no longer this try's: nothing is kept any more."""

    side: OtherSide
    kept: str = ""
    then: Any = None

    def keep(self, text: str) -> None:
        """Say so; what is there at this moment must be what is there in the end."""
        if text:
            self.then = self.side.state()
            raise LedgerError("somebody else makes this invoice now")


def _takes_attempts(side: OtherSide) -> None:
    if "attempt" not in inspect.signature(side.new_adapter().create_invoice).parameters:
        pytest.skip("create_invoice takes no attempt: it makes an invoice in one call, whole or not at all")


def _begun(side: OtherSide, invoice: Invoice) -> str:
    """An invoice whose process died as soon as something was kept of it; what was kept."""
    attempt = _Dying(1)
    with suppress(Died):
        side.billing().create_invoice(invoice, attempt)
        pytest.skip("create_invoice kept nothing: it makes an invoice in one call, whole or not at all")
    return attempt.kept


def finished(side: OtherSide, invoice: Invoice, attempt: Any) -> Receipt:
    """What the next tries make of it, each by a new process."""
    for _ in range(_MOST_TRIES):
        receipt = side.billing().find_invoice(invoice.client_id, invoice.reference)
        if receipt is not None and receipt.status is not InvoiceStatus.DRAFT:
            return receipt
        receipt = side.billing().create_invoice(invoice, attempt)
        if receipt.status is not InvoiceStatus.DRAFT:
            return receipt
    pytest.fail(f"it is still a draft after {_MOST_TRIES} tries")


def nothing_is_issued_by_half(side: OtherSide, invoice: Invoice) -> None:
    """What is there is a draft, or all of it."""
    found = side.billing().find_invoice(invoice.client_id, invoice.reference)
    listed = [each for each in side.billing().unpaid_invoices() if not isinstance(each, Refused)]
    issued = [each for each in (found, *listed) if each is not None and each.status is not InvoiceStatus.DRAFT]
    for receipt in issued:
        [held] = [each for each in side.invoices() if str(each.id) == str(receipt.id)]
        assert [line.amount for line in held.lines] == [line.amount for line in invoice.lines]


def _is_whole(side: OtherSide, invoice: Invoice) -> None:
    held = side.the_invoice()
    assert (held.status, held.client_id, held.total) == (InvoiceStatus.UNPAID, invoice.client_id, invoice.total)
    assert [line.amount for line in held.lines] == [line.amount for line in invoice.lines]


def three_lines(client: Client) -> Invoice:
    """An invoice that has a middle."""
    return an_invoice(client, "4.90", "2.10", "0.07")


class AttemptTests:
    """The argument ``attempt`` of the hook ``create_invoice``."""

    def test_create_invoice_is_finished_by_the_next_try_wherever_the_process_died(self, side: OtherSide) -> None:
        _takes_attempts(side)
        client = side.some_client()
        references = [f"TB-2026-0{month}-{client.id}" for month in range(1, 10)]
        invoices = [attrs.evolve(three_lines(client), reference=each, notes=each) for each in references]
        for at, invoice in enumerate(invoices, 1):
            attempt = _Dying(at)
            try:
                side.billing().create_invoice(invoice, attempt)
            except Died:
                nothing_is_issued_by_half(side, invoice)
            kept = _Dying(0, attempt.kept)
            made = finished(side, invoice, kept)
            assert (made.reference, made.status) == (invoice.reference, InvoiceStatus.UNPAID)
            held = side.invoices()
            assert len(held) == at, "each is made once, and nothing is left of the tries"
            assert {(each.status, each.total, len(each.lines)) for each in held} == {
                (InvoiceStatus.UNPAID, invoice.total, len(invoice.lines))
            }
            if attempt.times < at:
                return

    def test_create_invoice_goes_on_from_a_draft_though_nothing_was_kept_of_it(self, side: OtherSide) -> None:
        """The ledger was lost; or the draft carries the adapter's own mark; or it stays behind, and is never billed."""
        _takes_attempts(side)
        invoice = three_lines(side.some_client())
        _begun(side, invoice)
        finished(side, invoice, _Dying(0))
        held = [each for each in side.invoices() if each.status is not InvoiceStatus.DRAFT]
        assert [each.total for each in held] == [invoice.total]

    def test_create_invoice_begins_anew_where_somebody_deleted_the_draft(self, side: OtherSide) -> None:
        """Its number is kept, and leads nowhere: the month is billed all the same."""
        _takes_attempts(side)
        invoice = three_lines(side.some_client())
        kept = _begun(side, invoice)
        drafts = side.invoices()
        if not drafts:
            pytest.skip("what is kept first is no invoice yet that somebody could delete")
        side.remove_invoice(drafts[0].id)
        finished(side, invoice, _Dying(0, kept))
        _is_whole(side, invoice)

    def test_create_invoice_sends_nothing_more_once_the_attempt_is_lost(self, side: OtherSide) -> None:
        _takes_attempts(side)
        invoice = three_lines(side.some_client())
        attempt = _Lost(side)
        with suppress(LedgerError):
            side.billing().create_invoice(invoice, attempt)
            assert attempt.then is None, "the error is let through"
            pytest.skip("create_invoice kept nothing: it makes an invoice in one call, whole or not at all")
        assert side.state() == attempt.then

    def test_create_invoice_makes_what_was_shown_of_a_draft_with_other_dates(self, side: OtherSide) -> None:
        """A kept attempt keeps lines, not dates: an invoice that is finished later is due later."""
        _takes_attempts(side)
        invoice = three_lines(side.some_client())
        kept = _begun(side, invoice)
        later = attrs.evolve(
            invoice, issue_date=invoice.issue_date.replace(day=9), due_date=invoice.due_date.replace(day=23)
        )
        receipt = finished(side, later, _Dying(0, kept))
        held = side.the_invoice()
        assert side.is_dated(held, later.issue_date)
        assert (held.due_date, receipt.due_date) == (later.due_date, later.due_date)
        _is_whole(side, later)
