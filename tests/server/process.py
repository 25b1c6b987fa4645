"""``tollbridge serve``, run as its users run it."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx


def free_port() -> int:
    """A port on loopback that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def served(config: Path, port: int, *options: str) -> Iterator[subprocess.Popen[str]]:
    """The server, once it answers at the port that its configuration names; killed at the end if it is still there."""
    started = subprocess.Popen(
        [sys.executable, "-m", "tollbridge", "--config", config, "serve", *options],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
        env={**os.environ, "TMPDIR": str(config.parent)},
    )  # fmt: skip
    try:
        wait_for(f"http://127.0.0.1:{port}/healthz", started)
        yield started
    finally:
        kill(started)


def wait_for(url: str, server: subprocess.Popen[str]) -> None:
    """Until the server answers there; a failure if it ends before that, or does not answer in half a minute."""
    with httpx.Client() as http:
        for _ in range(600):
            try:
                http.get(url)
            except httpx.HTTPError:
                assert server.poll() is None, server.communicate()
                time.sleep(0.05)
            else:
                return
    raise AssertionError(f"nobody answers at {url}")


def kill(started: subprocess.Popen[str]) -> None:
    """End the server and its workers at once, as a power cut would."""
    if started.poll() is None:
        os.killpg(started.pid, signal.SIGKILL)
    started.communicate()
