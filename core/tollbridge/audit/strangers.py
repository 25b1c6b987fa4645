"""``strangers``: no invoice in the billing system carries a reference of the bridge that the ledger does not know."""

from collections.abc import Iterator

from tollbridge.audit.evidence import Evidence
from tollbridge.audit.findings import Tally
from tollbridge.model import InvoiceStatus, Receipt
from tollbridge.reference import month_and_client, reference
from tollbridge.rules.calendar import Month
from tollbridge.rules.entry import State

_INVOICES = {State.WRITTEN, State.SENDING, State.ISSUED}


def check_strangers(evidence: Evidence, tally: Tally) -> None:
    """Look for what is there and not in the ledger."""
    for month in evidence.months:
        evidence.receipts.know(row.reference for row in evidence.sources.ledger.lists.invoices(month))
    if evidence.lists_invoices:
        evidence.read_receipts()
        tally.checked = evidence.receipts.count()
        found = evidence.receipts.strange()
    else:
        found = _asked(evidence, tally)
    for receipt in found:
        if not _is_known(evidence, receipt.reference):
            _tell(tally, receipt)


def _asked(evidence: Evidence, tally: Tally) -> Iterator[Receipt]:
    """Of a billing system that lists nothing: every client with a user is asked for, in each month without invoice."""
    billing = evidence.sources.billing
    absent = (
        (client_id, reference(month, client_id))
        for page in evidence.sources.ledger.accounts.all()
        for month in evidence.months
        for client_id in (account.client_id for account in page)
        if not evidence.receipts.is_ours(reference(month, client_id))
    )
    for _, receipt in evidence.at_once(lambda each: billing.find_invoice(*each), absent, "invoices of nobody's"):
        tally.checked += 1
        if receipt is not None:
            yield receipt


def _is_known(evidence: Evidence, name: str) -> bool:
    """Whether the ledger has an invoice of this reference, be it of a month that is not audited."""
    named = month_and_client(name)
    if named is None:
        return False
    month = Month.parse(named[0])
    if month in evidence.months:
        return False  # all of them were known beforehand
    if evidence.only_one:
        return True  # another month's, which is not asked about
    entry = evidence.sources.ledger.invoices.find(month, named[1])
    return entry is not None and entry.state in _INVOICES


def _tell(tally: Tally, receipt: Receipt) -> None:
    if receipt.status is InvoiceStatus.CANCELLED:
        tally.told.append(f"{receipt.reference}: invoice {receipt.id} is cancelled there, and not in the ledger")
        return
    tally.find(
        receipt.reference,
        "an invoice of the ledger's, or none",
        f"invoice {receipt.id} of client {receipt.client_id} ({receipt.status}, {receipt.total:f})",
        "if the ledger was lost or restored, the next run takes back what it can (docs/operation.md); else somebody has"
        " copied an invoice or typed a reference: take the reference out of it, or cancel it",
    )
