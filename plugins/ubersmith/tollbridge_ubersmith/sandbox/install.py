"""The install: the whole state of an Ubersmith in memory, usable with and without HTTP."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import attrs

from tollbridge.sandbox import Simulator
from tollbridge_ubersmith.sandbox.quirks import Quirks
from tollbridge_ubersmith.sandbox.records import (
    CENT,
    Client,
    Contact,
    Exemption,
    Invoice,
    Pack,
    Rate,
    Rejected,
    Service,
    taxed,
)

_DAYS_TO_PAY = timedelta(days=14)


class Install(Simulator):
    """An Ubersmith with one brand, in memory, safe to use from several threads.

    It begins with the custom field ``tollbridge_reference`` of services and ``solusid`` of clients.

    Attributes:
        clock: what tells the time, aware; the real one until a test puts another in its place.
        brands: their numbers.
        fields: the variables of custom fields, of services ("pack") and of clients.
        staff: log-in names of admin users with their passwords.
        writes: how many calls changed something.
    """

    def __init__(self, user: str = "sandbox-user", token: str = "sandbox-token") -> None:  # noqa: S107 - of nobody
        super().__init__()
        self.user = user
        self.token = token
        self.quirks = Quirks()
        self.clock: Callable[[], datetime] = _real_time
        self.brands = [1]
        self.fields = {"pack": ["tollbridge_reference"], "client": ["solusid"]}
        self.staff = {user: "sandbox-password"}
        self.writes = 0
        self.clients: dict[int, Client] = {}
        self.contacts: dict[int, Contact] = {}
        self.rates: dict[int, Rate] = {}
        self.exemptions: dict[int, Exemption] = {}
        self.services: dict[int, Service] = {}
        self.invoices: dict[int, Invoice] = {}
        self.credits: dict[int, Decimal] = {}
        self._next = {"client": 1001, "contact": 5001, "rate": 1, "exemption": 31, "service": 2001, "invoice": 401}

    @property
    def now(self) -> datetime:
        """The time, in whole seconds."""
        return self.clock().astimezone(UTC).replace(microsecond=0)

    def add_client(self, email: str, *, client_id: int | None = None, login: str = "", **fields: Any) -> int:
        """Add a client, who logs in by the address unless a name is given.

        Raises:
            Rejected: the number is taken, or a field has a value that it cannot have.
        """
        with self.lock:
            number = self._take("client", self.clients) if client_id is None else client_id
            if number in self.clients:
                raise Rejected(f"there already is a client {number}")
            client = Client(number, email, login or email, **fields)
            if client.active not in {0, 1, 2} or client.discount_type not in {0, 1}:
                raise Rejected("active is 0, 1 or 2, and discount_type 0 or 1")
            self.clients[number] = client
            return number

    def change_client(self, client_id: int, **changes: Any) -> None:
        """Change a client's fields."""
        with self.lock:
            self.clients[client_id] = attrs.evolve(self.known_client(client_id), **changes)

    def add_contact(self, client_id: int, email: str, password: str, *, two_factor: bool = False) -> int:
        """Add a contact, who logs in by the address."""
        with self.lock:
            number = self._take("contact", self.contacts)
            self.contacts[number] = Contact(number, client_id, email, email, password, two_factor)
            return number

    def add_rate(self, name: str, rate: Decimal | str, *, include_other: bool = False, active: bool = True) -> int:
        """Add a tax rate, which is a fraction."""
        with self.lock:
            number = self._take("rate", self.rates)
            self.rates[number] = Rate(number, name, Decimal(rate), include_other, active)
            return number

    def exempt(self, client_id: int, status: int = 1) -> None:
        """Give a client a tax exemption."""
        with self.lock:
            number = self._take("exemption", self.exemptions)
            self.exemptions[number] = Exemption(number, client_id, status)

    def add_service(self, client_id: int, description: str, price: Decimal | str, **fields: Any) -> int:
        """Add a service; a monthly one, unless ``period`` is 0.

        Raises:
            Rejected: there is no such client or tax rate, or the client was deactivated.
        """
        with self.lock:
            client = self.known_client(client_id)
            if client.active == 0:
                raise Rejected(f"Client ID '{client_id}' is not active.")
            if fields.get("discount") is None:
                inherits = self.quirks.inherited_discount
                fields |= {
                    "discount": client.discount if inherits else Decimal(0),
                    "discount_type": client.discount_type,
                }
            for number in fields.get("taxes", ()):
                if number not in self.rates:
                    raise Rejected(f"Tax rate {number} not found.")
            number = self._take("service", self.services)
            cut = description[: self.quirks.description_length]
            self.services[number] = Service(number, client_id, cut, Decimal(price).quantize(CENT), self.now, **fields)
            return number

    def change_service(self, service_id: int, **changes: Any) -> None:
        """Change a service's fields."""
        with self.lock:
            self.services[service_id] = attrs.evolve(self.services[service_id], **changes)

    def billable(self, client_id: int) -> list[Service]:
        """The client's services that its next invoice would charge."""
        return [
            each
            for each in self.services.values()
            if each.client_id == client_id and each.active == 1 and not self._is_billed(each)
        ]

    def _is_billed(self, service: Service) -> bool:
        stands = (invoice for invoice in self.invoices.values() if invoice.paid != 2)
        return any(pack.service_id == service.id for invoice in stands for pack in invoice.packs)

    def generate(
        self,
        client_id: int,
        only: Iterable[int] | None = None,
        *,
        due: datetime | None = None,
        credits: bool = True,  # noqa: A002 - Ubersmith's word
        mail: bool = True,
    ) -> Invoice:
        """An invoice of these services, or of all that can be billed, as Ubersmith's own billing makes it.

        Raises:
            Rejected: there is nothing to bill.
        """
        with self.lock:
            self.known_client(client_id)
            wanted = None if only is None else set(only)
            chosen = tuple(each for each in self.billable(client_id) if wanted is None or each.id in wanted)
            if not chosen:
                raise Rejected("There is nothing to invoice.")
            packs = tuple(Pack(each.id, each.description, each.price, each.quantity, each.cost) for each in chosen)
            invoice = Invoice(
                self._take("invoice", self.invoices),
                client_id,
                packs,
                self.now,
                due or self.now + _DAYS_TO_PAY,
                tax=taxed(chosen, self.rates, by_line=self.quirks.tax_rounding == "line"),
                credits=self.credits.pop(client_id, Decimal(0)) if credits else Decimal(0),
                mailed=mail,
            )
            self.invoices[invoice.id] = invoice
            for each in chosen:
                self.services[each.id] = attrs.evolve(each, billed=1 if self.quirks.billed_flag else 0)
            return invoice

    def pay(self, invoice_id: int, amount: Decimal | None = None) -> Invoice:
        """Receive a payment, of all that is owed unless an amount is given."""
        with self.lock:
            invoice = self.known_invoice(invoice_id)
            received = invoice.received + (invoice.unpaid if amount is None else amount)
            return self.change_invoice(invoice_id, received=received, paid=1 if received >= invoice.amount else 0)

    def disregard(self, invoice_id: int) -> Invoice:
        """Void an invoice; its open amount stays as it is."""
        return self.change_invoice(invoice_id, paid=2)

    def change_invoice(self, invoice_id: int, **changes: Any) -> Invoice:
        """Change an invoice's fields."""
        with self.lock:
            self.invoices[invoice_id] = attrs.evolve(self.known_invoice(invoice_id), **changes)
            return self.invoices[invoice_id]

    def known_client(self, client_id: int) -> Client:
        """The client; Rejected if there is none."""
        if client_id not in self.clients:
            raise Rejected(f"Client ID '{client_id}' not found.")
        return self.clients[client_id]

    def known_invoice(self, invoice_id: int) -> Invoice:
        """The invoice; Rejected if there is none."""
        if invoice_id not in self.invoices:
            raise Rejected(f"Invoice ID '{invoice_id}' not found.")
        return self.invoices[invoice_id]

    def _take(self, what: str, table: dict[int, Any]) -> int:
        while self._next[what] in table:
            self._next[what] += 1
        self._next[what] += 1
        return self._next[what] - 1


def _real_time() -> datetime:
    return datetime.now(UTC)
