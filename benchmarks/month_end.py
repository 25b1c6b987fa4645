"""Month end on SQLite, over a raw sqlite3 program that makes the same durable writes."""

import socket
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.company import MONTH, make_company
from benchmarks.measuring import Measured, python, run, show

ROUNDS = 3
SMALL, LARGE = 10_000, 100_000


@contextmanager
def panel(clients: int) -> Iterator[int]:
    """A panel in a process of its own; yields its port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    process = subprocess.Popen(python("benchmarks.company", clients, port))  # noqa: S603 - our own program
    try:
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield port
    finally:
        process.terminate()
        process.wait()


def month_end(folder: Path, clients: int) -> Measured:
    """Our month end, as a company would run it."""
    with panel(clients) as port:
        make_company(folder, clients, port)
        return run(python("tollbridge", "invoice", "--month", MONTH), cwd=folder)


def floor(folder: Path, clients: int) -> Measured:
    """The raw program."""
    make_company(folder, clients, 1)
    return run(python("benchmarks.raw_month_end", folder, clients))


def main(*, large: bool) -> None:
    """Print the ratios."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ratios, ours = [], []
        for number in range(ROUNDS):
            ours.append(month_end(folder / f"ours-{number}", SMALL))
            raw = floor(folder / f"raw-{number}", SMALL)
            ratios.append((ours[-1].seconds / raw.seconds, ours[-1].seconds, raw.seconds))
        ratio, seconds, raw_seconds = sorted(ratios)[len(ratios) // 2]
        show(
            f"month end, {SMALL:,} clients, over raw sqlite3", ratio, "<= 2.5",
            f"{seconds:.1f} s over {raw_seconds:.1f} s (median of {ROUNDS})",
        )  # fmt: skip
        if not large:
            return
        small_peak = statistics.median(each.peak_mib for each in ours)
        small_seconds = statistics.median(each.seconds for each in ours)
        big = month_end(folder / "large", LARGE)
        show(
            f"peak memory, {LARGE:,} clients over {SMALL:,}", big.peak_mib / small_peak, "<= 1.3",
            f"{big.peak_mib:.0f} MiB over {small_peak:.0f} MiB",
        )  # fmt: skip
        show(
            f"time, {LARGE:,} clients over ten times {SMALL:,}", big.seconds / (10 * small_seconds), "<= 1.1",
            f"{big.seconds:.0f} s over 10 x {small_seconds:.1f} s",
        )  # fmt: skip
