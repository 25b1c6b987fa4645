"""A ledger that was begun by an earlier version is brought forward with all that is in it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import attrs
import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from tests.ledger.books import (
    AT_ONCE,
    DAY,
    DUE,
    HOUR,
    JULY,
    JUNE,
    NOW,
    PRICE,
    claim,
    draft,
    entry,
    found,
    issued,
    running,
    take_over,
)
from tollbridge.errors import LedgerError
from tollbridge.ledger import Account, Ledger
from tollbridge.ledger.documents import documents
from tollbridge.ledger.invoices import Draft
from tollbridge.ledger.schema import Moment, Money, metadata
from tollbridge.ledger.upgrade import NEWEST
from tollbridge.model import InvoiceStatus, UserStatus
from tollbridge.rules.calendar import Month
from tollbridge.rules.closing import is_to_draft
from tollbridge.rules.entry import Document, State
from tollbridge.rules.overdue import Hold, HoldReason, Mark
from tollbridge.rules.pricing import PriceList
from tollbridge.secret import DatabaseUrl

MIGRATIONS = "core/tollbridge/ledger/migrations"
MAY = Month(2026, 5)
ACTIVE, LOCKED, SUSPENDED = UserStatus.ACTIVE, UserStatus.LOCKED, UserStatus.SUSPENDED
BY_0001 = {"alembic_version", "months", "invoices", "accounts"}
BY_0003 = BY_0001 | {"mails", "signups", "enrolments", "used_links", "attempts"}
BY_0004 = BY_0003 | {"holds", "readings", "unbilled", "runs", "leases", "events"}
BY_0005 = BY_0004 | {"corrections", "write_offs"}
BY_0006 = BY_0005 | {"snapshots", "stretches"}
BY_0007 = BY_0006 | {"price_lists"}
BY_0008 = BY_0007 | {"held_back"}
BY_0009 = BY_0008 | {"told", "copies"}


def bring_to(url: str, revision: str) -> sa.Engine:
    """A database of an earlier revision."""
    config = Config()
    config.set_main_option("script_location", MIGRATIONS)
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
    return engine


def add(engine: sa.Engine, table: str, *rows: dict[str, Any]) -> None:
    """Rows of a table as the database has it at that revision, with money and moments as ever."""
    there = sa.Table(table, sa.MetaData(), autoload_with=engine)
    for column in there.c:
        if isinstance(column.type, sa.DateTime):
            column.type = Moment()
        elif column.name in {"subtotal", "total"}:
            column.type = Money()
    with engine.begin() as connection:
        for row in rows:
            connection.execute(sa.insert(there).values(**row))


def invoice(client_id: int, month: Month, state: str, **more: Any) -> dict[str, Any]:
    """An invoice as earlier versions wrote it."""
    drafted = entry(client_id, month)
    return {
        "client_id": client_id, "month": str(month), "state": state, "currency": "EUR", "issue_date": DAY,
        "due_date": DUE, "tokens": 4900, "subtotal": Decimal("4.66"), "total": Decimal("5.55"),
        "document": documents.dumps(drafted.document).decode(), "written_at": NOW, **more,
    }  # fmt: skip


def account(
    client_id: int, *, closed: bool = False, hold: tuple[str | None, ...] = (None, None, None)
) -> dict[str, Any]:
    """An account as earlier versions wrote it: status, found and attempted status of its one hold."""
    names = ("hold_status", "hold_found", "hold_attempted")
    user = {"client_id": client_id, "user_id": 100 + client_id, "email": f"c{client_id}@example.com", "closed": closed}
    return user | dict(zip(names, hold, strict=True))


ISSUED = {"billing_id": "77", "billing_status": "unpaid", "sent_at": NOW, "issued_at": NOW}
HOLDS: dict[int, tuple[dict[str, Any], tuple[Hold, ...], Mark | None]] = {
    1: (account(1), (), None),
    2: (account(2, hold=("locked", "active", None)), (Hold(HoldReason.OVERDUE, LOCKED),), Mark(LOCKED, ACTIVE)),
    3: (
        account(3, hold=("suspended", "locked", None)), (Hold(HoldReason.OVERDUE, SUSPENDED),), Mark(SUSPENDED, LOCKED),
    ),
    4: (
        account(4, hold=("active", "active", "locked")), (Hold(HoldReason.OVERDUE, LOCKED),),
        Mark(ACTIVE, ACTIVE, LOCKED),
    ),
    5: (
        account(5, hold=("locked", "active", "suspended")), (Hold(HoldReason.OVERDUE, LOCKED),),
        Mark(LOCKED, ACTIVE, SUSPENDED),
    ),
    6: (
        account(6, hold=("locked", "active", "active")), (Hold(HoldReason.OVERDUE, LOCKED),),
        Mark(LOCKED, ACTIVE, ACTIVE),
    ),
    7: (
        account(7, closed=True, hold=("suspended", "active", None)), (Hold(HoldReason.CLOSED, SUSPENDED),),
        Mark(SUSPENDED, ACTIVE),
    ),
    8: (
        account(8, closed=True, hold=("locked", "active", "suspended")), (Hold(HoldReason.CLOSED, SUSPENDED),),
        Mark(LOCKED, ACTIVE, SUSPENDED),
    ),
    9: (account(9, closed=True), (Hold(HoldReason.CLOSED, SUSPENDED),), None),
}  # fmt: skip


@pytest.fixture
def first_ledger_url(unmade_ledger_url: str) -> str:
    """A ledger of revision 0001 of each kind, with a month, an invoice and an account in it."""
    engine = bring_to(unmade_ledger_url, "0001")
    add(engine, "months", {"month": "2026-06", "closed_at": NOW})
    document = documents.dumps(Document((), PRICE)).decode()
    add(engine, "invoices", invoice(1042, JUNE, "issued", document=document, **ISSUED))
    add(engine, "accounts", account(1042, hold=("locked", "active", None)))
    engine.dispose()
    return unmade_ledger_url


@pytest.fixture
def third_ledger_url(unmade_ledger_url: str) -> str:
    """A ledger of revision 0003 of each kind, with rows in every table."""
    engine = bring_to(unmade_ledger_url, "0003")
    add(engine, "months", {"month": "2026-05", "closed_at": NOW}, {"month": "2026-06", "closed_at": NOW})
    add(
        engine, "invoices",
        invoice(1, MAY, "issued", **ISSUED | {"billing_status": "paid", "settled_at": NOW}),
        invoice(2, MAY, "carried", carried_into="2026-06"),
        invoice(3, MAY, "nothing"),
        invoice(1, JUNE, "sending", sent_at=NOW, problem="no answer came"),
        invoice(2, JUNE, "issued", **ISSUED | {"billing_id": "78"}),
        invoice(3, JUNE, "carried"),
        invoice(1, JULY, "written", problem="refused"),
        invoice(2, JULY, "sending", sent_at=None),
    )  # fmt: skip
    add(engine, "accounts", *(row for row, _, _ in HOLDS.values()))
    soon = NOW + HOUR
    add(engine, "mails", {
        "key": "signup:1", "recipient": "ada@example.com", "subject": "Your link", "body_text": "Here", "body_html": "",
        "message_id": "m1", "state": "waiting", "attempts": 0, "next_attempt_at": NOW, "created_at": NOW,
    })  # fmt: skip
    add(engine, "signups", {
        "email": "ada@example.com", "first_name": "Ada", "last_name": "L", "company": "", "language": "en",
        "nonce": "n1", "state": "creating", "created_at": NOW, "expires_at": soon, "currency": "EUR", "country": "DE",
    })  # fmt: skip
    terms = {"accepted_at": NOW, "terms_url": "https://example.com/terms"}
    add(engine, "enrolments", {"client_id": 1, "proved_address": "c1@example.com", **terms})
    add(engine, "used_links", {"nonce": "n2", "used_at": NOW, "expires_at": soon})
    add(engine, "attempts", {"bucket": "login:ada", "at": NOW})
    engine.dispose()
    return unmade_ledger_url


@pytest.fixture
def brought_forward(third_ledger_url: str) -> Iterator[Ledger]:
    """That ledger, brought forward."""
    ledger = Ledger.open(DatabaseUrl(third_ledger_url))
    yield ledger
    ledger.close()


def tables(url: str) -> set[str]:
    engine = sa.create_engine(url)
    try:
        return {*sa.inspect(engine).get_table_names()}
    finally:
        engine.dispose()


# From the first


def test_a_ledger_of_the_first_revision_keeps_its_invoices_months_and_accounts(first_ledger_url: str) -> None:
    assert tables(first_ledger_url) == BY_0001
    for _ in range(2):
        ledger = Ledger.open(DatabaseUrl(first_ledger_url))
        there = found(ledger, 1042)
        assert (there.state, there.subtotal, there.total, there.billing_id, there.written_at) == (
            State.ISSUED, Decimal("4.66"), Decimal("5.55"), "77", NOW,
        )  # fmt: skip
        assert there.document == Document((), PRICE)
        assert ledger.months.is_closed(JUNE)
        holds, mark = (Hold(HoldReason.OVERDUE, LOCKED),), Mark(LOCKED, ACTIVE)
        assert ledger.accounts.of_clients([1042]) == {1042: Account(1042, 1142, "c1042@example.com", holds, mark)}
        ledger.close()
    assert tables(first_ledger_url) == BY_0009


@pytest.mark.parametrize("in_the_way", ["attempts", "events", "price_lists", "held_back"])
def test_a_migration_that_breaks_off_leaves_the_ledger_as_it_was_and_is_done_by_the_next(
    first_ledger_url: str, in_the_way: str
) -> None:
    engine = sa.create_engine(first_ledger_url)
    with engine.begin() as connection:
        connection.exec_driver_sql(f"CREATE TABLE {in_the_way} (other INTEGER)")  # the last one of its revision
    before = everything(engine)
    with pytest.raises(LedgerError, match=in_the_way):
        Ledger.open(DatabaseUrl(first_ledger_url))
    assert everything(engine) == before
    with engine.begin() as connection:
        assert connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar() == "0001"
        connection.exec_driver_sql(f"DROP TABLE {in_the_way}")
    engine.dispose()
    Ledger.open(DatabaseUrl(first_ledger_url)).close()
    assert tables(first_ledger_url) == BY_0009


# From the third


def everything(engine: sa.Engine) -> dict[str, tuple[list[str], list[tuple[Any, ...]]]]:
    """Every table's columns and rows."""
    inspector, there = sa.inspect(engine), {}
    with engine.connect() as connection:
        for table in sorted(inspector.get_table_names()):
            columns = [column["name"] for column in inspector.get_columns(table)]
            rows = connection.exec_driver_sql(f"SELECT * FROM {table}").all()
            there[table] = (columns, sorted((tuple(row) for row in rows), key=repr))
    return there


