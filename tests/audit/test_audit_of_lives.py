"""Books after ordinary lives have no findings, whatever came late, was held, written off, carried or lost."""

from pathlib import Path

import pytest

from tests.audit.books import JULY, JUNE, audited, daily, the_finding
from tests.small_world import SmallWorld, a_small_world
from tollbridge.errors import Refused
from tollbridge.ledger.database import Database
from tollbridge.memory import Trouble
from tollbridge.rules.corrections import CorrectionState

WEB_1 = 1  # the first server that a world makes


def told(world: SmallWorld) -> tuple[str, ...]:
    """What an audit tells, and finds nothing."""
    made = audited(world)
    assert (made.findings, made.not_made) == ((), {})
    return made.told


def test_late_usage_that_was_corrected_has_its_place(world: SmallWorld) -> None:
    user = world.client_with_server(1, hours=700)
    daily(world, "2026-07-01")
    world.run_server(user, 100, name="july")
    world.panel.correct_usage(JUNE, 1044, server_id=WEB_1)
    assert told(world) == ("client 1 in 2026-06: +1,044 tokens are to come",)
    daily(world, "2026-08-01")
    assert told(world) == ()
    world.run_server(user, 100, name="august")
    daily(world, "2026-09-01")
    assert told(world) == ()


def test_usage_that_was_taken_back_and_waits_as_less_than_nothing_has_its_place(world: SmallWorld) -> None:
    user = world.client_with_server(1, hours=700)
    daily(world, "2026-07-01")
    world.run_server(user, 100, name="july")
    world.panel.correct_usage(JUNE, -2000, server_id=WEB_1)
    daily(world, "2026-08-01")
    assert told(world) == ()
    world.run_server(user, 500, name="august")
    daily(world, "2026-09-01")
    assert told(world) == ()


@pytest.mark.parametrize("state", [None, CorrectionState.OPEN, CorrectionState.REFUSED])
def test_a_correction_that_waits_for_a_human_or_was_decided_has_its_place(
    world: SmallWorld, state: CorrectionState | None
) -> None:
    user = world.client_with_server(1, hours=700)
    daily(world, "2026-07-01")
    world.run_server(user, 100, name="july")
    world.panel.correct_usage(JUNE, 4000, server_id=WEB_1)
    daily(world, "2026-08-01")
    if state is not None:
        with world.parts() as parts:
            assert parts.ledger.corrections.decide(JULY, 1, state, "looked at")
        daily(world, "2026-08-02")
    assert told(world) == ()
    daily(world, "2026-09-01")
    assert told(world) == ()


def test_held_and_written_off_invoices_have_their_place(world: SmallWorld) -> None:
    world.billing = 'hold_above = "2"\nhold_from = { USD = "1.00" }'
    user = world.client_with_server(1, hours=100)
    daily(world, "2026-07-01")
    world.run_server(user, 600, name="july")
    daily(world, "2026-08-01")
    assert told(world) == ()
    with world.parts() as parts:
        assert parts.ledger.invoices.write_off(JULY, 1, "ours to bear")
    daily(world, "2026-08-02")
    assert told(world) == ()


def test_usage_of_nobody_has_its_place_until_it_is_linked_or_written_off(world: SmallWorld) -> None:
    world.client_with_server(1, hours=700)
    first, second = (world.panel.add_user(f"new{number}@example.com").id for number in (1, 2))
    world.run_server(first, 10, name="first")
    world.run_server(second, 20, name="second")
    daily(world, "2026-07-01")
    assert told(world) == ()
    with world.parts() as parts:
        parts.ledger.readings.write_off(second, JUNE, "a test of ours", onwards=True)
    world.add_client(2)
    world.panel.update_user(first, billing_user_id=2)
    assert "client 2 in 2026-06: +70 tokens are to come" in told(world)
    daily(world, "2026-07-02")
    assert world.billed()["TB-2026-06-2"] == "0.07"
    assert told(world) == ()
    daily(world, "2026-08-01")
    daily(world, "2026-09-01")
    assert told(world) == ()


def test_what_is_carried_has_its_place_until_it_is_invoiced_at_the_minimums_end(world: SmallWorld) -> None:
    world.billing = 'minimum = { USD = "1.00" }\ncarry_months = 2'
    world.client_with_server(1, hours=10)
    for day in ("2026-07-01", "2026-08-01", "2026-09-01"):
        daily(world, day)
        assert told(world) == ()
    assert world.billed() == {"TB-2026-08-1": "0.07"}


def test_the_last_invoice_of_a_closed_client_has_all_that_was_carried(world: SmallWorld) -> None:
    world.billing = 'minimum = { USD = "5.00" }'
    user = world.client_with_server(1, hours=10)
    daily(world, "2026-07-01")
    world.run_server(user, 20, name="july")
    daily(world, "2026-08-01")
    assert told(world) == ()
    world.books.change_client(1, status="closed")
    assert told(world) == ("client 1 is closed, and the next run closes its user",)
    daily(world, "2026-08-02")
    assert world.billed() == {"TB-2026-06-1": "0.21"}
    assert told(world) == ()
    assert audited(world, JULY).holds, "whose tokens stand on June's invoice"


def test_refunds_and_bounced_payments_are_no_findings(world: SmallWorld) -> None:
    world.client_with_server(1, hours=700)
    daily(world, "2026-07-01")
    world.books.pay("TB-2026-06-1")
    daily(world, "2026-07-20")
    world.books.bounce("TB-2026-06-1")
    assert told(world) == ()
    daily(world, "2026-07-30")
    assert world.status(world.account(1).user_id) == "suspended"
    assert told(world) == ()
    world.books.set_status("TB-2026-06-1", "refunded")
    daily(world, "2026-07-31")
    assert [words.partition(":")[0] for words in told(world)] == ["TB-2026-06-1"]


