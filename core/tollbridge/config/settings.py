"""bridge.toml as typed settings: one class per table, one field per key.

The comment of each key stands in the repository's own bridge.toml; a rule that a value must meet stands here.
"""

import re
from datetime import timedelta
from decimal import Decimal
from ipaddress import ip_network
from itertools import pairwise
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
from tollbridge.texts.languages import Language

FEED = "feed"  # the usage source that is the panel itself
METER = "meter"  # the one that is the bridge's own meter
_MOST_DAYS = 3660
_MOST_MONTHS = 120
_MOST_MINUTES = 1440
_MOST_AT_ONCE = 64
_CRON_FIELDS = 5
_DEAREST_TOKEN = 10**9
_SHORTEST_SIGNING_SECRET = 32
_SHORTEST_OPERATOR_TOKEN = 12


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


def _country(_instance: object, attribute: "attrs.Attribute[Any]", value: str) -> None:
    """The value is a country's code, as clients have it."""
    if not re.fullmatch(r"[A-Z]{2}", value):
        raise FieldError(attribute.name, f'must be the two letters of a country like "DE", not "{value}"')


def _currencies(_instance: object, attribute: "attrs.Attribute[Any]", value: dict[str, Any]) -> None:
    for code in value:
        if not (len(code) == 3 and code.isascii() and code.isalpha() and code.isupper()):
            raise FieldError(f"{attribute.name}.{code}", "must be a currency code of three capitals, like USD")


def _prices_of_one(_instance: object, attribute: "attrs.Attribute[Any]", value: dict[str, Decimal]) -> None:
    """Each value can be the price of one token; a typing error is found here, and not on an invoice."""
    for code, price in value.items():
        if price >= _DEAREST_TOKEN:
            raise FieldError(f"{attribute.name}.{code}", f"must be less than a billion for one token, not {price:f}")


def _dotted(_instance: object, attribute: "attrs.Attribute[Any]", value: str) -> None:
    """The value leads somewhere: keys with a dot between them."""
    if not value.isprintable() or not all(key.strip() for key in value.split(".")):
        raise FieldError(attribute.name, f'must be a path like "{attribute.default}", not "{value}"')


def _dotted_or_empty(instance: object, attribute: "attrs.Attribute[Any]", value: str) -> None:
    if value:
        _dotted(instance, attribute, value)


def _path(default: str, *, may_be_empty: bool = False) -> str:
    """A key of ``[solus.usage.fields]``."""
    validator = _dotted_or_empty if may_be_empty else _dotted
    return attrs.field(default=default, validator=validator)


@attrs.frozen
class UsageFields:
    """``[solus.usage.fields]``: where the feed has what, as dotted paths from the answer, the row or the item.

    Empty means: for ``items``, each row is an item; for ``type``, all are servers; for ``id``, the number is made of
    the uuid; for ``billing_user``, the client is looked for among the bridge's own links; for ``last_page``, it is
    computed from ``total`` and ``per_page``; for the others that may be empty, it is not read.
    """

    rows: str = _path("data")
    user: str = _path("user_id")
    billing_user: str = _path("billing_user_id", may_be_empty=True)
    items: str = _path("items", may_be_empty=True)
    type: str = _path("type", may_be_empty=True)
    id: str = _path("id", may_be_empty=True)
    uuid: str = _path("uuid", may_be_empty=True)
    name: str = _path("name")
    tokens: str = _path("tokens")
    plan: str = _path("plan.name", may_be_empty=True)
    tokens_per_hour: str = _path("plan.tokens_per_hour", may_be_empty=True)
    tokens_per_month: str = _path("plan.tokens_per_month", may_be_empty=True)
    hours: str = _path("uptime_hours", may_be_empty=True)
    deleted: str = _path("is_deleted", may_be_empty=True)
    total: str = _path("meta.total")
    last_page: str = _path("meta.last_page", may_be_empty=True)
    current_page: str = _path("meta.current_page", may_be_empty=True)
    per_page: str = _path("meta.per_page", may_be_empty=True)

    def __attrs_post_init__(self) -> None:
        if not self.id and not self.uuid:
            raise FieldError("id", "is empty, and so is uuid: one of them tells items apart")
        if not self.last_page and not self.per_page:
            raise FieldError("last_page", "is empty, and so is per_page: one of them tells how many pages there are")
        if not self.items and self.user in {self.id, self.uuid}:
            raise FieldError(
                "id", "is the user's own: a feed of sums per user has no items. Use the bridge's own meter, "
                'source = "meter" in [solus.usage]'
            )  # fmt: skip