def test_a_migration_of_the_third_revision_that_breaks_off_leaves_it_as_it_was(third_ledger_url: str) -> None:
    engine = sa.create_engine(third_ledger_url)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE events (other INTEGER)")  # the last one to be made
    before = everything(engine)
    with pytest.raises(LedgerError, match="events"):
        Ledger.open(DatabaseUrl(third_ledger_url))
    assert everything(engine) == before
    engine.dispose()


def test_closed_months_stay_closed_but_not_one_with_unfinished_entries(brought_forward: Ledger) -> None:
    months = brought_forward.months
    assert [months.is_closed(month) for month in (MAY, JUNE, JULY)] == [True, False, False]
    assert [months.is_drafted(month) for month in (MAY, JUNE, JULY)] == [True, True, False]
    assert months.last_closed_at() == NOW
    with running(brought_forward, works=True) as live:
        for claimed in take_over(brought_forward, live):
            brought_forward.claims.record(live.id, [issued(claimed)])
    assert months.is_closed(JUNE)


def test_invoices_are_what_they_were(brought_forward: Ledger) -> None:
    ledger = brought_forward
    paid = found(ledger, 1, MAY)
    assert paid == attrs.evolve(
        entry(1, MAY, State.ISSUED), billing_id="77", billing_status=InvoiceStatus.PAID, sent_at=NOW, issued_at=NOW,
        settled_at=NOW,
    )  # fmt: skip
    states = {
        (month, client_id): each.state
        for month in (MAY, JUNE, JULY)
        for client_id, each in ledger.invoices.of_month(month, [1, 2, 3]).items()
    }
    assert states == {
        (MAY, 1): State.ISSUED, (MAY, 2): State.CARRIED, (MAY, 3): State.NOTHING,
        (JUNE, 1): State.SENDING, (JUNE, 2): State.ISSUED, (JUNE, 3): State.CARRIED,
        (JULY, 1): State.WRITTEN, (JULY, 2): State.SENDING,
    }  # fmt: skip
    assert ledger.invoices.carried(JULY, [1, 2, 3]) == {3: [found(ledger, 3)]}, "what an invoice took in is in it"
    assert [each.billing_id for each in ledger.invoices.open_of([1, 2, 3])] == ["78"]
    assert found(ledger, 1).problem == "no answer came"


