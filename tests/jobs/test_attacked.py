"""Histories that moved money wrongly, locked or left out somebody, or ended a command with a traceback."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import attrs
import pytest

from tests.small_world import SmallWorld, a_small_world
from tollbridge.errors import Refused
from tollbridge.jobs.comparison import compare_usage
from tollbridge.jobs.price_lists import running_month
from tollbridge.jobs.reports import DailyReport
from tollbridge.jobs.statement import UsageMemory
from tollbridge.jobs.work import ClientsRead, _boot_seconds
from tollbridge.ledger import Account
from tollbridge.memory import Trouble
from tollbridge.model import UserUsage
from tollbridge.rules.calendar import Month
from tollbridge.sandbox import Fault
from tollbridge.usage import UsageSource


def failed(report: DailyReport) -> list[str]:
    """The failures, in words."""
    return [str(failure) for failure in report.failures]


def test_no_user_is_deleted_on_half_a_reading_of_what_it_used(world: SmallWorld) -> None:
    world.more = '[accounts]\non_closed = "delete"\n'
    users = [world.client_with_server(client) for client in (1, 2)]
    for server in list(world.panel.tables.servers.rows()):
        world.panel.delete_server(server.id)
    for client in (1, 2):
        world.books.change_client(client, status="closed")
    world.panel.set_time(world.panel.now.replace(day=20, hour=4))
    world.panel.faults.add(Fault("html", path="usage", times=None))
    with world.run("2026-06-20") as run:
        report = run.accounts()
    assert report.deleted == []
    assert [world.status(user) for user in users] == ["suspended"] * 2


def test_a_month_does_not_close_while_somebody_who_came_late_has_no_entry(world: SmallWorld) -> None:
    world.client_with_server(1)
    world.add_client(2, "XXX")
    late = world.panel.add_user("somebody@example.com").id
    world.run_server(late, 100)
    world.more = '[accounts]\nprovision = "signup"\n'
    world.at("2026-07-01")
    world.books.troubles.add(Trouble("before", "create_invoice", client_id=1, error=Refused("no")))
    world.daily("2026-07-01")
    world.panel.update_user(late, billing_user_id=2)
    assert "XXX" in failed(world.daily("2026-07-02"))[0]
    world.books.change_client(2, currency="USD")
    world.daily("2026-07-03")
    assert sorted(world.billed()) == ["TB-2026-06-1", "TB-2026-06-2"]


def test_a_zone_that_changes_while_a_month_is_half_billed_leaves_no_hour_out(world: SmallWorld) -> None:
    world.billing = 'timezone = "Pacific/Auckland"'
    world.panel.add_plan("Hourly", 1, 0)
    for client in (1, 2):
        world.add_client(client)
        world.run_server(world.add_user(client), 61 * 24, plan="Hourly")
    world.books.change_client(2, currency="XXX")
    world.at("2026-07-02")
    world.daily("2026-07-02")
    assert sorted(world.billed()) == ["TB-2026-06-1"]
    world.books.change_client(2, currency="USD")
    world.billing = 'timezone = "America/New_York"'
    world.daily("2026-07-02")
    world.at("2026-08-05")
    world.daily("2026-08-05")
    with world.parts() as parts:
        for client in (1, 2):
            entries = parts.ledger.invoices.issued_to(client, 9)
            assert sum(line.hours or 0 for entry in entries for line in entry.document.lines) == 61 * 24


def test_the_page_shows_the_usage_of_all_users_whose_invoice_is_the_clients(world: SmallWorld) -> None:
    now = datetime.now(UTC)
    world.panel.set_time(now.replace(day=1, hour=0, minute=0, second=0, microsecond=0))
    world.client_with_server(1, hours=10)
    world.run_server(world.panel.add_user("other@example.com", billing_user_id=1).id, 20, name="other")
    unlinked = world.panel.add_user("unlinked@example.com").id
    world.run_server(unlinked, 30, name="unlinked")
    world.panel.set_time(now)
    with world.parts() as parts:
        parts.ledger.accounts.add(Account(1, unlinked, "unlinked@example.com"), None)
        shown = UsageMemory(parts).of_client(1, running_month(parts, now))
    assert sorted(item.name for item in shown.items) == ["other", "unlinked", "web-1"]


def test_usage_is_compared_in_the_interval_that_was_billed(world: SmallWorld) -> None:
    world.billing = 'timezone = "Pacific/Auckland"'
    world.client_with_server(1, hours=61 * 24)
    world.at("2026-07-02")
    world.daily("2026-07-02")
    world.billing = 'timezone = "America/New_York"'
    with world.parts() as parts:
        assert compare_usage(parts, Month(2026, 6), lambda _step, _done: None).remarks() == []


@pytest.mark.parametrize("field", ["first_name", "email", "group"])
@pytest.mark.parametrize("letter", ["\ud800", "\x00"])
def test_a_client_whose_texts_cannot_be_kept_as_they_are_stops_nobody(
    world: SmallWorld, field: str, letter: str
) -> None:
    world.client_with_server(1)
    world.client_with_server(2)
    world.books.change_client(1, **{field: f"a{letter}b@example.com"})
    world.at("2026-07-01")
    assert world.daily("2026-07-01").outcome == "done"
    assert sorted(world.billed()) == ["TB-2026-06-1", "TB-2026-06-2"]


@pytest.mark.parametrize("number", [2**63, 2**64, 0, -1])
def test_a_client_whose_number_cannot_be_one_is_a_failure_and_stops_nobody(world: SmallWorld, number: int) -> None:
    world.client_with_server(2)
    world.add_client(number, email="somebody@example.com")
    world.at("2026-07-01")
    assert failed(world.daily("2026-07-01")) == [f"a client: {number} is no number of a client"]
    assert sorted(world.billed()) == ["TB-2026-06-2"]


@pytest.mark.parametrize("call", ["clients", "terms", "create_invoice", "unpaid_invoices", "remember_user"])
def test_what_a_billing_system_answers_ends_no_command_by_its_letters(world: SmallWorld, call: str) -> None:
    world.client_with_server(1)
    world.add_client(2)
    world.at("2026-07-01")
    world.books.troubles.add(Trouble("before", call, times=None, error=Refused("no \ud800 and no \x00")))
    told = [*failed(world.daily("2026-07-01")), *failed(world.daily("2026-07-20"))]
    assert [words for words in told if "no \ufffd and no \ufffd" in words]


def test_postgresql_keeps_what_a_billing_system_answers(postgresql_url: str, tmp_path: Path) -> None:
    with a_small_world(tmp_path, postgresql_url) as world:
        world.client_with_server(1)
        world.at("2026-07-01")
        world.books.troubles.add(Trouble("before", "create_invoice", error=Refused("no \x00")))
        assert failed(world.daily("2026-07-01")) == ["TB-2026-06-1: no \ufffd"]


def test_who_has_paid_is_released_by_the_run_after_one_that_was_killed(world: SmallWorld) -> None:
    user = world.client_with_server(1)
    world.at("2026-07-01")
    world.daily("2026-07-01")
    world.daily("2026-07-25")
    assert world.status(user) == "locked"
    world.books.pay("TB-2026-06-1")
    with world.parts() as parts, parts.ledger.runs.live("run", date(2026, 7, 26), works=True) as killed:
        parts.ledger.accounts.claim(killed.id, [1], timedelta(seconds=60))
    world.daily("2026-07-26")
    assert world.status(user) == "active"


def test_a_user_that_is_known_to_be_one_clients_is_not_anothers_by_its_address(world: SmallWorld) -> None:
    user = world.client_with_server(2)
    world.daily("2026-06-02")
    world.panel.update_user(user, billing_user_id=None, email="client1@example.com")
    world.add_client(1)
    told = failed(world.daily("2026-06-03"))
    assert len(told) == 1
    assert "client 2's" in told[0]
    with world.parts() as parts:
        assert list(parts.ledger.accounts.of_clients([1, 2])) == [2]
    assert world.panel.user(user).billing_user_id == 2
    assert failed(world.daily("2026-06-04")) == []


@pytest.mark.parametrize("change", ["address", "unlinked", "deleted"])
def test_a_dry_run_locks_whom_the_real_one_would_whatever_became_of_the_user(world: SmallWorld, change: str) -> None:
    world.add_client(1)
    user = world.add_user(1)
    world.run_server(user, 700)
    world.at("2026-07-01")
    world.daily("2026-07-01")
    match change:
        case "address":
            world.books.change_client(1, email="New@example.com")
        case "unlinked":
            world.panel.update_user(user, billing_user_id=None)
        case "deleted":
            world.panel.delete_server(world.panel.servers[0].id)
            world.panel.delete_user(user)
    dry, real = world.daily("2026-07-25", dry_run=True), world.daily("2026-07-25")
    assert (failed(dry), dry.overdue.waiting) == (failed(real), real.overdue.waiting)
    assert [(each.client_id, each.after) for each in dry.overdue.changes] == [(1, "locked")]
    assert [(each.client_id, each.after) for each in real.overdue.changes] == [(1, "locked")]


def test_sums_of_more_than_28_digits_lose_none(world: SmallWorld) -> None:
    world.panel.add_plan("Huge", 10**17 + 7, 0)
    world.add_client(1)
    user = world.add_user(1)
    for number in range(3):
        world.run_server(user, 9, plan="Huge", name=f"huge-{number}")
    world.at("2026-07-01")
    priced = attrs.evolve(world.settings().pricing, tokens={"USD": Decimal("123456789.012345678901234567")})
    with world.run("2026-07-01") as run:
        parts = attrs.evolve(run.parts, settings=attrs.evolve(run.parts.settings, pricing=priced))
        assert failed(attrs.evolve(run, parts=parts).daily()) == []
        entry = run.parts.ledger.invoices.find(Month(2026, 6), 1)
    assert entry is not None
    (booked,) = world.books.invoices
    sums = {f"{each:f}" for each in (entry.subtotal, entry.total, booked.subtotal, booked.total)}
    assert sums == {"333333330333333356366666454.24"}


def test_what_is_carried_and_adds_up_to_more_than_can_be_is_one_clients_failure(world: SmallWorld) -> None:
    world.panel.add_plan("Huge", 2**62, 0)
    world.add_client(1)
    user = world.add_user(1)
    world.billing = 'minimum = { USD = "100000000000000000" }'
    for day in ("2026-07-01", "2026-08-01", "2026-09-01"):
        world.run_server(user, 1, plan="Huge")
        world.at(day)
        if day == "2026-09-01":
            world.billing = 'minimum = { USD = "1.00" }'
        report = world.daily(day)
    assert ["cannot be right" in words for words in failed(report)] == [True]
    assert world.billed() == {}


def test_who_has_paid_is_released_though_nobody_can_give_its_user_the_right_address(world: SmallWorld) -> None:
    user = world.client_with_server(1)
    world.at("2026-07-01")
    world.daily("2026-07-01")
    world.daily("2026-07-25")
    world.panel.update_user(user, email="by-hand@example.com")
    world.panel.add_user("taken@example.com", billing_user_id=77)
    world.books.change_client(1, email="taken@example.com")
    world.books.pay("TB-2026-06-1")
    world.daily("2026-07-26")
    assert world.status(user) == "active"


def test_a_dry_run_tells_what_is_wrong_with_a_paid_invoice_of_a_closed_month(world: SmallWorld) -> None:
    user = world.client_with_server(1)
    world.run_server(user, 600)
    world.at("2026-07-01")
    world.books.troubles.add(Trouble("half", "create_invoice"))
    world.daily("2026-07-01")
    world.daily("2026-07-01")
    world.books.pay("TB-2026-06-1")
    world.daily("2026-07-02")
    dry, real = world.daily("2026-07-03", dry_run=True), world.daily("2026-07-03")
    assert failed(dry) == failed(real) != []


def test_a_client_read_before_the_machine_slept_is_read_again(
    world: SmallWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = world.books.add_client(1)
    with ClientsRead() as read:
        read.add(client)
        assert read.find(1) == client
        asleep = _boot_seconds() + 3600
        monkeypatch.setattr("tollbridge.jobs.work._boot_seconds", lambda: asleep)
        assert read.find(1) is None


def test_a_dry_run_locks_whose_payment_bounced_after_the_month_was_closed(world: SmallWorld) -> None:
    world.client_with_server(1)
    world.at("2026-07-01")
    world.daily("2026-07-01")
    world.books.pay("TB-2026-06-1")
    world.daily("2026-07-02")
    world.books.bounce("TB-2026-06-1")
    dry, real = world.daily("2026-07-25", dry_run=True), world.daily("2026-07-25")
    assert [each.after for each in dry.overdue.changes] == [each.after for each in real.overdue.changes] == ["locked"]


def carried_and_lost(world: SmallWorld) -> int:
    """June's 0.35 was carried into July's invoice; then the ledger was lost. The client's user."""
    world.billing = 'minimum = { USD = "1.00" }'
    user = world.client_with_server(1, hours=50)
    for day, name in (("2026-07-01", "july"), ("2026-08-01", "august")):
        world.at(day)
        world.daily(day)
        world.run_server(user, 300, name=name)
    (world.folder / "tollbridge.db").unlink()
    return user


