"""The systems' own pages are complete: keys, calls, messages, and every form an answer may take."""

import ast
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import attrs
import pytest

from tests.docs.test_documented_settings import default
from tests.docs.walking import ROOT, tollbridge
from tollbridge.solus.sandbox import Panel, small_company
from tollbridge.solus.sandbox import running as panel_running
from tollbridge_blesta import BlestaAdapter
from tollbridge_blesta import adapter as blesta_adapter
from tollbridge_blesta import clients as blesta_clients
from tollbridge_blesta import invoices as blesta_invoices
from tollbridge_blesta import sandbox as blesta
from tollbridge_hostbill import HostBillAdapter
from tollbridge_hostbill import adapter as hostbill_adapter
from tollbridge_hostbill import clients as hostbill_clients
from tollbridge_hostbill import invoices as hostbill_invoices
from tollbridge_hostbill import sandbox as hostbill
from tollbridge_ubersmith import UbersmithAdapter
from tollbridge_ubersmith import adapter as ubersmith_adapter
from tollbridge_ubersmith import clients as ubersmith_clients
from tollbridge_ubersmith import invoices as ubersmith_invoices
from tollbridge_ubersmith import sandbox as ubersmith
from tollbridge_whmcs_like import WhmcsAdapter
from tollbridge_whmcs_like import adapter as whmcs_adapter
from tollbridge_whmcs_like import clients as whmcs_clients
from tollbridge_whmcs_like import invoices as whmcs_invoices
from tollbridge_whmcs_like import sandbox as whmcs
from tollbridge_whmcs_like.sandbox.install import ACTIONS

COMMANDS = {"check", "run", "price"}
CONFIGURATION = """
[solus]
url = "{solus}"
api_token = "sandbox-token"

[pricing]
tokens = {{ USD = "0.001", EUR = "0.0009", JPY = "0.15" }}
taxes = [{{ label = "VAT", rate = "20", country = "GB" }}]

[billing]
start = "2026-06"
lock_after_days = 7

[adapter]
use = "{name}"

[adapter.{name}]
url = "{url}/{area}"
{settings}
"""


@attrs.frozen
class System:
    """One adapter with its page.

    Attributes:
        called: names the call that an entry of its sandbox's journal is.
        area: what its url has behind the sandbox's root.
    """

    name: str
    adapter: type[Any]
    sandbox: Any
    settings: str
    most_lines: int
    statuses: tuple[str, ...]
    called: Callable[[Any], str]
    area: str = ""

    def __str__(self) -> str:
        return self.name

    @property
    def page(self) -> str:
        return (ROOT / f"docs/{self.name}.md").read_text(encoding="utf-8")

    @property
    def sources(self) -> list[Path]:
        """The adapter's own modules, without its sandbox."""
        return sorted((ROOT / f"plugins/{self.name}/tollbridge_{self.name}").glob("*.py"))

    def rows(self, first_cell: str) -> list[list[str]]:
        """The rows of the page's table whose head begins so."""
        table = self.page.partition(f"\n| {first_cell} |")[2].partition("\n\n")[0]
        return [[cell.strip() for cell in row.strip("| ").split(" | ")] for row in table.splitlines()[2:]]

    def calls(self) -> dict[str, set[str]]:
        """Each documented call with what the page says makes it."""
        rows = self.rows("action") or self.rows("method")
        return {call: set(_quoted(makers)) for calls, _, makers in rows for call in _quoted(calls)}


