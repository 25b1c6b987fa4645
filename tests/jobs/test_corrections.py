"""Usage that is reported otherwise after its month was billed, held invoices, the minimum's end, and nobody's usage."""

from decimal import Decimal

import attrs
import pytest

from tests.small_world import SmallWorld
from tollbridge.errors import Refused
from tollbridge.jobs.reports import DailyReport
from tollbridge.memory import Trouble
from tollbridge.rules.calendar import Month
from tollbridge.rules.corrections import CorrectionState
from tollbridge.rules.entry import State

JUNE, JULY, AUGUST = Month(2026, 6), Month(2026, 7), Month(2026, 8)
WEB_1 = 1  # the first server that a world makes


def daily(world: SmallWorld, day: str, *, dry_run: bool = False) -> DailyReport:
    """Four o'clock on a day, and one run of everything."""
    world.at(day)
    return world.daily(day, dry_run=dry_run)


def failed(report: DailyReport) -> list[str]:
    """The failures, in words."""
    return [str(failure) for failure in report.failures]


def lines(world: SmallWorld, reference: str) -> list[tuple[str, int, Decimal]]:
    """What stands on the invoice in the billing system."""
    (booked,) = world.books.find(reference)
    return [(line.description, line.tokens, line.amount) for line in booked.lines]


def test_late_usage_of_a_billed_month_stands_on_the_next_invoice_at_its_own_months_price(
    world: SmallWorld,
) -> None:
    user = world.client_with_server(1, hours=700)
    assert failed(daily(world, "2026-07-01")) == []
    world.run_server(user, 100, name="july")
    world.panel.correct_usage(JUNE, 1044, server_id=WEB_1)
    assert failed(daily(world, "2026-08-01")) == []
    assert world.billed() == {"TB-2026-06-1": "4.9", "TB-2026-07-1": "1.74"}
    assert ("June 2026, web-1: 1044 tokens reported later", 1044, Decimal("1.04")) in lines(world, "TB-2026-07-1")
    (booked,) = world.books.find("TB-2026-07-1")
    assert booked.notes.startswith("TB-2026-07-1: usage in 2026-06, 2026-07 (")
    world.run_server(user, 100, name="august")
    assert failed(daily(world, "2026-09-01")) == []
    assert world.billed()["TB-2026-08-1"] == "0.7", "once, and not again"


def test_usage_that_is_taken_back_is_taken_off_the_next_invoice(world: SmallWorld) -> None:
    user = world.client_with_server(1, hours=700)
    daily(world, "2026-07-01")
    world.run_server(user, 600, name="july")
    world.panel.correct_usage(JUNE, -900, server_id=WEB_1)
    assert failed(daily(world, "2026-08-01")) == []
    assert world.billed() == {"TB-2026-06-1": "4.9", "TB-2026-07-1": "3.3"}
    assert ("June 2026, web-1: 900 tokens taken back", -900, Decimal("-0.90")) in lines(world, "TB-2026-07-1")


def test_what_is_taken_back_and_exceeds_the_next_invoice_is_carried_until_it_does_not(
    world: SmallWorld,
) -> None:
    world.billing = "carry_months = 0"
    user = world.client_with_server(1, hours=700)
    daily(world, "2026-07-01")
    world.run_server(user, 100, name="july")
    world.panel.correct_usage(JUNE, -2000, server_id=WEB_1)
    daily(world, "2026-08-01")
    assert world.billed() == {"TB-2026-06-1": "4.9"}
    world.run_server(user, 500, name="august")
    daily(world, "2026-09-01")
    assert world.billed() == {"TB-2026-06-1": "4.9", "TB-2026-08-1": "2.2"}, "0.70 + 3.50 - 2.00"


def test_a_server_that_is_not_reported_any_more_takes_nothing_back_and_is_told(world: SmallWorld) -> None:
    user = world.client_with_server(1, hours=700)
    daily(world, "2026-07-01")
    with world.panel.lock:
        servers = world.panel.tables.servers
        servers.put(attrs.evolve(servers.get(WEB_1), uptime=()))
        world.panel.patch_settings({})
    world.run_server(user, 100, name="july")
    report = daily(world, "2026-08-01")
    assert failed(report) == []
    assert world.billed() == {"TB-2026-06-1": "4.9", "TB-2026-07-1": "0.7"}
    assert any("web-1 of user" in words and "nothing is taken back" in words for words in report.invoicing.warnings)


