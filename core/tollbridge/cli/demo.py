"""What ``tollbridge demo`` tells: two months of a small hosting company, with the commands a company would use."""

import os
import socket
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import chdir, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path

import typer
from rich.rule import Rule

from tollbridge.bridge import bridge
from tollbridge.cli.output import out, say
from tollbridge.http import Http
from tollbridge.loopback import running as serving
from tollbridge.server.app import create_app
from tollbridge.solus.sandbox import Panel, running, small_company

_TOKEN = "demo-bridge-token"  # noqa: S105 - nothing it opens outlives the demo
_COMPANY = """
    INSERT INTO currencies VALUES
        ('USD', '$', '', 2, ',', '.'), ('EUR', '', ' €', 2, '.', ','), ('JPY', '¥', '', 0, ',', '.');
    INSERT INTO discounts (name, description, multiplier, client_group)
        VALUES ('Partner discount', '5% recurring discount', '0.95', 'partners');
    INSERT INTO taxes (label, rate, level, compound, country, state)
        VALUES ('USt', '19', 1, 0, 'DE', ''), ('消費税', '10', 1, 0, 'JP', ''),
               ('GST', '5', 1, 0, 'CA', ''), ('QST', '9.975', 2, 0, 'CA', 'QC');
    INSERT INTO clients (id, email, currency, company, client_group, country, state, tax_exempt) VALUES
        (1001, 'ada@example.com', 'USD', 'Ada Hosting', '', 'US', 'OR', 0),
        (1002, 'info@beispiel.example', 'EUR', 'Beispiel GmbH', '', 'DE', '', 0),
        (1003, 'kumo@example.jp', 'JPY', 'Kumo KK', 'partners', 'JP', '', 0),
        (1004, 'billing@erable.example', 'USD', 'Érable Inc.', '', 'CA', 'QC', 0),
        (1005, 'tiny@example.org', 'USD', 'Tiny Tests', '', 'US', 'WA', 0),
        (1006, 'verein@example.org', 'EUR', 'Verein e.V.', '', 'DE', '', 1);
"""


def tell(context: typer.Context) -> None:
    """Tell it, in a folder of its own that is gone afterwards."""
    story = _Story(context)
    with tempfile.TemporaryDirectory(prefix="tollbridge-demo-") as folder, as_operator(Path(folder)):
        solus_port, own_port = write_configuration()
        panel = Panel(_at(6, 1), api_token=os.environ["SOLUS_API_TOKEN"])
        small_company(panel)
        with running(panel, port=solus_port):
            story.tell(panel, own_port)


class _Story:
    """The demo's chapters; each runs real commands against the sandbox."""

    def __init__(self, context: typer.Context) -> None:
        self._context = context
        self._chapters = 0

    def tell(self, panel: Panel, own_port: int) -> None:
        """All of it."""
        self._chapter("A company with six clients in three currencies, and an empty SolusIO")
        self._do("generic-sql", "init")
        company()
        self._do("check")
        self._do("sync")

        self._chapter("June: servers run, stop and vanish")
        _june(panel)
        self._do("plans")

        self._chapter("SolusIO shows a customer prices, and asks Tollbridge for them")
        self._look_up(1003, own_port)
        self._do("price", "1003")

        self._chapter("1 July: what would be invoiced, then the invoices")
        panel.set_time(_at(7, 1, 4))
        self._do("run", "--date", "2026-07-01", "--dry-run")
        self._do("run", "--date", "2026-07-01")
        self._chapter("Run it again: nothing changes")
        self._do("run", "--date", "2026-07-01")
        self._do("explain", "TB-2026-06-1003")

        self._chapter("Due on 15 July: three pay, two do not")
        _set_status("paid", 1002, 1004, 1006)
        self._do("run", "--date", "2026-07-16")
        self._do("invoices", "--open")
        say("A week late, users are locked; a payment that is under way is waited for:")
        _set_status("pending", 1003)
        self._do("run", "--date", "2026-07-22")
        say("Two weeks late, Ada is suspended, and SolusIO stops the server:")
        panel.set_time(_at(7, 29, 4))
        self._do("run", "--date", "2026-07-29")
        say("Why is Ada suspended? (What only looks goes by today, and not by the demo's days.)")
        self._do("client", "ada@example.com")
        say("Ada pays, and is let in again by the next run:")
        _set_status("paid", 1001, 1003)
        self._do("run", "--date", "2026-07-30")
        self._do("log", "--reference", "TB-2026-06-1001")

        self._chapter("1 August: July's invoices; what Tiny Tests owed for June comes along")
        panel.set_time(_at(8, 1, 4))
        self._do("run", "--date", "2026-08-01")
        self._do("explain", "TB-2026-07-1005")
        self._do("usage", "--month", "2026-07")

        self._chapter("What was it all for?")
        self._do("statement", "1002")
        self._do("revenue")
        say("\nThat was the main job. README.md says how to do it with your own company.")

    def _chapter(self, title: str) -> None:
        self._chapters += 1
        out.print()
        out.print(Rule(f"{self._chapters}. {title}", align="left", style="bold cyan", characters="─"))

    def _do(self, *arguments: str) -> None:
        command(self._context, *arguments)

    def _look_up(self, client_id: int, port: int) -> None:
        out.print(
            f"\n$ curl -d action=GetTokenPricing -d userid={client_id} -d token=… http://127.0.0.1:{port}/solusio/api/",
            style="bold green", markup=False, soft_wrap=True,
        )  # fmt: skip
        form = {"action": "GetTokenPricing", "userid": client_id, "token": _TOKEN}
        with (
            bridge(Path("bridge.toml")) as parts,
            serving(create_app(parts), port=port) as url,
            Http(url, service="the bridge") as http,
        ):
            out.print(http.request("POST", "solusio/api/", form=form).content.decode(), markup=False, soft_wrap=True)


