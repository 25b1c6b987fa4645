"""Signing up: name and e-mail address, then a link by e-mail, then the terms and a password, then a client and a user.

The password is asked for last, on the page of the e-mailed link, and handed to the billing system at once. So it never
has to be kept, neither in clear nor in any form from which it could be won back. And nobody gets as far as making a
client who has not shown that the e-mail address is theirs, so that the first page need not, and does not, tell whether
an address is known.
"""

import re
import secrets
from datetime import UTC, datetime, timedelta

import structlog
from anyio import to_thread
from starlette.responses import Response

from tollbridge.errors import Conflict, Refused, Unavailable
from tollbridge.jobs.enrolling import finish
from tollbridge.ledger.outbox import Outbox
from tollbridge.ledger.signups import CONFIRMED, CREATING, DONE, MAILED, Joining, Signups
from tollbridge.mail.background import Delivery
from tollbridge.model import Client, Signup
from tollbridge.secret import redact
from tollbridge.server.pages.signing import SIGNUP_SECONDS
from tollbridge.server.pages.views import FIELD_LONGEST, PASSWORD_LONGEST, PASSWORD_SHORTEST, ConfirmView, SignupView
from tollbridge.server.pages.web import ROOT, Form, Stop, Visit, Web

_EMAIL = re.compile(r"[^@\s<>\"(),:;\[\]\\]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})+")
_HOUR = timedelta(hours=1)
_LEASE = timedelta(minutes=10)  # longer than any try at the billing system and SolusIO may take

_log = structlog.get_logger("tollbridge.pages")


