"""``python -m release.check``: prove what ``make release`` has put into ``dist/``; exit 1 if it is not fit for release.

Wheel and sdist must have every file of the repository that belongs into them and no other, the sdist must build the
same wheel, byte for byte, and the wheel must work in an environment with nothing else in it, in an empty folder.
"""

import hashlib
import json
import os
import re
import subprocess
import sys
import tarfile
import tempfile
import threading
import tomllib
import urllib.parse
import urllib.request
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from release import DIST, DRIVERS, ROOT
from release.bill import environment, install, listed
from release.hatch_hook import BILL
from tollbridge import __version__

NAME = f"tollbridge-{__version__}"
WHEEL = DIST / f"{NAME}-py3-none-any.whl"
SDIST = DIST / f"{NAME}.tar.gz"
BILL_BESIDE = DIST / f"{NAME}.cdx.json"


class WrongError(Exception):
    """A release must not go out like this."""


def main() -> int:
    """Prove one thing after the other, and say each; the exit code."""
    try:
        _files_are_there()
        _wheel_is_whole()
        _sdist_is_whole()
        with tempfile.TemporaryDirectory(prefix="tollbridge-release-") as folder:
            _sdist_builds_the_wheel(Path(folder) / "built")
            _wheel_works(Path(folder) / "installed", Path(folder) / "empty")
    except (WrongError, subprocess.CalledProcessError) as wrong:
        print(f"Not fit for release: {wrong}", file=sys.stderr)
        print(getattr(wrong, "stderr", None) or "", file=sys.stderr)
        return 1
    print(f"{NAME} is fit for release")
    return 0


def _files_are_there() -> None:
    found = {path.name for path in DIST.glob("*")}
    _same("the files in dist/", found, {WHEEL.name, SDIST.name, BILL_BESIDE.name})


def _wheel_is_whole() -> None:
    """Every tracked file of each package is in it with its content, and beside them only what describes the wheel."""
    expected: dict[str, Path] = {}
    for package in _targets()["wheel"]["packages"]:
        above = Path(package).parent
        expected |= {str(Path(file).relative_to(above)): ROOT / file for file in _tracked(package)}
    about = f"{NAME}.dist-info"
    described = {f"{about}/{file}" for file in ("METADATA", "WHEEL", "RECORD", "entry_points.txt")}
    described |= {f"{about}/licenses/LICENSE", f"{about}/sboms/{Path(BILL).name}"}
    with zipfile.ZipFile(WHEEL) as wheel:
        _same("the wheel's files", wheel.namelist(), {*expected, *described})
        for name, path in expected.items():
            _same(f"the wheel's {name}", [_sum(wheel.read(name))], [_sum(path.read_bytes())])
        bill = wheel.read(f"{about}/sboms/{Path(BILL).name}")
    _same("the wheel's bill of materials", [_sum(bill)], [_sum(BILL_BESIDE.read_bytes())])
    print(f"The wheel has all {len(expected)} files of its packages, and its bill of materials")


def _sdist_is_whole() -> None:
    left_out = tuple(f"{folder}/" for folder in _targets()["sdist"]["exclude"])
    expected = {file for file in _tracked(".") if not file.startswith(left_out)} | {"PKG-INFO", BILL}
    with tarfile.open(SDIST) as sdist:
        files = {member.name.removeprefix(f"{NAME}/") for member in sdist.getmembers() if not member.isdir()}
    _same("the sdist's files", files, expected)
    print(f"The sdist has all {len(expected)} files of the repository")


def _sdist_builds_the_wheel(folder: Path) -> None:
    with tarfile.open(SDIST) as sdist:
        sdist.extractall(folder, filter="data")
    command = [sys.executable, "-m", "build", "--no-isolation", "--wheel", "--outdir", str(folder)]
    subprocess.run([*command, str(folder / NAME)], check=True, capture_output=True, text=True)
    _same("the wheel that the sdist builds", [_sum((folder / WHEEL.name).read_bytes())], [_sum(WHEEL.read_bytes())])
    print("The sdist builds the same wheel, byte for byte")


def _wheel_works(installed: Path, empty: Path) -> None:
    empty.mkdir()
    python = environment(installed)
    install(python, str(WHEEL))
    _commands_work(installed / "bin" / "tollbridge", empty)
    _pages_are_served(installed / "bin" / "tollbridge", empty)
    install(python, f"{WHEEL}[{DRIVERS}]")
    _bill_is_right(python)


