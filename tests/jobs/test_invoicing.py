"""One invoice per client and month, of the right amount, and nothing else."""

import json
from datetime import date
from decimal import Decimal

import pytest

from tests.small_world import SmallWorld
from tollbridge.errors import Incomplete, Unavailable, UsageError
from tollbridge.jobs.comparison import compare_usage
from tollbridge.jobs.reports import invoice_json
from tollbridge.model import Currency, Discount
from tollbridge.rules.calendar import Month
from tollbridge.rules.entry import State
from tollbridge.sandbox import Kind
from tollbridge.solus.sandbox import Fault

JUNE, JULY = Month(2026, 6), Month(2026, 7)


def test_july_is_invoiced_on_the_first_of_august(world: SmallWorld) -> None:
    world.start = "2026-07"
    world.at("2026-07-01")
    world.client_with_server(1042, hours=700)
    world.at("2026-08-01")
    world.daily("2026-08-01")
    ((entry, status),) = world.invoices
    assert (entry.reference, status) == ("TB-2026-07-1042", "unpaid")
    assert (str(entry.issue_date), str(entry.due_date)) == ("2026-08-01", "2026-08-15")
    assert world.billed() == {"TB-2026-07-1042": "4.9"}
    assert world.lines() == [("web-1042, 1 Core, 1 GB RAM: 700 h x 7 tokens = 4900 tokens (hourly price)", 4900)]


def test_on_the_last_day_of_the_month_nothing_is_invoiced(world: SmallWorld) -> None:
    world.client_with_server(1042)
    world.panel.set_time(world.panel.now.replace(day=30, hour=23))
    world.daily("2026-06-30")
    assert world.billed() == {}


def test_a_month_that_has_ended_is_left_alone_until_it_has_settled(world: SmallWorld) -> None:
    world.billing = "settle_hours = 48"
    world.client_with_server(1042)
    world.at("2026-07-02")
    world.daily("2026-07-01")
    assert world.billed() == {}
    world.daily("2026-07-03")
    assert list(world.billed()) == ["TB-2026-06-1042"]


def test_a_second_run_changes_nothing(world: SmallWorld) -> None:
    world.client_with_server(1042)
    world.at("2026-07-01")
    world.daily("2026-07-01")
    before = world.books.invoices
    for day in ("2026-07-01", "2026-07-02", "2026-07-31"):
        invoicing = world.daily(day).invoicing
        assert (world.invoices, invoicing.months) == ([], [])
    assert world.books.invoices == before


def test_missed_months_are_closed_oldest_first_from_the_start_on(world: SmallWorld) -> None:
    world.client_with_server(1042, hours=24 * 200)
    world.start = "2026-07"
    world.at("2026-10-05")
    invoicing = world.daily("2026-10-05").invoicing
    assert [str(month) for month in invoicing.months] == ["2026-07", "2026-08", "2026-09"]
    assert list(world.billed()) == ["TB-2026-07-1042", "TB-2026-08-1042", "TB-2026-09-1042"]
    assert {str(entry.issue_date) for entry, _ in world.invoices} == {"2026-10-05"}


def test_a_late_run_costs_the_customer_no_grace(world: SmallWorld) -> None:
    world.billing = "grace_days = 10"
    world.client_with_server(1042)
    world.at("2026-07-20")
    world.daily("2026-07-20")
    assert [booked.due_date for booked in world.books.invoices] == [date(2026, 7, 30)]


def test_a_month_that_still_runs_can_be_looked_at_but_not_invoiced(world: SmallWorld) -> None:
    world.client_with_server(1042)
    world.at("2026-06-15")
    with world.run("2026-06-15", dry_run=True) as run:
        run.invoices(JUNE)
    assert [entry.reference for entry, _ in world.invoices] == ["TB-2026-06-1042"]
    with world.run("2026-06-15") as run, pytest.raises(UsageError, match="not ended"):
        run.invoices(JUNE)
    assert world.billed() == {}


def test_a_month_before_the_start_is_not_tollbridges_to_invoice(world: SmallWorld) -> None:
    world.at("2026-07-01")
    with world.run("2026-07-01") as run, pytest.raises(UsageError, match=r"billing\.start"):
        run.invoices(Month(2026, 5))


