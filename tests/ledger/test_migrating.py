"""A ledger that was begun by an earlier version is brought forward with all that is in it."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from tollbridge.errors import LedgerError
from tollbridge.ledger import Account, Ledger
from tollbridge.ledger.invoices import documents
from tollbridge.ledger.schema import accounts, invoices, months
from tollbridge.model import Currency
from tollbridge.rules.calendar import Month
from tollbridge.rules.entry import Document, State
from tollbridge.rules.pricing import TokenPrice
from tollbridge.secret import DatabaseUrl

NOW = datetime(2026, 7, 1, 4, tzinfo=UTC)
ONE = Decimal("0.001")
PRICE = TokenPrice(ONE, ONE, ONE, Currency("EUR"), (), (), compound=False, prices_include_tax=False)
OLD = {"alembic_version", "months", "invoices", "accounts"}
NEW = {"mails", "signups", "enrolments", "used_links", "attempts"}


@pytest.fixture
def first_ledger_url(ledger_url: str) -> str:
    """A ledger of revision 0001 of each kind, with a month, an invoice and an account in it."""
    config = Config()
    config.set_main_option("script_location", "core/tollbridge/ledger/migrations")
    engine = sa.create_engine(ledger_url)
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        connection.execute(sa.insert(months).values(month="2026-06", closed_at=NOW))
        connection.execute(
            sa.insert(invoices).values(
                client_id=1042,
                month="2026-06",
                state="issued",
                currency="EUR",
                issue_date=date(2026, 7, 1),
                due_date=date(2026, 7, 15),
                tokens=4900,
                subtotal=Decimal("4.90"),
                total=Decimal("5.831"),
                document=documents.dumps(Document((), PRICE)).decode(),
                billing_id="77",
                billing_status="unpaid",
                written_at=NOW,
            )
        )
        connection.execute(sa.insert(accounts).values(client_id=1042, user_id=7, email="ada@example.com", closed=False))
    engine.dispose()
    return ledger_url


def tables(url: str) -> set[str]:
    engine = sa.create_engine(url)
    try:
        return {*sa.inspect(engine).get_table_names()}
    finally:
        engine.dispose()


def test_a_ledger_of_the_first_revision_keeps_its_invoices_when_the_pages_tables_are_added(
    first_ledger_url: str,
) -> None:
    assert tables(first_ledger_url) == OLD
    for _ in range(2):
        ledger = Ledger.open(DatabaseUrl(first_ledger_url))
        june = Month(2026, 6)
        entry = ledger.invoices.find(june, 1042)
        assert entry is not None
        assert (entry.state, entry.subtotal, entry.total, entry.billing_id, entry.written_at) == (
            State.ISSUED, Decimal("4.90"), Decimal("5.831"), "77", NOW,
        )  # fmt: skip
        assert entry.document == Document((), PRICE)
        assert ledger.months.is_closed(june)
        assert ledger.accounts.of_clients([1042]) == {1042: Account(1042, 7, "ada@example.com")}
        ledger.close()
    assert tables(first_ledger_url) == OLD | NEW


def test_a_migration_that_breaks_off_leaves_the_ledger_as_it_was_and_is_done_by_the_next(
    first_ledger_url: str,
) -> None:
    engine = sa.create_engine(first_ledger_url)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE attempts (other INTEGER)")  # the last one to be made
    with pytest.raises(LedgerError, match="attempts"):
        Ledger.open(DatabaseUrl(first_ledger_url))
    assert tables(first_ledger_url) == OLD | {"attempts"}
    with engine.begin() as connection:
        assert connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar() == "0001"
        connection.exec_driver_sql("DROP TABLE attempts")
    engine.dispose()
    Ledger.open(DatabaseUrl(first_ledger_url)).close()
    assert tables(first_ledger_url) == OLD | NEW


def test_no_table_has_a_column_for_a_password(first_ledger_url: str) -> None:
    Ledger.open(DatabaseUrl(first_ledger_url)).close()
    engine = sa.create_engine(first_ledger_url)
    inspector = sa.inspect(engine)
    names = {column["name"] for table in OLD | NEW for column in inspector.get_columns(table)}
    engine.dispose()
    assert not {name for name in names if "pass" in name or "hash" in name}
