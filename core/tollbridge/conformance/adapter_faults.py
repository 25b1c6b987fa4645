"""Fifty faults that adapters have had or could have, to be put around any adapter: does the kit find them?

A fault is a change of what some hooks do. It knows the hooks as they are, and the other side, where it does what a
faulty adapter would do there. :mod:`tollbridge.conformance.mutants` tries them one by one.
"""

import functools
import inspect
import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import structlog

from tollbridge.adapters.loading import implemented
from tollbridge.errors import NotFound, OutcomeUnknown, Refused, Unavailable
from tollbridge.model import Check, Client, Currency, Invoice, InvoiceStatus, Receipt, Terms
from tollbridge.reference import reference_in

if TYPE_CHECKING:
    from tollbridge.conformance.side import OtherSide

ON_TRIAL, MARK = "TOLLBRIDGE_FAULT", "TOLLBRIDGE_FAULT_MARK"
_log = structlog.get_logger("tollbridge.conformance")
_FEW_LINES = 50
_SHORT = 20
_Hook = Callable[..., Any]


@attrs.define
class Its:
    """An adapter's own hooks, each called with its arguments by name, and the other side."""

    adapter: Any
    side: "OtherSide"
    hooks: dict[str, _Hook]

    def __getattr__(self, name: str) -> _Hook:
        try:
            return self.hooks[name]
        except KeyError:
            raise AttributeError(name) from None

    def create(self, invoice: Invoice, attempt: Any = None) -> Receipt:
        """The hook ``create_invoice``, with an attempt if it takes one."""
        made: Receipt = self.hooks["create_invoice"](invoice=invoice, attempt=attempt)
        return made


@attrs.frozen
class Fault:
    """A fault.

    Attributes:
        hooks: those it changes; an adapter without one of them cannot have it.
        change: gives what they do instead.
    """

    name: str
    hooks: tuple[str, ...]
    change: Callable[[Its], dict[str, _Hook]]


FAULTS: dict[str, Fault] = {}


def _fault(name: str, *hooks: str) -> Callable[[Callable[[Its], Any]], Callable[[Its], Any]]:
    """A fault; a function that changes one hook gives what that does, one that changes several a dict of them."""

    def listed(change: Callable[[Its], Any]) -> Callable[[Its], Any]:
        def changes(its: Its) -> dict[str, _Hook]:
            changed = change(its)
            return changed if isinstance(changed, dict) else {hooks[0]: changed}

        FAULTS[name] = Fault(name, hooks, changes)
        return change

    return listed


def with_the_fault_on_trial(adapter: Any, side: "OtherSide") -> Any:
    """The adapter; with a fault, if this process was started to try one and the adapter can have it."""
    name = os.environ.get(ON_TRIAL)
    return broken(adapter, side, FAULTS[name]) if name else adapter


def can_have(adapter: Any, fault: Fault) -> bool:
    """Whether the adapter has all hooks that the fault is in."""
    return set(fault.hooks) <= set(implemented(adapter)) - set(getattr(adapter, "cannot", {}))


def broken(adapter: Any, side: "OtherSide", fault: Fault) -> Any:
    """The same adapter, with a fault, if it can have it."""
    if not can_have(adapter, fault):
        return adapter
    if mark := os.environ.get(MARK):
        Path(mark).touch()
    its = Its(adapter, side, {name: _by_name(getattr(adapter, name)) for name in implemented(adapter)})
    for hook, change in fault.change(its).items():
        setattr(adapter, hook, _in_place_of(getattr(adapter, hook), change))
    return adapter


def _by_name(hook: _Hook) -> _Hook:
    """The hook, with only the arguments it takes."""
    taken = inspect.signature(hook).parameters

    def called(**arguments: Any) -> Any:
        return hook(**{name: value for name, value in arguments.items() if name in taken})

    return called


def _in_place_of(hook: _Hook, change: _Hook) -> _Hook:
    """``change`` with the hook's own signature and mark."""
    signature = inspect.signature(hook)

    @functools.wraps(hook)
    def called(*given: Any, **named: Any) -> Any:
        return change(**signature.bind(*given, **named).arguments)

    return called


def _each(values: Iterable[Any], change: Callable[[Any], Any], kind: type[Any] = Receipt) -> Iterator[Any]:
    """The values, those of a kind changed, without those that are changed to None."""
    changed = (change(each) if isinstance(each, kind) else each for each in values)
    return (each for each in changed if each is not None)


