"""Every hook, once. An adapter implements the first group; any installed plugin may listen to the second.

An adapter raises ``NotFound``, ``Refused`` (the billing system said no: do not retry), ``Unavailable`` (try later) or
``OutcomeUnknown`` (sent, no answer came). Anything else that leaves it is shown as a fault of the adapter.
"""

from collections.abc import Iterator
from datetime import date
from typing import Any

import pluggy

from tollbridge.model import Attempt, Check, Client, Currency, Invoice, Receipt, Signup, Terms, UserStatus

hookspec = pluggy.HookspecMarker("tollbridge")
hookimpl = pluggy.HookimplMarker("tollbridge")

REQUIRED = ("client", "clients", "currencies", "create_invoice", "find_invoice", "unpaid_invoices")
OPTIONAL = (
    "terms",
    "check",
    "create_client",
    "authenticate",
    "portal_login_url",
    "invoice_url",
    "remember_user",
    "invoice",
    "invoices_since",
    "close",
)
LISTENERS = ("invoice_issued", "user_status_changed", "run_finished")

# Arguments that an adapter may do without.
MAY_LEAVE_OUT = {"create_invoice": {"attempt"}, "terms": {"month_start", "month_end"}}

# What an adapter that has all required hooks may still be unable to do, and then says so in its attribute ``cannot``.
ABILITIES = {
    "currencies": "list its active currencies",
    "discounts": "tell a client's discounts",
    "taxes": "tell the taxes that apply to a client",
    "set_taxes": "charge the taxes that an invoice is sent with, whatever its own rules say",
    "three_decimals": "keep amounts with three decimals",
    "prices_include_tax": "keep invoices whose prices include their tax",
    "negative_lines": "keep invoices with lines that take something back",
    "pending": "tell that a payment is under way",
    "issue_date": "date an invoice by another day than the one on which it is made",
}


class Hooks:
    """The hook specifications, as pluggy reads them."""

    @hookspec(firstresult=True)
    def client(self, client_id: int) -> Client | None:
        """The client with this id, whatever its status; None if there is none."""

    @hookspec(firstresult=True)
    def clients(self) -> Iterator[Client]:  # type: ignore[empty-body]
        """Every client the bridge looks after, each once, in any order, whatever the number of pages behind it.

        ``Refused`` raised by the iterator's next step is one client's failure; the others are still asked for. A
        generator ends where it raises, so it yields the ``Refused`` instead.
        """

    @hookspec(firstresult=True)
    def currencies(self) -> list[Currency]:  # type: ignore[empty-body]
        """Every active currency; an empty list if the billing system cannot say (ISO 4217's decimals are used)."""

    @hookspec(firstresult=True)
    def create_invoice(self, invoice: Invoice, attempt: Attempt) -> Receipt:  # type: ignore[empty-body]
        """Create the invoice, unpaid, and so that ``find_invoice`` finds its reference.

        An adapter whose system makes an invoice in one call, whole or not at all, leaves ``attempt`` out. Otherwise it
        keeps there what it has got so far, and is called again to finish it; until then the receipt is a ``draft``.
        """

    @hookspec(firstresult=True)
    def find_invoice(self, client_id: int, reference: str) -> Receipt | None:
        """The client's invoice with this reference, whatever its status; None if there is none."""

    @hookspec(firstresult=True)
    def unpaid_invoices(self) -> Iterator[Receipt]:  # type: ignore[empty-body]
        """Every invoice that is unpaid or whose payment is under way; others than the bridge's may be among them."""

    @hookspec(firstresult=True)
    def terms(self, client: Client, month_start: date, month_end: date) -> Terms | None:
        """The client's discounts and taxes in a month; None, or None in one of them, leaves it to bridge.toml.

        ``month_start`` is the month's first day, ``month_end`` the first day of the next one. An adapter whose system
        keeps no terms by date leaves both out.

        With ``pages.prices_with_tax`` it is asked for a client with the id ``NOBODY``, who is only a country and a
        currency: the taxes there, and no discounts; NotFound if they cannot be told without a client.
        """

    @hookspec(firstresult=True)
    def check(self) -> list[Check]:  # type: ignore[empty-body]
        """What ``tollbridge check`` can find out about the billing system without writing anything."""

    @hookspec(firstresult=True)
    def create_client(self, signup: Signup) -> Client:  # type: ignore[empty-body]
        """Make a client of somebody who signed up; AddressTaken if the e-mail address is a client's already."""

    @hookspec(firstresult=True)
    def authenticate(self, email: str, password: str) -> Client | None:
        """The client these credentials belong to; None if they are wrong."""

    @hookspec(firstresult=True)
    def portal_login_url(self, client_id: int) -> str | None:
        """A one-time link into the billing system's client area; None if there is no such thing."""

    @hookspec(firstresult=True)
    def invoice_url(self, client_id: int, invoice_id: str) -> str | None:
        """Where the client pays the invoice with this number; None if there is no such place. No call is to be made."""

    @hookspec(firstresult=True)
    def remember_user(self, client_id: int, solus_user_id: int) -> None:
        """Keep the SolusIO user's id with the client, for people who look there."""

    @hookspec(firstresult=True)
    def invoice(self, client_id: int, invoice_id: str) -> Receipt | None:
        """The invoice with the billing system's own number, whoever's it is now and whatever it says; None if gone."""

    @hookspec(firstresult=True)
    def invoices_since(self, day: date) -> Iterator[Receipt]:  # type: ignore[empty-body]
        """Every invoice made on or after ``day`` that carries one of the bridge's references, whatever its status.

        Drafts and cancelled ones are among them. "Made" is when it came to be, or its number, never an invoice date,
        which people can move.
        """

    @hookspec(firstresult=True)
    def close(self) -> None:
        """The bridge is done: close connections, log out."""

    @hookspec
    def invoice_issued(self, invoice: Invoice, receipt: Receipt) -> None:
        """An invoice was issued (told at most once, and not again after a crash)."""

    @hookspec
    def user_status_changed(self, client_id: int, user_id: int, before: UserStatus, after: UserStatus) -> None:
        """The bridge locked, suspended or released a user."""

    @hookspec
    def run_finished(self, report: dict[str, Any]) -> None:
        """The daily job has ended; ``report`` is what ``tollbridge run --json`` prints."""
