"""users: who can log in."""

from typing import Any

from tollbridge_blesta.sandbox.api.calls import Call, Form
from tollbridge_blesta.sandbox.passwords import matches

_TYPES = {None: {True, False}, "any": {True, False}, "staff": {True}, "client": {False}}


def auth(call: Call) -> Any:
    """users/auth: of type ``any`` staff can be authenticated, too; ``contact`` finds nobody, for there are none."""
    form = Form(call.array("vars"), {"username", "password"})
    form.check()
    name = call.text("username") or ""
    user = call.install.user_with_id(call.id("username")) or call.install.user_by_name(name)
    if user is None or form.text("username").casefold() != user.username.casefold():
        return False
    return user.is_staff in _TYPES.get(call.text("type"), set()) and matches(form.text("password"), user.password_hash)


def get_user(call: Call) -> Any:
    """users/get."""
    user = call.install.user_with_id(call.id("user_id"))
    return call.wire.user(user) if user else False


def get_by_username(call: Call) -> Any:
    """users/getByUsername."""
    user = call.install.user_by_name(call.text("username") or "")
    return call.wire.user(user) if user else False


def get_by_email(call: Call) -> Any:
    """users/getByEmail: the first with this address, of perhaps several."""
    email = (call.text("email") or "").casefold()
    users = [user for user in call.install.users if email and user.email.casefold() == email]
    return call.wire.user(users[0]) if users else False