def test_what_was_in_doubt_can_be_taken_over_when_it_can_appear_no_more(brought_forward: Ledger) -> None:
    since_then = datetime.now(UTC) - NOW
    with running(brought_forward) as live:
        assert take_over(brought_forward, live, since_then + HOUR) == []
        first = take_over(brought_forward, live, timedelta(days=1))
        assert [(each.entry.month, each.in_doubt) for each in first] == [(JUNE, True)], "sent when it was said to be"
        second = take_over(brought_forward, live, AT_ONCE)
        assert [each.entry.month for each in second] == [JULY], "not known when: counted from the migration on"
        brought_forward.claims.record(live.id, [issued(each) for each in (*first, *second)])
    assert found(brought_forward, 1).state is State.ISSUED


def test_what_was_written_is_drafted_anew_and_claimed(brought_forward: Ledger) -> None:
    july = found(brought_forward, 1, JULY)
    assert is_to_draft(attrs.evolve(july, problem=None), DAY, "some list"), "its price list is not known"
    drafted = attrs.evolve(entry(1, JULY), written_at=NOW + HOUR, prices="some list")
    assert draft(brought_forward, Draft(drafted, july)) == [drafted]
    with running(brought_forward) as live:
        assert [(each.entry.month, each.entry.attempt) for each in claim(brought_forward, live)] == [(JULY, 1)]


