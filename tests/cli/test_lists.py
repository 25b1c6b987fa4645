"""What the commands say that look at the books: to a boss, to a customer, to a spreadsheet; and that they only look."""

import csv
import io
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.cli.company import Operator, exact, open_for_business
from tests.cli.test_output import NASTY, steers
from tests.world import World
from tollbridge.cli.listing import Column, print_rows
from tollbridge.words import csv_cell

ADA, KUMO = "TB-2026-06-1042", "TB-2026-06-1043"
LOOKS = [
    ["invoices"], ["invoices", "--open", "--json"], ["invoices", "--csv"], ["log"], ["log", "--json"], ["revenue"],
    ["client", "1042"], ["client", "client1043@example.com"], ["statement", "1042"], ["explain", ADA], ["runs"],
]  # fmt: skip


@pytest.fixture
def books(operator: Operator) -> Operator:
    """June is invoiced, and nobody has paid."""
    operator("run", "--date", "2026-07-01")
    return operator


def dump(world: World) -> list[str]:
    """All that is in the ledger."""
    with closing(sqlite3.connect(world.folder / "tollbridge.db")) as connection:
        return list(connection.iterdump())


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


# Looking changes nothing


def test_commands_that_look_leave_the_ledger_the_billing_system_and_the_panel_as_they_are(books: Operator) -> None:
    with closing(sqlite3.connect(books.world.folder / "tollbridge.db")) as connection, connection:
        connection.execute("INSERT INTO runs (command, host, day, began_at) VALUES ('run', 'gone:1', ?, ?)",
                           ("2026-07-01", "2026-07-01 04:00:00"))  # fmt: skip
    before, billed = dump(books.world), books.world.query("SELECT * FROM invoices")
    books.world.panel.journal.clear()
    for look in LOOKS:
        told = books(*look)
        assert (told.code, told.err) == (0, ""), look
    assert dump(books.world) == before
    assert books.world.query("SELECT * FROM invoices") == billed
    assert {entry.method for entry in books.world.panel.journal.list()} == {"GET"}
    assert books("runs", "--json").json[0]["outcome"] == "died", "and yet a run that is gone is shown to be"


@pytest.mark.parametrize("look", [["invoices"], ["client", "1042"], ["explain", ADA], ["runs"]], ids=" ".join)
def test_looking_at_a_ledger_that_is_not_there_makes_none(operator: Operator, look: list[str]) -> None:
    (operator.world.folder / "tollbridge.db").unlink(missing_ok=True)
    told = operator(*look)
    assert (told.code, told.out) == (2, "")
    assert "tollbridge check" in told.err
    assert not (operator.world.folder / "tollbridge.db").exists()


def test_looking_at_an_older_ledger_does_not_bring_it_up_to_date(books: Operator) -> None:
    with closing(sqlite3.connect(books.world.folder / "tollbridge.db")) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '0003'")
    before = dump(books.world)
    told = books("invoices")
    assert (told.code, told.out) == (3, "")
    assert "tollbridge check" in told.err
    assert dump(books.world) == before


# Lists


def test_invoices_are_listed_and_what_is_none_only_if_its_state_is_asked_for(world: World, capsys: Any) -> None:
    world.billing = 'minimum = { USD = "9.00" }'
    operator = Operator(open_for_business(world), capsys)
    operator("run", "--date", "2026-07-01")
    assert [row["reference"] for row in operator("invoices", "--json").json] == [KUMO]
    (carried,) = operator("invoices", "--state", "carried", "--json").json
    assert (carried["reference"], carried["status"], carried["billing_id"]) == (ADA, "carried", None)
    assert operator("invoices", "--client", "1042", "--json").json == []
    assert operator("invoices", "--month", "2026-05", "--json").json == []


def test_what_is_still_open_is_what_is_not_paid_with_a_sum_per_currency(books: Operator) -> None:
    books.world.execute("UPDATE invoices SET status = 'paid' WHERE client_id = 1043")
    books("overdue", "--date", "2026-07-18")
    told = books("invoices", "--open").out
    assert ADA in told
    assert KUMO not in told
    assert "3 d" in told, "three days after its due date, on the day that the run stood for"
    assert "1 invoice: 5.00 USD" in told
    assert [row["reference"] for row in books("invoices", "--state", "paid", "--json").json] == [KUMO]


