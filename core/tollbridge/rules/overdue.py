"""Unpaid invoices to a SolusIO user's status: the ladder, and who may change what.

From WHMCS's SolusIO addon: an invoice is overdue from the day after its due date; days to lock and to suspend count
from the due date. The bridge only ever undoes what it did itself.
"""

from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum

import attrs

from tollbridge.model import InvoiceStatus, Receipt, UserStatus


@attrs.frozen
class Ladder:
    """Days after the due date on which a user is locked and suspended; None: never."""

    lock_after_days: int | None
    suspend_after_days: int | None

    def status_on(self, due: date, day: date) -> UserStatus:
        """What one unpaid invoice due on ``due`` makes of its user on ``day``."""
        late = (day - due).days
        if late < 1:
            return UserStatus.ACTIVE
        if self.suspend_after_days is not None and late >= self.suspend_after_days:
            return UserStatus.SUSPENDED
        if self.lock_after_days is not None and late >= self.lock_after_days:
            return UserStatus.LOCKED
        return UserStatus.ACTIVE

    def next_step(self, due: date, day: date) -> tuple[date, UserStatus] | None:
        """The next day after ``day`` on which an unpaid invoice due on ``due`` changes its user, and to what."""
        steps = [
            due + timedelta(days=max(days, 1))
            for days in (self.lock_after_days, self.suspend_after_days)
            if days is not None
        ]
        step = min((step for step in steps if step > day), default=None)
        return None if step is None else (step, self.status_on(due, step))


class Age(StrEnum):
    """How late an open invoice is, in days after its due date, as those who look at what is owed group them."""

    NOT_DUE = "not due"
    TO_30 = "1-30"
    TO_60 = "31-60"
    TO_90 = "61-90"
    OLDER = "over 90"


_OLDEST_OF = ((0, Age.NOT_DUE), (30, Age.TO_30), (60, Age.TO_60), (90, Age.TO_90))


def age(due: date, day: date) -> Age:
    """How late an open invoice due on ``due`` is on ``day``: not before the day after."""
    late = (day - due).days
    return next((found for most, found in _OLDEST_OF if late <= most), Age.OLDER)


@attrs.frozen
class OpenInvoice:
    """An invoice the bridge issued, as the billing system has it today."""

    status: InvoiceStatus
    due_date: date


def owed_status(receipt: Receipt, decimals: int) -> InvoiceStatus:
    """The receipt's status, with an open invoice counted as paid once less than a smallest unit is left to pay.

    Some billing systems keep hundredths of a currency that has none, so that tax makes an invoice 344.30 where 344 was
    shown and is printed. Whoever has paid 344 owes nothing that anybody could pay, and is not locked for it.
    """
    left = receipt.total if receipt.balance is None else receipt.balance
    is_paid = left <= 0 or left < _smallest(decimals)
    return InvoiceStatus.PAID if receipt.status.is_open and is_paid else receipt.status


def may_be_paid_as_printed(receipt: Receipt, decimals: int) -> bool:
    """Whether a receipt that does not tell what is left to pay may be of an invoice that was paid but for a fraction.

    So it may be if its total has a fraction that is smaller than the currency's smallest unit.
    """
    return receipt.balance is None and receipt.total % _smallest(decimals) != 0


def _smallest(decimals: int) -> Decimal:
    """The smallest amount of a currency with so many decimals."""
    return Decimal(1).scaleb(-decimals)


def overdue_status(ladder: Ladder, invoices: Iterable[OpenInvoice], day: date) -> UserStatus | None:
    """What a client's open invoices make of its user on ``day``.

    None means "as it is now": something is overdue, but a payment is under way, and nobody who is paying is locked
    or suspended. With nothing overdue the answer is active, payment under way or not.
    """
    open_invoices = list(invoices)
    if all(invoice.due_date >= day for invoice in open_invoices):
        return UserStatus.ACTIVE
    if any(invoice.status is InvoiceStatus.PENDING for invoice in open_invoices):
        return None
    return max(
        (ladder.status_on(invoice.due_date, day) for invoice in open_invoices),
        key=lambda status: status.severity,
    )


def coming_step(
    ladder: Ladder, invoices: Iterable[OpenInvoice], day: date, held: UserStatus
) -> tuple[date, UserStatus] | None:
    """The next day on which the ladder changes a user who is ``held`` by it, and to what; ``day``: by the next run.

    None: nothing changes as long as nobody pays, or a payment is under way, on which everything waits.
    """
    waiting = list(invoices)
    now = overdue_status(ladder, waiting, day)
    if now is None:
        return None
    if now is not held:
        return day, now
    if any(invoice.status is InvoiceStatus.PENDING for invoice in waiting):
        return None
    steps = [ladder.next_step(invoice.due_date, day) for invoice in waiting]
    worse = (step for step in steps if step is not None and step[1].severity > held.severity)
    return min(worse, key=lambda step: (step[0], -step[1].severity), default=None)


class HoldReason(StrEnum):
    """Why a user is held; each job sets and lifts its own."""

    OVERDUE = "overdue"
    CLOSED = "closed"
    LIMIT = "limit"


@attrs.frozen
class Hold:
    """One reason why a user is locked or suspended."""

    reason: HoldReason
    status: UserStatus


def held_status(holds: Iterable[Hold]) -> UserStatus:
    """What all reasons together call for: the worst of them, or active."""
    return max((hold.status for hold in holds), key=lambda status: status.severity, default=UserStatus.ACTIVE)


@attrs.frozen
class Mark:
    """What the bridge did to a user's status.

    Attributes:
        status: the status it set last, and has seen confirmed.
        found: the status it found before it first did anything, which it will put back.
        attempted: a status it asked for without yet knowing the outcome.
    """

    status: UserStatus
    found: UserStatus
    attempted: UserStatus | None = None


def put_back(present: UserStatus, mark: Mark | None) -> UserStatus:
    """The status that a user goes back to when nothing holds it: what the bridge found, or what somebody set since."""
    ours = mark is not None and present in {mark.status, mark.attempted}
    return mark.found if mark is not None and ours else present


def change_status(present: UserStatus, mark: Mark | None, wanted: UserStatus) -> tuple[UserStatus, UserStatus]:
    """The status a user gets, and the one that will be put back when nothing calls for it any more.

    Args:
        present: what SolusIO says now.
        mark: what the bridge did before, if anything.
        wanted: what the user's holds call for.

    A present status that the bridge neither set nor attempted was made by hand, and becomes what is put back. So a
    lock made by hand is never undone, though it may be raised to a suspension and later return to a lock; and a user
    released by hand is locked again as long as the invoice is overdue.
    """
    found = put_back(present, mark)
    return (wanted, found) if wanted.severity > found.severity else (found, found)


_ALWAYS_LOCKED = 10


def locks_too_many(locks: int, active: int, most: Decimal) -> bool:
    """Whether a run that would lock or suspend so many users is to ask a human first.

    Up to ten are never too many; else more than the share ``most`` of the ``active`` users are.
    """
    return locks > _ALWAYS_LOCKED and locks > most * active
