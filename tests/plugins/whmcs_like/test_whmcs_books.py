"""WHMCS as it really is, over months: invoices that staff duplicate, and currencies without decimals."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import attrs
import pytest

from tests.audit.books import audited
from tests.small_world import NOWHERE
from tests.world import World, new_ledger
from tollbridge.jobs.reports import DailyReport
from tollbridge.solus.sandbox import Panel, small_company
from tollbridge_whmcs_like.sandbox import Install, running

# Five thousand tokens are 313 yen, and 344.30 with tax.
PRICES = 'USD = "0.001"\nJPY = "0.0626"'
TAX = """
[[pricing.taxes]]
label = "VAT"
rate = "10"
"""


@attrs.define
class WhmcsWorld(World):
    """A company with WHMCS; ``install`` is it."""

    install: Install = attrs.field(factory=Install)
    url: str = ""

    def adapter_table(self) -> str:
        return f"""use = "whmcs_like"

[adapter.whmcs_like]
url = "{self.url}"
identifier = "{self.install.identifier}"
secret = "{self.install.secret}"
"""

    def daily(self, day: str) -> DailyReport:
        """One whole run for ``day``, which is WHMCS's day, too."""
        self.install.today = date.fromisoformat(day)
        with self.run(day) as run:
            return run.daily()

    def client(self, currency: str) -> int:
        """A client with a SolusIO user and a server that runs through June; its user's number."""
        self.install.add_client("ada@example.com", currency=currency, country="JP", client_id=1)
        self.daily("2026-06-01")
        [user] = [user.id for user in self.panel.users if user.billing_user_id == 1]
        self.panel.create_server(user, next(iter(self.panel.tables.plans.rows())).id, "web-1")
        self.panel.set_time(datetime(2026, 7, 1, 4, tzinfo=UTC))
        return user

    def status(self, user: int) -> str:
        return str(self.panel.user(user).status)


@pytest.fixture
def company(tmp_path: Path) -> Iterator[WhmcsWorld]:
    install = Install()
    install.add_currency("JPY", prefix="¥", format=4)
    panel = Panel(datetime(2026, 6, 1, tzinfo=UTC))
    small_company(panel)
    ledger = tmp_path / "tollbridge.db"
    ledger.write_bytes(new_ledger())
    with running(install) as url:
        yield WhmcsWorld(
            tmp_path, panel, NOWHERE, "", f"sqlite:///{ledger}", install=install, url=url, prices=PRICES, more=TAX
        )


def test_an_invoice_that_staff_duplicate_fails_no_run_and_locks_nobody_whose_own_one_is_paid(
    company: WhmcsWorld,
) -> None:
    user = company.client("USD")
    company.daily("2026-07-01")
    [invoice] = company.install.invoices()
    company.install.add_invoice(
        1, [("the same", "5.00", True)], status="Unpaid", notes=invoice.notes, duedate=invoice.duedate
    )
    company.install.set_invoice(invoice.id, status="Paid")
    for day in ("2026-07-02", "2026-07-23", "2026-08-02"):
        report = company.daily(day)
        assert [failure.message for failure in report.failures] == []
        assert company.status(user) == "active"


def test_who_pays_what_is_printed_in_a_currency_without_decimals_is_not_locked(company: WhmcsWorld) -> None:
    user = company.client("JPY")
    company.daily("2026-07-01")
    [invoice] = company.install.invoices()
    assert invoice.total == Decimal("344.30")
    company.install.add_payment(invoice.id, "344")
    assert company.install.invoice(invoice.id).status == "Unpaid"
    company.daily("2026-07-23")
    assert company.status(user) == "active"


def test_who_is_locked_and_then_pays_what_is_printed_is_released(company: WhmcsWorld) -> None:
    user = company.client("JPY")
    company.daily("2026-07-01")
    [invoice] = company.install.invoices()
    company.install.add_payment(invoice.id, "343")
    company.daily("2026-07-23")
    assert company.status(user) == "locked", "a yen is an amount that can be paid"
    company.install.add_payment(invoice.id, "1")
    company.daily("2026-07-24")
    assert company.status(user) == "active"
    assert audited(company).holds
