"""What an install holds. All are immutable; a change makes a new one."""

import datetime as dt
import re
from decimal import ROUND_HALF_UP, Decimal

import attrs
from attrs import validators

CLIENT_STATUSES = ("Active", "Closing", "Closed", "Pending Removal", "Archived", "Lead", "Prospect", "Lost")
INVOICE_STATUSES = ("Draft", "Unpaid", "Paid", "Cancelled", "Refunded", "Collections")
_NUMBER = re.compile(r"-?[0-9]{1,14}(\.[0-9]+)?")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class InstallError(ValueError):
    """What HostBill would say no to, in its words."""


def number(value: Decimal | int | str) -> Decimal:
    """An exact number; text that is grouped, padded or empty is refused, so that it is found."""
    if isinstance(value, bool | float):
        raise TypeError(f"{value!r} is a {type(value).__name__}, and money is a Decimal")
    if isinstance(value, str) and not _NUMBER.fullmatch(value):
        raise InstallError(f"{value!r} is not a number")
    return Decimal(value)


def rounded(value: Decimal, decimals: int) -> Decimal:
    """With so many decimals, half up."""
    return value.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)


def day(value: dt.date | str) -> dt.date:
    """A day given as such or as ``2026-07-31``."""
    if isinstance(value, dt.date):
        return value
    try:
        return dt.date.fromisoformat(value if _DAY.fullmatch(value) else "")
    except ValueError:
        raise InstallError(f"{value!r} is not a date like 2026-07-31") from None


@attrs.frozen
class Currency:
    """``iso`` is its code, ``code`` how people write it, ``format`` a sample number; number 0 is the main one."""

    id: int
    iso: str
    code: str
    sign: str = ""
    decimal: int = 2
    format: str = "1,234.56"
    enabled: bool = True


@attrs.frozen
class TaxRule:
    """A rate of one of two levels, for a country, or for one of its states alone."""

    name: str
    rate: Decimal = attrs.field(converter=number)
    country: str = ""
    state: str = ""
    level: int = attrs.field(default=1, validator=validators.in_((1, 2)))


@attrs.frozen
class TaxMode:
    """The tax settings: whether prices hold tax, the second rate is charged on the first, tax is rounded by line."""

    inclusive: bool = False
    compound: bool = False
    by_line: bool = False


@attrs.frozen
class Client:
    """A client; with ``parent_id`` it is that client's contact. ``fields`` are registration fields by their code."""

    id: int
    email: str
    created_at: dt.datetime
    password: str = attrs.field(default="", repr=False)
    first_name: str = ""
    last_name: str = ""
    company: str = ""
    status: str = attrs.field(default="Active", validator=validators.in_(CLIENT_STATUSES))
    country: str = "US"
    state: str = ""
    currency_id: int = 0
    group_name: str = ""
    tax_exempt: bool = False
    own_rate: Decimal | None = attrs.field(default=None, converter=attrs.converters.optional(number))
    credit: Decimal = attrs.field(default=Decimal(0), converter=number)
    language: str = "english"
    parent_id: int = 0
    second_factor: bool = False
    fields: dict[str, str] = attrs.field(factory=dict)


@attrs.frozen
class Item:
    """A line; ``amount`` is for one of it."""

    id: int
    description: str
    amount: Decimal
    taxed: bool = True
    qty: Decimal = Decimal(1)

    @property
    def total(self) -> Decimal:
        """The amount of all of it, with as many decimals."""
        return (self.amount * self.qty).quantize(self.amount, ROUND_HALF_UP)


@attrs.frozen
class Invoice:
    """An invoice as it is kept; what it comes to follows from its lines, rates and the tax settings it was made in."""

    id: int
    client_id: int
    currency_id: int
    date: dt.date = attrs.field(converter=day)
    duedate: dt.date | None = attrs.field(converter=attrs.converters.optional(day))
    decimals: int
    mode: TaxMode
    status: str = attrs.field(default="Draft", validator=validators.in_(INVOICE_STATUSES))
    items: tuple[Item, ...] = ()
    taxrate: Decimal = attrs.field(default=Decimal(0), converter=number)
    taxrate2: Decimal = attrs.field(default=Decimal(0), converter=number)
    credit: Decimal = attrs.field(default=Decimal(0), converter=number)
    payments: tuple[Decimal, ...] = ()
    notes: str = ""

    @property
    def taxes(self) -> tuple[Decimal, Decimal]:
        """Both taxes, each rounded once, or by line."""
        taxed = [item.total for item in self.items if item.taxed]
        shares = [self._taxes(each) for each in (taxed if self.mode.by_line else [sum(taxed, Decimal(0))])]
        return sum((first for first, _ in shares), Decimal(0)), sum((second for _, second in shares), Decimal(0))

    def _taxes(self, amount: Decimal) -> tuple[Decimal, Decimal]:
        first, second = self.taxrate / 100, self.taxrate2 / 100
        second = second * (1 + first) if self.mode.compound else second
        net = amount / (1 + first + second) if self.mode.inclusive else amount
        return rounded(net * first, self.decimals), rounded(net * second, self.decimals)

    @property
    def subtotal(self) -> Decimal:
        """Without tax."""
        entered = sum((item.total for item in self.items), Decimal(0))
        return entered - sum(self.taxes) if self.mode.inclusive else entered

    @property
    def total(self) -> Decimal:
        """With tax."""
        return self.subtotal + sum(self.taxes)

    @property
    def balance(self) -> Decimal:
        """What is left to pay."""
        return self.total - self.credit - sum(self.payments)