def _commands_work(command: Path, folder: Path) -> None:
    _same("tollbridge --version", [_run(command, "--version", folder=folder).split()[-1]], [__version__])
    adapters = json.loads(_run(command, "adapters", "--json", folder=folder))
    if problems := [each["problem"] for each in adapters if each["problem"]]:
        raise WrongError(f"tollbridge adapters tells {problems}")
    expected = _configuration()["project"]["entry-points"]["tollbridge.adapters"]
    _same("tollbridge adapters", {each["name"] for each in adapters}, set(expected))
    _run(command, "demo", folder=folder)
    _run(command, "init", folder=folder)
    _run(command, "new-adapter", "my_billing", folder=folder)
    print(f"In an environment of its own it tells its version, has {len(adapters)} adapters, and takes a company "
          "through two months; it writes a bridge.toml and an adapter's project")  # fmt: skip


def _pages_are_served(command: Path, folder: Path) -> None:
    """The customers' pages, with their templates, texts and style sheet."""
    serving = subprocess.Popen([command, "demo", "--pages"], cwd=folder, env=_bare(), stdout=subprocess.PIPE, text=True)
    patience = threading.Timer(120, serving.kill)
    patience.start()
    try:
        told = ""
        for line in serving.stdout or ():
            told += line
            if address := re.search(r"The pages: (http://\S+)", line):
                break
        else:
            raise WrongError(f"tollbridge demo --pages serves nothing:\n{told}")
        page = _fetched(address[1])
        [style] = re.findall(r'<link rel="stylesheet" href="([^"]+)"', page)
        _fetched(urllib.parse.urljoin(address[1], style))
    finally:
        patience.cancel()
        serving.terminate()
        serving.communicate()
    print("It serves the customers' pages")


def _bill_is_right(python: Path) -> None:
    """It lists what is installed, neither more nor less, in the versions of constraints.txt, and nothing of here."""
    text = BILL_BESIDE.read_text(encoding="utf-8")
    _same("the bill of materials", enumerate(text.splitlines()), enumerate(listed(python).splitlines()))
    pins = re.findall(r"^(\S+)==(\S+)$", (ROOT / "constraints.txt").read_text(encoding="utf-8"), flags=re.MULTILINE)
    pinned = {(_normal(name), version) for name, version in pins}
    components = {(_normal(each["name"]), each["version"]) for each in json.loads(text)["components"]}
    if strangers := components - pinned:
        raise WrongError(f"constraints.txt does not have {sorted(strangers)}")
    if local := [word for word in ("file:", str(ROOT)) if word in text]:
        raise WrongError(f"the bill of materials has {local}, which only this machine has")
    print(f"The bill of materials lists its {len(components)} packages, in the versions of constraints.txt")


def _run(command: Path, *arguments: str, folder: Path) -> str:
    done = subprocess.run([command, *arguments], cwd=folder, env=_bare(), check=True, capture_output=True, text=True)
    return done.stdout


def _bare() -> dict[str, str]:
    """The environment of somebody who has just logged in."""
    return {"PATH": os.environ["PATH"], "HOME": os.environ["HOME"], "LANG": "C.UTF-8", "PYTHONUNBUFFERED": "1"}


def _fetched(address: str) -> str:
    with urllib.request.urlopen(address, timeout=30) as answer:
        text: str = answer.read().decode()
        return text


def _configuration() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def _targets() -> dict[str, Any]:
    targets: dict[str, Any] = _configuration()["tool"]["hatch"]["build"]["targets"]
    return targets


def _tracked(folder: str) -> list[str]:
    done = subprocess.run(["git", "ls-files", "-z", folder], cwd=ROOT, check=True, capture_output=True, text=True)
    return done.stdout.rstrip("\0").split("\0")


def _normal(name: str) -> str:
    """A package's name as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _sum(content: bytes) -> str:
    return f"SHA-256 {hashlib.sha256(content).hexdigest()}"


def _same(what: str, found: Iterable[Any], expected: Iterable[Any]) -> None:
    there, due = set(found), set(expected)
    missing, more = due - there, there - due
    if missing or more:
        raise WrongError(f"{what}: missing {_few(missing)}; unexpected {_few(more)}")


def _few(things: Iterable[Any]) -> str:
    shown = sorted(f"{thing!r:.200}" for thing in things)
    return ", ".join(shown[:10]) + (f" and {len(shown) - 10} more" if len(shown) > 10 else "") or "none"


if __name__ == "__main__":
    sys.exit(main())
