"""Measuring whole processes, and showing ratios."""

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import attrs


@attrs.frozen
class Measured:
    """One process: wall seconds, seconds of processor time, and peak memory in MiB."""

    seconds: float
    processor: float
    peak_mib: float


def run(arguments: Sequence[str], *, cwd: Path | None = None) -> Measured:
    """Run a process to its end; its own peak memory, by the operating system's account."""
    with tempfile.TemporaryFile("w+") as said:
        started = time.perf_counter()
        process = subprocess.Popen(  # noqa: S603 - our own programs
            arguments, cwd=cwd, stdout=subprocess.DEVNULL, stderr=said
        )
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            said.seek(0)
            raise SystemExit(f"{' '.join(arguments)} ended with {process.returncode}: {said.read()}")
    return Measured(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def python(module: str, *arguments: object) -> list[str]:
    """The command line of a module in this interpreter."""
    return [sys.executable, "-m", module, *map(str, arguments)]


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def serving(
    arguments: Sequence[str], port: int, *, cwd: Path | None = None, environment: Mapping[str, str] | None = None
) -> Iterator[None]:
    """A server process that listens on ``port``, ended afterwards."""
    process = subprocess.Popen(  # noqa: S603 - our own programs
        arguments, cwd=cwd, stdout=subprocess.DEVNULL, env={**os.environ, **(environment or {})}
    )
    try:
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield
    finally:
        process.terminate()
        process.wait()


def show(what: str, ratio: float, wanted: str, figures: str) -> None:
    """One line of the result."""
    print(f"{what:<52} {ratio:>6.2f}   wanted {wanted:<9} {figures}", flush=True)
