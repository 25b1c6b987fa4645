"""A company with a schema of its own, on every kind of database, by statements alone."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import attrs
import pytest
import sqlalchemy as sa

from tests.plugins.generic_sql.company import billing, connected, found_company
from tests.world import a_world
from tollbridge import (
    NOBODY,
    Client,
    DatabaseUrl,
    Invoice,
    InvoiceLine,
    InvoiceStatus,
    NotFound,
    OutcomeUnknown,
    Receipt,
    Refused,
    Terms,
)
from tollbridge.adapters.billing import BillingSystem
from tollbridge.adapters.loading import plugin_manager
from tollbridge.cli import main
from tollbridge.conformance.side import MONTH
from tollbridge.rules.calendar import Month
from tollbridge_generic_sql import GenericSqlAdapter
from tollbridge_generic_sql.adapter import GenericSqlSettings
from tollbridge_generic_sql.statements import Queries

COMPANY = """
[solus]
url = "{solus}"
api_token = "sandbox-token"

[pricing.tokens]
EUR = "0.00091"
USD = "0.001"
JPY = "0.15"
KWD = "0.0003"
CAD = "0.0013"

[billing]
start = "2026-06"

[ledger]
url = "sqlite:///books.db"

[adapter]
use = "generic_sql"

[adapter.generic_sql]
url = "{url}"

