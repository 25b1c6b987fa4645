"""The pricing endpoint, one worker: warm, over a bare handler, and cold, over what the billing system allows."""

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
COLD, COLD_CONNECTIONS = 500, 64  # clients whose prices nobody has asked for yet, and who ask for them at once
SECONDS = 0.05  # that a billing system takes to answer
AT_ONCE = 8  # that it stands

_SLOW = f"""
import threading, time
from pathlib import Path
from tollbridge import Client, Terms, hookimpl

class Slow:
    at_once = {AT_ONCE}

    def __init__(self):
        self.lock, self.now, self.most, self.took = threading.Lock(), 0, 0, []

    @hookimpl
    def client(self, client_id):
        began = time.perf_counter()
        with self.lock:
            self.now += 1
            if self.now > self.most:
                self.most = self.now
        time.sleep({SECONDS})
        with self.lock:
            self.now -= 1
            self.took.append(time.perf_counter() - began)
            if len(self.took) == {COLD}:
                Path("took").write_text(f"{{self.most}} {{sum(self.took)}}")
        return Client(client_id, f"{{client_id}}@example.com", "USD")

    @hookimpl
    def terms(self, client):
        return Terms()

    @hookimpl
    def currencies(self):
        return []

    @hookimpl
    def clients(self):
        return []

    @hookimpl
    def create_invoice(self, invoice):
        raise NotImplementedError

    @hookimpl
    def find_invoice(self, client_id, reference):
        return None

    @hookimpl
    def unpaid_invoices(self):
        return []
"""
_SLOW_BRIDGE = """
[solus]
url = "http://127.0.0.1:1"
api_token = "bench-token"
[pricing.tokens]
USD = "0.001"
[billing]
start = "2026-01"
[server]
token = "bench-token"
port = {port}
[adapter]
use = "slow:Slow"
"""


@attrs.frozen
class Load:
    """What one round of load measured."""

    per_second: float
    p99_ms: float


def request_bytes(port: int, client_id: int = 7) -> bytes:
    """SolusIO's look-up, as the guide has it."""
    form = b"token=bench-token&action=GetTokenPricing&userid=%d" % client_id
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


async def _cold(port: int) -> float:
    """The seconds until all of them are answered; each must be a price."""
    waiting = iter(range(1, COLD + 1))

    async def connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for client_id in waiting:
            writer.write(request_bytes(port, client_id))
            head = await reader.readuntil(b"\r\n\r\n")
            if not head.startswith(b"HTTP/1.1 200"):
                raise SystemExit(head.decode())
            length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
            await reader.readexactly(length)
        writer.close()

    connections = [await asyncio.open_connection("127.0.0.1", port) for _ in range(COLD_CONNECTIONS)]
    started = time.perf_counter()
    await asyncio.gather(*(connection(*each) for each in connections))
    return time.perf_counter() - started


def cold() -> None:
    """Print how close cold look-ups come to what the billing system allows, and that they never ask more of it."""
    with tempfile.TemporaryDirectory() as name:
        folder, port = Path(name), free_port()
        (folder / "slow.py").write_text(_SLOW)
        (folder / "bridge.toml").write_text(_SLOW_BRIDGE.format(port=port))
        with serving(python("tollbridge", "serve"), port, cwd=folder):
            seconds = asyncio.run(_cold(port))
        most, took = (folder / "took").read_text().split()
    ideal = float(took) / AT_ONCE
    show(
        f"{COLD} cold look-ups, ideal over time taken", ideal / seconds, ">= 0.9",
        f"{ideal:.2f} s over {seconds:.2f} s; {most} at once of {AT_ONCE}",
    )  # fmt: skip
    if int(most) > AT_ONCE:
        raise SystemExit(f"{most} look-ups at once, and the adapter said {AT_ONCE}")


def uvicorn(app: str, port: int) -> list[str]:
    """The command line that serves one of the comparison's applications as ours is served."""
    return [
        sys.executable, "-m", "uvicorn", "--factory", f"benchmarks.endpoint_apps:{app}", "--port", str(port),
        "--no-access-log", "--log-level", "warning", "--no-server-header",
        "--app-dir", str(Path(__file__).parent.parent),
    ]  # fmt: skip


def main() -> None:
    """Print the ratios."""
    cold()
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
        middle([each["ours"].per_second / each["bare"].per_second for each in rounds]), ">= 0.9",
        f"{speed['ours']:,.0f}/s over {speed['bare']:,.0f}/s (median of {ROUNDS})",
    )  # fmt: skip
    show(
        "price look-up, p99 over bare Starlette",
        middle([each["ours"].p99_ms / each["bare"].p99_ms for each in rounds]), "<= 1.2",
        f"{p99['ours']:.2f} ms over {p99['bare']:.2f} ms",
    )  # fmt: skip
    show(
        "price look-up, throughput over form parsing and SQL",
        middle([each["ours"].per_second / each["naive"].per_second for each in rounds]), ">= 2.0",
        f"{speed['ours']:,.0f}/s over {speed['naive']:,.0f}/s",
    )  # fmt: skip
