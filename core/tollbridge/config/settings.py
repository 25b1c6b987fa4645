"""bridge.toml as typed settings: one class per table, one field per key.

The comment of each key stands in the repository's own bridge.toml; a rule that a value must meet stands here.
"""

import re
from datetime import timedelta
from decimal import Decimal
from ipaddress import ip_network
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

import attrs

from tollbridge.fields import FieldError, at_least, bearer, is_loopback, web_address
from tollbridge.model import Discount, TaxRate
from tollbridge.rules.calendar import Month
from tollbridge.rules.closing import InvoiceRules
from tollbridge.rules.overdue import Ladder
from tollbridge.rules.pricing import DiscountRule, PriceList, TaxRule
from tollbridge.secret import DatabaseUrl, Secret

FEED = "feed"  # the usage source that is the panel itself
_MOST_DAYS = 3660
_MOST_MONTHS = 120
_MOST_AT_ONCE = 64
_DEAREST_TOKEN = 10**9
_SHORTEST_SIGNING_SECRET = 32


def _relative_path(_instance: object, attribute: "attrs.Attribute[Any]", value: str) -> None:
    """The value stays below the panel's API, to which the token belongs."""
    if not re.fullmatch(r"[\w.-]+(/[\w.-]+)*", value, re.ASCII) or ".." in value:
        raise FieldError(attribute.name, f'must be a path like "usage", not "{value}"')


def _said(_instance: object, attribute: "attrs.Attribute[Any]", value: str) -> None:
    """The value says something, in one line."""
    if not value.strip() or not value.isprintable():
        raise FieldError(attribute.name, "must be a line of text")


def _long(_instance: object, attribute: "attrs.Attribute[Any]", value: Secret) -> None:
    """The value is long enough to sign with."""
    if len(value.reveal()) < _SHORTEST_SIGNING_SECRET:
        raise FieldError(attribute.name, f"must have at least {_SHORTEST_SIGNING_SECRET} random characters")


def _colour(_instance: object, attribute: "attrs.Attribute[Any]", value: str) -> None:
    """The value is a colour as the web writes it, with six digits."""
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", value):
        raise FieldError(attribute.name, f'must be a colour like "#1a5fb4", not "{value}"')


def _currencies(_instance: object, attribute: "attrs.Attribute[Any]", value: dict[str, Any]) -> None:
    for code in value:
        if not (len(code) == 3 and code.isascii() and code.isalpha() and code.isupper()):
            raise FieldError(f"{attribute.name}.{code}", "must be a currency code of three capitals, like USD")


def _prices_of_one(_instance: object, attribute: "attrs.Attribute[Any]", value: dict[str, Decimal]) -> None:
    """Each value can be the price of one token; a typing error is found here, and not on an invoice."""
    for code, price in value.items():
        if price >= _DEAREST_TOKEN:
            raise FieldError(f"{attribute.name}.{code}", f"must be less than a billion for one token, not {price:f}")


@attrs.frozen
class UsageSettings:
    """``[solus.usage]``: where usage comes from, and how the panel's feed is asked for it.

    ``source`` is "feed", an installed usage source's name, or ``package.module:Class``; ``settings`` are those of such
    a source, as its own class has them, None for the feed.
    """

    source: str = FEED
    path: str = attrs.field(default="usage", validator=_relative_path)
    from_parameter: str = "from"
    to_parameter: str = "to"
    page_parameter: str = "page"
    settings: Any = attrs.field(default=None, repr=False)


@attrs.frozen
class SolusSettings:
    """``[solus]``: the panel."""

    url: str = attrs.field(validator=web_address)
    api_token: Secret = attrs.field(validator=bearer)
    user_area_url: str | None = attrs.field(default=None, validator=web_address)
    ca_file: Path | None = None
    limit_group: str | int | None = None
    role: str | int | None = None
    at_once: int = attrs.field(default=8, validator=at_least(1, _MOST_AT_ONCE))
    usage: UsageSettings = UsageSettings()


@attrs.frozen
class DiscountSettings:
    """``[[pricing.discounts]]``."""

    name: str
    multiplier: Decimal = attrs.field(validator=at_least(Decimal(0)))
    description: str = ""
    client_group: str | None = None


@attrs.frozen
class TaxSettings:
    """``[[pricing.taxes]]``: ``rate`` in percent."""

    label: str
    rate: Decimal = attrs.field(validator=at_least(Decimal(0)))
    level: int = attrs.field(default=1, validator=at_least(1, 2))
    country: str | None = None
    state: str | None = None


@attrs.frozen
class PricingSettings:
    """``[pricing]``: one token's price per currency, and terms for adapters that cannot read them."""

    tokens: dict[str, Decimal] = attrs.field(validator=[_currencies, _prices_of_one])
    prices_include_tax: bool = False
    compound_tax: bool = False
    discounts: list[DiscountSettings] = attrs.Factory(list)
    taxes: list[TaxSettings] = attrs.Factory(list)

    def price_list(self) -> PriceList:
        """The same as the rules take it."""
        return PriceList(
            tokens=self.tokens,
            prices_include_tax=self.prices_include_tax,
            compound_tax=self.compound_tax,
            discounts=tuple(
                DiscountRule(Discount(each.name, each.description, each.multiplier), each.client_group)
                for each in self.discounts
            ),
            taxes=tuple(
                TaxRule(TaxRate(each.label, each.rate), each.level, each.country, each.state) for each in self.taxes
            ),
        )


