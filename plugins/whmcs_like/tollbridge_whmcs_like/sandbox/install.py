"""The install: the whole state of a WHMCS in memory, usable with and without HTTP."""

import datetime as dt
import secrets
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import attrs

from tollbridge_whmcs_like.sandbox.accounts import Accounts
from tollbridge_whmcs_like.sandbox.money import TaxMode, cents
from tollbridge_whmcs_like.sandbox.problems import InstallError
from tollbridge_whmcs_like.sandbox.records import Client, Invoice, Line, Payment

ACTIONS = (
    "AddClient",
    "CreateInvoice",
    "CreateSsoToken",
    "GetClientGroups",
    "GetClients",
    "GetClientsDetails",
    "GetConfigurationValue",
    "GetCurrencies",
    "GetInvoice",
    "GetInvoices",
    "GetPaymentMethods",
    "GetUsers",
    "UpdateClient",
    "ValidateLogin",
)
SET_APART = ("id", "client_id", "created_at")
TOKEN_LIFE = dt.timedelta(seconds=60)


class Install(Accounts):
    """A WHMCS in memory, safe to use from several threads.

    What it refuses raises :class:`InstallError`, with the message WHMCS would give.

    Args:
        identifier: of the API credentials, which may also be sent as ``username``.
        secret: of the API credentials, which may also be sent as ``password``.
        access_key: lets a caller in from any address; "" if there is none.
        allow_any_address: False is WHMCS's way: only ``allowed_addresses``, or with the access key.
        page_limit: the most rows that any list gives, whatever ``limitnum`` says.
    """

    def __init__(
        self,
        identifier: str = "sandbox-identifier",
        secret: str = "sandbox-secret",  # noqa: S107 - a sandbox has no secrets
        access_key: str = "",
        allow_any_address: bool = True,
        page_limit: int | None = None,
    ) -> None:
        super().__init__(ACTIONS)
        self.identifier = identifier
        self.secret = secret
        self.access_key = access_key
        self.allow_any_address = allow_any_address
        self.page_limit = page_limit
        self._invoices: dict[int, Invoice] = {}
        self._by_client: dict[int, list[int]] = {}
        self._next_line = 1
        self._next_payment = 1
        self._logins: dict[str, tuple[int, dt.datetime]] = {}

    def invoices(self, client_id: int | None = None) -> list[Invoice]:
        """All invoices, or one client's, by id."""
        with self.lock:
            if client_id is None:
                return [*self._invoices.values()]
            return [self._invoices[key] for key in self._by_client.get(client_id, [])]

    def invoice(self, invoice_id: int) -> Invoice:
        """The invoice with this id."""
        with self.lock:
            if invoice_id not in self._invoices:
                raise InstallError("Invoice ID Not Found")
            return self._invoices[invoice_id]

    def add_invoice(
        self,
        client_id: int,
        lines: Iterable[tuple[str, Decimal | str, bool]] = (),
        *,
        taxrate: Decimal | str | None = None,
        taxrate2: Decimal | str | None = None,
        use_credit: bool = False,
        **fields: Any,
    ) -> int:
        """Create an invoice of ``(description, amount, taxed)`` lines, unpaid if ``fields`` do not say otherwise.

        A rate that is not given comes from the tax rules. Dates that are not given are today and
        ``CreateInvoiceDaysBefore`` days later.
        """
        with self.lock:
            client = self.client(client_id)
            charged = self._rates(client, taxrate, taxrate2)
            days = dt.timedelta(days=int(self.configuration["CreateInvoiceDaysBefore"]))
            now = self.now
            defaults = {
                "status": "Unpaid",
                "date": self.today,
                "duedate": self.today + days,
                "paymentmethod": client.payment_method or next(iter(self.payment_methods), ""),
            }
            invoice = Invoice(
                id=len(self._invoices) + 1,
                client_id=client_id,
                created_at=now,
                updated_at=now,
                lines=self.new_lines(lines),
                taxrate=charged[0],
                taxrate2=charged[1],
                mode=self.tax_mode,
                **{**defaults, **fields},
            )
            self._invoices[invoice.id] = invoice
            self._by_client.setdefault(client_id, []).append(invoice.id)
            if use_credit:
                self._use_credit(client, invoice)
            return invoice.id

    def set_invoice(self, invoice_id: int, **changes: Any) -> Invoice:
        """Change fields of :class:`Invoice`, such as ``status="Paid"``, ``duedate``, ``notes`` or ``credit``."""
        with self.lock:
            if fixed := [name for name in changes if name in SET_APART]:
                raise InstallError(f"{', '.join(fixed)} of an invoice cannot be set")
            invoice = attrs.evolve(self.invoice(invoice_id), **{"updated_at": self.now, **changes})
            if changes.get("status") and invoice.status == "Paid" and invoice.datepaid is None:
                invoice = attrs.evolve(invoice, datepaid=self.now)
            self._invoices[invoice_id] = invoice
            return invoice

    def add_payment(self, invoice_id: int, amount: Decimal | str) -> Invoice:
        """Receive money for an invoice; once nothing is left to pay it is paid."""
        with self.lock:
            invoice = self.invoice(invoice_id)
            payment = Payment(self._next_payment, cents(amount), self.now, invoice.paymentmethod)
            self._next_payment += 1
            invoice = self.set_invoice(invoice_id, payments=(*invoice.payments, payment))
            return self.set_invoice(invoice_id, status="Paid") if invoice.balance <= 0 else invoice

    def new_lines(self, lines: Iterable[tuple[str, Decimal | str, bool]]) -> tuple[Line, ...]:
        """Lines with ids of their own."""
        with self.lock:
            made = tuple(Line(self._next_line + place, *line) for place, line in enumerate(lines))
            self._next_line += len(made)
            return made

    def merge_clients(self, gone: int, survivor: int) -> None:
        """Give one client's invoices to another and delete it, as an administrator may."""
        with self.lock:
            for invoice in self.invoices(gone):
                self._invoices[invoice.id] = attrs.evolve(invoice, client_id=survivor)
                self._by_client.setdefault(survivor, []).append(invoice.id)
            self._by_client.pop(gone, None)
            self._client_ids.pop(self._clients.pop(gone).email.casefold())

    def is_overdue(self, invoice: Invoice) -> bool:
        """Whether the list of overdue invoices has it: unpaid, and due before today."""
        return invoice.status == "Unpaid" and invoice.duedate is not None and invoice.duedate < self.today

    def is_taxed(self, client: Client) -> bool:
        """Whether the client pays tax at all."""
        return bool(self.configuration.get("TaxEnabled")) and not client.tax_exempt

    @property
    def tax_mode(self) -> TaxMode:
        """How invoices are taxed now."""
        return TaxMode(
            inclusive=self.configuration.get("TaxType") == "Inclusive",
            compound=bool(self.configuration.get("TaxL2Compound")),
            by_line=bool(self.configuration.get("TaxPerLineItem")),
        )

    def issue_login(self, user_id: int) -> str:
        """A token that logs the user in once, within a minute."""
        with self.lock:
            token = secrets.token_hex(20)
            self._logins[token] = (user_id, dt.datetime.now(dt.UTC) + TOKEN_LIFE)
            return token

    def redeem_login(self, token: str) -> int:
        """Whose token this is; it is used up by asking."""
        with self.lock:
            user_id, end = self._logins.pop(token, (0, None))
            if end is None or dt.datetime.now(dt.UTC) > end:
                raise InstallError("This link has expired")
            return user_id

    def _rates(
        self, client: Client, taxrate: Decimal | str | None, taxrate2: Decimal | str | None
    ) -> tuple[Decimal | str, Decimal | str]:
        """A rate that was sent wins over the rules; without tax support, or exempt, nobody pays any."""
        if not self.is_taxed(client):
            return "0", "0"
        first = self._rule(client, 1) if taxrate is None else taxrate
        second = self._rule(client, 2) if taxrate2 is None else taxrate2
        return first, second

    def _rule(self, client: Client, level: int) -> Decimal:
        """The rate for the client's state, else for the country, else for everywhere."""
        for country, state in ((client.country, client.state), (client.country, ""), ("", "")):
            for rule in self.tax_rules:
                if (rule.level, rule.country, rule.state) == (level, country, state):
                    return rule.rate
        return Decimal(0)

    def _use_credit(self, client: Client, invoice: Invoice) -> None:
        used = min(client.credit, invoice.total)
        if used <= 0:
            return
        self.set_client(client.id, credit=client.credit - used)
        status = "Paid" if used == invoice.total else invoice.status
        self.set_invoice(invoice.id, credit=used, status=status)
