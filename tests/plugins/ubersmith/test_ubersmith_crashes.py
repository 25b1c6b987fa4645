"""Invoices whose process died, whose answers were lost, and whose services somebody else billed meanwhile."""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import attrs
import pytest

from tests.plugins.ubersmith.side import QUICK, UbersmithSide
from tests.plugins.ubersmith.test_ubersmith_conformance import a_side
from tollbridge import Invoice, InvoiceStatus, OutcomeUnknown, Receipt, Refused, TaxRate, Unavailable
from tollbridge.adapters.billing import LooseAttempt
from tollbridge.conformance import an_invoice
from tollbridge.conformance.months import MonthTests
from tollbridge.sandbox import Fault
from tollbridge_ubersmith import UbersmithAdapter

VAT = (TaxRate("VAT", Decimal(20)),)
# Two lines that are alike, so that one of them being there must not count for both.
AMOUNTS = ("4.90", "2.10", "2.10")
MOST_CALLS = 40


class Died(BaseException):
    """The process is gone: nothing catches it."""


def dying(adapter: UbersmithAdapter, after: int) -> UbersmithAdapter:
    """The adapter, whose process dies as soon as so many of its calls were answered."""
    http, left = adapter._api.http, [after]
    send = http.request

    def request(*arguments: Any, **fields: Any) -> Any:
        if left[0] == 0:
            raise Died
        left[0] -= 1
        return send(*arguments, **fields)

    http.request = request  # type: ignore[method-assign]
    return adapter


def three_lines(side: UbersmithSide) -> Invoice:
    client = side.some_client()
    side.install.add_rate("VAT", "0.2")
    invoice = an_invoice(client, *AMOUNTS, taxes=VAT)
    alike = attrs.evolve(invoice.lines[1], description="web-2: the same")
    return attrs.evolve(invoice, lines=(invoice.lines[0], alike, alike))


def next_run(side: UbersmithSide, invoice: Invoice, attempt: LooseAttempt) -> Receipt:
    """As the core goes about an invoice in doubt: look, and create what is not there, or is a draft."""
    billing = side.billing()
    found = billing.find_invoice(invoice.client_id, invoice.reference)
    if found is not None and found.status is not InvoiceStatus.DRAFT:
        return found
    return billing.create_invoice(invoice, attempt)


def is_billed_once(side: UbersmithSide, invoice: Invoice) -> None:
    """One invoice, whole, and no service left that anybody could bill."""
    held = side.the_invoice()
    assert (held.status, held.total) == (InvoiceStatus.UNPAID, invoice.total)
    assert sorted(line.amount for line in held.lines) == sorted(line.amount for line in invoice.lines)
    assert side.install.billable(invoice.client_id) == []


@pytest.fixture(params=["5.0.3", "4.6.1"])
def either(request: pytest.FixtureRequest) -> Iterator[UbersmithSide]:
    with a_side({"version": request.param}) as side:
        yield side
        side.close_adapters()


@pytest.mark.parametrize("keeps", [True, False], ids=["kept", "ledger_lost"])
def test_a_process_that_dies_between_any_two_calls_leaves_one_whole_invoice(either: UbersmithSide, keeps: bool) -> None:
    side = either
    base = three_lines(side)
    for after in range(MOST_CALLS):
        month = f"{2026 + after // 12}-{after % 12 + 1:02}"
        invoice = attrs.evolve(base, reference=f"TB-{month}-{base.client_id}", notes=f"TB-{month}-{base.client_id}")
        side.install.invoices.clear()
        side.install.services.clear()
        attempt = LooseAttempt()
        try:
            dying(UbersmithAdapter(side.settings(), QUICK), after).create_invoice(invoice, attempt)
        except Died:
            next_run(side, invoice, attempt if keeps else LooseAttempt())
            is_billed_once(side, invoice)
        else:
            assert after >= 6, "a look, three services, an invoice, and the look at it"
            return
    pytest.fail(f"it is not done after {MOST_CALLS} calls")


