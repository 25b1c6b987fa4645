"""Histories of corrections, held invoices, carried months and nobody's usage that moved money wrongly, or hid it."""


import attrs

from tests.small_world import SmallWorld
from tollbridge.errors import OutcomeUnknown, Refused
from tollbridge.jobs.reports import DailyReport
from tollbridge.ledger import Account
from tollbridge.memory import Trouble
from tollbridge.rules.calendar import Month
from tollbridge.rules.corrections import CorrectionState

JUNE, JULY, AUGUST = Month(2026, 6), Month(2026, 7), Month(2026, 8)
WEB_1 = 1  # the first server that a world makes


def daily(world: SmallWorld, day: str, *, dry_run: bool = False) -> DailyReport:
    """Four o'clock on a day, and one run of everything."""
    world.at(day)
    return world.daily(day, dry_run=dry_run)


def invoice(world: SmallWorld, day: str, month: Month) -> None:
    """Somebody asks for just one month."""
    world.at(day)
    with world.run(day) as run:
        run.invoices(month)


def failed(report: DailyReport) -> list[str]:
    """The failures, in words."""
    return [str(failure) for failure in report.failures]


def refuse(world: SmallWorld, client_id: int) -> None:
    """No invoice for this client, until the troubles are cleared."""
    world.books.troubles.add(Trouble("before", "create_invoice", client_id, times=None, error=Refused("not now")))


def vanish(world: SmallWorld, server_id: int) -> None:
    """The panel does not report a server any more."""
    with world.panel.lock:
        servers = world.panel.tables.servers
        servers.put(attrs.evolve(servers.get(server_id), uptime=()))
        world.panel.patch_settings({})


# Billed twice, or never


def test_late_usage_is_corrected_though_another_clients_invoice_of_that_month_is_still_refused(
    world: SmallWorld,
) -> None:
    user = world.client_with_server(1, hours=700)
    world.client_with_server(2, hours=100)
    refuse(world, 2)
    daily(world, "2026-07-01")
    world.run_server(user, 100, name="july")
    world.panel.correct_usage(JUNE, 1044, server_id=WEB_1)
    daily(world, "2026-08-01")
    world.books.troubles.clear()
    daily(world, "2026-09-01")
    assert world.billed() == {"TB-2026-06-1": "4.9", "TB-2026-06-2": "0.7", "TB-2026-07-1": "1.74"}


def test_late_usage_that_waits_as_a_correction_is_not_billed_under_its_own_month_too(world: SmallWorld) -> None:
    world.client_with_server(1, hours=700)
    world.add_client(2)
    user = world.add_user(2)
    daily(world, "2026-07-01")
    world.panel.correct_usage(JUNE, 1000, user_id=user)
    daily(world, "2026-08-01")
    invoice(world, "2026-08-02", JUNE)
    with world.parts() as parts:
        parts.ledger.corrections.decide(JULY, 2, CorrectionState.OPEN, "the panel was late")
    daily(world, "2026-09-01")
    assert sum(tokens for _, tokens in world.lines()) == 4900 + 1000


def test_a_correction_of_a_carried_month_is_not_in_its_last_invoice_too(world: SmallWorld) -> None:
    world.billing = 'minimum = { USD = "1.00" }'
    world.client_with_server(1, hours=50)
    daily(world, "2026-07-01")
    world.panel.correct_usage(JUNE, 100, server_id=WEB_1)
    daily(world, "2026-08-01")
    assert world.billed() == {}
    world.books.change_client(1, status="closed")
    refuse(world, 1)
    daily(world, "2026-08-02")
    world.books.troubles.clear()
    daily(world, "2026-08-03")
    daily(world, "2026-09-01")
    assert sum(tokens for _, tokens in world.lines()) == 450


def test_usage_that_was_billed_is_not_billed_to_whom_its_user_is_linked_after_it_was_unlinked(
    world: SmallWorld,
) -> None:
    world.client_with_server(1, hours=700)
    second = world.panel.add_user("second@example.com", billing_user_id=1).id
    world.run_server(second, 10, name="second")
    daily(world, "2026-07-01")
    world.panel.update_user(second, billing_user_id=None)
    report = daily(world, "2026-08-01")
    assert failed(report) == [], "all of it was billed"
    world.add_client(2, email="second@example.com")
    world.panel.update_user(second, billing_user_id=2)
    daily(world, "2026-08-02")
    assert world.billed() == {"TB-2026-06-1": "4.97"}


def test_a_user_that_moves_before_its_refused_invoice_is_sent_is_billed_once(world: SmallWorld) -> None:
    user = world.client_with_server(1, hours=700)
    world.add_client(2)
    refuse(world, 1)
    daily(world, "2026-07-01")
    world.panel.update_user(user, billing_user_id=2)
    world.books.troubles.clear()
    daily(world, "2026-07-02")
    assert world.billed() == {"TB-2026-06-2": "4.9"}


def test_usage_of_nobody_that_was_written_off_is_not_billed_when_its_user_is_linked_later(world: SmallWorld) -> None:
    world.client_with_server(1, hours=700)
    user = world.panel.add_user("somebody@example.com").id
    world.run_server(user, 10, name="whose")
    daily(world, "2026-07-01")
    with world.parts() as parts:
        parts.ledger.readings.write_off(user, JUNE, "a present", onwards=False)
    world.panel.update_user(user, billing_user_id=1)
    daily(world, "2026-08-01")
    invoice(world, "2026-08-02", JUNE)
    daily(world, "2026-09-01")
    assert world.billed() == {"TB-2026-06-1": "4.9"}


def test_usage_of_nobody_that_finds_its_client_while_its_invoice_is_in_doubt_is_billed_later(
    world: SmallWorld,
) -> None:
    world.billing = "recheck_months = 0"
    world.more = '[accounts]\nprovision = "signup"\n'
    world.add_client(1)
    user = world.panel.add_user("client1@example.com").id
    second = world.panel.add_user("second@example.com", billing_user_id=1).id
    world.run_server(user, 10, name="whose")
    world.run_server(second, 700, name="second")
    lost = OutcomeUnknown("no answer came")
    world.books.troubles.add(Trouble("after", "create_invoice", 1, times=None, error=lost))
    daily(world, "2026-07-01")
    with world.parts() as parts:
        parts.ledger.accounts.add(Account(1, user, "client1@example.com"))
    world.panel.update_user(user, billing_user_id=1)
    daily(world, "2026-07-01")
    world.books.troubles.clear()
    daily(world, "2026-07-02")
    daily(world, "2026-08-01")
    assert sum(tokens for _, tokens in world.lines()) == 4970


def test_usage_of_nobody_is_told_though_its_user_is_not_reported_any_more(world: SmallWorld) -> None:
    world.client_with_server(1, hours=700)
    user = world.panel.add_user("somebody@example.com").id
    world.run_server(user, 10, name="whose")
    (words,) = failed(daily(world, "2026-07-01"))
    vanish(world, 2)
    assert failed(daily(world, "2026-08-01")) == [words]
    assert failed(daily(world, "2026-09-01")) == [words]
