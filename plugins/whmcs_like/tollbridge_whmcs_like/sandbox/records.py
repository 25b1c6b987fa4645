"""What an install holds. All are immutable; a change makes a new one."""

import datetime as dt
import re
from collections.abc import Mapping
from decimal import Decimal

import attrs
from attrs import validators

from tollbridge_whmcs_like.sandbox.money import TaxMode, cents, percent
from tollbridge_whmcs_like.sandbox.problems import InstallError

CLIENT_STATUSES = ("Active", "Inactive", "Closed")
INVOICE_STATUSES = ("Draft", "Unpaid", "Paid", "Cancelled", "Refunded", "Collections", "Payment Pending")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_ZERO = Decimal("0.00")


def day(value: dt.date | str) -> dt.date:
    """A day given as such or as ``2026-07-31``."""
    if isinstance(value, dt.date):
        return value
    try:
        return dt.date.fromisoformat(value if _DAY.fullmatch(value) else "")
    except ValueError:
        raise InstallError(f"{value!r} is not a date like 2026-07-31") from None


def one_of(value: str, known: tuple[str, ...]) -> str:
    """The known word that this is in any case."""
    for word in known:
        if word.casefold() == value.casefold():
            return word
    raise InstallError(f"Invalid status {value}")


def _client_status(value: str) -> str:
    return one_of(value, CLIENT_STATUSES)


def _invoice_status(value: str) -> str:
    return one_of(value, INVOICE_STATUSES)


@attrs.frozen
class Currency:
    """``format`` 1 is 1234.56, 2 is 1,234.56, 3 is 1.234,56 and 4 is 1,234; ``rate`` is units for one of the base."""

    id: int
    code: str
    prefix: str = ""
    suffix: str = ""
    format: int = attrs.field(default=1, validator=validators.in_((1, 2, 3, 4)))
    rate: str = "1.00000"


@attrs.frozen
class Group:
    """A client group; ``discount`` is in percent."""

    id: int
    name: str
    discount: Decimal = attrs.field(default=_ZERO, converter=cents)


@attrs.frozen
class TaxRule:
    """What invoices are taxed with that were given no rate: the closest rule of each level, empty meaning anywhere."""

    rate: Decimal = attrs.field(converter=percent)
    country: str = ""
    state: str = ""
    level: int = attrs.field(default=1, validator=validators.in_((1, 2)))


@attrs.frozen
class User:
    """Somebody who logs in, and who may own several clients or none."""

    id: int
    email: str
    created_at: dt.datetime
    password: str = attrs.field(default="", repr=False)
    first_name: str = ""
    last_name: str = ""
    two_factor: bool = False
    last_login: dt.datetime | None = None


@attrs.frozen
class Client:
    """Who is invoiced. ``currency`` is a code; ``single_sign_on`` False blocks login links."""

    id: int
    uuid: str
    email: str
    currency: str
    owner_id: int
    created_at: dt.datetime
    first_name: str = ""
    last_name: str = ""
    company: str = ""
    status: str = attrs.field(default="Active", converter=_client_status)
    group_id: int = 0
    country: str = "US"
    state: str = ""
    tax_exempt: bool = False
    credit: Decimal = attrs.field(default=_ZERO, converter=cents)
    single_sign_on: bool = True
    payment_method: str = ""
    address1: str = ""
    address2: str = ""
    city: str = ""
    postcode: str = ""
    phone: str = ""
    tax_id: str = ""
    language: str = ""
    notes: str = ""
    custom_fields: Mapping[int, str] = attrs.field(factory=dict)

    @property
    def full_name(self) -> str:
        """First and last name."""
        return f"{self.first_name} {self.last_name}".strip()


@attrs.frozen
class Line:
    """One line of an invoice. There is no quantity in WHMCS."""

    id: int
    description: str
    amount: Decimal = attrs.field(converter=cents)
    taxed: bool = False


@attrs.frozen
class Payment:
    """Money received for an invoice."""

    id: int
    amount: Decimal = attrs.field(converter=cents)
    moment: dt.datetime
    gateway: str = ""


@attrs.frozen
class Invoice:
    """An invoice, in the client's currency.

    Attributes:
        duedate: None is what WHMCS shows as ``0000-00-00``.
        number: what the client is shown instead of the id; empty unless custom numbering is on.
        credit: of the client's, used for this invoice; it lowers the total.
        sent: whether the client was mailed that there is an invoice.
    """

    id: int
    client_id: int
    status: str = attrs.field(converter=_invoice_status)
    date: dt.date = attrs.field(converter=day)
    duedate: dt.date | None = attrs.field(converter=attrs.converters.optional(day))
    created_at: dt.datetime
    updated_at: dt.datetime
    lines: tuple[Line, ...] = attrs.field(default=(), converter=tuple[Line, ...])
    taxrate: Decimal = attrs.field(default=_ZERO, converter=percent)
    taxrate2: Decimal = attrs.field(default=_ZERO, converter=percent)
    mode: TaxMode = attrs.field(factory=TaxMode)
    credit: Decimal = attrs.field(default=_ZERO, converter=cents)
    notes: str = ""
    sent: bool = False
    paymentmethod: str = ""
    number: str = ""
    datepaid: dt.datetime | None = None
    payments: tuple[Payment, ...] = attrs.field(default=(), converter=tuple[Payment, ...])

    @property
    def _taxes(self) -> tuple[Decimal, Decimal]:
        return self.mode.taxes((line.amount for line in self.lines if line.taxed), self.taxrate, self.taxrate2)

    @property
    def tax(self) -> Decimal:
        """The first level's tax."""
        return self._taxes[0]

    @property
    def tax2(self) -> Decimal:
        """The second level's tax."""
        return self._taxes[1]

    @property
    def subtotal(self) -> Decimal:
        """The lines without tax."""
        amounts = sum((line.amount for line in self.lines), _ZERO)
        return amounts - sum(self._taxes, _ZERO) if self.mode.inclusive else amounts

    @property
    def total(self) -> Decimal:
        """Lines and taxes, less the credit used."""
        return self.subtotal + sum(self._taxes, _ZERO) - self.credit

    @property
    def balance(self) -> Decimal:
        """The total less what was paid. A status alone is no payment: it leaves the balance as it is."""
        return self.total - sum((payment.amount for payment in self.payments), _ZERO)
