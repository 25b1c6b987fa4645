"""``python -m tests.faults [WORD…]``: try the faults, those only whose name has all the words; exit 1 if one is missed.

Everything happens in a copy of the tree. Their tests must pass there first; then each fault is put in by itself, and
each of its tests must fail.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

from tests.faults.known import ROOT, DoesNotApply, Fault, known_faults

_COPIED = ("core", "plugins", "tests", "docs", "benchmarks", "pyproject.toml", "README.md")
_FAILED = re.compile(r"^FAILED ([^\s\[]+::[^\s\[]+)", re.MULTILINE)
_PYTEST = ("--quiet", "-rfE", "--tb=no", "--no-header", "-p", "no:cacheprovider", "--hypothesis-profile=ci")
_TESTS_FAILED = 1  # pytest's exit code; others mean that it did not come to run them


def main(words: list[str]) -> int:
    """Try them and say what came of it; the exit code."""
    faults = [fault for fault in known_faults() if all(word in fault.name for word in words)]
    with tempfile.TemporaryDirectory(prefix="tollbridge-faults-") as folder:
        tree = Path(folder)
        _copy(tree)
        code, told = _run(tree, sorted({test for fault in faults for test in fault.found_by}))
        if code:
            print(f"{told}\nThese tests must pass before a fault is put in.")
            return 1
        missed = [fault for number, fault in enumerate(faults, 1) if not _is_found(fault, tree, f"{number:2}")]
    print(f"{len(faults) - len(missed)} of {len(faults)} faults found")
    return 1 if missed or not faults else 0


def _copy(tree: Path) -> None:
    for name in _COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, tree / name)


def _is_found(fault: Fault, tree: Path, number: str) -> bool:
    """Put it in, run its tests, take it out again; whether all of them failed."""
    path, began = tree / fault.file, time.monotonic()
    right = path.read_text(encoding="utf-8")
    try:
        path.write_text(fault.put_into(tree), encoding="utf-8")
        code, told = _run(tree, fault.found_by)
    except DoesNotApply as error:
        print(f"{number} {error}")
        return False
    finally:
        path.write_text(right, encoding="utf-8")
    blind = set(fault.found_by) - set(_FAILED.findall(told))
    if code == _TESTS_FAILED and not blind:
        print(f"{number} found in {time.monotonic() - began:3.0f} s: {fault.name}", flush=True)
        return True
    print(f"{told}\n{number} NOT FOUND by {', '.join(sorted(blind))}: {fault.name}", flush=True)
    return False


def _run(tree: Path, tests: Iterable[str]) -> tuple[int, str]:
    """Run tests of the copy against the code of the copy, which stands before the one that is installed."""
    paths = [tree, tree / "core", *sorted((tree / "plugins").iterdir())]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, paths)), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "pytest", *_PYTEST, f"--basetemp={tree / 'temporary'}", *tests]
    done = subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
