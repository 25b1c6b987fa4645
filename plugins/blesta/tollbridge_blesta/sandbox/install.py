"""The install: the whole state of a Blesta in memory, usable with and without HTTP."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import attrs

from tollbridge_blesta.sandbox.directory import Directory
from tollbridge_blesta.sandbox.problems import Complaints, rejected
from tollbridge_blesta.sandbox.records import Client, Invoice, Line
from tollbridge_blesta.sandbox.taxing import LEVELS, TYPES, Tax

STATUSES = ("active", "draft", "proforma", "void")
DELIVERY = ("email", "paper", "interfax", "postalmethods")


class Install(Directory):
    """A Blesta with one company, in memory, safe to use from several threads.

    It begins with the currency USD, the client group "General", and one custom field. What it refuses raises
    :class:`Rejected`, which carries the errors of a live one. Tax is enabled and does not cascade.

    Args:
        user: of the API credentials.
        key: of the API credentials.
        page_size: rows on a page of any list; no caller can choose another.
        timezone: the company's, an IANA name.
        company_id: the company's.
    """

    def __init__(
        self,
        user: str = "sandbox-user",
        key: str = "sandbox-key",
        page_size: int = 25,
        timezone: str = "UTC",
        company_id: int = 1,
    ) -> None:
        super().__init__(timezone)
        if page_size < 1:
            raise ValueError("a page has at least one row")
        self.user = user
        self.key = key
        self.page_size = page_size
        self.company_id = company_id
        self._taxes: dict[int, Tax] = {}
        self._invoices: dict[int, Invoice] = {}
        self._next |= {"invoice": 301, "invoice number": 1001, "line": 7001}
        self.add_currency("USD", prefix="$", suffix=" USD")
        self.add_group("General")
        self.add_custom_field("SolusIO user")

    @property
    def taxes(self) -> list[Tax]:
        """All tax rules, active or not."""
        with self.lock:
            return [*self._taxes.values()]

    def add_tax(
        self,
        name: str,
        amount: Decimal | str | int,
        *,
        level: int = 1,
        type: str = "exclusive",  # noqa: A002 - the name of the field on the wire
        country: str | None = None,
        state: str | None = None,
        status: str = "active",
    ) -> int:
        """Add a tax rule of ``amount`` per cent. Every rule that applies somewhere is taken, not only the nearest.

        Raises:
            Rejected: an unknown level or type.
        """
        complaints = Complaints()
        if level not in LEVELS:
            complaints.add("level", "format", f"A tax rule has level 1 or 2, not {level}.")
        if type not in TYPES:
            complaints.add("type", "format", f"A tax rule is {', '.join(TYPES)}, not {type}.")
        complaints.check()
        with self.lock:
            tax_id = len(self._taxes) + 1
            self._taxes[tax_id] = Tax(tax_id, name, Decimal(amount), level, type, country, state, status)
            return tax_id

    def rules_at(self, country: str, state: str) -> tuple[Tax, ...]:
        """The active rules of a place, by level, whether tax is enabled or not."""
        rules = [tax for tax in self.taxes if tax.applies(country, state)]
        return tuple(sorted(rules, key=lambda tax: (tax.level, tax.id)))

    def rules_for(self, client: Client) -> tuple[Tax, ...]:
        """The rules that a client's prices are subject to; none if tax is switched off."""
        if self.settings.get("enable_tax") != "true":
            return ()
        return self.rules_at(client.contact.country, client.contact.state)

    def is_exempt(self, client_id: int) -> bool:
        """Whether a client pays no tax."""
        return self.client_setting(client_id, "tax_exempt") == "true"

    def invoices(self, client_id: int | None = None) -> list[Invoice]:
        """All invoices, or those of one client, by id."""
        with self.lock:
            return [row for row in self._invoices.values() if client_id in {None, row.client_id}]

    def invoice(self, invoice_id: int) -> Invoice | None:
        """The invoice with this id."""
        with self.lock:
            return self._invoices.get(invoice_id)

    def add_invoice(
        self,
        client_id: int,
        lines: Sequence[Line],
        *,
        date_billed: datetime | None = None,
        date_due: datetime | None = None,
        currency: str | None = None,
        **fields: Any,
    ) -> int:
        """Write an invoice with the tax rules of now. ``fields`` are others of :class:`Invoice`.

        Dates are aware; without them it is billed now and due in a fortnight. The currency is the client's by default.

        Raises:
            Rejected: there is no such client or currency, there are no lines, or it is due before it is billed.
        """
        with self.lock:
            client = self._known_client(client_id)
            currency = currency or self.client_setting(client_id, "default_currency") or ""
            billed = date_billed or self.now
            due = date_due or billed + timedelta(days=14)
            complaints = Complaints()
            self.check_invoice(complaints, currency=currency, lines=lines, date_billed=billed, date_due=due, **fields)
            complaints.check()
            invoice = Invoice(
                id=self._take("invoice"),
                number=self._take("invoice number"),
                client_id=client_id,
                currency=currency,
                precision=self._currencies[currency].precision,
                lines=tuple(attrs.evolve(line, id=self._take("line")) for line in lines),
                date_billed=billed,
                date_due=due,
                tax_rules=self.rules_for(client),
                cascade=self.settings.get("cascade_tax") == "true",
                exempt=self.is_exempt(client_id),
                **fields,
            )
            self._invoices[invoice.id] = invoice
            return invoice.id

    def set_invoice(self, invoice_id: int, **changes: Any) -> Invoice:
        """Change fields of an invoice: status, dates, notes, and any other of :class:`Invoice`.

        Raises:
            Rejected: there is no such invoice, or :meth:`add_invoice` would refuse it.
        """
        with self.lock:
            changed = attrs.evolve(self._known_invoice(invoice_id), **changes)
            complaints = Complaints()
            self.check_invoice(
                complaints,
                currency=changed.currency,
                lines=changed.lines,
                date_billed=changed.date_billed,
                date_due=changed.date_due,
                status=changed.status,
                delivery=changed.delivery,
            )
            complaints.check()
            self._invoices[invoice_id] = changed
            return changed

    def pay(self, invoice_id: int, amount: Decimal | str | int | None = None) -> Invoice:
        """Pay an active invoice, by default all that is due. It is closed once it is paid in full.

        Raises:
            Rejected: there is no such invoice, or it is not active.
        """
        with self.lock:
            invoice = self._known_invoice(invoice_id)
            if invoice.status != "active":
                raise rejected("status", "format", f"Invoice {invoice_id} is {invoice.status} and cannot be paid.")
            payment = invoice.due if amount is None else Decimal(amount)
            paid = attrs.evolve(invoice, payments=(*invoice.payments, payment))
            closed = self.now if paid.due <= 0 else None
            return self.set_invoice(invoice_id, payments=paid.payments, date_closed=closed)

    def void(self, invoice_id: int) -> Invoice:
        """Cancel an invoice.

        Raises:
            Rejected: there is no such invoice, or something was paid on it.
        """
        with self.lock:
            self.check_unpaid(invoice_id)
            return self.set_invoice(invoice_id, status="void")

    def check_unpaid(self, invoice_id: int) -> None:
        """Rejected if something was paid on the invoice: its lines, currency and status are then locked."""
        if self._known_invoice(invoice_id).payments:
            text = f"Something was paid on invoice {invoice_id}: its lines, currency and status are locked."
            raise rejected("id", "amount_applied", text)

    def _known_invoice(self, invoice_id: int) -> Invoice:
        if invoice_id not in self._invoices:
            raise rejected("invoice_id", "exists", f"There is no invoice {invoice_id}.")
        return self._invoices[invoice_id]

    def check_invoice(self, complaints: Complaints, **values: Any) -> None:
        """Complain about an invoice's ``currency``, ``lines``, dates, ``status`` and ``delivery``."""
        billed, due, status = values["date_billed"], values["date_due"], values.get("status", "active")
        if values["currency"] not in self._currencies:
            complaints.add("currency", "exists", f"The company has no currency {values['currency']}.")
        if not values["lines"]:
            complaints.add("lines", "empty", "An invoice has at least one line.")
        if billed and due and due < billed:
            complaints.add("date_due", "after_billed", "An invoice is due on or after the date it is billed.")
        if status not in STATUSES:
            complaints.add("status", "format", f"An invoice is {', '.join(STATUSES)}, not {status}.")
        for method in values.get("delivery", ()):
            if method not in DELIVERY:
                complaints.add("delivery", "exists", f"There is no delivery method {method}.")
