"""People who sign up and log in, by the preset and by statements of one's own."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import event

from tests.docs.walking import ROOT, blocks, walk
from tests.plugins.generic_sql.company import adapter, billing, connected
from tests.plugins.generic_sql.test_passwords import PASSWORD, PHP
from tests.plugins.generic_sql.test_statements import finding, preset
from tests.plugins.generic_sql.wire import Wire
from tollbridge import (
    AddressTaken,
    Client,
    ClientStatus,
    DatabaseUrl,
    OutcomeUnknown,
    Refused,
    Signup,
    Unavailable,
)
from tollbridge.adapters.billing import BillingSystem
from tollbridge.bridge import read_configuration
from tollbridge_generic_sql import GenericSqlAdapter
from tollbridge_generic_sql.adapter import GenericSqlSettings
from tollbridge_generic_sql.preset import metadata
from tollbridge_generic_sql.statements import Queries

SIGNUP = Signup(
    "Nora@Example.com", first_name="Nora", last_name="Neu", company="", currency="EUR", country="GB", password=PASSWORD
)  # fmt: skip


def rows(url: str, sql: str) -> list[tuple[Any, ...]]:
    with connected(url) as connection:
        return [tuple(row) for row in connection.execute(sa.text(sql))]


def add_client(url: str, client_id: int, email: str, password_hash: str | None, status: str = "active") -> None:
    with connected(url) as connection:
        connection.execute(
            sa.text(
                "INSERT INTO clients (id, email, currency, password_hash, status)"
                " VALUES (:id, :email, 'EUR', :hash, :status)"
            ),
            {"id": client_id, "email": email, "hash": password_hash, "status": status},
        )


_NEW = {"password_hash", "login_email", "language", "created_at"}


def old_tables(url: str) -> None:
    """The preset's tables before anybody could log in, and before clients had languages and invoices times.

    Two clients have one address.
    """
    before = sa.MetaData()
    for table in metadata.sorted_tables:
        columns = [each for each in table.columns if each.name not in _NEW]
        sa.Table(table.name, before, *(each._copy() for each in columns))
    engine = sa.create_engine(url)
    before.create_all(engine)
    engine.dispose()
    with connected(url) as connection:
        connection.execute(sa.text("INSERT INTO currencies (code) VALUES ('EUR')"))
        connection.execute(
            sa.text(
                "INSERT INTO clients (id, email, currency)"
                " VALUES (1, 'shared@example.com', 'EUR'), (2, 'SHARED@example.com', 'EUR')"
            )
        )


def test_who_signs_up_is_a_client_and_logs_in_however_the_address_is_written(billing_url: str) -> None:
    system = preset(billing_url)
    made = system.create_client(SIGNUP)
    assert made == Client(
        made.id, "Nora@Example.com", "EUR", first_name="Nora", last_name="Neu", company="", country="GB"
    )
    assert made == system.client(made.id) == system.authenticate("nora@example.COM", PASSWORD)
    assert system.authenticate("nora@example.com", PASSWORD.lower()) is None
    [(stored,)] = rows(billing_url, f"SELECT password_hash FROM clients WHERE id = {made.id}")
    assert stored.startswith("$2y$")


def test_the_setting_decides_how_new_passwords_are_hashed(sqlite_url: str) -> None:
    preset(sqlite_url)
    made = GenericSqlAdapter(GenericSqlSettings(DatabaseUrl(sqlite_url), "tollbridge", password_scheme="argon2id"))
    client = made.create_client(SIGNUP)
    assert rows(sqlite_url, f"SELECT substr(password_hash, 1, 10) FROM clients WHERE id = {client.id}") == [
        ("$argon2id$",)
    ]
    assert billing(sqlite_url).authenticate("nora@example.com", PASSWORD) == client, "by whatever made it"


@pytest.mark.parametrize("stored", PHP.values(), ids=PHP)
def test_a_password_that_php_hashed_logs_in(billing_url: str, stored: str) -> None:
    system = preset(billing_url)
    add_client(billing_url, 7, "ada@example.com", stored)
    client = system.authenticate("ada@example.com", PASSWORD)
    assert client is not None
    assert client.id == 7
    assert system.authenticate("ada@example.com", "Zoes Pferd 9") is None


@pytest.mark.parametrize(("email", "password"), [("", PASSWORD), ("ada@example.com", ""), ("", "")])
def test_nobody_logs_in_without_an_address_or_a_password(sqlite_url: str, email: str, password: str) -> None:
    system = preset(sqlite_url)
    add_client(sqlite_url, 7, "", PHP["bcrypt"])
    add_client(sqlite_url, 8, "ada@example.com", "")
    assert system.authenticate(email, password) is None


def test_a_client_without_a_password_has_its_address_and_cannot_log_in(billing_url: str) -> None:
    system = preset(billing_url)
    with pytest.raises(AddressTaken, match=r"a client with the address A@example\.com"):
        system.create_client(Signup("A@example.com", currency="EUR", password=PASSWORD))
    assert system.authenticate("a@example.com", PASSWORD) is None
    assert rows(billing_url, "SELECT id FROM clients") == [(1,)]


def test_a_closed_client_is_known_for_what_it_is(billing_url: str) -> None:
    """The pages tell it so, and no second client is made of it."""
    system = preset(billing_url)
    add_client(billing_url, 7, "gone@example.com", PHP["bcrypt"], status="closed")
    client = system.authenticate("gone@example.com", PASSWORD)
    assert client is not None
    assert client.status is ClientStatus.CLOSED
    with pytest.raises(AddressTaken):
        system.create_client(Signup("gone@example.com", currency="EUR", password=PASSWORD))


def test_a_sign_up_without_a_password_gets_one_that_nobody_knows(sqlite_url: str) -> None:
    system = preset(sqlite_url)
    client = system.create_client(Signup("new@example.com", currency="EUR"))
    [(stored,)] = rows(sqlite_url, f"SELECT password_hash FROM clients WHERE id = {client.id}")
    assert stored.startswith("$2y$")
    assert system.authenticate("new@example.com", "") is None


def test_ids_that_were_entered_by_hand_are_not_in_the_way(billing_url: str) -> None:
    system = preset(billing_url)
    add_client(billing_url, 41, "hand@example.com", None)
    made = [system.create_client(Signup(f"new{n}@example.com", currency="EUR")).id for n in (1, 2)]
    assert made == [42, 43]


def test_the_id_of_a_client_that_was_deleted_is_not_given_again(billing_url: str) -> None:
    """It would get that one's SolusIO user."""
    system = preset(billing_url)
    first = system.create_client(Signup("new1@example.com", currency="EUR"))
    with connected(billing_url) as connection:
        connection.execute(sa.text(f"DELETE FROM clients WHERE id = {first.id}"))
    assert system.create_client(Signup("new2@example.com", currency="EUR")).id == first.id + 1


