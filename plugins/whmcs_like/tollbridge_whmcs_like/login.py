"""People: who logs in, and who becomes a client. Since WHMCS 8.0 a user logs in, and owns clients."""

import re
import secrets
from collections.abc import Iterator, Mapping
from typing import Any

from tollbridge import NotFound, Refused, Signup
from tollbridge.reading import Row, flag, records, text, whole
from tollbridge_whmcs_like import clients
from tollbridge_whmcs_like.api import Api, Denied

_WRONG = re.compile(r"password|login details|credentials", re.IGNORECASE)


def clients_of_login(api: Api, email: str, password: str) -> list[Row]:
    """The details of every client that the user with these credentials owns; none if they are wrong.

    Raises:
        Refused: the user has a second factor, which a password alone does not prove.
    """
    if not email or not password:
        return []
    try:
        answer = api.read("ValidateLogin", email=email, password2=password)
    except NotFound:
        return []
    except Denied:
        raise
    except Refused as error:
        if _WRONG.search(str(error)):
            return []
        raise
    if not text(answer, "userid"):
        raise Refused("WHMCS answered ValidateLogin without a user's id")
    if whole(answer, "contactid", "the log-in") if text(answer, "contactid") else 0:
        return []  # before WHMCS 8.0, somebody else's sub-account
    unsaid = not text(answer, "twoFactorEnabled") and not text(answer, "passwordhash")
    if unsaid or flag(answer, "twoFactorEnabled", "the log-in"):
        raise Refused(f"{email} has two-factor authentication in WHMCS: a password alone is not enough")
    user_id = whole(answer, "userid", "the log-in")
    owned = _owned(api, email, user_id)
    if owned is None:
        return _by_address(api, email, user_id)
    return [clients.details(api.read("GetClientsDetails", clientid=number)) for number in owned]


def _owned(api: Api, email: str, user_id: int) -> list[int] | None:
    """The ids of the clients the user owns; None if this WHMCS has no users of its own, or does not tell."""
    try:
        users = api.every("GetUsers", "users", "user", search=email)
    except Refused:
        return None
    for user in users:
        if whole(user, "id", "a user") == user_id and "clients" in user:
            return [
                whole(row, "id", "a client of a user")
                for row in records(user["clients"], "client")
                if flag(row, "isOwner" if "isOwner" in row else "is_owner", "a client of a user")
            ]
    return None


def _by_address(api: Api, email: str, user_id: int) -> list[Row]:
    """The client with the log-in's address, if it is proved to be the user's."""
    try:
        row = clients.details(api.read("GetClientsDetails", email=email))
    except NotFound:
        return []
    return [row] if user_id in set(_owners(row)) else []


def _owners(row: Row) -> Iterator[int]:
    """The users who own a client; before WHMCS 8.0 the client itself."""
    if text(row, "owner_user_id"):
        yield whole(row, "owner_user_id", "a client")
    users = records(row.get("users"), "user")
    for user in users:
        if flag(user, "is_owner", "a client's user"):
            yield whole(user, "id", "a client's user")
    if not users and not text(row, "owner_user_id"):
        yield clients.client_id(row)


def has_client(api: Api, email: str) -> bool:
    """Whether there is a client with this address."""
    try:
        api.read("GetClientsDetails", email=email)
    except NotFound:
        return False
    return True


def new_client(signup: Signup, currencies: Mapping[str, int]) -> dict[str, Any]:
    """``AddClient``'s fields. The address is the client's to fill in later, so WHMCS is told not to ask for it.

    Raises:
        Refused: WHMCS does not have the currency.
    """
    fields: dict[str, Any] = {
        "firstname": signup.first_name,
        "lastname": signup.last_name,
        "companyname": signup.company,
        "email": signup.email,
        "country": signup.country,
        "password2": signup.password or secrets.token_urlsafe(24),
        "skipvalidation": 1,
        "noemail": 1,
    }
    if signup.currency:
        if signup.currency not in currencies:
            raise Refused(f"WHMCS has no currency {signup.currency}")
        fields["currency"] = currencies[signup.currency]
    return {key: value for key, value in fields.items() if value != ""}