def test_a_user_that_moves_to_another_client_is_not_billed_again(world: SmallWorld) -> None:
    user = world.client_with_server(1, hours=700)
    world.add_client(2)
    world.books.troubles.add(Trouble("before", "create_invoice", 2, error=Refused("no"), times=None))
    world.run_server(world.add_user(2), 10)
    daily(world, "2026-07-01")
    world.panel.update_user(user, billing_user_id=2)
    world.books.troubles.clear()
    daily(world, "2026-07-02")
    assert world.billed() == {"TB-2026-06-1": "4.9", "TB-2026-06-2": "0.07"}
    daily(world, "2026-08-01")
    assert world.billed() == {"TB-2026-06-1": "4.9", "TB-2026-06-2": "0.07"}


def test_less_usage_of_a_user_that_moved_is_told_and_stays_as_billed(world: SmallWorld) -> None:
    user = world.client_with_server(1, hours=700)
    world.add_client(2)
    daily(world, "2026-07-01")
    world.panel.update_user(user, billing_user_id=2)
    world.panel.correct_usage(JUNE, -900, server_id=WEB_1)
    report = daily(world, "2026-08-01")
    assert world.billed() == {"TB-2026-06-1": "4.9"}
    assert any("another client's when it was billed" in words for words in report.invoicing.warnings)


def too_much(world: SmallWorld) -> int:
    """More than half of June's 4.90 is reported later; the client's user."""
    user = world.client_with_server(1, hours=700)
    daily(world, "2026-07-01")
    world.run_server(user, 100, name="july")
    world.panel.correct_usage(JUNE, 3000, server_id=WEB_1)
    return user


def test_a_correction_of_more_than_half_waits_and_holds_up_nothing_else(world: SmallWorld) -> None:
    user = too_much(world)
    report = daily(world, "2026-08-01")
    assert world.billed() == {"TB-2026-06-1": "4.9", "TB-2026-07-1": "0.7"}
    (words,) = failed(report)
    assert "tollbridge approve TB-2026-07-1 --reason TEXT" in words
    assert failed(daily(world, "2026-08-02")) == [words], "every run says so"
    with world.parts() as parts:
        (found,) = parts.ledger.corrections.decide(JULY, 1, CorrectionState.OPEN, "the panel was late")
        assert found.line.tokens == 3000
    assert failed(daily(world, "2026-08-03")) == []
    del user
    daily(world, "2026-09-01")
    assert world.billed()["TB-2026-08-1"] == "3", "also for who used nothing"


def test_a_correction_that_is_written_off_counts_as_billed(world: SmallWorld) -> None:
    too_much(world)
    daily(world, "2026-08-01")
    with world.parts() as parts:
        parts.ledger.corrections.decide(JULY, 1, CorrectionState.REFUSED, "our fault")
    world.panel.correct_usage(JUNE, 10, server_id=WEB_1)
    assert failed(daily(world, "2026-08-02")) == []
    assert failed(daily(world, "2026-09-01")) == []
    assert set(world.billed()) == {"TB-2026-06-1", "TB-2026-07-1"}


def test_a_closed_client_gets_no_invoice_below_zero_but_is_named_as_owed(world: SmallWorld) -> None:
    world.client_with_server(1, hours=700)
    daily(world, "2026-07-01")
    world.panel.correct_usage(JUNE, -900, server_id=WEB_1)
    world.books.change_client(1, status="closed")
    (words,) = failed(daily(world, "2026-08-01"))
    assert "-0.90 USD" in words
    assert "settle the credit" in words
    assert world.billed() == {"TB-2026-06-1": "4.9"}


