"""Commands as real processes: exit codes, streams and signals as a shell sees them."""

import ast
import json
import subprocess
import sys

import pytest

from tests.cli.company import Operator


def tollbridge(operator: Operator, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tollbridge", "--config", operator.world.config, *arguments],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def test_a_run_by_a_shell_bills_and_exits_with_0(operator: Operator) -> None:
    done = tollbridge(operator, "run", "--date", "2026-07-01", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    assert len(json.loads(done.stdout)["invoices"]) == 2
    assert len(operator.world.query("SELECT id FROM invoices")) == 2


def test_a_failed_client_is_1_and_bad_usage_is_2(operator: Operator) -> None:
    operator.world.execute("UPDATE clients SET currency = 'XXX' WHERE id = 1043")
    assert tollbridge(operator, "run", "--date", "2026-07-01").returncode == 1
    assert tollbridge(operator, "price", "4711").returncode == 2


def test_a_billing_system_that_is_down_is_3(operator: Operator) -> None:
    operator.world.database_url = "sqlite:////nowhere/billing.db"
    done = tollbridge(operator, "run")
    assert done.returncode == 3
    assert "/nowhere/billing.db" in done.stderr.replace("\n", "")


def test_debugging_logs_go_to_standard_error_without_secrets(operator: Operator) -> None:
    done = tollbridge(operator, "--debug", "plans", "--json")
    assert len(json.loads(done.stdout)) == 4
    assert "request" in done.stderr
    assert "sandbox-token" not in done.stderr + done.stdout


@pytest.mark.parametrize(
    ("arguments", "not_needed"),
    [
        (["--version"], ["rich.console", "structlog", "sqlalchemy", "httpx", "tollbridge.config"]),
        (["price", "1042"], ["uvicorn", "starlette", "jinja2", "tollbridge.mail"]),
    ],
    ids=["--version", "price"],
)
def test_a_command_imports_nothing_that_it_does_not_need(
    operator: Operator, arguments: list[str], not_needed: list[str]
) -> None:
    program = "import sys; from tollbridge.cli import main; main(sys.argv[1:]); sys.stderr.write(repr([*sys.modules]))"
    done = subprocess.run(
        [sys.executable, "-c", program, "--config", operator.world.config, *arguments],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert done.stdout
    assert set(not_needed) & set(ast.literal_eval(done.stderr)) == set()
