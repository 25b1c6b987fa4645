"""Months billed by the daily job itself, between a SolusIO sandbox and the other side."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import attrs
import pytest

from tollbridge.config import Settings, load_settings
from tollbridge.conformance.side import OtherSide
from tollbridge.http import Retry
from tollbridge.jobs.daily import Run, when
from tollbridge.jobs.parts import Parts
from tollbridge.jobs.reports import DailyReport
from tollbridge.ledger import Ledger
from tollbridge.model import Client, InvoiceStatus
from tollbridge.solus import Solus
from tollbridge.solus.sandbox import Panel, running, small_company
from tollbridge.texts.languages import LANGUAGES, language_called
from tollbridge.usage import panel_feed

_QUICK = Retry(attempts=3, wait_initial=0.01, wait_max=0.02)
_CONFIGURATION = """
[solus]
url = "{solus}"
api_token = "sandbox-token"
[pricing.tokens]
USD = "0.001"
[billing]
start = "2026-06"
lock_after_days = 7
[server]
token = "bridge-token"
[ledger]
url = "sqlite:///{folder}/tollbridge.db"
[adapter]
use = "the one under test"
"""


@attrs.frozen
class Month:
    """June 2026 of one client with one server that ran all the time, which makes 5,000 tokens, or 5.00 USD."""

    settings: Settings
    panel: Panel
    side: OtherSide
    client: Client

    def run(self, day: str, *, dry_run: bool = False) -> DailyReport:
        """The daily job, as ``tollbridge run`` does it, with a new adapter."""
        settings = self.settings
        with closing(Ledger.open(settings.ledger.url)) as ledger, closing(Solus(settings.solus, _QUICK)) as solus:
            parts = Parts(
                settings, solus, self.side.billing(counted=False), ledger, panel_feed(solus.panel, settings.solus.usage)
            )
            moment = when(parts, date.fromisoformat(day), dry_run=dry_run)
            return Run(parts, moment, dry_run, lambda _step, _count: None).daily()

    def issued(self, report: DailyReport) -> int:
        """How many invoices a run issued, if nothing went wrong."""
        assert (report.failures, report.stopped_by, report.invoicing.warnings) == ([], None, [])
        return report.invoicing.issued

    @property
    def user_status(self) -> str:
        """What SolusIO says of the client's user."""
        [user] = [user for user in self.panel.users if user.billing_user_id == self.client.id]
        return user.status


class MonthTests:
    """The adapter in its place, in a bridge that bills."""

    @pytest.fixture
    def month(self, side: OtherSide, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Month]:
        """A month that has just ended; its parameter, if it has one, is the client's language."""
        client = side.some_client(language=getattr(request, "param", ""))
        panel = Panel(datetime(2026, 6, 1, tzinfo=UTC))
        small_company(panel)
        user = panel.add_user(client.email, billing_user_id=client.id)
        plan = next(plan for plan in panel.tables.plans.rows() if plan.tokens_per_month == 5000)
        panel.create_server(user.id, plan.id, "web-1")
        panel.set_time(datetime(2026, 7, 1, 4, tzinfo=UTC))
        with running(panel) as url:
            path = tmp_path / "bridge.toml"
            path.write_text(_CONFIGURATION.format(solus=url, folder=tmp_path), encoding="utf-8")
            settings, _ = load_settings(path, lambda _use: ("adapter", None))
            yield Month(settings, panel, side, client)

    def test_a_month_is_billed_once_however_often_the_job_runs(self, side: OtherSide, month: Month) -> None:
        assert [month.issued(month.run("2026-07-01")) for _ in range(3)] == [1, 0, 0]
        held = side.the_invoice()
        assert (held.client_id, held.total, held.status) == (month.client.id, Decimal("5.00"), InvoiceStatus.UNPAID)
        assert side.is_dated(held, date(2026, 7, 1))
        assert held.due_date == date(2026, 7, 15)

    @pytest.mark.parametrize("month", LANGUAGES, indirect=True)
    def test_a_month_is_billed_in_the_clients_language(self, side: OtherSide, month: Month) -> None:
        """In English where the billing system does not tell it."""
        told = language_called(side.billing().client(month.client.id).language)
        assert month.issued(month.run("2026-07-01")) == 1
        [line] = side.the_invoice().lines
        assert ("5.000 Token (Monatspreis)" if told == "de" else "5000 tokens (monthly price)") in line.description

    def test_a_dry_run_says_what_it_would_do_and_writes_nothing(self, side: OtherSide, month: Month) -> None:
        before = side.state()
        assert month.issued(month.run("2026-07-01", dry_run=True)) == 1
        assert side.state() == before

    def test_two_runs_at_the_same_time_bill_once(self, side: OtherSide, month: Month) -> None:
        with ThreadPoolExecutor(2) as pool:
            reports = list(pool.map(month.run, ["2026-07-01", "2026-07-01"]))
        assert sorted(month.issued(report) for report in reports) == [0, 1]
        assert side.the_invoice().client_id == month.client.id

    def test_a_month_whose_answer_was_lost_is_billed_once(self, side: OtherSide, month: Month) -> None:
        with side.lost_answer():
            assert len(month.run("2026-07-01").failures) == 1
        assert month.issued(month.run("2026-07-01")) == 1
        assert side.the_invoice().total == Decimal("5.00")

    def test_a_month_is_billed_after_an_outage(self, side: OtherSide, month: Month) -> None:
        with side.outage():
            report = month.run("2026-07-01")
            assert (report.invoicing.issued, report.stopped_by is None) == (0, False)
        assert side.invoices() == []
        assert month.issued(month.run("2026-07-01")) == 1

    def test_who_does_not_pay_is_locked_and_who_pays_is_released(self, side: OtherSide, month: Month) -> None:
        month.run("2026-07-01")
        assert month.run("2026-07-21").failures == []
        assert month.user_status == "active"
        assert month.run("2026-07-22").failures == []
        assert month.user_status == "locked"
        side.set_status(side.the_invoice().id, InvoiceStatus.PAID)
        assert month.run("2026-07-23").failures == []
        assert month.user_status == "active"

    def test_who_has_a_payment_under_way_is_not_locked(self, side: OtherSide, month: Month) -> None:
        side.needs("pending")
        month.run("2026-07-01")
        side.set_status(side.the_invoice().id, InvoiceStatus.PENDING)
        assert month.run("2026-07-22").failures == []
        assert month.user_status == "active"