def _told(its: Its, change: Callable[[Receipt], Any]) -> dict[str, _Hook]:
    """Every hook that tells receipts, each changed."""
    told: dict[str, _Hook] = {
        "find_invoice": lambda **asked: _one(its.find_invoice(**asked), change),
        "unpaid_invoices": lambda: _each(its.unpaid_invoices(), change),
    }
    if "invoice" in its.hooks:
        told["invoice"] = lambda **asked: _one(its.hooks["invoice"](**asked), change)
    return told


def _one(receipt: Receipt | None, change: Callable[[Receipt], Any]) -> Any:
    return None if receipt is None else change(receipt)


def _ordered(its: Its, change: Callable[[Invoice], Invoice]) -> _Hook:
    """``create_invoice`` of another invoice than the one that was ordered."""

    def create_invoice(invoice: Invoice, attempt: Any = None) -> Receipt:
        return its.create(change(invoice), attempt)

    return create_invoice


# Clients, and what is read about them


@_fault("an unreadable client ends the list", "clients")
def _(its: Its) -> _Hook:
    def clients() -> Iterator[Client]:
        for each in its.clients():
            if isinstance(each, Refused):
                return
            yield each

    return clients


@_fault("a group is told of one client and not in the list", "clients")
def _(its: Its) -> _Hook:
    return lambda: _each(its.clients(), lambda client: attrs.evolve(client, group=""), Client)


@_fault("a client is kept as it was first read", "client")
def _(its: Its) -> _Hook:
    seen: dict[int, Client | None] = {}

    def client(client_id: int) -> Client | None:
        if client_id not in seen:
            seen[client_id] = its.client(client_id=client_id)
        return seen[client_id]

    return client


@_fault("a currency out of use is still told", "currencies")
def _(its: Its) -> _Hook:
    known: dict[str, Currency] = vars(its.side).setdefault("_known", {})

    def currencies() -> list[Currency]:
        known.update((each.code, each) for each in its.currencies())
        return list(known.values())

    return currencies


@_fault("the last client of a list is lost", "clients")
def _(its: Its) -> _Hook:
    return lambda: list(its.clients())[:-1]


@_fault("contacts are taken for clients", "clients")
def _(its: Its) -> _Hook:
    def clients() -> Iterator[Client]:
        found = list(its.clients())
        whole = [each for each in found if isinstance(each, Client)]
        yield from [*found, *(attrs.evolve(each, id=each.id + 500_000) for each in whole[:1])]

    return clients


@_fault("half a list is taken for all of it", "clients", "unpaid_invoices")
def _(its: Its) -> dict[str, _Hook]:
    def as_far_as_it_goes(values: Callable[[], Iterable[Any]]) -> Iterator[Any]:
        with suppress(Unavailable):
            yield from values()

    return {
        "clients": lambda: as_far_as_it_goes(its.clients),
        "unpaid_invoices": lambda: as_far_as_it_goes(its.unpaid_invoices),
    }


@_fault("a client is asked for once more", "clients")
def _(its: Its) -> _Hook:
    return lambda: [its.client(client_id=each.id) if isinstance(each, Client) else each for each in list(its.clients())]


@_fault("the terms of the first client are everybody's", "terms")
def _(its: Its) -> _Hook:
    first: list[Terms] = []

    def terms(client: Client, **days: Any) -> Terms:
        if not first:
            first.append(its.terms(client=client, **days))
        return first[0]

    return terms


@_fault("threads mix up their clients", "client")
def _(its: Its) -> _Hook:
    def client(client_id: int) -> Client | None:
        its.adapter.asked_about = client_id
        time.sleep(0.01)
        found: Client | None = its.client(client_id=its.adapter.asked_about)
        return found

    return client


# Invoices, as they are made