def _quoted(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


WHMCS = System(
    "whmcs_like",
    WhmcsAdapter,
    whmcs,
    'identifier = "sandbox-identifier"\nsecret = "sandbox-secret"\npayment_method = "mailin"\ncustom_field = 7',
    whmcs_adapter._MOST_LINES,
    (*whmcs_clients._STATUSES, *whmcs_invoices.STATUSES),
    lambda entry: str(entry.body["action"]),
)
BLESTA = System(
    "blesta",
    BlestaAdapter,
    blesta,
    'user = "sandbox-user"\nkey = "sandbox-key"\ncustom_field = 1',
    blesta_adapter._MOST_LINES,
    (*blesta_clients._STATUSES, *blesta_invoices._STATUSES),
    lambda entry: str(entry.path.removeprefix("/api/").removesuffix(".json")),
)
HOSTBILL = System(
    "hostbill",
    HostBillAdapter,
    hostbill,
    'api_id = "sandbox-api-id"\napi_key = "sandbox-api-key"\ncustom_field = "solusid"',
    hostbill_adapter._MOST_LINES,
    (*hostbill_clients._STATUSES, *hostbill_invoices._STATUSES),
    lambda entry: str(entry.body["call"]),
    "admin/",
)
UBERSMITH = System(
    "ubersmith",
    UbersmithAdapter,
    ubersmith,
    'user = "sandbox-user"\ntoken = "sandbox-token"\ncurrency = "USD"\ncustom_field = "solusid"',
    ubersmith_adapter._MOST_LINES,
    (*ubersmith_clients._STATUSES, *ubersmith_invoices._STATUSES),
    lambda entry: str(entry.query.removeprefix("method=")),
)
systems = pytest.mark.parametrize("system", [WHMCS, BLESTA, HOSTBILL, UBERSMITH], ids=str)


@systems
def test_every_key_of_the_adapters_table_is_documented_with_its_default(system: System) -> None:
    section = system.page.partition(f"## `[adapter.{system.name}]`")[2].partition("\n## ")[0]
    documented = dict(re.findall(r"^\| `(\w+)` \| ([^|]*) \|", section, flags=re.MULTILINE))
    assert documented == {field.name: default(field) for field in attrs.fields(system.adapter.Settings)}


@systems
def test_what_the_adapter_cannot_do_is_told(system: System) -> None:
    told = re.sub(r"\s+", " ", system.page.partition("\n## ")[0].replace("`", ""))
    assert [words for words in system.adapter.cannot.values() if words not in told] == []


@systems
def test_the_calls_that_the_page_lists_are_those_in_the_code(system: System) -> None:
    assert sorted(system.calls()) == sorted({call for file in system.sources for call in in_code(file)})


def in_code(file: Path) -> Iterator[str]:
    """Every call of the API that a module makes; ``every`` is two of Blesta's."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
            how, what = node.func.attr, ast.unparse(node.args[0])
            if how in {"read", "ask", "write", "every"} and what.startswith("'"):
                call = ast.literal_eval(what)
                is_model = how == "every" and call.islower() and "." not in call
                yield from [f"{call}/getList", f"{call}/getListCount"] if is_model else [call]


@systems
def test_each_command_makes_the_calls_that_the_page_says_and_no_other(system: System, tmp_path: Path) -> None:
    documented = {(command, call) for call, makers in system.calls().items() for command in makers & COMMANDS}
    with a_month(system, tmp_path) as made:
        assert made == documented


@contextmanager
def a_month(system: System, folder: Path) -> Iterator[set[tuple[str, str]]]:
    """A month, invoiced and overdue: which command made which call; what the page does not list is not allowed."""
    install = system.sandbox.Install()
    system.sandbox.small_company(install)
    if system is WHMCS:
        needed = {call for call, makers in system.calls().items() if makers & COMMANDS}
        install.quirks.forbidden_actions = tuple({*ACTIONS} - needed)
    panel = Panel(datetime(2026, 6, 1, tzinfo=UTC), api_token="sandbox-token")
    small_company(panel)
    made: set[tuple[str, str]] = set()

    def run(*arguments: str) -> None:
        install.journal.clear()
        done = tollbridge(*arguments, folder=folder)
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
        made.update((arguments[0], system.called(entry)) for entry in install.journal.list())

    with panel_running(panel) as solus, system.sandbox.running(install) as url:
        text = CONFIGURATION.format(solus=solus, url=url, name=system.name, area=system.area, settings=system.settings)
        (folder / "bridge.toml").write_text(text, encoding="utf-8")
        run("check")
        run("run", "--date", "2026-06-02")
        for user in panel.users:
            if user.billing_user_id in {1, 9}:
                panel.create_server(user.id, next(iter(panel.tables.plans.rows())).id, "web-1")
        panel.set_time(datetime(2026, 7, 1, 4, tzinfo=UTC))
        run("run", "--date", "2026-07-01")
        run("run", "--date", "2026-07-22")
        run("price", "1")
        run("price", "9")
        yield made


@systems
def test_every_status_of_the_billing_system_is_mapped_on_the_page(system: System) -> None:
    mapped = system.page.partition("## How things are mapped")[2].partition("\n## ")[0].casefold()
    assert [status for status in system.statuses if not re.search(rf"\b{status}\b", mapped)] == []


@systems
def test_the_page_says_from_how_many_lines_on_an_invoice_is_summed_up(system: System) -> None:
    told = re.sub(r"\s+", " ", system.page)
    most = system.most_lines
    assert f"more than {most} lines the first {most - 2} are sent" in told
    assert f'"{700 - most + 2} more items"' in told


@systems
def test_every_other_form_that_the_sandbox_takes_is_on_the_page(system: System) -> None:
    quirks = {field.name for field in attrs.fields(system.sandbox.Quirks)}
    section = system.page.partition("## Not verified on a live system")[2].partition("\n## ")[0]
    assert quirks - set(_quoted(section)) == set()


@systems
def test_every_message_that_the_page_explains_exists(system: System) -> None:
    quoted = [words for message, _ in system.rows("message") for words in re.findall(r'"([^"]*)"', message)]
    fragments = [part.strip() for words in quoted for part in words.split("…")]
    there = [*texts(ROOT / "core"), *(text for file in system.sources for text in texts(file))]
    assert len(fragments) > 10
    assert [fragment for fragment in fragments if not any(fragment in text for text in there)] == []


def texts(place: Path) -> Iterator[str]:
    """Every text in a module or a folder of them, with a gap where values go."""
    for file in place.rglob("*.py") if place.is_dir() else [place]:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.JoinedStr):
                yield "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value
