"""What is written for adapter authors holds: hooks, snippets, and the README's adapter, which bills a month."""

import ast
import inspect
import json
import re
import textwrap
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.docs import adapter_table
from tests.docs.walking import PAGES, ROOT, all_blocks, blocks
from tests.memory.side import MemorySide
from tests.world import World, a_world
from tollbridge import Attempt, Invoice, InvoiceLine, Receipt, hookimpl, model
from tollbridge.adapters import hookspecs
from tollbridge.adapters.hookspecs import ABILITIES, LISTENERS, OPTIONAL, REQUIRED, Hooks
from tollbridge.conformance import AdapterTests, OtherSide
from tollbridge.conformance.attempts import AttemptTests
from tollbridge.memory import Booked, Books, MemoryBilling

ADAPTERS_PAGE = ROOT / "docs/adapters.md"
PLAIN_ACME = """
use = "acme:AcmeAdapter"

[adapter.settings]
folder = "acme"
"""


def specified() -> dict[str, str]:
    """Every hook's signature, as its specification writes it."""
    [tree] = ast.parse(textwrap.dedent(inspect.getsource(Hooks))).body
    assert isinstance(tree, ast.ClassDef)
    signatures = {}
    for function in tree.body:
        if isinstance(function, ast.FunctionDef) and function.returns is not None:
            arguments = ", ".join(ast.unparse(argument) for argument in function.args.args[1:])
            signatures[function.name] = f"{function.name}({arguments}) -> {ast.unparse(function.returns)}"
    return signatures