def test_a_billing_system_without_negative_lines_gets_none_and_the_credit_is_told(world: SmallWorld) -> None:
    world.books.cannot["negative_lines"] = "amounts are unsigned there"
    user = world.client_with_server(1, hours=700)
    daily(world, "2026-07-01")
    world.run_server(user, 600, name="july")
    world.panel.correct_usage(JUNE, -900, server_id=WEB_1)
    (words,) = failed(daily(world, "2026-08-01"))
    assert "-0.90 USD" in words
    assert world.billed() == {"TB-2026-06-1": "4.9", "TB-2026-07-1": "4.2"}


@pytest.mark.parametrize(("rechecked", "expected"), [(1, "0.7"), (2, "1.74")])
def test_only_so_many_months_are_looked_at_again(world: SmallWorld, rechecked: int, expected: str) -> None:
    world.billing = f"recheck_months = {rechecked}"
    user = world.client_with_server(1, hours=700)
    daily(world, "2026-07-01")
    daily(world, "2026-08-01")
    world.run_server(user, 100, name="august")
    world.panel.correct_usage(JUNE, 1044, server_id=WEB_1)
    daily(world, "2026-09-01")
    assert world.billed()["TB-2026-08-1"] == expected


def test_a_dry_run_shows_what_would_be_corrected_and_keeps_nothing(world: SmallWorld) -> None:
    user = world.client_with_server(1, hours=700)
    daily(world, "2026-07-01")
    world.run_server(user, 100, name="july")
    world.panel.correct_usage(JUNE, 1044, server_id=WEB_1)
    report = daily(world, "2026-08-01", dry_run=True)
    assert report.invoicing.totals == {"USD": Decimal("1.74")}
    with world.parts() as parts:
        assert list(parts.ledger.corrections.of_month(JUNE)) == []


# The minimum, and its end


def test_what_is_less_than_the_minimum_is_invoiced_after_three_months_at_the_latest(world: SmallWorld) -> None:
    world.billing = 'minimum = { USD = "1.00" }'
    world.client_with_server(1, hours=50)
    for day in ("2026-07-01", "2026-08-01", "2026-09-01"):
        daily(world, day)
    assert world.billed() == {}
    daily(world, "2026-10-01")
    assert world.billed() == {"TB-2026-09-1": "0.35"}, "June's rest with September's"


def test_what_was_carried_for_a_client_who_closes_is_invoiced_by_the_next_run_under_its_first_month(
    world: SmallWorld,
) -> None:
    world.billing = 'minimum = { USD = "1.00" }'
    user = world.client_with_server(1, hours=50)
    daily(world, "2026-07-01")
    world.run_server(user, 10, name="july")
    daily(world, "2026-08-01")
    world.books.change_client(1, status="closed")
    assert failed(daily(world, "2026-08-02")) == []
    assert world.billed() == {"TB-2026-06-1": "0.42"}
    daily(world, "2026-08-03")
    daily(world, "2026-09-01")
    assert world.billed() == {"TB-2026-06-1": "0.42"}
    with world.parts() as parts:
        assert parts.ledger.months.is_closed(JUNE)


# Nobody's usage


def nobodys(world: SmallWorld) -> int:
    """A user with 70 tokens in June who is no client's."""
    world.client_with_server(1, hours=700)
    user = world.panel.add_user("somebody@example.com").id
    world.run_server(user, 10, name="whose")
    return user


def test_usage_of_nobody_lets_the_month_close_and_stays_a_failure(world: SmallWorld) -> None:
    user = nobodys(world)
    for day in ("2026-07-01", "2026-07-02", "2026-08-01"):
        (words,) = failed(daily(world, day))
        assert words.startswith(f"user {user} in 2026-06: it used 70 tokens")
    with world.parts() as parts:
        assert parts.ledger.months.is_closed(JUNE)
        assert parts.ledger.readings.unbilled_tokens() == 70


def test_usage_of_nobody_that_is_linked_is_invoiced_under_its_own_month(world: SmallWorld) -> None:
    user = nobodys(world)
    daily(world, "2026-07-01")
    world.add_client(2)
    world.panel.update_user(user, billing_user_id=2)
    assert failed(daily(world, "2026-07-02")) == []
    assert world.billed() == {"TB-2026-06-1": "4.9", "TB-2026-06-2": "0.07"}
    assert failed(daily(world, "2026-08-01")) == []
    assert world.billed() == {"TB-2026-06-1": "4.9", "TB-2026-06-2": "0.07"}


