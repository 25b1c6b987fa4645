"""The Shared Login plugin: a signed address logs a client into the client area."""

import hashlib
import hmac
import html

import attrs
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from tollbridge_blesta.sandbox.api.dispatch import NOT_FOUND_PAGE
from tollbridge_blesta.sandbox.install import Install
from tollbridge_blesta.sandbox.records import User

TOLERANCE = 30 * 60


@attrs.frozen
class SharedLogin:
    """Answers ``plugin/shared_login/?t=…&u=…&r=…&h=…``, and JavaScript with ``{"success": …}``."""

    _install: Install

    async def answer(self, request: Request) -> Response:
        """Say who is logged in."""
        if not self._install.shared_login_key:
            return HTMLResponse(NOT_FOUND_PAGE, 404)
        query = request.query_params
        time, username, redirect, signature = (query.get(name, "") for name in "turh")
        with self._install.lock:
            user = self._user(time, username, redirect, signature)
        if request.headers.get("x-requested-with") == "XMLHttpRequest":
            return JSONResponse({"success": user is not None})
        if user is None:
            return HTMLResponse("<!DOCTYPE html><title>Log in</title><p>This address is wrong or too old.", 403)
        name, place = html.escape(user.username), html.escape(redirect)
        onwards = f" and sent on to {place}" if redirect else ""
        return HTMLResponse(f"<!DOCTYPE html><title>Client area</title><p>Logged in as {name}{onwards}.")

    def _user(self, time: str, username: str, redirect: str, signature: str) -> User | None:
        """Whose address this is; staff are not let in."""
        key = self._install.shared_login_key.encode()
        wanted = hmac.new(key, f"{time}{username}{redirect}".encode(), hashlib.sha256).hexdigest()
        if not hmac.compare_digest(wanted.encode(), signature.encode()):
            return None
        if not time.isdecimal() or abs(self._install.now.timestamp() - int(time)) > TOLERANCE:
            return None
        user = self._install.user_by_name(username)
        return None if user is None or user.is_staff else user
