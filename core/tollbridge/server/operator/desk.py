"""What the operator's pages share: who is let in, how they answer, and where their work is done."""

import asyncio
import csv
import io
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from itertools import islice
from typing import ParamSpec, TypeVar

import attrs
import structlog
from anyio import CapacityLimiter, to_thread
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response, StreamingResponse

from tollbridge.config import OperatorSettings
from tollbridge.errors import NotFound, TollbridgeError
from tollbridge.jobs.parts import Parts
from tollbridge.jobs.price_lists import Clock
from tollbridge.secret import redact
from tollbridge.server.forms import CallerGone, FormRefused, read_form
from tollbridge.server.operator.operator_renderer import OperatorRenderer
from tollbridge.server.operator.operator_sessions import SESSION_SECONDS, OperatorSessions
from tollbridge.server.operator.sheets import Asked, Sheet, Table
from tollbridge.server.pages.limits import limited_guess
from tollbridge.server.pages.renderer import language_of
from tollbridge.server.pages.visit import Stop, address_of, is_foreign

ROOT = "/operator"
_THREADS = 4
_CHUNK = 500
_FORM_SECONDS = 10.0
_MOST_HERE, _MOST_ANYWHERE = 10, 100  # wrong tokens in a quarter of an hour
_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
)

_log = structlog.get_logger("tollbridge.operator")

Given = ParamSpec("Given")
Result = TypeVar("Result")


@attrs.frozen
class Caller:
    """One request: in which language it is answered, and with which session it comes."""

    request: Request
    language: str
    session: str
    is_in: bool = False


Handler = Callable[[Caller], Awaitable[Response]]