def test_after_a_lost_ledger_a_month_that_an_invoice_took_in_is_not_billed_by_itself(world: SmallWorld) -> None:
    carried_and_lost(world)
    world.billing = ""
    world.daily("2026-08-02")
    assert world.billed() == {"TB-2026-07-1": "2.45"}


def test_after_a_lost_ledger_a_month_that_an_invoice_took_in_is_not_taken_in_again(world: SmallWorld) -> None:
    carried_and_lost(world)
    world.at("2026-09-01")
    for month in (6, 8):
        with world.run("2026-09-01") as run:
            run.invoices(Month(2026, month))
    assert world.billed() == {"TB-2026-07-1": "2.45", "TB-2026-08-1": "2.1"}


@attrs.frozen
class WithoutUser(UsageSource):
    """A source that has forgotten a user."""

    source: UsageSource
    user_id: int
    name: str = "forgetful"

    def read(self, start: datetime, end: datetime) -> Iterator[UserUsage]:
        """Everybody else."""
        return (each for each in self.source.read(start, end) if each.user_id != self.user_id)


def test_a_refused_invoice_drafted_anew_tells_that_one_of_its_users_is_not_reported_any_more(
    world: SmallWorld,
) -> None:
    world.client_with_server(1, hours=10)
    other = world.panel.add_user("other@example.com", billing_user_id=1).id
    world.run_server(other, 20, name="other")
    world.at("2026-07-01")
    world.books.troubles.add(Trouble("before", "create_invoice", error=Refused("no")))
    world.daily("2026-07-01")
    with world.run("2026-07-02") as run:
        parts = attrs.evolve(run.parts, usage=WithoutUser(run.parts.usage, other))
        warnings = attrs.evolve(run, parts=parts).daily().invoicing.warnings
    assert world.billed() == {"TB-2026-06-1": "0.21"} or warnings


def test_on_postgresql_a_run_tells_whom_it_left_to_one_that_was_killed(postgresql_url: str, tmp_path: Path) -> None:
    with a_small_world(tmp_path, postgresql_url) as world:
        user = world.client_with_server(1)
        for day in ("2026-07-01", "2026-07-25"):
            world.at("2026-07-01")
            world.daily(day)
        world.books.pay("TB-2026-06-1")
        with world.parts() as parts, parts.ledger.runs.live("run", date(2026, 7, 26), works=True) as killed:
            parts.ledger.accounts.claim(killed.id, [1], timedelta(seconds=60))
        report = world.daily("2026-07-26")
        assert world.status(user) == "active" or failed(report)
