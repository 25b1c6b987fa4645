"""An invoice takes several calls, and the process may die between any two: one whole invoice comes of it, once."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import attrs
import pytest

from tests.plugins.hostbill.side import HostBillSide
from tests.plugins.hostbill.test_hostbill_conformance import a_side
from tollbridge import Invoice, InvoiceStatus, OutcomeUnknown, Receipt, Refused, Unavailable
from tollbridge.adapters.billing import LooseAttempt
from tollbridge.conformance import an_invoice
from tollbridge.conformance.months import Month, MonthTests
from tollbridge.errors import LedgerError
from tollbridge.sandbox import Fault
from tollbridge_hostbill import drafts
from tollbridge_hostbill.sandbox.install import METHODS

LINES = ("4.90", "2.10", "0.07")
CALLS = ("addInvoice", *("addInvoiceItem" for _ in LINES), "editInvoiceDetails", "convertInvoice")
WAYS: dict[str, dict[str, Any]] = {"": {}, "bare": {"whole_answers": False, "drafts": "filter"}}


class Died(BaseException):
    """The process is gone: nothing catches it."""


@contextmanager
def dying(adapter: Any, call: str, times: int, *, answered: bool) -> Iterator[None]:
    """The process dies at this call's ``times``-th time: before it is sent, or as soon as it was answered."""
    request: Callable[..., Any] = adapter._api.http.request
    seen = 0

    def one(*arguments: Any, **options: Any) -> Any:
        nonlocal seen
        seen += options["form"]["call"] == call
        is_due = options["form"]["call"] == call and seen == times
        if is_due and not answered:
            raise Died
        answer = request(*arguments, **options)
        if is_due:
            raise Died
        return answer

    adapter._api.http.request = one
    with pytest.raises(Died):
        yield


def finished(side: HostBillSide, invoice: Invoice, kept: str) -> Receipt:
    """The next run, with what the ledger kept: look, and create what is not there."""
    billing = side.billing()
    receipt = billing.find_invoice(invoice.client_id, invoice.reference)
    if receipt is None or receipt.status is InvoiceStatus.DRAFT:
        receipt = billing.create_invoice(invoice, LooseAttempt(kept))
    return receipt


def is_billed_once(side: HostBillSide, invoice: Invoice, *, left: int = 0) -> None:
    """One whole invoice, and so many drafts beside it, which are empty."""
    held = side.invoices()
    [issued] = [each for each in held if each.status is not InvoiceStatus.DRAFT]
    assert (issued.status, issued.total) == (InvoiceStatus.UNPAID, invoice.total)
    assert [line.amount for line in issued.lines] == [line.amount for line in invoice.lines]
    assert (issued.issue_date, issued.due_date) == (invoice.issue_date, invoice.due_date)
    assert [len(each.lines) for each in held if each is not issued] == [0] * left


@pytest.fixture(params=WAYS)
def side(request: pytest.FixtureRequest) -> Iterator[HostBillSide]:
    with a_side(WAYS[request.param]) as made:
        yield made


@pytest.mark.parametrize("ledger", ["kept", "lost"])
@pytest.mark.parametrize("answered", [True, False], ids=["answered", "unsent"])
def test_a_process_that_dies_between_any_two_calls_leaves_one_whole_invoice(
    side: HostBillSide, answered: bool, ledger: str
) -> None:
    """Also where the ledger was lost with it: then the draft is known by its first line alone."""
    client = side.some_client()
    for place, call in enumerate(CALLS, 1):
        invoice = an_invoice(client, *LINES, taxes=())
        attempt = LooseAttempt()
        adapter = side.adapter()
        with dying(adapter, call, CALLS[:place].count(call), answered=answered):
            adapter.create_invoice(invoice, attempt)
        assert [each.status for each in side.invoices()] in ([], [InvoiceStatus.DRAFT], [InvoiceStatus.UNPAID])
        receipt = finished(side, invoice, attempt.kept if ledger == "kept" else "")
        assert receipt.status is InvoiceStatus.UNPAID
        # An empty draft whose number reached nobody's ledger might be a human's.
        lost_empty = 1 if (place == 1 and answered) or (ledger == "lost" and place == 2 and not answered) else 0
        is_billed_once(side, invoice, left=lost_empty)
        adapter.close()
        for held in side.invoices():
            side.remove_invoice(held.id)


def test_an_answer_lost_at_any_call_leaves_one_whole_invoice(side: HostBillSide) -> None:
    client = side.some_client()
    for place, call in enumerate(CALLS, 1):
        invoice, attempt = an_invoice(client, *LINES), LooseAttempt()
        side.install.faults.add(Fault("lost", path=call, skip=CALLS[:place].count(call) - 1))
        with pytest.raises(OutcomeUnknown):
            side.billing().create_invoice(invoice, attempt)
        assert finished(side, invoice, attempt.kept).status is InvoiceStatus.UNPAID
        is_billed_once(side, invoice, left=1 if place == 1 else 0)
        for held in side.invoices():
            side.remove_invoice(held.id)