def test_a_month_that_costs_nothing_makes_no_invoice_unless_asked_for(world: SmallWorld) -> None:
    world.panel.add_plan("Free", 0, 0)
    world.add_client(1042)
    world.run_server(world.add_user(1042), 10, plan="Free")
    world.at("2026-07-01")
    with world.run("2026-07-01", dry_run=True) as run:
        assert run.invoices(JUNE).nothing == 1
    world.billing = "zero_invoices = true"
    world.daily("2026-07-01")
    assert world.billed() == {"TB-2026-06-1042": "0"}


def test_less_than_the_minimum_is_carried_and_invoiced_with_the_next_month(world: SmallWorld) -> None:
    world.billing = 'minimum = { USD = "1.00" }'
    user = world.client_with_server(1042, hours=100)
    world.at("2026-07-01")
    invoicing = world.daily("2026-07-01").invoicing
    assert (invoicing.carried, world.billed()) == (1, {})
    world.run_server(user, 50, name="web-2")
    world.at("2026-08-01")
    world.daily("2026-08-01")
    assert world.billed() == {"TB-2026-07-1042": "1.05"}
    lines = [description for description, _ in world.lines()]
    assert lines[0].startswith("June 2026: web-1042")
    assert lines[1].startswith("web-2")
    with world.parts() as parts:
        june = parts.ledger.invoices.find(JUNE, 1042)
        assert june is not None
        assert (june.state, june.carried_into, str(june.subtotal)) == (State.CARRIED, "2026-07", "0.70")


def test_what_is_carried_goes_on_until_there_is_enough(world: SmallWorld) -> None:
    world.billing = 'minimum = { USD = "1.00" }'
    user = world.client_with_server(1042, hours=60)
    for day in ("2026-07-01", "2026-08-01", "2026-09-01"):
        world.at(day)
        world.daily(day)
        if day != "2026-09-01":
            world.run_server(user, 60, name=f"after-{day}")
    assert world.billed() == {"TB-2026-08-1042": "1.26"}
    world.daily("2026-09-02")
    assert world.billed() == {"TB-2026-08-1042": "1.26"}


def test_what_was_carried_is_billed_at_the_price_shown_then_and_not_at_todays(world: SmallWorld) -> None:
    world.billing = 'minimum = { USD = "1.00" }'
    user = world.client_with_server(1042, hours=100)
    world.at("2026-07-01")
    world.daily("2026-07-01")
    world.books.give_discount(1042, Discount("Half", "", Decimal("0.5")))
    world.run_server(user, 200, name="web-2")
    world.at("2026-08-01")
    world.daily("2026-08-01")
    assert world.billed() == {"TB-2026-07-1042": "1.4"}


def test_a_carried_month_of_a_client_that_uses_nothing_more_waits(world: SmallWorld) -> None:
    world.billing = 'minimum = { USD = "1.00" }'
    world.client_with_server(1042, hours=100)
    for day in ("2026-07-01", "2026-08-01"):
        world.at(day)
        world.daily(day)
    assert world.billed() == {}
    world.billing = ""
    world.at("2026-09-01")
    world.daily("2026-09-01")
    assert world.billed() == {"TB-2026-08-1042": "0.7"}


def test_what_was_carried_for_a_client_that_is_gone_keeps_no_month_open(world: SmallWorld) -> None:
    world.billing = 'minimum = { USD = "1.00" }'
    world.client_with_server(1042, hours=100)
    world.at("2026-07-01")
    world.daily("2026-07-01")
    world.books.remove_client(1042)
    world.at("2026-08-01")
    with world.run("2026-08-01") as run:
        report = run.daily()
        assert run.parts.ledger.months.is_closed(JULY)
    assert report.invoicing.failures == []
    assert "cannot be invoiced" in report.invoicing.warnings[0]


def test_an_invoice_from_half_an_answer_is_never_written(world: SmallWorld) -> None:
    for client_id in range(1, 41):
        world.client_with_server(client_id)
    world.at("2026-07-01")
    kinds: list[Kind] = ["half_page", "no_meta", "wrong_total", "html", "empty"]
    for kind in kinds:
        world.panel.faults.add(Fault(kind, method="GET", path="usage", times=None, skip=1))
        with world.run("2026-07-01") as run, pytest.raises(Unavailable):
            run.invoices(JUNE)
        world.panel.faults.clear()
        assert world.billed() == {}
    world.panel.faults.add(Fault("half_page", method="GET", path="usage"))
    with world.run("2026-07-01") as run:
        assert run.invoices(JUNE).issued == 40
    assert len(world.billed()) == 40