@attrs.frozen
class BillingSettings:
    """``[billing]``: months, due dates and what happens when nobody pays."""

    start: Month
    timezone: ZoneInfo = ZoneInfo("UTC")
    settle_hours: int = attrs.field(default=1, validator=at_least(0, _MOST_DAYS * 24))
    grace_days: int = attrs.field(default=14, validator=at_least(0, _MOST_DAYS))
    lock_after_days: int | None = attrs.field(default=None, validator=at_least(0, _MOST_DAYS))
    suspend_after_days: int | None = attrs.field(default=None, validator=at_least(0, _MOST_DAYS))
    zero_invoices: bool = False
    minimum: dict[str, Decimal] = attrs.field(factory=dict, validator=_currencies)
    carry_months: int = attrs.field(default=3, validator=at_least(0, _MOST_MONTHS))
    recheck_months: int = attrs.field(default=1, validator=at_least(0, _MOST_MONTHS))
    most_correction: Decimal = attrs.field(default=Decimal("0.5"), validator=at_least(Decimal(0)))
    hold_above: Decimal | None = attrs.field(default=None, validator=at_least(Decimal(1)))
    hold_from: dict[str, Decimal] = attrs.field(factory=dict, validator=_currencies)
    most_locks: Decimal = attrs.field(default=Decimal("0.2"), validator=at_least(Decimal(0), 1))
    at_once: int | None = attrs.field(default=None, validator=at_least(1, _MOST_AT_ONCE))

    def __attrs_post_init__(self) -> None:
        lock, suspend = self.lock_after_days, self.suspend_after_days
        if lock is not None and suspend is not None and suspend < lock:
            raise FieldError(
                "suspend_after_days", f"is {suspend}, before lock_after_days ({lock}): locking comes first"
            )

    @property
    def settle(self) -> timedelta:
        """How long after its end a month is left alone."""
        return timedelta(hours=self.settle_hours)

    @property
    def invoice_rules(self) -> InvoiceRules:
        """What is invoiced, carried, and due when."""
        return InvoiceRules(
            self.minimum, self.grace_days, self.zero_invoices, self.carry_months, self.hold_above, self.hold_from
        )

    @property
    def ladder(self) -> Ladder:
        """The steps an unpaid invoice leads to."""
        return Ladder(self.lock_after_days, self.suspend_after_days)


@attrs.frozen
class AccountsSettings:
    """``[accounts]``: which clients get a SolusIO user, and what becomes of a closed one."""

    provision: Literal["clients", "signup"] = "clients"
    on_closed: Literal["suspend", "delete", "keep"] = "suspend"


def _networks(_instance: object, attribute: "attrs.Attribute[Any]", value: tuple[str, ...]) -> None:
    for each in value:
        try:
            ip_network(each)
        except ValueError:
            raise FieldError(attribute.name, f'"{each}" is no address like "10.0.0.5" or "10.0.0.0/8"') from None


@attrs.frozen
class ServerSettings:
    """``[server]``: the pricing endpoint."""

    host: str = "127.0.0.1"
    port: int = attrs.field(default=8400, validator=at_least(1, 65535))
    public_url: str | None = attrs.field(default=None, validator=web_address)
    token: Secret | None = None
    cache_seconds: int = attrs.field(default=60, validator=at_least(0))
    stale_seconds: int = attrs.field(default=3600, validator=at_least(0))
    proxies: tuple[str, ...] = attrs.field(default=("127.0.0.1", "::1"), validator=_networks)

    def __attrs_post_init__(self) -> None:
        if self.token is not None and not self.token:
            raise FieldError("token", "is empty: give a secret, or leave the key out on a loopback host")
        if self.token is None and not is_loopback(self.host):
            raise FieldError("token", f"is needed because host {self.host} can be reached from other machines")


@attrs.frozen
class PagesSettings:
    """``[pages]``: what customers see; without the table there are no pages."""

    name: str = attrs.field(validator=_said)
    secret: Secret = attrs.field(validator=_long)
    terms_url: str = attrs.field(validator=web_address)
    postpay_terms_url: str | None = attrs.field(default=None, validator=web_address)
    colour: str = attrs.field(default="#1a5fb4", validator=_colour)
    logo: Path | None = None
    templates: Path | None = None
    support_email: str | None = None


@attrs.frozen
class MailSettings:
    """``[mail]``: the SMTP server that takes the pages' e-mails."""

    host: str
    sender: str = attrs.field(validator=_said)
    port: int = attrs.field(default=587, validator=at_least(1, 65535))
    security: Literal["starttls", "tls", "none"] = "starttls"
    user: str | None = None
    password: Secret | None = None
    ca_file: Path | None = None

    def __attrs_post_init__(self) -> None:
        if self.security == "none" and not is_loopback(self.host):
            raise FieldError("security", f'must be "starttls" or "tls", for {self.host} is another machine')
        if (self.user is None) != (self.password is None):
            raise FieldError("user" if self.user is None else "password", "goes with the other of user and password")


@attrs.frozen
class LedgerSettings:
    """``[ledger]``: the bridge's own books."""

    url: DatabaseUrl = DatabaseUrl("sqlite:///tollbridge.db")
    lease_seconds: int = attrs.field(default=60, validator=at_least(2, 3600))


@attrs.frozen
class Settings:
    """All of bridge.toml but the adapter's own table; ``adapter`` is the chosen adapter's name."""

    solus: SolusSettings
    pricing: PricingSettings
    billing: BillingSettings
    accounts: AccountsSettings = AccountsSettings()
    server: ServerSettings = ServerSettings()
    ledger: LedgerSettings = LedgerSettings()
    pages: PagesSettings | None = None
    mail: MailSettings | None = None
    adapter: str = ""
