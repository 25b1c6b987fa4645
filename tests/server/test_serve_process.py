"""``tollbridge serve`` as a real process."""

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.server.asking import ask, metric, raw
from tests.server.process import free_port, served
from tests.world import World


def configured(world: World, port: int) -> Path:
    path = world.config
    path.write_text(path.read_text().replace("[server]\n", f"[server]\nport = {port}\n"))
    return path


@contextmanager
def serving(world: World, *options: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """The command, once it answers; killed at the end if it is still there."""
    port = free_port()
    with served(configured(world, port), port, *options) as started:
        yield f"http://127.0.0.1:{port}", started


def left_over(world: World) -> list[str]:
    return [path.name for path in world.folder.glob("tollbridge-metrics-*")]


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGINT])
def test_one_worker_serves_and_ends_cleanly(world: World, end: signal.Signals) -> None:
    world.add_client(1042)
    with serving(world) as (url, process):
        assert ask(url).status_code == 200
        process.send_signal(end)
        assert process.wait(30) == 0
    assert left_over(world) == []


def test_two_workers_add_up_their_metrics_and_end_cleanly(world: World) -> None:
    world.add_client(1042)
    with serving(world, "--workers", "2") as (url, process):
        for _ in range(40):
            assert ask(url).status_code == 200
        assert metric(url, "tollbridge_price_lookups_total", status="200") == 40
        assert 1 <= metric(url, "tollbridge_price_fetches_total", outcome="ok") <= 2, "once per worker at most"
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"{url}/healthz")
    assert left_over(world) == []


def test_everything_it_logs_is_json_without_secrets(world: World) -> None:
    with serving(world) as (url, process):
        raw(url, b"this is not HTTP\r\n\r\n")
        world.execute("ALTER TABLE clients RENAME TO elsewhere")
        assert ask(url, token="bridge-token").status_code == 503
        process.send_signal(signal.SIGTERM)
        _, logged = process.communicate(timeout=30)
    events = [json.loads(line)["event"] for line in logged.splitlines()]
    assert "price not available" in events
    assert any("Invalid HTTP" in event for event in events)
    assert "bridge-token" not in logged
    assert "sandbox-token" not in logged


def test_a_port_that_is_taken_is_a_matter_of_configuration(world: World) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        path = configured(world, taken.getsockname()[1])
        done = subprocess.run(
            [sys.executable, "-m", "tollbridge", "--config", path, "serve"],
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
    assert (done.returncode, done.stdout) == (2, "")
    assert "server.port" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_host_open_to_others_is_not_served_without_a_token(world: World) -> None:
    path = world.config
    path.write_text(path.read_text().replace('token = "bridge-token"', 'host = "0.0.0.0"'))
    done = subprocess.run(
        [sys.executable, "-m", "tollbridge", "--config", path, "serve"],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "server.token" in done.stderr
