"""Logging in, by the billing system's password or by its link, and logging out."""

from datetime import UTC, datetime, timedelta

import structlog
from starlette.responses import Response

from tollbridge.errors import ServiceError
from tollbridge.secret import redact
from tollbridge.server.pages.limits import guess
from tollbridge.server.pages.signatures import Entry
from tollbridge.server.pages.views import FIELD_LONGEST, PASSWORD_LONGEST, LoginView
from tollbridge.server.pages.visit import Visit
from tollbridge.server.pages.web import ROOT, Web

ACCOUNT, SOLUSIO = DESTINATIONS = "account", "solusio"
_LONGEST_EMAIL = FIELD_LONGEST["email"]

_log = structlog.get_logger("tollbridge.pages")


class LogIn:
    """``/cloud/login``, ``/cloud/logout`` and ``/cloud/enter/…``."""

    def __init__(self, web: Web) -> None:
        self._web = web

    async def show(self, visit: Visit) -> Response:
        """The log-in page."""
        if visit.session:
            return self._web.go(visit, f"{ROOT}/account")
        problem = "login.session_ended" if visit.session_ended else ""
        return self._web.page(visit, "login", LoginView(problem=problem, can_sign_up=self._web.can_sign_up))

    async def log_in(self, visit: Visit) -> Response:
        """Whoever has the billing system's password; every other answer is the same, whatever is wrong."""
        form = await self._web.form(visit)
        email, password = form.get("email", ""), form.get("password", "")
        return await guess(self._web, visit, email, lambda: self._log_in(visit, email, password))

    def _log_in(self, visit: Visit, email: str, password: str) -> Response:
        # Some databases take accents for nothing, and every spelling would have limits of its own.
        fits = email.isascii() and 0 < len(email) <= _LONGEST_EMAIL and 0 < len(password) <= PASSWORD_LONGEST
        client = self._web.authenticated(email, password) if fits else None
        if client is None:
            view = LoginView(email[:_LONGEST_EMAIL], "login.wrong", self._web.can_sign_up)
            return self._web.page(visit, "login", view, status=403)
        return self._web.enter(visit, client.id, f"{ROOT}/account")

    async def log_out(self, visit: Visit) -> Response:
        """End the session."""
        await self._web.form(visit)
        return await self._web.leave(visit)

    async def enter(self, visit: Visit) -> Response:
        """A link that the billing system got for a client it has logged in: good once, and for a minute."""
        if visit.request.method == "HEAD":  # only looked at
            return Response()
        entry = self._web.signing.entry_of(visit.request.path_params["token"])
        if entry and visit.session and visit.session.client_id != entry.client_id:
            return self._web.message(visit, "entry_other", status=409)
        now = datetime.now(UTC)
        if entry is None or not await self._web.in_ledger(
            self._web.visits.use, f"entry:{entry.nonce}", now + timedelta(minutes=5), now
        ):
            return self._web.message(visit, "entry_invalid", status=410)
        return await self._web.in_ledger(self._web.enter, visit, entry.client_id, await self._end_of(entry))

    async def _end_of(self, entry: Entry) -> str:
        """Where a link leads: to SolusIO by a one-time log-in made now, if that is wanted and the client has a user."""
        account = (
            await self._web.in_ledger(self._web.account, entry.client_id) if entry.destination == SOLUSIO else None
        )
        if account is not None:
            try:
                return await self._web.work(self._web.login_url, account)
            except ServiceError as error:  # the account's page has another button for it
                _log.warning("no way into SolusIO just now", client_id=entry.client_id, reason=redact(str(error)))
        return f"{ROOT}/account"
