"""The three servers that the endpoint's benchmark compares: ours, a bare handler, and what one would write first."""

import os
import sqlite3
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

PATH = "/solusio/api/"


def bare() -> Starlette:
    """A Starlette handler that returns the same bytes, and reads nothing."""
    body = Path(os.environ["BENCH_ANSWER"]).read_bytes()

    async def answer(_request: Request) -> Response:
        return Response(body, media_type="application/json")

    return Starlette(routes=[Route(PATH, answer, methods=["POST"])])


def naive() -> Starlette:
    """Starlette's own form parsing, and a database query for each call."""
    database = sqlite3.connect(os.environ["BENCH_DATABASE"], check_same_thread=False)

    async def answer(request: Request) -> Response:
        form = await request.form()
        row = database.execute(
            "SELECT id, email, currency FROM clients WHERE id = ?", (int(str(form["userid"])),)
        ).fetchone()
        return JSONResponse({"user_token_unit_cost": 0.00114, "currency": {"code": row[2]}})

    return Starlette(routes=[Route(PATH, answer, methods=["POST"])])
