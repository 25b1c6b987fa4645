"""Month end on SQLite, over a raw sqlite3 program that reads as much and makes the same durable writes."""

import statistics
import tempfile
from pathlib import Path

from benchmarks.company import MONTH, make_company
from benchmarks.measuring import Measured, free_port, python, run, serving, show

ROUNDS = 3
SMALL, LARGE = 10_000, 100_000


def month_end(folder: Path, clients: int) -> Measured:
    """Our month end, as a company would run it."""
    port = free_port()
    make_company(folder, clients, port)
    with serving(python("benchmarks.company", clients, port), port):
        return run(python("tollbridge", "invoice", "--month", MONTH), cwd=folder)


def floor(folder: Path, clients: int) -> Measured:
    """The raw program."""
    port = free_port()
    make_company(folder, clients, port)
    with serving(python("benchmarks.company", clients, port), port):
        return run(python("benchmarks.raw_month_end", folder, port))


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
            f"month end, {SMALL:,} clients, over raw sqlite3", ratio, "<= 1.6",
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