def test_holds_have_the_reason_they_were_made_for_and_what_was_done_is_known(brought_forward: Ledger) -> None:
    assert brought_forward.accounts.of_clients(list(HOLDS)) == {
        client_id: Account(client_id, 100 + client_id, f"c{client_id}@example.com", holds, mark)
        for client_id, (_, holds, mark) in HOLDS.items()
    }


def test_accounts_can_be_claimed_and_everyone_held_is_in_question(brought_forward: Ledger) -> None:
    [page] = brought_forward.accounts.in_question()
    assert [each.client_id for each in page] == [2, 3, 4, 5, 6, 7, 8, 9]
    with running(brought_forward) as live:
        assert len(brought_forward.accounts.claim(live.id, list(HOLDS), HOUR)) == len(HOLDS)
        same_user = attrs.evolve(page[0], client_id=99)
        brought_forward.accounts.add(same_user, live.id)
    assert 2 not in brought_forward.accounts.of_clients([2]), "a user is still one client's"
    with pytest.raises(LedgerError, match=r"(?i)unique"), brought_forward.database.write() as connection:
        connection.exec_driver_sql("UPDATE accounts SET user_id = 103")


def test_the_pages_rows_are_kept(brought_forward: Ledger) -> None:
    ledger = brought_forward
    assert [(mail.key, mail.recipient) for mail in ledger.outbox.take(NOW, 60, 9)] == [("signup:1", "ada@example.com")]
    [joining] = ledger.signups.unfinished()
    assert (joining.email, joining.currency, joining.country, joining.expires_at) == (
        "ada@example.com", "EUR", "DE", NOW + HOUR,
    )  # fmt: skip
    assert ledger.signups.enrolled([1, 2]) == {1: "c1@example.com"}
    assert ledger.visits.was_used("n2", NOW)
    assert not ledger.visits.allow("login:ada", 1, HOUR, NOW)


# From the fourth