def test_lost_answers_are_no_findings(world: SmallWorld) -> None:
    for client_id in (1, 2, 3):
        world.client_with_server(client_id, hours=100)
    world.books.troubles.add(Trouble("after", "create_invoice", 2))
    world.books.troubles.add(Trouble("before", "create_invoice", 3, error=Refused("no")))
    daily(world, "2026-07-01")
    assert told(world) == ()
    daily(world, "2026-07-02")
    assert told(world) == ()
    assert len(world.books.invoices) == 3


def test_a_user_that_moved_to_another_client_stays_billed_as_it_was(world: SmallWorld) -> None:
    user = world.client_with_server(1, hours=700)
    daily(world, "2026-07-01")
    world.add_client(2, email="client1@example.com")
    world.books.change_client(1, status="closed", email="old@example.com")
    world.panel.update_user(user, billing_user_id=2)
    world.panel.correct_usage(JUNE, -900, server_id=WEB_1)
    daily(world, "2026-08-01")
    assert any("another client's when it was billed" in words for words in told(world))


def test_discounts_and_taxes_of_every_currency_make_the_sums(world: SmallWorld) -> None:
    world.more = (
        '[[pricing.discounts]]\nname = "P"\ndescription = "p"\nmultiplier = "0.95"\nclient_group = "partners"\n'
        '[[pricing.taxes]]\nlabel = "VAT"\nrate = "20"\ncountry = "GB"\n'
    )
    for client_id, currency in enumerate(("USD", "EUR", "JPY", "KWD"), 1):
        world.client_with_server(client_id, 333, currency, country="GB", client_group="partners")
    daily(world, "2026-07-01")
    assert told(world) == ()
    assert audited(world).checked["sums"] == 4


def test_a_client_whose_currency_changed_is_no_finding(world: SmallWorld) -> None:
    world.billing = 'minimum = { USD = "5.00" }'
    user = world.client_with_server(1, hours=100)
    daily(world, "2026-07-01")
    world.books.change_client(1, currency="EUR")
    world.run_server(user, 700, name="july")
    daily(world, "2026-08-01")
    assert set(world.billed()) == {"TB-2026-07-1"}
    assert told(world) == ()


def test_books_of_a_lost_ledger_are_whole_again_after_one_run(world: SmallWorld) -> None:
    user = world.client_with_server(1, hours=700)
    daily(world, "2026-07-01")
    world.run_server(user, 100, name="july")
    daily(world, "2026-08-01")
    for file in world.folder.glob("tollbridge.db*"):
        file.unlink()
    daily(world, "2026-08-02")
    assert told(world) == ()
    assert len(world.books.invoices) == 2


def test_what_an_invoice_of_a_lost_ledger_had_taken_in_is_counted_once(world: SmallWorld) -> None:
    world.billing = 'minimum = { USD = "1.00" }'
    user = world.client_with_server(1, hours=100)
    daily(world, "2026-07-01")
    world.run_server(user, 300, name="july")
    daily(world, "2026-08-01")
    assert world.billed() == {"TB-2026-07-1": "2.8"}
    for file in world.folder.glob("tollbridge.db*"):
        file.unlink()
    world.billing, world.usd = "", "0.002"
    daily(world, "2026-08-02")
    assert world.billed() == {"TB-2026-07-1": "2.8"}
    assert told(world) == ()


def test_a_ledger_on_postgresql_is_audited_alike(tmp_path: Path, postgresql_url: str) -> None:
    with a_small_world(tmp_path, postgresql_url) as world:
        user = world.client_with_server(1, hours=700)
        daily(world, "2026-07-01")
        world.run_server(user, 100, name="july")
        daily(world, "2026-08-01")
        assert told(world) == ()
        world.panel.correct_usage(JUNE, 44, server_id=WEB_1)
        assert the_finding(world).who == "TB-2026-06-1"


# What cannot be asked


def test_no_verdict_is_given_on_a_part_of_the_billing_system_s_list(world: SmallWorld) -> None:
    world.client_with_server(1, hours=700)
    daily(world, "2026-07-01")
    world.books.troubles.add(Trouble("after", "invoices_since"))
    made = audited(world)
    assert not made.holds
    assert made.not_made.keys() == {"invoices", "strangers"}
    assert made.findings == ()
    assert made.checked.keys() == {"tokens", "entries", "sums", "users", "holds", "meter"}


def test_a_month_whose_source_is_not_there_any_more_is_not_judged(world: SmallWorld) -> None:
    world.client_with_server(1, hours=700)
    daily(world, "2026-07-01")
    with world.parts() as parts:
        own(parts.ledger.database)
    made = audited(world)
    assert made.not_made.keys() == {"tokens"}
    assert "2026-06 was billed from warehouse" in made.not_made["tokens"]


def own(database: Database) -> None:
    """The month was billed from a source of one's own."""
    with database.write() as connection:
        connection.exec_driver_sql("UPDATE months SET source = 'warehouse'")


def test_a_billing_system_that_lists_nothing_is_asked_one_by_one(world: SmallWorld) -> None:
    world.books.cannot = {"invoices_since": "it has no list"}
    world.client_with_server(1, hours=700)
    world.add_client(2)
    daily(world, "2026-07-01")
    assert told(world) == ()
    world.books.add_invoice("TB-2026-06-2", 2, "3.00")
    found = the_finding(world)
    assert (found.check, found.who) == ("strangers", "TB-2026-06-2")
    world.books.remove_invoice(world.books.find("TB-2026-06-2")[0].number)
    world.books.remove_invoice(world.books.find("TB-2026-06-1")[0].number)
    assert the_finding(world).check == "invoices"
