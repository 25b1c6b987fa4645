"""A ledger that was lost or restored is put right from what the billing system has."""

import shutil
from decimal import Decimal

import pytest

from tests.small_world import SmallWorld
from tollbridge.jobs.reports import DailyReport
from tollbridge.rules.calendar import Month
from tollbridge.rules.entry import Entry, State

JUNE, JULY = Month(2026, 6), Month(2026, 7)


def daily(world: SmallWorld, day: str, *, dry_run: bool = False) -> DailyReport:
    """Four o'clock on a day, and one run of everything."""
    world.at(day)
    return world.daily(day, dry_run=dry_run)


def failed(report: DailyReport) -> list[str]:
    """The failures, in words."""
    return [str(failure) for failure in report.failures]


def lose(world: SmallWorld) -> None:
    """The ledger is gone."""
    (world.folder / "tollbridge.db").unlink()


def entry(world: SmallWorld, month: Month) -> Entry:
    """What the ledger has of client 1."""
    with world.parts() as parts:
        found = parts.ledger.invoices.find(month, 1)
    assert found is not None
    return found


def test_an_invoice_is_taken_back_with_the_figures_that_it_has_and_not_todays(world: SmallWorld) -> None:
    world.client_with_server(1, hours=700)
    daily(world, "2026-07-01")
    lose(world)
    world.books.change_client(1, currency="EUR")
    assert failed(daily(world, "2026-07-02")) == []
    june = entry(world, JUNE)
    assert (june.state, june.currency, june.subtotal, june.total) == (
        State.ISSUED, "USD", Decimal("4.90"), Decimal("4.90")
    )  # fmt: skip
    assert june.taken_back
    assert june.document.price.currency.code == "USD"
    assert june.tokens == 4900
    assert failed(daily(world, "2026-07-03")) == []
    assert world.billed() == {"TB-2026-06-1": "4.9"}


def test_an_invoice_that_this_ledger_has_sent_is_compared_with_what_was_asked_for(world: SmallWorld) -> None:
    world.client_with_server(1, hours=700)
    daily(world, "2026-07-01")
    assert not entry(world, JUNE).taken_back


@pytest.mark.parametrize("minimum", ['minimum = { USD = "1.00" }', "", 'minimum = { USD = "9.00" }'])
def test_what_an_invoice_had_taken_in_is_not_billed_again_whatever_the_minimum_is_now(
    world: SmallWorld, minimum: str
) -> None:
    world.billing = 'minimum = { USD = "1.00" }'
    user = world.client_with_server(1, hours=50)
    daily(world, "2026-07-01")
    world.run_server(user, 300, name="july")
    daily(world, "2026-08-01")
    assert world.billed() == {"TB-2026-07-1": "2.45"}
    lose(world)
    world.billing = minimum
    assert failed(daily(world, "2026-08-02")) == []
    assert world.billed() == {"TB-2026-07-1": "2.45"}
    assert (entry(world, JUNE).state, entry(world, JUNE).carried_into) == (State.CARRIED, "2026-07")
    assert entry(world, JULY).total == Decimal("2.45")
    world.run_server(user, 300, name="august")
    daily(world, "2026-09-01")
    assert world.billed().get("TB-2026-08-1") in {"2.1", None}


def test_a_carried_month_of_a_restored_ledger_that_an_invoice_took_in_since_is_not_billed_again(
    world: SmallWorld,
) -> None:
    world.billing = 'minimum = { USD = "1.00" }'
    user = world.client_with_server(1, hours=50)
    daily(world, "2026-07-01")
    shutil.copy(world.folder / "tollbridge.db", world.folder / "backup.db")
    world.run_server(user, 50, name="july")
    daily(world, "2026-08-01")
    world.run_server(user, 300, name="august")
    daily(world, "2026-09-01")
    assert world.billed() == {"TB-2026-08-1": "2.8"}
    for name in ("tollbridge.db-wal", "tollbridge.db-shm"):
        (world.folder / name).unlink(missing_ok=True)
    shutil.move(world.folder / "backup.db", world.folder / "tollbridge.db")
    assert failed(daily(world, "2026-09-02")) == []
    assert world.billed() == {"TB-2026-08-1": "2.8"}
    assert [entry(world, month).carried_into for month in (JUNE, JULY)] == ["2026-08", "2026-08"]


def unnamed(world: SmallWorld) -> None:
    """June's invoice was removed in the billing system, July's is there; then the ledger was lost."""
    user = world.client_with_server(1, hours=700)
    daily(world, "2026-07-01")
    world.run_server(user, 100, name="july")
    world.books.pay("TB-2026-06-1")
    daily(world, "2026-08-01")
    (booked,) = world.books.find("TB-2026-06-1")
    world.books.remove_invoice(booked.number)
    lose(world)


def test_an_earlier_month_that_no_invoice_names_waits_for_a_human(world: SmallWorld) -> None:
    unnamed(world)
    for day in ("2026-08-02", "2026-08-03"):
        (words,) = failed(daily(world, day))
        assert words.startswith("TB-2026-06-1: the billing system has TB-2026-07-1")
        assert world.billed() == {"TB-2026-07-1": "0.7"}
    with world.parts() as parts:
        assert parts.ledger.invoices.approve(JUNE, 1, "it was never paid") is not None
    assert failed(daily(world, "2026-08-04")) == []
    assert world.billed() == {"TB-2026-06-1": "4.9", "TB-2026-07-1": "0.7"}


def test_an_earlier_month_that_was_billed_otherwise_is_written_off(world: SmallWorld) -> None:
    unnamed(world)
    daily(world, "2026-08-02")
    with world.parts() as parts:
        assert parts.ledger.invoices.write_off(JUNE, 1, "paid in cash") is not None
    assert failed(daily(world, "2026-08-03")) == []
    assert world.billed() == {"TB-2026-07-1": "0.7"}


def test_a_correction_that_was_billed_is_not_billed_again_after_the_ledger_was_lost(world: SmallWorld) -> None:
    user = world.client_with_server(1, hours=700)
    daily(world, "2026-07-01")
    world.run_server(user, 100, name="july")
    world.panel.correct_usage(JUNE, 1000, server_id=1)
    daily(world, "2026-08-01")
    before = world.billed()
    lose(world)
    daily(world, "2026-08-02")
    daily(world, "2026-09-01")
    assert world.billed() == before == {"TB-2026-06-1": "4.9", "TB-2026-07-1": "1.7"}


def test_a_dry_run_after_the_ledger_was_lost_shows_what_is_there_and_plans_nothing_anew(world: SmallWorld) -> None:
    world.billing = 'minimum = { USD = "1.00" }'
    user = world.client_with_server(1, hours=50)
    daily(world, "2026-07-01")
    world.run_server(user, 300, name="july")
    daily(world, "2026-08-01")
    lose(world)
    report = daily(world, "2026-08-02", dry_run=True)
    assert [each.reference for each in report.invoicing.invoices] == ["TB-2026-07-1"]
    assert report.invoicing.invoices[0].total == Decimal("2.45")
