"""Does the kit find the faults of :mod:`tollbridge.conformance.adapter_faults`, put around an adapter of yours?

``python -m tollbridge.conformance.mutants tests/test_acme.py`` runs the kit once as it is, and once for each fault, up
to the first test that fails. Several targets are tried one after the other, and a fault counts as found if it is found
in one of them.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import attrs

from tollbridge.conformance.adapter_faults import FAULTS, MARK, ON_TRIAL

_WANTED = 0.9
_PYTEST = ("-m", "pytest", "-x", "-q", "--tb=no", "-rf", "-p", "no:cacheprovider")


@attrs.frozen
class Trial:
    """What came of one fault.

    Attributes:
        found_by: the first test that failed; empty: none did.
        had: whether the adapter has the hooks that the fault is in.
    """

    fault: str
    found_by: str
    had: bool

    def __str__(self) -> str:
        if not self.had:
            return f"not here  {self.fault}"
        return f"found     {self.fault}: {self.found_by}" if self.found_by else f"MISSED    {self.fault}"


def tried(fault: str, target: str) -> Trial:
    """The target's tests, run by a pytest of their own with the fault around every adapter they make."""
    with tempfile.TemporaryDirectory() as folder:
        mark = Path(folder, "had")
        done = _pytest(target, {ON_TRIAL: fault, MARK: str(mark)})
        failed = [line.split("::")[-1] for line in done.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
        return Trial(fault, failed[0].split(" - ")[0] if done.returncode == 1 and failed else "", mark.exists())


def _pytest(target: str, more: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - what the caller asks for
        [sys.executable, *_PYTEST, target], env={**os.environ, **more}, capture_output=True, text=True, check=False
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Try them, tell each as it comes, and say what was missed. 0 if nine of ten were found."""
    parser = argparse.ArgumentParser(prog="python -m tollbridge.conformance.mutants", description=__doc__)
    parser.add_argument("targets", nargs="+", metavar="TESTS", help="tests that inherit AdapterTests, as for pytest")
    parser.add_argument("--only", default="", metavar="WORDS", help="only the faults whose names have these words")
    chosen = parser.parse_args(arguments)
    faults = [name for name in FAULTS if chosen.only in name]
    if not faults:
        parser.error(f'no fault has "{chosen.only}" in its name; there are: {", ".join(FAULTS)}')
    found, had = set[str](), set[str]()
    for target in chosen.targets:
        sound = _pytest(target, {})
        if sound.returncode != 0:
            print(f"{target} must pass before it is tried with faults:\n{sound.stdout[-2000:]}{sound.stderr[-1000:]}")  # noqa: T201
            return 2
        print(target)  # noqa: T201 - it is a command
        for fault in faults:
            if fault in found:
                continue
            trial = tried(fault, target)
            print(f"  {trial}", flush=True)  # noqa: T201
            had |= {fault} if trial.had else set()
            found |= {fault} if trial.found_by else set()
    missed = [fault for fault in faults if fault in had - found]
    print(f"{len(found)} of {len(had)} found" + (f"; missed: {', '.join(missed)}" if missed else ""))  # noqa: T201
    if len(had) < len(faults):
        print(f"no adapter here can have: {', '.join(fault for fault in faults if fault not in had)}")  # noqa: T201
    return 0 if len(found) >= _WANTED * len(had) else 1


if __name__ == "__main__":
    sys.exit(main())
