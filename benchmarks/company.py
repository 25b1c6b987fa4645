"""A hosting company of any size: a billing database, a usage feed, and bridge.toml."""

import json
import sqlite3
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tollbridge.loopback import LoopbackServer, configured, listen
from tollbridge_generic_sql.preset import metadata

PER_PAGE = 100
MONTH = "2026-06"
SERVERS = [("web", 700, 4900), ("db", 730, 5000), ("test", 1, 7)]

CONFIGURATION = """
[solus]
url = "http://127.0.0.1:{port}"
api_token = "bench-token"
[pricing.tokens]
USD = "0.001"
[billing]
start = "2026-06"
[server]
token = "bench-token"
[ledger]
url = "sqlite:///tollbridge.db"
[adapter]
use = "generic_sql"
[adapter.generic_sql]
url = "sqlite:///billing.db"
preset = "tollbridge"
"""


def make_company(folder: Path, clients: int, port: int) -> None:
    """bridge.toml and a billing database with that many clients in it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "bridge.toml").write_text(CONFIGURATION.format(port=port))
    engine = sa.create_engine(f"sqlite:///{folder}/billing.db")
    metadata.create_all(engine)
    engine.dispose()
    with sqlite3.connect(folder / "billing.db") as database:
        database.execute("INSERT INTO currencies VALUES ('USD', '$', '', 2, ',', '.')")
        database.executemany(
            "INSERT INTO clients (id, email, currency, country, client_group) VALUES (?, ?, 'USD', 'GB', 'partners')",
            ((client_id, f"client{client_id}@example.com") for client_id in range(1, clients + 1)),
        )
        database.execute(
            "INSERT INTO discounts (name, multiplier, client_group) VALUES ('Partner discount', '0.95', 'partners')"
        )
        database.execute("INSERT INTO taxes (label, rate, country) VALUES ('VAT', '20', 'GB')")
    database.close()


def usage_row(client_id: int) -> dict[str, Any]:
    """One user with three servers."""
    return {
        "user_id": client_id,
        "billing_user_id": client_id,
        "items": [
            {
                "type": "server", "id": client_id * 10 + number, "uuid": "", "name": f"{name}-{client_id}",
                "plan": {"id": 1, "name": "1 Core, 1 GB RAM", "tokens_per_hour": 7, "tokens_per_month": 5000},
                "uptime_hours": hours, "tokens": tokens, "is_deleted": False,
            }
            for number, (name, hours, tokens) in enumerate(SERVERS)
        ],
    }  # fmt: skip


def user_row(client_id: int) -> dict[str, Any]:
    """The client's user."""
    return {
        "id": client_id, "email": f"client{client_id}@example.com", "status": "active", "billing_user_id": client_id,
        "roles": [{"id": 2, "name": "CLIENT"}],
    }  # fmt: skip


def page_of(row: Callable[[int], dict[str, Any]], clients: int, page: int) -> bytes:
    """One page of a list with a row for each client."""
    last = max(1, -(-clients // PER_PAGE))
    first = (page - 1) * PER_PAGE + 1
    rows = [row(client_id) for client_id in range(first, min(first + PER_PAGE, clients + 1))]
    meta = {"current_page": page, "last_page": last, "per_page": PER_PAGE, "total": clients}
    return json.dumps({"data": rows, "links": {}, "meta": meta}).encode()


def serve_panel(clients: int, port: int) -> None:
    """A panel that knows that many users and what they used, and keeps none of it; to be run in a process of its own.

    All are linked and active, and stay so.
    """

    def listed(row: Callable[[int], dict[str, Any]]) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            page = int(request.query_params.get("page", 1))
            return Response(page_of(row, clients, page), media_type="application/json")

        return answer

    routes = [Route("/api/v1/usage", listed(usage_row)), Route("/api/v1/users", listed(user_row))]
    LoopbackServer(configured(Starlette(routes=routes))).run([listen("127.0.0.1", port)])


if __name__ == "__main__":
    serve_panel(int(sys.argv[1]), int(sys.argv[2]))
