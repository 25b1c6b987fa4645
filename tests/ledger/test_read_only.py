"""A ledger that is opened to be looked at is changed by nobody, on either kind of database."""

import pytest

from tests.ledger.books import DUE, JUNE, draft, entry
from tollbridge.errors import ConfigError, LedgerError
from tollbridge.ledger import Ledger
from tollbridge.ledger.invoices import Seen
from tollbridge.model import InvoiceStatus
from tollbridge.rules.entry import State
from tollbridge.secret import DatabaseUrl


def test_who_only_looks_sees_what_others_write_and_cannot_write(ledger: Ledger, ledger_url: str) -> None:
    looking = Ledger.open(DatabaseUrl(ledger_url), read_only=True)
    try:
        draft(ledger, entry(1, state=State.ISSUED))
        (row,) = looking.lists.invoices()
        assert row.reference == "TB-2026-06-1"
        found = looking.invoices.find(JUNE, 1)
        assert found is not None
        with pytest.raises(LedgerError):
            looking.invoices.note_status([Seen(found, InvoiceStatus.PAID, DUE)])
        with pytest.raises(LedgerError):
            looking.events.approve("totals", "no")
        assert ledger.events.of_kind("approval") == []
        assert ledger.invoices.find(JUNE, 1) == found
    finally:
        looking.close()


def test_who_only_looks_makes_no_tables(unmade_ledger_url: str) -> None:
    for _ in range(2):
        with pytest.raises((LedgerError, ConfigError), match="tollbridge check"):
            Ledger.open(DatabaseUrl(unmade_ledger_url), read_only=True)


def test_payments_and_problems_name_the_run_that_saw_them(ledger: Ledger) -> None:
    draft(ledger, entry(1, state=State.ISSUED))
    found = ledger.invoices.find(JUNE, 1)
    assert found is not None
    ledger.invoices.note_status([Seen(found, InvoiceStatus.PAID, DUE)], 7)
    ledger.invoices.settle(found, "it is wrong", run_id=8)
    changes = list(ledger.lists.events(about=(JUNE, 1)))
    assert [(each.event.what, each.event.run_id) for each in changes[-2:]] == [("payment", 7), ("problem", 8)]