@pytest.mark.parametrize("kept", [True, False])
def test_a_draft_that_no_list_has_is_finished_by_its_number_or_never_billed(side: HostBillSide, kept: bool) -> None:
    client = side.some_client()
    side.install.change_quirks(drafts="nowhere")
    invoice, attempt, adapter = an_invoice(client, *LINES), LooseAttempt(), side.adapter()
    with dying(adapter, "convertInvoice", 1, answered=False):
        adapter.create_invoice(invoice, attempt)
    finished(side, invoice, attempt.kept if kept else "")
    statuses = [each.status for each in side.invoices()]
    assert statuses == ([InvoiceStatus.UNPAID] if kept else [InvoiceStatus.DRAFT, InvoiceStatus.UNPAID])
    found = side.billing().find_invoice(client.id, invoice.reference)
    assert found is not None
    assert found.status is InvoiceStatus.UNPAID
    adapter.close()


def test_a_draft_whose_prices_have_changed_since_is_deleted_and_made_anew(side: HostBillSide) -> None:
    client = side.some_client()
    attempt, adapter = LooseAttempt(), side.adapter()
    with dying(adapter, "editInvoiceDetails", 1, answered=False):
        adapter.create_invoice(an_invoice(client, *LINES), attempt)
    cheaper = an_invoice(client, "4.90", "1.05", "0.07")
    finished(side, cheaper, attempt.kept)
    is_billed_once(side, cheaper)
    adapter.close()


def test_a_draft_that_came_to_another_line_by_a_late_request_is_made_anew(side: HostBillSide) -> None:
    """What was sent without an answer landed twice, or after it was looked for."""
    client = side.some_client()
    attempt, adapter, invoice = LooseAttempt(), side.adapter(), an_invoice(client, *LINES)
    with dying(adapter, "editInvoiceDetails", 1, answered=False):
        adapter.create_invoice(invoice, attempt)
    side.install.add_item(int(attempt.kept), "web-3", "0.07")
    finished(side, invoice, attempt.kept)
    is_billed_once(side, invoice)
    adapter.close()


@contextmanager
def meddling(adapter: Any, meddle: Callable[[int], object]) -> Iterator[None]:
    """Somebody does something to a draft when all of its lines are there."""
    request: Callable[..., Any] = adapter._api.http.request

    def one(*arguments: Any, **options: Any) -> Any:
        if options["form"]["call"] == "editInvoiceDetails":
            meddle(int(options["form"]["id"]))
        return request(*arguments, **options)

    adapter._api.http.request = one
    yield
    adapter._api.http.request = request
    adapter.close()


def test_a_draft_is_compared_line_by_line_before_it_counts(side: HostBillSide) -> None:
    """The total is the same."""
    client, adapter = side.some_client(), side.adapter()
    with (
        meddling(adapter, lambda number: side.install.add_item(number, "Free of charge", "0.00")),
        pytest.raises(Refused, match="its lines are others there"),
    ):
        adapter.create_invoice(an_invoice(client, *LINES), LooseAttempt())
    assert side.invoices() == []


def test_a_draft_that_somebody_makes_count_by_hand_is_the_invoice(side: HostBillSide) -> None:
    client, adapter = side.some_client(), side.adapter()
    invoice = an_invoice(client, *LINES)
    with meddling(adapter, side.install.convert):
        receipt = adapter.create_invoice(invoice, LooseAttempt())
    assert (receipt.status, receipt.total) == (InvoiceStatus.UNPAID, invoice.total)
    is_billed_once(side, invoice)


def test_an_invoice_that_somebody_made_count_with_other_lines_is_not_deleted(side: HostBillSide) -> None:
    """Its client may have seen it."""
    client, adapter = side.some_client(), side.adapter()

    def meddle(number: int) -> None:
        side.install.add_item(number, "Setup", "50.00")
        side.install.convert(number)

    with meddling(adapter, meddle), pytest.raises(Refused, match="invoice 1 counts there already"):
        adapter.create_invoice(an_invoice(client, *LINES), LooseAttempt())
    assert [(each.status, len(each.lines)) for each in side.invoices()] == [(InvoiceStatus.UNPAID, 4)]


def test_drafts_of_humans_are_left_alone(side: HostBillSide) -> None:
    """Without our mark, and under no number that was kept; nor under one that was, if somebody else's stands there."""
    client, other = side.some_client(), side.some_client(id=1043, email="b@example.com")
    install, invoice = side.install, an_invoice(client, *LINES)
    empty, with_a_line, others = (install.new_draft(each) for each in (client.id, client.id, other.id))
    install.add_item(with_a_line, f"Setup of {invoice.reference}", "50.00")
    before = install.invoices()
    assert side.billing().find_invoice(client.id, invoice.reference) is None
    for kept in ("", str(with_a_line), str(others), "999"):
        side.billing().create_invoice(invoice, LooseAttempt(kept))
        assert [each for each in install.invoices() if each.id in {empty, with_a_line, others}] == before
        [made] = [each for each in install.invoices() if each.id not in {empty, with_a_line, others}]
        assert (made.status, made.total) == ("Unpaid", invoice.total)
        install.delete_invoice(made.id)