@attrs.frozen
class UsageSettings:
    """``[solus.usage]``: where usage comes from, and how the panel's feed is asked for it.

    ``source`` is "feed", "meter", an installed usage source's name, or ``package.module:Class``; ``settings`` are those
    of such a source, as its own class has them, None for the first two.
    """

    source: str = FEED
    path: str = attrs.field(default="usage", validator=_relative_path)
    from_parameter: str = "from"
    to_parameter: str = "to"
    page_parameter: str = "page"
    fields: UsageFields = UsageFields()
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


def _something(_instance: object, attribute: "attrs.Attribute[Any]", value: dict[str, Any]) -> None:
    if not value:
        raise FieldError(attribute.name, 'is empty: name a price that changes, like { USD = "0.0012" }')


@attrs.frozen
class PriceChange:
    """``[[pricing.changes]]``: other token prices from a month on; a currency left out keeps its price.

    ``from_`` is the key ``from``, which Python has for itself.
    """

    from_: Month
    tokens: dict[str, Decimal] = attrs.field(validator=[_something, _currencies, _prices_of_one])


def _in_order(_instance: object, attribute: "attrs.Attribute[Any]", value: list[PriceChange]) -> None:
    """Each change is from a later month than the one before it."""
    for index, (before, after) in enumerate(pairwise(value), 1):
        key = f"{attribute.name}[{index}].from"
        if after.from_ == before.from_:
            raise FieldError(key, f"is {after.from_}, as the one before: put all prices of one month into one change")
        if after.from_ < before.from_:
            raise FieldError(key, f"is {after.from_}, which is before {before.from_} above it: put the earliest first")


