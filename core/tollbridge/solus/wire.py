"""SolusIO's JSON as values, read strictly: a field that is absent or of the wrong type makes the answer incomplete.

A key may be a dotted path, such as ``plan.name``. Whole numbers and ids may come as text (official clients disagree on
``billing_user_id``); a fraction is never one.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import attrs

from tollbridge.errors import Incomplete
from tollbridge.model import UserStatus
from tollbridge.rules.metering import PlanPrices
from tollbridge.rules.stretches import Facts, SeenServer
from tollbridge.words import printable

Row = Mapping[str, Any]

_ADMIN = "ADMIN"

_LARGEST = 2**63 - 1  # what databases keep as an integer
_LONGEST_LINE = 320
_LONGEST_UUID = 64
_MOST_PERCENT = 1_000_000

# What the panel's words for a server's state say of its running; of any other word nothing is known.
_RUNS = {"started": True, "stopped": False, "not exists": False, "not exist": False}


@attrs.frozen
class SolusUser:
    """A user of the panel; ``billing_user_id`` is the client's id in the billing system, None if not linked.

    ``is_administrator`` None means that the panel does not say, and unknown is not "no": who is not known to be a
    customer is never linked, locked, suspended or deleted.
    """

    id: int
    email: str
    status: UserStatus
    billing_user_id: int | None
    is_administrator: bool | None = False


@attrs.frozen
class PlanSize:
    """What a server on a plan has: virtual processors, bytes of memory and GiB of disk."""

    processors: int
    memory: int
    disk: int


@attrs.frozen
class Plan:
    """A plan with its prices in tokens; ``size`` None: the panel does not tell it."""

    id: int
    name: str
    tokens_per_hour: int
    tokens_per_month: int
    size: PlanSize | None = None


@attrs.frozen
class Named:
    """A role or a limit group."""

    id: int
    name: str


def user(row: Row) -> SolusUser:
    """A user as ``GET users`` lists it."""
    where = "a user"
    return SolusUser(
        id=identifier(row, "id", where),
        email=line(row, "email", where),
        status=user_status(row),
        billing_user_id=billing_id(row, where),
        is_administrator=is_administrator(row),
    )


def is_administrator(row: Row) -> bool | None:
    """Whether the user has the built-in role ADMIN, which owns the panel and perhaps the bridge's own API token.

    None if the row has no roles, or any that does not tell its name, as a number does.
    """
    roles = row.get("roles")
    if not isinstance(roles, list):
        return None
    names = [role.get("name") if isinstance(role, dict) else None for role in roles]
    if _ADMIN in names:
        return True
    return False if all(isinstance(name, str) and name for name in names) else None


def user_status(row: Row) -> UserStatus:
    """A user's status; one that is not known stops everything, for nobody is locked or released on a guess."""
    value = text(row, "status", "a user")
    try:
        return UserStatus(value)
    except ValueError:
        raise Incomplete(f"SolusIO lists user {row.get('id')} with the unknown status {value!r}") from None


def plan(row: Row) -> Plan:
    """A plan as ``GET plans`` and the usage feed show it."""
    where = "a plan"
    return Plan(
        id=identifier(row, "id", where),
        name=line(row, "name", where),
        tokens_per_hour=whole(row, "tokens_per_hour", where),
        tokens_per_month=whole(row, "tokens_per_month", where),
        size=_plan_size(row),
    )


def _plan_size(row: Row) -> PlanSize | None:
    """It is only ever shown, so what cannot be read is not known, and stops nothing."""
    found = row.get("params")
    if not isinstance(found, dict):
        return None
    processors, memory, disk = (number(found.get(key)) for key in ("vcpu", "ram", "disk"))
    return PlanSize(processors, memory, disk) if processors and memory and disk else None


def plan_prices(row: Row) -> PlanPrices:
    """A plan as servers on it are metered; what the panel has no price for, as older ones for addresses, is free."""
    where, base = "a plan", plan(row)
    extra = {key: _price(row, key, where) for key in ("ip_tokens_per_hour", "ip_tokens_per_month")}
    backups = Decimal(0) if row.get("backup_price") is None else _percent(row, "backup_price", where)
    return PlanPrices(base.id, base.name, base.tokens_per_hour, base.tokens_per_month, backups, **extra)


def _percent(row: Row, key: str, where: str) -> Decimal:
    """A percentage, as number or as text."""
    value = row[key]
    try:
        if isinstance(value, Decimal | int | str) and not isinstance(value, bool):
            percent = Decimal(value)
            if percent.is_finite() and 0 <= percent <= _MOST_PERCENT:
                return percent
    except ArithmeticError:
        pass
    raise _wrong(row, key, where, "a percentage", value)


def _price(row: Row, key: str, where: str) -> int:
    return 0 if row.get(key) is None else whole(row, key, where)


def server(row: Row, plans: Mapping[int, PlanPrices]) -> SeenServer:
    """A server as ``GET servers`` lists it.

    Its plan's prices are those of ``plans``; a plan that is not there, as one made for this server, tells its own.
    """
    where = "a server"
    plan_row, owner_row = table(row, "plan", where), table(row, "user", where)
    uuid = text(row, "uuid", where)
    if not 0 < len(uuid) <= _LONGEST_UUID:
        raise _wrong(row, "uuid", where, "a UUID", uuid)
    plan_id = identifier(plan_row, "id", "a server's plan")
    facts = Facts(
        user_id=identifier(owner_row, "id", "a server's owner"),
        plan=plans[plan_id] if plan_id in plans else plan_prices(plan_row),
        runs=_RUNS.get(text(row, "status", where)),
        backups=_has_backups(row),
        addresses=additional_addresses(row),
    )
    client_id = billing_id(owner_row, "a server's owner") if "billing_user_id" in owner_row else None
    return SeenServer(
        uuid, identifier(row, "id", where), line(row, "name", where), moment(row, "created_at", where), client_id, facts
    )


