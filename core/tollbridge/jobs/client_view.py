"""All that is known of one client today: from the billing system, from SolusIO and from the ledger; it changes nothing.

What a system cannot be asked for just now is None, and a remark says so: what is not known is never taken for nothing.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import partial
from typing import TypeVar

import attrs

from tollbridge.errors import NotFound, TollbridgeError
from tollbridge.jobs.parts import Parts
from tollbridge.jobs.price_lists import now, running_month, shown_prices
from tollbridge.jobs.pricing import Pricer
from tollbridge.jobs.statement import UsageMemory
from tollbridge.ledger.accounts import Account
from tollbridge.ledger.lists import Held, Row
from tollbridge.model import EXACT, Client, InvoiceStatus, Receipt, UserStatus
from tollbridge.rules.calendar import Month
from tollbridge.rules.entry import Entry, State
from tollbridge.rules.overdue import HoldReason, OpenInvoice, coming_step
from tollbridge.rules.pricing import rounded
from tollbridge.secret import redact

Value = TypeVar("Value")

_VOID = frozenset({InvoiceStatus.CANCELLED, InvoiceStatus.REFUNDED})


@attrs.frozen
class Payment:
    """What the billing system says of an invoice's payment; ``paid`` and ``left`` are None if it does not tell."""

    client_id: int
    status: InvoiceStatus
    due_date: date
    total: Decimal
    currency: str
    paid: Decimal | None
    left: Decimal | None

    @classmethod
    def of(cls, receipt: Receipt, entry: Row | Entry) -> "Payment":
        """As far as a receipt tells; the rest, as the currency if it names none, is the entry's."""
        total, left = _like(receipt.total, entry.total), receipt.balance
        if left is None and receipt.status is InvoiceStatus.PAID:
            left = Decimal(0)
        left = None if left is None else _like(left, entry.total)
        return cls(
            receipt.client_id,
            receipt.status,
            receipt.due_date,
            total,
            receipt.currency or entry.currency,
            None if left is None or receipt.status in _VOID else EXACT.subtract(total, left),
            left,
        )

    @property
    def owed(self) -> Decimal:
        """What is still to be paid: all of it, if the billing system does not tell what was paid in part."""
        if not self.status.is_open:
            return Decimal(0)
        return self.total if self.left is None else max(self.left, Decimal(0))


def _like(amount: Decimal, other: Decimal) -> Decimal:
    """The amount with as many decimals as the other, if it has no more of its own."""
    written = amount.quantize(other, context=EXACT)
    return written if written == amount else amount


@attrs.frozen
class Owed:
    """An invoice that was open when the ledger looked last, and what the billing system says of it today.

    ``payment`` None: it could not be asked, or has it no more, which ``is_gone`` tells.
    """

    row: Row
    payment: Payment | None
    is_gone: bool = False


@attrs.frozen
class Running:
    """The running month: used so far, and where it leads; amounts with tax, None if the price is not known."""

    month: Month
    as_of: datetime
    tokens: int
    projected_tokens: int
    currency: str | None
    amount: Decimal | None
    projected_amount: Decimal | None


@attrs.frozen
class ClientView:
    """One client.

    Attributes:
        client: as the billing system has it; None if it has not, or cannot be asked: ``is_gone`` tells which.
        account: its SolusIO user, as the ledger knows it.
        user_status: the user's status in SolusIO; None: not known.
        owed: invoices that were open when the ledger looked last.
        carried: months that wait for a later invoice.
        unfinished: invoices that are not in the billing system yet, or perhaps not.
        next_step: when the ladder changes its user next if nobody pays, and to what.
        next_invoice: the month that is running, and the day on which it is invoiced.
        remarks: what could not be asked, and why.
    """

    client_id: int
    client: Client | None
    is_gone: bool | None
    account: Account | None
    user_status: UserStatus | None
    holds: tuple[Held, ...]
    owed: tuple[Owed, ...]
    carried: tuple[Row, ...]
    unfinished: tuple[Row, ...]
    next_step: tuple[date, UserStatus] | None
    next_invoice: tuple[Month, date]
    running: Running | None
    remarks: tuple[str, ...]

    @property
    def by_hand(self) -> bool | None:
        """Whether somebody else than the bridge has locked the user; None: not known."""
        if self.user_status is None or self.account is None:
            return None
        mark = self.account.mark
        ours = set() if mark is None else {mark.status, mark.attempted}
        return self.user_status is not UserStatus.ACTIVE and self.user_status not in ours

    @property
    def sums(self) -> dict[str, Decimal] | None:
        """What is owed per currency; None if that is not known of every invoice."""
        sums: dict[str, Decimal] = {}
        for each in self.owed:
            if each.payment is None and not each.is_gone:
                return None
            if each.payment is not None and each.payment.client_id == self.client_id:
                code = each.payment.currency
                sums[code] = EXACT.add(sums.get(code, Decimal(0)), each.payment.owed)
        return {code: amount for code, amount in sums.items() if amount}


@attrs.define
class _Look:
    """Asking several systems, of which each may be down."""

    parts: Parts
    remarks: list[str] = attrs.Factory(list)

    def ask(self, what: str, question: Callable[[], Value]) -> Value | None:
        """The answer, or None and a remark."""
        try:
            return question()
        except TollbridgeError as error:
            self.remarks.append(f"{what}: {redact(str(error))}")
            return None


