"""Statements that write words of their own, from what a line is made of."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

import attrs
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from tests.plugins.generic_sql.company import billing, connected, found_company
from tests.plugins.generic_sql.test_statements import INVOICE
from tollbridge import InvoiceLine
from tollbridge_generic_sql import parameters

SERVER = InvoiceLine(
    "web-1, 1 Core: 700 h x 7 Token = 4.900 Token (Stundenpreis)", 4900, Decimal("4.46"),
    kind="server", name="web-1", plan="1 Core", hours=700, tokens_per_hour=7,
    period_start=date(2026, 7, 1), period_end=date(2026, 7, 31),
)  # fmt: skip
BACKUP = InvoiceLine(
    "web-1, Datensicherung: 490 Token", 490, Decimal("0.45"), kind="backup", name="web-1",
    period_start=date(2026, 6, 1), period_end=date(2026, 6, 30),
)  # fmt: skip
LINES = attrs.evolve(INVOICE, lines=(SERVER, BACKUP))
PARTS = ("kind", "name", "plan", "hours", "tokens_per_hour", "month", "period_start", "period_end")


def test_a_line_can_be_kept_in_its_parts_on_every_database(billing_url: str) -> None:
    queries = found_company(billing_url)
    with connected(billing_url) as connection:
        connection.execute(
            sa.text(
                "CREATE TABLE posten (nr INTEGER, art VARCHAR(30), name VARCHAR(99), tarif VARCHAR(99),"
                " stunden INTEGER, marken INTEGER, monat CHAR(7), von DATE, bis DATE)"
            )
        )
    insert = (
        f"INSERT INTO posten VALUES (:position + 0 * :invoice_id * :amount, {', '.join(f':{each}' for each in PARTS)})"
    )
    system = billing(billing_url, {**queries, "insert_line": insert})
    assert [check for check in system.check() if check.ok is False] == []
    system.create_invoice(LINES)
    with connected(billing_url) as connection:
        rows = [tuple(map(str, row)) for row in connection.execute(sa.text("SELECT * FROM posten ORDER BY nr"))]
    assert rows == [
        ("1", "server", "web-1", "1 Core", "700", "7", "2026-07", "2026-07-01", "2026-07-31"),
        ("2", "backup", "web-1", "None", "None", "None", "2026-06", "2026-06-01", "2026-06-30"),
    ]


def test_a_servers_words_can_be_the_companys_own_on_every_database(billing_url: str) -> None:
    queries = found_company(billing_url)
    joined = (
        "CONCAT(:name, ' (', :plan, '), ', :hours, ' h')"
        if billing_url.startswith("mysql")
        else ":name || ' (' || :plan || '), ' || :hours || ' h'"
    )
    words = f"CASE :kind WHEN 'server' THEN {joined} ELSE :description END"
    system = billing(billing_url, {**queries, "insert_line": queries["insert_line"].replace(":description", words)})
    assert [check for check in system.check() if check.ok is False] == []
    system.create_invoice(LINES)
    with connected(billing_url) as connection:
        texts = connection.execute(sa.text("SELECT text FROM rechnungspositionen ORDER BY nr")).scalars().all()
    assert texts == ["web-1 (1 Core), 700 h", "web-1, Datensicherung: 490 Token"]


def test_a_clients_language_comes_from_its_column(billing_url: str) -> None:
    queries = found_company(billing_url)
    with_language = {
        name: queries[name].replace("AS id,", "AS id, 'de_AT' AS language,") for name in ("client", "clients")
    }
    system = billing(billing_url, {**queries, **with_language})
    assert system.client(1).language == "de_AT"
    assert billing(billing_url, queries).client(1).language == ""


@given(st.text(min_size=1), st.text(), st.text(), st.integers(0, 744) | st.none())
def test_every_parameter_of_a_line_is_given_whatever_the_item_is(
    kind: str, name: str, plan: str, hours: int | None
) -> None:
    line = attrs.evolve(SERVER, kind=kind, name=name, plan=plan, hours=hours)
    shared = parameters.of_invoice(INVOICE, plain=True)
    [values] = parameters.of_lines(attrs.evolve(INVOICE, lines=[line]), 77, shared, plain=True)
    told: Mapping[str, object] = {each: values[each] for each in PARTS}
    assert told == {
        "kind": kind, "name": name, "plan": plan or None, "hours": hours, "tokens_per_hour": 7,
        "month": "2026-07", "period_start": "2026-07-01", "period_end": "2026-07-31",
    }  # fmt: skip
