"""What ``tollbridge demo --pages`` serves: a company's pages for customers, to try; e-mails are printed.

It has a past: a customer with servers, three months of invoices, one of them overdue, and a meter that saw it all.
"""

import secrets
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta
from email.parser import BytesParser
from email.policy import default
from pathlib import Path
from zoneinfo import ZoneInfo

import attrs
import typer

from tollbridge.bridge import bridge
from tollbridge.cli.demo import as_operator, billing_database, command, company, write_configuration
from tollbridge.cli.output import say
from tollbridge.config import MailSettings
from tollbridge.jobs.daily import Run, when
from tollbridge.jobs.enrolment import enrol
from tollbridge.jobs.parts import Parts
from tollbridge.loopback import running as serving
from tollbridge.mail import Delivery, Sender
from tollbridge.mail.message import Message
from tollbridge.model import Signup
from tollbridge.rules.calendar import Month
from tollbridge.server.app import create_app
from tollbridge.solus.sandbox import Panel, running, small_company
from tollbridge.usage.snapshot import take_snapshot

_ADA, _PASSWORD = "ada@example.org", "demo-password"
_PAGES = """
[pages]
name = "Example Cloud"
secret = "{secret}"
terms_url = "https://example.com/terms"
postpay_terms_url = "https://example.com/postpay"
support_email = "help@example.com"
prices_with_tax = "DE"

[mail]
host = "127.0.0.1"
security = "none"
sender = "Example Cloud <cloud@example.com>"

[meter]
longest_gap_hours = 25
"""
_ZONE = ZoneInfo("UTC")
_OVERDUE_SINCE, _DUE_IN = timedelta(days=3), timedelta(days=10)


def serve_pages(context: typer.Context) -> None:
    """Serve them until Ctrl+C, from a folder of its own that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="tollbridge-demo-") as folder, as_operator(Path(folder)):
        solus_port, own_port = write_configuration()
        path, months = Path("bridge.toml"), _last_months(datetime.now(UTC))
        text = path.read_text(encoding="utf-8").replace('# provision = "clients"', 'provision = "signup"')
        text = text.replace('start = "2026-06"', f'start = "{months[0]}"')
        text = text.replace('# pay_url = "https://billing.example.com', 'pay_url = "https://billing.example.com')
        path.write_text(text + _PAGES.format(secret=secrets.token_hex(32)), encoding="utf-8")
        panel = Panel(months[0].start(_ZONE), api_token="demo-api-token")  # noqa: S106
        small_company(panel)
        with running(panel, port=solus_port):
            command(context, "generic-sql", "init")
            company()
            with bridge(path) as parts:
                say("\nA customer's last three months …")
                _Past(parts, panel, months).happen()
                _serve(parts, own_port)


def _last_months(now: datetime) -> list[Month]:
    """The three that are over, and the one that it is."""
    months = [Month.of(now, _ZONE)]
    while len(months) < 4:
        months.insert(0, months[0].previous)
    return months


@attrs.frozen
class _Past:
    """What Ada did until now."""

    parts: Parts
    panel: Panel
    months: list[Month]

    def happen(self) -> None:
        """Sign up, use servers, and pay, but for the last two invoices: of those one is overdue, the other is not."""
        signup = Signup(_ADA, first_name="Ada", last_name="Example", currency="EUR", country="DE", password=_PASSWORD)
        client = self.parts.billing.create_client(signup)
        enrol(self.parts, client, proved_address=_ADA)
        user_id = self.parts.ledger.accounts.of_clients([client.id])[client.id].user_id
        small, _, medium, large = (plan.id for plan in self.panel.tables.plans.rows())
        self.panel.create_server(user_id, small, "web-1", backups=True)
        shop = self.panel.create_server(user_id, medium, "shop", additional_ips=1)
        first, second, third, running = self.months
        self._close(first)
        self._pay()
        self.panel.delete_server(shop.id)
        self.panel.create_server(user_id, large, "shop-2")
        today = datetime.now(UTC).date()
        for month, due in ((second, today - _OVERDUE_SINCE), (third, today + _DUE_IN)):
            self._close(month)
            self._move_due_date(month, client.id, due)
        self._measure(running, user_id, small)
        self._run(today)
        self.panel.follow_time()

    def _close(self, month: Month) -> None:
        """The run on the first day after a month, which invoices it."""
        day = month.next.first_day
        self.panel.set_time(datetime.combine(day, time(4), UTC))
        self._run(day)

    def _run(self, day: date) -> None:
        Run(self.parts, when(self.parts, day, dry_run=False), False, lambda _step, _done: None).daily()

    def _pay(self) -> None:
        with billing_database() as database:
            database.execute("UPDATE invoices SET status = 'paid'")

    def _move_due_date(self, month: Month, client_id: int, day: date) -> None:
        """As somebody in the billing system does it for a customer who asks."""
        with billing_database() as database:
            database.execute(
                "UPDATE invoices SET due_date = ? WHERE reference = ?", (day.isoformat(), f"TB-{month}-{client_id}")
            )

    def _measure(self, month: Month, user_id: int, plan_id: int) -> None:
        """The meter's snapshots of the running month, twice a day, in which a server comes and goes."""
        moments = [*_moments(month.start(_ZONE), datetime.now(UTC))]
        tests = None
        for number, moment in enumerate(moments):
            self.panel.set_time(max(moment, self.panel.now))
            if number == len(moments) // 3:
                tests = self.panel.create_server(user_id, plan_id, "load-tests")
            if tests and number == len(moments) // 2:
                self.panel.delete_server(tests.id)
            take_snapshot(self.parts.ledger, self.parts.solus, at_once=1, at=moment)


def _moments(start: datetime, now: datetime) -> Iterator[datetime]:
    moment = start
    while moment < now:
        yield moment
        moment += timedelta(hours=12)
    yield now


def _serve(parts: Parts, port: int) -> None:
    mail = MailSettings("127.0.0.1", "Example Cloud <cloud@example.com>", security="none")
    delivery = Delivery(parts.ledger.outbox, _Printer(mail), every_seconds=1)
    delivery.start()
    try:
        with serving(create_app(parts), port=port) as url, suppress(KeyboardInterrupt):
            say(f"\nThe pages: {url}/cloud")
            say(f"Sign up there, or log in as {_ADA} with the password {_PASSWORD}.")
            say("E-mails are printed here instead of being sent. Ctrl+C ends it.")
            threading.Event().wait()
    finally:
        delivery.stop()


class _Printer(Sender):
    """Takes mails as a mail server would, and prints their text."""

    def send(self, message: Message, *, still_ours: Callable[[], bool] = lambda: True) -> None:
        """Print it."""
        if still_ours():
            mail = BytesParser(policy=default).parsebytes(message.content)
            text = mail.get_body(("plain",))
            words = f"\nE-mail to {message.recipient}: {mail['Subject']}\n\n{text.get_content() if text else ''}"
            say(words, wrap=False)  # a link stays in one line

    def close(self) -> None:
        """Nothing is open."""
