"""The controls every sandbox has below ``/sandbox/``: what goes wrong, and what was asked.

They ask for no token: a sandbox is meant for a loopback address.
"""

import json
from typing import Any

import attrs
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from tollbridge.sandbox.faults import Fault, Faults
from tollbridge.sandbox.journal import Journal


def control_routes(faults: Faults, journal: Journal, overview: str = "") -> list[Route]:
    """The routes ``/sandbox/faults`` and ``/sandbox/requests``, and ``/sandbox/`` if there is an overview to show.

    ``{base}`` in the overview stands for the sandbox's address.
    """
    controls = _Controls(faults, journal, overview)
    routes = [
        Route("/sandbox/faults", controls.faults, methods=["GET", "POST", "DELETE"]),
        Route("/sandbox/requests", controls.requests, methods=["GET", "DELETE"]),
    ]
    return [*routes, Route("/sandbox/", controls.show, methods=["GET"])] if overview else routes


@attrs.frozen
class _Controls:
    _faults: Faults
    _journal: Journal
    _overview: str

    async def show(self, request: Request) -> Response:
        return PlainTextResponse(self._overview.replace("{base}", str(request.base_url).rstrip("/")))

    async def faults(self, request: Request) -> Response:
        if request.method == "DELETE":
            self._faults.clear()
            return Response(status_code=204)
        if request.method == "POST":
            try:
                fault = Fault(**_object(await request.body()))
            except (TypeError, ValueError, AttributeError) as error:
                message = str(error.args[0])
                return JSONResponse({"message": message, "errors": {"fault": [message]}}, 422)
            self._faults.add(fault)
            return JSONResponse({"data": attrs.asdict(fault)}, 201)
        return JSONResponse({"data": [attrs.asdict(fault) for fault in self._faults.list()]})

    async def requests(self, request: Request) -> Response:
        if request.method == "DELETE":
            self._journal.clear()
            return Response(status_code=204)
        return JSONResponse({"data": [attrs.asdict(entry) for entry in self._journal.list()]})


def _object(raw: bytes) -> dict[str, Any]:
    document = json.loads(raw)
    if not isinstance(document, dict):
        raise TypeError("a fault is a JSON object")
    return document
