"""Logging in, by the billing system's password or by its link, and logging out."""

from datetime import UTC, datetime, timedelta

import structlog
from anyio import to_thread
from starlette.responses import Response

from tollbridge.errors import Refused
from tollbridge.secret import redact
from tollbridge.server.pages.views import FIELD_LONGEST, PASSWORD_LONGEST, LoginView
from tollbridge.server.pages.web import ROOT, Visit, Web

_WITHIN = timedelta(minutes=15)
_LONGEST_EMAIL = FIELD_LONGEST["email"]

_log = structlog.get_logger("tollbridge.pages")


class Entering:
    """``/cloud/login``, ``/cloud/logout`` and ``/cloud/enter/…``."""

    def __init__(self, web: Web) -> None:
        self._web = web

    async def show(self, visit: Visit) -> Response:
        """The log-in page."""
        if visit.client_id is not None:
            return self._web.go(visit, f"{ROOT}/account")
        return self._web.page(visit, "login", LoginView(can_sign_up=self._web.can_sign_up))

    async def log_in(self, visit: Visit) -> Response:
        """Whoever has the billing system's password; every other answer is the same, whatever is wrong."""
        form = await self._web.form(visit)
        email, password = form.get("email", ""), form.get("password", "")
        await self._web.limit(visit, "login", visit.address, 20, _WITHIN)
        await self._web.limit(visit, "login", email.casefold()[:_LONGEST_EMAIL], 10, _WITHIN)
        fits = 0 < len(email) <= _LONGEST_EMAIL and 0 < len(password) <= PASSWORD_LONGEST
        client_id = await to_thread.run_sync(self._authenticated, email, password) if fits else None
        if client_id is None:
            return self._web.page(
                visit, "login", LoginView(email[:_LONGEST_EMAIL], "login.wrong", self._web.can_sign_up), status=403
            )
        return self._web.enter(visit, client_id, f"{ROOT}/account")

    def _authenticated(self, email: str, password: str) -> int | None:
        billing = self._web.parts.billing
        if not billing.can("authenticate"):
            return None
        try:
            client = billing.authenticate(email, password)
        except Refused as error:
            _log.warning("log-in refused", reason=redact(str(error)))
            return None
        return None if client is None else client.id

    async def log_out(self, visit: Visit) -> Response:
        """End the session."""
        await self._web.form(visit)
        return self._web.leave(visit)

    async def enter(self, visit: Visit) -> Response:
        """A link that the billing system got for a client it has logged in: good once, and for a minute."""
        entry = self._web.signing.entry_of(visit.request.path_params["token"])
        now = datetime.now(UTC)
        if entry is None or not await to_thread.run_sync(
            self._web.visits.use, f"entry:{entry.nonce}", now + timedelta(minutes=5), now
        ):
            return self._web.message(visit, "entry_invalid", status=410)
        return self._web.enter(visit, entry.client_id, f"{ROOT}/account")
