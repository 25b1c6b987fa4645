"""The sandbox's own controls below ``/sandbox/``, and the login page a one-time token opens.

They ask for no token: the sandbox is meant for a loopback address.
"""

import html
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import attrs
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from tollbridge.rules.calendar import Month
from tollbridge.sandbox import KINDS
from tollbridge.sandbox import control_routes as shared_control_routes
from tollbridge.solus.sandbox.api.calls import problem, read_body, respond
from tollbridge.solus.sandbox.api.form import Form
from tollbridge.solus.sandbox.api.wire import date
from tollbridge.solus.sandbox.company import small_company
from tollbridge.solus.sandbox.panel import Panel
from tollbridge.solus.sandbox.problems import PanelError, invalid

_UTC = ZoneInfo("UTC")
_OVERVIEW = """\
A SolusIO sandbox. Its clock shows {now}{frozen}.
Users {users}, servers {servers}, plans {plans}, limit groups {groups}.

The API is at {base}/api/v1/ with the token {token}:

  curl -H 'Authorization: Bearer {token}' {base}/api/v1/users
  curl -H 'Authorization: Bearer {token}' '{base}/api/v1/usage?from={start}&to={end}'

Four plans and two limit groups to begin with:

  curl -d '{{"company": "small"}}' {base}/sandbox/seed

Time goes forwards only, and stands still once it was moved:

  curl {base}/sandbox/clock
  curl -d '{{"now": "2026-08-01T00:00:00Z"}}' {base}/sandbox/clock
  curl -d '{{"advance_days": 31}}' {base}/sandbox/clock
  curl -d '{{"advance_hours": 1}}' {base}/sandbox/clock

Tokens of a month that is over, reported late or taken back; for a server, or for a user:

  curl -d '{{"month": "{past}", "server_id": 1, "tokens": 44}}' {base}/sandbox/usage
  curl -d '{{"month": "{past}", "server_id": 1, "tokens": -44}}' {base}/sandbox/usage
  curl -d '{{"month": "{past}", "user_id": 2, "tokens": 44}}' {base}/sandbox/usage

A server becomes another user's:

  curl -d '{{"server_id": 1, "user_id": 3}}' {base}/sandbox/owner

Things that go wrong ({kinds}):

  curl -d '{{"kind": "lost", "method": "POST", "path": "users"}}' {base}/sandbox/faults
  curl {base}/sandbox/faults
  curl -X DELETE {base}/sandbox/faults

The last requests, and the length of a page:

  curl {base}/sandbox/requests
  curl -X DELETE {base}/sandbox/requests
  curl -d '{{"per_page": 2}}' {base}/sandbox/per_page

How many milliseconds each call takes; which calls were made how often, and how many at once:

  curl -d '{{"latency": 5}}' {base}/sandbox/load
  curl {base}/sandbox/load
  curl -X DELETE {base}/sandbox/load
"""

Control = Callable[[Request, dict[str, Any]], Response]


def control_routes(panel: Panel) -> list[Route]:
    """The routes outside the API."""
    controls = _Controls(panel)
    table: list[tuple[str, str, Control]] = [
        ("GET", "/sandbox/", controls.overview),
        ("GET", "/sandbox/clock", controls.clock),
        ("POST", "/sandbox/clock", controls.move_clock),
        ("POST", "/sandbox/seed", controls.seed),
        ("POST", "/sandbox/per_page", controls.set_per_page),
        ("POST", "/sandbox/usage", controls.correct_usage),
        ("POST", "/sandbox/owner", controls.move_server),
        ("GET", "/auth/by_token/{token}", controls.by_token),
    ]
    own = [Route(path, _endpoint(control), methods=[method]) for method, path, control in table]
    return [*own, *shared_control_routes(panel.faults, panel.journal, load=panel.load)]


def _endpoint(control: Control) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        try:
            return control(request, read_body(await request.body()))
        except PanelError as error:
            return problem(error)

    return endpoint