def test_a_list_is_the_same_as_table_as_json_and_as_csv(books: Operator) -> None:
    listed, table = books("invoices", "--json").json, books("invoices").out
    sheet = rows(books("invoices", "--csv").out)
    assert [{key: "" if value is None else str(value) for key, value in row.items()} for row in listed] == sheet
    assert all(row["reference"] in table and row["total"] in table for row in listed)
    assert books("invoices", "--json", "--csv").code == 2


def test_revenue_is_net_and_tax_and_counts_cancelled_invoices_apart(operator: Operator) -> None:
    operator.world.execute("INSERT INTO taxes (label, rate, country) VALUES ('GST', '10', 'JP')")
    operator("run", "--date", "2026-07-01")
    operator.world.execute("UPDATE invoices SET status = 'cancelled' WHERE client_id = 1042")
    operator("overdue", "--date", "2026-07-02")
    yen, dollars = operator("revenue", "--json").json
    assert (yen["currency"], yen["invoices"], yen["net"], yen["tax"]) == ("JPY", 1, "105", "11")
    assert (dollars["invoices"], exact(dollars["net"]), dollars["left_out"]) == (0, Decimal(0), 1)
    assert rows(operator("revenue", "--csv").out)[0]["tax"] == "11"


def test_revenue_takes_the_tax_out_of_prices_that_include_it(operator: Operator) -> None:
    operator.world.execute("INSERT INTO taxes (label, rate, country) VALUES ('GST', '10', 'JP')")
    path = operator.world.config
    path.write_text(path.read_text() + "\n[pricing]\nprices_include_tax = true\n")
    assert operator("run", "--date", "2026-07-01", config=path).code == 0
    yen = operator("revenue", "--json", config=path).json[0]
    (invoice,) = operator("invoices", "--client", "1043", "--json", config=path).json
    assert (yen["net"], yen["tax"]) == ("95", "10")
    assert exact(yen["net"]) + exact(yen["tax"]) == exact(invoice["total"]) == 105


def test_a_statement_has_every_line_and_nothing_twice(world: World, capsys: Any) -> None:
    world.billing = 'minimum = { USD = "9.00" }'
    operator = Operator(open_for_business(world), capsys)
    operator("run", "--date", "2026-07-01")
    (user,) = [each for each in world.panel.users if each.billing_user_id == 1042]
    world.run_server(user.id, 720, name="web-2")
    world.at("2026-08-01")
    operator("run", "--date", "2026-08-01")
    lines = operator("statement", "1042", "--json").json
    assert [(line["reference"], line["month"]) for line in lines] == [
        ("TB-2026-07-1042", "2026-06"),
        ("TB-2026-07-1042", "2026-07"),
    ]
    (invoice,) = operator("invoices", "--client", "1042", "--json").json
    assert sum(exact(line["amount"]) for line in lines) == exact(invoice["subtotal"])
    assert all(exact(line["exact"]) == line["tokens"] * exact(line["price"]) for line in lines)
    (june,) = operator("statement", "1042", "--month", "2026-06", "--json").json
    assert (june["reference"], june["hours"], june["tokens_per_month"]) == (ADA, 720, 5000)
    assert "carried into 2026-07" in operator("statement", "1042", "--month", "2026-06").out


@pytest.mark.parametrize("client", ["1", "99999999999999999999"])
def test_a_statement_of_nobody_is_an_error(books: Operator, client: str) -> None:
    told = books("statement", client)
    assert (told.code, told.out) == (2, "")
    assert client in told.err


# The log


def test_the_log_tells_from_what_to_what_by_which_run_and_why(books: Operator) -> None:
    books("overdue", "--date", "2026-07-22")
    books.world.execute("UPDATE invoices SET status = 'paid'")
    books("overdue", "--date", "2026-07-23")
    of_invoice = books("log", "--reference", ADA, "--json").json
    assert [(each["what"], each["before"], each["after"], each["run"]) for each in of_invoice] == [
        ("invoice", None, "written", 1),
        ("invoice", "written", "sending", 1),
        ("invoice", "sending", "issued", 1),
        ("payment", "unpaid", "paid", 3),
    ]
    of_client = books("log", "--client", "1042", "--json").json
    (locked,) = [each for each in of_client if (each["what"], each["after"]) == ("status", "locked")]
    assert (locked["run"], locked["command"], locked["run_date"]) == (2, "overdue", "2026-07-22")
    assert locked["why"] == f"not paid: {ADA} (due 2026-07-15)"


