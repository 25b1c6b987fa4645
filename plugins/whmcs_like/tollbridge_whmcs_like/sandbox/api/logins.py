"""``ValidateLogin``, ``GetUsers`` and ``CreateSsoToken``."""

import secrets

from tollbridge_whmcs_like.sandbox.api.calls import Call
from tollbridge_whmcs_like.sandbox.install import Install
from tollbridge_whmcs_like.sandbox.problems import InstallError
from tollbridge_whmcs_like.sandbox.records import Client, User
from tollbridge_whmcs_like.sandbox.wire import Document, Flag, Written, shown_moment

_AREAS = (
    "homepage", "profile", "billing_info", "emails", "announcements", "downloads", "knowledgebase", "network_status",
    "services", "product_details", "domains", "domain_details", "invoices", "tickets", "submit_ticket",
    "shopping_cart", "shopping_cart_addons", "shopping_cart_domain_register", "shopping_cart_domain_transfer",
)  # fmt: skip
DESTINATIONS = {"", "sso:custom_redirect", *(f"clientarea:{area}" for area in _AREAS)}


def validate_login(call: Call) -> Document:
    """Whose address and password these are: a user's id, or before 8.0 the client's."""
    install = call.install
    user = install.login(call.fields.text("email"), call.fields.text("password2"))
    number = user.id if install.quirks.since(8, 0) else _client_of(install, user).id
    answer: Document = {"userid": Written(number)}
    if not user.two_factor:
        answer["passwordhash"] = secrets.token_hex(20)
    return {**answer, "twoFactorEnabled": Flag(user.two_factor, "word")}


def _client_of(install: Install, user: User) -> Client:
    """Before 8.0 it was the client who logged in."""
    for client in install.clients_of(user.id):
        if client.email.casefold() == user.email.casefold():
            return client
    raise InstallError("Email or Password Invalid")


def get_users(call: Call) -> Document:
    """Users with the clients they own; a plain list, unlike every other."""
    users = [
        user
        for user in call.install.users
        if call.matches(user.email, user.first_name, user.last_name, f"{user.first_name} {user.last_name}")
    ]
    if call.fields.text("sorting").upper() == "DESC":
        users.reverse()
    shown, counts = call.page(users)
    rows = [
        {
            "id": user.id,
            "firstname": user.first_name,
            "lastname": user.last_name,
            "email": user.email,
            "datecreated": shown_moment(user.created_at),
            "validationdata": "",
            "clients": [{"id": client.id, "isOwner": Flag(True)} for client in call.install.clients_of(user.id)],
        }
        for user in shown
    ]
    return {**counts, "users": rows}


def create_sso_token(call: Call) -> Document:
    """A link that logs in once, within a minute."""
    install, fields = call.install, call.fields
    client = _asked_client(call)
    user_id = fields.number("user_id") if fields.text("user_id") and install.quirks.since(8, 0) else None
    if client is None and user_id is None:
        raise InstallError("A valid client_id or user_id is required")
    if user_id is not None:
        install.user(user_id)
    if client is not None and user_id not in {None, client.owner_id}:
        raise InstallError("Invalid user_id for client")
    if fields.text("destination") not in DESTINATIONS:
        raise InstallError("Invalid destination")
    if client is not None and not client.single_sign_on:
        raise InstallError(f"SSO authentication blocked for client {client.id}")
    if client is not None and client.status == "Closed":
        raise InstallError(
            f'Token could not be provisioned: Single Sign-On authentication denied for "Closed" User ID: {client.id}'
        )
    token = install.issue_login(client.owner_id if user_id is None and client is not None else user_id or 0)
    return {"access_token": token, "redirect_url": f"{call.root}/oauth/singlesignon.php?access_token={token}"}


def _asked_client(call: Call) -> Client | None:
    if not call.fields.text("client_id"):
        return None
    try:
        return call.install.client(call.fields.number("client_id"))
    except InstallError:
        raise InstallError("Invalid client_id") from None
