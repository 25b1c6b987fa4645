"""The install: the whole state of a HostBill in memory, usable with and without HTTP."""

import datetime as dt
import hmac
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import attrs

from tollbridge.sandbox import NamedFaults, Simulator
from tollbridge_hostbill.sandbox.quirks import Quirks
from tollbridge_hostbill.sandbox.records import (
    Client,
    Currency,
    InstallError,
    Invoice,
    Item,
    TaxMode,
    TaxRule,
    number,
    rounded,
)

METHODS = (
    "addClient",
    "addInvoice",
    "addInvoiceItem",
    "convertInvoice",
    "deleteInvoice",
    "editInvoiceDetails",
    "getAPIMethods",
    "getClientDetails",
    "getClientInvoices",
    "getClientTaxDetails",
    "getClients",
    "getCurrencies",
    "getInvoiceDetails",
    "getInvoices",
    "setClientDetails",
    "verifyClientLogin",
)
AUTOLOGIN = "autologin"


class Install(Simulator):
    """A HostBill in memory, safe to use from several threads.

    What it refuses raises :class:`InstallError`. ``taxes`` is how invoices that are made from now on are taxed;
    ``applies_credit`` says whether a client's credit pays what is converted. Drafts are due in a week.
    """

    api_id = "sandbox-api-id"
    api_key = "sandbox-api-key"
    autologin_secret = "sandbox-autologin"  # noqa: S105 - a sandbox has no secrets

    def __init__(self, page_size: int = 25) -> None:
        super().__init__(NamedFaults([*METHODS, AUTOLOGIN]))
        self.page_size = page_size
        self.quirks = Quirks()
        self.today = dt.datetime.now(dt.UTC).date()
        self.taxes = TaxMode()
        self.tax_rules: list[TaxRule] = []
        self.applies_credit = False
        self.registration_fields = ["solusid"]
        self.currencies = {0: Currency(0, "USD", "USD", "$")}
        self._clients: dict[int, Client] = {}
        self._invoices: dict[int, Invoice] = {}
        self._next_invoice = 1
        self._next_item = 1
        self._links: dict[str, int] = {}

    # Set-up

    def add_currency(self, iso: str, **fields: Any) -> int:
        """Add a currency, unless there is one; its number."""
        with self.lock:
            for known in self.currencies.values():
                if known.iso == iso:
                    return known.id
            key = len(self.currencies)
            self.currencies[key] = Currency(key, iso, **{"code": iso, **fields})
            return key

    def add_tax(self, name: str, rate: Decimal | str, country: str = "", state: str = "", level: int = 1) -> None:
        """Charge a tax somewhere."""
        with self.lock:
            self.tax_rules.append(TaxRule(name, rate, country, state, level))

    def rules_for(self, client: Client) -> list[TaxRule]:
        """The rule of each level for the client's state, else for its country, else for everywhere."""
        places = ((client.country, client.state), (client.country, ""), ("", ""))
        found = []
        for level in (1, 2):
            rules = {(rule.country, rule.state): rule for rule in self.tax_rules if rule.level == level}
            found += [rules[place] for place in places if place in rules][:1]
        return found

    # Clients

    @property
    def clients(self) -> list[Client]:
        """Clients and contacts, by number."""
        with self.lock:
            return [self._clients[key] for key in sorted(self._clients)]

    def client(self, client_id: int) -> Client:
        """The client with this number."""
        with self.lock:
            if client_id not in self._clients:
                raise InstallError("Client not found")
            return self._clients[client_id]

    def name_of(self, client_id: int) -> tuple[str, str]:
        """First and last name; empty once the client is gone, whose invoices stay."""
        client = self._clients.get(client_id)
        return (client.first_name, client.last_name) if client else ("", "")

    def add_client(self, email: str, *, currency: str = "USD", client_id: int | None = None, **fields: Any) -> int:
        """Add a client, or a contact with ``parent_id``; ``fields`` are those of :class:`Client`."""
        with self.lock:
            numbers = {known.iso: known.id for known in self.currencies.values()}
            if currency not in numbers:
                raise InstallError(f"There is no currency {currency}")
            if "@" not in email:
                raise InstallError("Email address is not valid")
            if any(each.email.casefold() == email.casefold() for each in self._clients.values()):
                raise InstallError("Email address is already registered")
            key = max(self._clients, default=0) + 1 if client_id is None else client_id
            made_at = dt.datetime.now(dt.UTC)
            self._clients[key] = Client(key, email, made_at, **{"currency_id": numbers[currency], **fields})
            return key

    def set_client(self, client_id: int, **changes: Any) -> Client:
        """Change fields of :class:`Client`."""
        with self.lock:
            self._clients[client_id] = attrs.evolve(self.client(client_id), **changes)
            return self._clients[client_id]

    def log_in(self, email: str, password: str) -> Client:
        """Whose credentials these are."""
        with self.lock:
            found = next((each for each in self._clients.values() if each.email.casefold() == email.casefold()), None)
            right = found.password if found else ""
            if not hmac.compare_digest(right.encode(), password.encode()) or not right or found is None:
                raise InstallError("Invalid login details")
            return found

    def merge_clients(self, gone: int, survivor: int) -> None:
        """Give one client's invoices to another and delete it, as staff may."""
        with self.lock:
            for invoice in self.invoices(gone):
                self._invoices[invoice.id] = attrs.evolve(invoice, client_id=survivor)
            del self._clients[gone]

    # Invoices

    def invoices(self, client_id: int | None = None) -> list[Invoice]:
        """All invoices, or one client's, by number."""
        with self.lock:
            return [each for each in self._invoices.values() if client_id in {None, each.client_id}]

    def invoice(self, invoice_id: int) -> Invoice:
        """The invoice with this number."""
        with self.lock:
            if invoice_id not in self._invoices:
                raise InstallError("Invoice not found")
            return self._invoices[invoice_id]

    def new_draft(self, client_id: int) -> int:
        """An empty draft in the client's currency, with the rates of its place."""
        with self.lock:
            client = self.client(client_id)
            rates: dict[str, Any] = {}
            if client.own_rate is not None:
                rates["taxrate"] = client.own_rate
            elif not client.tax_exempt:
                rates = {"taxrate" if rule.level == 1 else "taxrate2": rule.rate for rule in self.rules_for(client)}
            invoice = Invoice(
                self._next_invoice,
                client_id,
                client.currency_id,
                self.today,
                self.today + dt.timedelta(days=7),
                self.currencies[client.currency_id].decimal,
                self.taxes,
                **rates,
            )
            self._invoices[invoice.id] = invoice
            self._next_invoice += 1
            return invoice.id

    def add_item(
        self, invoice_id: int, description: str, amount: Decimal | str, taxed: bool = True, qty: Decimal | str = "1"
    ) -> Item:
        """One line more, of whatever invoice: HostBill is not known to spare those that count."""
        with self.lock:
            invoice = self.invoice(invoice_id)
            item = Item(
                self._next_item, description, rounded(number(amount), invoice.decimals), taxed, rounded(number(qty), 2)
            )
            self._next_item += 1
            self._invoices[invoice_id] = attrs.evolve(invoice, items=(*invoice.items, item))
            return item

    def add_invoice(self, client_id: int, lines: Iterable[tuple[str, str, bool]] = (), **fields: Any) -> int:
        """An invoice of ``(description, amount, taxed)`` lines, unpaid if ``fields`` do not say otherwise."""
        with self.lock:
            key = self.new_draft(client_id)
            for line in lines:
                self.add_item(key, *line)
            self.set_invoice(key, **{"status": "Unpaid", **fields})
            return key

    def set_invoice(self, invoice_id: int, **changes: Any) -> Invoice:
        """Change fields of :class:`Invoice`, as staff may."""
        with self.lock:
            self._invoices[invoice_id] = attrs.evolve(self.invoice(invoice_id), **changes)
            return self._invoices[invoice_id]

    def convert(self, invoice_id: int) -> Invoice:
        """Make a draft count."""
        with self.lock:
            invoice = self.invoice(invoice_id)
            if invoice.status != "Draft":
                raise InstallError("Only draft invoices can be converted")
            client = self.client(invoice.client_id)
            used = min(client.credit, invoice.total) if self.applies_credit else Decimal(0)
            self.set_client(client.id, credit=client.credit - used)
            status = "Paid" if invoice.total == used else "Unpaid"
            return self.set_invoice(invoice_id, status=status, credit=used)

    def delete_invoice(self, invoice_id: int) -> None:
        """Remove an invoice, whatever its status."""
        with self.lock:
            del self._invoices[self.invoice(invoice_id).id]

    def pay(self, invoice_id: int, amount: Decimal | str) -> Invoice:
        """Receive money for an invoice; once nothing is left to pay it is paid."""
        with self.lock:
            invoice = self.invoice(invoice_id)
            invoice = self.set_invoice(invoice_id, payments=(*invoice.payments, number(amount)))
            return self.set_invoice(invoice_id, status="Paid") if invoice.balance <= 0 else invoice

    # Links into the client area

    def issue_link(self, token: str, client_id: int) -> None:
        """A token that logs this client in once."""
        with self.lock:
            self._links[token] = client_id

    def redeem_link(self, token: str) -> Client:
        """Whose token this is; it is used up by asking."""
        with self.lock:
            return self.client(self._links.pop(token, 0))
