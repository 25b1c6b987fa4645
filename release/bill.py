"""The bill of materials: what runs when Tollbridge runs, as CycloneDX JSON, the same for the same constraints.txt."""

import json
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

from release import DRIVERS, ROOT
from tollbridge import __version__


def bill_of_materials() -> str:
    """Install Tollbridge from here with its drivers, and list what that has brought along."""
    with tempfile.TemporaryDirectory(prefix="tollbridge-bill-") as folder:
        python = environment(Path(folder))
        install(python, f"{ROOT}[{DRIVERS}]")
        return listed(python)


def environment(folder: Path) -> Path:
    """A new virtual environment with nothing in it, not even pip; its Python."""
    venv.create(folder, with_pip=False)
    return folder / "bin" / "python"


def install(python: Path, requirement: str) -> None:
    """Install into the environment of ``python``, in the versions of constraints.txt."""
    pip = [sys.executable, "-m", "pip", "--python", str(python), "--disable-pip-version-check", "--quiet"]
    subprocess.run([*pip, "install", "--constraint", str(ROOT / "constraints.txt"), requirement], check=True)


def listed(python: Path) -> str:
    """What is installed in the environment of ``python``, as CycloneDX JSON, without a time or a number of its own."""
    reader = [sys.executable, "-m", "cyclonedx_py", "environment", "--pyproject", str(ROOT / "pyproject.toml")]
    form = ["--mc-type", "application", "--output-reproducible", "--output-format", "JSON"]
    done = subprocess.run([*reader, *form, str(python)], check=True, stdout=subprocess.PIPE, text=True)
    bill = json.loads(done.stdout)
    bill["metadata"]["component"]["version"] = __version__  # pyproject.toml leaves it to the package
    return json.dumps(bill, indent=2, ensure_ascii=False) + "\n"
