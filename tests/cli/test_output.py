r"""Whatever others call their things, a terminal is written plain text, and every command ends in words."""

import io
import json
import socket
import sys
import unicodedata
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.cli.company import Operator
from tollbridge import AdapterFault, hookimpl
from tollbridge import cli as commands
from tollbridge.adapters.billing import BillingSystem
from tollbridge.cli import main, output
from tollbridge.words import for_terminal

NASTY = "\x1b]0;owned\x07\x1b[31mred\x9b2J\u202eab\udcff[bold]web[/bold] :cow: [pricing.tokens]\r\x00"
TEXTS = st.text(st.characters(exclude_characters="\n") | st.sampled_from("\x1b\x9b\u202e\udc80\ud800[]"), max_size=40)


def steers(text: str) -> list[str]:
    """What in ``text`` a terminal would do something about but show it, line ends aside."""
    kinds = {"Cc", "Cs", "Zl", "Zp"}
    return [each for each in text if each != "\n" and (unicodedata.category(each) in kinds or each in "\u202e\u2066")]


@pytest.fixture(params=["say", "complain", "table", "title", "column", "json", "progress"])
def show(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    def in_a_table(text: str, title: str = "", column: str = "c") -> None:
        made = output.table(title, column)
        made.add_row(text)
        output.out.print(made)

    def as_progress(text: str) -> None:
        monkeypatch.setattr(output, "_PROGRESS_SECONDS", 0)
        with output.progress() as tell:
            tell(text, 7)

    ways: dict[str, Callable[[str], None]] = {
        "say": output.say, "complain": output.complain, "table": in_a_table, "progress": as_progress,
        "title": lambda text: in_a_table("", title=text), "column": lambda text: in_a_table("", column=text),
        "json": lambda text: output.print_json({text: [text]}),
    }  # fmt: skip
    return ways[request.param]


def test_nothing_that_steers_a_terminal_reaches_it(
    show: Callable[[str], None], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "400")
    show(NASTY)
    told = capsys.readouterr()
    shown = told.out + told.err
    assert steers(shown) == []
    assert shown.encode()
    assert "[bold]web[/bold]:cow:[pricing.tokens]" in "".join(shown.split()), "and nothing in it is taken for markup"


@given(TEXTS)
def test_no_text_at_all_steers_it(text: str) -> None:
    assert steers(for_terminal(text, lines=False)) == []


@given(st.dictionaries(TEXTS, st.lists(TEXTS) | st.integers(-(2**70), 2**70)))
def test_json_says_the_same_in_plain_letters(document: Any) -> None:
    written = io.StringIO()
    before, sys.stdout = sys.stdout, written
    try:
        output.print_json(document)
    finally:
        sys.stdout = before
    assert json.loads(written.getvalue()) == document
    assert steers(written.getvalue()) == []
    assert written.getvalue().encode()


def test_a_terminal_that_knows_only_ascii_is_shown_every_command(monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding="ascii"))
    assert main(["--help"]) == 0
    sys.stdout.flush()
    assert b"billing bridge" in written.getvalue()


def test_a_server_s_name_is_shown_as_text_by_every_command(operator: Operator) -> None:
    operator.world.execute("UPDATE clients SET company = :name", name=NASTY.replace("\udcff", "").replace("\x00", ""))
    told = operator("price", "1042")
    assert told.code == 0
    assert steers(told.out) == []


def test_check_says_in_which_table_the_price_is_missing(operator: Operator) -> None:
    operator.world.execute("INSERT INTO currencies (code) VALUES ('CHF')")
    assert "[pricing.tokens]" in " ".join(operator("check").out.split())


@pytest.fixture
def breaking(monkeypatch: pytest.MonkeyPatch) -> None:
    """A command with a fault, beside the real ones."""

    def broken() -> None:
        raise RuntimeError("out of \x1b[31mluck")

    module = SimpleNamespace(broken=broken)
    monkeypatch.setitem(commands._PLACES, "broken", ("broken", "Trying out"))
    monkeypatch.setitem(sys.modules, "tollbridge.cli.broken", module)


def test_a_fault_is_told_in_words_and_where_it_is_only_who_asks(
    breaking: None, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TOLLBRIDGE_TRACEBACK", raising=False)
    assert main(["broken"]) == 3
    told = capsys.readouterr().err
    assert "RuntimeError: out of \\x1b[31mluck" in told
    assert "TOLLBRIDGE_TRACEBACK=1" in told
    assert "Traceback" not in told
    monkeypatch.setenv("TOLLBRIDGE_TRACEBACK", "1")
    assert main(["broken"]) == 3
    assert "Traceback" in capsys.readouterr().err


class Ending:
    """An adapter, and a listener, that would end the process with a clean exit."""

    @hookimpl
    def client(self, client_id: int) -> None:
        raise SystemExit(0)

    @hookimpl
    def clients(self) -> Any:
        yield from ()
        sys.exit(0)

    @hookimpl
    def run_finished(self, report: object) -> None:
        sys.exit(0)


def test_an_adapter_that_would_end_the_process_has_a_fault_and_a_listener_is_not_heard() -> None:
    import pluggy  # noqa: PLC0415

    from tollbridge.adapters.hookspecs import Hooks  # noqa: PLC0415

    manager = pluggy.PluginManager("tollbridge")
    manager.add_hookspecs(Hooks)
    manager.register(Ending(), "ending")
    billing = BillingSystem("ending", manager)
    with pytest.raises(AdapterFault, match="SystemExit"):
        billing.client(7)
    with pytest.raises(AdapterFault, match="SystemExit"):
        list(billing.clients())
    billing.tell("run_finished", report={})


def test_a_sandbox_on_a_port_that_is_taken_says_only_that(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert main(["sandbox", "--port", str(taken.getsockname()[1])]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert "--port" in told.err


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("tollbridge ")


@pytest.mark.parametrize(("price", "words"), [("1e30", "less than a billion"), ("9" * 40, "at most 30 digits")])
def test_a_price_that_can_only_be_a_mistake_is_refused(operator: Operator, price: str, words: str) -> None:
    path = operator.world.config
    path.write_text(path.read_text().replace('USD = "0.001"', f'USD = "{price}"'))
    told = operator("run", config=path)
    assert told.code == 2
    assert "pricing.tokens" in told.err
    assert words in told.err


def test_no_help_says_of_what_type_a_flag_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["invoices", "--help"]) == 0
    told = capsys.readouterr().out
    assert "--open" in told
    assert "<bool>" not in told


def test_clients_that_failed_are_not_called_in_step(operator: Operator) -> None:
    operator.world.execute("UPDATE clients SET email = '' WHERE id = 1042")
    told = operator("sync")
    assert told.code == 1
    assert "1 failed" in told.out
    assert "in step" not in told.out


def test_a_month_without_usage_is_a_whole_sentence(operator: Operator) -> None:
    assert operator("usage", "--month", "2026-05").out.endswith("SolusIO reports 0 tokens.\n")
