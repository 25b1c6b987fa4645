"""The systemd units are valid, shut in, and run commands that there are."""

import shlex
import subprocess
from configparser import ConfigParser
from pathlib import Path

import pytest

from tests.deploy.programs import needed
from tests.docs.test_documented_commands import accepts

UNITS = Path(__file__).resolve().parents[2] / "deploy/systemd"
SERVICES = sorted(UNITS.glob("*.service"))
INSTALLED = "/opt/tollbridge/bin/tollbridge"
MOST_EXPOSED = "15"  # tenths: systemd's own scale of 0 to 10


def read(unit: Path) -> ConfigParser:
    """A unit; of keys that stand twice the last one."""
    parser = ConfigParser(strict=False, interpolation=None, delimiters=("=",))
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(unit.read_text(encoding="utf-8"))
    return parser


def test_systemd_finds_nothing_wrong_with_the_units(tmp_path: Path) -> None:
    analyze = needed("systemd-analyze", "systemd")
    for unit in UNITS.iterdir():
        text = unit.read_text(encoding="utf-8").replace(INSTALLED, "/bin/true")  # which is not installed here
        (tmp_path / unit.name).write_text(text, encoding="utf-8")
    paths = [str(unit) for unit in sorted(tmp_path.iterdir())]
    done = subprocess.run([analyze, "verify", *paths], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@pytest.mark.parametrize("unit", SERVICES, ids=lambda unit: unit.name)
def test_a_service_is_exposed_to_little(unit: Path) -> None:
    analyze = needed("systemd-analyze", "systemd")
    command = [analyze, "security", "--offline=true", f"--threshold={MOST_EXPOSED}", "--no-pager", str(unit)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, [*done.stdout.splitlines()[-1:], done.stderr]


@pytest.mark.parametrize("unit", SERVICES, ids=lambda unit: unit.name)
def test_a_service_runs_a_command_that_there_is_as_its_own_user(unit: Path) -> None:
    service = read(unit)["Service"]
    program, *arguments = shlex.split(service["ExecStart"])
    assert (program, arguments[:2]) == (INSTALLED, ["--config", "/etc/tollbridge/bridge.toml"])
    accepts(arguments[2:], unit.name)
    assert (service["User"], service["ProtectSystem"]) == ("tollbridge", "strict")
    assert service["WorkingDirectory"] == f"/var/lib/{service['StateDirectory']}"


def test_each_timer_has_its_service_and_makes_up_for_what_was_missed() -> None:
    timers = sorted(UNITS.glob("*.timer"))
    assert [timer.stem for timer in timers] == ["tollbridge-meter", "tollbridge-run"]
    for timer in timers:
        assert timer.with_suffix(".service") in SERVICES
        assert read(timer)["Timer"]["Persistent"] == "true"
