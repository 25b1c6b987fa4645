"""Numbers of one's own: ``before_invoice`` takes one under a lock, and gives it back if the invoice fails."""

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa

from tests.plugins.generic_sql.company import NUMBER, adapter, billing, connected, created_at_once
from tests.plugins.generic_sql.fossbilling import an_invoice
from tests.plugins.generic_sql.test_statements import preset
from tollbridge import DatabaseUrl, Refused, TaxRate
from tollbridge_generic_sql.adapter import GenericSqlSettings
from tollbridge_generic_sql.statements import Queries

TABLES = [
    "CREATE TABLE counters (name VARCHAR(20) PRIMARY KEY, last INTEGER NOT NULL)",
    """CREATE TABLE bills (id {number}, no INTEGER, ref VARCHAR(40), client INTEGER, tax VARCHAR(60), rate VARCHAR(40),
       included VARCHAR(5), link VARCHAR(60))""",
    """CREATE TABLE bill_lines (bill INTEGER, ref VARCHAR(40), words VARCHAR(20) CHECK (words <> 'web-3'),
       amount NUMERIC(9, 2))""",
    "INSERT INTO counters VALUES ('bill', 6)",
]
FIND = """SELECT id, ref AS reference, client AS client_id, 'unpaid' AS status, '2026-07-15' AS due_date, 5 AS total
          FROM bills"""
CLIENT = "SELECT 1 AS id, 'a@example.com' AS email, 'EUR' AS currency"
QUERIES = {
    "client": f"{CLIENT} WHERE 1 = :client_id",
    "clients": CLIENT,
    "before_invoice": "UPDATE counters SET last = last + 1 WHERE name = 'bill' RETURNING last",
    "insert_invoice": """INSERT INTO bills (no, ref, client, tax, rate, included, link)
                         VALUES (:number, :reference, :client_id, :tax_label, :tax_rate,
                         CASE WHEN :prices_include_tax THEN 'yes' ELSE 'no' END, :random)""",
    "insert_line": "INSERT INTO bill_lines VALUES (:invoice_id, :reference, :description, :amount)",
    "find_invoice": f"{FIND} WHERE ref = :reference",
    "unpaid_invoices": FIND,
}


@pytest.fixture
def queries(billing_url: str) -> dict[str, str]:
    """A numbered company's statements, with its tables in place."""
    kind = sa.make_url(billing_url).get_backend_name()
    with connected(billing_url) as connection:
        for table in TABLES:
            connection.execute(sa.text(table.format(number=NUMBER[kind])))
    made = dict(QUERIES)
    if kind == "mysql":
        made["before_invoice"] = "UPDATE counters SET last = LAST_INSERT_ID(last + 1) WHERE name = 'bill'"
        made["insert_invoice"] = made["insert_invoice"].replace(":number", "LAST_INSERT_ID()")
    if kind == "postgresql":
        made["insert_invoice"] = (
            made["insert_invoice"].replace(":tax_rate", "CAST(:tax_rate AS TEXT)") + " RETURNING id"
        )
    return made


def rows(url: str, sql: str) -> list[tuple[Any, ...]]:
    with connected(url) as connection:
        return [tuple(row) for row in connection.execute(sa.text(sql))]


def test_each_invoice_takes_the_next_number(billing_url: str, queries: dict[str, str]) -> None:
    system = billing(billing_url, queries)
    for reference in ("TB-2026-06-1", "TB-2026-07-1"):
        assert system.create_invoice(an_invoice(reference)).total == 5, "as the database has it"
    assert rows(billing_url, "SELECT no, ref FROM bills ORDER BY no") == [(7, "TB-2026-06-1"), (8, "TB-2026-07-1")]
    assert rows(billing_url, "SELECT ref, words FROM bill_lines ORDER BY bill") == [
        ("TB-2026-06-1", "web-1"),
        ("TB-2026-07-1", "web-1"),
    ]


def test_bridges_that_write_at_the_same_time_get_different_numbers(billing_url: str, queries: dict[str, str]) -> None:
    def bill(client: int) -> None:
        bridge = adapter(billing_url, queries)
        for month in range(1, 6):
            bridge.create_invoice(an_invoice(f"TB-2026-{month:02}-{client}"))

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(bill, range(3)))
    assert [row[0] for row in rows(billing_url, "SELECT no FROM bills ORDER BY no")] == list(range(7, 22))


def test_an_invoice_that_fails_gives_its_number_back(billing_url: str, queries: dict[str, str]) -> None:
    system = billing(billing_url, queries)
    with pytest.raises(Refused, match="TB-2026-06-1"):
        system.create_invoice(an_invoice("TB-2026-06-1", "1", "1", "1"))
    assert rows(billing_url, "SELECT last FROM counters") == [(6,)]
    assert rows(billing_url, "SELECT * FROM bills") == []


def test_a_reference_is_written_once_even_without_a_unique_index(billing_url: str, queries: dict[str, str]) -> None:
    made = billing(billing_url, queries).create_invoice(an_invoice())
    assert billing(billing_url, queries).create_invoice(an_invoice()) == made
    assert rows(billing_url, "SELECT last FROM counters") == [(7,)]