@pytest.mark.parametrize("currency", ["", "XXX"])
def test_a_currency_that_is_not_there_makes_no_client(billing_url: str, currency: str) -> None:
    system = preset(billing_url)
    with pytest.raises(Refused, match=r"refuses the client new@example\.com: .*currency"):
        system.create_client(Signup("new@example.com", currency=currency, password=PASSWORD))
    assert rows(billing_url, "SELECT id FROM clients") == [(1,)]


def insert_together(*adapters: GenericSqlAdapter) -> None:
    """They will insert their first clients at one moment, after all of them have looked for the address."""
    barrier = threading.Barrier(len(adapters), timeout=10)
    inserted = set()

    def wait(connection: sa.Connection, _cursor: object, statement: str, *_: object) -> None:
        if "INSERT INTO clients" in statement and connection.engine not in inserted:
            inserted.add(connection.engine)
            barrier.wait()

    for each in adapters:
        event.listen(each._engine, "before_cursor_execute", wait)


@pytest.fixture(params=["sqlite", "postgresql", "postgresql serializable", "mariadb"])
def busy_url(request: pytest.FixtureRequest) -> str:
    """A billing database, also one that gives up a transaction when another one wrote what it has read."""
    kind, *stricter = request.param.split()
    url: str = request.getfixturevalue(f"{kind}_url")
    return f"{url}?options=-cdefault_transaction_isolation%3Dserializable" if stricter else url


def test_two_who_sign_up_with_one_address_at_once_are_one_client(busy_url: str) -> None:
    preset(busy_url)
    adapters = [adapter(busy_url), adapter(busy_url)]
    addresses = ["new@example.com", "New@Example.com"]

    def sign_up(each: GenericSqlAdapter, email: str) -> Client | AddressTaken:
        try:
            return each.create_client(Signup(email, currency="EUR", password=PASSWORD))
        except AddressTaken as error:
            return error

    insert_together(*adapters)
    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(sign_up, adapters, addresses))
    [made] = [each for each in outcomes if isinstance(each, Client)]
    assert [type(each) for each in outcomes if not isinstance(each, Client)] == [AddressTaken]
    assert rows(busy_url, "SELECT id FROM clients WHERE id <> 1") == [(made.id,)]


