"""An operator's mistakes: each is refused in words that say what to change, by ``check`` and at run time."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.plugins.generic_sql.company import billing, connected, found_company
from tests.server.asking import out_of_reach
from tollbridge import DatabaseUrl, Invoice, InvoiceLine, Receipt, Refused, Unavailable
from tollbridge.adapters.billing import BillingSystem
from tollbridge.bridge import read_configuration
from tollbridge.errors import ConfigError
from tollbridge_generic_sql import checking
from tollbridge_generic_sql.adapter import GenericSqlSettings
from tollbridge_generic_sql.preset import metadata
from tollbridge_generic_sql.statements import Queries

INVOICE = Invoice(
    "TB-2026-06-1", 1, "EUR", date(2026, 7, 1), date(2026, 7, 15), (InvoiceLine("web-1", 7, Decimal("4.90")),)
)


def preset(url: str, **more: str) -> BillingSystem:
    """The preset's tables with one client, and statements of one's own beside them."""
    engine = sa.create_engine(url)
    metadata.create_all(engine)
    engine.dispose()
    with connected(url) as connection:
        connection.execute(sa.text("INSERT INTO currencies (code) VALUES ('EUR')"))
        connection.execute(sa.text("INSERT INTO clients (id, email, currency) VALUES (1, 'a@example.com', 'EUR')"))
    return billing(url, None, **more)


def finding(system: BillingSystem, name: str) -> str:
    """What ``check`` says of a statement that does not fit."""
    (found,) = [check for check in system.check() if check.name == name]
    assert not found.ok, found
    return found.detail


def test_the_preset_fits_every_database(billing_url: str) -> None:
    system = preset(billing_url)
    assert [check for check in system.check() if check.ok is False] == []
    made = system.create_invoice(INVOICE)
    found = system.find_invoice(1, INVOICE.reference)
    assert isinstance(found, Receipt)
    assert (found.id, found.total, found.due_date) == (made.id, Decimal("4.90"), date(2026, 7, 15))
    assert list(system.unpaid_invoices()) == [found]


@pytest.mark.parametrize("returning", [True, False])
def test_the_new_invoices_id_comes_from_returning_or_from_the_driver(billing_url: str, returning: bool) -> None:
    queries = found_company(billing_url)
    statement = queries["insert_invoice"].removesuffix(" RETURNING rechnungsnr")
    if returning or billing_url.startswith("postgresql"):
        statement += " RETURNING rechnungsnr"
    system = billing(billing_url, {**queries, "insert_invoice": statement})
    assert [check for check in system.check() if check.ok is False] == []
    made = system.create_invoice(INVOICE)
    found = system.find_invoice(1, INVOICE.reference)
    assert found is not None
    assert made.id == found.id


def test_postgresql_without_returning_is_refused_before_and_at_run_time(postgresql_url: str) -> None:
    queries = found_company(postgresql_url)
    queries["insert_invoice"] = queries["insert_invoice"].removesuffix(" RETURNING rechnungsnr")
    system = billing(postgresql_url, queries)
    assert "RETURNING" in finding(system, "statement insert_invoice")
    with pytest.raises(Refused, match="RETURNING"):
        system.create_invoice(INVOICE)
    assert system.find_invoice(1, INVOICE.reference) is None


def test_an_id_that_is_text_stays_text(sqlite_url: str) -> None:
    with connected(sqlite_url) as connection:
        connection.execute(
            sa.text("CREATE TABLE r (id TEXT PRIMARY KEY DEFAULT ('R' || hex(randomblob(4))), ref TEXT)")
        )
    system = preset(
        sqlite_url,
        insert_invoice="INSERT INTO r (ref) SELECT :reference WHERE :client_id > 0 RETURNING id",
        insert_line="INSERT INTO r (ref) VALUES ('line of ' || :invoice_id || :amount)",
        find_invoice="SELECT id, ref AS reference, 1 AS client_id, 'unpaid' AS status, '2026-07-15' AS due_date, '4.90'"
        " AS total FROM r WHERE ref = :reference",
    )
    made = system.create_invoice(INVOICE)
    assert str(made.id).startswith("R")
    assert system.find_invoice(1, INVOICE.reference) == made
    with connected(sqlite_url) as connection:
        assert (
            connection.execute(sa.text("SELECT ref FROM r WHERE ref LIKE 'line%'")).scalar() == f"line of {made.id}4.90"
        )


def test_a_missing_column_is_named(billing_url: str) -> None:
    system = preset(billing_url, client="SELECT id, email FROM clients WHERE id = :client_id")
    assert "gives no column currency" in finding(system, "statement client")
    with pytest.raises(Refused, match="gives no column currency"):
        system.client(1)


def test_a_statement_that_fails_is_refused_with_the_databases_words(billing_url: str) -> None:
    """A mistake in a statement is not an outage: waiting does not mend it."""
    system = preset(billing_url, client="SELECT id, email, waehrung FROM clients WHERE id = :client_id")
    assert "waehrung" in finding(system, "statement client")
    with pytest.raises(Refused, match=r"statement `client` fails.*waehrung"):
        system.client(1)


@pytest.mark.parametrize("name", ["insert_invoice", "insert_line"])
def test_an_insert_into_nowhere_is_found_without_writing(billing_url: str, name: str) -> None:
    needed = {
        "insert_invoice": "INSERT INTO nowhere (a, b) VALUES (:reference, :client_id) RETURNING id",
        "insert_line": "INSERT INTO nowhere (a, b) VALUES (:invoice_id, :amount)",
    }
    system = preset(billing_url, **{name: needed[name]})
    assert "nowhere" in finding(system, f"statement {name}")
    with pytest.raises(Refused, match="nowhere"):
        system.create_invoice(INVOICE)
    with connected(billing_url) as connection:
        assert connection.execute(sa.text("SELECT count(*) FROM invoices")).scalar() == 0


def test_two_rows_for_one_client_are_refused(billing_url: str) -> None:
    twice = "SELECT id, email, currency FROM clients WHERE id = :client_id UNION ALL SELECT 1, '', ''"
    system = preset(billing_url, client=twice)
    assert "2 rows for client 1" in finding(system, "one row for each client")
    with pytest.raises(Refused, match="2 rows for client 1"):
        system.client(1)


def test_a_client_listed_twice_is_found(billing_url: str) -> None:
    twice = "SELECT id, email, currency FROM clients UNION ALL SELECT id, email, currency FROM clients"
    assert "lists client 1 twice" in finding(preset(billing_url, clients=twice), "one row for each client")


def test_a_client_that_only_the_list_knows_is_found(billing_url: str) -> None:
    system = preset(billing_url, client="SELECT id, email, currency FROM clients WHERE id = :client_id + 1")
    assert "0 rows for client 1" in finding(system, "one row for each client")


def test_a_row_that_cannot_be_used_is_found_before_the_first_run(billing_url: str) -> None:
    system = preset(billing_url, clients="SELECT id, email, currency, 'aktiv' AS status FROM clients")
    assert "'aktiv', where one of active, inactive, closed is needed" in finding(system, "one row for each client")


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("client", "SELECT id, email, currency FROM clients WHERE id = :kunde", ":kunde, which it is not given"),
        ("client", "SELECT id, email, currency FROM clients", "does not use :client_id"),
        ("clients", "SELECT id, email, currency FROM clients WHERE id = :client_id", "it gets none"),
        ("insert_invoice", "INSERT INTO invoices (reference) VALUES (:reference)", "does not use :client_id"),
        ("insert_line", "INSERT INTO invoice_lines (amount) VALUES (:amount)", "does not use :invoice_id"),
        ("find_invoice", "SELECT * FROM invoices WHERE id = :client_id", "does not use :reference"),
    ],
)
def test_a_wrong_parameter_is_refused_before_anything_runs(name: str, text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words) as caught:
        GenericSqlSettings(DatabaseUrl("sqlite:///x.db"), "tollbridge", Queries(**{name: text}))
    assert name in str(caught.value)


def test_every_statement_that_is_needed_and_missing_is_named() -> None:
    with pytest.raises(ValueError, match="clients, insert_invoice, insert_line, find_invoice, unpaid_invoices"):
        GenericSqlSettings(DatabaseUrl("sqlite:///x.db"), None, Queries(client="SELECT :client_id"))


def test_two_invoices_with_one_reference_are_refused(sqlite_url: str) -> None:
    system = preset(
        sqlite_url,
        find_invoice="SELECT 1 AS id, :reference AS reference, 1 AS client_id, 'paid' AS status, '2026-07-15' AS"
        " due_date, 1 AS total UNION ALL SELECT 2, :reference, 1, 'paid', '2026-07-15', 1",
    )
    with pytest.raises(Refused, match="2 invoices with the reference TB-1"):
        system.find_invoice(1, "TB-1")


def test_a_database_that_is_down_is_to_be_tried_later(postgresql_url: str) -> None:
    system = preset(postgresql_url)
    assert system.client(1).id == 1
    with out_of_reach(postgresql_url):
        for ask in (
            lambda: system.client(1),
            lambda: list(system.clients()),
            lambda: system.create_invoice(INVOICE),
            lambda: system.find_invoice(1, "TB-1"),
        ):
            with pytest.raises(Unavailable):
                ask()
        assert system.check()[0].detail.startswith("cannot be reached")
    assert system.find_invoice(1, INVOICE.reference) is None
    assert system.create_invoice(INVOICE).reference == INVOICE.reference


def test_a_sqlite_file_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    """Else a mistyped path would be a company without clients."""
    system = billing(f"sqlite:///{tmp_path}/typo.db")
    with pytest.raises(Unavailable, match=r"no file .*typo\.db"):
        system.client(1)
    assert not (tmp_path / "typo.db").exists()


@pytest.mark.parametrize(
    "url",
    [
        "no url",
        "nosuch://host/db",
        "postgresql+psycopg://u:sehrgeheim@h:port/db",
        "oracle+cx_oracle://u:sehrgeheim@h/db",
    ],
)
def test_a_url_that_cannot_be_used_is_a_matter_of_bridge_toml(tmp_path: Path, url: str) -> None:
    path = tmp_path / "bridge.toml"
    path.write_text(
        '[solus]\nurl = "http://127.0.0.1:1"\napi_token = "xxxx"\n[pricing.tokens]\nUSD = "1"\n[billing]\n'
        'start = "2026-06"\n[adapter]\nuse = "generic_sql"\n[adapter.generic_sql]\npreset = "tollbridge"\n'
        f'url = "{url}"\n'
    )
    with pytest.raises(ConfigError, match=r"adapter\.generic_sql: the database URL") as caught:
        read_configuration(path)
    assert "sehrgeheim" not in str(caught.value)


def test_a_list_with_fewer_columns_than_a_client_has_makes_no_clients_of_half_a_record(billing_url: str) -> None:
    """What the list leaves out is not known: read as empty it would be another price, as without a country's tax."""
    system = preset(billing_url, clients="SELECT id, email, currency FROM clients")
    with connected(billing_url) as connection:
        connection.execute(sa.text("UPDATE clients SET country = 'DE', client_group = 'partners'"))
        connection.execute(sa.text("INSERT INTO clients (id, email, currency) VALUES (2, 'b@example.com', 'EUR')"))
    listed = list(system.clients())
    assert [(client.country, client.group) for client in listed if not isinstance(client, Refused)] == [
        ("DE", "partners"), ("", ""),
    ]  # fmt: skip
    assert listed == [system.client(1), system.client(2)]