def test_a_lock_that_a_ledger_of_the_fourth_revision_knows_nothing_of_stays_a_humans(unmade_ledger_url: str) -> None:
    engine = bring_to(unmade_ledger_url, "0004")
    add(engine, "accounts", {"client_id": 1, "user_id": 101, "email": "c1@example.com"})
    add(engine, "holds", {"client_id": 1, "reason": "overdue", "status": "locked", "since": NOW})
    engine.dispose()
    ledger = Ledger.open(DatabaseUrl(unmade_ledger_url))
    held = Account(1, 101, "c1@example.com", (Hold(HoldReason.OVERDUE, LOCKED),), explained=True)
    assert ledger.accounts.of_clients([1]) == {1: held}
    assert list(ledger.accounts.unexplained()) == []
    assert [ledger.accounts.held_back(reason) for reason in HoldReason] == [set(), set(), set()]
    ledger.close()


@pytest.fixture
def fourth_ledger_url(unmade_ledger_url: str) -> str:
    """A ledger of revision 0004 of each kind, in the middle of July, which it has not seen a price list of."""
    engine = bring_to(unmade_ledger_url, "0004")
    add(engine, "months", {"month": "2026-06", "drafted_at": NOW, "closed_at": NOW})
    add(engine, "invoices", invoice(1, JUNE, "issued", prices="0123456789abcdef", **ISSUED))
    add(engine, "runs", {"command": "run", "host": "here:1", "day": DAY, "began_at": NOW, "ended_at": NOW})
    add(engine, "events", {"at": NOW, "month": "2026-06", "what": "month", "after": "closed"})
    engine.dispose()
    return unmade_ledger_url


def test_a_ledger_without_price_lists_keeps_the_first_one_that_is_seen_and_its_entries_have_their_own(
    fourth_ledger_url: str,
) -> None:
    assert tables(fourth_ledger_url) == BY_0004
    ledger = Ledger.open(DatabaseUrl(fourth_ledger_url))
    assert ledger.price_lists.find(JUNE) is None
    assert found(ledger, 1).document.price == PRICE
    assert ledger.months.is_closed(JUNE)
    assert [(each.month, each.after) for each in ledger.events.of_kind("month")] == [("2026-06", "closed")]
    seen = PriceList({"EUR": Decimal("0.001")})
    assert ledger.price_lists.keep(JULY, seen, "bridge.toml").prices == seen
    ledger.close()
    assert tables(fourth_ledger_url) == BY_0009


# From the fifth


@pytest.fixture
def fifth_ledger_url(unmade_ledger_url: str) -> str:
    """A ledger of revision 0005 of each kind, with a closed month, an invoice, a hold, a reading and a lease in it."""
    engine = bring_to(unmade_ledger_url, "0005")
    add(engine, "months", {"month": "2026-06", "source": "feed", "drafted_at": NOW, "closed_at": NOW})
    add(engine, "invoices", invoice(1, JUNE, "issued", **ISSUED, attempt=1, kept=""))
    add(engine, "holds", {"client_id": 1, "reason": "overdue", "status": "locked", "since": NOW})
    add(engine, "readings", {
        "month": "2026-06", "source": "feed", "starts_at": NOW, "ends_at": NOW + HOUR, "read_at": NOW, "users": 1,
        "tokens": 4900, "digest": "c0de",
    })  # fmt: skip
    add(engine, "leases", {"name": "drafting", "epoch": 3, "leased_until": NOW})
    engine.dispose()
    return unmade_ledger_url


def test_a_ledger_of_the_fifth_revision_keeps_all_its_rows_and_gets_a_meter(fifth_ledger_url: str) -> None:
    engine = sa.create_engine(fifth_ledger_url)
    before = everything(engine)
    ledger = Ledger.open(DatabaseUrl(fifth_ledger_url))
    after = everything(engine)
    changed = {"alembic_version", "accounts", "invoices", "runs"}  # which have a column more by now
    assert {table: rows for table, rows in after.items() if table in before.keys() - changed} == {
        table: rows for table, rows in before.items() if table not in changed
    }
    assert after.keys() >= before.keys() | {"snapshots", "stretches"}
    assert ledger.meter.last() is None
    ledger.meter.add(NOW, [])
    assert ledger.meter.snapshots(NOW, NOW + HOUR) == [NOW]
    ledger.close()
    engine.dispose()


def test_a_migration_of_the_fifth_revision_that_breaks_off_leaves_it_as_it_was(fifth_ledger_url: str) -> None:
    engine = sa.create_engine(fifth_ledger_url)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE stretches (other INTEGER)")  # the last one to be made
    before = everything(engine)
    with pytest.raises(LedgerError, match="stretches"):
        Ledger.open(DatabaseUrl(fifth_ledger_url))
    assert everything(engine) == before
    engine.dispose()


