"""The line is cut, or the process dies, at every call of ``create_invoice`` that writes, one after the other.

Which calls there are the kit finds out by itself. At each it is cut once so that the call is not sent, and once so that
it is done and its answer lost; and once its answer cannot be read. Whatever was left, the next tries must end in one
invoice, whole.
"""

from contextlib import suppress
from itertools import product

import attrs
import pytest

from tollbridge.adapters.billing import LooseAttempt
from tollbridge.conformance.attempts import finished, nothing_is_issued_by_half, three_lines
from tollbridge.conformance.side import OtherSide, an_invoice
from tollbridge.conformance.wire import Cut, Died, Ending, Moment, Watch, watching
from tollbridge.errors import OutcomeUnknown, Unavailable
from tollbridge.model import Client, Invoice, InvoiceStatus

_MOMENTS: tuple[Moment, ...] = ("before", "after")
_FEW_WRITES = 2


def _invoice(client: Client, number: int) -> Invoice:
    """One of its own for each try, of a month of its own."""
    reference = f"TB-{2001 + number // 12}-{number % 12 + 1:02}-{client.id}"
    return attrs.evolve(three_lines(client), reference=reference, notes=f"{reference}: usage")


def _undisturbed(side: OtherSide, invoice: Invoice) -> Watch:
    """What goes over the wire when nothing is in the way."""
    billing = side.billing(counted=False)
    with watching(Watch(look=side.state)) as watch:
        receipt = billing.create_invoice(invoice, LooseAttempt())
        if receipt.status is InvoiceStatus.DRAFT:
            pytest.fail("create_invoice gave a draft though nothing was in its way")
    if not watch.calls:
        pytest.skip("create_invoice makes no call by HTTP or SQLAlchemy that could be cut")
    assert watch.writing, f"none of {watch.calls} changed anything that OtherSide.state() shows: it must show more"
    return watch


def _is_cut(side: OtherSide, invoice: Invoice, cut: Cut) -> LooseAttempt:
    """A try that goes wrong there; what it kept."""
    attempt = LooseAttempt()
    billing = side.billing(counted=False)
    error = None
    with watching(Watch(cut=cut)), suppress(Died):
        try:
            billing.create_invoice(invoice, attempt)
        except Unavailable as raised:
            error = raised
    made = [held for held in side.invoices() if held.status is not InvoiceStatus.DRAFT]
    if error is not None and len(made) > _others(invoice):
        assert isinstance(error, OutcomeUnknown), f"it was made, and is said to be surely not there: {error}"
    return attempt


def _others(invoice: Invoice) -> int:
    """How many invoices there are besides this one: each try has one, and the first was undisturbed."""
    year, month = int(invoice.reference[3:7]), int(invoice.reference[8:10])
    return (year - 2001) * 12 + month - 1


class CutTests:
    """``create_invoice``, cut at each call that writes."""

    @pytest.mark.parametrize("ending", ["down", "died", "garbled"])
    def test_create_invoice_is_made_once_and_whole_wherever_it_is_cut(self, side: OtherSide, ending: Ending) -> None:
        client = side.some_client()
        watch = _undisturbed(side, _invoice(client, 0))
        if ending == "garbled" and any(call.is_sql for call in watch.calls):
            pytest.skip("a database gives no answers that cannot be read")
        moments = _MOMENTS if ending != "garbled" else ("after",)
        cuts = [Cut(at, moment, ending) for at, moment in product(watch.writing, moments)]
        for number, cut in enumerate(cuts, 1):
            where = f"{cut.moment} call {cut.at + 1} of {len(watch.calls)}, {watch.calls[cut.at].words}"
            invoice = _invoice(client, number)
            attempt = _is_cut(side, invoice, cut)
            nothing_is_issued_by_half(side, invoice)
            receipt = finished(side, invoice, attempt)
            assert (receipt.reference, receipt.total) == (invoice.reference, invoice.total), where
            held = side.invoices()
            issued = [each for each in held if each.status is not InvoiceStatus.DRAFT]
            assert len(issued) == number + 1, f"cut {where}, it is there {len(issued) - number} times"
            assert str(receipt.id) in {str(each.id) for each in issued}, where
            amounts = {tuple(line.amount for line in each.lines) for each in issued}
            assert amounts == {tuple(line.amount for line in invoice.lines)}, where
            left = [each for each in held if each.status is InvoiceStatus.DRAFT and each.lines]
            assert left == [], f"cut {where}, a draft with lines stays behind"

    def test_create_invoice_makes_what_is_ordered_now_of_a_draft_with_other_prices(self, side: OtherSide) -> None:
        """Nothing was kept, so a price may have been corrected in between: an invoice has the lines of one of both."""
        client = side.some_client()
        watch = _undisturbed(side, _invoice(client, 0))
        writes = sorted(set(watch.writing))
        if len(writes) <= _FEW_WRITES:
            pytest.skip("create_invoice makes an invoice in one or two calls: no draft has some of its lines")
        before = _invoice(client, 1)
        _is_cut(side, before, Cut(writes[1], "after", "died"))
        if [held for held in side.invoices() if held.status is not InvoiceStatus.DRAFT][1:]:
            pytest.skip("an invoice counts as soon as it has a line")
        lines = an_invoice(client, "5.90", "2.10", "0.07", "1.00").lines
        now = attrs.evolve(before, lines=lines)
        receipt = finished(side, now, LooseAttempt())
        issued = [held for held in side.invoices() if held.status is not InvoiceStatus.DRAFT]
        [made] = [held for held in issued if str(held.id) == str(receipt.id)]
        assert len(issued) == 2, "the undisturbed one, and this one"
        assert sorted(line.amount for line in made.lines) == sorted(line.amount for line in lines)
        assert [held for held in side.invoices() if held.status is InvoiceStatus.DRAFT and held.lines] == []