def command(context: typer.Context, *arguments: str) -> None:
    """Run one command as it would run from a shell."""
    out.print(f"\n$ tollbridge {' '.join(arguments)}", style="bold green", markup=False)
    with suppress(SystemExit):
        context.find_root().command.main(list(arguments), prog_name="tollbridge")


def company() -> None:
    """Write the company's clients, currencies, discounts and taxes into its empty database."""
    with billing_database() as database:
        database.executescript(_COMPANY)


def _june(panel: Panel) -> None:
    """What the clients do in June, and go on doing in July."""
    users = {user.billing_user_id: user.id for user in panel.users}
    plans = {plan.name: plan.id for plan in panel.tables.plans.rows()}
    small, large = plans["1 Core, 1 GB RAM"], plans["2 Cores, 4 GB RAM"]
    panel.create_server(users[1001], small, "web-1", backups=True)
    panel.create_server(users[1002], large, "shop")
    stopped = panel.create_server(users[1002], small, "staging")
    panel.create_server(users[1003], large, "kumo-a")
    vanishing = panel.create_server(users[1003], small, "kumo-b")
    panel.create_server(users[1004], plans["2 Cores, 2 GB RAM"], "erable", additional_ips=1)
    panel.create_server(users[1006], small, "verein")
    trial = panel.create_server(users[1005], small, "trial")
    panel.advance(timedelta(minutes=5))
    panel.delete_server(trial.id)
    panel.set_time(_at(6, 10))
    panel.delete_server(vanishing.id)
    panel.set_time(_at(6, 20))
    panel.stop_server(stopped.id)
    panel.set_time(_at(6, 28))
    panel.create_server(users[1005], small, "tests")


def write_configuration() -> tuple[int, int]:
    """The repository's own bridge.toml, on free ports if its own are taken; the sandbox's port and the bridge's."""
    text = files("tollbridge").joinpath("bridge.toml").read_text(encoding="utf-8")
    solus_port, own_port = _free_port(8499), _free_port(8400)
    one_after_the_other = "at_once = 1"  # so that the users are numbered as the clients are
    text = text.replace("# at_once = 8 ", f"{one_after_the_other:14}", 1)
    text = text.replace(":8499", f":{solus_port}").replace("port = 8400", f"port = {own_port}")
    Path("bridge.toml").write_text(text, encoding="utf-8")
    return solus_port, own_port


def _free_port(wanted: int) -> int:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", wanted))
        except OSError:
            probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def as_operator(folder: Path) -> Iterator[None]:
    """In a folder of its own, with the two secrets that bridge.toml takes from the environment."""
    before = dict(os.environ)
    os.environ.update({"SOLUS_API_TOKEN": "demo-api-token", "BRIDGE_TOKEN": _TOKEN})
    try:
        with chdir(folder):
            yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@contextmanager
def billing_database() -> Iterator[sqlite3.Connection]:
    """The company's own database, in which everything that is done becomes good at the end."""
    connection = sqlite3.connect("billing.db")
    try:
        with connection:
            yield connection
    finally:
        connection.close()


def _set_status(status: str, *client_ids: int) -> None:
    """What happens in the billing system: payments arrive, or are on their way."""
    with billing_database() as database:
        database.executemany(
            "UPDATE invoices SET status = ? WHERE client_id = ?", [(status, each) for each in client_ids]
        )


def _at(month: int, day: int, hour: int = 0) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=UTC)