class SigningUp:
    """``/cloud/signup``, ``/cloud/confirm/…`` and ``/cloud/account/enrol``."""

    def __init__(self, web: Web, delivery: Delivery) -> None:
        self._web = web
        self._delivery = delivery
        self._outbox = Outbox(web.parts.ledger.engine)
        self._signups = Signups(web.parts.ledger.engine)

    async def show(self, visit: Visit) -> Response:
        """The first form."""
        return self._web.page(visit, "signup", SignupView(can_log_in=self._web.can_log_in))

    async def begin(self, visit: Visit) -> Response:
        """Send the link. The answer is the same for every address, known or not, mailed or held back."""
        form = await self._web.form(visit)
        await self._web.limit(visit, "signup", visit.address, 20, _HOUR)
        fields = {name: form.get(name, "") for name in FIELD_LONGEST}
        problems = _problems(fields)
        if problems:
            view = SignupView(
                fields["first_name"],
                fields["last_name"],
                fields["company"],
                fields["email"],
                problems=problems,
                can_log_in=self._web.can_log_in,
            )
            return self._web.page(visit, "signup", view, status=422)
        await to_thread.run_sync(self._mail_link, fields, visit.language)
        return self._web.page(visit, "signup_sent")

    def _mail_link(self, fields: Form, language: str) -> None:
        web, now = self._web, datetime.now(UTC)
        if not web.visits.allow(f"signup-mail:{fields['email'].casefold()}", 3, _HOUR, now):
            return
        nonce, expires = secrets.token_urlsafe(24), now + timedelta(seconds=SIGNUP_SECONDS)
        joining = Joining(
            nonce,
            email=fields["email"].lower(),
            first_name=fields["first_name"],
            last_name=fields["last_name"],
            company=fields["company"],
            state=MAILED,
            client_id=None,
            expires_at=expires,
        )
        self._signups.start(joining, language=language, at=now)
        link = f"{web.public_url}{ROOT}/confirm/{web.signing.signup(nonce)}"
        mail = web.renderer.mail("signup", language, link=link, hours=SIGNUP_SECONDS // 3600)
        self._outbox.put(f"signup:{nonce}", fields["email"], mail, now)
        self._delivery.wake()

    async def show_terms(self, visit: Visit) -> Response:
        """The page of the link."""
        joining = await self._joining(visit)
        return self._web.page(visit, "confirm", ConfirmView(joining.email, known=joining.state == CONFIRMED))

    async def confirm(self, visit: Visit) -> Response:
        """Accept the terms, and become a client, or be known as one."""
        form = await self._web.form(visit)
        joining = await self._joining(visit)
        await self._web.limit(visit, "confirm", joining.nonce, 10, _HOUR)
        known = joining.state == CONFIRMED
        problems = self._web.terms_problems(form) | _password_problems(form.get("password", ""), known=known)
        if problems:
            return self._web.page(
                visit, "confirm", ConfirmView(joining.email, problems=problems, known=known), status=422
            )
        lease = f"confirming:{joining.nonce}"
        now = datetime.now(UTC)
        if not await to_thread.run_sync(self._web.visits.use, lease, now + _LEASE, now):
            return self._web.message(visit, "signup_unfinished", status=409)
        try:
            return await to_thread.run_sync(self._join, visit, joining, form["password"])
        finally:
            await to_thread.run_sync(self._web.visits.release, lease)

    def _join(self, visit: Visit, joining: Joining, password: str) -> Response:
        web = self._web
        try:
            client = self._client(joining, password)
            if client is None:
                view = ConfirmView(joining.email, problems={"password": "problem.password_wrong"}, known=True)
                return web.page(visit, "confirm", view, status=403)
            finish(web.parts, joining, client)
        except Conflict as error:
            _log.error("sign-up needs a human", reason=redact(str(error)))
            return web.message(visit, "conflict", status=409)
        except Refused as error:
            _log.warning("sign-up refused", reason=redact(str(error)))
            return self._refused(visit, joining)
        except Unavailable as error:
            _log.warning("sign-up not finished yet", reason=redact(str(error)))
            return web.message(visit, "signup_unfinished", status=503)
        return web.enter(visit, client.id, f"{ROOT}/welcome")

    def _refused(self, visit: Visit, joining: Joining) -> Response:
        """The billing system made nobody: the address is a client's already, who is asked for its password."""
        if joining.state == CONFIRMED or not self._web.can_log_in:
            return self._web.message(visit, "conflict", status=409)
        self._signups.confirmed(joining.nonce)
        return self._web.page(visit, "confirm", ConfirmView(joining.email, known=True), status=409)

    def _client(self, joining: Joining, password: str) -> Client | None:
        """The client: known already, made by an earlier try that was cut short, or made now; None: wrong password."""
        billing = self._web.parts.billing
        if joining.client_id is not None:
            return billing.client(joining.client_id)
        if joining.state == CONFIRMED:
            return billing.authenticate(joining.email, password)
        if joining.state == CREATING and self._web.can_log_in:
            client = billing.authenticate(joining.email, password)
            if client is not None:
                return client
        self._signups.accepted(joining.nonce, datetime.now(UTC))
        return billing.create_client(
            Signup(
                joining.email,
                first_name=joining.first_name,
                last_name=joining.last_name,
                company=joining.company,
                password=password,
            )
        )

    async def welcome(self, visit: Visit) -> Response:
        """Where a sign-up ends: the way into SolusIO."""
        self._web.client_of(visit)
        return self._web.page(visit, "welcome")

    async def _joining(self, visit: Visit) -> Joining:
        """The sign-up that the link in the address is about, if it can still be finished."""
        nonce = self._web.signing.signup_nonce(visit.request.path_params["token"])
        joining = None if nonce is None else await to_thread.run_sync(self._signups.find, nonce)
        if joining is None or joining.expires_at < datetime.now(UTC):
            raise Stop(
                self._web.message(visit, "link_expired", status=410, link=f"{ROOT}/signup", link_text="common.signup")
            )
        if joining.state == DONE:
            raise Stop(
                self._web.message(visit, "link_used", status=410, link=f"{ROOT}/login", link_text="common.login")
            )
        return joining


def _problems(fields: Form) -> dict[str, str]:
    """What is wrong with the first form, by field."""
    problems = {}
    for name, longest in FIELD_LONGEST.items():
        value = fields[name]
        if len(value) > longest:
            problems[name] = "problem.too_long"
        elif not value.isprintable():
            problems[name] = "problem.characters"
        elif not value and name != "company":
            problems[name] = "problem.required"
    if "email" not in problems and not _EMAIL.fullmatch(fields["email"]):
        problems["email"] = "problem.email"
    return problems


def _password_problems(password: str, *, known: bool) -> dict[str, str]:
    shortest = 1 if known else PASSWORD_SHORTEST
    return {} if shortest <= len(password) <= PASSWORD_LONGEST else {"password": "problem.password_short"}
