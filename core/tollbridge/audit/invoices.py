"""``invoices``: every issued invoice is in the billing system, once, under its number, as the ledger has it."""

from collections.abc import Iterator
from functools import partial

from tollbridge.adapters.billing import BillingSystem
from tollbridge.audit.evidence import Evidence
from tollbridge.audit.findings import Tally, client
from tollbridge.audit.scratch import pages
from tollbridge.ledger.lists import Row
from tollbridge.model import InvoiceStatus, Receipt
from tollbridge.rules.calendar import Month
from tollbridge.rules.closing import rounding
from tollbridge.rules.entry import State

Lacking = tuple[Row, list[Receipt]]
"""An issued invoice whose number is not in the list, and what the list has under its reference."""

_TOLD = {InvoiceStatus.CANCELLED, InvoiceStatus.REFUNDED}
_LOOK = "look at invoice {number} in the billing system and at `tollbridge explain {name}`: correct the one, or {else_}"


def check_invoices(evidence: Evidence, tally: Tally) -> None:
    """Compare each with what the billing system has of it; what its list lacks is asked for by number."""
    listed = evidence.lists_invoices
    if listed:
        evidence.read_receipts()
    for page in pages(_issued(evidence)):
        to_ask: list[Lacking] = []
        for row in page:
            if listed and evidence.receipts.has_just(row.reference, _as_it_is(row)):
                continue
            found = evidence.receipts.with_reference(row.reference) if listed else []
            if any(str(each.id) == row.billing_id for each in found):
                _compare(evidence, tally, row, found)
            else:
                to_ask.append((row, found))
        tally.checked += len(page)
        ask = partial(_by_number if listed else _asked, evidence.sources.billing)
        for (row, found), receipts in evidence.at_once(ask, to_ask, "invoices by number"):
            _compare(evidence, tally, row, found + receipts)
        evidence.progress("invoices", tally.checked)


def _as_it_is(row: Row) -> tuple[object, ...]:
    """What the list has of an invoice that is right; most are, and need no closer look."""
    return row.billing_id, row.client_id, row.currency, f"{row.subtotal:f}", f"{row.total:f}"


def _issued(evidence: Evidence) -> Iterator[Row]:
    for month in evidence.months:
        yield from evidence.sources.ledger.lists.invoices(month, state=State.ISSUED)


def _asked(billing: BillingSystem, of: Lacking) -> list[Receipt]:
    """Of a billing system that lists nothing: what it has under the reference, and under the number."""
    row, _ = of
    found = billing.find_invoice(row.client_id, row.reference)
    if found is not None and str(found.id) == row.billing_id:
        return [found]
    return ([found] if found else []) + _by_number(billing, of)


def _by_number(billing: BillingSystem, of: Lacking) -> list[Receipt]:
    row, _ = of
    if row.billing_id is None or not billing.can("invoice"):
        return []
    receipt = billing.invoice(row.client_id, row.billing_id, row.reference)
    return [receipt] if receipt else []


def _compare(evidence: Evidence, tally: Tally, row: Row, receipts: list[Receipt]) -> None:
    own = next((each for each in receipts if str(each.id) == row.billing_id), None)
    for other in receipts:
        if other is not own and other.status is not InvoiceStatus.CANCELLED:
            words = f"invoice {row.billing_id}, and no other, under {row.reference}"
            what = f"cancel invoice {other.id} in the billing system if it is a copy"
            tally.find(row.reference, words, f"invoice {other.id} ({other.status}), too", what)
    if own is None:
        tally.find(
            row.reference,
            f"invoice {row.billing_id or 'of some number'} in the billing system",
            "nothing under that number",
            "nobody is asked to pay it: find out who removed it there, and enter it again by hand if it is owed",
        )
    elif own.status in _TOLD:
        tally.told.append(f"{row.reference}: invoice {own.id} is {own.status} in the billing system")
    else:
        for expected, found in _faults(evidence, row, own):
            what = _LOOK.format(number=own.id, name=row.reference, else_="settle the difference with the client")
            tally.find(row.reference, expected, found, what)


def _faults(evidence: Evidence, row: Row, receipt: Receipt) -> Iterator[tuple[str, str]]:
    if receipt.status is InvoiceStatus.DRAFT:
        yield "an invoice that the client is asked to pay", "a draft"
    if receipt.client_id != row.client_id:
        yield client(row.client_id), client(receipt.client_id)
    if receipt.currency is not None and receipt.currency != row.currency:
        yield row.currency, receipt.currency
    differs = receipt.total != row.total or receipt.subtotal not in {None, row.subtotal}
    entry = evidence.sources.ledger.invoices.find(Month.parse(row.month), row.client_id) if differs else None
    if entry is not None:
        of_lines, of_total = rounding(entry)
        if receipt.subtotal is not None and abs(receipt.subtotal - row.subtotal) > of_lines:
            yield f"{row.subtotal:f} {row.currency} before tax", f"{receipt.subtotal:f}"
        elif abs(receipt.total - row.total) > of_total:
            yield f"{row.total:f} {row.currency} with tax", f"{receipt.total:f}"
