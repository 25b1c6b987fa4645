"""Who may call, and what: addresses, credentials and the API role."""

import hmac
import re
from collections.abc import Container

from tollbridge_whmcs_like.sandbox.api.actions import BY_NAME, Action
from tollbridge_whmcs_like.sandbox.form import Fields
from tollbridge_whmcs_like.sandbox.install import Install
from tollbridge_whmcs_like.sandbox.problems import InstallError, denied

CREDENTIALS = ("identifier", "secret", "username", "password", "accesskey")
_ALWAYS = {*CREDENTIALS, "action", "responsetype"}


def admit(install: Install, fields: Fields, query: Container[str], address: str) -> None:
    """Let the caller in, or say why not.

    WHMCS would take credentials from the URL, where every proxy's log keeps them; here they are refused.
    """
    if any(name in query for name in CREDENTIALS):
        raise denied("Credentials in the URL are refused: send them in the body of the request")
    _admit_address(install, fields, address)
    identifier = fields.text("identifier") or fields.text("username")
    secret = fields.text("secret") or fields.text("password")
    if not identifier or not secret:
        raise denied("Authentication Failed")
    if not _same(identifier, install.identifier):
        raise denied("Invalid or missing credentials")
    if not _same(secret, install.secret):
        raise denied("Authentication Failed")


def _admit_address(install: Install, fields: Fields, address: str) -> None:
    sent = fields.text("accesskey")
    if sent and install.access_key:
        if not _same(sent, install.access_key):
            raise denied("Invalid Access Key")
    elif not install.allow_any_address and address not in install.allowed_addresses:
        raise denied(f"Invalid IP {address}")


def allowed_action(install: Install, fields: Fields) -> Action:
    """The action asked for; one that does not exist is one that no API role allows."""
    name = fields.text("action")
    if not name:
        raise InstallError("An API Action is required")
    action = BY_NAME.get(name.casefold())
    quirks = install.quirks
    if action is None or not quirks.since(*action.since) or quirks.forbids(name):
        raise denied(f'Invalid Permissions: API action "{name.lower()}" is not allowed')
    if quirks.refuse_unknown_fields:
        _refuse_unknown(action, fields)
    return action


def _refuse_unknown(action: Action, fields: Fields) -> None:
    known = {*_ALWAYS, *action.fields}
    unknown = [name for name in fields.values if name not in known and re.sub("[0-9]+$", "#", name) not in known]
    if unknown:
        raise InstallError(f"{action.name} has no {', '.join(sorted(unknown))}")


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())
