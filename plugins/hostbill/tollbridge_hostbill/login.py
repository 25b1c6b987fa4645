"""People: who logs in, who becomes a client, and links into the client area."""

import hashlib
import hmac
import re
import secrets
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from tollbridge import AddressTaken, NotFound, OutcomeUnknown, Refused, Secret, Signup, Unavailable
from tollbridge.http import Http
from tollbridge.reading import flag, text, whole
from tollbridge_hostbill.api import Api, Denied

_TAKEN = re.compile(r"e-?mail.*(already|taken|in use|exists|registered)|already.*e-?mail", re.IGNORECASE | re.DOTALL)
_LINK_SECONDS = 600


def verified(api: Api, email: str, password: str) -> int | None:
    """The number of the profile with these credentials, which may be a contact's; None if they are wrong.

    Raises:
        Refused: there is a second factor, which a password alone does not prove; or the API key is no good, which
            says nothing of the password.
    """
    if not email or not password:
        return None
    try:
        answer = api.read("verifyClientLogin", email=email, password=password, ban_on_failure=0)
    except Denied:
        raise
    except (NotFound, Refused) as error:
        _prove_key(api, str(error))
        return None
    if answer.get("mfa_status") in {None, ""}:
        raise Refused(f"HostBill does not tell whether {email} has two-factor authentication (no mfa_status)")
    if flag(answer, "mfa_status", f"the log-in of {email}"):
        raise Refused(f"{email} has two-factor authentication in HostBill: a password alone is not enough")
    return whole(answer, "client_id", f"the log-in of {email}")


def _prove_key(api: Api, said: str) -> None:
    """Make sure that it was no to the password and not to the API key: what needs no password must be answered."""
    try:
        api.read("getCurrencies")
    except (NotFound, Refused) as error:
        raise Refused(f"{said}; and {error}: look at api_id and api_key") from None


def add_client(api: Api, signup: Signup, currency_id: int) -> int:
    """A new client, who is sent no mail by HostBill; its number.

    Raises:
        AddressTaken: somebody has the address.
    """
    listed = api.every("getClients", "clients", {"filter[email]": signup.email})
    if any(text(row, "email").casefold() == signup.email.casefold() for row in listed):
        raise AddressTaken(f"HostBill has a client with the address {signup.email}")
    password = signup.password or secrets.token_urlsafe(24)
    fields = {
        "email": signup.email,
        "password": password,
        "password2": password,
        "firstname": signup.first_name,
        "lastname": signup.last_name,
        "companyname": signup.company,
        "type": "Company" if signup.company else "Private",
        "country": signup.country,
        "currency_id": currency_id,
        "notify": 0,
    }
    try:
        answer = api.write("addClient", **{key: value for key, value in fields.items() if value != ""})
    except Refused as error:
        if _TAKEN.search(str(error)):
            raise AddressTaken(f"HostBill has somebody with the address {signup.email}: {error}") from None
        raise
    try:
        return whole(answer, "client_id", "the new client")
    except Refused as error:
        raise OutcomeUnknown(f"HostBill made a client, and {error}") from None


def _md5(email: str, secret: str, duration: str) -> str:
    return hashlib.md5(f"{email}{secret}{duration}".encode(), usedforsecurity=False).hexdigest()  # as the plugin wants


def _keyed(email: str, secret: str, duration: str) -> str:
    return hmac.new(secret.encode(), f"{email}{duration}".encode(), hashlib.sha256).hexdigest()


def _keyed_whole(email: str, secret: str, duration: str) -> str:
    return hmac.new(secret.encode(), f"{email}{secret}{duration}".encode(), hashlib.sha256).hexdigest()


Signing = Callable[[str, str, str], str]
# HostBill's Client Auto Login plugin says what md5 is made of, and not what the HMAC signs.
SIGNINGS: Mapping[str, tuple[Signing, ...]] = {"hmac": (_keyed, _keyed_whole), "md5": (_md5,)}


class AutoLogin:
    """Links of the Client Auto Login plugin, good for ten minutes."""

    def __init__(self, http: Http, secret: Secret, hash_name: str | None) -> None:
        self._http = http
        self._secret = secret
        self._signings = [each for name, group in SIGNINGS.items() if hash_name in {None, name} for each in group]

    def link(self, email: str) -> str:
        """A link that logs this client in; what was accepted before is tried first.

        Raises:
            Refused: the plugin accepts none of the signatures, or is not there.
        """
        said = ""
        for signing in [*self._signings]:
            found, said = self._asked(email, signing)
            if found:
                self._signings = sorted(self._signings, key=lambda each: each is not signing)
                return found
        raise Refused(
            f"HostBill's Client Auto Login plugin gives no link: {said} (look at autologin_secret and autologin_hash,"
            f" at client_area_url, and whether the plugin is on and lets this address ask)"
        )

    def _asked(self, email: str, signing: Signing) -> tuple[str, str]:
        """The link, or else why there is none."""
        duration = str(_LINK_SECONDS)
        form = {"email": email, "duration": duration, "hash": signing(email, self._secret.reveal(), duration)}
        answer = self._http.request(
            "POST", "index.php", params={"cmd": "autologin", "action": "login"}, form=form, repeatable=True
        )
        document = answer.json()
        if not isinstance(document, dict):
            raise Unavailable("HostBill's Client Auto Login plugin answered with JSON that is not an object")
        link = text(document, "login_url")
        if link and not link.startswith(("https://", "http://")):
            place = link.partition("?")[0]  # what follows may log somebody in
            raise Refused(f"HostBill's Client Auto Login plugin gave {place[:40]!r}, which is no address")
        if flag(document, "success", "a log-in link") and link:
            return link, ""
        return "", ", ".join(_said(document)) or f"HTTP {answer.status} without a reason"


def _said(document: Mapping[str, Any]) -> Iterator[str]:
    value = document.get("error")
    yield from (str(each) for each in value) if isinstance(value, list) else [str(value)] if value else []
