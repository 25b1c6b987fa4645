"""Invoices by the database's own number, and all since a day, in the tables of the preset."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
import sqlalchemy as sa

from tests.plugins.generic_sql.company import billing, connected
from tests.plugins.generic_sql.fossbilling import an_invoice
from tests.plugins.generic_sql.test_people import old_tables
from tests.plugins.generic_sql.test_statements import preset
from tollbridge import InvoiceStatus, Receipt, Refused, Unavailable
from tollbridge.adapters.billing import BillingSystem
from tollbridge.cli import main

TODAY = date.today()  # noqa: DTZ011 - whatever day it is for the database, within a day


@pytest.fixture
def system(billing_url: str) -> BillingSystem:
    made = preset(billing_url)
    change(billing_url, "INSERT INTO clients (id, email, currency) VALUES (2, 'b@example.com', 'EUR')")
    return made


def change(url: str, statement: str) -> None:
    with connected(url) as connection:
        connection.execute(sa.text(statement))


def since(system: BillingSystem, day: date) -> list[str]:
    return sorted(receipt.reference for receipt in system.invoices_since(day) if isinstance(receipt, Receipt))


def test_an_invoice_is_found_by_its_number_whoevers_it_is_and_whatever_it_is_called(
    system: BillingSystem, billing_url: str
) -> None:
    made = system.create_invoice(an_invoice("TB-2026-06-1", "4.90", "0.10"))
    assert (made.subtotal, made.currency) == (Decimal("5.00"), "EUR")
    change(billing_url, "UPDATE invoices SET client_id = 2, reference = 'merged'")
    found = system.invoice(1, str(made.id), "TB-2026-06-1")
    assert found is not None
    assert (found.id, found.client_id, found.reference, found.subtotal) == (made.id, 2, "merged", Decimal("5.00"))
    assert system.find_invoice(1, "TB-2026-06-1") is None
    assert system.invoice(1, str(int(made.id) + 1), "TB-2026-06-1") is None


def test_an_invoice_counts_from_when_it_was_made_whatever_its_dates_and_status_say(
    system: BillingSystem, billing_url: str
) -> None:
    for reference in ("TB-2026-06-1", "TB-2026-07-1", "TB-2026-05-1"):
        system.create_invoice(an_invoice(reference))
    change(billing_url, "UPDATE invoices SET issue_date = '2001-01-01', status = 'cancelled' WHERE id = 1")
    change(billing_url, "UPDATE invoices SET created_at = '2001-01-01 12:00:00' WHERE reference = 'TB-2026-05-1'")
    change(billing_url, "UPDATE invoices SET reference = 'not ours' WHERE reference = 'TB-2026-07-1'")
    assert since(system, TODAY - timedelta(days=2)) == ["TB-2026-06-1"]
    assert since(system, date(2000, 12, 31)) == ["TB-2026-05-1", "TB-2026-06-1"]
    assert since(system, TODAY + timedelta(days=3)) == []
    [listed] = system.invoices_since(TODAY - timedelta(days=2))
    assert isinstance(listed, Receipt)
    assert listed.status is InvoiceStatus.CANCELLED


def test_tables_that_know_no_times_list_every_invoice_and_once_up_to_date_those_since(billing_url: str) -> None:
    old_tables(billing_url)
    system = billing(billing_url)
    system.create_invoice(an_invoice("TB-2026-06-1"))
    assert since(system, TODAY + timedelta(days=3)) == ["TB-2026-06-1"], "rather too many than too few"
    assert main(["generic-sql", "init", billing_url]) == 0
    system = billing(billing_url)
    system.create_invoice(an_invoice("TB-2026-07-1"))
    assert since(system, TODAY - timedelta(days=2)) == ["TB-2026-07-1"]
    assert since(system, date(2026, 7, 1)) == ["TB-2026-06-1", "TB-2026-07-1"], "an older one counts by its date"


def test_a_list_that_is_refused_is_an_outage_and_no_failure_of_a_single_client(
    system: BillingSystem, billing_url: str
) -> None:
    """A refusal would be taken for one record's, and each client's invoice be looked for in vain."""
    change(billing_url, "ALTER TABLE invoices RENAME TO kept_invoices")
    for asked in (system.unpaid_invoices, lambda: system.invoices_since(TODAY)):
        with pytest.raises(Unavailable, match="fails"):
            list(asked())
    with pytest.raises(Refused):
        system.invoice(1, "1", "TB-2026-06-1")


def test_without_the_statements_each_is_looked_for_by_its_reference(billing_url: str) -> None:
    system = preset(billing_url, invoice="", invoices_since="")
    assert (system.can("invoice"), system.can("invoices_since")) == (False, False)
    made = system.create_invoice(an_invoice())
    assert system.invoice(1, str(made.id), "TB-2026-06-1") == made
    told = {check.name: check.detail for check in system.check()}
    assert told["statement invoice"] == "not given: one is looked for by its reference, as its client's"


def test_it_says_how_much_its_database_stands_and_that_nothing_is_in_doubt(
    system: BillingSystem, billing_url: str
) -> None:
    assert system.at_once == (1 if billing_url.startswith("sqlite") else 8)
    assert system.in_doubt_seconds == 0
    system.close()
