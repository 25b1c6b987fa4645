"""Histories of corrections, held invoices, carried months and nobody's usage that moved money wrongly, or hid it."""

from collections.abc import Sequence

import attrs
import pytest

from tests.small_world import SmallWorld
from tollbridge.errors import OutcomeUnknown, Refused, UsageError
from tollbridge.jobs.reports import DailyReport
from tollbridge.ledger import Account
from tollbridge.ledger.invoices import Draft
from tollbridge.ledger.leases import Lease
from tollbridge.memory import Trouble
from tollbridge.rules.calendar import Month
from tollbridge.rules.corrections import CorrectionState
from tollbridge.rules.entry import Entry, State

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


def test_late_usage_is_corrected_though_another_client_cannot_be_drafted(world: SmallWorld) -> None:
    user = world.client_with_server(1, hours=700)
    world.client_with_server(2, hours=100, currency="XXX")
    daily(world, "2026-07-01")
    world.run_server(user, 100, name="july")
    world.panel.correct_usage(JUNE, 1044, server_id=WEB_1)
    daily(world, "2026-08-01")
    assert world.billed() == {"TB-2026-06-1": "4.9", "TB-2026-07-1": "1.74"}
    world.books.change_client(2, currency="USD")
    daily(world, "2026-08-02")
    assert world.billed() == {"TB-2026-06-1": "4.9", "TB-2026-06-2": "0.7", "TB-2026-07-1": "1.74"}


def test_small_corrections_of_a_month_wait_once_they_come_to_much_together(world: SmallWorld) -> None:
    world.billing = "recheck_months = 2"
    world.client_with_server(1, hours=700)
    daily(world, "2026-07-01")
    world.panel.correct_usage(JUNE, 2000, server_id=WEB_1)
    assert failed(daily(world, "2026-08-01")) == []
    world.panel.correct_usage(JUNE, 2000, server_id=WEB_1)
    (words,) = failed(daily(world, "2026-09-01"))
    assert words.startswith("TB-2026-08-1: 1 correction of 2026-06, 2.00 USD before tax, wait for you")
    assert world.billed() == {"TB-2026-06-1": "4.9", "TB-2026-07-1": "2"}


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


def test_what_a_client_who_closes_later_is_owed_is_told_until_it_is_settled(world: SmallWorld) -> None:
    world.client_with_server(1, hours=700)
    daily(world, "2026-07-01")
    world.panel.correct_usage(JUNE, -900, server_id=WEB_1)
    daily(world, "2026-08-01")
    world.books.change_client(1, status="closed")
    for day in ("2026-08-02", "2026-08-03", "2026-09-01"):
        (words,) = failed(daily(world, day))
        assert "-0.90 USD" in words
    with world.parts() as parts:
        assert parts.ledger.corrections.decide(JULY, 1, CorrectionState.REFUSED, "paid back by bank")
    assert failed(daily(world, "2026-09-02")) == []
    assert world.billed() == {"TB-2026-06-1": "4.9"}


def test_what_is_owed_in_a_currency_that_the_client_does_not_pay_in_any_more_is_told(world: SmallWorld) -> None:
    world.client_with_server(1, hours=700)
    daily(world, "2026-07-01")
    world.panel.correct_usage(JUNE, -900, server_id=WEB_1)
    daily(world, "2026-08-01")
    world.books.change_client(1, currency="EUR")
    for day in ("2026-09-01", "2026-10-01"):
        (words,) = failed(daily(world, day))
        assert "-0.90 USD" in words


def test_what_is_carried_and_taken_back_of_a_closed_client_is_told_as_one_sum(world: SmallWorld) -> None:
    user = world.client_with_server(1, hours=700)
    daily(world, "2026-07-01")
    world.run_server(user, 100, name="july")
    world.panel.correct_usage(JUNE, -2000, server_id=WEB_1)
    daily(world, "2026-08-01")
    world.books.change_client(1, status="closed")
    report = daily(world, "2026-08-02")
    told = [*report.invoicing.warnings, *failed(report)]
    assert any("owed 1.30 USD" in words for words in told)
    assert world.billed() == {"TB-2026-06-1": "4.9"}


# Taxes and currencies


def taxes(world: SmallWorld) -> None:
    """A fifth on top."""
    world.more = '[[pricing.taxes]]\nlabel = "VAT"\nrate = "20"\n'


def test_what_is_taken_back_of_a_client_who_is_exempt_by_now_makes_no_invoice_below_zero(world: SmallWorld) -> None:
    taxes(world)
    user = world.client_with_server(1, hours=700)
    daily(world, "2026-07-01")
    world.panel.correct_usage(JUNE, -2400, server_id=WEB_1)
    daily(world, "2026-08-01")
    world.books.change_client(1, tax_exempt=True)
    world.run_server(user, 350, name="august")
    report = daily(world, "2026-09-01")
    assert report.stopped_by is None
    (booked,) = world.books.find("TB-2026-08-1")
    assert {line.taxed for line in booked.lines} == {False}, "taxed as the invoice they stand on"
    assert world.billed()["TB-2026-08-1"] == "0.05"