@attrs.frozen
class _Controls:
    panel: Panel

    def overview(self, request: Request, _body: dict[str, Any]) -> Response:
        panel = self.panel
        month = Month.of(panel.now, _UTC)
        text = _OVERVIEW.format(
            start=f"{month}-01T00:00:00Z",
            past=month.previous,
            end=f"{month.next}-01T00:00:00Z",
            base=str(request.base_url).rstrip("/"),
            token=panel.api_token,
            now=date(panel.now),
            frozen=" and stands still" if panel.is_frozen else "",
            users=len(panel.users),
            servers=len(panel.servers),
            plans=len(panel.tables.plans),
            groups=len(panel.tables.limit_groups),
            kinds=", ".join(KINDS),
        )
        return PlainTextResponse(text)

    def clock(self, _request: Request, _body: dict[str, Any]) -> Response:
        return respond({"now": date(self.panel.now), "is_frozen": self.panel.is_frozen})

    def move_clock(self, request: Request, body: dict[str, Any]) -> Response:
        try:
            match body:
                case {"now": str(text)}:
                    self.panel.set_time(datetime.fromisoformat(text))
                case {"advance_hours": int(hours)}:
                    self.panel.advance(timedelta(hours=hours))
                case {"advance_days": int(days)}:
                    self.panel.advance(timedelta(days=days))
                case _:
                    raise invalid(now="Send one of now, advance_hours and advance_days.")
        except (ValueError, OverflowError) as error:
            raise invalid(now=str(error)) from None
        return self.clock(request, body)

    def seed(self, _request: Request, body: dict[str, Any]) -> Response:
        if body.get("company") != "small":
            raise invalid(company='There is one company: "small".')
        small_company(self.panel)
        return respond({"data": {"plans": [plan.name for plan in self.panel.tables.plans]}}, 201)

    def set_per_page(self, _request: Request, body: dict[str, Any]) -> Response:
        rows = body.get("per_page")
        if not isinstance(rows, int) or isinstance(rows, bool) or rows < 1:
            raise invalid(per_page="The per_page must be at least 1.")
        self.panel.per_page = rows
        return respond({"per_page": rows})

    def correct_usage(self, _request: Request, body: dict[str, Any]) -> Response:
        form = Form(body)
        month, tokens = form.text("month", required=True), body.get("tokens")
        server_id, user_id = form.whole("server_id"), form.whole("user_id")
        if not isinstance(tokens, int) or isinstance(tokens, bool):
            form.fail("tokens", "The tokens must be an integer.")
        form.check()
        try:
            parsed = Month.parse(month or "")
        except ValueError as error:
            raise invalid(month=str(error)) from None
        made = self.panel.correct_usage(parsed, tokens or 0, server_id=server_id, user_id=user_id)
        row = {"month": str(parsed), "tokens": made.tokens, "user_id": made.user_id, "server_id": made.server_id}
        return respond({"data": row}, 201)

    def move_server(self, _request: Request, body: dict[str, Any]) -> Response:
        form = Form(body)
        server_id = form.existing("server_id", self.panel.tables.servers, required=True)
        user_id = form.existing("user_id", self.panel.tables.users, required=True)
        form.check()
        moved = self.panel.move_server(server_id or 0, user_id or 0)
        return respond({"data": {"server_id": moved.id, "user_id": moved.user_id}}, 201)

    def by_token(self, request: Request, _body: dict[str, Any]) -> Response:
        """Opens for locked and suspended users too, who may look and read their notice."""
        try:
            user = self.panel.redeem(request.path_params["token"], for_login=True)
        except PanelError as error:
            return HTMLResponse(f"<!DOCTYPE html><title>Expired</title><p>{error.message}", error.status)
        email = html.escape(user.email)
        return HTMLResponse(f"<!DOCTYPE html><title>User area</title><p>Logged in as {email} ({user.status}).")
