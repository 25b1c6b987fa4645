"""What every page shares: sessions, forms that only our own pages can send, and careful headers."""

import asyncio
import csv
import io
import re
import secrets
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, ParamSpec, TypeVar
from urllib.parse import quote, urlencode, urlsplit

import attrs
import structlog
from anyio import CapacityLimiter, to_thread
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from tollbridge.config import PagesSettings
from tollbridge.errors import Refused, TollbridgeError
from tollbridge.jobs.parts import Parts
from tollbridge.jobs.price_lists import RunningPrices
from tollbridge.jobs.statement import UsageMemory
from tollbridge.ledger import Account
from tollbridge.model import Client
from tollbridge.secret import redact
from tollbridge.server.forms import CallerGone, FormRefused, read_form
from tollbridge.server.pages.renderer import Renderer, language_of
from tollbridge.server.pages.signatures import SESSION_SECONDS, Session, Signatures
from tollbridge.server.pages.views import MessageView, Site
from tollbridge.server.pages.visit import SESSION_COOKIE, Stop, Visit, is_foreign
from tollbridge.texts.languages import LANGUAGES, Language
from tollbridge.words import csv_cell

ROOT = "/cloud"
_FORM_SECONDS = 10.0
_YEAR_SECONDS = 365 * 24 * 3600
_THREADS = 20, 10, 4  # for other systems, for the ledger, for anybody's questions; price look-ups have others

_log = structlog.get_logger("tollbridge.pages")

Form = dict[str, str]
Given = ParamSpec("Given")
Result = TypeVar("Result")