def test_the_log_tells_what_a_command_did_and_begins_where_it_is_told_to(books: Operator) -> None:
    books("approve", "totals", "--reason", "seen")
    (approved,) = [each for each in books("log", "--json").json if each["what"] == "approval"]
    assert (approved["run"], approved["command"], approved["why"]) == (None, "approve", "seen")
    tomorrow = (datetime.now(UTC) + timedelta(days=2)).date()
    assert books("log", "--since", str(tomorrow), "--json").json == []
    assert len(books("log", "--since", "2026-01-01", "--json").json) == len(books("log", "--json").json) > 0


@pytest.mark.parametrize("arguments", [["--reference", "TB-1"], ["--reference", "TB-2026-01-1"], ["--since", "today"],
                                       ["--client", "99999999999999999999"]], ids=" ".join)  # fmt: skip
def test_the_log_of_nothing_is_an_error(books: Operator, arguments: list[str]) -> None:
    told = books("log", *arguments)
    assert (told.code, told.out) == (2, "")


# One invoice


def test_explain_tells_each_tax_and_takes_the_billing_systems_number(operator: Operator) -> None:
    operator.world.execute("INSERT INTO taxes (label, rate, country) VALUES ('GST', '10', 'JP')")
    operator("run", "--date", "2026-07-01")
    ((number,),) = operator.world.query("SELECT id FROM invoices WHERE client_id = 1043")
    told = operator("explain", str(number), "--json").json
    assert told["reference"] == KUMO
    (tax,) = told["taxes"]
    assert exact(tax["amount"]) == exact(told["total"]) - exact(told["subtotal"]) == 11
    assert "GST 10 %" in operator("explain", str(number)).out


def test_explain_lists_the_clients_if_several_have_the_number(books: Operator) -> None:
    with closing(sqlite3.connect(books.world.folder / "tollbridge.db")) as connection, connection:
        connection.execute("UPDATE invoices SET billing_id = '7'")
    told = books("explain", "7")
    assert (told.code, told.out) == (2, "")
    assert f"client 1042: {ADA}" in told.err
    assert f"client 1043: {KUMO}" in told.err
    assert books("explain", "8").code == 2


def test_explain_tells_what_was_paid_and_how_its_user_was_locked_and_released(books: Operator) -> None:
    books("overdue", "--date", "2026-07-22")
    locked = books("explain", ADA, "--json").json
    assert [(each["what"], each["after"]) for each in locked["locks"]] == [
        ("hold", "overdue: locked"),
        ("status", "locked"),
    ]
    assert (locked["payment"]["status"], locked["payment"]["paid"]) == ("unpaid", None)
    books.world.execute("UPDATE invoices SET status = 'paid'")
    paid = books("explain", ADA, "--json").json
    assert (paid["payment"]["status"], paid["payment"]["paid"], paid["payment"]["left"]) == ("paid", "5.00", "0.00")
    assert paid["next_step"] is None, "what the billing system says now counts, and not what a run saw"
    books("overdue", "--date", "2026-07-23")
    told = books("explain", ADA)
    assert "status: locked → active" in told.out
    assert "payment: unpaid → paid" in told.out


def test_explain_without_the_billing_system_tells_the_rest_and_that_payments_are_not_known(books: Operator) -> None:
    books.world.database_url = "postgresql+psycopg://joe@127.0.0.1:1/billing"
    told = books("explain", ADA, "--json")
    assert (told.code, told.json["payment"], told.json["total"]) == (3, None, "5.00")
    assert "not known" in told.err


# One client


def test_a_locked_client_is_told_why_what_it_owes_and_what_comes_next(books: Operator) -> None:
    today = datetime.now(UTC).date()
    books.world.execute("UPDATE invoices SET due_date = :due", due=str(today - timedelta(days=8)))
    books("overdue", "--date", str(today))
    view = books("client", "client1042@example.com", "--json").json
    assert view["client_id"] == 1042
    (hold,) = view["user"]["holds"]
    assert (view["user"]["status"], view["user"]["by_hand"], hold["reason"]) == ("locked", False, "overdue")
    assert ADA in hold["why"]
    assert view["owed"] == {"USD": "5.00"}
    assert view["next_step"] == {"date": str(today + timedelta(days=6)), "user": "suspended"}
    told = " ".join(books("client", "1042").out.split())
    assert f"locked since {hold['since']}: overdue, not paid: {ADA}" in told
    assert f"{today + timedelta(days=6)}: its user is suspended if nobody pays" in told
    books.world.execute("UPDATE invoices SET status = 'paid'")
    view = books("client", "1042", "--json").json
    assert (view["owed"], view["next_step"]) == ({}, {"date": str(today), "user": "active"})