def test_a_leftover_beside_the_invoice_itself_is_never_billed(side: HostBillSide) -> None:
    client = side.some_client()
    invoice = an_invoice(client, *LINES)
    made = side.billing().create_invoice(invoice)
    left = side.install.new_draft(client.id)
    side.install.add_item(left, f"{invoice.reference}: usage in 2026-07", "4.90")
    found = side.billing().find_invoice(client.id, invoice.reference)
    assert found is not None
    assert (found.id, found.status) == (made.id, InvoiceStatus.UNPAID)
    assert [each.id for each in side.billing().unpaid_invoices() if isinstance(each, Receipt)] == [made.id]


def test_nothing_is_sent_for_an_invoice_that_another_run_has_taken_over(
    side: HostBillSide, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once it has been long enough for that, the claim is asked for before every call that changes something."""
    client = side.some_client()
    monkeypatch.setattr(drafts, "RENEW_SECONDS", -1.0)

    @attrs.define
    class Overtaken:
        kept: str = ""
        left: int = 3

        def keep(self, text: str) -> None:
            self.left -= 1
            if not self.left:
                raise LedgerError("another run has taken it over")
            self.kept = text

    with pytest.raises(LedgerError):
        side.billing().create_invoice(an_invoice(client, *LINES), Overtaken())
    [held] = side.invoices()
    assert (held.status, len(held.lines)) == (InvoiceStatus.DRAFT, 2)


def test_the_ledger_is_written_once_for_an_invoice_that_goes_well(side: HostBillSide) -> None:
    """Each write waits for a disk, and for all the others."""

    @attrs.define
    class Counting:
        kept: str = ""
        times: int = 0

        def keep(self, text: str) -> None:
            self.kept, self.times = text, self.times + 1

    attempt = Counting()
    side.billing().create_invoice(an_invoice(side.some_client(), *LINES), attempt)
    assert (attempt.kept, attempt.times) == ("1", 1)


def test_a_slow_hostbill_is_left_to_the_next_run_so_that_a_doubt_has_an_end(
    side: HostBillSide, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = side.some_client()
    invoice, attempt = an_invoice(client, *LINES), LooseAttempt()
    with monkeypatch.context() as patched:
        patched.setattr(drafts, "MOST_SECONDS", -1.0)
        with pytest.raises(Unavailable, match="slow"):
            side.billing().create_invoice(invoice, attempt)
    assert [each.status for each in side.invoices()] in ([], [InvoiceStatus.DRAFT])
    finished(side, invoice, attempt.kept)
    assert len([each for each in side.invoices() if each.status is InvoiceStatus.UNPAID]) == 1


def test_a_draft_that_may_not_be_deleted_is_told_by_its_number(side: HostBillSide) -> None:
    client = side.some_client()
    side.install.change_quirks(forbidden=("deleteInvoice",))
    side.install.taxes = attrs.evolve(side.install.taxes, inclusive=True)
    invoice = an_invoice(client, "12.00", taxes=side.charged_taxes(client, "20"))
    with pytest.raises(Refused, match=r"comes to 12\.00.*draft 1 could not be deleted, so delete it there"):
        side.billing().create_invoice(invoice)
    assert [each.status for each in side.invoices()] == [InvoiceStatus.DRAFT]


class TestMonths:
    """The daily job with its ledger, whose first run loses an answer."""

    month = MonthTests.month

    @pytest.mark.parametrize("call", dict.fromkeys(CALLS))
    def test_a_month_whose_answer_was_lost_at_any_call_is_billed_once(
        self, side: HostBillSide, month: Month, call: str
    ) -> None:
        with side.fault(Fault("lost", path=call)):
            assert len(month.run("2026-07-01").failures) == 1
        assert [month.issued(month.run("2026-07-01")) for _ in range(2)] == [1, 0]
        [issued] = [each for each in side.invoices() if each.status is InvoiceStatus.UNPAID]
        assert [line.amount for line in issued.lines] == [Decimal("5.00")]


def test_the_calls_that_are_cut_are_all_that_the_adapter_writes_an_invoice_with() -> None:
    assert {*CALLS} <= {*METHODS}
    with a_side({}) as made:
        made.billing().create_invoice(an_invoice(made.some_client(), *LINES))
        asked = [entry.body["call"] for entry in made.install.journal.list()]
        assert [call for call in asked if not call.startswith("get")] == list(CALLS)