# From the eleventh


def test_runs_of_a_ledger_of_the_eleventh_revision_have_helped_nobody(unmade_ledger_url: str) -> None:
    engine = bring_to(unmade_ledger_url, "0011")
    run = {"id": 7, "command": "run", "host": "a:1", "day": NOW.date(), "began_at": NOW, "ended_at": NOW}
    add(engine, "runs", {**run, "outcome": "done", "report": "{}"})
    columns, [before] = everything(engine)["runs"]
    Ledger.open(DatabaseUrl(unmade_ledger_url)).close()
    assert everything(engine)["runs"] == ([*columns, "helps"], [(*before, None)])
    engine.dispose()


# From the twelfth


def test_a_ledger_of_the_twelfth_revision_keeps_all_its_rows_and_finds_what_is_owed_by_an_index(
    unmade_ledger_url: str,
) -> None:
    engine = bring_to(unmade_ledger_url, "0012")
    add(engine, "months", {"month": "2026-06", "source": "feed", "drafted_at": NOW})
    add(engine, "invoices", invoice(1, JUNE, "issued", **ISSUED, attempt=1, kept="", tax="0"))
    add(engine, "invoices", invoice(2, JUNE, "written", attempt=0, kept="", tax="0", held="very much"))
    before = everything(engine)
    ledger = Ledger.open(DatabaseUrl(unmade_ledger_url))
    after = everything(engine)
    assert {table: rows for table, rows in after.items() if table != "alembic_version"} == {
        table: rows for table, rows in before.items() if table != "alembic_version"
    }
    assert {"invoices_owed", "invoices_held"} <= {each["name"] for each in sa.inspect(engine).get_indexes("invoices")}
    assert ledger.finder.debtors(10) == ([1], 1)
    ledger.close()
    engine.dispose()


# At the newest


def test_the_migrations_make_exactly_the_tables_that_the_queries_are_written_for(unmade_ledger_url: str) -> None:
    ledger = Ledger.open(DatabaseUrl(unmade_ledger_url))
    with ledger.database.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": False})
        assert compare_metadata(context, metadata) == []
        assert context.get_current_revision() == NEWEST
    ledger.close()
    assert ScriptDirectory(MIGRATIONS).get_current_head() == NEWEST


def test_a_ledger_of_a_newer_version_is_not_touched(ledger_url: str) -> None:
    engine = sa.create_engine(ledger_url)
    try:
        with engine.begin() as connection:
            connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
        before = everything(engine)
        with pytest.raises(LedgerError, match="newer Tollbridge"):
            Ledger.open(DatabaseUrl(ledger_url))
        assert everything(engine) == before
    finally:
        with engine.begin() as connection:
            connection.exec_driver_sql(f"UPDATE alembic_version SET version_num = '{NEWEST}'")
        engine.dispose()


def test_no_table_has_a_column_for_a_password(ledger_url: str) -> None:
    engine = sa.create_engine(ledger_url)
    inspector = sa.inspect(engine)
    names = {column["name"] for table in inspector.get_table_names() for column in inspector.get_columns(table)}
    engine.dispose()
    assert "email" in names
    assert not {name for name in names if "pass" in name or "hash" in name}


def test_an_invoice_of_the_ninth_revision_gets_the_tax_that_it_showed(unmade_ledger_url: str) -> None:
    engine = bring_to(unmade_ledger_url, "0009")
    add(engine, "invoices", invoice(1, JUNE, "issued", **ISSUED), invoice(2, JUNE, "written"))
    engine.dispose()
    ledger = Ledger.open(DatabaseUrl(unmade_ledger_url))
    [issued_sum] = [each for each in ledger.sums.of_month() if each.state is State.ISSUED]
    assert (issued_sum.total, issued_sum.tax, issued_sum.net) == (Decimal("5.55"), Decimal("0.89"), Decimal("4.66"))
    entries = ledger.invoices.of_month(JUNE, [1, 2])
    assert [each.tax for each in entries.values()] == [Decimal("0.89"), Decimal("0.89")]
    ledger.close()
