"""Slow systems: month end of WHMCS, Blesta and HostBill at 50 ms a call, and the first sync of a panel at 50 ms.

The ideal is what the calls that were made must take: those that name a client or an invoice so many at once, and the
pages of lists one after the other, each at the answer time that is measured in the same run.
"""

import json
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import attrs

from benchmarks.company import make_company
from benchmarks.measuring import free_port, python, run, serving, show
from tollbridge.loopback import LoopbackServer, configured, listen
from tollbridge.solus.sandbox import Panel, create_app, small_company
from tollbridge.solus.sandbox.records import Uptime
from tollbridge_blesta import sandbox as blesta
from tollbridge_hostbill import sandbox as hostbill
from tollbridge_ubersmith import sandbox as ubersmith
from tollbridge_whmcs_like import sandbox as whmcs

LATENCY_MS = 50
AT_ONCE = 8
CLIENTS = 1000
USERS = 10_000
TOKEN = "sandbox-token"  # noqa: S105 - the sandbox's

CONFIGURATION = """
[solus]
url = "http://127.0.0.1:{panel}"
api_token = "{token}"
[pricing.tokens]
USD = "0.001"
[billing]
start = "2026-06"
[adapter]
use = "{name}"
[adapter.{name}]
url = "{root}"
{settings}
"""


def make_panel(users: int, *, linked: bool) -> Panel:
    """A panel with so many users; those that are linked have each run a server through June."""
    panel = Panel(datetime(2026, 6, 1, tzinfo=UTC), api_token=TOKEN, per_page=100)
    small_company(panel)
    plan = panel.tables.plans.rows()[0].id
    for client_id in range(1, users + 1) if linked else ():
        user = panel.add_user(f"client{client_id}@example.com", billing_user_id=client_id)
        server = panel.create_server(user.id, plan, f"web-{client_id}")
        ran = Uptime(panel.now, panel.now + timedelta(hours=700))
        panel.tables.servers.put(attrs.evolve(server, uptime=(ran,)))
    panel.set_time(datetime(2026, 7, 1, 4, tzinfo=UTC))
    return panel


def make_whmcs(clients: int) -> whmcs.Install:
    """A WHMCS with so many clients."""
    install = whmcs.Install()
    install.add_currency("USD", prefix="$", format=2)
    for client_id in range(1, clients + 1):
        install.add_client(f"client{client_id}@example.com", currency="USD", client_id=client_id)
    return install


def make_blesta(clients: int) -> blesta.Install:
    """A Blesta with so many clients."""
    install = blesta.Install()
    install.add_currency("USD", precision=2, prefix="$", suffix="", format="#,###.##")
    for client_id in range(1, clients + 1):
        install.add_client(f"client{client_id}@example.com", currency="USD", client_id=client_id)
    return install


def make_hostbill(clients: int) -> hostbill.Install:
    """A HostBill with so many clients."""
    install = hostbill.Install()
    for client_id in range(1, clients + 1):
        install.add_client(f"client{client_id}@example.com", client_id=client_id)
    return install


def make_ubersmith(clients: int) -> ubersmith.Install:
    """An Ubersmith with so many clients."""
    install = ubersmith.Install()
    for client_id in range(1, clients + 1):
        install.add_client(f"client{client_id}@example.com", client_id=client_id)
    return install


def serve(what: str, port: int, count: int, latency: float) -> None:
    """One of the systems, in a process of its own."""
    if what == "whmcs":
        simulator: Any = make_whmcs(count)
        app = whmcs.create_app(simulator)
    elif what == "blesta":
        simulator = make_blesta(count)
        app = blesta.create_app(simulator)
    elif what == "hostbill":
        simulator = make_hostbill(count)
        app = hostbill.create_app(simulator)
    elif what == "ubersmith":
        simulator = make_ubersmith(count)
        app = ubersmith.create_app(simulator)
    else:
        simulator = make_panel(count, linked=what == "panel")
        app = create_app(simulator)
    simulator.load.latency = latency
    LoopbackServer(configured(app)).run([listen("127.0.0.1", port)])


def server(what: str, port: int, count: int, latency: float) -> list[str]:
    """The command line that serves it."""
    return python("benchmarks.slow_systems", "serve", what, port, count, latency)