class Web:
    """The pages' common ground."""

    def __init__(self, parts: Parts, settings: PagesSettings, prices: RunningPrices) -> None:
        server = parts.settings.server
        self.parts = parts
        self.settings = settings
        self.public_url = (server.public_url or f"http://{server.host}:{server.port}").rstrip("/")
        self.signing = Signatures(settings.secret)
        self.visits = parts.ledger.visits
        self.prices = prices
        self.usage = UsageMemory(parts)
        self.can_log_in = parts.billing.can("authenticate")
        self.can_sign_up = parts.settings.mail is not None and parts.billing.can("create_client")
        self.renderer = Renderer(
            Site(
                settings.name,
                settings.colour,
                has_logo=settings.logo is not None,
                terms_url=settings.terms_url,
                postpay_terms_url=settings.postpay_terms_url,
                support_email=settings.support_email,
                can_sign_up=self.can_sign_up,
                can_log_in=self.can_log_in,
                password_url=settings.password_url or parts.billing.password_url,
                privacy_url=settings.privacy_url,
                imprint_url=settings.imprint_url,
            ),
            settings.templates,
        )
        self._systems, self._ledger, self._anybody = (CapacityLimiter(threads) for threads in _THREADS)
        self._secure = self.public_url.lower().startswith("https:")
        # Browsers let nobody else, not even a neighbouring domain, set a cookie that is called so.
        own = "__Host-" if self._secure else ""
        self._visit_cookie, self._session_cookie = f"{own}tollbridge_visit", f"{own}{SESSION_COOKIE}"
        self._language_cookie = f"{own}tollbridge_language"
        self._policy = (
            "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none';"
            f" form-action 'self' {self._where_forms_end()}"
        )

    def endpoint(self, handle: Callable[[Visit], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
        """A page as Starlette calls it: with its visit, and with every outage said in plain words."""

        async def answer(request: Request) -> Response:
            visit = Visit(
                request,
                _visitor(request.cookies.get(self._visit_cookie, "")),
                self._language(request),
                session=None,
            )
            if (chosen := _chosen(request)) is not None:
                return self._in_another_language(visit, chosen)
            try:
                visit = attrs.evolve(visit, session=await self._session(request))
                return await handle(visit)
            except Stop as stop:
                return stop.response
            except TollbridgeError as error:
                _log.error("page not available", page=handle.__qualname__, reason=redact(str(error)))
                return self.message(visit, "unavailable", status=503)
            except Exception:  # noqa: BLE001 - whatever it is, a customer is told in a page that it is our fault
                _log.exception("fault", page=handle.__qualname__)
                return self.message(visit, "fault", status=500)

        return answer

    def _language(self, request: Request) -> Language:
        """The one that was chosen on a page, else the browser's, else the company's."""
        chosen = _language_named(request.cookies.get(self._language_cookie, ""))
        return chosen or language_of(request.headers.get("accept-language", ""), self.parts.settings.billing.language)

    def _in_another_language(self, visit: Visit, language: Language) -> Response:
        """The same page, in the language that was chosen, and from now on all others."""
        response = self.go(visit, _here(visit.request))
        self._set(response, self._language_cookie, language, _YEAR_SECONDS)
        return response

    async def work(self, function: Callable[Given, Result], *values: Given.args, **more: Given.kwargs) -> Result:
        """The function's result; it may wait for another system or the ledger, so it runs in a thread of its own."""
        return await to_thread.run_sync(partial(function, *values, **more), limiter=self._systems)

    async def in_ledger(self, function: Callable[Given, Result], *values: Given.args, **more: Given.kwargs) -> Result:
        """As :meth:`work`, for what waits for the ledger alone, and so never for what waits for another system."""
        return await to_thread.run_sync(partial(function, *values, **more), limiter=self._ledger)

    async def for_anybody(self, function: Callable[Given, Result], *values: Given.args, **more: Given.kwargs) -> Result:
        """As :meth:`work`, for what anybody may ask for: a few at a time, so that they keep no client waiting."""
        return await to_thread.run_sync(partial(function, *values, **more), limiter=self._anybody)

    async def _session(self, request: Request) -> Session | None:
        """The session that the browser comes with, unless it was altered, is over, or was ended."""
        value = request.cookies.get(self._session_cookie, "")
        session = self.signing.session_of(value) if value else None
        if session is None:
            return None
        ended = await self.in_ledger(self.visits.was_used, _ended(session), datetime.now(UTC))
        return None if ended else session

    def _where_forms_end(self) -> str:
        """In SolusIO, or in the billing system's client area, whose address only its adapter knows.

        Only pages that come over plain http themselves, as on one's own machine, may lead to plain http.
        """
        solus = urlsplit(self.parts.settings.solus.user_area_url or self.parts.settings.solus.url)
        schemes = "https:" if self._secure else "https: http:"
        return f"{schemes} {solus.scheme}://{solus.netloc}"

    def page(self, visit: Visit, name: str, view: Any = None, *, status: int = 200) -> Response:
        """A page, in the visitor's language."""
        text = self.renderer.page(
            name,
            visit.language,
            view,
            csrf=self.signing.form(visit.cookie, visit.session),
            logged_in=visit.session is not None,
            here=_here(visit.request),
        )
        return self._guarded(visit, HTMLResponse(text, status))

    def table(self, visit: Visit, name: str, rows: Iterable[Iterable[Any]]) -> Response:
        """A file for spreadsheets, in which nothing is taken for a formula."""
        written = io.StringIO()
        csv.writer(written, lineterminator="\r\n").writerows(map(csv_cell, row) for row in rows)
        response = Response(written.getvalue(), media_type="text/csv; charset=utf-8")
        response.headers["Content-Disposition"] = f'attachment; filename="{name}.csv"'
        return self._guarded(visit, response)

    def message(self, visit: Visit, kind: str, *, status: int, link: str = ROOT, link_text: str = "") -> Response:
        """A page that only says something: ``message.<kind>`` of the texts, and its title."""
        view = MessageView(f"message.{kind}_title", f"message.{kind}", link, link_text)
        return self.page(visit, "message", view, status=status)

    async def closed(self, visit: Visit) -> Response:
        """Where signing up would be, if the billing system could make clients and mails could be sent."""
        return self.message(visit, "signup_closed", status=404)

    async def nowhere(self, visit: Visit) -> Response:
        """Any other address below ours."""
        path = visit.request.url.path
        if path.endswith("/"):
            return self.go(visit, path.rstrip("/"))
        return self.message(visit, "not_found", status=404)

    def authenticated(self, email: str, password: str) -> Client | None:
        """Whose e-mail address and password these are; None if they do not prove it, for whatever reason."""
        if not self.can_log_in:
            return None
        try:
            return self.parts.billing.authenticate(email, password)
        except Refused as error:
            _log.warning("log-in refused", reason=redact(str(error)))
            return None

    def offered(self) -> tuple[str, ...]:
        """The currencies to choose from."""
        return self.prices.offered()

    def account(self, client_id: int) -> Account | None:
        """The client's SolusIO user, as the ledger knows it."""
        return self.parts.ledger.accounts.of_clients([client_id]).get(client_id)

    def login_url(self, account: Account) -> str:
        """A one-time log-in to SolusIO; errors as of :meth:`Solus.login_url`."""
        return self.parts.solus.login_url(account.user_id, account.client_id, account.email)

    def go(self, visit: Visit, to: str) -> Response:
        """Send the browser on, to one of our own pages or to an address that the bridge has just made."""
        return self._guarded(visit, RedirectResponse(to, 303))

    def enter(self, visit: Visit, client_id: int, to: str) -> Response:
        """Log the client in and send the browser on; what the browser had before means nothing any more.

        It waits for the ledger.
        """
        self._end(visit)
        response = self.go(attrs.evolve(visit, cookie=secrets.token_urlsafe(24)), to)
        self._set(response, self._session_cookie, self.signing.session(client_id), SESSION_SECONDS)
        return response

    async def leave(self, visit: Visit) -> Response:
        """Log out: the session is worth nothing any more, not even to who copied it."""
        await self.in_ledger(self._end, visit)
        response = self.go(attrs.evolve(visit, cookie=secrets.token_urlsafe(24)), ROOT)
        self._set(response, self._session_cookie, "", 0)
        return response

    def _end(self, visit: Visit) -> None:
        if visit.session:
            now = datetime.now(UTC)
            self.visits.use(_ended(visit.session), now + 2 * timedelta(seconds=SESSION_SECONDS), now)

    async def form(self, visit: Visit) -> Form:
        """The form that was sent, if one of our own pages made it for this browser."""
        try:
            async with asyncio.timeout(_FORM_SECONDS):
                fields = await read_form(visit.request.scope, visit.request.receive)
        except TimeoutError:
            raise Stop(self.message(visit, "form_unreadable", status=400)) from None
        except FormRefused as refusal:
            kind = "too_large" if refusal.status == 413 else "form_unreadable"
            raise Stop(self.message(visit, kind, status=refusal.status)) from None
        except CallerGone:
            raise Stop(Response(status_code=400)) from None
        if any("\0" in value for value in fields.values()):  # some databases mind
            raise Stop(self.message(visit, "form_unreadable", status=400))
        cookie = visit.request.cookies.get(self._visit_cookie, "")
        ours = bool(cookie) and self.signing.is_form(cookie, visit.session, fields.get("csrf", ""))
        if not ours or is_foreign(visit.request.headers, self.public_url):
            raise Stop(self._expired(visit))
        return {name: value.strip() if name != "password" else value for name, value in fields.items()}

    def _expired(self, visit: Visit) -> Response:
        """A form that was shown to another session, or to none; a way back to where it is shown."""
        path = visit.request.url.path
        if visit.session is None and path.startswith((f"{ROOT}/account", f"{ROOT}/logout")):
            return self.go(visit, f"{ROOT}/login")
        shown_at = f"{ROOT}/account" if path.startswith((f"{ROOT}/account", f"{ROOT}/logout")) else path
        return self.message(visit, "form_expired", status=403, link=shown_at, link_text="message.again")

    def client_of(self, visit: Visit) -> int:
        """Who is logged in; anybody else is sent to the log-in page."""
        if visit.session is None:
            raise Stop(self.go(visit, f"{ROOT}/login"))
        return visit.session.client_id

    def terms_problems(self, form: Form) -> dict[str, str]:
        """What was not accepted and must be, by field."""
        wanted = ["terms", "postpay_terms"] if self.settings.postpay_terms_url else ["terms"]
        return {name: "problem.terms" for name in wanted if form.get(name) != "on"}

    def _guarded(self, visit: Visit, response: Response) -> Response:
        response.headers.update(
            {
                "Content-Security-Policy": self._policy,
                "Cache-Control": "no-store",
                "Referrer-Policy": "same-origin",
                "X-Content-Type-Options": "nosniff",
                "Vary": "Accept-Language, Cookie",
            }
        )
        self._set(response, self._visit_cookie, visit.cookie, None)
        return response

    def _set(self, response: Response, name: str, value: str, seconds: int | None) -> None:
        response.set_cookie(name, value, seconds, secure=self._secure, httponly=True, samesite="lax")


def _visitor(cookie: str) -> str:
    """The cookie that tells browsers apart, if we made it; else a new one."""
    return cookie if re.fullmatch(r"[\w-]{32}", cookie, re.ASCII) else secrets.token_urlsafe(24)


def _language_named(name: str) -> Language | None:
    return next((language for language in LANGUAGES if language == name), None)


def _chosen(request: Request) -> Language | None:
    """The language that a link of ours asks for."""
    return _language_named(request.query_params.get("language", "")) if request.method == "GET" else None


def _here(request: Request) -> str:
    """The address that shows the page again; of one that a form of the account was answered with, the account's."""
    path = request.url.path
    if path.startswith((f"{ROOT}/account/", f"{ROOT}/logout")):
        return f"{ROOT}/account"
    if not path.startswith(ROOT) or path.startswith("//"):
        return ROOT
    asked = [(name, value) for name, value in request.query_params.multi_items() if name in {"currency", "year"}]
    return quote(path) + (f"?{urlencode(asked)}" if asked else "")


def _ended(session: Session) -> str:
    return f"session:{session.nonce}"
