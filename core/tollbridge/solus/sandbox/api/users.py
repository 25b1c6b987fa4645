"""Users, their tokens, and the account of whoever calls."""

from datetime import timedelta
from typing import Any

from starlette.responses import Response

from tollbridge.solus.sandbox.accounts import STATUSES
from tollbridge.solus.sandbox.api import wire
from tollbridge.solus.sandbox.api.calls import Call, Json, item, listing, no_content, respond
from tollbridge.solus.sandbox.api.form import Form
from tollbridge.solus.sandbox.problems import PanelError
from tollbridge.solus.sandbox.records import Token


def list_users(call: Call) -> Response:
    """By part of the e-mail address (``filter[search]``) and by ``filter[status]``."""
    rows = call.matching(call.panel.users_with(call.filter("search") or ""), status=lambda user: user.status)
    return listing(call, rows, lambda row: wire.user(call.panel, row))


def get_user(call: Call) -> Response:
    """One user."""
    return item(wire.user(call.panel, call.panel.user(call.key())))


def get_account(call: Call) -> Response:
    """The user whose token it is."""
    return item(wire.user(call.panel, call.actor))


def create_user(call: Call) -> Response:
    """Only the e-mail address is needed; who sends no roles gets CLIENT."""
    form = Form(call.body)
    email = form.email()
    fields = _writable(call, form)
    if email and call.panel.user_by_email(email) is not None:
        form.fail("email", "The email has already been taken.")
    form.check()
    roles = fields.pop("role_ids", None) or ("CLIENT",)
    return item(wire.user(call.panel, call.panel.add_user(email, roles=roles, **fields)), 201)


def put_user(call: Call) -> Response:
    """Changes the fields that were sent and keeps the others. The e-mail address is not among them."""
    call.panel.user(call.key())
    form = Form(call.body)
    fields = _writable(call, form)
    form.check()
    return item(wire.user(call.panel, call.panel.update_user(call.key(), **fields)))


def patch_user(call: Call) -> Response:
    """Changes the e-mail address, and nothing else."""
    user = call.panel.user(call.key())
    form = Form(call.body)
    email = form.email() if form.has("email") else user.email
    form.check()
    return item(wire.user(call.panel, call.panel.update_user(user.id, email=email)))


def delete_user(call: Call) -> Response:
    """409 while the user has servers."""
    call.panel.delete_user(call.key())
    return no_content()


def create_user_token(call: Call) -> Response:
    """A token to act as the user; with ``is_one_time`` also good for one login link."""
    form = Form(call.body)
    is_one_time = form.flag("is_one_time")
    form.check()
    token = call.panel.issue_token(call.key(), name="one-time", is_one_time=bool(is_one_time))
    return _token(token)


def create_account_token(call: Call) -> Response:
    """A named token of one's own."""
    form = Form(call.body)
    name = form.text("name", required=True)
    form.check()
    return _token(call.panel.issue_token(call.actor.id, name=name or ""), 201)


def login(call: Call) -> Response:
    """Password login; answers with a token of one's own."""
    form = Form(call.body)
    email, password = form.email(), form.text("password", required=True)
    form.check()
    token = call.panel.issue_token(call.panel.login(email, password or "").id, name="login")
    expires = token.created_at + timedelta(days=1)
    credentials = {"access_token": token.value, "token_type": "Bearer", "expires_at": wire.date(expires)}
    return item({"credentials": credentials})


def _token(token: Token, status: int = 200) -> Response:
    """Clients disagree on where the token is, so it is in both places."""
    shown: Json = {
        "token": {"id": str(token.id), "name": token.name, "created_at": wire.date(token.created_at)},
        "access_token": token.value,
        "token_type": "Bearer",
    }
    return respond({"data": shown, **shown}, status)


def _writable(call: Call, form: Form) -> dict[str, Any]:
    """What POST and PUT have in common, by the names of the record's fields."""
    tables = call.panel.tables
    fields: dict[str, Any] = {
        "status": form.choice("status", STATUSES),
        "password": form.text("password") or None,
        "role_ids": form.ids("roles", tables.roles),
        "language_id": form.whole("language_id", minimum=1),
        "limit_group_id": form.existing("limit_group_id", tables.limit_groups),
        "billing_token": form.text("billing_token"),
    }
    present = {name: value for name, value in fields.items() if value is not None}
    if "role_ids" in present:
        present["role_ids"] = tuple(present["role_ids"])
    if form.has("billing_user_id"):
        present["billing_user_id"] = form.whole("billing_user_id")
    return present


def owned(call: Call, owner_id: int, what: str) -> None:
    """404 for what belongs to somebody else, unless an administrator asks."""
    if not call.actor.is_admin and owner_id != call.actor.id:
        raise PanelError(404, f"There is no such {what}.")


def may_create(call: Call, what: str) -> None:
    """403 for a locked or suspended user, who keeps what there is and cannot add to it."""
    if call.actor.status != "active":
        raise PanelError(403, f"The user is {call.actor.status} and cannot create {what}.")