def test_it_may_die_in_every_try_and_is_still_billed_once(side: UbersmithSide) -> None:
    invoice = three_lines(side)
    attempt = LooseAttempt()
    for after in (5, 5, 6, 7, 8, 9):
        try:
            dying(UbersmithAdapter(side.settings(), QUICK), after).create_invoice(invoice, attempt)
        except Died:
            continue
    next_run(side, invoice, attempt)
    is_billed_once(side, invoice)


@pytest.mark.parametrize("kind", ["cut", "lost", "500", "html", "empty"])
@pytest.mark.parametrize("skip", [0, 1, 2])
def test_a_service_whose_answer_is_none_is_used_by_the_next_run(side: UbersmithSide, kind: Any, skip: int) -> None:
    invoice = three_lines(side)
    side.install.faults.add(Fault(kind, path="client.service_add", skip=skip))
    attempt = LooseAttempt()
    with pytest.raises(OutcomeUnknown):
        side.billing().create_invoice(invoice, attempt)
    before = len(side.install.services)
    assert before == skip + (kind == "lost")
    next_run(side, invoice, attempt)
    is_billed_once(side, invoice)
    assert len(side.install.services) == 3, "none is made twice"


@pytest.mark.parametrize("path", ["client.invoice_generate", "client.invoice_get"])
@pytest.mark.parametrize("kind", ["cut", "lost", "500", "html"])
def test_an_invoice_whose_answer_is_none_is_made_once(side: UbersmithSide, kind: Any, path: str) -> None:
    invoice = three_lines(side)
    side.install.faults.add(Fault(kind, path=path, times=2))
    attempt = LooseAttempt()
    with pytest.raises(OutcomeUnknown):
        side.billing().create_invoice(invoice, attempt)
    side.install.faults.clear()
    next_run(side, invoice, attempt)
    is_billed_once(side, invoice)


def test_a_refusal_that_comes_after_the_invoice_was_made_is_not_believed(side: UbersmithSide) -> None:
    invoice = three_lines(side)
    side.install.change_quirks(fails_after_generate=True)
    with pytest.raises(OutcomeUnknown, match="and yet an invoice charges services of"):
        side.billing().create_invoice(invoice)
    next_run(side, invoice, LooseAttempt())
    is_billed_once(side, invoice)


def test_an_invoice_that_is_refused_leaves_nothing_that_could_be_billed(side: UbersmithSide) -> None:
    invoice = three_lines(side)
    attempt = LooseAttempt()
    with side.refusal(), pytest.raises(Refused, match=r"You do not have permission to call client\.invoice_generate"):
        side.billing().create_invoice(invoice, attempt)
    assert attempt.kept == ""
    assert side.install.billable(invoice.client_id) == []
    assert side.billing().find_invoice(invoice.client_id, invoice.reference) is None
    next_run(side, invoice, attempt)
    is_billed_once(side, invoice)


def test_a_service_that_is_refused_takes_the_others_back(side: UbersmithSide) -> None:
    invoice = three_lines(side)
    last = attrs.evolve(invoice.lines[2], description=" ")
    broken = attrs.evolve(invoice, lines=(*invoice.lines[:2], last))
    with pytest.raises(Refused, match="description parameter not supplied"):
        side.billing().create_invoice(broken)
    assert side.install.billable(invoice.client_id) == []
    assert side.invoices() == []


def test_what_cannot_be_taken_back_is_a_doubt_and_not_a_no(side: UbersmithSide) -> None:
    invoice = three_lines(side)
    side.install.change_quirks(forbidden=("client.invoice_generate", "client.service_deactivate"))
    with pytest.raises(OutcomeUnknown, match=r"services 2001, 2002, 2003 could not be taken back"):
        side.billing().create_invoice(invoice)
    side.install.change_quirks(forbidden=())
    next_run(side, invoice, LooseAttempt())
    is_billed_once(side, invoice)


def test_services_of_lines_that_were_corrected_meanwhile_are_taken_back(side: UbersmithSide) -> None:
    invoice = three_lines(side)
    side.install.faults.add(Fault("cut", path="client.invoice_generate"))
    with pytest.raises(OutcomeUnknown):
        side.billing().create_invoice(invoice)
    dearer = attrs.evolve(invoice, lines=(attrs.evolve(invoice.lines[0], amount=Decimal("5.00")), *invoice.lines[1:]))
    next_run(side, dearer, LooseAttempt())
    is_billed_once(side, dearer)