@contextmanager
def who_may(url: str, *grants: str) -> Iterator[str]:
    """The database's URL for somebody with these rights only."""
    user = f"tb_{secrets.token_hex(4)}"
    made = sa.make_url(url).set(username=user, password="a-long-password")
    with connected(url) as connection:
        connection.execute(sa.text(f"CREATE USER {user} PASSWORD 'a-long-password'"))
        connection.execute(sa.text(f"GRANT USAGE ON SCHEMA public TO {user}"))
        for grant in grants:
            connection.execute(sa.text(f"GRANT {grant} TO {user}"))
    try:
        yield made.render_as_string(hide_password=False)
    finally:
        with connected(url) as connection:
            connection.execute(sa.text(f"DROP OWNED BY {user}"))
            connection.execute(sa.text(f"DROP USER {user}"))


def states(system: BillingSystem, *names: str) -> list[bool | None]:
    """What ``check`` makes of these statements."""
    found = {check.name: check.ok for check in system.check()}
    return [found[f"statement {name}"] for name in names]


def test_check_names_each_right_that_is_missing_on_postgresql(postgresql_url: str) -> None:
    preset(postgresql_url)
    names = ("client", "find_invoice", "insert_invoice", "insert_line")
    reading = "SELECT ON ALL TABLES IN SCHEMA public"
    writing = "INSERT ON invoices, invoice_lines"
    sequence = "USAGE ON SEQUENCE invoices_id_seq"
    for rights, proved in (
        ((reading,), [True, True, False, False]),
        ((reading, writing), [True, True, None, True]),
        ((reading, writing, sequence), [True, True, True, True]),
    ):
        with who_may(postgresql_url, *rights) as url:
            system = billing(url, None, insert_client="", login="")
            assert states(system, *names) == proved
            system.close()


def test_a_database_that_is_read_only_fails_the_check(billing_url: str) -> None:
    preset(billing_url)
    kind, _, rest = billing_url.partition(":///")
    if kind == "sqlite":
        read_only = f"sqlite:///file:{rest}?mode=ro&uri=true"
    elif billing_url.startswith("postgresql"):
        read_only = f"{billing_url}?options=-cdefault_transaction_read_only%3Don"
    else:
        pytest.skip("MariaDB explains with the user's rights, and its read_only is for the whole server")
    [found] = [check for check in billing(read_only).check() if check.name == "database writes"]
    assert found.ok is False


def test_statements_are_not_called_proved_where_the_database_explains_nothing(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = preset(sqlite_url)
    monkeypatch.setattr(checking, "_EXPLAINS", set())
    assert states(system, "client", "insert_invoice", "insert_line") == [True, None, None]
