"""The pricing endpoint with a warm cache, one worker, over a bare Starlette handler that returns the same bytes."""

import asyncio
import socket
import statistics
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import attrs
import uvloop

from benchmarks.company import make_company
from benchmarks.endpoint_apps import PATH
from benchmarks.measuring import free_port, python, serving, show

CONNECTIONS = 16
REQUESTS = 12_000
ROUNDS = 7


@attrs.frozen
class Load:
    """What one round of load measured."""

    per_second: float
    p99_ms: float


def request_bytes(port: int) -> bytes:
    """SolusIO's look-up, as the guide has it."""
    form = b"token=bench-token&action=GetTokenPricing&userid=7"
    head = (
        f"POST {PATH} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAccept: application/json\r\n"
        f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(form)}\r\n\r\n"
    )
    return head.encode() + form


async def _load(port: int, requests: int) -> Load:
    times: list[float] = []

    async def connection() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        message = request_bytes(port)
        for _ in range(requests // CONNECTIONS):
            started = time.perf_counter()
            writer.write(message)
            head = await reader.readuntil(b"\r\n\r\n")
            if not head.startswith(b"HTTP/1.1 200"):
                raise SystemExit(head.decode())
            length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
            await reader.readexactly(length)
            times.append(time.perf_counter() - started)
        writer.close()

    started = time.perf_counter()
    await asyncio.gather(*(connection() for _ in range(CONNECTIONS)))
    elapsed = time.perf_counter() - started
    return Load(len(times) / elapsed, sorted(times)[int(len(times) * 0.99)] * 1000)


def load(port: int, requests: int = REQUESTS) -> Load:
    """Sixteen connections that each wait for an answer before asking again."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_load(port, requests))


def uvicorn(app: str, port: int) -> list[str]:
    """The command line that serves one of the comparison's applications as ours is served."""
    return [
        sys.executable, "-m", "uvicorn", "--factory", f"benchmarks.endpoint_apps:{app}", "--port", str(port),
        "--no-access-log", "--log-level", "warning", "--no-server-header",
        "--app-dir", str(Path(__file__).parent.parent),
    ]  # fmt: skip


def main() -> None:
    """Print the ratios."""
    with tempfile.TemporaryDirectory() as name, ExitStack() as servers:
        folder = Path(name)
        make_company(folder, 100, 1)
        ports = {app: free_port() for app in ("ours", "bare", "naive")}
        config = folder / "bridge.toml"
        config.write_text(config.read_text().replace("[server]", f"[server]\nport = {ports['ours']}"))
        answer, database = folder / "answer.json", folder / "billing.db"
        environment = {"BENCH_ANSWER": str(answer), "BENCH_DATABASE": str(database)}
        servers.enter_context(serving(python("tollbridge", "serve"), ports["ours"], cwd=folder))
        answer.write_bytes(_answer(ports["ours"]))
        for app in ("bare", "naive"):
            servers.enter_context(serving(uvicorn(app, ports[app]), ports[app], cwd=folder, environment=environment))
        for port in ports.values():
            load(port, 2000)
        rounds = [{app: load(port) for app, port in ports.items()} for _ in range(ROUNDS)]
    _show(rounds)


def _answer(port: int) -> bytes:
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(request_bytes(port).replace(b"HTTP/1.1", b"HTTP/1.0"))
        received = b"".join(iter(lambda: connection.recv(65536), b""))
    return received.partition(b"\r\n\r\n")[2]


def _show(rounds: list[dict[str, Load]]) -> None:
    def middle(values: list[float]) -> float:
        return statistics.median(values)

    speed = {app: middle([each[app].per_second for each in rounds]) for app in rounds[0]}
    p99 = {app: middle([each[app].p99_ms for each in rounds]) for app in rounds[0]}
    show(
        "price look-up, throughput over bare Starlette",
        middle([each["ours"].per_second / each["bare"].per_second for each in rounds]), ">= 0.8",
        f"{speed['ours']:,.0f}/s over {speed['bare']:,.0f}/s (median of {ROUNDS})",
    )  # fmt: skip
    show(
        "price look-up, p99 over bare Starlette",
        middle([each["ours"].p99_ms / each["bare"].p99_ms for each in rounds]), "<= 2.0",
        f"{p99['ours']:.2f} ms over {p99['bare']:.2f} ms",
    )  # fmt: skip
    show(
        "price look-up, throughput over form parsing and SQL",
        middle([each["ours"].per_second / each["naive"].per_second for each in rounds]), ">= 2.0",
        f"{speed['ours']:,.0f}/s over {speed['naive']:,.0f}/s",
    )  # fmt: skip
