"""Signing up: name and e-mail address, then a link by e-mail, then the terms and a password, then a client and a user.

The password is asked for last, on the page of the e-mailed link, and handed to the billing system at once. So it never
has to be kept, neither in clear nor in any form from which it could be won back. And nobody gets as far as making a
client who has not shown that the e-mail address is theirs, so that the first page need not, and does not, tell whether
an address is known.
"""

import secrets
from datetime import UTC, datetime, timedelta

import attrs
import structlog
from babel.numbers import get_currency_name
from starlette.responses import Response

from tollbridge.errors import AddressTaken, Conflict, NotFound, Refused, Unavailable
from tollbridge.jobs.enrolment import finish, lease_of
from tollbridge.ledger.signups import CONFIRMED, DONE, MAILED, Joining
from tollbridge.mail.background import Delivery
from tollbridge.model import Client, ClientStatus, Signup
from tollbridge.secret import redact
from tollbridge.server.pages.countries import countries
from tollbridge.server.pages.form_problems import form_problems, mailbox, password_problems
from tollbridge.server.pages.limits import guess, limit
from tollbridge.server.pages.signatures import SIGNUP_SECONDS
from tollbridge.server.pages.views import FIELD_LONGEST, ConfirmView, SignupView
from tollbridge.server.pages.visit import Stop, Visit
from tollbridge.server.pages.web import ROOT, Form, Web

_HOUR = timedelta(hours=1)
_LEASE = timedelta(minutes=10)  # longer than any try at the billing system and SolusIO may take

_log = structlog.get_logger("tollbridge.pages")


