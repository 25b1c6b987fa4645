"""A client's unpaid invoices as the billing system has them at this moment.

Who has just paid must not read until tomorrow's run that an invoice is overdue, and what was paid in part is not owed
any more. Nothing is noted in the ledger: that is the run's to do.
"""

from collections.abc import Sequence
from decimal import Decimal

import attrs
import structlog

from tollbridge.adapters.billing import BillingSystem
from tollbridge.errors import TollbridgeError
from tollbridge.jobs.client_view import Payment
from tollbridge.model import InvoiceStatus
from tollbridge.rules.entry import Entry
from tollbridge.rules.overdue import owed_status
from tollbridge.secret import redact

_MOST_ASKED = 4  # one call each, while somebody waits for the page

_log = structlog.get_logger("tollbridge.pages")


@attrs.frozen
class Standing:
    """An issued invoice, with status, due date and number as they are now, and what is left to pay of it.

    ``is_fresh``: the billing system was asked for it, so that it is not as the last run saw it.
    """

    entry: Entry
    left: Decimal
    is_fresh: bool = False

    @classmethod
    def in_ledger(cls, entry: Entry) -> "Standing":
        """As the last run saw it: then all of it is to be paid, or nothing."""
        is_open = entry.billing_status is None or entry.billing_status.is_open
        return cls(entry, entry.total if is_open else Decimal(0))

    @property
    def is_part_paid(self) -> bool:
        """Whether something was paid, and something is to be."""
        return self.entry.billing_status is InvoiceStatus.UNPAID and 0 < self.left < self.entry.total


def as_of_now(billing: BillingSystem, entries: Sequence[Entry]) -> list[Standing]:
    """Each of these open invoices; the oldest are asked for, until the billing system does not answer."""
    oldest_first = sorted(entries, key=lambda entry: (entry.due_date, entry.month))
    found = []
    for number, entry in enumerate(oldest_first):
        try:
            found.append(_asked(billing, entry) if number < _MOST_ASKED else Standing.in_ledger(entry))
        except TollbridgeError as error:
            _log.warning("invoices are shown as they were", reference=entry.reference, reason=redact(str(error)))
            return found + [Standing.in_ledger(each) for each in oldest_first[number:]]
    return found


def _asked(billing: BillingSystem, entry: Entry) -> Standing:
    """An invoice by its number; one that is gone, or another client's by now, is not this one's to pay."""
    receipt = billing.invoice(entry.client_id, entry.billing_id or "", entry.reference)
    if receipt is None or receipt.client_id != entry.client_id:
        return Standing(attrs.evolve(entry, billing_status=InvoiceStatus.CANCELLED), Decimal(0), is_fresh=True)
    payment = Payment.of(receipt, entry)
    if payment.currency != entry.currency or receipt.status is InvoiceStatus.DRAFT:
        return Standing.in_ledger(entry)
    status = owed_status(receipt, entry.document.price.currency.decimals)
    now = attrs.evolve(
        entry,
        billing_status=status,
        due_date=receipt.due_date,
        printed_number=receipt.number or entry.printed_number,
    )
    return Standing(now, payment.owed if status.is_open else Decimal(0), is_fresh=True)