def test_a_user_without_a_client_is_reported_and_never_dropped(world: SmallWorld) -> None:
    world.client_with_server(1042)
    stranger = world.panel.add_user("stranger@example.org").id
    world.run_server(stranger, 10, name="lost")
    world.at("2026-07-01")
    invoicing = world.daily("2026-07-01").invoicing
    assert [(str(month), user.user_id, user.tokens) for month, user in invoicing.unbilled] == [
        ("2026-06", stranger, 70)
    ]


def test_a_user_linked_late_is_billed_by_the_next_run_under_its_own_month(world: SmallWorld) -> None:
    stranger = world.panel.add_user("late@example.org").id
    world.run_server(stranger, 10)
    world.client_with_server(1042)
    world.at("2026-07-01")
    world.daily("2026-07-01")
    world.add_client(1050, email="LATE@example.org")
    report = world.daily("2026-07-02")
    assert (report.accounts.linked, report.failures) == ([1050], [])
    assert world.billed() == {"TB-2026-06-1042": "4.9", "TB-2026-06-1050": "0.07"}


def test_one_clients_failure_stops_nobody_else_and_is_tried_again(world: SmallWorld) -> None:
    for client_id in (1, 2, 3):
        world.client_with_server(client_id)
    world.books.change_client(2, currency="EUR")
    world.books.remove_currency("EUR")
    world.at("2026-07-01")
    invoicing = world.daily("2026-07-01").invoicing
    assert [failure.who for failure in invoicing.failures] == ["client 2 in 2026-06"]
    assert list(world.billed()) == ["TB-2026-06-1", "TB-2026-06-3"]
    world.books.add_currency(Currency("EUR"))
    invoicing = world.daily("2026-07-02").invoicing
    assert (invoicing.failures, world.billed()["TB-2026-06-2"]) == ([], "4.46")


def test_usage_of_a_client_that_billing_does_not_know_is_a_failure_and_not_dropped(world: SmallWorld) -> None:
    world.run_server(world.add_user(77), 10)
    world.at("2026-07-01")
    with world.run("2026-07-01") as run:
        report = run.invoices(JUNE)
    assert "77" in str(report.failures[0])
    assert "70 tokens" in str(report.failures[0])
    with world.parts() as parts:
        assert not parts.ledger.months.is_closed(JUNE)


def test_a_closed_client_is_invoiced_for_what_it_used(world: SmallWorld) -> None:
    world.client_with_server(1042, status="closed")
    world.at("2026-07-01")
    world.daily("2026-07-01")
    assert list(world.billed()) == ["TB-2026-06-1042"]


def test_two_users_of_one_client_share_its_one_invoice(world: SmallWorld) -> None:
    world.client_with_server(1042, hours=10)
    second = world.panel.add_user("second@example.com", billing_user_id=1042).id
    world.run_server(second, 5, name="other")
    world.at("2026-07-01")
    with world.run("2026-07-01") as run:
        run.invoices(JUNE)
    assert world.billed() == {"TB-2026-06-1042": "0.11"}, "70 and 35 tokens, rounded once per line"


def test_deleted_servers_and_backups_are_invoiced(world: SmallWorld) -> None:
    world.add_client(1042)
    user = world.add_user(1042)
    plan = world.panel.tables.plans.rows()[0].id
    server = world.panel.create_server(user, plan, "web-1", backups=True)
    world.panel.set_time(world.panel.now.replace(day=30))
    world.panel.delete_server(server.id)
    world.at("2026-07-01")
    with world.run("2026-07-01") as run:
        run.invoices(JUNE)
    assert world.lines() == [
        ("web-1, 1 Core, 1 GB RAM: 696 h x 7 tokens = 4872 tokens (hourly price)", 4872),
        ("web-1, backup: 487 tokens", 487),
    ]


@pytest.mark.parametrize(("currency", "amount"), [("USD", "4.91"), ("EUR", "4.47"), ("JPY", "736"), ("KWD", "1.472")])
def test_amounts_are_rounded_to_the_currencys_own_decimals(world: SmallWorld, currency: str, amount: str) -> None:
    world.client_with_server(1042, hours=701, currency=currency)
    world.at("2026-07-01")
    with world.run("2026-07-01") as run:
        run.invoices(JUNE)
    assert world.billed() == {"TB-2026-06-1042": amount}
    assert [str(line.amount) for line in world.invoices[0][0].document.lines] == [amount]