class Desk:
    """The pages' common ground."""

    def __init__(self, parts: Parts, settings: OperatorSettings, clock: Clock) -> None:
        self.parts = parts
        self.clock = clock
        self.visits = parts.ledger.visits
        self.sessions = OperatorSessions(self.visits, settings.token)
        pages = parts.settings.pages
        self.renderer = OperatorRenderer(
            pages.name if pages else "Tollbridge", pages.colour if pages else None, parts.settings.billing.timezone
        )
        server = parts.settings.server
        self._public_url = server.public_url or f"http://{server.host}:{server.port}"
        self._secure = self._public_url.lower().startswith("https:")
        # A cookie that is called so is only ever set over TLS; the customers' pages neither see nor set it.
        self._cookie = f"{'__Secure-' if self._secure else ''}tollbridge_operator"
        self._threads = CapacityLimiter(_THREADS)

    async def work(self, function: Callable[Given, Result], *values: Given.args, **more: Given.kwargs) -> Result:
        """The function's result; it reads the ledger, so it runs in a thread of its own."""
        return await to_thread.run_sync(partial(function, *values, **more), limiter=self._threads)

    in_ledger = work

    # Answering

    def endpoint(self, handle: Handler, *, to_anybody: bool = False) -> Callable[[Request], Awaitable[Response]]:
        """A page as Starlette calls it; who is not logged in is sent to do so, unless it is shown ``to_anybody``."""

        async def answer(request: Request) -> Response:
            language = language_of(request.headers.get("accept-language", ""), self.parts.settings.billing.language)
            caller = Caller(request, language, request.cookies.get(self._cookie, "")[:100])
            try:
                is_in = await self.work(self.sessions.is_open, caller.session, self.clock())
                caller = attrs.evolve(caller, is_in=is_in)
                if not is_in and not to_anybody:
                    return self.go(ROOT)
                return await handle(caller)
            except Stop as stop:
                return stop.response
            except NotFound:
                return self.message(caller, "not_found", status=404)
            except TollbridgeError as error:
                _log.error("page not available", path=request.url.path, reason=redact(str(error)))
                return self.message(caller, "unavailable", status=503)
            except Exception:  # noqa: BLE001 - whatever it is, it is said in a page, and the log has the rest
                _log.exception("fault", path=request.url.path)
                return self.message(caller, "fault", status=500)

        return answer

    def asked(self, caller: Caller) -> Asked:
        """What a page is asked for, by its address."""
        now = self.clock()
        today = now.astimezone(self.parts.settings.billing.timezone).date()
        query = dict(caller.request.query_params)
        return Asked(caller.language, now, today, query, whole="csv" in query)

    async def sheet(self, caller: Caller, make: Callable[[Asked], Sheet]) -> Response:
        """A sheet as a page, or one of its tables as CSV."""
        asked = self.asked(caller)
        made = await self.work(make, asked)
        if asked.whole:
            table = made.tables.get(asked.text("csv"))
            if table is None:
                raise NotFound("there is no such table")
            return self._csv(table)
        path = caller.request.url.path.removeprefix(f"{ROOT}/").removeprefix(ROOT)
        query = caller.request.url.query
        html = await self.work(self.renderer.sheet, made, caller.language, path, query)
        return self._guarded(HTMLResponse(html))

    def message(self, caller: Caller, kind: str, *, status: int) -> Response:
        """A page that only says something."""
        html = self.renderer.page("message", caller.language, kind=kind, is_in=caller.is_in)
        return self._guarded(HTMLResponse(html, status))

    def go(self, to: str) -> Response:
        """Send the browser on to one of our own pages."""
        return self._guarded(RedirectResponse(to, 303))

    def _csv(self, table: Table) -> Response:
        lines = self.renderer.csv(table)
        response = StreamingResponse(_chunks(lines), media_type="text/csv; charset=utf-8")
        response.headers["Content-Disposition"] = f'attachment; filename="{table.name}.csv"'
        return self._guarded(response)

    def _guarded(self, response: Response) -> Response:
        response.headers.update(
            {
                "Content-Security-Policy": _POLICY,
                "Cache-Control": "no-store",
                "Referrer-Policy": "same-origin",
                "X-Content-Type-Options": "nosniff",
                "Vary": "Accept-Language, Cookie",
            }
        )
        return response

    # Logging in

    async def show_log_in(self, caller: Caller, *, wrong: bool = False) -> Response:
        """The log-in page."""
        problem = "login.wrong" if wrong else "login.ended" if caller.session else ""
        html = self.renderer.page("operator_login", caller.language, problem=problem, is_in=False)
        return self._guarded(HTMLResponse(html, 403 if wrong else 200))

    async def log_in(self, caller: Caller) -> Response:
        """Whoever has the token, which is sent this once; whoever has not is limited in how often it may try."""
        form = await self._form(caller)
        here = f"operator-from:{address_of(caller.request)}"
        wrong = await self.show_log_in(caller, wrong=True)

        def attempt() -> Response:
            if not self.sessions.is_token(form.get("token", "").strip()):
                return wrong
            self.sessions.end(caller.session)
            response = self.go(ROOT)
            self._set(response, self.sessions.begin(self.clock()), SESSION_SECONDS)
            return response

        limits = {here: _MOST_HERE, "operator": _MOST_ANYWHERE}
        response = await limited_guess(self, limits, attempt, lambda: self.message(caller, "too_many", status=429))
        if response is wrong:
            _log.warning("wrong operator token", address=address_of(caller.request))
        return response

    async def log_out(self, caller: Caller) -> Response:
        """End the session."""
        await self._form(caller)
        await self.work(self.sessions.end, caller.session)
        response = self.go(ROOT)
        self._set(response, "", 0)
        return response

    async def _form(self, caller: Caller) -> dict[str, str]:
        """The form that was sent, if the browser does not say that another site did."""
        request = caller.request
        if is_foreign(request.headers, self._public_url):
            raise Stop(self.message(caller, "foreign", status=403))
        try:
            async with asyncio.timeout(_FORM_SECONDS):
                return await read_form(request.scope, request.receive)
        except TimeoutError:
            raise Stop(self.message(caller, "form_unreadable", status=400)) from None
        except FormRefused as refusal:
            raise Stop(self.message(caller, "form_unreadable", status=refusal.status)) from None
        except CallerGone:
            raise Stop(Response(status_code=400)) from None

    def _set(self, response: Response, value: str, seconds: int) -> None:
        response.set_cookie(
            self._cookie, value, seconds, path=ROOT, secure=self._secure, httponly=True, samesite="strict"
        )


def _chunks(lines: Iterator[list[str]]) -> Iterator[str]:
    """CSV in pieces that are worth sending."""
    while batch := list(islice(lines, _CHUNK)):
        made = io.StringIO()
        csv.writer(made, lineterminator="\r\n").writerows(batch)
        yield made.getvalue()
