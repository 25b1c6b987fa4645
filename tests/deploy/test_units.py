"""The systemd units are valid, shut in, and run commands that there are."""

import os
import re
import shlex
import subprocess
from configparser import ConfigParser
from pathlib import Path

import pytest

from tests.deploy.programs import needed
from tests.docs.test_documented_commands import accepts

ROOT = Path(__file__).resolve().parents[2]
UNITS = ROOT / "deploy/systemd"
WRAPPER = ROOT / "deploy/bin/tollbridge"
OPERATION = (ROOT / "docs/operation.md").read_text(encoding="utf-8")
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
    assert [timer.stem for timer in timers] == ["tollbridge-audit", "tollbridge-meter", "tollbridge-run"]
    for timer in timers:
        assert timer.with_suffix(".service") in SERVICES
        assert read(timer)["Timer"]["Persistent"] == "true"


def test_a_command_by_hand_runs_as_the_units_do_and_tells_who_typed_it(tmp_path: Path) -> None:
    stand_in = tmp_path / "systemd-run"
    stand_in.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n', encoding="utf-8")
    stand_in.chmod(0o755)
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "SUDO_USER": "ada"}
    command = [str(WRAPPER), "approve", "totals", "--reason", "two words"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    given = done.stdout.splitlines()
    service = read(UNITS / "tollbridge-run.service")["Service"]
    assert given[-6:] == [*shlex.split(service["ExecStart"])[1:-1], *command[1:]]
    assert given[-7] == INSTALLED
    kept = ("EnvironmentFile", "UMask", "StateDirectory", "StateDirectoryMode")
    assert {f"--property={key}={service[key]}" for key in kept} < set(given)
    assert {f"--uid={service['User']}", f"--gid={service['Group']}"} < set(given)
    assert {f"--working-directory={service['WorkingDirectory']}", "--setenv=LOGNAME=ada"} < set(given)


def test_the_documented_ledger_is_where_the_units_may_write() -> None:
    [path] = re.findall(r'^url = "sqlite:///(\S+)"$', OPERATION, re.MULTILINE)
    assert Path(path).parent == Path("/var/lib") / read(UNITS / "tollbridge-run.service")["Service"]["StateDirectory"]


def test_what_the_documentation_installs_is_there_and_each_unit_it_names_too() -> None:
    copied = re.findall(r"^ *install -m \d+ (deploy/\S+) ", OPERATION, re.MULTILINE)
    assert copied
    assert all(list(ROOT.glob(path)) for path in copied)
    lines = re.findall(r"^ *systemctl (?:enable --now|disable --now|stop|start) (.+)$", OPERATION, re.MULTILINE)
    names = {name if "." in name else f"{name}.service" for line in lines for name in line.split()}
    assert names
    assert names <= {unit.name for unit in UNITS.iterdir()}


def test_a_unit_waits_for_a_database_that_starts_on_the_same_machine() -> None:
    for unit in SERVICES:
        assert {"postgresql.service", "mariadb.service"} < set(read(unit)["Unit"]["After"].split()), unit