def test_the_json_of_an_invoice_has_the_contracts_keys(world: SmallWorld) -> None:
    world.client_with_server(1042)
    world.at("2026-07-01")
    with world.run("2026-07-01") as run:
        run.invoices(JUNE)
    shown = invoice_json(world.invoices[0][0])
    wanted = {"reference", "client_id", "status", "currency", "issue_date", "due_date", "tokens", "subtotal", "lines"}
    assert wanted <= shown.keys()
    assert shown["lines"][0].keys() == {"description", "tokens", "amount"}
    assert json.dumps(shown["tokens"]) == "4900"


def test_a_dry_run_shows_what_the_real_one_does_and_writes_nothing(world: SmallWorld) -> None:
    world.billing = 'minimum = { USD = "1.00" }'
    for client_id, hours in ((1, 700), (2, 20), (3, 744)):
        world.client_with_server(client_id, hours)
    world.at("2026-07-01")
    with world.run("2026-07-01", dry_run=True) as run:
        run.invoices(None)
        assert run.parts.ledger.invoices.of_month(JUNE, [1, 2, 3]) == {}
    planned = [(entry.reference, entry.subtotal, entry.total, entry.document) for entry, _ in world.invoices]
    assert (len(planned), world.billed()) == (2, {})
    with world.run("2026-07-01") as run:
        run.invoices(None)
    assert [(entry.reference, entry.subtotal, entry.total, entry.document) for entry, _ in world.invoices] == planned


def test_a_dry_run_over_several_months_carries_as_the_real_one_does(world: SmallWorld) -> None:
    world.billing = 'minimum = { USD = "1.00" }'
    user = world.client_with_server(1042, hours=100)
    world.panel.set_time(world.panel.now.replace(month=7, day=2))
    world.run_server(user, 100, name="web-2")
    world.at("2026-08-01")
    with world.run("2026-08-01", dry_run=True) as run:
        run.invoices(None)
    assert [(entry.reference, entry.subtotal) for entry, _ in world.invoices] == [("TB-2026-07-1042", Decimal("1.40"))]


def test_billing_from_a_list_that_changes_under_the_reading_is_begun_again(world: SmallWorld) -> None:
    for client_id in range(1, 31):
        world.client_with_server(client_id)
    world.at("2026-07-01")
    world.panel.faults.add(Fault("shuffled_pages", method="GET", path="usage", skip=1))
    with world.run("2026-07-01") as run:
        run.invoices(JUNE)
    assert len(world.billed()) == 30
    world.panel.faults.add(Fault("shuffled_pages", method="GET", path="usage", skip=1, times=None))
    with world.run("2026-07-01") as run, pytest.raises(Incomplete):
        run.invoices(JUNE)


def test_usage_that_comes_after_a_clients_month_is_done_is_told_and_not_called_invoiced(world: SmallWorld) -> None:
    user = world.client_with_server(1042, hours=100)
    world.at("2026-07-01")
    world.daily("2026-07-01")
    world.panel.correct_usage(JUNE, 70, user_id=user)
    with world.run("2026-07-02") as run:
        report = run.invoices(JUNE)
        comparison = compare_usage(run.parts, JUNE, run.progress)
    assert world.billed() == {"TB-2026-06-1042": "0.7"}
    assert "+70 tokens" in report.warnings[0]
    assert comparison.places == {"invoiced": 700, "reported since": 70}


def test_a_dry_run_over_three_small_months_forgets_none_of_them(world: SmallWorld) -> None:
    world.billing = 'minimum = { USD = "1.00" }'
    user = world.client_with_server(1042, hours=60)
    for month in (7, 8):
        world.panel.set_time(world.panel.now.replace(month=month, day=2))
        world.run_server(user, 60, name=f"server-{month}")
    world.at("2026-09-01")
    with world.run("2026-09-01", dry_run=True) as run:
        run.invoices(None)
    planned = [(entry.reference, entry.subtotal) for entry, _ in world.invoices]
    with world.run("2026-09-01") as run:
        run.invoices(None)
    assert planned == [(entry.reference, entry.subtotal) for entry, _ in world.invoices]
    assert planned == [("TB-2026-08-1042", Decimal("1.26"))]


def test_a_dry_run_shows_what_billing_has_under_the_reference_already(world: SmallWorld) -> None:
    world.client_with_server(1042)
    world.at("2026-07-01")
    world.daily("2026-07-01")
    (world.folder / "tollbridge.db").unlink()
    with world.run("2026-07-01", dry_run=True) as run:
        run.invoices(None)
    assert [(entry.reference, status) for entry, status in world.invoices] == [("TB-2026-06-1042", "unpaid")]