def test_no_invoice_comes_to_less_than_zero_by_the_tax_on_what_it_takes_back(world: SmallWorld) -> None:
    taxes(world)
    world.billing = 'minimum = { USD = "3.00" }'
    user = world.client_with_server(1, hours=700)
    daily(world, "2026-07-01")
    world.books.change_client(1, tax_exempt=True)
    world.run_server(user, 350, name="july")
    world.panel.correct_usage(JUNE, -2400, server_id=WEB_1)
    daily(world, "2026-08-01")
    world.books.change_client(1, tax_exempt=False)
    world.billing = ""
    report = daily(world, "2026-09-01")
    assert report.stopped_by is None
    assert world.billed() == {"TB-2026-06-1": "4.9"}
    world.run_server(user, 350, name="september")
    daily(world, "2026-10-01")
    assert world.billed() == {"TB-2026-06-1": "4.9", "TB-2026-09-1": "2.5"}


def test_what_was_asked_for_in_another_currency_holds_no_invoice(world: SmallWorld) -> None:
    world.billing = 'hold_above = "2"'
    user = world.client_with_server(1, hours=700)
    daily(world, "2026-07-01")
    world.books.change_client(1, currency="JPY")
    world.run_server(user, 700, name="july")
    assert failed(daily(world, "2026-08-01")) == []
    assert world.billed() == {"TB-2026-06-1": "4.9", "TB-2026-07-1": "735"}


def test_a_dry_run_holds_what_the_run_holds(world: SmallWorld) -> None:
    world.billing = 'hold_above = "2"'
    user = world.client_with_server(1, hours=700)
    daily(world, "2026-07-01")
    for number, (day, hours) in enumerate([("2026-08-01", 10), ("2026-09-01", 10), ("2026-10-01", 700)]):
        world.run_server(user, hours, name=f"web-{number}")
        if hours == 10:
            world.at(day)
            for booked in world.books.invoices:
                world.books.pay(booked.reference)
            daily(world, day)
    assert failed(daily(world, "2026-10-01", dry_run=True)) == []
    assert failed(daily(world, "2026-10-01")) == []


def test_a_dry_run_of_a_month_that_was_invoiced_plans_nothing_again(world: SmallWorld) -> None:
    world.client_with_server(1, hours=700)
    daily(world, "2026-07-01")
    world.books.pay("TB-2026-06-1")
    for day in ("2026-08-01", "2026-09-01", "2026-10-01"):
        daily(world, day)
    world.panel.correct_usage(JUNE, 1044, server_id=WEB_1)
    with world.run("2026-10-01", dry_run=True) as run:
        report = run.invoices(JUNE)
    assert (report.failures, report.totals) == ([], {})


def test_a_carried_month_is_not_written_off_while_a_run_may_be_putting_it_on_an_invoice(
    world: SmallWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.billing = 'minimum = { USD = "1.00" }'
    user = world.client_with_server(1, hours=50)
    daily(world, "2026-07-01")
    world.run_server(user, 700, name="july")
    world.at("2026-08-01")
    said: list[str] = []
    with world.run("2026-08-01") as run, world.parts() as human:
        real = run.parts.ledger.invoices.draft

        def draft(drafts: Sequence[Draft], lease: Lease) -> list[Entry]:
            """Somebody says no to June while July, which takes it in, is about to be written."""
            try:
                human.ledger.invoices.write_off(JUNE, 1, "let it be")
            except UsageError as error:
                said.append(str(error))
            return real(drafts, lease)

        monkeypatch.setattr(run.parts.ledger.invoices, "draft", draft)
        run.daily()
        june = human.ledger.invoices.find(JUNE, 1)
    assert june is not None
    assert "a run is drafting just now" in said[0]
    assert (june.state, world.billed()) == (State.CARRIED, {"TB-2026-07-1": "5.25"})


def test_usage_of_nobody_whose_user_becomes_a_clients_second_one_is_billed_by_the_next_run(world: SmallWorld) -> None:
    world.billing = "recheck_months = 0"
    world.client_with_server(1, hours=700)
    user = world.panel.add_user("somebody@example.com").id
    world.run_server(user, 10, name="whose")
    daily(world, "2026-07-01")
    world.panel.update_user(user, billing_user_id=1)
    daily(world, "2026-07-02")
    with world.parts() as parts:
        assert parts.ledger.readings.all_unbilled() == []
    daily(world, "2026-08-01")
    assert sum(tokens for _, tokens in world.lines()) == 4970


def test_a_restored_ledger_takes_back_an_invoice_though_less_is_reported_by_now(world: SmallWorld) -> None:
    user = world.client_with_server(1, hours=700)
    daily(world, "2026-07-01")
    ledger = world.folder / "tollbridge.db"
    kept = ledger.read_bytes()
    world.run_server(user, 600, name="july")
    world.panel.correct_usage(JUNE, -2000, server_id=WEB_1)
    daily(world, "2026-08-01")
    ledger.write_bytes(kept)
    world.panel.correct_usage(JULY, -3500, server_id=2)
    report = daily(world, "2026-08-02")
    assert report.stopped_by is None
    assert world.billed() == {"TB-2026-06-1": "4.9", "TB-2026-07-1": "2.2"}
