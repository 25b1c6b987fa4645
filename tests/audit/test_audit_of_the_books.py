"""Differences planted in the ledger, the billing system and the feed: each is found by one check, by name."""

import attrs

from tests.audit.books import (
    JULY,
    JUNE,
    audited,
    daily,
    holds,
    ledger,
    spoil,
    spoil_document,
    the_finding,
    two_months,
)
from tests.small_world import SmallWorld

WEB_1 = 1  # the first server that a world makes


def test_two_ordinary_months_have_no_findings_and_everything_is_counted(world: SmallWorld) -> None:
    two_months(world)
    made = audited(world)
    assert made.holds
    assert (made.findings, made.told) == ((), ())
    assert made.json()["months"] == ["2026-06", "2026-07"]
    assert made.checked["tokens"] == made.checked["entries"] == made.checked["sums"] == made.checked["invoices"] == 4
    assert made.checked["strangers"] == 4


# tokens


def test_usage_that_came_too_late_to_be_billed_is_found(world: SmallWorld) -> None:
    two_months(world)
    world.panel.correct_usage(JUNE, 44, server_id=WEB_1)
    found = the_finding(world)
    assert (found.check, found.who) == ("tokens", "TB-2026-06-1")
    assert "4,944 tokens" in found.expected
    assert "4,900 tokens" in found.found


def test_usage_that_the_next_run_corrects_is_to_come(world: SmallWorld) -> None:
    two_months(world)
    world.panel.correct_usage(JULY, 44, server_id=3)
    made = audited(world)
    assert made.holds
    assert made.told == ("client 1 in 2026-07: +44 tokens are to come",)


def test_usage_that_was_taken_back_too_late_is_found(world: SmallWorld) -> None:
    two_months(world)
    world.panel.correct_usage(JUNE, -44, server_id=WEB_1)
    assert the_finding(world).check == "tokens"


def test_an_item_that_is_gone_from_the_feed_stays_billed_and_is_told(world: SmallWorld) -> None:
    two_months(world)
    with world.panel.lock:
        servers = world.panel.tables.servers
        servers.put(attrs.evolve(servers.get(WEB_1), uptime=()))
        world.panel.patch_settings({})
    made = audited(world)
    assert made.holds
    assert any("stays billed" in words and "2026-06" in words for words in made.told)


def test_an_item_that_was_billed_to_two_clients_is_found(world: SmallWorld) -> None:
    two_months(world)
    with ledger(world) as connection:
        document = connection.execute("SELECT document FROM invoices WHERE month = '2026-07' AND client_id = 1")
        lines = document.fetchone()[0]
    world.add_client(3)
    spoil(
        world,
        "INSERT INTO invoices (client_id, month, state, currency, issue_date, due_date, tokens, subtotal, total,"
        " document, written_at) SELECT 3, month, 'nothing', currency, issue_date, due_date, tokens, subtotal, total, ?,"
        " written_at FROM invoices WHERE month = '2026-07' AND client_id = 1",
        lines,
    )
    made = audited(world)
    assert {found.check for found in made.findings} >= {"tokens"}
    assert any("client 1 and client 3" in found.found for found in made.findings)


def test_tokens_of_nobody_that_the_ledger_does_not_know_of_are_found(world: SmallWorld) -> None:
    stranger = world.panel.add_user("stranger@example.com").id
    world.run_server(stranger, 5, name="lost")
    two_months(world)
    assert holds(world), "every run tells of it"
    spoil(world, "DELETE FROM unbilled")
    found = the_finding(world)
    assert (found.check, found.who) == ("tokens", f"user {stranger}")


# entries


def test_a_month_that_is_missing_is_found(world: SmallWorld) -> None:
    two_months(world)
    world.start = "2026-05"
    found = the_finding(world)
    assert (found.check, found.who) == ("entries", "2026-05")


def test_an_unfinished_entry_in_a_closed_month_is_found(world: SmallWorld) -> None:
    world.add_client(3)
    world.run_server(world.add_user(3), 90, name="third")
    world.billing = 'minimum = { USD = "0.65" }'
    two_months(world)
    spoil(world, "UPDATE invoices SET state = 'written' WHERE client_id = 3 AND month = '2026-06'")
    found = the_finding(world)
    assert (found.check, found.who, found.found) == ("entries", "TB-2026-06-3", "written")


def test_two_entries_of_one_client_and_month_are_found(world: SmallWorld) -> None:
    two_months(world)
    with ledger(world) as connection:
        connection.executescript(
            "CREATE TABLE copy AS SELECT * FROM invoices; DROP TABLE invoices; ALTER TABLE copy RENAME TO invoices;"
            " INSERT INTO invoices SELECT * FROM invoices WHERE client_id = 2 AND month = '2026-07';"
            " UPDATE invoices SET state = 'nothing', id = 99, tokens = 0, subtotal = '0.00', total = '0.00',"
            " document = json_set(document, '$.lines', json_array()) WHERE rowid = 5;"
        )
    found = the_finding(world)
    assert (found.check, found.who, found.found) == ("entries", "TB-2026-07-2", "several")