def test_services_without_an_invoice_are_a_draft(side: UbersmithSide) -> None:
    invoice = three_lines(side)
    side.install.faults.add(Fault("cut", path="client.invoice_generate"))
    with pytest.raises(OutcomeUnknown):
        side.billing().create_invoice(invoice)
    found = side.billing().find_invoice(invoice.client_id, invoice.reference)
    assert found is not None
    assert (found.status, found.id, found.total) == (
        InvoiceStatus.DRAFT, "services 2001, 2002, 2003", Decimal("9.10"),
    )  # fmt: skip
    assert list(side.billing().unpaid_invoices()) == []


def test_services_of_others_are_never_swept_in(side: UbersmithSide) -> None:
    invoice = three_lines(side)
    client = invoice.client_id
    side.install.add_service(client, "Dedicated server", "100.00")
    side.install.add_service(client, "Setup", "50.00", period=0)
    side.install.credits[client] = Decimal("3.00")
    receipt = side.billing().create_invoice(invoice)
    assert receipt.total == invoice.total
    assert len(side.the_invoice().lines) == 3
    assert [each.description for each in side.install.billable(client)] == ["Dedicated server", "Setup"]
    assert side.install.credits[client] == Decimal("3.00")


@pytest.mark.parametrize("made", [1, 3], ids=["some", "all"])
def test_services_that_ubersmith_billed_itself_are_told_and_never_billed_again(
    either: UbersmithSide, made: int
) -> None:
    side = either
    invoice = three_lines(side)
    side.install.add_service(invoice.client_id, "Dedicated server", "100.00")
    method = "client.invoice_generate" if made == 3 else "client.service_add"
    side.install.faults.add(Fault("cut", path=method, skip=made % 3))
    with pytest.raises(OutcomeUnknown):
        side.billing().create_invoice(invoice)
    own = side.install.generate(invoice.client_id)
    for _ in range(2):
        receipt = next_run(side, invoice, LooseAttempt())
        assert (receipt.id, receipt.status) == (own.id, InvoiceStatus.UNPAID)
        assert receipt.subtotal == sum(pack.cost for pack in own.packs) != invoice.subtotal, (
            "so that a run fails for it"
        )
    assert len(side.install.invoices) == 1
    assert side.billing().create_invoice(invoice).id == own.id, "nor is it made by somebody who did not look"
    assert len(side.install.invoices) == 1


def test_services_that_ubersmith_bills_in_the_middle_of_a_try_are_told_and_never_billed_again(
    either: UbersmithSide,
) -> None:
    side = either
    invoice = three_lines(side)
    adapter = side.adapter()
    send = adapter._api.http.request

    def meanwhile(*arguments: Any, **fields: Any) -> Any:
        if fields["params"]["method"] == "client.invoice_generate" and not side.install.invoices:
            side.install.generate(invoice.client_id)
        return send(*arguments, **fields)

    adapter._api.http.request = meanwhile  # type: ignore[method-assign]
    with pytest.raises(OutcomeUnknown, match="There is nothing to invoice"):
        adapter.create_invoice(invoice, LooseAttempt())
    next_run(side, invoice, LooseAttempt())
    assert len(side.install.invoices) == 1


def test_a_long_history_is_not_read_to_find_an_invoice_in_an_older_version(side: UbersmithSide) -> None:
    side.install.change_quirks(version="4.6.1")
    invoice = three_lines(side)
    for number in range(30):
        side.install.add_service(invoice.client_id, f"Domain {number}", "12.00", period=0)
        old = side.install.generate(invoice.client_id)
        side.install.change_invoice(old.id, date=datetime(2026, 1, 1, tzinfo=UTC), paid=1)
    side.billing().create_invoice(invoice)
    side.install.load.clear()
    assert side.billing().find_invoice(invoice.client_id, invoice.reference) is not None
    assert side.install.load.calls["client.invoice_get"] == 1