class SignUp:
    """``/cloud/signup``, ``/cloud/confirm/…`` and ``/cloud/welcome``."""

    def __init__(self, web: Web, delivery: Delivery) -> None:
        self._web = web
        self._delivery = delivery
        self._outbox = web.parts.ledger.outbox
        self._signups = web.parts.ledger.signups

    async def show(self, visit: Visit) -> Response:
        """The first form; the currency may have been chosen on the landing page already."""
        offered = await self._web.for_anybody(self._web.offered)
        wanted = visit.request.query_params.get("currency", "")
        chosen = wanted if wanted in offered else ""
        return self._form(visit, {"currency": chosen}, offered, {})

    async def begin(self, visit: Visit) -> Response:
        """Send the link. The answer is the same for every address, known or not, mailed or held back."""
        form = await self._web.form(visit)
        offered = await self._web.for_anybody(self._web.offered)
        fields = {name: form.get(name, "") for name in (*FIELD_LONGEST, "country", "currency")}
        if len(offered) < 2:
            fields["currency"] = offered[0] if offered else ""
        if problems := form_problems(fields, offered):
            return self._form(visit, fields, offered, problems)
        await limit(self._web, visit, f"signup:{visit.address}", 20, _HOUR)
        await self._web.in_ledger(self._mail_link, fields, visit.language)
        return self._web.page(visit, "signup_sent")

    def _form(self, visit: Visit, fields: Form, offered: tuple[str, ...], problems: dict[str, str]) -> Response:
        names = {code: get_currency_name(code, locale=visit.language) for code in offered}
        view = SignupView(
            countries(visit.language), names, **fields, problems=problems, can_log_in=self._web.can_log_in
        )
        return self._web.page(visit, "signup", view, status=422 if problems else 200)

    def _mail_link(self, fields: Form, language: str) -> None:
        web, now = self._web, datetime.now(UTC)
        if not web.visits.allow(f"signup-mail:{mailbox(fields['email'])}", 3, _HOUR, now):
            return
        nonce, expires = secrets.token_urlsafe(24), now + timedelta(seconds=SIGNUP_SECONDS)
        joining = Joining(
            nonce,
            email=fields["email"].lower(),
            first_name=fields["first_name"],
            last_name=fields["last_name"],
            company=fields["company"],
            currency=fields["currency"],
            country=fields["country"],
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
        return self._web.page(visit, "confirm", _view(joining))

    async def confirm(self, visit: Visit) -> Response:
        """Accept the terms, and become a client, or be known as one."""
        form = await self._web.form(visit)
        joining = await self._joining(visit)
        password = form.get("password", "")
        problems = self._web.terms_problems(form) | password_problems(password, known=joining.is_known)
        if problems:
            return self._web.page(visit, "confirm", _view(joining, problems), status=422)
        lease, now = lease_of(joining), datetime.now(UTC)
        if not await self._web.in_ledger(self._web.visits.use, lease, now + _LEASE, now):
            return self._web.message(visit, "signup_unfinished", status=409)
        try:
            await limit(self._web, visit, f"confirm:{joining.nonce}", 10, _HOUR)
            joining = await self._joining(visit)  # another confirmation may have come to its end in the meantime
            return await guess(
                self._web, visit, joining.email, lambda: self._join(visit, joining, password), by_link=True
            )
        finally:
            await self._web.in_ledger(self._web.visits.release, lease, now + _LEASE)

    def _join(self, visit: Visit, joining: Joining, password: str) -> Response:
        web = self._web
        try:
            client = self._client(visit, joining, password)
            if client.status is ClientStatus.CLOSED:
                return web.message(visit, "closed", status=403)
            finish(web.parts, joining, client)
        except (Conflict, Refused, NotFound) as error:
            _log.error("sign-up needs a human", reason=redact(str(error)))
            return web.message(visit, "conflict", status=409)
        except Unavailable as error:
            _log.warning("sign-up not finished yet", reason=redact(str(error)))
            return web.message(visit, "signup_unfinished", status=503)
        return web.enter(visit, client.id, f"{ROOT}/welcome")

    def _client(self, visit: Visit, joining: Joining, password: str) -> Client:
        """The client: known already, made by an earlier try that was cut short, or made now.

        Raises:
            Stop: the password is not that of the client who is known.
        """
        web = self._web
        if joining.is_known and not web.can_log_in:  # nobody can prove who they are; the daily job ends it
            raise Stop(web.message(visit, "signup_unfinished", status=503))
        client = None if joining.state == MAILED else web.authenticated(joining.email, password)
        if client is None and joining.is_known:
            raise Stop(self._ask_again(visit, joining, "password_wrong"))
        return client or self._create(visit, joining, password)

    def _create(self, visit: Visit, joining: Joining, password: str) -> Client:
        """A client made now, or one who is known already and has given its password at once.

        Raises:
            Stop: the billing system made nobody, and the page says what to enter instead.
        """
        self._signups.accepted(joining.nonce, datetime.now(UTC))
        try:
            return self._web.parts.billing.create_client(_signup(joining, password))
        except Refused as error:
            client = self._web.authenticated(joining.email, password)
            if client is None:
                raise Stop(self._refused(visit, joining, error)) from None
            return client

    def _refused(self, visit: Visit, joining: Joining, error: Refused) -> Response:
        if not isinstance(error, AddressTaken):
            _log.warning("sign-up refused", reason=redact(str(error)))
            self._signups.refused(joining.nonce)
            return self._ask_again(visit, joining, "refused")
        if not self._web.can_log_in:
            self._signups.refused(joining.nonce)
            return self._web.message(visit, "conflict", status=409)
        self._signups.confirmed(joining.nonce)
        return self._ask_again(visit, attrs.evolve(joining, state=CONFIRMED), "")

    def _ask_again(self, visit: Visit, joining: Joining, problem: str) -> Response:
        problems = {"password": f"problem.{problem}"} if problem else {}
        status = 403 if problem == "password_wrong" else 409
        return self._web.page(visit, "confirm", _view(joining, problems), status=status)

    async def welcome(self, visit: Visit) -> Response:
        """Where a sign-up ends: the way into SolusIO."""
        self._web.client_of(visit)
        return self._web.page(visit, "welcome")

    async def _joining(self, visit: Visit) -> Joining:
        """The sign-up that the link in the address is about, if it can still be finished."""
        nonce = self._web.signing.signup_nonce(visit.request.path_params["token"])
        joining = None if nonce is None else await self._web.in_ledger(self._signups.find, nonce)
        if joining is None or joining.expires_at < datetime.now(UTC):
            raise Stop(
                self._web.message(visit, "link_expired", status=410, link=f"{ROOT}/signup", link_text="common.signup")
            )
        if joining.state == DONE:
            raise Stop(
                self._web.message(visit, "link_used", status=410, link=f"{ROOT}/login", link_text="common.login")
            )
        return joining


def _view(joining: Joining, problems: dict[str, str] | None = None) -> ConfirmView:
    name = f"{joining.first_name} {joining.last_name}"
    return ConfirmView(joining.email, name, joining.company, problems or {}, known=joining.is_known)


def _signup(joining: Joining, password: str) -> Signup:
    return Signup(
        joining.email,
        first_name=joining.first_name,
        last_name=joining.last_name,
        company=joining.company,
        currency=joining.currency,
        country=joining.country,
        password=password,
    )
