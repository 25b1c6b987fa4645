"""What the operator is told: whatever failed, waits or was found, once for as long as it lasts."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.small_world import SmallWorld
from tollbridge.errors import Unavailable
from tollbridge.jobs.notices import Thing, notify_of_findings
from tollbridge.jobs.parts import Parts

NOTIFY = """
[notify]
mail = "ops@example.com"
webhook = "https://ops.example.com/tollbridge"
webhook_secret = "0123456789abcdef0123456789abcdef"

[mail]
host = "smtp.example.com"
sender = "tollbridge@example.com"
"""


@pytest.fixture
def world(small_world: SmallWorld) -> SmallWorld:
    small_world.more = NOTIFY
    return small_world


def daily(world: SmallWorld, day: str, *, dry_run: bool = False) -> None:
    world.at(day)
    with world.run(day, dry_run=dry_run) as run:
        run.daily()


def notices(world: SmallWorld) -> list[dict[str, Any]]:
    """What the webhook is to get, and not yet got, taken as if it was sent; each is a mail, too."""
    later = datetime.now(UTC) + timedelta(days=1)
    with world.parts() as parts:
        taken = parts.ledger.outbox.take(later, 60, 99, to_webhook=True)
        mails = parts.ledger.outbox.take(later, 60, 99)
        for each in [*taken, *mails]:
            parts.ledger.outbox.sent(each, later)
    assert [mail.recipient for mail in mails] == ["ops@example.com"] * len(taken)
    return [json.loads(each.mail.text) for each in taken]


def told(world: SmallWorld) -> list[tuple[str, str]]:
    return [(thing["kind"], thing["who"]) for notice in notices(world) for thing in notice["new"]]


def stranger(world: SmallWorld) -> int:
    """Usage of nobody: a failure of every run."""
    user = world.panel.add_user("nobody@example.com").id
    world.run_server(user, 10)
    return user


def test_a_run_without_failures_tells_nothing(world: SmallWorld) -> None:
    world.client_with_server(7)
    daily(world, "2026-07-01")
    assert notices(world) == []


def test_a_failure_is_told_once_for_as_long_as_it_lasts_and_again_when_it_comes_back(world: SmallWorld) -> None:
    user = stranger(world)
    world.at("2026-07-01")
    failure = [("failure", f"user {user} in 2026-06")]
    daily(world, "2026-07-01")
    assert told(world) == failure
    daily(world, "2026-07-01")
    daily(world, "2026-07-01")
    assert told(world) == []
    with world.parts() as parts:
        forgotten = parts.ledger.told.tell("run", [], lambda _: [], complete=True)
        assert forgotten == frozenset()
    daily(world, "2026-07-01")
    assert told(world) == failure


def test_a_dry_run_tells_nobody(world: SmallWorld) -> None:
    stranger(world)
    daily(world, "2026-07-01", dry_run=True)
    assert notices(world) == []


def test_a_run_that_is_stopped_is_told_and_makes_nothing_forgotten(
    world: SmallWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = stranger(world)
    daily(world, "2026-07-01")
    assert told(world) == [("failure", f"user {user} in 2026-06")]
    with monkeypatch.context() as patch:

        def down(_self: object) -> None:
            raise Unavailable("SolusIO cannot be reached")

        patch.setattr("tollbridge.jobs.accounts.Sync.sync", down)
        daily(world, "2026-07-01")
        assert [each for each in told(world) if each[0] == "stopped"] == [("stopped", "the run")]
        daily(world, "2026-07-01")
        assert told(world) == [], "it goes on"
    daily(world, "2026-07-01")
    assert told(world) == [], "the failure of before is known"


def test_what_waits_for_a_human_is_told_as_such(world: SmallWorld) -> None:
    world.billing = 'hold_above = "2"\nhold_from = { USD = "1.00" }'
    user = world.client_with_server(7, hours=100)
    daily(world, "2026-07-01")
    assert told(world) == []
    world.run_server(user, 600, name="july")
    daily(world, "2026-08-01")
    assert told(world) == [("approval", "TB-2026-07-7")]


def test_a_run_that_died_is_told_by_the_next_one(world: SmallWorld) -> None:
    with world.parts() as parts, parts.ledger.runs.live("run", datetime.now(UTC).date(), works=True) as run:
        dead = run.id  # it ends without having said how
    daily(world, "2026-07-01")
    assert told(world) == [("died", f"run {dead}")]
    daily(world, "2026-07-01")
    assert told(world) == []


def test_figures_in_a_message_do_not_make_it_another_thing_and_another_client_does() -> None:
    one = Thing("failure", "client 7", "SolusIO reports 4,900 tokens for clients 1, 2, 3")
    assert one.key == Thing("failure", "client 7", "SolusIO reports 5,120 tokens for clients 1, 2, 3, 4").key
    assert one.key != Thing("failure", "client 8", one.message).key
    assert one.key != Thing("failure", "client 7", "the billing system refuses it").key


def test_findings_are_told_once_and_a_partial_audit_makes_none_forgotten(world: SmallWorld) -> None:
    finding = [("TB-2026-06-7 (sums)", "expected 4.90 USD, found 4.80 USD")]
    with world.parts() as parts:
        audit(parts, finding, complete=True)
        audit(parts, [], complete=False)
        audit(parts, finding, complete=True)
    assert [notice["command"] for notice in notices(world)] == ["audit"]
    with world.parts() as parts:
        audit(parts, [], complete=True)
        audit(parts, finding, complete=True)
    assert told(world) == [("finding", "TB-2026-06-7 (sums)")]


def audit(parts: Parts, findings: list[tuple[str, str]], *, complete: bool) -> None:
    assert parts.settings.notify is not None
    notify_of_findings(parts.ledger, parts.settings.notify, findings, complete=complete)


def test_a_thousand_failures_make_one_notice_that_says_how_many_there_are(world: SmallWorld) -> None:
    with world.parts() as parts:
        audit(parts, [(f"client {number}", "is wrong") for number in range(1000)], complete=True)
    [notice] = notices(world)
    assert (len(notice["new"]), notice["more"]) == (50, 950)
