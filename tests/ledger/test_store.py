"""The ledger keeps what it is given, once, on SQLite and on PostgreSQL."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal

import attrs
import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tollbridge.errors import LedgerError
from tollbridge.ledger import Account, Ledger
from tollbridge.ledger.invoices import Result
from tollbridge.ledger.opening import NEWEST
from tollbridge.ledger.schema import metadata
from tollbridge.model import Currency, Discount, InvoiceStatus, TaxRate, UserStatus
from tollbridge.rules.calendar import Month
from tollbridge.rules.entry import Document, Entry, Line, State
from tollbridge.rules.overdue import Hold
from tollbridge.rules.pricing import TokenPrice
from tollbridge.secret import DatabaseUrl

JUNE, JULY = Month(2026, 6), Month(2026, 7)
NOW = datetime(2026, 7, 1, 4, tzinfo=UTC)
PRICE = TokenPrice(
    base=Decimal("0.001"),
    without_tax=Decimal("0.001"),
    net=Decimal("0.00095"),
    currency=Currency("EUR", suffix=" €", decimal_separator=",", thousands_separator="."),
    discounts=(Discount("Partner", "5%", Decimal("0.95")),),
    taxes=(TaxRate("USt", Decimal(19)),),
    compound=False,
    prices_include_tax=False,
)


def entry(client_id: int, month: Month = JUNE, state: State = State.WRITTEN, subtotal: str = "4.66") -> Entry:
    """An entry of one line."""
    line = Line("web-1", 4900, Decimal(subtotal), True, str(month), "server", 11, "web-1", "1 Core", 700, 7, 5000)
    return Entry(
        client_id, month, state, "EUR", date(2026, 7, 1), date(2026, 7, 15), 4900, Decimal(subtotal), Decimal("5.55"),
        Document((line,), PRICE), NOW,
    )  # fmt: skip


@pytest.fixture
def ledger(ledger_url: str) -> Iterator[Ledger]:
    """A fresh ledger of each kind."""
    opened = Ledger.open(DatabaseUrl(ledger_url))
    yield opened
    opened.close()


def test_what_is_written_is_read_again_to_the_last_digit(ledger: Ledger) -> None:
    written = entry(1042)
    ledger.invoices.write([written])
    assert ledger.invoices.find(JUNE, 1042) == written
    assert ledger.invoices.find(JULY, 1042) is None


def test_an_entry_that_is_final_is_never_replaced(ledger: Ledger) -> None:
    for client_id, state in enumerate([State.ISSUED, State.CARRIED, State.NOTHING]):
        ledger.invoices.write([entry(client_id, state=state)])
        ledger.invoices.write([entry(client_id, state=State.SENDING, subtotal="9.99")])
        found = ledger.invoices.find(JUNE, client_id)
        assert found is not None
        assert (found.state, found.subtotal) == (state, Decimal("4.66"))


def test_an_entry_that_was_not_issued_is_replaced_by_a_new_draft(ledger: Ledger) -> None:
    for state in (State.WRITTEN, State.SENDING):
        ledger.invoices.write([entry(1, state=state)])
        ledger.invoices.write([entry(1, state=State.SENDING, subtotal="9.99")])
        assert [each.subtotal for each in ledger.invoices.of_month(JUNE, [1]).values()] == [Decimal("9.99")]


def test_the_database_itself_refuses_a_second_entry_for_a_client_and_month(ledger: Ledger) -> None:
    ledger.invoices.write([entry(1)])
    with pytest.raises(LedgerError, match=r"(?i)unique"), ledger.database.write() as connection:
        connection.exec_driver_sql(
            "INSERT INTO invoices (client_id, month, state, currency, issue_date, due_date, tokens, subtotal, total,"
            " document, written_at) SELECT client_id, month, state, currency, issue_date, due_date, tokens, subtotal,"
            " total, document, written_at FROM invoices"
        )


def test_a_carried_month_is_found_until_an_invoice_has_taken_it_in(ledger: Ledger) -> None:
    ledger.invoices.write([entry(1, JUNE, State.CARRIED), entry(2, JUNE, State.CARRIED)])
    waiting = ledger.invoices.carried(JULY, [1, 2])
    assert [[each.month for each in found] for found in waiting.values()] == [[JUNE], [JUNE]]
    taking = attrs.evolve(entry(1, JULY, State.SENDING), document=Document((), PRICE, ("2026-06",)))
    ledger.invoices.write([taking])
    assert list(ledger.invoices.carried(JULY, [1, 2])) == [1, 2], (
        "the same month's invoice, drafted anew, takes it again"
    )
    assert list(ledger.invoices.carried(JULY.next, [1, 2])) == [2], "no other does"
    assert list(ledger.invoices.waiting(JULY.next)) == [[2]]
    assert list(ledger.invoices.waiting(JULY)) == [[1, 2]], "July is not done with the first"
    ledger.invoices.write([attrs.evolve(taking, state=State.CARRIED, document=Document((), PRICE))])
    assert list(ledger.invoices.carried(JULY.next, [1])) == [1], "a draft that takes nothing in lets go of it"


def test_results_are_noted_for_their_own_entry_only(ledger: Ledger) -> None:
    ledger.invoices.write([entry(1, state=State.SENDING), entry(2, state=State.SENDING), entry(1, JULY, State.SENDING)])
    issued = Result(entry(1), State.ISSUED, None, "77", InvoiceStatus.UNPAID, date(2026, 8, 1), NOW)
    ledger.invoices.record([issued, Result(entry(2), State.SENDING, problem="no answer came")])
    june = ledger.invoices.of_month(JUNE, [1, 2])
    assert (june[1].state, june[1].billing_id, june[1].due_date, june[1].issued_at) == (
        State.ISSUED, "77", date(2026, 8, 1), NOW,
    )  # fmt: skip
    assert (june[2].state, june[2].problem) == (State.SENDING, "no answer came")
    july = ledger.invoices.find(JULY, 1)
    assert july is not None
    assert july.state is State.SENDING


def test_open_invoices_are_those_issued_and_not_settled_or_settled_and_open_again(ledger: Ledger) -> None:
    states = {1: InvoiceStatus.UNPAID, 2: InvoiceStatus.PENDING, 3: InvoiceStatus.PAID, 4: InvoiceStatus.CANCELLED}
    ledger.invoices.write([entry(client_id, state=State.SENDING) for client_id in states])
    ledger.invoices.record(
        [Result(entry(each), State.ISSUED, billing_status=status) for each, status in states.items()]
    )
    assert list(ledger.invoices.clients_with_open()) == [[1, 2]]
    assert [each.client_id for each in ledger.invoices.open([1, 2, 3, 4], set())] == [1, 2]
    assert [each.client_id for each in ledger.invoices.open([1, 2, 3, 4], {"TB-2026-06-3"})] == [1, 2, 3]


def test_revenue_adds_up_what_was_issued_per_month_and_currency(ledger: Ledger) -> None:
    ledger.invoices.write([entry(1, state=State.ISSUED), entry(2, state=State.ISSUED), entry(3, state=State.CARRIED)])
    ledger.invoices.write([entry(1, JULY, State.ISSUED, "0.10")])
    assert ledger.invoices.revenue() == [(JUNE, "EUR", 2, Decimal("9.32")), (JULY, "EUR", 1, Decimal("0.10"))]


def test_a_month_is_closed_once_it_is_said_to_be(ledger: Ledger) -> None:
    assert not ledger.months.is_closed(JUNE)
    for _ in range(2):
        ledger.months.close(JUNE, NOW)
    assert (ledger.months.is_closed(JUNE), ledger.months.is_closed(JULY)) == (True, False)


def test_an_account_is_kept_with_what_the_bridge_did_to_its_user(ledger: Ledger) -> None:
    account = Account(1, 7, "a@example.com")
    held = attrs.evolve(account, hold=Hold(UserStatus.LOCKED, UserStatus.ACTIVE, UserStatus.SUSPENDED))
    ledger.accounts.save(account)
    ledger.accounts.save(held)
    ledger.accounts.save(Account(2, 8, "b@example.com"))
    assert ledger.accounts.of_clients([1, 2, 3]) == {1: held, 2: Account(2, 8, "b@example.com")}
    assert ledger.accounts.clients_of_users([7, 8, 9]) == {7: 1, 8: 2}
    assert list(ledger.accounts.in_question()) == [[held]]
    ledger.accounts.forget(1)
    assert list(ledger.accounts.of_clients([1, 2])) == [2]


def test_a_user_belongs_to_one_client_at_a_time(ledger: Ledger) -> None:
    ledger.accounts.save(Account(1, 7, "a@example.com"))
    ledger.accounts.save(Account(2, 7, "a@example.com"))
    assert list(ledger.accounts.of_clients([1, 2])) == [2]


_AMOUNTS = st.decimals(0, 10**12, places=3)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(amount=_AMOUNTS, client_id=st.integers(1, 2**62))
def test_no_amount_and_no_id_loses_a_digit(ledger: Ledger, amount: Decimal, client_id: int) -> None:
    ledger.invoices.write([entry(client_id, subtotal=f"{amount:f}")])
    found = ledger.invoices.find(JUNE, client_id)
    assert found is not None
    assert (found.subtotal, found.document.lines[0].amount, found.client_id) == (amount, amount, client_id)


def test_the_migrations_make_exactly_the_tables_that_the_queries_are_written_for(ledger: Ledger) -> None:
    with ledger.database.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": False})
        assert compare_metadata(context, metadata) == []
        assert context.get_current_revision() == NEWEST
    assert ScriptDirectory("core/tollbridge/ledger/migrations").get_current_head() == NEWEST


def test_a_ledger_of_a_newer_version_is_not_touched(ledger_url: str) -> None:
    Ledger.open(DatabaseUrl(ledger_url)).close()
    engine = sa.create_engine(ledger_url)
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    engine.dispose()
    with pytest.raises(LedgerError, match="newer Tollbridge"):
        Ledger.open(DatabaseUrl(ledger_url))
