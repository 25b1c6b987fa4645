"""Workers: what three of them, 8 calls at once each, need of the time of one, at 200 ms a call.

``python -m benchmarks.workers [CLIENTS]``. The daily job is started by the queue, as by a schedule. How much processor
time everything took stands beside: on a machine with few cores the workers are in each other's way.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
import uuid
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from benchmarks.measuring import free_port, python, serving, show
from tollbridge.distributed.queue import Queue
from tollbridge.ledger import Ledger
from tollbridge.secret import DatabaseUrl

SERVER = os.environ.get("TOLLBRIDGE_TEST_POSTGRESQL", "postgresql+psycopg://postgres@127.0.0.1:5432/postgres")
CLIENTS, LATENCY = 5000, 0.2
CONFIGURATION = """
[solus]
url = "http://127.0.0.1:{panel}"
api_token = "sandbox-token"
[pricing.tokens]
USD = "0.001"
[billing]
start = "2026-06"
at_once = 24
[ledger]
url = "{ledger}"
[distributed]
per_worker = 8
[adapter]
use = "benchmarks.remote_books:RemoteBooks"
[adapter.settings]
url = "http://127.0.0.1:{books}"
"""


def month(folder: Path, ledger_url: str, clients: int, workers: int) -> tuple[float, float, int]:
    """The seconds of a daily job, of the processor for all of it, and the most calls at once, with so many workers."""
    panel, books = free_port(), free_port()
    words = {"panel": panel, "books": books, "ledger": ledger_url}
    (folder / "bridge.toml").write_text(CONFIGURATION.format(**words))
    before = os.times()
    with (
        serving(python("benchmarks.slow_systems", "serve", "panel", panel, clients, 0), panel),
        serving(python("benchmarks.remote_books", books, clients, LATENCY), books),
    ):
        command = python("tollbridge", "--config", folder / "bridge.toml", "worker")
        running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(workers)]  # noqa: S603
        for each in running:
            assert each.stdout is not None
            each.stdout.readline()
        ledger = Ledger.open(DatabaseUrl(ledger_url))
        Queue(ledger).start_daily()
        while not (runs := ledger.runs.last(1)) or runs[0].ended_at is None:
            time.sleep(0.2)
        ledger.close()
        state = told(books)
        for each in running:
            each.send_signal(signal.SIGTERM)
        for each in running:
            each.communicate()
    after = os.times()
    assert runs[0].outcome == "done", runs[0].report
    assert len({row["reference"] for row in state["invoices"]}) == len(state["invoices"]) > 0
    used = sum(after[:4]) - sum(before[:4])
    return (runs[0].ended_at - runs[0].began_at).total_seconds(), used, state["most"]


def told(books: int) -> Any:
    """What the billing system says of itself."""
    with urllib.request.urlopen(f"http://127.0.0.1:{books}/state") as answer:
        return json.load(answer)


def main(clients: int = CLIENTS) -> None:
    """Print the ratio."""
    engine = sa.create_engine(SERVER, isolation_level="AUTOCOMMIT")
    found = {}
    for workers in (1, 3):
        name = f"tollbridge_bench_{uuid.uuid4().hex[:12]}"
        with engine.connect() as connection:
            connection.execute(sa.text(f"CREATE DATABASE {name}"))
        url = sa.make_url(SERVER).set(database=name).render_as_string(hide_password=False)
        with tempfile.TemporaryDirectory() as folder:
            found[workers] = month(Path(folder), url, clients, workers)
        with engine.connect() as connection:
            connection.execute(sa.text(f"DROP DATABASE {name} WITH (FORCE)"))
    engine.dispose()
    (one, used_by_one, _), (three, used_by_three, most) = found[1], found[3]
    show(
        f"three workers over one, {clients:,} clients", three / one, "<= 0.45",
        f"{three:.0f} s over {one:.0f} s, {most} calls at once; of {os.cpu_count()} cores {used_by_three:.0f} s over"
        f" {used_by_one:.0f} s, without PostgreSQL's",
    )  # fmt: skip


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