def test_usage_of_nobody_that_comes_to_a_client_with_an_invoice_is_corrected_there(world: SmallWorld) -> None:
    user = nobodys(world)
    daily(world, "2026-07-01")
    world.panel.update_user(user, billing_user_id=1)
    with world.parts() as parts:
        account = parts.ledger.accounts.of_clients([1])[1]
        assert account.user_id != user
    daily(world, "2026-08-01")
    assert world.billed() == {"TB-2026-06-1": "4.9", "TB-2026-07-1": "0.07"}


@pytest.mark.parametrize("onwards", [False, True])
def test_usage_of_nobody_that_is_written_off_is_no_failure_any_more(world: SmallWorld, onwards: bool) -> None:
    user = nobodys(world)
    daily(world, "2026-07-01")
    with world.parts() as parts:
        parts.ledger.readings.write_off(user, JUNE, "our own", onwards=onwards)
    assert failed(daily(world, "2026-07-02")) == []
    world.run_server(user, 10, name="again")
    assert (failed(daily(world, "2026-08-01")) == []) is onwards


def test_usage_of_a_client_that_is_gone_is_a_failure_until_its_user_is_written_off(world: SmallWorld) -> None:
    user = world.client_with_server(1, hours=10)
    daily(world, "2026-06-20")
    world.books.remove_client(1)
    for day in ("2026-07-01", "2026-07-02"):
        (words,) = failed(daily(world, day))
        assert "has no client 1, but SolusIO charges 70 tokens to it" in words
        assert f"`tollbridge write-off --user {user} --month 2026-06 --reason TEXT`" in words
    with world.parts() as parts:
        parts.ledger.readings.write_off(user, JUNE, "gone", onwards=False)
    assert failed(daily(world, "2026-07-03")) == []
    with world.parts() as parts:
        assert parts.ledger.months.is_closed(JUNE)


def test_a_client_that_is_gone_and_was_charged_nothing_is_no_failure(world: SmallWorld) -> None:
    world.client_with_server(1, hours=10)
    daily(world, "2026-06-20")
    world.at("2026-07-01")
    world.panel.correct_usage(JUNE, -70, server_id=WEB_1)
    world.books.remove_client(1)
    assert failed(daily(world, "2026-07-01")) == []


# Held invoices


def test_a_draft_far_above_the_dearest_month_is_held_until_it_is_approved(world: SmallWorld) -> None:
    world.billing = 'hold_above = "2"\nhold_from = { USD = "1.00" }'
    user = world.client_with_server(1, hours=100)
    daily(world, "2026-07-01")
    world.run_server(user, 600, name="july")
    for day in ("2026-08-01", "2026-08-02"):
        (words,) = failed(daily(world, day))
        assert words.startswith("TB-2026-07-1: it comes to 4.20 USD")
        assert world.billed() == {"TB-2026-06-1": "0.7"}
    with world.parts() as parts:
        assert parts.ledger.invoices.approve(JULY, 1, "they moved to us") is not None
    assert failed(daily(world, "2026-08-03")) == []
    assert world.billed() == {"TB-2026-06-1": "0.7", "TB-2026-07-1": "4.2"}


def test_a_held_invoice_that_is_written_off_is_never_sent(world: SmallWorld) -> None:
    world.billing = 'hold_above = "2"'
    user = world.client_with_server(1, hours=100)
    daily(world, "2026-07-01")
    world.run_server(user, 600, name="july")
    daily(world, "2026-08-01")
    with world.parts() as parts:
        assert parts.ledger.invoices.write_off(JULY, 1, "a test of ours") is not None
    assert failed(daily(world, "2026-08-02")) == []
    assert failed(daily(world, "2026-09-01")) == []
    assert world.billed() == {"TB-2026-06-1": "0.7"}
    with world.parts() as parts:
        entry = parts.ledger.invoices.find(JULY, 1)
        assert entry is not None
        assert (entry.state, entry.written_off) == (State.NOTHING, "a test of ours")