@pytest.mark.parametrize("kind", ["postgresql", "mariadb"])
def test_an_answer_that_is_lost_leaves_one_client_who_can_log_in(kind: str, request: pytest.FixtureRequest) -> None:
    url: str = request.getfixturevalue(f"{kind}_url")
    system = preset(url)
    wire = Wire(sa.make_url(url).port or {"postgresql": 5432, "mariadb": 3306}[kind])
    reached = billing(sa.make_url(url).set(port=wire.port).render_as_string(hide_password=False))
    assert reached.client(1).id == 1
    with wire.being("lossy"), pytest.raises(OutcomeUnknown, match=r"told to keep the client Nora@Example\.com"):
        reached.create_client(SIGNUP)
    with wire.being("cut"):
        with pytest.raises(Unavailable) as caught:
            reached.create_client(SIGNUP)
        assert not isinstance(caught.value, OutcomeUnknown)
        with pytest.raises(Unavailable):
            reached.authenticate(SIGNUP.email, PASSWORD)
    with pytest.raises(AddressTaken):
        reached.create_client(SIGNUP)
    assert system.authenticate(SIGNUP.email, PASSWORD) is not None
    wire.close()


def test_no_error_shows_a_hash(billing_url: str) -> None:
    """Here each database repeats the value that it, or the adapter, does not like."""
    system = preset(
        billing_url,
        insert_client="INSERT INTO clients (email, currency, first_name, tax_exempt)"
        " VALUES (:email, :currency, :first_name, :password_hash)"
        + (" RETURNING id" if billing_url.startswith("postgresql") else ""),
    )
    with pytest.raises(Refused, match="…") as caught:
        system.create_client(SIGNUP)
    assert "$2y$" not in str(caught.value)
    assert PASSWORD not in str(caught.value)
    assert rows(billing_url, "SELECT id FROM clients") == [(1,)]


def test_several_clients_with_one_address_are_told_apart_by_their_passwords(billing_url: str) -> None:
    """A statement of one's own may find several; the preset's index allows one password for each address."""
    system = preset(billing_url, login="SELECT id, password_hash FROM clients WHERE '' <> :email")
    add_client(billing_url, 7, "ada@example.com", PHP["bcrypt"])
    add_client(billing_url, 8, "eve@example.com", "$2y$04$ZCa1cUzD6SbDFVNJmbEt3e.FktkQ3dfJl0WUHxnOUvwEwf3iwrHeS")
    client = system.authenticate("any@example.com", PASSWORD)
    assert client is not None
    assert client.id == 7
    add_client(billing_url, 9, "bob@example.com", PHP["argon2id"])
    with pytest.raises(Refused, match=r"any@example\.com logs in as several clients with one password: 7, 9\."):
        system.authenticate("any@example.com", PASSWORD)


def test_a_client_that_is_listed_twice_logs_in_all_the_same(sqlite_url: str) -> None:
    twice = "SELECT id, password_hash FROM clients WHERE email = :email"
    system = preset(sqlite_url, login=f"{twice} UNION ALL {twice}")
    add_client(sqlite_url, 7, "ada@example.com", PHP["bcrypt"])
    client = system.authenticate("ada@example.com", PASSWORD)
    assert client is not None
    assert client.id == 7


def test_a_client_that_would_not_be_found_again_is_not_kept(billing_url: str) -> None:
    system = preset(billing_url, client="SELECT id, email, currency FROM clients WHERE id = :client_id AND id < 2")
    with pytest.raises(Refused, match=r"`client` would not find the client Nora@Example\.com again, so it is not"):
        system.create_client(SIGNUP)
    assert rows(billing_url, "SELECT id FROM clients") == [(1,)]


def test_an_insert_that_finds_nothing_to_do_makes_no_client(sqlite_url: str) -> None:
    nothing = "INSERT INTO clients (email, currency, password_hash) SELECT :email, 'EUR', :password_hash WHERE 1 = 2"
    with pytest.raises(Refused, match=r"Nora@Example\.com is not written: the statement `insert_client` finds nothing"):
        preset(sqlite_url, insert_client=nothing).create_client(SIGNUP)


def test_postgresql_without_returning_is_refused_by_check_and_at_run_time(postgresql_url: str) -> None:
    system = preset(
        postgresql_url,
        insert_client="INSERT INTO clients (id, email, currency, password_hash)"
        " VALUES (5, :email, :currency, :password_hash)",
    )
    assert "RETURNING" in finding(system, "statement insert_client")
    with pytest.raises(Refused, match="`insert_client` does not tell the new row's id"):
        system.create_client(SIGNUP)
    assert rows(postgresql_url, "SELECT id FROM clients") == [(1,)]


def test_check_tries_both_statements_and_writes_nothing(billing_url: str) -> None:
    details = {check.name: check.detail for check in preset(billing_url).check()}
    assert (details["statement login"], details["statement insert_client"]) == ("fits", "fits")
    assert rows(billing_url, "SELECT id FROM clients") == [(1,)]
    broken = {
        "login": "SELECT id FROM clients WHERE email = :email",
        "insert_client": "INSERT INTO nowhere (a, b) VALUES (:email, :password_hash) RETURNING id",
    }
    system = billing(billing_url, None, **broken)
    assert "gives no column password_hash" in finding(system, "statement login")
    assert "nowhere" in finding(system, "statement insert_client")


