"""The controls every sandbox has below ``/sandbox/``: what goes wrong, what was asked, and how much.

They ask for no token: a sandbox is meant for a loopback address.
"""

import json
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import attrs
import orjson
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from tollbridge.sandbox.faults import KINDS, Fault, Faults
from tollbridge.sandbox.journal import Journal
from tollbridge.sandbox.load import Load
from tollbridge.sandbox.simulator import Simulator

Json = dict[str, Any]
Control = Callable[[Request, Json], Response]

_QUIRKS = """\

How this one differs from others ({quirks}):

  curl {base}/sandbox/quirks
  curl -d '{example}' {base}/sandbox/quirks
"""
_SHARED = """\

Things that go wrong ({kinds}):

  curl -d '{{"kind": "lost", "path": "{call}"}}' {base}/sandbox/faults
  curl {base}/sandbox/faults
  curl -X DELETE {base}/sandbox/faults

The last requests:

  curl {base}/sandbox/requests
  curl -X DELETE {base}/sandbox/requests

How many milliseconds each call takes; which calls were made how often, and how many at once:

  curl -d '{{"latency": 5}}' {base}/sandbox/load
  curl {base}/sandbox/load
  curl -X DELETE {base}/sandbox/load
"""


def control_routes(faults: Faults, journal: Journal, overview: str = "", load: Load | None = None) -> list[Route]:
    """The routes ``/sandbox/faults`` and ``/sandbox/requests``, and those of what else is given.

    They are ``/sandbox/load``, and ``/sandbox/``, which shows the overview; ``{base}`` in it stands for the sandbox's
    address.
    """
    controls = _Controls(faults, journal, load or Load())
    table: list[tuple[str, str, Control]] = [
        ("GET", "/sandbox/faults", controls.list_faults),
        ("POST", "/sandbox/faults", controls.add_fault),
        ("DELETE", "/sandbox/faults", controls.clear_faults),
        ("GET", "/sandbox/requests", controls.requests),
        ("DELETE", "/sandbox/requests", controls.clear_requests),
    ]
    if load is not None:
        table += [
            ("GET", "/sandbox/load", controls.show_load),
            ("POST", "/sandbox/load", controls.set_latency),
            ("DELETE", "/sandbox/load", controls.clear_load),
        ]
    if overview:
        table.append(("GET", "/sandbox/", lambda request, _: _page(overview, request)))
    return _routes(table)


def simulator_routes(
    simulator: Simulator,
    overview: Callable[[str], str],
    table: Iterable[tuple[str, str, Control]],
    *,
    call: str,
    quirk: str,
) -> list[Route]:
    """The controls of a simulator: its own, each made under its lock, those of its quirks, and those all have.

    Args:
        simulator: what is controlled.
        overview: the page ``/sandbox/`` for the simulator's address, with commands to copy; how to use the shared
            controls is added to it.
        table: method, path and control of its own ones. What a control raises is answered 422 with its words.
        call: the name of a call that a fault might hit, as an example.
        quirk: a change of quirks, in JSON, as an example.
    """

    def locked(control: Control) -> Control:
        def answer(request: Request, body: Json) -> Response:
            with simulator.lock:
                return control(request, body)

        return answer

    def show(request: Request, _body: Json) -> Response:
        base = str(request.base_url).rstrip("/")
        names = ", ".join(field.name for field in attrs.fields(type(simulator.quirks)))
        quirks = _QUIRKS.format(quirks=names, base=base, example=quirk)
        return PlainTextResponse(overview(base) + quirks + _SHARED.format(kinds=", ".join(KINDS), base=base, call=call))

    def quirks(_request: Request, _body: Json) -> Response:
        return respond({"data": attrs.asdict(simulator.quirks)})

    def change_quirks(request: Request, body: Json) -> Response:
        simulator.change_quirks(**body)
        return quirks(request, body)

    own: list[tuple[str, str, Control]] = [
        *table,
        ("GET", "/sandbox/", show),
        ("GET", "/sandbox/quirks", quirks),
        ("POST", "/sandbox/quirks", change_quirks),
    ]
    shared = control_routes(simulator.faults, simulator.journal, load=simulator.load)
    return [*_routes((method, path, locked(control)) for method, path, control in own), *shared]


def seed(fill: Callable[[], object], count: Callable[[], int]) -> Control:
    """The control that adds the small company, and tells how many clients there are then."""

    def control(_request: Request, body: Json) -> Response:
        if body.get("company") != "small":
            raise ValueError('There is one company: "small".')
        fill()
        return respond({"data": {"clients": count()}}, 201)

    return control


def respond(content: Any, status: int = 200) -> Response:
    """A JSON answer; money and dates as text."""
    return Response(orjson.dumps(content, default=str), status, media_type="application/json")


def _routes(table: Iterable[tuple[str, str, Control]]) -> list[Route]:
    return [Route(path, _endpoint(control), methods=[method]) for method, path, control in table]


def _endpoint(control: Control) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        try:
            return control(request, _object(await request.body()))
        except (ValueError, TypeError, AttributeError, ArithmeticError) as error:  # their own words are plain enough
            message = str(error.args[0] if error.args else error) or type(error).__name__
            return respond({"message": message}, 422)

    return endpoint


def _object(raw: bytes) -> Json:
    body = json.loads(raw or b"{}")
    if not isinstance(body, dict):
        raise TypeError("the body is not a JSON object")
    return body


def _page(overview: str, request: Request) -> Response:
    return PlainTextResponse(overview.replace("{base}", str(request.base_url).rstrip("/")))


@attrs.frozen
class _Controls:
    faults: Faults
    journal: Journal
    load: Load

    def list_faults(self, _request: Request, _body: Json) -> Response:
        return respond({"data": [attrs.asdict(fault) for fault in self.faults.list()]})

    def add_fault(self, _request: Request, body: Json) -> Response:
        try:
            fault = Fault(**body)
        except (TypeError, ValueError, AttributeError) as error:
            message = str(error.args[0])
            return respond({"message": message, "errors": {"fault": [message]}}, 422)
        self.faults.add(fault)
        return respond({"data": attrs.asdict(fault)}, 201)

    def clear_faults(self, _request: Request, _body: Json) -> Response:
        self.faults.clear()
        return Response(status_code=204)

    def requests(self, _request: Request, _body: Json) -> Response:
        return respond({"data": [attrs.asdict(entry) for entry in self.journal.list()]})

    def clear_requests(self, _request: Request, _body: Json) -> Response:
        self.journal.clear()
        return Response(status_code=204)

    def show_load(self, _request: Request, _body: Json) -> Response:
        return respond({"data": self.load.shown()})

    def set_latency(self, request: Request, body: Json) -> Response:
        latency = body.get("latency")
        if not isinstance(latency, int | float) or isinstance(latency, bool) or not 0 <= latency <= 60_000:
            raise ValueError("latency is a number of milliseconds from 0 to 60000")
        self.load.latency = float(latency)
        return self.show_load(request, body)

    def clear_load(self, _request: Request, _body: Json) -> Response:
        self.load.clear()
        return Response(status_code=204)
