"""``python -m benchmarks.scale N…``: month ends of so many clients, and the operator's pages on what they leave.

A panel in a process of its own makes its users and their usage from their numbers, and the billing system is an SQLite
database, so neither needs more memory for more clients. `tollbridge sync` makes the accounts (of more than 10,000
clients they are written to the ledger at once); then `tollbridge run` takes the month's end, and once more the day
after. Each is measured as a process. The floor is the raw program of
``raw_month_end``, which does nothing about accounts and unpaid invoices; of more than 10,000 clients it is that of
10,000, times as many more clients, for it sorts all that is left before each page of fifty.

This takes hours for a million. Processor time is what to compare: others who work on the machine do not change it.

``--ledger URL`` keeps the ledger there, in an empty database, for one N. ``--keep FOLDER`` leaves everything in that
folder; ``--pages FOLDER`` measures just the pages on what was left in one.
"""

import argparse
import tempfile
import time
from pathlib import Path

import attrs
import httpx
import sqlalchemy as sa

from benchmarks.company import make_company
from benchmarks.measuring import Measured, free_port, python, run, serving
from benchmarks.month_end import floor
from tollbridge.bridge import read_settings
from tollbridge.ledger import Ledger
from tollbridge.ledger.schema import accounts

MOST_AS_THEY_ARE = 10_000
WRITTEN_AT_ONCE = 10_000
DAYS = {"run, the month's end": "2026-07-01", "run, the day after": "2026-07-02"}
PAGES = ("", "/books", "/revenue", "/owed", "/clients", "/invoices", "/prices")
TOKEN = "token-of-the-scale"  # noqa: S105 - of nothing that anybody could reach
TRIES = 5


@attrs.define
class Floor:
    """The raw program of the largest company that it was run for."""

    clients: int = 0
    measured: Measured | None = None

    def told(self, folder: Path, clients: int) -> tuple[float, str]:
        """Its processor time for so many clients, and how that is known."""
        if self.measured is None or clients <= MOST_AS_THEY_ARE:
            self.clients = min(clients, MOST_AS_THEY_ARE)
            self.measured = floor(folder, self.clients)
        words = "" if clients == self.clients else f", {self.clients:,} clients' times {clients / self.clients:g}"
        return self.measured.processor * clients / self.clients, words


def company(folder: Path, clients: int, port: int, ledger: str | None) -> None:
    """The company, whose bridge.toml has the operator's token and perhaps another ledger."""
    make_company(folder, clients, port)
    config = folder / "bridge.toml"
    text = config.read_text() + f'[operator]\ntoken = "{TOKEN}"\n'
    config.write_text(text.replace("sqlite:///tollbridge.db", ledger) if ledger else text)


def months(folder: Path, clients: int, ledger: str | None, raw: Floor) -> None:
    """Measure the company's month end, and the day before and after it."""
    port = free_port()
    company(folder, clients, port, ledger)
    with serving(python("benchmarks.company", clients, port), port):
        if clients <= MOST_AS_THEY_ARE:
            tell(clients, "sync, everybody for the first time", run(python("tollbridge", "sync"), cwd=folder))
        else:
            write_accounts(folder, clients)
        for what, day in DAYS.items():
            measured = run(python("tollbridge", "run", "--date", day), cwd=folder)
            tell(clients, what, measured)
            if "end" in what:
                processor, words = raw.told(folder / "raw", clients)
                ratio = measured.processor / processor
                print(f"{clients:>9,}  over the raw program: {ratio:.2f} ({processor:.0f} s{words})", flush=True)


def write_accounts(folder: Path, clients: int) -> None:
    """The accounts that a first sync would make, one after the other."""
    ledger = Ledger.open(read_settings(folder / "bridge.toml")[0].ledger.url)
    with ledger.database.write() as connection:
        for first in range(1, clients + 1, WRITTEN_AT_ONCE):
            numbers = range(first, min(first + WRITTEN_AT_ONCE, clients + 1))
            rows = [{"client_id": n, "user_id": n, "email": f"client{n}@example.com"} for n in numbers]
            connection.execute(sa.insert(accounts), rows)
    ledger.close()


def tell(clients: int, what: str, measured: Measured) -> None:
    """One line of what was measured."""
    each = measured.processor / clients * 1000
    print(
        f"{clients:>9,}  {what:<36} {measured.seconds:>8.1f} s  {measured.processor:>8.1f} s of processor"
        f"  {each:.3f} ms a client  {measured.peak_mib:>6.0f} MiB",
        flush=True,
    )


def pages(folder: Path) -> None:
    """How long each of the operator's pages takes: at first, and the fastest of some tries after it."""
    port = free_port()
    config = folder / "bridge.toml"
    served = folder / "serve.toml"
    served.write_text(config.read_text().replace("[server]", f"[server]\nport = {port}"))
    with serving(python("tollbridge", "--config", served, "serve"), port, cwd=folder):
        root = f"http://127.0.0.1:{port}"
        with httpx.Client(base_url=root, timeout=600) as browser:
            browser.post("/operator/login", data={"token": TOKEN}, headers={"Origin": root})
            for path in [*(f"/operator{page}" for page in PAGES), "/metrics"]:
                times = []
                for _ in range(TRIES):
                    began = time.perf_counter()
                    answer = browser.get(path)
                    times.append(time.perf_counter() - began)
                    if answer.status_code != httpx.codes.OK:
                        raise SystemExit(f"{path}: {answer.status_code} {answer.text:.300}")
                print(f"           {path:<20} {times[0]:>7.2f} s, then {min(times[1:]):.2f} s", flush=True)


def main() -> None:
    """Measure what the command line names."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale")
    parser.add_argument("clients", type=int, nargs="*")
    parser.add_argument("--ledger")
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--pages", type=Path)
    told = parser.parse_args()
    if told.pages:
        pages(told.pages)
    raw = Floor()
    with tempfile.TemporaryDirectory() as name:
        for clients in told.clients:
            folder = (told.keep or Path(name)) / str(clients)
            months(folder, clients, told.ledger, raw)
            pages(folder)


if __name__ == "__main__":
    main()