def test_services_on_two_invoices_are_a_humans_to_settle(side: UbersmithSide) -> None:
    invoice = three_lines(side)
    made = side.billing().create_invoice(invoice)
    [copy] = side.install.invoices.values()
    side.install.invoices[999] = attrs.evolve(copy, id=999)
    with pytest.raises(Refused, match=f"invoices 999, {made.id} all charge services of {invoice.reference}"):
        side.billing().find_invoice(invoice.client_id, invoice.reference)
    side.install.disregard(999)
    found = side.billing().find_invoice(invoice.client_id, invoice.reference)
    assert found is not None
    assert found.id == made.id


def test_services_that_count_as_billed_and_stand_on_no_invoice_are_a_humans_to_settle(side: UbersmithSide) -> None:
    invoice = three_lines(side)
    side.billing().create_invoice(invoice)
    side.install.invoices.clear()
    with pytest.raises(Unavailable, match=r"Ubersmith calls services 2001, 2002, 2003 of .* billed, and no invoice"):
        next_run(side, invoice, LooseAttempt())
    assert side.invoices() == []


def test_without_the_custom_field_nothing_is_made(side: UbersmithSide) -> None:
    """Services would carry no reference, and an invoice in doubt would be made twice."""
    invoice = three_lines(side)
    side.install.fields["pack"] = ["another"]
    with pytest.raises(Refused, match="no custom field of services with the variable tollbridge_reference"):
        side.billing().create_invoice(invoice)
    assert side.install.services == {}


def test_a_custom_field_that_keeps_nothing_is_found_with_the_first_service(side: UbersmithSide) -> None:
    """As where it applies to services of a plan only: what is in doubt would be made twice."""
    invoice = three_lines(side)
    side.install.change_quirks(keeps_fields=False)
    with pytest.raises(Refused, match="does not keep a service's tollbridge_reference"):
        side.billing().create_invoice(invoice)
    assert side.install.billable(invoice.client_id) == []
    assert side.invoices() == []


def test_a_description_that_was_cut_off_or_escaped_is_known_again(side: UbersmithSide) -> None:
    side.install.change_quirks(description_length=80, escaped_text=True)
    client = side.some_client()
    invoice = an_invoice(client, "1.00", "2.00")
    lines = tuple(attrs.evolve(line, description=f"R&D <{line.amount}> {'x' * 200}") for line in invoice.lines)
    invoice = attrs.evolve(invoice, lines=lines)
    side.install.faults.add(Fault("cut", path="client.invoice_generate"))
    with pytest.raises(OutcomeUnknown):
        side.billing().create_invoice(invoice)
    next_run(side, invoice, LooseAttempt())
    is_billed_once(side, invoice)
    assert len(side.install.services) == 2


class TestRunsThatLoseAnAnswer:
    """The daily job itself, with a ledger: one call of it fails, and the next run makes up for it."""

    month = MonthTests.month

    @pytest.fixture
    def side(self) -> Iterator[UbersmithSide]:
        with a_side({}) as side:
            yield side
            side.close_adapters()

    @pytest.mark.parametrize("kind", ["cut", "lost"])
    @pytest.mark.parametrize(
        "path", ["client.service_list", "client.service_add", "client.invoice_generate", "client.invoice_get"]
    )
    def test_the_next_run_makes_one_whole_invoice(self, side: UbersmithSide, month: Any, path: str, kind: Any) -> None:
        side.install.faults.add(Fault(kind, path=path, times=2))
        assert len(month.run("2026-07-01").failures) == 1
        side.install.faults.clear()
        assert month.issued(month.run("2026-07-01")) == 1
        assert side.the_invoice().total == Decimal("5.00")
        assert side.install.billable(month.client.id) == []

    def test_services_that_ubersmith_billed_itself_are_a_failure_of_every_run(
        self, side: UbersmithSide, month: Any
    ) -> None:
        side.install.add_service(month.client.id, "Dedicated server", "100.00")
        side.install.faults.add(Fault("cut", path="client.invoice_generate"))
        assert len(month.run("2026-07-01").failures) == 1
        side.install.generate(month.client.id)
        for day in ("2026-07-01", "2026-07-02", "2026-07-03"):
            [failure] = month.run(day).failures
            assert "come to 105.00 USD, and those that were asked for to 5.00" in str(failure)
        assert len(side.install.invoices) == 1
