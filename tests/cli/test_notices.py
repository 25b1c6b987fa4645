"""Commands tell the operator themselves, and what cannot be told waits for the next one."""

import json
from collections.abc import Iterator

import pytest

from tests.mail.servers import a_mail_server
from tests.mail.webhooks import SECRET, Hook, a_webhook
from tests.world import World
from tollbridge.cli import main


@pytest.fixture
def hook(world: World) -> Iterator[Hook]:
    """A webhook that the world's bridge.toml names, and a failure that it is to be told of."""
    world.run_server(world.panel.add_user("nobody@example.com").id, 10)
    world.at("2026-07-01")
    with a_webhook() as running:
        world.more = f'[notify]\nwebhook = "{running.url}"\nwebhook_secret = "{SECRET}"\n'
        yield running


def run(world: World, *arguments: str) -> int:
    return main(["--config", str(world.config), *arguments])


def test_a_run_sends_its_notice_at_once_and_the_next_run_sends_none(world: World, hook: Hook) -> None:
    assert run(world, "run", "--date", "2026-07-01") == 1
    [body] = hook.bodies
    notice = json.loads(body)
    assert (notice["command"], notice["outcome"], len(notice["new"])) == ("run", "failures", 1)
    assert run(world, "run", "--date", "2026-07-01") == 1
    assert len(hook.bodies) == 1


def test_a_webhook_that_is_down_ends_no_run_and_the_notice_waits_in_the_ledger(
    world: World, hook: Hook, capsys: pytest.CaptureFixture[str]
) -> None:
    hook.answers = [503]
    assert run(world, "run", "--date", "2026-07-01") == 1, "as without [notify]"
    assert "a notice for you waits: the webhook was asked and answered 503" in capsys.readouterr().err
    with world.parts() as parts:
        assert parts.ledger.figures(parts.settings.billing.start.first_day).messages["webhook"].count == 1


def test_a_dry_run_sends_nothing(world: World, hook: Hook) -> None:
    run(world, "run", "--dry-run", "--date", "2026-07-01")
    assert hook.received == []


def test_check_connects_to_the_webhook_and_the_mail_server_and_sends_nothing(
    world: World, hook: Hook, capsys: pytest.CaptureFixture[str]
) -> None:
    with a_mail_server() as server:
        mail = f'mail = "ops@example.com"\n[mail]\nhost = "127.0.0.1"\nport = {server.port}\nsecurity = "none"\n'
        world.more += f'{mail}sender = "tollbridge@example.com"\n'
        run(world, "check", "--json")
        assert server.received == []
    checks = {each["name"]: each for each in json.loads(capsys.readouterr().out)["checks"]}
    assert checks["notify.webhook"] == {
        "name": "notify.webhook", "ok": True, "detail": "can be connected to; nothing was sent",
    }  # fmt: skip
    assert checks["notify.mail"]["ok"]
    assert hook.received == []


def test_an_audit_tells_what_it_finds_once(world: World, hook: Hook) -> None:
    run(world, "run", "--date", "2026-07-01")
    hook.received.clear()
    world.add_client(1042, email="")  # a client without a user of its own
    run(world, "audit")
    run(world, "audit")
    [body] = hook.bodies
    notice = json.loads(body)
    assert (notice["command"], notice["run"]) == ("audit", None)
    assert {thing["kind"] for thing in notice["new"]} == {"finding"}
