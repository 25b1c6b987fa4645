"""Health, readiness and metrics."""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest
import structlog

from tests.server.asking import ask, counting, endpoint, out_of_reach
from tests.world import World
from tollbridge.errors import ConfigError
from tollbridge.logs import configure_logs
from tollbridge.rules.calendar import Month
from tollbridge.secret import hide
from tollbridge.server import app


def test_a_server_that_is_up_says_so_whatever_else_is_down(world: World) -> None:
    with counting(world) as (url, adapter):
        adapter.down = True
        assert httpx.get(f"{url}/healthz").status_code == 200


def test_ready_when_ledger_and_billing_system_answer(world: World) -> None:
    with endpoint(world) as url:
        answer = httpx.get(f"{url}/readyz")
    assert (answer.status_code, answer.json()) == (200, {"ready": True, "problems": [], "warnings": []})


def test_not_ready_while_the_billing_system_is_down(world: World) -> None:
    with counting(world) as (url, adapter):
        adapter.down = True
        answer = httpx.get(f"{url}/readyz")
        assert (answer.status_code, answer.json()["ready"]) == (503, False)
        assert answer.json()["problems"] == ["the billing system does not answer"]
        adapter.down = False
        assert httpx.get(f"{url}/readyz").status_code == 200


def test_not_ready_while_the_ledger_is_down(world: World, postgresql_url: str) -> None:
    world.ledger_url = postgresql_url
    with endpoint(world) as url, out_of_reach(postgresql_url):
        answer = httpx.get(f"{url}/readyz")
    assert (answer.status_code, answer.json()["problems"]) == (503, ["the ledger does not answer"])


def test_not_ready_without_a_database_even_where_currencies_are_not_read_from_it(world: World) -> None:
    """An adapter that has no statement for currencies answers that question without its database."""
    world.more = "[adapter.generic_sql.queries]\ncurrencies = \"SELECT 'USD' AS code\""
    with endpoint(world) as url:
        assert httpx.get(f"{url}/readyz").status_code == 200
        world.execute("ALTER TABLE clients RENAME TO elsewhere")
        assert httpx.get(f"{url}/readyz").status_code == 503


def test_metrics_are_prometheus_text(world: World) -> None:
    with counting(world) as (url, _):
        ask(url)
        answer = httpx.get(f"{url}/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert 'tollbridge_price_lookups_total{status="200"} 1.0' in answer.text
    assert 'tollbridge_price_fetches_total{outcome="ok"} 1.0' in answer.text


def test_metrics_tell_what_the_ledger_holds(world: World) -> None:
    world.client_with_server(7)
    world.at("2026-07-01")
    with endpoint(world) as url:
        before = httpx.get(f"{url}/metrics").text
    with world.run("2026-07-01") as run:
        run.daily()
    with endpoint(world) as url:
        after = httpx.get(f"{url}/metrics").text
    assert 'tollbridge_ledger_entries{state="issued"} 0.0' in before
    assert 'tollbridge_ledger_entries{state="issued"} 1.0' in after
    assert "tollbridge_last_month_closed_timestamp_seconds 0.0" in before
    assert "tollbridge_last_month_closed_timestamp_seconds 0.0" not in after
    assert 'tollbridge_last_good_run_timestamp_seconds{command="run"} 0.0' in before
    assert 'tollbridge_last_good_run_timestamp_seconds{command="run"} 0.0' not in after


def test_metrics_read_the_ledger_once_a_minute_however_often_they_are_scraped(world: World) -> None:
    world.client_with_server(7)
    world.at("2026-07-01")
    with endpoint(world) as url:
        first = ledger_figures(url)
        with world.run("2026-07-01") as run:
            run.daily()
        assert ledger_figures(url) == first


def ledger_figures(url: str) -> list[str]:
    """What /metrics says of the ledger."""
    lines = httpx.get(f"{url}/metrics").text.splitlines()
    return [line for line in lines if not line.startswith(("#", "tollbridge_price_"))]


def test_metrics_say_that_the_ledger_is_down_and_tell_everything_else(world: World, postgresql_url: str) -> None:
    world.ledger_url = postgresql_url
    with endpoint(world) as url, out_of_reach(postgresql_url):
        ask(url)
        answer = httpx.get(f"{url}/metrics")
    assert answer.status_code == 200
    assert "tollbridge_ledger_up 0.0" in answer.text
    assert "tollbridge_price_lookups_total" in answer.text
    assert "tollbridge_ledger_entries" not in answer.text


def test_metrics_name_no_client_and_no_secret(world: World) -> None:
    with counting(world) as (url, _):
        ask(url, 1042)
        ask(url, 77001)
        text = httpx.get(f"{url}/metrics").text
    assert not {"1042", "77001", "bridge-token"} & set(text.replace('"', " ").split())


def test_a_worker_whose_application_cannot_be_made_leaves_nothing_open(monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[bool] = []

    @contextmanager
    def bridge(_path: object) -> Iterator[None]:
        try:
            yield None
        finally:
            closed.append(True)

    def refuse(_parts: object) -> None:
        raise ConfigError("account.html", ["it is broken"])

    monkeypatch.setenv(app.CONFIG_VARIABLE, "bridge.toml")
    monkeypatch.setattr(app, "bridge", bridge)
    monkeypatch.setattr(app, "create_app", refuse)
    try:
        with pytest.raises(ConfigError):
            app.worker_app()
    finally:
        logging.getLogger().handlers.clear()
        configure_logs()
    assert closed == [True]


def test_a_log_line_is_one_json_object_without_secrets(capsys: pytest.CaptureFixture[str]) -> None:
    hide("sehr-geheim")
    configure_logs(as_json=True)
    try:
        structlog.get_logger("x").warning("price sehr-geheim", reason={"deep": ["sehr-geheim"]})
        logging.getLogger("uvicorn.error").error("sehr-geheim", exc_info=ValueError("sehr-geheim"))
    finally:
        logging.getLogger().handlers.clear()
        configure_logs()
    lines = capsys.readouterr().err.splitlines()
    assert [json.loads(line)["level"] for line in lines] == ["warning", "error"]
    assert "sehr-geheim" not in "".join(lines)


def test_tokens_that_nobody_is_asked_to_pay_are_a_metric_until_they_are_written_off(world: World) -> None:
    user = world.panel.add_user("somebody@example.com").id
    world.run_server(user, 10)
    world.at("2026-07-01")
    with world.run("2026-07-01") as run:
        run.daily()
    with endpoint(world) as url:
        assert "tollbridge_unbilled_tokens 70.0" in httpx.get(f"{url}/metrics").text
    with world.parts() as parts:
        parts.ledger.readings.write_off(user, Month(2026, 6), "our own", onwards=False)
    with endpoint(world) as url:
        assert "tollbridge_unbilled_tokens 0.0" in httpx.get(f"{url}/metrics").text