def _has_backups(row: Row) -> bool:
    settings = row.get("backup_settings")
    return settings is not None and flag(table(row, "backup_settings", "a server"), "enabled", "a server's backups")


def additional_addresses(row: Row) -> frozenset[int]:
    """The ids of a server's IPv4 addresses beyond its primary one, in the panel's present form or in its old one.

    In the old form, which does not say which one is primary, that is the first.
    """
    if isinstance(row.get("ip_addresses"), dict):
        found = rows(table(row, "ip_addresses", "a server"), "ipv4", "a server's addresses")
        return frozenset(
            identifier(each, "id", "an address") for each in found if not flag(each, "is_primary", "an address")
        )
    if row.get("ips") is None:
        return frozenset()
    return frozenset(identifier(each, "id", "an address") for each in rows(row, "ips", "a server")[1:])


def owner(row: Row) -> int | None:
    """The id of a server's owner, if the row says it."""
    user_row = row.get("user")
    return identifier(user_row, "id", "a server's owner") if isinstance(user_row, dict) else None


def named(row: Row) -> Named:
    """A role or a limit group."""
    return Named(identifier(row, "id", "an entry"), line(row, "name", "an entry"))


def text(row: Row, key: str, where: str) -> str:
    """A text field."""
    value = _present(row, key, where)
    if not isinstance(value, str):
        raise _wrong(row, key, where, "text", value)
    return value


def line(row: Row, key: str, where: str) -> str:
    """A text field that people wrote: one line that can be kept and shown, cut if it is longer than any name."""
    return printable(text(row, key, where), _LONGEST_LINE)


def whole(row: Row, key: str, where: str) -> int:
    """A whole number that is not negative, as number or as text."""
    value = _present(row, key, where)
    found = number(value)
    if found is None:
        raise _wrong(row, key, where, "a whole number", value)
    return found


def moment(row: Row, key: str, where: str) -> datetime:
    """A moment; one without a zone is UTC, as all of SolusIO's are."""
    value = text(row, key, where)
    try:
        found = datetime.fromisoformat(value)
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        raise _wrong(row, key, where, "a moment", value) from None


def flag(row: Row, key: str, where: str) -> bool:
    """True or false."""
    value = _present(row, key, where)
    if not isinstance(value, bool):
        raise _wrong(row, key, where, "true or false", value)
    return value


def table(row: Row, key: str, where: str) -> Row:
    """A JSON object."""
    value = _present(row, key, where)
    if not isinstance(value, dict):
        raise _wrong(row, key, where, "an object", value)
    return value


def rows(row: Row, key: str, where: str) -> list[Row]:
    """A list of JSON objects."""
    value = _present(row, key, where)
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise _wrong(row, key, where, "a list of objects", value)
    return value


def identifier(row: Row, key: str, where: str) -> int:
    """An id, as number or as numeric text."""
    found = optional_identifier(row, key, where)
    if found is None:
        raise _wrong(row, key, where, "an id", None)
    return found


def billing_id(row: Row, where: str, key: str = "billing_user_id") -> int | None:
    """The client a user belongs to: None for null, and for 0 and empty text, by which some panels say the same."""
    if _present(row, key, where) == "":
        return None
    return optional_identifier(row, key, where) or None


def optional_identifier(row: Row, key: str, where: str) -> int | None:
    """An id, or None for null (the key must be there all the same)."""
    value = _present(row, key, where)
    if value is None:
        return None
    found = number(value)
    if found is None:
        raise _wrong(row, key, where, "an id or null", value)
    return found


def has(row: Row, key: str) -> bool:
    """Whether there is anything at that key."""
    try:
        _present(row, key, "")
    except Incomplete:
        return False
    return True


def at(row: Row, key: str) -> Any:
    """Whatever is at that key.

    Raises:
        Incomplete: nothing is.
    """
    return _present(row, key, "a row")


def number(value: Any) -> int | None:
    """A whole number from 0 to what databases keep, from a number or its digits; None for anything else."""
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 20:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _LARGEST:
        return None
    return value


def _present(row: Row, key: str, where: str) -> Any:
    if key in row:
        return row[key]
    value: Any = row
    for step in key.split("."):
        if not isinstance(value, dict):
            raise _wrong(row, key.rpartition(f".{step}")[0], where, "an object", value)
        if step not in value:
            raise Incomplete(f"SolusIO's answer has {where} without {key!r}{_name(row)}")
        value = value[step]
    return value


def _wrong(row: Row, key: str, where: str, wanted: str, value: Any) -> Incomplete:
    return Incomplete(f"SolusIO's answer has {where}{_name(row)} whose {key!r} is not {wanted}: {value!r:.60}")


def _name(row: Row) -> str:
    """Which row it is, as far as the row says."""
    key = next((key for key in ("id", "user_id") if key in row), None)
    return f" ({key} {row[key]!r:.30})" if key else ""