def test_without_the_statements_nobody_is_asked_and_the_reason_is_told(sqlite_url: str) -> None:
    system = preset(sqlite_url, login="", insert_client=" ")
    assert (system.can("authenticate"), system.can("create_client"), system.can("create_invoice")) == (
        False, False, True,
    )  # fmt: skip
    reason = "there is no statement `login`: give one in [adapter.generic_sql.queries]"
    assert system.cannot["authenticate"] == reason
    with pytest.raises(Refused, match="there is no statement `login`"):
        system.authenticate("a@example.com", PASSWORD)
    with pytest.raises(Refused, match="there is no statement `login`"):
        system.create_client(SIGNUP)
    details = {check.name: check.detail for check in system.check()}
    assert details["statement login"] == "not given: nobody can log in on the pages"
    assert details["statement insert_client"] == "not given: nobody can sign up on the pages"


def test_with_login_alone_clients_only_log_in(sqlite_url: str) -> None:
    system = preset(sqlite_url, insert_client="")
    assert (system.can("authenticate"), system.can("create_client")) == (True, False)
    with pytest.raises(Refused, match="there is no statement `insert_client`"):
        system.create_client(SIGNUP)


def test_sign_ups_need_a_way_to_tell_whether_an_address_is_taken(sqlite_url: str) -> None:
    with pytest.raises(ValueError, match=r"queries\.insert_client: needs queries\.login, which tells whether"):
        GenericSqlSettings(DatabaseUrl(sqlite_url), "tollbridge", Queries(login=""))


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("login", "SELECT id, password_hash FROM clients", "login does not use :email"),
        ("login", "SELECT :email, :password", "login names :password, which it is not given; it gets :email"),
        ("insert_client", "INSERT INTO clients (email) VALUES (:email)", "does not use :password_hash"),
        ("insert_client", "INSERT INTO clients (password_hash) VALUES (:password_hash)", "does not use :email"),
    ],
)
def test_a_wrong_parameter_is_refused_before_anything_runs(name: str, text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        GenericSqlSettings(DatabaseUrl("sqlite:///x.db"), "tollbridge", Queries(**{name: text}))


def test_a_server_starts_while_the_database_is_down(tmp_path: Path) -> None:
    """Whether people can log in is a matter of the settings, so nothing is looked at for that."""
    system = billing(f"sqlite:///{tmp_path}/away.db")
    assert (system.can("authenticate"), system.can("create_client")) == (True, True)
    with pytest.raises(Unavailable, match="no file"):
        system.authenticate("a@example.com", PASSWORD)


def test_older_tables_bill_as_ever_and_say_what_log_ins_need(billing_url: str) -> None:
    old_tables(billing_url)
    system = billing(billing_url)
    words = "run `tollbridge generic-sql init`: the table clients has no password_hash and login_email yet"
    assert [check for check in system.check() if check.ok is False] == [], "who has no pages needs nothing new"
    details = {check.name: check.detail for check in system.check()}
    assert details["statement login"] == f"{words}: nobody can log in on the pages"
    assert details["statement insert_client"] == f"{words}: nobody can sign up on the pages"
    assert len(list(system.clients())) == 2
    with pytest.raises(Unavailable) as caught:
        system.create_client(SIGNUP)
    assert str(caught.value) == words
    with pytest.raises(Unavailable) as caught:
        system.authenticate("shared@example.com", PASSWORD)
    assert str(caught.value) == words


def documented(folder: Path) -> BillingSystem:
    """The schema that docs/generic_sql.md works through to its end, before anybody is billed there."""
    with walk(folder) as walking:
        for block in blocks(ROOT / "docs/generic_sql.md"):
            if block.language == "toml" or (block.language == "sql" and "expect" not in block.words):
                walking.take(block)
    path = folder / "bridge.toml"
    path.write_text(path.read_text(encoding="utf-8").replace("sqlite:///", f"sqlite:///{folder}/"), encoding="utf-8")
    return read_configuration(path)[1]


def test_the_documented_statements_sign_up_and_log_in(tmp_path: Path) -> None:
    system = documented(tmp_path)
    made = system.create_client(SIGNUP)
    assert made == Client(8, "Nora@Example.com", "EUR", company="Nora Neu", country="GB")
    assert system.authenticate("nora@example.com", PASSWORD) == made
    with pytest.raises(AddressTaken):
        system.create_client(Signup("NORA@example.com", currency="EUR", password=PASSWORD))
    with pytest.raises(AddressTaken):
        system.create_client(Signup("info@beispiel.example", currency="EUR", password=PASSWORD))
