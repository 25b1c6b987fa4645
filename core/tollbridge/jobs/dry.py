"""A dry run: the same jobs on a scratch ledger, between a SolusIO and a billing system that are only ever asked."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import attrs

from tollbridge.adapters.billing import BillingSystem
from tollbridge.jobs.parts import Parts, When
from tollbridge.jobs.reports import PLANNED
from tollbridge.ledger.scratch_copy import scratch_copy
from tollbridge.model import Attempt, Invoice, InvoiceStatus, Receipt, UserStatus
from tollbridge.rules.calendar import Month
from tollbridge.solus import Solus, SolusUser


@contextmanager
def dry_parts(parts: Parts, when: When, only: Month | None = None) -> Iterator[Parts]:
    """The parts for a dry run, of ``only`` one month or all; what it decides vanishes with the scratch ledger."""
    with scratch_copy(parts.ledger, _oldest_looked_at(parts, when, only)) as ledger:
        billing, solus = AskedBilling(parts.billing), AskedSolus(parts.solus)
        yield attrs.evolve(parts, ledger=ledger, billing=billing, solus=solus, is_dry=True)


def _oldest_looked_at(parts: Parts, when: When, only: Month | None) -> Month:
    """The first month that is not closed, or has usage of nobody, and those before it that are read again with it.

    All of them, if invoices are held by what was invoiced before.
    """
    billing = parts.settings.billing
    if billing.invoice_rules.hold_above is not None:
        return billing.start
    month, present = billing.start, Month.of(when.now, billing.timezone)
    while month < present and parts.ledger.months.is_closed(month):
        month = month.next
    month = min([month, *([only] if only else []), *(each for each, _ in parts.ledger.readings.all_unbilled())])
    for _ in range(billing.recheck_months):
        month = month.previous
    return month


class AskedSolus(Solus):
    """SolusIO, asked for everything and told nothing: what would be written is found as if it were."""

    def __init__(self, solus: Solus) -> None:
        self.__dict__.update(solus.__dict__)
        self._made: dict[str, SolusUser] = {}
        self._moved: dict[str, int] = {}
        self._changed: dict[int, dict[str, Any]] = {}

    def users(self) -> Iterator[SolusUser]:
        """Every user as it would be by now, and those that would have been made."""
        for user in super().users():
            yield attrs.evolve(user, **self._changed.get(user.id, {}))
        yield from list(self._made.values())

    def find_user(self, email: str) -> SolusUser | None:
        """The user with this address as it would be by now."""
        key = email.casefold()
        moved = self._moved.get(key)
        there = (user for user in self.users() if user.id == moved)
        found = super().find_user(email) if moved is None else next(there, None)
        now = found and attrs.evolve(found, **self._changed.get(found.id, {}))
        return now if now and now.email.casefold() == key else self._made.get(key)

    def ensure_user(self, email: str, client_id: int) -> SolusUser:
        """The user as it would be; one that would be created has the client's number, negative."""
        found = self.find_user(email)
        if found is not None:
            self.link(found.id, client_id)
            return attrs.evolve(found, billing_user_id=client_id)
        made = SolusUser(-client_id, email, UserStatus.ACTIVE, client_id, is_administrator=False)
        self._made[email.casefold()] = made
        return made

    def link(self, user_id: int, client_id: int) -> None:
        """Only remember it."""
        self._changed.setdefault(user_id, {})["billing_user_id"] = client_id

    def set_status(self, user_id: int, status: UserStatus) -> None:
        """Only remember it."""
        self._changed.setdefault(user_id, {})["status"] = status

    def change_email(self, user_id: int, email: str) -> None:
        """Only remember it."""
        self._changed.setdefault(user_id, {})["email"] = email
        self._moved[email.casefold()] = user_id

    def delete_user(self, user_id: int) -> None:
        """Nothing: whoever deletes a user asks for it no more."""


class AskedBilling(BillingSystem):
    """The billing system, asked for everything and told nothing: an invoice that would be created is *planned*."""

    def __init__(self, billing: BillingSystem) -> None:
        self.__dict__.update(billing.__dict__)
        self._planned: dict[str, Receipt] = {}

    def create_invoice(self, invoice: Invoice, attempt: Attempt | None = None) -> Receipt:  # noqa: ARG002 - the hook's
        """The receipt as it would be."""
        made = Receipt(
            PLANNED, invoice.reference, invoice.client_id, InvoiceStatus.UNPAID, invoice.due_date, invoice.total
        )
        self._planned[invoice.reference] = made
        return made

    def invoice(self, client_id: int, invoice_id: str, reference: str) -> Receipt | None:
        """A planned invoice, or one that is there."""
        return self._planned.get(reference) or super().invoice(client_id, invoice_id, reference)

    def remember_user(self, client_id: int, solus_user_id: int) -> None:
        """Nothing."""

    def tell(self, hook: str, **facts: Any) -> None:
        """Nobody."""