[adapter.generic_sql.queries]
{queries}
"""


@pytest.fixture
def company(billing_url: str) -> BillingSystem:
    return billing(billing_url, found_company(billing_url))


def invoice(reference: str = "TB-2026-06-1", *amounts: str, **more: object) -> Invoice:
    lines = tuple(InvoiceLine(f"Zeile {each}", 7, Decimal(each)) for each in amounts or ("4.90",))
    return Invoice(reference, 1, "EUR", date(2026, 7, 1), date(2026, 7, 15), lines, **more)  # type: ignore[arg-type]


def test_clients_come_with_everything_their_rows_say(company: BillingSystem) -> None:
    first = company.client(1)
    assert first == Client(
        1, "eins@beispiel.example", "EUR", first_name="Änne", last_name="Größe", country="DE", company="", group=""
    )
    assert {client.id: client.status.value for client in company.clients() if isinstance(client, Client)} == {
        1: "active", 2: "active", 3: "active", 4: "active", 5: "active", 6: "active", 7: "closed", 8: "inactive",
    }  # fmt: skip
    assert company.client(6).tax_exempt is True
    assert company.client(5).tax_exempt is False


def test_currencies_have_the_companys_own_digits(company: BillingSystem) -> None:
    assert {code: each.decimals for code, each in company.currencies().items()} == {
        "EUR": 2, "USD": 2, "JPY": 0, "KWD": 3, "CAD": 2,
    }  # fmt: skip
    assert company.currencies()["JPY"].suffix == ""


def test_discounts_and_compound_taxes_are_exact_and_in_order(company: BillingSystem) -> None:
    treu = company.terms(company.client(4), MONTH)
    assert treu is not None
    assert treu.discounts is not None
    assert sorted(each.multiplier for each in treu.discounts) == [Decimal("0.875"), Decimal("0.96")]
    quebec = company.terms(company.client(5), MONTH)
    assert quebec is not None
    assert quebec.taxes is not None
    assert [(each.label, each.rate) for each in quebec.taxes] == [("GST", 5), ("QST", Decimal("9.975"))]
    assert quebec.compound is True


def test_the_taxes_of_a_country_are_those_of_somebody_who_pays_them_there(company: BillingSystem) -> None:
    for country, of_client in (("DE", 1), ("CA", 5)):
        told = company.terms(Client(NOBODY, "", "EUR", country=country), MONTH)
        theirs = company.terms(company.client(of_client), MONTH)
        assert told is not None
        assert theirs is not None
        assert told.taxes == theirs.taxes != ()
        assert told.discounts == ()
    with pytest.raises(NotFound, match="no client in NZ pays taxes"):
        company.terms(Client(NOBODY, "", "EUR", country="NZ"), MONTH)


def test_statements_for_discounts_and_taxes_are_told_the_month(billing_url: str) -> None:
    queries = found_company(billing_url)
    with connected(billing_url) as connection:
        connection.execute(sa.text("CREATE TABLE saetze (satz NUMERIC(7,4), ab DATE, bis DATE)"))
        for row in ("19, '2007-01-01', '2026-07-01'", "16, '2026-07-01', NULL"):
            connection.execute(sa.text(f"INSERT INTO saetze VALUES ({row})"))
    within = "FROM saetze WHERE ab <= :month_start AND (bis IS NULL OR bis >= :month_end)"
    queries["taxes"] = f"SELECT 'USt' AS label, satz AS rate {within}"
    queries["discounts"] = (
        f"SELECT 'Sommer' AS name, '' AS description, satz / 100.0 AS multiplier {within} AND satz < 17"
    )
    system = billing(billing_url, queries)
    assert [check for check in system.check() if check.ok is False] == []
    client = system.client(1)
    for month, rates, multipliers in (
        (Month(2026, 6), [19], []),
        (Month(2026, 7), [16], [Decimal("0.16")]),
        (Month(2026, 12), [16], [Decimal("0.16")]),
    ):
        terms = system.terms(client, month)
        assert terms is not None
        assert [each.rate for each in terms.taxes or ()] == rates
        assert [each.multiplier for each in terms.discounts or ()] == multipliers


def test_a_month_is_billed_to_the_last_digit(
    billing_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """700 hours of 7 tokens, and a plan cap of 5000 tokens: figures worked out by hand."""
    queries = found_company(billing_url)
    text = "\n".join(f"{name} = '''{query}'''" for name, query in queries.items())
    with a_world(tmp_path, f"sqlite:///{tmp_path}/unused.db", f"sqlite:///{tmp_path}/books.db") as world:
        path = tmp_path / "company.toml"
        path.write_text(COMPANY.format(solus=world.solus_url, url=billing_url, queries=text), encoding="utf-8")
        for client_id in range(1, 8):
            email = billing(billing_url, queries).client(client_id).email
            user = world.panel.add_user(email, billing_user_id=client_id)
            world.run_server(user.id, 700)
        world.panel.set_time(datetime(2026, 7, 1, 4, tzinfo=UTC))
        for expected in (7, 0):
            capsys.readouterr()
            assert main(["--config", str(path), "run", "--date", "2026-07-01", "--json"]) == 0
            told = capsys.readouterr()
            assert (len(json.loads(told.out)["invoices"]), told.err) == (expected, "")
    with connected(billing_url) as connection:
        rows = connection.execute(
            sa.text("SELECT kundennr, waehrung, netto, brutto, zustand FROM rechnungen ORDER BY kundennr")
        ).all()
        lines = connection.execute(sa.text("SELECT count(*), sum(marken) FROM rechnungspositionen")).one()
    assert [(row[0], row[1], Decimal(str(row[2])), Decimal(str(row[3])), row[4]) for row in rows] == [
        (1, "EUR", Decimal("4.46"), Decimal("5.31"), "offen"),
        (2, "USD", Decimal("4.90"), Decimal("4.90"), "offen"),
        (3, "JPY", Decimal(617), Decimal(679), "offen"),
        (4, "KWD", Decimal("1.235"), Decimal("1.235"), "offen"),
        (5, "CAD", Decimal("6.37"), Decimal("7.36"), "offen"),
        (6, "EUR", Decimal("4.46"), Decimal("4.46"), "offen"),
        (7, "EUR", Decimal("4.46"), Decimal("5.31"), "offen"),
    ]
    assert tuple(lines) == (7, 7 * 4900)


def test_an_invoice_is_found_again_as_it_was_written(company: BillingSystem, billing_url: str) -> None:
    made = company.create_invoice(invoice("TB-2026-06-1", "4.90", "0.10"))
    found = company.find_invoice(1, "TB-2026-06-1")
    assert found == Receipt(
        made.id,
        "TB-2026-06-1",
        1,
        "unpaid",
        date(2026, 7, 15),
        Decimal("5.00"),
        balance=Decimal("5.00"),
    )
    assert company.find_invoice(2, "TB-2026-06-1") is None
    assert list(company.unpaid_invoices()) == [found]
    with connected(billing_url) as connection:
        connection.execute(sa.text("UPDATE rechnungen SET zustand = 'angewiesen', bezahlt = brutto"))
    pending = company.find_invoice(1, "TB-2026-06-1")
    assert pending is not None
    assert (pending.status, pending.balance) == (InvoiceStatus.PENDING, Decimal(0))


@pytest.mark.parametrize(
    "amount", ["0.1", "0.2", "0.3", "1234567890.1234", "9007199254740993", "0.0001", "1234567890123456.7891"]
)
def test_an_amount_survives_the_way_through_the_database(company: BillingSystem, amount: str) -> None:
    company.create_invoice(invoice("TB-2026-06-1", amount, decimals=4))
    found = company.find_invoice(1, "TB-2026-06-1")
    assert found is not None
    assert found.total == Decimal(amount)


def test_notes_that_the_statements_read_name_the_months(billing_url: str) -> None:
    queries = found_company(billing_url)
    reading = ("find_invoice", "unpaid_invoices")
    told = {name: queries[name].replace("brutto AS total", "brutto AS total, bemerkung AS notes") for name in reading}
    with_notes, without = billing(billing_url, {**queries, **told}), billing(billing_url, queries)
    made = with_notes.create_invoice(invoice(notes="TB-2026-06-1: usage in 2026-05, 2026-06"))
    assert made.months == ("2026-05", "2026-06")
    assert list(with_notes.unpaid_invoices()) == [made]
    assert without.find_invoice(1, made.reference) == attrs.evolve(made, months=None)


def test_own_statements_get_lines_below_zero_once_it_is_said_that_they_keep_them(billing_url: str) -> None:
    queries = found_company(billing_url)
    taking_back = invoice("TB-2026-06-1", "4.90", "-1.00")
    untold = billing(billing_url, queries)
    assert not untold.takes_negative_lines
    with pytest.raises(Refused, match=r"lines below zero: try whether .* and say negative_lines = true"):
        untold.create_invoice(taking_back)
    assert untold.find_invoice(1, taking_back.reference) is None
    settings = GenericSqlSettings(DatabaseUrl(billing_url), None, Queries(**queries), negative_lines=True)
    told = BillingSystem("generic_sql", plugin_manager("generic_sql", GenericSqlAdapter, settings))
    assert told.takes_negative_lines
    assert told.create_invoice(taking_back).total == Decimal("3.90")
    with connected(billing_url) as connection:
        amounts = connection.execute(sa.text("SELECT betrag FROM rechnungspositionen ORDER BY nr")).scalars()
        assert [Decimal(str(amount)) for amount in amounts] == [Decimal("4.90"), Decimal("-1.00")]
    assert billing(billing_url).takes_negative_lines, "the preset's tables keep them"


def test_a_line_that_cannot_be_written_leaves_no_invoice_behind(company: BillingSystem, billing_url: str) -> None:
    with pytest.raises(Refused, match="TB-2026-06-1"):
        company.create_invoice(invoice("TB-2026-06-1", "1.00", "666", "2.00"))
    with connected(billing_url) as connection:
        for table in ("rechnungen", "rechnungspositionen"):
            assert connection.execute(sa.text(f"SELECT count(*) FROM {table}")).scalar() == 0
    assert company.create_invoice(invoice()).reference == "TB-2026-06-1", "and the next one is written"


def test_the_same_reference_is_not_written_twice(company: BillingSystem, billing_url: str) -> None:
    assert company.create_invoice(invoice()) == company.create_invoice(invoice())
    with connected(billing_url) as connection:
        assert connection.execute(sa.text("SELECT count(*) FROM rechnungspositionen")).scalar() == 1


def test_a_refusal_at_commit_is_known_to_be_one(postgresql_url: str) -> None:
    """A deferred constraint speaks only at COMMIT, and still nothing was kept."""
    queries = found_company(postgresql_url)
    with connected(postgresql_url) as connection:
        connection.execute(
            sa.text(
                "ALTER TABLE rechnungen ADD FOREIGN KEY (waehrung) REFERENCES waehrungen DEFERRABLE INITIALLY DEFERRED"
            )
        )
        connection.execute(sa.text("DELETE FROM waehrungen WHERE kuerzel = 'EUR'"))
    try:
        billing(postgresql_url, queries).create_invoice(invoice())
    except OutcomeUnknown as error:
        pytest.fail(str(error))
    except Refused:
        pass
    else:
        pytest.fail("it was accepted")


def test_check_finds_that_everything_fits(company: BillingSystem) -> None:
    checks = company.check()
    assert [check for check in checks if check.ok is False] == []
    assert [check.detail for check in checks if check.name == "one row for each client"] == ["8 clients"]


def test_check_writes_nothing(company: BillingSystem, billing_url: str) -> None:
    company.check()
    with connected(billing_url) as connection:
        assert connection.execute(sa.text("SELECT count(*) FROM rechnungen")).scalar() == 0


def test_without_currencies_discounts_and_taxes_others_decide(billing_url: str) -> None:
    queries = found_company(billing_url)
    for name in ("currencies", "discounts", "taxes"):
        del queries[name]
    system = billing(billing_url, queries)
    assert system.currencies() == {}
    assert system.terms(system.client(5), MONTH) == Terms(None, None)
    assert all(check.ok for check in system.check())


def test_discounts_alone_leave_the_taxes_to_bridge_toml(billing_url: str) -> None:
    queries = found_company(billing_url)
    del queries["taxes"]
    system = billing(billing_url, queries)
    terms = system.terms(system.client(5), MONTH)
    assert terms is not None
    assert (terms.discounts, terms.taxes) == ((), None)