def test_hours_between_two_months_that_nobody_bills_are_found(world: SmallWorld) -> None:
    two_months(world)
    spoil(world, "UPDATE months SET starts_at = '2026-07-01 05:00:00.000000' WHERE month = '2026-07'")
    found = the_finding(world)
    assert (found.check, found.who) == ("entries", "2026-07")
    assert "never" in found.found


# sums


def test_a_sum_that_is_not_that_of_the_lines_is_found(world: SmallWorld) -> None:
    two_months(world)
    spoil(world, "UPDATE invoices SET tokens = 4901 WHERE client_id = 1 AND month = '2026-06'")
    found = the_finding(world)
    assert (found.check, found.who) == ("sums", "TB-2026-06-1")


def test_a_line_at_another_price_than_was_shown_is_found(world: SmallWorld) -> None:
    two_months(world)

    def cheaper(document: dict[str, object]) -> None:
        document["price"]["base"] = document["price"]["without_tax"] = document["price"]["net"] = "0.00099"  # type: ignore[index]

    spoil_document(world, JUNE, 1, cheaper)
    made = audited(world)
    assert {(found.check, found.who) for found in made.findings} == {("sums", "TB-2026-06-1")}
    assert "0.001 USD a token, as 2026-06's price list has it" in [found.expected for found in made.findings]


# invoices


def test_an_invoice_that_was_deleted_is_found(world: SmallWorld) -> None:
    two_months(world)
    [booked] = world.books.find("TB-2026-06-2")
    world.books.remove_invoice(booked.number)
    found = the_finding(world)
    assert (found.check, found.who) == ("invoices", "TB-2026-06-2")
    assert "nothing under that number" in found.found


def test_an_invoice_with_another_total_is_found(world: SmallWorld) -> None:
    two_months(world)
    [booked] = world.books.find("TB-2026-06-2")
    world.books.change_invoice(booked.number, lines=booked.lines * 2)
    found = the_finding(world)
    assert (found.check, found.who, found.found) == ("invoices", "TB-2026-06-2", "4.20")


def test_an_invoice_in_another_currency_or_of_another_client_is_found(world: SmallWorld) -> None:
    two_months(world)
    [june], [july] = world.books.find("TB-2026-06-2"), world.books.find("TB-2026-07-2")
    world.books.change_invoice(june.number, currency="EUR")
    world.books.change_invoice(july.number, client_id=1)
    made = audited(world)
    assert [(each.check, each.who, each.expected, each.found) for each in made.findings] == [
        ("invoices", "TB-2026-06-2", "USD", "EUR"),
        ("invoices", "TB-2026-07-2", "client 2", "client 1"),
    ]


def test_an_invoice_that_is_there_twice_is_found(world: SmallWorld) -> None:
    two_months(world)
    [booked] = world.books.find("TB-2026-06-2")
    copy = world.books.copy_invoice(booked.number)
    found = the_finding(world)
    assert (found.check, found.who) == ("invoices", "TB-2026-06-2")
    assert str(copy.number) in found.found


def test_cancelled_and_refunded_invoices_are_told_and_a_moved_due_date_is_nothing(world: SmallWorld) -> None:
    two_months(world)
    world.books.set_status("TB-2026-06-2", "refunded")
    world.books.set_status("TB-2026-06-1", "cancelled")
    [booked] = world.books.find("TB-2026-07-1")
    world.books.change_invoice(booked.number, due_date=booked.due_date.replace(day=28))
    made = audited(world)
    assert made.holds
    told = [words.partition(":")[0] for words in made.told]
    assert told == ["TB-2026-06-1", "TB-2026-06-2", "client 1"], "client 1 is released by the next run"


# strangers


def test_an_invoice_with_a_reference_that_the_ledger_does_not_know_is_found(world: SmallWorld) -> None:
    two_months(world)
    world.books.add_invoice("TB-2026-05-2", 2, "3.00")
    found = the_finding(world)
    assert (found.check, found.who) == ("strangers", "TB-2026-05-2")
    assert audited(world, JULY).holds, "it is not July's"


def test_an_invoice_of_a_month_that_the_ledger_has_no_invoice_of_is_found(world: SmallWorld) -> None:
    world.add_client(3)
    two_months(world)
    world.books.add_invoice("TB-2026-07-3", 3, "3.00")
    assert the_finding(world).check == "strangers"


def test_a_cancelled_stranger_is_told(world: SmallWorld) -> None:
    two_months(world)
    world.books.add_invoice("TB-2026-05-2", 2, "3.00")
    world.books.set_status("TB-2026-05-2", "cancelled")
    assert holds(world)


def test_a_day_without_a_difference_after_the_next_run(world: SmallWorld) -> None:
    two_months(world)
    world.panel.correct_usage(JULY, 44, server_id=3)
    daily(world, "2026-09-01")
    made = audited(world)
    assert (made.findings, made.told) == ((), ())
