"""The alert rules, the dashboard, the documentation and the server speak of the same figures."""

import json
import re
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
import yaml

from tests.deploy.programs import needed
from tests.server.asking import ask, endpoint
from tests.world import World

ROOT = Path(__file__).resolve().parents[2]
PROMETHEUS = ROOT / "deploy/prometheus"
DASHBOARD = ROOT / "deploy/grafana/tollbridge.json"
OPERATION = ROOT / "docs/operation.md"
RULES = yaml.safe_load((PROMETHEUS / "alerts.yml").read_text(encoding="utf-8"))["groups"][0]["rules"]
CASES = [
    case for file in sorted(PROMETHEUS.glob("*_test.yml")) for case in yaml.safe_load(file.read_text("utf-8"))["tests"]
]
NAME = re.compile(r"tollbridge_[a-z_]+")
SAMPLE = re.compile(r"(?P<name>tollbridge_[a-z_]+)(?:\{(?P<labels>[^}]*)\})? ")

Series = dict[str, set[str]]


def promtool(*arguments: str) -> "subprocess.CompletedProcess[str]":
    """What promtool says."""
    command = [needed("promtool", "prometheus"), *arguments]
    return subprocess.run(command, cwd=PROMETHEUS, capture_output=True, text=True, check=False)


@pytest.fixture
def given(world: World) -> Series:
    """Every series that a server gives whose ledger has a bit of everything: labels by name."""
    world.client_with_server(7)
    stranger = world.panel.add_user("nobody@example.com").id
    world.run_server(stranger, 10)
    world.at("2026-07-01")
    with world.run("2026-07-01") as run:
        run.daily()
    with world.parts() as parts:
        now = datetime.now(UTC)
        parts.ledger.meter.add(now - timedelta(minutes=1), [])
        unsent = parts.ledger.database
        with unsent.write() as connection:  # an invoice that waits in each way there is, and a mail that does
            rows = "INSERT INTO invoices (client_id, month, state, currency, issue_date, due_date, tokens, subtotal,"
            rows += " total, document, written_at, held) VALUES (:id, '2026-06', :state, 'USD', '2026-07-01',"
            rows += " '2026-07-15', 1, '1', '1', '{}', '2026-07-01 00:00:00', :held)"
            for number, (state, held) in enumerate([("written", None), ("sending", None), ("written", "dear")]):
                connection.exec_driver_sql(rows, {"id": 90 + number, "state": state, "held": held})
            mail = "INSERT INTO mails (key, recipient, subject, body_text, body_html, message_id, state, attempts,"
            mail += " next_attempt_at, created_at) VALUES (:to, :to, '', '', '', '', 'waiting', 0,"
            mail += " '2026-07-01 00:00:00', '2026-07-01 00:00:00')"
            for recipient in ("webhook", "ada@example.com"):
                connection.exec_driver_sql(mail, {"to": recipient})
            held_user = "INSERT INTO holds VALUES (90, 'overdue', 'locked', '2026-07-01 00:00:00')"
            connection.exec_driver_sql(held_user)
    with endpoint(world) as url:
        ask(url, 1)
        text = httpx.get(f"{url}/metrics").text
    found: Series = {}
    for line in text.splitlines():
        if match := SAMPLE.match(line):
            labels = re.sub(r'="[^"]*"', "", match["labels"] or "")
            found.setdefault(match["name"], set()).update(filter(None, labels.split(",")))
    return {name: labels for name, labels in found.items() if not name.endswith("_created")}


def test_the_rules_are_valid() -> None:
    done = promtool("check", "rules", "alerts.yml")
    assert done.returncode == 0, done.stdout + done.stderr


def test_each_alert_fires_and_is_silent_before() -> None:
    done = promtool("test", "rules", *(file.name for file in PROMETHEUS.glob("*_test.yml")))
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_alert_is_without_a_case_that_makes_it_fire_and_one_that_does_not() -> None:
    checks = [check for case in CASES for check in case["alert_rule_test"]]
    names = {rule["alert"] for rule in RULES}
    assert {check["alertname"] for check in checks if "exp_alerts" in check} == names
    assert {check["alertname"] for check in checks if "exp_alerts" not in check} == names


def test_alerts_and_their_cases_are_of_series_that_the_server_gives(given: Series) -> None:
    expressions = [rule["expr"] for rule in RULES] + [row["series"] for case in CASES for row in case["input_series"]]
    assert expressions
    for expression in expressions:
        for name, labels in re.findall(r"(tollbridge_[a-z_]+)(?:\{([^}]*)\})?", expression):
            assert name in given, expression
            assert set(re.findall(r"(\w+)=", labels)) <= given[name], expression


def test_each_alert_has_a_runbook_paragraph_and_there_is_none_of_another() -> None:
    text = OPERATION.read_text(encoding="utf-8").partition("\n## Alerts\n")[2].partition("\n## ")[0]
    paragraphs = {part.partition("\n")[0]: part.partition("\n")[2].strip() for part in text.split("\n### ")[1:]}
    assert paragraphs.keys() == {rule["alert"] for rule in RULES}
    assert all(paragraphs.values())


def test_the_documented_metrics_are_those_that_the_server_gives(given: Series) -> None:
    rows = re.findall(r"^\| `(tollbridge_[a-z_]+)` \| ([^|]*)\|", OPERATION.read_text(encoding="utf-8"), re.MULTILINE)
    assert {name: set(re.findall(r"`(\w+)`", labels)) for name, labels in rows} == given


def test_the_dashboard_shows_every_metric_and_no_other(given: Series) -> None:
    dashboard = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    shown = {
        name for panel in dashboard["panels"] for target in panel["targets"] for name in NAME.findall(target["expr"])
    }
    assert shown <= given.keys()
    told_by_a_sum_of_another = {"tollbridge_oldest_message_timestamp_seconds"}
    assert given.keys() - shown == told_by_a_sum_of_another


def test_panels_of_the_dashboard_do_not_cover_each_other() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]:
        at = panel["gridPos"]
        cells = {(at["x"] + x, at["y"] + y) for x in range(at["w"]) for y in range(at["h"])}
        assert not cells & taken
        assert at["x"] + at["w"] <= 24
        taken |= cells
