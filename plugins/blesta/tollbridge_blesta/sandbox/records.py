"""What an install keeps, as frozen values: a change makes a new one, so a snapshot stays as it was."""

from datetime import datetime
from decimal import Decimal
from functools import cached_property

import attrs

from tollbridge_blesta.sandbox.taxing import Entry, Tax, Totals, totals


@attrs.frozen
class Group:
    """A client group. It has no discount; Blesta's has none either."""

    id: int
    name: str


@attrs.frozen
class Currency:
    """A currency of the company; ``precision`` is its number of decimals, ``format`` a picture like ``#,###.##``."""

    code: str
    precision: int = 2
    prefix: str = ""
    suffix: str = ""
    format: str = "#,###.##"


@attrs.frozen
class CustomField:
    """A custom field of clients; ``group_id`` None: of every group's."""

    id: int
    name: str
    group_id: int | None = None


@attrs.frozen
class User:
    """Somebody who can log in; ``is_staff`` tells staff from clients."""

    id: int
    username: str
    email: str
    date_added: datetime
    password_hash: bytes | None = attrs.field(default=None, repr=False)
    is_staff: bool = False


@attrs.frozen
class Contact:
    """The primary contact of a client: the name, the address and the e-mail address."""

    id: int
    email: str
    first_name: str = ""
    last_name: str = ""
    company: str = ""
    address1: str = ""
    address2: str = ""
    city: str = ""
    state: str = ""
    zip: str = ""
    country: str = ""


@attrs.frozen
class Client:
    """A client. Its currency and whether it is exempt from tax are settings.

    Attributes:
        number: what people call the client by; ``id`` is what the API wants.
        status: ``active``, ``inactive`` or ``fraud``.
    """

    id: int
    number: int
    user_id: int
    group_id: int
    contact: Contact
    date_added: datetime
    status: str = "active"


@attrs.frozen
class Line:
    """A line of an invoice: ``qty`` times the unit price ``amount``, taxed or not."""

    description: str
    amount: Decimal = attrs.field(converter=Decimal)
    qty: Decimal = attrs.field(default=Decimal(1), converter=Decimal)
    tax: bool = True
    id: int = 0

    @property
    def entered(self) -> Decimal:
        """The price as it was entered, with taxes that are part of it."""
        return self.qty * self.amount


@attrs.frozen
class Invoice:
    """An invoice, with the tax rules that were in force when it was written.

    Attributes:
        number: what people call the invoice by.
        status: ``active``, ``draft``, ``proforma`` or ``void``. A paid one stays active.
        date_closed: when it was paid in full.
        precision: decimals of its currency.
        tax_rules: none if tax is switched off; those that would apply for an exempt client.
        payments: what was paid, one by one.
        delivery: how it is to be sent.
    """

    id: int
    number: int
    client_id: int
    currency: str
    precision: int
    lines: tuple[Line, ...]
    date_billed: datetime
    date_due: datetime
    status: str = "active"
    date_closed: datetime | None = None
    note_public: str = ""
    note_private: str = ""
    delivery: tuple[str, ...] = ()
    tax_rules: tuple[Tax, ...] = ()
    cascade: bool = False
    exempt: bool = False
    payments: tuple[Decimal, ...] = ()

    @property
    def id_code(self) -> str:
        """The number with its prefix, as people see it."""
        prefix = {"draft": "DRAFT", "proforma": "PROFORMA"}.get(self.status, "INV")
        return f"{prefix}-{self.number}"

    @cached_property
    def totals(self) -> Totals:
        """What it comes to."""
        return totals(
            [Entry(line.entered, line.tax) for line in self.lines],
            self.tax_rules,
            cascade=self.cascade,
            exempt=self.exempt,
            precision=self.precision,
        )

    @property
    def subtotal(self) -> Decimal:
        """Without any tax."""
        return self.totals.subtotal

    @property
    def total(self) -> Decimal:
        """With tax."""
        return self.totals.total

    @property
    def paid(self) -> Decimal:
        """All payments together."""
        return sum(self.payments, Decimal(0))

    @property
    def due(self) -> Decimal:
        """What is still to be paid."""
        return self.total - self.paid
