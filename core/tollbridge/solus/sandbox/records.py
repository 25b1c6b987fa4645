"""What the panel keeps, as frozen values: a change makes a new one, so a snapshot stays as it was."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

import attrs

ADMIN = 1
CLIENT = 2

FeedShape = Literal["declared", "names", "flat", "totals", "text", "paging", "none"]


@attrs.frozen
class Role:
    """A role; ADMIN is 1 and CLIENT, which new users get, is 2."""

    id: int
    name: str
    is_default: bool = False


@attrs.frozen
class User:
    """A user of the panel.

    Attributes:
        status: ``active``, ``locked`` or ``suspended``.
        billing_user_id: the client in the billing system, if there is one.
        password_hash: salted; the password itself is not kept.
    """

    id: int
    email: str
    created_at: datetime
    status: str = "active"
    role_ids: tuple[int, ...] = (CLIENT,)
    billing_user_id: int | None = None
    billing_token: str = attrs.field(default="", repr=False)
    language_id: int = 1
    limit_group_id: int | None = None
    password_hash: bytes | None = attrs.field(default=None, repr=False)

    @property
    def is_admin(self) -> bool:
        """Whether the user may see and change what belongs to others."""
        return ADMIN in self.role_ids


@attrs.frozen
class LimitGroup:
    """How much its users may have. The sandbox keeps the limits and does not enforce them."""

    id: int
    name: str
    created_at: datetime
    limits: Mapping[str, Mapping[str, Any]] = attrs.field(factory=dict)


@attrs.frozen
class Plan:
    """A plan and its prices in whole tokens; ``backup_price`` is a percentage of the server's tokens.

    ``details`` holds every other field of the wire format as it was sent: limits, parameters, flags.
    """

    id: int
    name: str
    tokens_per_hour: int
    tokens_per_month: int
    backup_price: Decimal = Decimal(0)
    ip_tokens_per_hour: int = 0
    ip_tokens_per_month: int = 0
    details: Mapping[str, Any] = attrs.field(factory=dict, repr=False)


@attrs.frozen
class Project:
    """A user's project; the first server makes the default one."""

    id: int
    name: str
    owner_id: int
    description: str = ""
    is_default: bool = False


@attrs.frozen
class Address:
    """One IPv4 address of a server."""

    id: int
    ip: str


@attrs.frozen
class Uptime:
    """The server ran from ``started`` up to, and without, ``stopped``; None: it still runs."""

    started: datetime
    stopped: datetime | None = None


@attrs.frozen
class Chapter:
    """What a server was like from ``since`` on, as far as its price hangs on it."""

    since: datetime
    user_id: int
    plan_id: int
    backups: bool = False
    addresses: frozenset[int] = frozenset()


@attrs.frozen
class Server:
    """A server and what it needs to be metered.

    Attributes:
        uptime: when it ran, oldest first, without overlaps.
        is_suspended: by a call for this one server; those of a suspended user are suspended anyway.
        backups: whether paid backups are enabled now.
        additional_ips: the addresses beyond the first, which is ``address``.
        fqdns: its names in the DNS, kept as they were sent; so is ``boot_mode``.
        history: what it was like since when, oldest first; the last one is the present.
    """

    id: int
    uuid: UUID
    name: str
    user_id: int
    plan_id: int
    project_id: int
    created_at: datetime
    address: Address
    description: str = ""
    deleted_at: datetime | None = None
    uptime: tuple[Uptime, ...] = ()
    is_suspended: bool = False
    backups: bool = False
    additional_ips: tuple[Address, ...] = ()
    fqdns: tuple[str, ...] = ()
    boot_mode: str = "disk"
    history: tuple[Chapter, ...] = ()

    def as_of(self, now: datetime) -> "Server":
        """The same server, with what it is like now in its history."""
        addresses = frozenset(address.id for address in self.additional_ips)
        present = Chapter(now, self.user_id, self.plan_id, self.backups, addresses)
        if self.history and attrs.evolve(self.history[-1], since=now) == present:
            return self
        return attrs.evolve(self, history=(*(each for each in self.history if each.since < now), present))

    @property
    def is_running(self) -> bool:
        """Whether it runs now."""
        return bool(self.uptime) and self.uptime[-1].stopped is None

    @property
    def status(self) -> str:
        """``started`` or ``stopped``, as the panel names it."""
        return "started" if self.is_running else "stopped"


@attrs.frozen
class Correction:
    """Tokens that the panel reports later than it should have, or takes back if they are negative.

    Attributes:
        moment: a time within the month they belong to.
        server_id: whose item is changed; None: the user gets an item of its own.
    """

    id: int
    moment: datetime
    tokens: int
    user_id: int
    server_id: int | None = None


@attrs.frozen
class Task:
    """What a call on a server answers with. The sandbox has no queue, so every task is done at once."""

    id: int
    action: str
    server_id: int
    created_at: datetime


@attrs.frozen
class Activity:
    """A line of the activity log; ``user_id`` is whose thing it happened to."""

    id: int
    event: str
    user_id: int
    user_email: str
    created_at: datetime
    data: Mapping[str, Any] = attrs.field(factory=dict)


@attrs.frozen
class Token:
    """An API token; a one-time token is gone after its first use, as a bearer or as a login link."""

    id: int
    user_id: int
    value: str = attrs.field(repr=False)
    created_at: datetime
    name: str = ""
    is_one_time: bool = False