def load(port: int) -> dict[str, Any]:
    """What a simulator was asked since the last look."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/sandbox/load") as answer:
        found: dict[str, Any] = json.load(answer)
    request = urllib.request.Request(f"http://127.0.0.1:{port}/sandbox/load", method="DELETE")
    urllib.request.urlopen(request).close()  # noqa: S310
    data: dict[str, Any] = found.get("data", found)
    return data


def answer_seconds(url: str) -> float:
    """How long one call takes while nothing else is asked."""
    times = []
    for _ in range(20):
        began = time.perf_counter()
        with suppress(OSError):  # refused, in the same time
            urllib.request.urlopen(url, data=b"").close()  # noqa: S310 - loopback
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def seconds_at_work(folder: Path) -> float:
    """How long the last run was alive."""
    said = subprocess.run(  # noqa: S603 - our own program
        python("tollbridge", "runs", "--most", 1, "--json"), cwd=folder, capture_output=True, text=True, check=True
    )
    last = json.loads(said.stdout)[0]
    began, ended = (datetime.fromisoformat(last[key]) for key in ("began_at", "ended_at"))
    return (ended - began).total_seconds()


def month_end(name: str, settings: str, path: str, named: set[str]) -> None:
    """Print how much of the ideal a month end achieves; ``named``: calls that name a client or an invoice."""
    with tempfile.TemporaryDirectory() as folder_name:
        folder, panel, billing = Path(folder_name), free_port(), free_port()
        adapter = {"whmcs": "whmcs_like"}.get(name, name)
        root = f"http://127.0.0.1:{billing}/{'admin/' if name == 'hostbill' else ''}"
        words = {"panel": panel, "root": root, "token": TOKEN, "name": adapter, "settings": settings}
        (folder / "bridge.toml").write_text(CONFIGURATION.format(**words))
        with (
            serving(server("panel", panel, CLIENTS, 0), panel),
            serving(server(name, billing, CLIENTS, LATENCY_MS), billing),
        ):
            answer = answer_seconds(f"http://127.0.0.1:{billing}/{path}")
            run(python("tollbridge", "sync"), cwd=folder)
            load(billing)
            run(python("tollbridge", "run", "--date", "2026-07-01"), cwd=folder)
            asked = load(billing)
            seconds = seconds_at_work(folder)
    calls: dict[str, int] = asked["calls"]
    total = sum(calls.values())
    at_once = min(total, round(named_calls(calls, named)))
    ideal = (at_once / AT_ONCE + total - at_once) * answer
    show(
        f"month end of {CLIENTS:,} {name} clients, of the ideal", ideal / seconds, ">= 0.9",
        f"{seconds:.1f} s, ideal {ideal:.1f} s at {answer * 1000:.0f} ms a call; {total / CLIENTS:.2f} calls a client,"
        f" {asked['most_at_once']} at once",
    )  # fmt: skip
    print("   ", ", ".join(f"{call} {count}" for call, count in calls.items()))


def named_calls(calls: dict[str, int], named: set[str]) -> float:
    """How many calls name a client or an invoice: of a call that can do both, one for each client at most."""
    return sum(count if count >= CLIENTS else 0 for call, count in calls.items() if call in named)


def first_sync() -> None:
    """Print how much of the ideal the first sync of many users achieves."""
    with tempfile.TemporaryDirectory() as folder_name:
        folder, panel = Path(folder_name), free_port()
        make_company(folder, USERS, panel)
        config = folder / "bridge.toml"
        config.write_text(config.read_text().replace("bench-token", TOKEN))
        with serving(server("empty-panel", panel, 0, LATENCY_MS), panel):
            answer = answer_seconds(f"http://127.0.0.1:{panel}/api/v1/account")
            load(panel)
            run(python("tollbridge", "sync"), cwd=folder)
            asked = load(panel)
            seconds = seconds_at_work(folder)
    total = sum(asked["calls"].values())
    ideal = total / AT_ONCE * answer
    show(
        f"first sync of {USERS:,} users, of the ideal", ideal / seconds, ">= 0.9",
        f"{seconds:.0f} s, ideal {ideal:.0f} s at {answer * 1000:.0f} ms a call; {total / USERS:.2f} calls a user",
    )  # fmt: skip


def main() -> None:
    """Print the ratios."""
    install = whmcs.Install()
    month_end(
        "whmcs",
        f'identifier = "{install.identifier}"\nsecret = "{install.secret}"\naccess_key = "{install.access_key}"',
        "includes/api.php",
        {"GetClientsDetails", "CreateInvoice", "GetInvoice", "GetInvoices"},
    )
    other = blesta.Install()
    month_end(
        "blesta",
        f'user = "{other.user}"\nkey = "{other.key}"',
        "api/clients/get.json",
        {"clients/get", "invoices/add", "invoices/get", "invoices/getTaxRules"},
    )
    third = hostbill.Install()
    month_end(
        "hostbill",
        f'api_id = "{third.api_id}"\napi_key = "{third.api_key}"',
        "admin/api.php",
        {"getClientDetails", "getClientTaxDetails", "addInvoice", "addInvoiceItem", "editInvoiceDetails",
         "convertInvoice", "getInvoiceDetails"},
    )  # fmt: skip
    fourth = ubersmith.Install()
    month_end(
        "ubersmith",
        f'user = "{fourth.user}"\ntoken = "{fourth.token}"\ncurrency = "USD"',
        "api/2.0/?method=uber.method_list",
        {"client.get", "client.service_add", "client.invoice_generate", "client.invoice_get", "client.service_list"},
    )
    first_sync()


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        serve(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), float(sys.argv[5]))
    else:
        main()