def test_a_lock_that_the_bridge_did_not_make_is_told_as_made_by_hand(books: Operator) -> None:
    (user,) = [each for each in books.world.panel.users if each.billing_user_id == 1042]
    books.world.panel.update_user(user.id, status="locked")
    view = books("client", "1042", "--json").json
    assert (view["user"]["status"], view["user"]["by_hand"], view["user"]["holds"]) == ("locked", True, [])
    assert "by hand" in books("client", "1042").out


def test_a_client_that_is_gone_is_shown_from_the_ledger(books: Operator) -> None:
    books.world.execute("DELETE FROM clients WHERE id = 1042")
    for who in ("1042", "client1042@example.com"):
        view = books("client", who, "--json").json
        assert (view["gone"], view["client"], view["user"]["email"]) == (True, None, "client1042@example.com")
        assert [each["reference"] for each in view["open_invoices"]] == [ADA]
    assert "gone from the billing system" in books("client", "1042").out


def test_what_a_client_owes_is_not_known_while_the_billing_system_is_down(books: Operator) -> None:
    books.world.database_url = "postgresql+psycopg://joe@127.0.0.1:1/billing"
    told = books("client", "1042", "--json")
    assert told.code == 3
    assert (told.json["gone"], told.json["owed"], told.json["next_step"]) == (None, None, None)
    assert told.json["user"]["status"] == "active"
    assert "not known" in books("client", "1042").out


@pytest.mark.parametrize("who", ["ada", "4711", "nobody@example.com", "99999999999999999999", ""])
def test_a_client_that_nobody_knows_is_an_error(books: Operator, who: str) -> None:
    told = books("client", who)
    assert (told.code, told.out) == (2, "")


def test_an_address_of_several_clients_asks_for_one_of_them(books: Operator) -> None:
    books.world.execute("UPDATE clients SET email = 'both@example.com'")
    told = books("client", "Both@example.com")
    assert told.code == 2
    assert "1042, 1043" in told.err


# Terminals and spreadsheets


def test_all_that_is_printed_fits_eighty_columns_and_steers_no_terminal(world: World, capsys: Any) -> None:
    operator = Operator(open_for_business(world), capsys)
    operator("run", "--date", "2026-07-01")
    operator("overdue", "--date", "2026-07-30")
    spoilt = "=HYPERLINK(1)" + NASTY.replace("\udcff", "").replace("\x00", "")
    name = spoilt.replace("\x1b", "\\u001b").replace("\x07", "").replace("\r", "")
    with closing(sqlite3.connect(world.folder / "tollbridge.db")) as connection, connection:
        connection.execute("UPDATE invoices SET problem = ?", (spoilt,))
        connection.execute("UPDATE invoices SET document = replace(document, 'web-1', ?)", (name,))
        connection.execute("UPDATE events SET why = ?", (spoilt,))
    world.execute("UPDATE clients SET company = :name", name=spoilt)
    for look in [*LOOKS, ["statement", "1042", "--csv"], ["log", "--client", "1042"]]:
        told = operator(*look)
        assert told.code == 0, look
        assert steers(told.out + told.err) == [], look
        if not {"--json", "--csv"} & set(look):
            assert max(len(line.rstrip()) for line in told.out.splitlines()) <= 80, look
    line = rows(operator("statement", "1042", "--csv").out)[0]
    assert line["name"].startswith("'=HYPERLINK")


@given(st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from("=+-@;\t\r\n '\"")))
def test_no_text_is_a_formula_wherever_a_spreadsheet_begins_a_cell(text: str) -> None:
    cell = csv_cell(text)
    for part in cell.split(";"):
        assert part.lstrip(" \xa0")[:1] not in {"=", "+", "-", "@", "\t", "\r", "\uff1d"}
    assert steers(cell) == []


def test_numbers_stay_numbers_in_a_spreadsheet() -> None:
    assert [csv_cell(value) for value in (Decimal("-5.00"), -7, True, None)] == ["-5.00", "-7", "true", ""]


def test_a_long_list_is_written_as_it_comes_and_later_rows_fit_all_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    written: list[int] = []

    def endless() -> Any:
        for number in range(3000):
            if number == 2999:
                written.append(len(capsys.readouterr().out.splitlines()))
            yield [str(number), "x" * (200 if number == 2999 else 3)]

    assert print_rows((Column("number", right=True), Column("words", folds=True)), endless()) == 3000
    assert written[0] > 2900, "all rows but the last were written before that one was made"
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 80
