"""Clients, their discounts and their tax exemptions as Ubersmith answers them, and as the bridge has them."""

from collections.abc import Collection
from decimal import Decimal

from tollbridge import Client, ClientStatus, Discount, Refused
from tollbridge.reading import Row, decimal, made, one_of, text, whole
from tollbridge_ubersmith.settings import UbersmithSettings

# A lead is nobody's client yet.
_STATUSES = {"1": ClientStatus.ACTIVE, "2": ClientStatus.INACTIVE, "0": ClientStatus.CLOSED}
_KINDS = {"": "percent", "0": "percent", "1": "money"}
_NEEDED = {"first", "last", "company", "email", "country", "state", "active", "discount", "discount_type"}


def is_whole(row: Row) -> bool:
    """Whether a row of a list has all that is needed of a client."""
    return row.keys() >= _NEEDED


def is_ours(row: Row, settings: UbersmithSettings) -> bool:
    """Whether the client is of the brand that is billed; ``class_id`` is the brand's number."""
    brand = text(row, "class_id")
    return settings.brand_id is None or brand in {"", str(settings.brand_id)}


def client(row: Row, currency: str, exempt: Collection[int]) -> Client:
    """A client from ``client.get`` or a list; it has no currency of its own, and is exempt if its number is there."""
    number = whole(row, "clientid", "a client")
    who = f"client {number} in Ubersmith"
    return made(
        who,
        Client,
        id=number,
        email=text(row, "email"),
        currency=currency,
        first_name=text(row, "first"),
        last_name=text(row, "last"),
        company=text(row, "company"),
        status=one_of(row, "active", _STATUSES, who),
        country=text(row, "country").upper(),
        state=text(row, "state"),
        tax_exempt=number in exempt,
    )


def exempted(row: Row) -> int | None:
    """The client whom a row of ``client.tax_exemption_list`` exempts; None if it is not in force."""
    name = "client_id" if text(row, "client_id") else "clientid"
    number = whole(row, name, "a tax exemption in Ubersmith")
    return number if text(row, "status") in {"", "1"} else None


def discount_in_money(row: Row) -> Decimal:
    """The client's discount, if it is a sum of money for each service; else 0."""
    who = f"client {text(row, 'clientid')} in Ubersmith"
    if not text(row, "discount") or one_of(row, "discount_type", _KINDS, who) == "percent":
        return Decimal(0)
    return decimal(row, "discount", who)


def discounts(row: Row) -> tuple[Discount, ...]:
    """The client's discount, if it is one in percent; one in money has no multiplier, and is none of these."""
    who = f"client {text(row, 'clientid')} in Ubersmith"
    if not text(row, "discount") or one_of(row, "discount_type", _KINDS, who) == "money":
        return ()
    percent = decimal(row, "discount", who)
    if not 0 <= percent <= 100:
        raise Refused(f"{who} has a discount of {percent.normalize():f} %, where something from 0 to 100 is needed")
    if not percent:
        return ()
    return (Discount("Discount", f"{percent.normalize():f}% discount", 1 - percent / 100),)
