"""The JSON examples have the shape of what really comes out."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.docs.walking import ROOT, Block, all_blocks, tollbridge
from tests.world import World, a_world
from tollbridge.http import Http
from tollbridge.jobs.price_lists import now, running_month, shown_prices
from tollbridge.jobs.pricing import Pricer
from tollbridge.solus.pricing_answer import encode, pricing_answer

MONTH = ("--month", "2026-06")
COMMANDS: dict[str, tuple[str, ...]] = {
    "check": ("check",),
    "probe": ("probe", *MONTH),
    "meter": ("meter",),
    "invoice": ("invoice", *MONTH, "--dry-run"),
    "run": ("run", "--date", "2026-07-01"),
    "sync": ("sync",),
    "overdue": ("overdue", "--date", "2026-07-22"),
    "runs": ("runs",),
    "audit": ("audit",),
    "invoices": ("invoices",),
    "client": ("client", "1042"),
    "statement": ("statement", "1042"),
    "revenue": ("revenue",),
    "log": ("log",),
    "usage": ("usage", *MONTH),
    "price": ("price", "1042"),
    "plans": ("plans",),
    "explain": ("explain", "TB-2026-06-1042"),
    "adapters": ("adapters",),
    "ledger-verify": ("ledger", "verify"),
    "ledger-copy": ("ledger", "copy", "sqlite:///tollbridge.db", "sqlite:///moved.db"),
    "connect": ("connect",),
    "sso": ("sso", "1042"),
}

PAGES = """
[pages]
name = "Example Cloud"
secret = "0123456789abcdef0123456789abcdef"
terms_url = "https://example.com/terms"
"""
NOTIFY = """
[notify]
webhook = "http://127.0.0.1:9/nobody"
webhook_secret = "0123456789abcdef0123456789abcdef"
"""


@pytest.fixture(scope="module")
def produced(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """One document of each kind, all from one month of one client, and of a user that belongs to nobody."""
    folder = tmp_path_factory.mktemp("json")
    with a_world(folder, f"sqlite:///{folder}/billing.db", f"sqlite:///{folder}/tollbridge.db") as world:
        yield _documents(world, folder)


def _documents(world: World, folder: Path) -> dict[str, Any]:
    world.add_client(1042, client_group="partners", country="US")
    world.add_client(1043, currency="KWD", email="")
    world.add_client(1044)
    world.execute(
        "INSERT INTO discounts (name, description, multiplier, client_group) VALUES ('P', '', '1', 'partners')"
    )
    world.execute("INSERT INTO taxes (label, rate, country) VALUES ('VAT', '20', 'US')")
    user, stranger = world.add_user(1042), world.panel.add_user("nobody@example.com").id
    world.run_server(user, 730)
    world.run_server(stranger, 1)
    plan = next(iter(world.panel.tables.plans.rows())).id
    world.panel.create_server(user, plan, "web-2", backups=True)
    world.panel.set_time(datetime(2026, 7, 1, 4, tzinfo=UTC))
    path = world.config
    text = path.read_text(encoding="utf-8").replace("[server]", '[server]\npublic_url = "https://bridge.example.com"')
    path.write_text(f"{text}\n{PAGES}", encoding="utf-8")
    found: dict[str, Any] = {"calls": {}}
    for name, arguments in COMMANDS.items():
        world.panel.journal.clear()
        done = tollbridge(*arguments, "--json", folder=folder)
        assert done.returncode in ({2} if name == "check" else {0, 1}), f"{name}: {done.stderr}"
        found[name] = json.loads(done.stdout)
        found["calls"][name] = {
            (entry.method, re.sub(r"\d+", "{id}", entry.path.removeprefix("/api/v1/")))
            for entry in world.panel.journal.list()
        }
    found["headers"] = {
        name: tollbridge(*COMMANDS[name], "--csv", folder=folder).stdout.partition("\n")[0]
        for name in ("invoices", "statement", "revenue")
    }
    with path.open("a", encoding="utf-8") as file:
        file.write(NOTIFY)
    assert tollbridge("run", "--date", "2026-07-02", folder=folder).returncode == 1
    with world.parts() as parts:
        [notice] = parts.ledger.outbox.take(datetime.now(UTC) + timedelta(days=1), 60, 9, to_webhook=True)
        found["notice"] = json.loads(notice.mail.text)
    with Http(world.solus_url, service="the sandbox", headers={"Authorization": "Bearer sandbox-token"}) as http:
        interval = {"from": "2026-06-01T00:00:00Z", "to": "2026-07-01T00:00:00Z"}
        found["usage-feed"] = json.loads(http.request("GET", "api/v1/usage", params=interval).content)
    with world.parts() as parts:
        prices = shown_prices(parts, running_month(parts, now()))
        price = Pricer(parts.billing).price(parts.billing.client(1042), prices)
        found["pricing-answer"] = json.loads(encode(pricing_answer(price)))
    return found


@pytest.mark.parametrize("block", all_blocks("json"), ids=lambda block: block.word)
def test_a_documented_answer_has_the_shape_of_the_real_one(block: Block, produced: dict[str, Any]) -> None:
    differences = list(compared(json.loads(block.text), produced[block.word], block.word))
    assert differences == []


def test_every_call_to_solusio_is_documented(produced: dict[str, Any]) -> None:
    page = (ROOT / "docs/solusio.md").read_text(encoding="utf-8")
    documented = {
        (command, *call.partition("?")[0].split())
        for calls, commands in re.findall(r"^\| (`[A-Z]+ [^|]*) \| [^|]* \| ([^|]*) \|$", page, flags=re.MULTILINE)
        for call in re.findall(r"`([^`]*)`", calls)
        for command in re.findall(r"`(\w+)`", commands)
    }
    made = {(command, method, path) for command, calls in produced["calls"].items() for method, path in calls}
    assert made - documented == set()
    assert ("run", "POST", "users") in made
    assert ("connect", "PATCH", "settings") in made


@pytest.mark.parametrize("block", all_blocks("csv"), ids=lambda block: block.word)
def test_a_documented_header_is_the_real_one_and_has_the_keys_of_the_documents(
    block: Block, produced: dict[str, Any]
) -> None:
    assert produced["headers"][block.word] == block.text.strip()
    assert list(produced[block.word][0]) == block.text.strip().split(",")


def test_every_header_is_documented(produced: dict[str, Any]) -> None:
    assert {block.word for block in all_blocks("csv")} == set(produced["headers"])


def test_every_command_with_json_output_is_documented() -> None:
    assert {block.word for block in all_blocks("json")} == {*COMMANDS, "usage-feed", "pricing-answer", "notice"}


def compared(documented: Any, real: Any, where: str) -> Iterator[str]:
    """Where the two differ in keys or types; null, and a list without entries, agrees with anything."""
    if documented is None or real is None:
        return
    if isinstance(documented, dict) and isinstance(real, dict):
        if _is_map(documented) or _is_map(real):
            yield from compared(list(documented.values()), list(real.values()), where)
        elif documented.keys() != real.keys():
            yield from _keys_differ(documented, real, where)
        else:
            for key, value in documented.items():
                yield from compared(value, real[key], f"{where}.{key}")
    elif isinstance(documented, list) and isinstance(real, list):
        for value in documented:
            if real and all(list(compared(value, each, f"{where}[]")) for each in real):
                yield next(compared(value, real[0], f"{where}[]"))
    elif _kind(documented) != _kind(real):
        yield f"{where}: documented as {_kind(documented)}, is {_kind(real)}"


def _keys_differ(documented: dict[str, Any], real: dict[str, Any], where: str) -> Iterator[str]:
    more, less = sorted(documented.keys() - real.keys()), sorted(real.keys() - documented.keys())
    yield f"{where}: only documented {more}, only real {less}"


def _is_map(value: dict[str, Any]) -> bool:
    """Whether the keys are data, such as currencies, and not names."""
    return bool(value) and all(re.fullmatch(r"[A-Z]{3}|.* .*|invoiced", key) for key in value)


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    return "number" if isinstance(value, int | float) else type(value).__name__