def client_view(parts: Parts, client_id: int, today: date) -> ClientView:
    """All that is known of a client.

    Raises:
        NotFound: neither the billing system nor the ledger knows it.
    """
    look, lists = _Look(parts), parts.ledger.lists
    client, is_gone = _client(look, client_id)
    account = parts.ledger.accounts.of_clients([client_id]).get(client_id)
    if is_gone and account is None and not _is_known(parts, client_id):
        raise NotFound(f"there is no client {client_id}, neither in the billing system nor in the ledger")
    holds = tuple(lists.holds(client_id))
    owed = tuple(_owed(look, row) for row in lists.invoices(client_id=client_id, only_open=True))
    waiting = lists.invoices(client_id=client_id, state=State.CARRIED)
    unfinished = [row for row in lists.invoices(client_id=client_id) if row.state is not State.ISSUED]
    return ClientView(
        client_id=client_id,
        client=client,
        is_gone=is_gone,
        account=account,
        user_status=None if account is None else look.ask("SolusIO's user", partial(_user_status, parts, account)),
        holds=holds,
        owed=owed,
        carried=tuple(row for row in waiting if row.carried_into is None),
        unfinished=tuple(unfinished),
        next_step=None if is_gone or account is None else _next_step(parts, client_id, owed, holds, today),
        next_invoice=_next_invoice(parts),
        running=look.ask("the running month", lambda: _running(parts, client_id, client)),
        remarks=tuple(look.remarks),
    )


def clients_with_address(parts: Parts, email: str) -> list[int]:
    """The clients with an e-mail address: as the billing system has them now, else as the ledger knew them."""
    known = parts.ledger.lists.clients_with_address(email)
    found = []
    for client_id in known:
        try:
            client = parts.billing.client(client_id)
        except NotFound:
            continue
        if client.email.casefold() == email.casefold():
            found.append(client_id)
    if not found:
        listed = (each for each in parts.billing.clients() if isinstance(each, Client))
        found = [client.id for client in listed if client.email.casefold() == email.casefold()]
    return found or known


def _client(look: _Look, client_id: int) -> tuple[Client | None, bool | None]:
    """The client and whether it is gone; both None if the billing system cannot be asked."""
    try:
        return look.parts.billing.client(client_id), False
    except NotFound:
        return None, True
    except TollbridgeError as error:
        look.remarks.append(f"the client: {redact(str(error))}")
        return None, None


def _is_known(parts: Parts, client_id: int) -> bool:
    return next(iter(parts.ledger.lists.events(client_id)), None) is not None or bool(
        parts.ledger.invoices.of_client(client_id)
    )


def _user_status(parts: Parts, account: Account) -> UserStatus:
    user = parts.solus.find_user(account.email)
    if user is None or user.id != account.user_id:
        user = next((each for each in parts.solus.users() if each.id == account.user_id), None)
    if user is None:
        raise NotFound(f"SolusIO has no user {account.user_id} any more: `tollbridge sync` looks again")
    return user.status


def _owed(look: _Look, row: Row) -> Owed:
    asked_before = len(look.remarks)
    receipt = look.ask(row.reference, lambda: asked(look.parts, row.client_id, row.billing_id, row.reference))
    if receipt is None:
        return Owed(row, None, is_gone=len(look.remarks) == asked_before)
    return Owed(row, Payment.of(receipt, row))


def asked(parts: Parts, client_id: int, billing_id: str | None, reference: str) -> Receipt | None:
    """An issued invoice as the billing system has it today, by its own number; None if it is gone."""
    return parts.billing.invoice(client_id, billing_id, reference) if billing_id else None


def _next_step(
    parts: Parts, client_id: int, owed: tuple[Owed, ...], holds: tuple[Held, ...], today: date
) -> tuple[date, UserStatus] | None:
    """Nothing is foretold of somebody whose invoices could not be asked for."""
    if any(each.payment is None and not each.is_gone for each in owed):
        return None
    held = next((UserStatus(hold.status) for hold in holds if hold.reason is HoldReason.OVERDUE), UserStatus.ACTIVE)
    payments = (each.payment for each in owed if each.payment is not None)
    unpaid = [OpenInvoice(each.status, each.due_date) for each in payments if each.owed and each.client_id == client_id]
    return coming_step(parts.settings.billing.ladder, unpaid, today, held)


def _next_invoice(parts: Parts) -> tuple[Month, date]:
    billing = parts.settings.billing
    month = max(Month.of(datetime.now(UTC), billing.timezone), billing.start)
    return month, (month.next.start(billing.timezone) + billing.settle).astimezone(billing.timezone).date()


def _running(parts: Parts, client_id: int, client: Client | None) -> Running:
    month = running_month(parts, now())
    running = UsageMemory(parts).of_client(client_id, month, wait=True)
    price = client and Pricer(parts.billing).price(client, shown_prices(parts, month))
    amounts = (
        rounded(EXACT.multiply(Decimal(tokens), price.user), price.currency.decimals) if price else None
        for tokens in (running.tokens, running.projected)
    )
    return Running(
        month, running.as_of, running.tokens, running.projected, price.currency.code if price else None, *amounts
    )
