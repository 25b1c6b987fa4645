"""``tollbridge new-adapter`` writes a project that works untouched."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tollbridge.cli import main


def run(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", *arguments], cwd=folder, capture_output=True, text=True, check=False)


def tollbridge(*arguments: str, folder: Path, site: Path) -> subprocess.CompletedProcess[str]:
    """The command, with what is installed in ``site``."""
    command = str(Path(sys.executable).with_name("tollbridge"))
    environment = {**os.environ, "PYTHONPATH": str(site)}
    return subprocess.run(
        [command, *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def test_its_tests_pass(project: Path) -> None:
    done = run("pytest", "-q", "-p", "no:cacheprovider", folder=project)
    assert done.returncode == 0, done.stdout
    assert " passed" in done.stdout
    [costs] = [line for line in done.stdout.splitlines() if "calls for each hook" in line]
    assert "create_invoice 1" in costs
    assert "unpaid_invoices 2" in costs


def test_the_tests_of_one_that_takes_several_calls_pass(project_of_several_calls: Path) -> None:
    done = run("pytest", "-q", "-p", "no:cacheprovider", folder=project_of_several_calls)
    assert done.returncode == 0, done.stdout
    [costs] = [line for line in done.stdout.splitlines() if "calls for each hook" in line]
    assert "create_invoice 5" in costs
    assert "takes no attempt" not in done.stdout


def test_the_types_and_style_of_both_hold(project: Path, project_of_several_calls: Path) -> None:
    checked_before = Path(__file__).parents[2] / ".mypy_cache"  # what it imports was checked by `make lint`
    for folder in (project, project_of_several_calls):
        done = run("mypy", "--cache-dir", str(checked_before), folder=folder)
        assert done.returncode == 0, done.stdout
        done = run("ruff", "check", "--no-cache", ".", folder=folder)
        assert done.returncode == 0, done.stdout


def test_once_installed_it_is_an_adapter_like_any_other(project: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    done = run(
        "pip", "install", "--quiet", "--no-deps", "--no-index", "--no-build-isolation", "--target", str(site), ".",
        folder=project,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    listed = tollbridge("adapters", "--json", folder=tmp_path, site=site)
    found = {each["name"]: each for each in json.loads(listed.stdout)}
    assert found["my_billing"]["problem"] == ""
    assert found["my_billing"]["distribution"] == "tollbridge-my-billing"
    done = tollbridge("init", "my_billing", folder=tmp_path, site=site)
    assert done.returncode == 0, done.stderr
    written = (tmp_path / "bridge.toml").read_text(encoding="utf-8")
    assert '[adapter.my_billing]\nurl = "https://billing.example.com/"' in written
    assert 'key = "${MY_BILLING_KEY}"' in written


def test_nothing_of_the_scaffolds_own_name_is_left(project: Path) -> None:
    for path in project.rglob("*"):
        assert "acme" not in path.name.lower()
        if path.suffix in {".py", ".toml", ".md"}:
            assert "acme" not in path.read_text(encoding="utf-8").lower()


@pytest.mark.parametrize("name", ["", "My", "9lives", "a-b", "a__b", "class", "../up", "a b", "_x"])
def test_a_name_that_is_none_is_refused(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["new-adapter", name, "--folder", str(tmp_path / "x")]) == 2
    assert "is no name for an adapter" in capsys.readouterr().err
    assert not (tmp_path / "x").exists()


def test_a_folder_with_something_in_it_stays_as_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    assert main(["new-adapter", "acme", "--folder", str(tmp_path)]) == 2
    assert "not empty" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
