"""People: who logs in, who becomes a client, and links into the client area."""

import hashlib
import hmac
import secrets
import time
from typing import Any
from urllib.parse import urlencode

from tollbridge import Refused, Secret, Signup
from tollbridge.reading import Row, flag, text, whole
from tollbridge_blesta.api import Api


def user_of(api: Api, email: str, password: str) -> int | None:
    """The id of the client's user with these credentials; the name it logs in with may be another than its address.

    Raises:
        Refused: the user has a second factor, which a password alone does not prove.
    """
    if not email or not password:
        return None
    for name in dict.fromkeys([email, *_names(api, email)]):
        if _is_right(api, name, password):
            user = api.ask("users/getByUsername", username=name)
            if not isinstance(user, dict):
                return None
            if text(user, "two_factor_mode").lower() not in {"", "none"}:
                raise Refused(f"{email} has two-factor authentication in Blesta: a password alone is not enough")
            return whole(user, "id", f"Blesta's user {name}")
    return None


def _names(api: Api, email: str) -> list[str]:
    """The names under which somebody with this address logs in."""
    try:
        found = api.ask("users/getByEmail", email=email)
    except Refused:
        return []
    rows = found if isinstance(found, list) else [found]
    return [text(row, "username") for row in rows if isinstance(row, dict) and text(row, "username")]


def is_taken(api: Api, email: str) -> bool:
    """Whether somebody has this address, or logs in by it. Blesta itself only minds the second."""
    return bool(_names(api, email)) or isinstance(api.ask("users/getByUsername", username=email), dict)


def _is_right(api: Api, name: str, password: str) -> bool:
    answer = api.ask("users/auth", username=name, vars={"username": name, "password": password}, type="client")
    return flag({"auth": answer}, "auth", "the log-in")


def new_client(signup: Signup, group: int, language: str) -> dict[str, Any]:
    """``vars`` of ``clients/create``; what is not known is left out."""
    password = signup.password or secrets.token_urlsafe(24)
    own = {"default_currency": signup.currency, "username_type": "email", "language": language}
    fields = {
        "username": signup.email,
        "new_password": password,
        "confirm_password": password,
        "client_group_id": group,
        "status": "active",
        "first_name": signup.first_name,
        "last_name": signup.last_name,
        "company": signup.company,
        "email": signup.email,
        "country": signup.country,
        "settings": {key: value for key, value in own.items() if value},
        "send_registration_email": False,
    }
    return {key: value for key, value in fields.items() if value != ""}


def username(api: Api, row: Row) -> str:
    """The name under which a client logs in."""
    if text(row, "username"):
        return text(row, "username")
    user = api.read("users/get", user_id=whole(row, "user_id", "a client"))
    if not isinstance(user, dict) or not text(user, "username"):
        raise Refused(f"Blesta does not tell under which name client {row.get('id')} logs in")
    return text(user, "username")


def shared_login_url(root: str, key: Secret, name: str) -> str:
    """Blesta's Shared Login plugin: the time, the name and where to go, signed; good for half an hour."""
    base = root.rstrip("/")
    moment, target = str(int(time.time())), f"{base}/client/"
    signature = hmac.new(key.reveal().encode(), f"{moment}{name}{target}".encode(), hashlib.sha256).hexdigest()
    return f"{base}/plugin/shared_login/?{urlencode({'t': moment, 'u': name, 'r': target, 'h': signature})}"
