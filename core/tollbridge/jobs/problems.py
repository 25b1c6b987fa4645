"""Issued invoices that are not right as they are: each is a failure of every run, until somebody has settled it."""

from tollbridge.errors import TollbridgeError
from tollbridge.jobs.parts import Failures
from tollbridge.jobs.work import Work
from tollbridge.model import InvoiceStatus, Receipt
from tollbridge.rules.closing import proof
from tollbridge.rules.entry import Entry

_OVER = {InvoiceStatus.CANCELLED, InvoiceStatus.REFUNDED}


def settle_problems(work: Work, failures: Failures) -> None:
    """Look at each such invoice again; what is right by now is settled, and the rest is told."""
    invoices = work.parts.ledger.invoices
    for page in invoices.with_problems():
        for entry, looked in work.at_billing.each(lambda entry: _look(work, entry), page):
            if isinstance(looked, TollbridgeError):
                failures.add(entry.reference, looked)
                continue
            failures.went_well()
            problem, right_one = looked
            invoices.settle(entry, problem, right_one, work.live.id)
            if problem is not None:
                failures.tell(entry.reference, problem)


def _look(work: Work, entry: Entry) -> tuple[str | None, str | None]:
    """What is still wrong with an invoice, and which number is the right one if there were two."""
    own = _standing(work, entry, entry.billing_id)
    other = _standing(work, entry, entry.other_billing_id)
    if own is not None and (entry.carried_into or (other is not None and own.id != other.id)):
        return entry.problem, None
    right = own or other
    if right is None:
        return None, None  # nothing is there that could be wrong; the overdue part says that it is gone
    return proof(entry, right).problem, str(right.id)


def _standing(work: Work, entry: Entry, number: str | None) -> Receipt | None:
    """The invoice with this number, if it is there and somebody is to pay it, or has."""
    receipt = number and work.parts.billing.invoice(entry.client_id, number, entry.reference)
    return receipt if receipt and receipt.status not in _OVER else None