@_fault("an invoice is made with half of its lines", "create_invoice")
def _(its: Its) -> _Hook:
    return _ordered(its, lambda invoice: attrs.evolve(invoice, lines=invoice.lines[: (len(invoice.lines) + 1) // 2]))


@_fault("lines after the fiftieth are left out", "create_invoice")
def _(its: Its) -> _Hook:
    return _ordered(its, lambda invoice: attrs.evolve(invoice, lines=invoice.lines[:_FEW_LINES]))


@_fault("amounts are rounded to two decimals", "create_invoice")
def _(its: Its) -> _Hook:
    def rounded(invoice: Invoice) -> Invoice:
        lines = [attrs.evolve(line, amount=round(line.amount, 2)) for line in invoice.lines]
        return attrs.evolve(invoice, lines=lines, decimals=min(invoice.decimals, 2))

    return _ordered(its, rounded)


@_fault("lines that take something back are left out", "create_invoice")
def _(its: Its) -> _Hook:
    return _ordered(
        its, lambda invoice: attrs.evolve(invoice, lines=[line for line in invoice.lines if line.amount >= 0])
    )


@_fault("every line is taxed", "create_invoice")
def _(its: Its) -> _Hook:
    return _ordered(
        its, lambda invoice: attrs.evolve(invoice, lines=[attrs.evolve(line, taxed=True) for line in invoice.lines])
    )


@_fault("long words are cut to nothing", "create_invoice")
def _(its: Its) -> _Hook:
    def cut(invoice: Invoice) -> Invoice:
        lines = [attrs.evolve(line, description=line.description[:_SHORT]) for line in invoice.lines]
        return attrs.evolve(invoice, lines=lines)

    return _ordered(its, cut)


@_fault("the due date is the day of issue", "create_invoice")
def _(its: Its) -> _Hook:
    return _ordered(its, lambda invoice: attrs.evolve(invoice, due_date=invoice.issue_date))


@_fault("tax comes on top of prices that include it", "create_invoice")
def _(its: Its) -> _Hook:
    return _ordered(its, lambda invoice: attrs.evolve(invoice, prices_include_tax=False))


@_fault("a receipt repeats the total that was sent", "create_invoice")
def _(its: Its) -> _Hook:
    def create_invoice(invoice: Invoice, attempt: Any = None) -> Receipt:
        return attrs.evolve(its.create(invoice, attempt), total=invoice.total)

    return create_invoice


@_fault("a lost answer is sent again", "create_invoice")
def _(its: Its) -> _Hook:
    def create_invoice(invoice: Invoice, attempt: Any = None) -> Receipt:
        try:
            return its.create(invoice, attempt)
        except OutcomeUnknown:
            return its.create(invoice, attempt)

    return create_invoice


@_fault("a lost answer is said to be a no", "create_invoice")
def _(its: Its) -> _Hook:
    def create_invoice(invoice: Invoice, attempt: Any = None) -> Receipt:
        try:
            return its.create(invoice, attempt)
        except OutcomeUnknown as error:
            raise Unavailable(str(error)) from None

    return create_invoice


@_fault("a leftover draft is never found", "create_invoice", "find_invoice")
def _(its: Its) -> dict[str, _Hook]:
    """After a try that failed, the next one begins anew, and what there was is forgotten."""
    tried: set[str] = vars(its.side).setdefault("_tried", set())

    def create_invoice(invoice: Invoice, attempt: Any = None) -> Receipt:
        again = invoice.reference in tried
        tried.add(invoice.reference)
        if again and attempt is not None:
            attempt.keep("")
        told = attrs.evolve(invoice, reference=f"{invoice.reference}7", notes=f"{invoice.reference}7")
        return attrs.evolve(its.create(told if again else invoice, attempt), reference=invoice.reference)

    def find_invoice(client_id: int, reference: str) -> Receipt | None:
        found: Receipt | None = its.find_invoice(client_id=client_id, reference=reference)
        if found is None or found.status is InvoiceStatus.DRAFT:
            found = its.find_invoice(client_id=client_id, reference=f"{reference}7")
        return found and attrs.evolve(found, reference=reference)

    return {"create_invoice": create_invoice, "find_invoice": find_invoice}


@_fault("drafts that people began are deleted", "create_invoice")
def _(its: Its) -> _Hook:
    def create_invoice(invoice: Invoice, attempt: Any = None) -> Receipt:
        for held in its.side.invoices():
            words = " ".join(line.description for line in held.lines)
            if held.status is InvoiceStatus.DRAFT and words and not reference_in(words) and "web-" not in words:
                its.side.remove_invoice(held.id)
        return its.create(invoice, attempt)

    return create_invoice


@_fault("a draft that somebody deleted stops the invoice", "create_invoice")
def _(its: Its) -> _Hook:
    def create_invoice(invoice: Invoice, attempt: Any = None) -> Receipt:
        if attempt is not None and attempt.kept and not its.side.invoices():
            raise Refused(f"the draft {attempt.kept} is gone")
        return its.create(invoice, attempt)

    return create_invoice


@_fault("a draft keeps the lines of an older price", "create_invoice")
def _(its: Its) -> _Hook:
    def create_invoice(invoice: Invoice, attempt: Any = None) -> Receipt:
        drafts = (held for held in its.side.invoices() if held.status is InvoiceStatus.DRAFT)
        there = next((held.lines for held in drafts if held.client_id == invoice.client_id), ())
        ours = [line for line in there if "web-" in line.description]
        older = [attrs.evolve(line, amount=held.amount) for line, held in zip(invoice.lines, ours, strict=False)]
        return its.create(attrs.evolve(invoice, lines=[*older, *invoice.lines[len(older) :]]), attempt)

    return create_invoice


@_fault("a draft counts as issued", "find_invoice")
def _(its: Its) -> _Hook:
    def find_invoice(client_id: int, reference: str) -> Receipt | None:
        found: Receipt | None = its.find_invoice(client_id=client_id, reference=reference)
        if found is not None and found.status is InvoiceStatus.DRAFT:
            return attrs.evolve(found, status=InvoiceStatus.UNPAID)
        return found

    return find_invoice


@_fault("creating asks for the client first, every time", "create_invoice")
def _(its: Its) -> _Hook:
    def create_invoice(invoice: Invoice, attempt: Any = None) -> Receipt:
        its.client(client_id=invoice.client_id)
        its.client(client_id=invoice.client_id)
        return its.create(invoice, attempt)

    return create_invoice


@_fault("nothing can land after a lost answer", "create_invoice")
def _(its: Its) -> dict[str, _Hook]:
    its.adapter.in_doubt_seconds = 0
    return {}


# Invoices, as they are found


@_fault("an invoice of somebody else is found", "find_invoice")
def _(its: Its) -> _Hook:
    def find_invoice(client_id: int, reference: str) -> Receipt | None:
        found: Receipt | None = its.find_invoice(client_id=client_id, reference=reference)
        for each in [] if found else list(its.clients()):
            if isinstance(each, Client) and found is None:
                found = its.find_invoice(client_id=each.id, reference=reference)
        return found and attrs.evolve(found, client_id=client_id)

    return find_invoice


@_fault("of two invoices with one reference the first is taken", "find_invoice")
def _(its: Its) -> _Hook:
    def find_invoice(client_id: int, reference: str) -> Receipt | None:
        try:
            found: Receipt | None = its.find_invoice(client_id=client_id, reference=reference)
        except Refused:
            listed = (each for each in its.unpaid_invoices() if isinstance(each, Receipt))
            return next((each for each in listed if each.reference == reference), None)
        return found

    return find_invoice


@_fault("what cannot be read is not there", "find_invoice")
def _(its: Its) -> _Hook:
    def find_invoice(client_id: int, reference: str) -> Receipt | None:
        try:
            found: Receipt | None = its.find_invoice(client_id=client_id, reference=reference)
        except (Refused, Unavailable):
            return None
        return found

    return find_invoice


@_fault("looking for an invoice writes", "find_invoice")
def _(its: Its) -> _Hook:
    def find_invoice(client_id: int, reference: str) -> Receipt | None:
        found: Receipt | None = its.find_invoice(client_id=client_id, reference=reference)
        if found is not None:
            its.side.set_status(found.id, InvoiceStatus.PAID)
        return found

    return find_invoice


@_fault("a reference is found by how it begins", "find_invoice")
def _(its: Its) -> _Hook:
    def find_invoice(client_id: int, reference: str) -> Receipt | None:
        found: Receipt | None = its.find_invoice(client_id=client_id, reference=reference)
        for digit in range(10):
            found = found or its.find_invoice(client_id=client_id, reference=f"{reference}{digit}")
        return found and attrs.evolve(found, reference=reference)

    return find_invoice


@_fault("cancelled invoices are not found", "find_invoice")
def _(its: Its) -> _Hook:
    def find_invoice(client_id: int, reference: str) -> Receipt | None:
        found: Receipt | None = its.find_invoice(client_id=client_id, reference=reference)
        return None if found is not None and found.status is InvoiceStatus.CANCELLED else found

    return find_invoice


@_fault("refunded invoices are not found", "find_invoice")
def _(its: Its) -> _Hook:
    def find_invoice(client_id: int, reference: str) -> Receipt | None:
        found: Receipt | None = its.find_invoice(client_id=client_id, reference=reference)
        return None if found is not None and found.status is InvoiceStatus.REFUNDED else found

    return find_invoice


@_fault("an invoice that was postponed is due as before", "find_invoice", "unpaid_invoices")
def _(its: Its) -> dict[str, _Hook]:
    """As where the day is kept, or reckoned from the day of issue."""
    due: dict[str, Any] = vars(its.side).setdefault("_due", {})

    def told(receipt: Receipt) -> Receipt:
        return attrs.evolve(receipt, due_date=due.setdefault(str(receipt.id), receipt.due_date))

    return _told(its, told) | {"create_invoice": lambda **asked: told(its.create(**asked))}


@_fault("a part payment is not told", "find_invoice", "unpaid_invoices")
def _(its: Its) -> dict[str, _Hook]:
    return _told(its, lambda receipt: attrs.evolve(receipt, balance=receipt.total))


@_fault("a part payment makes an invoice paid", "find_invoice", "unpaid_invoices")
def _(its: Its) -> dict[str, _Hook]:
    def told(receipt: Receipt) -> Receipt:
        partly = receipt.balance is not None and receipt.balance < receipt.total
        return attrs.evolve(receipt, balance=Decimal(0)) if partly else receipt

    return _told(its, told)


@_fault("payments under way are overlooked", "unpaid_invoices")
def _(its: Its) -> _Hook:
    return lambda: _each(
        its.unpaid_invoices(), lambda receipt: None if receipt.status is InvoiceStatus.PENDING else receipt
    )


@_fault("an unreadable invoice ends the list", "unpaid_invoices")
def _(its: Its) -> _Hook:
    def unpaid_invoices() -> Iterator[Any]:
        yield from its.unpaid_invoices()  # ends where an error is raised

    return unpaid_invoices


@_fault("the last unpaid invoice is lost", "unpaid_invoices")
def _(its: Its) -> _Hook:
    return lambda: islice(list(its.unpaid_invoices()), 1)


@_fault("an invoice belongs to whoever asks", "invoice")
def _(its: Its) -> _Hook:
    def invoice(client_id: int, invoice_id: str) -> Receipt | None:
        found: Receipt | None = its.hooks["invoice"](client_id=client_id, invoice_id=invoice_id)
        return found and attrs.evolve(found, client_id=client_id)

    return invoice


@_fault("an invoice without its reference is gone", "invoice")
def _(its: Its) -> _Hook:
    def invoice(client_id: int, invoice_id: str) -> Receipt | None:
        found: Receipt | None = its.hooks["invoice"](client_id=client_id, invoice_id=invoice_id)
        return found if found and found.reference else None

    return invoice


# People, and what `check` says


@_fault("check says that all is well", "check")
def _(its: Its) -> _Hook:
    def check() -> list[Check]:
        with suppress(Refused, Unavailable):
            return [attrs.evolve(each, ok=True) for each in its.check()]
        return [Check("billing system", ok=True, detail="answers")]

    return check


@_fault("a wrong key reads as a wrong password", "authenticate")
def _(its: Its) -> _Hook:
    def authenticate(email: str, password: str) -> Client | None:
        with suppress(Refused, NotFound):
            found: Client | None = its.authenticate(email=email, password=password)
            return found
        return None

    return authenticate


@_fault("a second factor is not asked for", "authenticate")
def _(its: Its) -> _Hook:
    """As where the password alone was right, and the answer's word for what else is needed is not read."""

    def authenticate(email: str, password: str) -> Client | None:
        found: Client | None = None
        with suppress(Refused):
            found = its.authenticate(email=email, password=password)
        return found or next(
            (each for each in its.clients() if isinstance(each, Client) and each.email == email and len(password) > 9),
            None,
        )

    return authenticate


@_fault("customers' passwords are logged", "authenticate")
def _(its: Its) -> _Hook:
    def authenticate(email: str, password: str) -> Client | None:
        _log.debug("log-in", email=email, password=password)
        found: Client | None = its.authenticate(email=email, password=password)
        return found

    return authenticate


@_fault("a link is given twice", "portal_login_url")
def _(its: Its) -> _Hook:
    given: dict[int, str | None] = {}

    def portal_login_url(client_id: int) -> str | None:
        if client_id not in given:
            given[client_id] = its.portal_login_url(client_id=client_id)
        return given[client_id]

    return portal_login_url


@_fault("a user that was not kept is said to be", "remember_user")
def _(its: Its) -> _Hook:
    def remember_user(client_id: int, solus_user_id: int) -> None:
        with suppress(NotFound, Refused):
            its.remember_user(client_id=client_id, solus_user_id=solus_user_id)

    return remember_user


@_fault("a link leads into another client's account", "portal_login_url")
def _(its: Its) -> _Hook:
    def portal_login_url(client_id: int) -> str | None:
        url: str | None = its.portal_login_url(client_id=client_id)
        others = [each.id for each in its.clients() if isinstance(each, Client) and each.id != client_id]
        return its.portal_login_url(client_id=others[0]) if url and others else url

    return portal_login_url
