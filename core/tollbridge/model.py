"""The values that cross the bridge, as adapters, rules and jobs see them.

All are frozen attrs classes whose fields may be given by position or by keyword. Money is ``Decimal``,
tokens are ``int``. The only work done here is an invoice's sum, with tax.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import ROUND_HALF_UP, Context, Decimal, InvalidOperation
from enum import StrEnum
from functools import reduce
from typing import Any, Protocol

import attrs
from attrs import validators

from tollbridge.texts.languages import LANGUAGES, Language
from tollbridge.words import printable, storable

# The most tax that is believed: no country charges half of the price.
_MOST_TAX = Decimal("0.5")

# For sums of money: whatever a panel may report and an operator may ask for it, no digit is lost, and none is refused
# as the usual 28 would. Commercial rounding, half up.
EXACT = Context(prec=1000, rounding=ROUND_HALF_UP)


class ClientStatus(StrEnum):
    """What the billing system says of a client."""

    ACTIVE = "active"
    INACTIVE = "inactive"
    CLOSED = "closed"


class InvoiceStatus(StrEnum):
    """What the billing system says of an invoice; ``pending`` means that a payment is under way."""

    DRAFT = "draft"
    UNPAID = "unpaid"
    PENDING = "pending"
    PAID = "paid"
    CANCELLED = "cancelled"
    REFUNDED = "refunded"

    @property
    def is_open(self) -> bool:
        """Whether money is still owed, or on its way."""
        return self in {InvoiceStatus.UNPAID, InvoiceStatus.PENDING}

    @property
    def is_settled(self) -> bool:
        """Whether nothing is owed any more."""
        return self in {InvoiceStatus.PAID, InvoiceStatus.CANCELLED, InvoiceStatus.REFUNDED}


class UserStatus(StrEnum):
    """What SolusIO says of a user, in rising severity.

    Locked: no new servers. Suspended: existing servers are stopped, too.
    """

    ACTIVE = "active"
    LOCKED = "locked"
    SUSPENDED = "suspended"

    @property
    def severity(self) -> int:
        """0 for active, 1 for locked, 2 for suspended."""
        return list(UserStatus).index(self)


def _decimal(value: object) -> Decimal:
    """Accept Decimal, int and numeric text; floats are refused, for they cannot hold money, and so is NaN."""
    if isinstance(value, bool) or not isinstance(value, Decimal | int | str):
        raise TypeError(f"a Decimal is needed, not {type(value).__name__} {value!r}")
    try:
        number = Decimal(value)
    except InvalidOperation:
        raise ValueError(f"{value!r} is not a number") from None
    if not number.is_finite():
        raise ValueError(f"{value!r} is not a finite number")
    return number


def _optional_decimal(value: object) -> Decimal | None:
    return None if value is None else _decimal(value)


def _whole(_instance: object, attribute: "attrs.Attribute[Any]", value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{attribute.name} must be an int, not {type(value).__name__} {value!r}")


def _count(instance: object, attribute: "attrs.Attribute[Any]", value: object) -> None:
    """The value is a whole number that is not negative, and that a database keeps as one."""
    _whole(instance, attribute, value)
    if not 0 <= value <= _LARGEST:  # type: ignore[operator]
        raise ValueError(f"{attribute.name} must be from 0 to {_LARGEST}, not {value!r:.40}")


def _not_empty(_instance: object, attribute: "attrs.Attribute[Any]", value: object) -> None:
    if not isinstance(value, str) or not value:
        raise TypeError(f"{attribute.name} must be text, and not empty, not {value!r:.40}")


def _line(value: Any) -> Any:
    """Text that customers wrote comes as one line that can be shown; what is no text is left to the validator."""
    return printable(value, _LONGEST_NAME) if isinstance(value, str) else value


def _kept(value: Any) -> Any:
    """Text as every database and JSON take it."""
    return storable(value) if isinstance(value, str) else value


_LARGEST = 2**63 - 1
_LONGEST_NAME = 200
_TEXT = validators.instance_of(str)
_FLAG = validators.instance_of(bool)


# The id of whom terms are asked for who is no client yet: of somebody in a country, for prices that anybody may read.
NOBODY = 0


@attrs.frozen
class Client:
    """A client of the billing system. ``country`` is the two-letter ISO code, ``currency`` the three-letter one.

    ``state`` is as somebody entered it, by its name or its code; ``state_names`` is how else the billing system calls
    the same state, which makes no other client of it.
    ``language`` is as the billing system calls it: ``de``, ``de_AT``, ``german``. Empty: it is not known.
    Its texts are whatever somebody typed, so lone surrogates and NUL, which nobody can keep, come as U+FFFD.
    """

    id: int = attrs.field(validator=_whole)
    email: str = attrs.field(validator=_TEXT, converter=_kept)
    currency: str = attrs.field(validator=_TEXT, converter=_kept)
    first_name: str = attrs.field(default="", validator=_TEXT, converter=_kept)
    last_name: str = attrs.field(default="", validator=_TEXT, converter=_kept)
    company: str = attrs.field(default="", validator=_TEXT, converter=_kept)
    status: ClientStatus = attrs.field(default=ClientStatus.ACTIVE, converter=ClientStatus)
    group: str = attrs.field(default="", validator=_TEXT, converter=_kept)
    country: str = attrs.field(default="", validator=_TEXT, converter=_kept)
    state: str = attrs.field(default="", validator=_TEXT, converter=_kept)
    tax_exempt: bool = attrs.field(default=False, validator=_FLAG)
    language: str = attrs.field(default="", validator=_TEXT, converter=_kept, kw_only=True)
    state_names: tuple[str, ...] = attrs.field(default=(), converter=tuple[str, ...], kw_only=True, eq=False)


@attrs.frozen
class Currency:
    """How amounts of one currency are written; ``decimals`` is also what invoice lines are rounded to."""

    code: str = attrs.field(validator=_TEXT)
    prefix: str = attrs.field(default="", validator=_TEXT)
    suffix: str = attrs.field(default="", validator=_TEXT)
    decimals: int = attrs.field(default=2, validator=[_whole, validators.in_(range(9))])
    thousands_separator: str = attrs.field(default=",", validator=_TEXT)
    decimal_separator: str = attrs.field(default=".", validator=_TEXT)


@attrs.frozen
class Discount:
    """A discount as a factor: ``multiplier`` 0.95 takes five per cent off."""

    name: str = attrs.field(validator=_TEXT)
    description: str = attrs.field(validator=_TEXT)
    multiplier: Decimal = attrs.field(converter=_decimal, validator=validators.ge(Decimal(0)))


@attrs.frozen
class TaxRate:
    """One tax: ``rate`` is in percent."""

    label: str = attrs.field(validator=_TEXT)
    rate: Decimal = attrs.field(converter=_decimal, validator=validators.ge(Decimal(0)))


@attrs.frozen
class Terms:
    """One client's discounts and taxes.

    ``None`` in place of either means "this billing system cannot say": bridge.toml's apply. An empty tuple means
    there are none. For an exempt client give the taxes that would apply to anybody else there; the core leaves
    them out, and needs them where prices include tax. ``compound``: each tax is charged on top of the one before.
    """

    discounts: tuple[Discount, ...] | None = attrs.field(
        default=(), converter=attrs.converters.optional(tuple[Discount, ...])
    )
    taxes: tuple[TaxRate, ...] | None = attrs.field(
        default=(), converter=attrs.converters.optional(tuple[TaxRate, ...])
    )
    compound: bool = attrs.field(default=False, validator=_FLAG)


@attrs.frozen
class InvoiceLine:
    """One line: ``tokens`` used and the ``amount`` they cost, already rounded to the currency's decimals.

    Both are below zero where a line takes back what an earlier invoice had too much. ``taxed`` asks the billing system
    to add tax to this line (or, where prices include tax, to show it). The other fields say what the line was made
    from, for billing systems that make words of their own or keep it apart. What a line does not have is None or empty,
    as everything is where one line stands for several.

    Attributes:
        kind: ``server``, ``backup``, ``additional_ip``, or whatever else SolusIO calls it.
        name: what the customer calls it.
        plan: a server's plan, and with it ``hours`` to pay for and what an hour costs in tokens.
        period_start: the first day of the usage, in the zone of the months.
        period_end: the last day, which belongs to it.
    """

    description: str = attrs.field(validator=_TEXT)
    tokens: int = attrs.field(validator=_whole)
    amount: Decimal = attrs.field(converter=_decimal)
    taxed: bool = attrs.field(default=True, validator=_FLAG)
    kind: str = attrs.field(default="", validator=_TEXT, kw_only=True)
    name: str = attrs.field(default="", validator=_TEXT, kw_only=True)
    plan: str = attrs.field(default="", validator=_TEXT, kw_only=True)
    hours: int | None = attrs.field(default=None, kw_only=True)
    tokens_per_hour: int | None = attrs.field(default=None, kw_only=True)
    period_start: date | None = attrs.field(default=None, kw_only=True)
    period_end: date | None = attrs.field(default=None, kw_only=True)

    @property
    def month(self) -> str:
        """The month of the usage, such as ``2026-07``; empty if that is not known, or it is more than one."""
        months = {f"{day:%Y-%m}" for day in (self.period_start, self.period_end) if day}
        return months.pop() if len(months) == 1 else ""


@attrs.frozen
class Invoice:
    """An invoice for the billing system to create.

    ``reference`` is what ``find_invoice`` must find it by. The fields by keyword say what the customer was shown,
    for billing systems that must be told: the tax rates to set, whether amounts include them, the currency's decimals
    for the total, and the language that lines and notes are written in.

    Raises:
        ValueError: its lines, or its lines with tax, come to less than nothing: that would be a credit note.
    """

    reference: str = attrs.field(validator=_TEXT)
    client_id: int = attrs.field(validator=_whole)
    currency: str = attrs.field(validator=_TEXT)
    issue_date: date
    due_date: date
    lines: tuple[InvoiceLine, ...] = attrs.field(converter=tuple[InvoiceLine, ...])
    notes: str = attrs.field(default="", validator=_TEXT)
    taxes: tuple[TaxRate, ...] = attrs.field(default=(), converter=tuple[TaxRate, ...], kw_only=True)
    compound: bool = attrs.field(default=False, validator=_FLAG, kw_only=True)
    prices_include_tax: bool = attrs.field(default=False, validator=_FLAG, kw_only=True)
    decimals: int = attrs.field(default=2, validator=_whole, kw_only=True)
    language: Language = attrs.field(default="en", validator=validators.in_(LANGUAGES), kw_only=True)

    def __attrs_post_init__(self) -> None:
        if all(line.amount >= 0 for line in self.lines):
            return
        for what, amount in (("its lines come", self.subtotal), ("it comes with its taxes", self.total)):
            if amount < 0:
                raise ValueError(f"{self.reference} would be a credit note: {what} to {amount:f} {self.currency}")

    @property
    def subtotal(self) -> Decimal:
        """The sum of the lines."""
        return _sum(line.amount for line in self.lines)

    @property
    def tokens(self) -> int:
        """All tokens of the lines."""
        return sum(line.tokens for line in self.lines)

    @property
    def period_start(self) -> date | None:
        """The first day of service that is invoiced; None if no line tells it."""
        return min((line.period_start for line in self.lines if line.period_start), default=None)

    @property
    def period_end(self) -> date | None:
        """The last day, which belongs to it; None if no line tells it."""
        return max((line.period_end for line in self.lines if line.period_end), default=None)

    def folded(self, most: int) -> "Invoice":
        """The same invoice with at most so many lines, for billing systems that take no more.

        Of a longer one the last lines are summed up, taxed and untaxed ones apart; tokens and amounts stay the same.
        """
        if len(self.lines) <= most:
            return self
        kept, rest = self.lines[: most - 2], self.lines[most - 2 :]
        apart = ([line for line in rest if line.taxed is taxed] for taxed in (True, False))
        return attrs.evolve(self, lines=(*kept, *(self._sum_line(lines) for lines in apart if lines)))

    def _sum_line(self, lines: Sequence[InvoiceLine]) -> InvoiceLine:
        """One line for several, which are all taxed or all not."""
        from tollbridge.texts.invoice_words import invoice_words  # noqa: PLC0415 - seldom needed

        all_of_them = attrs.evolve(self, lines=lines)
        return InvoiceLine(
            invoice_words(self.language).sum_line(len(lines), all_of_them.tokens),
            all_of_them.tokens,
            all_of_them.subtotal,
            lines[0].taxed,
            period_start=all_of_them.period_start,
            period_end=all_of_them.period_end,
        )

    @property
    def total(self) -> Decimal:
        """What the customer owes: taxed lines with tax, rounded once, half up, and the others as they are."""
        if self.prices_include_tax:
            return self.subtotal
        taxed = _sum(line.amount for line in self.lines if line.taxed)
        with_tax = EXACT.multiply(taxed, tax_factor(self.taxes, compound=self.compound))
        untaxed = _sum(line.amount for line in self.lines if not line.taxed)
        return EXACT.add(with_tax.quantize(Decimal(1).scaleb(-self.decimals), context=EXACT), untaxed)


@attrs.frozen
class Receipt:
    """What the billing system holds of an invoice.

    ``due_date`` is the present one, which a human may have moved. ``balance`` is what is left to pay, if known. A
    ``draft`` is not issued: it is an adapter's unfinished work. What the billing system does not tell is None.

    Attributes:
        subtotal: the sum of the lines as they were entered.
        currency: the three-letter code.
        months: every month that the invoice has lines of, as its notes name them.
        number: what customers know the invoice by, where that is not ``id``.
    """

    id: int | str
    reference: str = attrs.field(validator=_TEXT)
    client_id: int = attrs.field(validator=_whole)
    status: InvoiceStatus = attrs.field(converter=InvoiceStatus)
    due_date: date
    total: Decimal = attrs.field(converter=_decimal)
    balance: Decimal | None = attrs.field(default=None, converter=_optional_decimal)
    subtotal: Decimal | None = attrs.field(default=None, converter=_optional_decimal)
    currency: str | None = attrs.field(default=None, validator=validators.optional(_TEXT))
    months: tuple[str, ...] | None = attrs.field(default=None, converter=attrs.converters.optional(tuple[str, ...]))
    number: str | None = attrs.field(default=None, validator=validators.optional(_TEXT))

    @property
    def is_open(self) -> bool:
        """Whether something is still owed: an open status, and something left to pay."""
        left = self.total if self.balance is None else self.balance
        return self.status.is_open and left > 0


class Attempt(Protocol):
    """One try at creating an invoice, for adapters that need several calls: a place for what it has got so far."""

    @property
    def kept(self) -> str:
        """What an earlier try, or this one, kept last; empty if nothing is left of it."""

    def keep(self, text: str) -> None:
        """Keep ``text`` (such as a draft's number): it is in the ledger before this returns.

        Raises:
            LedgerError: the invoice is no longer this try's to make; let it through, and send nothing more.
        """


@attrs.frozen
class Signup:
    """A person who wants to become a client."""

    email: str = attrs.field(validator=_TEXT)
    first_name: str = attrs.field(default="", validator=_TEXT)
    last_name: str = attrs.field(default="", validator=_TEXT)
    company: str = attrs.field(default="", validator=_TEXT)
    currency: str = attrs.field(default="", validator=_TEXT)
    country: str = attrs.field(default="", validator=_TEXT)
    password: str = attrs.field(default="", validator=_TEXT, repr=False)


@attrs.frozen
class PlanHours:
    """Hours to pay for on one plan; its prices are in tokens, and 0 a month is no cap."""

    plan: str = attrs.field(validator=_TEXT, converter=_line)
    tokens_per_hour: int = attrs.field(validator=_count)
    tokens_per_month: int = attrs.field(validator=_count)
    hours: int = attrs.field(validator=_count)


@attrs.frozen
class ServerMeter(PlanHours):
    """What a server's tokens come from: hours on its plan, and on those that it was on before in the same month."""

    is_deleted: bool = attrs.field(default=False, validator=_FLAG)
    earlier: tuple[PlanHours, ...] = attrs.field(
        default=(),
        converter=tuple[PlanHours, ...],
        validator=validators.deep_iterable(validators.instance_of(PlanHours)),
    )

    @property
    def all_hours(self) -> int:
        """The hours on all plans."""
        return self.hours + sum(each.hours for each in self.earlier)

    @property
    def all_plans(self) -> str:
        """The names of all plans, the first one first."""
        return ", then ".join([*(each.plan for each in self.earlier), self.plan])


@attrs.frozen
class UsageItem:
    """One thing used: a server, its backups, additional addresses, or any other kind, billed under its name.

    ``tokens`` is what is invoiced. ``server`` is there for servers only: from it the bridge computes the tokens again.
    One user has each ``type`` and ``id`` once. Names are whatever customers type, so they are cleaned and cut here.
    """

    type: str = attrs.field(validator=_not_empty, converter=_line)
    id: int = attrs.field(validator=_count)
    name: str = attrs.field(validator=_TEXT, converter=_line)
    tokens: int = attrs.field(validator=_count)
    server: ServerMeter | None = attrs.field(
        default=None, validator=validators.optional(validators.instance_of(ServerMeter))
    )


@attrs.frozen
class UserUsage:
    """All that one user used in an interval; ``billing_user_id`` None means that the panel names no client for it."""

    user_id: int = attrs.field(validator=_count)
    billing_user_id: int | None = attrs.field(validator=validators.optional(_count))
    items: tuple[UsageItem, ...] = attrs.field(
        converter=tuple[UsageItem, ...], validator=validators.deep_iterable(validators.instance_of(UsageItem))
    )

    @property
    def tokens(self) -> int:
        """The sum of the items."""
        return sum(item.tokens for item in self.items)


@attrs.frozen
class Check:
    """One thing that ``tollbridge check`` tried: what it was, whether it holds, and what to do if it does not.

    ``ok`` None: that could not be found out without writing anything; ``detail`` says how to find out.
    """

    name: str = attrs.field(validator=_TEXT)
    ok: bool | None = attrs.field(validator=validators.optional(_FLAG))
    detail: str = attrs.field(default="", validator=_TEXT)


def _sum(amounts: Iterable[Decimal]) -> Decimal:
    return reduce(EXACT.add, amounts, Decimal(0))


def tax_factor(taxes: tuple[TaxRate, ...], *, compound: bool) -> Decimal:
    """What a net price is multiplied by: ∏(1 + rate/100) if compound, else 1 + Σ rate/100.

    From the guide's step 6: 6 and 2 per cent are 1.0812 compound.
    """
    factor = Decimal(1)
    for tax in taxes:
        factor = factor * (1 + tax.rate / 100) if compound else factor + tax.rate / 100
    return factor


def tax_explains(invoice: Invoice, total: Decimal) -> bool:
    """Whether tax can be why the billing system makes ``invoice`` come to ``total``, and not to ``invoice.total``.

    It can if some tax between none and half of the price, on the taxed lines or on all of them, makes the lines come to
    that. A total below their net sum is an invoice that lacks lines, and one far above it has others: that is no matter
    of tax. Where prices include tax, it may have been taken out of them, as for an exempt client, or added once more.
    Where the taxed lines take back more than they ask for, their tax is below zero, and all of this the other way.
    Half a smallest unit is allowed for each line and tax, as other ways of rounding need it.
    """
    taxed = _sum(line.amount for line in invoice.lines if line.taxed)
    changes = [Decimal(0)]
    for base in (taxed, invoice.subtotal):
        changes.append(EXACT.multiply(base, _MOST_TAX))
        if invoice.prices_include_tax:
            changes.append(EXACT.divide(-EXACT.multiply(base, _MOST_TAX), 1 + _MOST_TAX))
    rounding = Decimal(1).scaleb(-invoice.decimals) * (len(invoice.lines) + len(invoice.taxes)) / 2
    difference = EXACT.subtract(total, invoice.subtotal)
    return min(changes) - rounding <= difference <= max(changes) + rounding