@attrs.frozen
class PricingSettings:
    """``[pricing]``: one token's price per currency, and terms for adapters that cannot read them."""

    tokens: dict[str, Decimal] = attrs.field(validator=[_currencies, _prices_of_one])
    prices_include_tax: bool = False
    compound_tax: bool = False
    discounts: list[DiscountSettings] = attrs.Factory(list)
    taxes: list[TaxSettings] = attrs.Factory(list)
    changes: list[PriceChange] = attrs.field(factory=list, validator=_in_order)

    def price_list(self, month: Month) -> PriceList:
        """What the file says of the prices of a month: the same as the rules take it."""
        tokens = dict(self.tokens)
        for change in self.changes:
            if change.from_ <= month:
                tokens |= change.tokens
        return PriceList(
            tokens=tokens,
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
    language: Language = "en"

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
            minimum=self.minimum,
            grace_days=self.grace_days,
            zero_invoices=self.zero_invoices,
            language=self.language,
            carry_months=self.carry_months,
            hold_above=self.hold_above,
            hold_from=self.hold_from,
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
    password_url: str | None = attrs.field(default=None, validator=web_address)
    privacy_url: str | None = attrs.field(default=None, validator=web_address)
    imprint_url: str | None = attrs.field(default=None, validator=web_address)
    prices_with_tax: str | None = attrs.field(default=None, validator=attrs.validators.optional(_country))


def _not_guessed(_instance: object, attribute: "attrs.Attribute[Any]", value: Secret) -> None:
    """The value is a secret that nobody guesses as long as guesses are limited."""
    if len(value.reveal()) < _SHORTEST_OPERATOR_TOKEN:
        raise FieldError(
            attribute.name, f"must have at least {_SHORTEST_OPERATOR_TOKEN} characters, 32 random ones best"
        )


@attrs.frozen
class OperatorSettings:
    """``[operator]``: the pages for whoever runs the bridge; without the table there are none."""

    token: Secret = attrs.field(validator=_not_guessed)


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
class NotifySettings:
    """``[notify]``: who is told when a run failed, something waits for approval, or an audit finds something."""

    mail: str | None = attrs.field(default=None, validator=attrs.validators.optional(_said))
    webhook: str | None = attrs.field(default=None, validator=web_address)
    webhook_secret: Secret | None = attrs.field(default=None, validator=attrs.validators.optional(_long))

    def __attrs_post_init__(self) -> None:
        if self.mail is None and self.webhook is None:
            raise FieldError("mail", "is missing, and so is webhook: name one of them, or leave [notify] out")
        if (self.webhook is None) != (self.webhook_secret is None):
            missing = "webhook" if self.webhook is None else "webhook_secret"
            raise FieldError(missing, "goes with the other of webhook and webhook_secret")


@attrs.frozen
class LedgerSettings:
    """``[ledger]``: the bridge's own books."""

    url: DatabaseUrl = DatabaseUrl("sqlite:///tollbridge.db")
    lease_seconds: int = attrs.field(default=60, validator=at_least(2, 3600))


def _cron(_instance: object, attribute: "attrs.Attribute[Any]", value: str) -> None:
    """The value is a time as cron writes it, with five fields."""
    try:
        from croniter import croniter  # noqa: PLC0415 - there where there are workers
    except ImportError:
        return
    if len(value.split()) != _CRON_FIELDS or not croniter.is_valid(value):
        raise FieldError(attribute.name, f'must be a time as cron writes it, like "17 * * * *", not "{value}"')


@attrs.frozen
class DistributedSettings:
    """``[distributed]``: several machines; without the table there are none.

    ``every``: when workers start the daily job, in ``billing.timezone``; None: they do not.
    """

    every: str | None = attrs.field(default=None, validator=attrs.validators.optional(_cron))
    per_worker: int = attrs.field(default=8, validator=at_least(1, _MOST_AT_ONCE))


@attrs.frozen
class MeterSettings:
    """``[meter]``: the bridge's own meter of servers."""

    inside_serve: bool = False
    every_minutes: int = attrs.field(default=20, validator=at_least(1, _MOST_MINUTES))
    stopped_servers: bool = False
    longest_gap_hours: int = attrs.field(default=3, validator=at_least(1, _MOST_DAYS * 24))

    @property
    def every(self) -> timedelta:
        """The time between two snapshots of ``serve``."""
        return timedelta(minutes=self.every_minutes)

    @property
    def longest_gap(self) -> timedelta:
        """The longest time without a snapshot in a month that may be billed."""
        return timedelta(hours=self.longest_gap_hours)


@attrs.frozen
class Settings:
    """All of bridge.toml but the adapter's own table; ``adapter`` is the chosen adapter's name."""

    solus: SolusSettings
    pricing: PricingSettings
    billing: BillingSettings
    accounts: AccountsSettings = AccountsSettings()
    server: ServerSettings = ServerSettings()
    ledger: LedgerSettings = LedgerSettings()
    distributed: DistributedSettings | None = None
    meter: MeterSettings = MeterSettings()
    pages: PagesSettings | None = None
    operator: OperatorSettings | None = None
    mail: MailSettings | None = None
    notify: NotifySettings | None = None
    adapter: str = ""

    def __attrs_post_init__(self) -> None:
        if self.notify is not None and self.notify.mail is not None and self.mail is None:
            raise FieldError("notify.mail", "needs the table [mail], which names the server that takes it")
        if self.distributed is not None and self.ledger.url.reveal().startswith("sqlite"):
            raise FieldError(
                "ledger.url",
                "is a SQLite file, and [distributed] needs PostgreSQL, which all machines can reach: leave"
                " [distributed] out for one machine, or move with `tollbridge ledger copy`",
            )
