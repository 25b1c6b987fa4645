"""A company with customers' pages: WHMCS and SolusIO simulated, the bridge served, and a browser without eyes."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import attrs
import httpx
import sqlalchemy as sa

from tests.world import QUICK
from tollbridge.bridge import bridge
from tollbridge.jobs.daily import Run, when
from tollbridge.jobs.parts import Parts
from tollbridge.jobs.reports import DailyReport
from tollbridge.loopback import running as serving
from tollbridge.server.app import create_app
from tollbridge.solus import Solus
from tollbridge.solus.sandbox import Panel, running, small_company
from tollbridge_whmcs_like.sandbox import Install
from tollbridge_whmcs_like.sandbox import running as whmcs

NORA = {"first_name": "Nora", "last_name": "Neu", "company": "Neu Ltd", "country": "GB", "currency": "USD"}
PASSWORD = "a-perfectly-fine-password"
CONFIGURATION = """
[solus]
url = "{solus}"
api_token = "sandbox-token"
limit_group = "postpaid"
user_area_url = "{area}"

[pricing.tokens]
USD = "0.001"
EUR = "0.0009"

[billing]
start = "2026-06"
lock_after_days = 7
suspend_after_days = 14
{billing}

[accounts]
provision = "signup"

[server]
token = "bridge-token"
{server}

[pages]
name = "Example Cloud"
secret = "0123456789abcdef0123456789abcdef"
terms_url = "https://example.com/terms"
postpay_terms_url = "https://example.com/postpay"
{pages}

[mail]
host = "127.0.0.1"
port = {smtp}
security = "none"
sender = "Example Cloud <cloud@example.com>"

[ledger]
url = "{ledger}"

[adapter]
use = "whmcs_like"

[adapter.whmcs_like]
url = "{whmcs}"
identifier = "sandbox-identifier"
secret = "sandbox-secret"
"""


@attrs.define
class Cloud:
    """Everything a test of the pages needs."""

    parts: Parts
    panel: Panel
    install: Install
    url: str
    config: Path
    browsers: list["Browser"] = attrs.Factory(list)

    def browser(self, at: str = "", **headers: str) -> "Browser":
        """Somebody's browser, with no cookies yet; ``at``: another server of the same company."""
        made = Browser(httpx.Client(base_url=at or self.url, headers={"Connection": "close", **headers}, timeout=30))
        self.browsers.append(made)
        return made

    def mails(self) -> list[Any]:
        """The outbox."""
        with self.parts.ledger.database.read() as connection:
            return list(connection.execute(sa.text("SELECT recipient, subject, body_text FROM mails ORDER BY id")))

    def link(self) -> str:
        """The address in the newest mail, without the host."""
        found = re.search(r"http://[^/]+(/cloud/confirm/\S+)", self.mails()[-1].body_text)
        assert found is not None
        return found[1]

    def sign_up(self, browser: "Browser", email: str = "nora@example.com") -> str:
        """As far as the e-mail; the link in it."""
        answer = browser.send("/cloud/signup", **NORA, email=email)
        assert answer.status_code == 200, answer.text
        return self.link()

    def run(self, day: str) -> DailyReport:
        """The daily job."""
        moment = when(self.parts, date.fromisoformat(day), dry_run=False)
        return Run(self.parts, moment, False, lambda _step, _done: None).daily()


@attrs.define
class Browser:
    """Keeps cookies, follows nothing by itself, and fills forms in as a person does: after looking at the page."""

    http: httpx.Client

    def get(self, path: str) -> httpx.Response:
        """Open a page."""
        return self.http.get(path)

    def send(self, path: str, on: str | None = None, **fields: str) -> httpx.Response:
        """Send the form of a page (``on``, by default the one at the same address)."""
        return self.http.post(path, data={**fields, "csrf": self.csrf(on or path)})

    def csrf(self, path: str) -> str:
        """What a page's forms send back."""
        found = re.search(r'name="csrf" value="([^"]+)"', self.get(path).text)
        assert found is not None, f"{path} has no form"
        return found[1]

    def confirm(self, link: str, password: str = PASSWORD, **fields: str) -> httpx.Response:
        """The form of a sign-up's link, with both terms accepted."""
        return self.send(link, password=password, **{"terms": "on", "postpay_terms": "on", **fields})

    def log_in(self, email: str, password: str = PASSWORD) -> httpx.Response:
        """The log-in form."""
        return self.send("/cloud/login", email=email, password=password)


@contextmanager
def a_cloud(
    folder: Path,
    *,
    ledger: str = "",
    pages: str = "",
    billing: str = "",
    smtp: int = 25,
    area: str = "https://my.example.com",
    currencies: tuple[str, ...] = ("USD", "EUR"),
    public_url: str = "",
) -> Iterator[Cloud]:
    """The whole company, on 1 July 2026, four o'clock. ``area`` is SolusIO's user area; "": the sandbox's own."""
    panel, install = Panel(datetime(2026, 7, 1, 4, tzinfo=UTC)), Install()
    small_company(panel)
    for code in currencies:
        install.add_currency(code, prefix={"USD": "$", "EUR": "€"}[code], format=2)
    with running(panel) as solus, whmcs(install) as billing_url:
        (folder / "own").mkdir(exist_ok=True)
        path = folder / "bridge.toml"
        path.write_text(
            CONFIGURATION.format(
                solus=solus,
                area=area or solus,
                whmcs=billing_url,
                pages=pages,
                billing=billing,
                smtp=smtp,
                server=f'public_url = "{public_url}"' if public_url else "",
                ledger=ledger or f"sqlite:///{folder}/ledger.db",
            ),
            encoding="utf-8",
        )
        with bridge(path, lambda settings: Solus(settings, QUICK)) as parts, serving(create_app(parts)) as url:
            cloud = Cloud(parts, panel, install, url, path)
            yield cloud
            for browser in cloud.browsers:
                browser.http.close()