@pytest.mark.parametrize("creators", [2, 4, 8])
def test_of_several_who_write_a_reference_at_once_one_does_and_all_get_its_receipt(
    billing_url: str, queries: dict[str, str], creators: int
) -> None:
    """Nothing but the adapter prevents it: these tables have no unique index."""
    receipts = created_at_once([adapter(billing_url, queries) for _ in range(creators)], an_invoice())
    assert len({receipt.id for receipt in receipts}) == 1
    assert rows(billing_url, "SELECT no FROM bills") == [(7,)]
    assert rows(billing_url, "SELECT COUNT(*) FROM bill_lines") == [(1,)]
    del queries["before_invoice"]
    queries["insert_invoice"] = queries["insert_invoice"].replace(":number", "0").replace("LAST_INSERT_ID()", "0")
    receipts = created_at_once([adapter(billing_url, queries) for _ in range(creators)], an_invoice("TB-2026-07-1"))
    assert len({receipt.id for receipt in receipts}) == 1
    assert rows(billing_url, "SELECT COUNT(*) FROM bills WHERE ref = 'TB-2026-07-1'") == [(1,)]


def test_without_a_number_to_take_nothing_is_written(billing_url: str, queries: dict[str, str]) -> None:
    with connected(billing_url) as connection:
        connection.execute(sa.text("DELETE FROM counters"))
    with pytest.raises(
        Refused, match="TB-2026-06-1 is not written: the statement `before_invoice` finds nothing to do"
    ):
        billing(billing_url, queries).create_invoice(an_invoice())
    assert rows(billing_url, "SELECT * FROM bills") == []


@pytest.mark.parametrize("returning", ["", "RETURNING id"])
def test_an_insert_whose_conditions_are_not_met_is_refused(sqlite_url: str, returning: str) -> None:
    conditions = f"INSERT INTO invoices (reference, client_id) SELECT :reference, :client_id WHERE 1 = 2 {returning}"
    system = preset(sqlite_url, insert_invoice=conditions)
    with pytest.raises(
        Refused, match="TB-2026-06-1 is not written: the statement `insert_invoice` finds nothing to do"
    ):
        system.create_invoice(an_invoice())


def test_an_invoice_that_would_not_be_found_again_is_not_written(billing_url: str, queries: dict[str, str]) -> None:
    queries["find_invoice"] += " AND 1 = 2"
    with pytest.raises(Refused, match="`find_invoice` would not find TB-2026-06-1 again"):
        billing(billing_url, queries).create_invoice(an_invoice())
    assert rows(billing_url, "SELECT * FROM bills") == []


def test_taxes_come_as_one_rate_with_one_name_and_every_invoice_with_its_own_secret(
    billing_url: str, queries: dict[str, str]
) -> None:
    system = billing(billing_url, queries)
    taxes = (TaxRate("GST", Decimal(5)), TaxRate("QST", Decimal("9.975")))
    system.create_invoice(an_invoice("TB-2026-06-1", taxes=taxes, compound=True))
    system.create_invoice(an_invoice("TB-2026-07-1", prices_include_tax=True))
    assert rows(billing_url, "SELECT tax, rate, included FROM bills ORDER BY id") == [
        ("GST + QST", "15.47375", "no"),
        ("", "0", "yes"),
    ]
    links = [link for (link,) in rows(billing_url, "SELECT link FROM bills")]
    assert [len(link) for link in links] == [40, 40]
    assert links[0] != links[1]


def test_check_explains_it_without_taking_a_number(billing_url: str, queries: dict[str, str]) -> None:
    assert [check for check in billing(billing_url, queries).check() if check.ok is False] == []
    assert rows(billing_url, "SELECT last FROM counters") == [(6,)]
    wrong = billing(billing_url, {**queries, "before_invoice": "UPDATE nowhere SET last = last + 1"}).check()
    (found,) = [check for check in wrong if check.ok is False]
    assert (found.name, "nowhere" in found.detail) == ("statement before_invoice", True)


def test_a_number_is_not_known_before_it_is_taken() -> None:
    taking = Queries(before_invoice="UPDATE counters SET last = :number")
    with pytest.raises(ValueError, match="before_invoice names :number, which it is not given"):
        GenericSqlSettings(DatabaseUrl("sqlite:///x.db"), "tollbridge", taking)


def test_the_reference_must_stand_on_the_invoice_or_on_its_lines() -> None:
    without = Queries(
        insert_invoice="INSERT INTO invoices (client_id) VALUES (:client_id)",
        insert_line="INSERT INTO invoice_lines (invoice_id, amount) VALUES (:invoice_id, :amount)",
    )
    with pytest.raises(ValueError, match="insert_invoice does not use :reference"):
        GenericSqlSettings(DatabaseUrl("sqlite:///x.db"), "tollbridge", without)


@pytest.mark.parametrize("nothing", ["", " \n"])
def test_an_empty_statement_beside_a_preset_switches_that_one_off(sqlite_url: str, nothing: str) -> None:
    assert billing(sqlite_url, None, currencies=nothing).currencies() == {}
    with pytest.raises(ValueError, match="client: is missing"):
        GenericSqlSettings(DatabaseUrl(sqlite_url), "tollbridge", Queries(client=nothing))
