"""People: who logs in, and who becomes a client."""

import re
import secrets
from typing import Any

from tollbridge import AddressTaken, Refused, Signup
from tollbridge.reading import Row, flag, records, text, whole
from tollbridge_ubersmith.api import WRONG_LOGIN, Api, Declined
from tollbridge_ubersmith.settings import UbersmithSettings

_TYPES = {"client": 1, "contact": 2}
_TAKEN = re.compile(r"already|in use|taken|exists|duplicate", re.IGNORECASE)


def client_of(api: Api, email: str, password: str) -> int | None:
    """The number of the client whose log-in, or whose contact's, has these credentials.

    People log in by a name, which may be another than their address. Somebody of the staff is nobody here.

    Raises:
        Refused: there is a second factor, which a password alone does not prove, or nobody knows whether there is.
    """
    # This also proves that the API lets us in: what is refused after it is the customer's password.
    names = _names(api, email)
    if not email or not password:
        return None
    for name in dict.fromkeys([email, *names]):
        person = _person(api, name, password)
        if person is None or text(person, "type") not in _TYPES:
            continue
        if not _is(person, email):
            continue
        _refuse_second_factor(api, person, email)
        return whole(person, "client_id", f"the log-in {name} in Ubersmith")
    return None


def _is(row: Row, email: str) -> bool:
    return text(row, "email").casefold() == email.casefold()


def _person(api: Api, name: str, password: str) -> Row | None:
    """Whose credentials these are; None if they are wrong."""
    try:
        found = api.read("uber.check_login", login=name, **{"pass": password})
    except Declined as error:
        if error.code == WRONG_LOGIN and not error.is_denied:
            return None
        raise
    return found if isinstance(found, dict) else None


def _refuse_second_factor(api: Api, person: Row, email: str) -> None:
    if not api.has("uber.check_user_twofactor"):
        raise Refused(
            f"{email} cannot log in here: this version of Ubersmith does not tell whether somebody has a second factor"
        )
    kind = text(person, "type")
    number = text(person, "contact_id" if kind == "contact" else "client_id")
    answer = api.read("uber.check_user_twofactor", user_id=number, user_type=_TYPES[kind])
    if isinstance(answer, dict):
        answer = next((answer[key] for key in ("enabled", "twofactor", "status", "active") if key in answer), "unknown")
    if flag({"second factor": answer}, "second factor", f"Ubersmith's answer about {email}"):
        raise Refused(f"{email} has two-factor authentication in Ubersmith: a password alone is not enough")


def _names(api: Api, email: str) -> list[str]:
    """The names by which clients and contacts with this address log in."""
    clients = [_details(api, number) for number in _with_address(api, email)]
    contacts = [row for row in api.every("client.contact_list", email=email) if _is(row, email)]
    return [text(row, "login") for row in (*clients, *contacts) if text(row, "login")]


def _details(api: Api, number: int) -> Row:
    row = api.read("client.get", client_id=number, allclients=1)
    return row if isinstance(row, dict) else {}


def _with_address(api: Api, email: str) -> list[int]:
    """The clients with this address, deactivated ones among them."""
    found: set[int] = set()
    for active in (1, 0):
        try:
            rows = records(api.read("client.lookup", email=email, active=active))
        except Declined as error:
            if not error.is_none:
                raise
            rows = []
        found.update(whole(row, "clientid", "a client") for row in rows)
    return sorted(found)


def new_client(api: Api, signup: Signup, settings: UbersmithSettings) -> Any:
    """The answer of ``client.add``: somebody who logs in with the address, which nobody else may have.

    Raises:
        AddressTaken: somebody has it, or logs in by it.
        Refused: the brand bills in another currency than was asked for.
    """
    if signup.currency not in {"", settings.currency}:
        raise Refused(f"Ubersmith bills in {settings.currency} here, and {signup.email} wants {signup.currency}")
    if _with_address(api, signup.email):
        raise AddressTaken(f"Ubersmith has a client with the address {signup.email}")
    fields = {
        "first": signup.first_name,
        "last": signup.last_name,
        "company": signup.company,
        "email": signup.email,
        "country": signup.country,
        "uber_login": signup.email,
        "uber_pass": signup.password or secrets.token_urlsafe(24),
        "strict": 1,
        "brand_id": settings.brand_id,
    }
    try:
        return api.write("client.add", **{key: value for key, value in fields.items() if value not in {"", None}})
    except Declined as error:
        if _TAKEN.search(error.said):
            raise AddressTaken(f"Ubersmith has somebody who logs in as {signup.email}") from None
        raise