def test_every_hook_is_documented_with_its_exact_arguments() -> None:
    headings = re.findall(r"^### `(.*)`$", ADAPTERS_PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert sorted(headings) == sorted(specified().values())
    assert specified().keys() == {*REQUIRED, *OPTIONAL, *LISTENERS}
    assert hookspecs.hookimpl.project_name == "tollbridge"


def test_every_hook_has_a_test_in_the_kit_or_for_listeners() -> None:
    tests = [name for name in dir(AdapterTests) if name.startswith("test_")]
    for hook in (*REQUIRED, *OPTIONAL):
        assert any(name.startswith(f"test_{hook}_") for name in tests), f"the kit has no test of {hook}"
    listeners = (ROOT / "tests/adapters/test_listeners.py").read_text(encoding="utf-8")
    for hook in LISTENERS:
        assert f"def {hook}(" in listeners, f"there is no test of {hook}"


def test_the_page_says_what_each_adapter_can_do() -> None:
    """To write it anew: .venv/bin/python -m tests.docs.adapter_table."""
    assert adapter_table.HOOKS.keys() == {*OPTIONAL}
    _, written, _ = adapter_table.parts(ADAPTERS_PAGE.read_text(encoding="utf-8"))
    assert written == adapter_table.table(), (
        f"run python -m tests.docs.adapter_table, or paste\n{adapter_table.table()}"
    )


def test_every_ability_is_documented() -> None:
    page = ADAPTERS_PAGE.read_text(encoding="utf-8")
    for ability in ABILITIES:
        assert f"| `{ability}` |" in page


def test_every_method_of_the_other_side_is_documented() -> None:
    page = (ROOT / "docs/writing-an-adapter.md").read_text(encoding="utf-8")
    for name in OtherSide.__abstractmethods__:
        assert f"`{name}" in page


def test_every_value_is_documented_with_its_fields() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (.*) \|$", ADAPTERS_PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    values = {name: set(re.findall(r"`(\w+)(?:[:=][^`]*)?`", fields)) for name, fields in rows if hasattr(model, name)}
    for name, fields in values.items():
        kind = getattr(model, name)
        there = {field.name for field in kind.__attrs_attrs__}
        computed = {key for key, value in vars(kind).items() if isinstance(value, property)}
        assert there <= fields <= there | computed, name
    assert len(values) == 10


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_python_examples_run(page: Path) -> None:
    names: dict[str, Any] = {"__name__": "example"}
    for block in blocks(page):
        if block.language == "python":
            exec(compile(block.text, str(block), "exec"), names)  # noqa: S102


def test_a_client_that_cannot_be_read_does_not_hide_the_next_ones() -> None:
    from tollbridge import Refused  # noqa: PLC0415

    names: dict[str, Any] = {"__name__": "example"}
    for block in blocks(ADAPTERS_PAGE):
        if block.language == "python":
            exec(compile(block.text, str(block), "exec"), names)  # noqa: S102
    rows = [{"id": 1, "email": "", "currency": "USD"}, {"id": 2, "email": "a@example.com", "currency": "USD"}]
    clients = names["read_clients"](rows)
    with pytest.raises(Refused, match="client 1"):
        next(clients)
    assert next(clients).id == 2


class StepByStep:
    """The API that the example of several calls is written against, over books in memory."""

    def __init__(self, books: Books) -> None:
        self.books = books

    def _booked(self, number: str) -> Booked:
        return next(each for each in self.books.invoices if str(each.number) == number)

    def new_draft(self, client: int, note: str) -> str:
        """A draft without lines, to be found again by its note."""
        day = date(2000, 1, 1)
        empty = Invoice(note, client, self.books.clients[client].currency, day, day, (), note)
        return str(self.books.book(empty, status="draft").number)

    def is_draft(self, number: str) -> bool:
        return any(str(each.number) == number and each.status == "draft" for each in self.books.invoices)

    def count_lines(self, number: str) -> int:
        return len(self._booked(number).lines)

    def add_line(self, number: str, words: str, amount: Decimal, *, taxed: bool) -> None:
        lines = (*self._booked(number).lines, InvoiceLine(words, 0, amount, taxed))
        self.books.change_invoice(int(number), lines=lines)

    def total(self, number: str) -> Decimal:
        return self._booked(number).total

    def remove(self, number: str) -> None:
        self.books.remove_invoice(int(number))

    def publish(self, number: str, issued: date, due: date) -> Receipt:
        return self.books.change_invoice(int(number), status="unpaid", issue_date=issued, due_date=due).receipt


@pytest.mark.parametrize("test", [name for name in dir(AttemptTests) if name.startswith("test_")])
def test_the_example_of_several_calls_passes_the_kit(test: str) -> None:
    names: dict[str, Any] = {"__name__": "example"}
    [example] = [block for block in blocks(ADAPTERS_PAGE) if "def create_in_steps(" in block.text]
    exec(compile(example.text, str(example), "exec"), names)  # noqa: S102

    class Documented(MemoryBilling):
        @hookimpl
        def create_invoice(self, invoice: Invoice, attempt: Attempt) -> Receipt:
            made = names["create_in_steps"](StepByStep(self.books), invoice, attempt)
            assert isinstance(made, Receipt)
            return made

    class DocumentedSide(MemorySide):
        def surcharge(self) -> Any:
            return OtherSide.surcharge(self)  # the books' troubles are for their own adapter

        def adapter(self) -> MemoryBilling:
            return Documented(books=self.books)

    getattr(AttemptTests(), test)(DocumentedSide(several_steps=True))


@pytest.fixture
def acme(tmp_path: Path) -> Path:
    """The README's adapter in a folder of its own, with two clients."""
    [source] = all_blocks("python", "acme.py")
    (tmp_path / "acme.py").write_text(source.text, encoding="utf-8")
    books = tmp_path / "acme"
    books.mkdir()
    (books / "clients.csv").write_text(
        "id,email,currency\n1042,client1042@example.com,USD\n1043,client1043@example.com,JPY\n", encoding="utf-8"
    )
    return books


class AcmeWorld(World):
    """A world whose billing system is the README's."""

    @property
    def config(self) -> Path:
        """bridge.toml with the adapter exchanged."""
        path = super().config
        head = path.read_text(encoding="utf-8").partition("[adapter]\n")[0]
        path.write_text(f"{head}[adapter]{PLAIN_ACME}", encoding="utf-8")
        return path


def test_the_readmes_adapter_bills_a_month(acme: Path, tmp_path: Path) -> None:
    with a_world(tmp_path, f"sqlite:///{tmp_path}/unused.db", f"sqlite:///{tmp_path}/tollbridge.db") as made:
        world = AcmeWorld(tmp_path, made.panel, made.solus_url, made.database_url, made.ledger_url)
        with world.run("2026-06-01") as run:
            assert run.daily().accounts.created == [1042, 1043]
        users = {user.billing_user_id: user.id for user in world.panel.users}
        world.run_server(users[1042], 700)
        world.run_server(users[1043], 10, plan="2 Cores, 4 GB RAM")
        world.panel.set_time(datetime(2026, 7, 1, 4, tzinfo=UTC))
        for _ in range(2):
            with world.run("2026-07-01") as run:
                report = run.daily()
                invoicing, overdue = report.invoicing, report.overdue
                assert (invoicing.failures, invoicing.warnings, overdue.open) == ([], [], 2)
        written = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in acme.glob("*.json")}
        assert {name: facts["total"] for name, facts in written.items()} == {
            "TB-2026-06-1042": "4.90",
            "TB-2026-06-1043": "42",
        }
        with world.run("2026-07-22") as run:
            assert [change.after for change in run.daily().overdue.changes] == ["locked", "locked"]
        for path in acme.glob("*.json"):
            path.write_text(path.read_text(encoding="utf-8").replace('"unpaid"', '"paid"'), encoding="utf-8")
        with world.run("2026-07-23") as run:
            assert [change.after for change in run.daily().overdue.changes] == ["active", "active"]


def test_the_readmes_adapter_is_configured_as_the_readme_says() -> None:
    assert {block.text for block in all_blocks("toml", "acme")} == {f"[adapter]{PLAIN_ACME}"}


def test_the_readmes_adapter_is_of_the_promised_size() -> None:
    [source] = all_blocks("python", "acme.py")
    lines = [line for line in source.text.splitlines() if line.strip()]
    assert len(lines) <= 57
