"""A usage source of one's own is used as the panel's feed is, and one that breaks the contract is refused."""

import importlib.metadata
import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

from tests.docs.walking import ROOT
from tests.world import World, a_world
from tollbridge import Incomplete, UsageItem, UserUsage
from tollbridge.errors import AdapterFault, ConfigError, Unavailable
from tollbridge.usage.source import USAGE_SOURCES, UsageSource

JULY, AUGUST = datetime(2026, 7, 1, tzinfo=UTC), datetime(2026, 8, 1, tzinfo=UTC)
PAGE = (ROOT / "docs/solusio.md").read_text(encoding="utf-8")
HEAD = "from tollbridge import hookimpl, UserUsage, UsageItem\n"


def _block(info: str) -> str:
    found = re.search(rf"^```{re.escape(info)}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert found is not None
    return found[1]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with a_world(tmp_path, f"sqlite:///{tmp_path}/billing.db", f"sqlite:///{tmp_path}/ledger.db") as made:
        yield made


def _module(folder: Path, text: str) -> str:
    """The name of a module with this text; each test has one of its own, for Python keeps what it has imported."""
    name = f"source_{abs(hash((str(folder), text)))}"
    (folder / f"{name}.py").write_text(text, encoding="utf-8")
    return name


def _refused(world: World, text: str, more: str = "") -> str:
    name = _module(world.folder, HEAD + text)
    world.more = f'\n[solus.usage]\nsource = "{name}:Source"\n{more}'
    with pytest.raises(ConfigError) as refused, world.parts():
        pass
    return " ".join(refused.value.problems)


def test_the_documented_source_bills_what_it_says(world: World) -> None:
    world.add_client(1042)
    world.add_user(1042)
    name = _module(world.folder, _block("python metering_file.py"))
    world.more = "\n" + _block("toml usage-source").replace("metering_file", name)
    (world.folder / "metering").mkdir()
    (world.folder / "metering/2026-06.csv").write_text("2,1042,vm,7,web-1,4900\n2,1042,vm,8,web-2,100\n")
    with world.run("2026-07-01") as run:
        assert run.daily().failures == []
    assert world.billed() == {"TB-2026-06-1042": "5"}
    assert [entry.path for entry in world.panel.journal.list() if "usage" in entry.path] == []


def test_a_month_that_the_source_does_not_have_is_not_closed(world: World) -> None:
    name = _module(world.folder, _block("python metering_file.py"))
    world.more = "\n" + _block("toml usage-source").replace("metering_file", name)
    with world.run("2026-07-01") as run:
        assert "there is no" in str(run.daily().stopped_by)
    assert world.billed() == {}


def test_an_installed_source_is_named_by_its_entry_point(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    name = _module(world.folder, f"{HEAD}class Source:\n    @hookimpl\n    def usage(self, start, end): return []\n")
    point = EntryPoint("ours", f"{name}:Source", USAGE_SOURCES)
    there = importlib.metadata.entry_points

    def with_ours(**wanted: Any) -> Any:
        return [point] if wanted.get("group") == USAGE_SOURCES else there(**wanted)

    monkeypatch.setattr("tollbridge.adapters.loading.entry_points", with_ours)
    monkeypatch.setattr(sys, "path", [str(world.folder), *sys.path])
    world.more = '\n[solus.usage]\nsource = "ours"'
    with world.parts() as parts:
        assert (parts.usage.name, list(parts.usage.read(JULY, AUGUST))) == ("ours", [])
    world.more = '\n[solus.usage]\nsource = "hours"'
    with pytest.raises(ConfigError, match=r'solus\.usage\.source: there is no installed usage source "hours"; .*ours'):
        world.settings()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("class Source:\n    def usage(self, start, end): ...", r"required hook usage is missing \(it lacks @hookimpl"),
        ("class Source:\n    @hookimpl\n    def usages(self, start, end): ...", "no hook usages; did you mean usage"),
        ("class Source:\n    @hookimpl\n    def usage(self, month): ...", r"usage must be .* takes \(self, start, end"),
        ("class Source:\n    @hookimpl\n    async def usage(self, start, end): ...", "usage must be a plain method"),
        ("class Source:\n    def __init__(self, settings): ...", "has no Settings"),
        ("Source = 7", "is not a class"),
        ("import nothing_of_this_name", "cannot be imported"),
        ("class Another: ...", "has no class Source"),
    ],
)
def test_a_source_that_breaks_the_contract_is_refused_before_anything_starts(
    world: World, text: str, words: str
) -> None:
    problems = _refused(world, text)
    assert re.search(words, problems)
    assert problems.startswith("solus.usage.source: ")


def test_a_sources_settings_are_checked_like_an_adapters(world: World) -> None:
    usage = "    @hookimpl\n    def usage(self, start, end): return []\n"
    wanted = f"import attrs\n@attrs.frozen\nclass S:\n    folder: str\nclass Source:\n    Settings = S\n{usage}"
    problems = _refused(world, wanted, "[solus.usage.settings]\nfolder = 7\nfolders = 8")
    assert "solus.usage.settings.folder: must be text" in problems
    assert "solus.usage.settings.folders" in problems
    assert "solus.usage.settings.folder: is missing" in _refused(world, wanted)
    assert "solus.usage.settings: is not known" in _refused(
        world, f"class Source:\n{usage}", "[solus.usage.settings]\nfolder = 7"
    )


def test_the_feed_has_no_settings_of_its_own(world: World) -> None:
    world.more = "\n[solus.usage.settings]\nfolder = 7"
    with pytest.raises(ConfigError, match=r"solus\.usage\.settings: is not known"):
        world.settings()


ODD = """
ODD = ["a\\ud800b", "\\x1b[31mred\\x1b]0;title\\x07", "\\u202egnp.exe", "two\\nlines\\x00", "x" * 10_000]


class Source:
    @hookimpl
    def usage(self, start, end):
        for number, name in enumerate(ODD, 1):
            plan = ServerMeter(name, 7, 5_000, 100)
            yield UserUsage(number, number, (UsageItem("server", 1, name, 700, plan), UsageItem(name, 2, name, 70)))
"""
HUGE = """
class Source:
    @hookimpl
    def usage(self, start, end):
        yield UserUsage(1, 1, (UsageItem("server", 1, "web-1", 700),))
        yield UserUsage(2, 2, tuple(UsageItem("server", number, "web-1", 2**62) for number in range(2)))
"""


def test_whatever_customers_type_is_billed_as_one_clean_line(world: World) -> None:
    name = _module(world.folder, "from tollbridge import ServerMeter\n" + HEAD + ODD)
    world.more = f'\n[solus.usage]\nsource = "{name}:Source"'
    for client_id in range(1, 6):
        world.add_client(client_id)
    with world.run("2026-07-01") as run:
        report = run.daily()
    assert (report.failures, report.stopped_by) == ([], None)
    assert world.billed() == {f"TB-2026-06-{client_id}": "0.77" for client_id in range(1, 6)}
    lines = [text for (text,) in world.query("SELECT description FROM invoice_lines")]
    assert len(lines) == 10
    assert all(line.isprintable() and len(line) < 600 for line in lines)
    with world.parts() as parts:
        (seen,) = {len(row.items) for row in parts.usage.read(JULY, AUGUST)}
    assert seen == 2


def test_tokens_that_nobody_can_have_used_stop_the_month_and_name_the_user(world: World) -> None:
    name = _module(world.folder, HEAD + HUGE)
    world.more = f'\n[solus.usage]\nsource = "{name}:Source"'
    with world.run("2026-07-01") as run:
        assert "the usage of user 2, 9,223,372,036,854,775,808 tokens" in str(run.daily().stopped_by)
    assert world.billed() == {}


class _Fixed:
    """A source that gives what a test says."""

    def __init__(self, *rows: Any) -> None:
        self.rows = rows

    def usage(self, start: datetime, end: datetime) -> Iterator[Any]:
        for row in self.rows:
            if isinstance(row, Exception):
                raise row
            yield row


ONE = UserUsage(7, 1042, (UsageItem("server", 11, "web-1", 4_900), UsageItem("backup", 11, "web-1", 490)))


@pytest.mark.parametrize(
    ("rows", "error", "words"),
    [
        ([ONE, ONE], Incomplete, "user 7 comes twice"),
        ([UserUsage(7, 1, ONE.items + ONE.items[1:])], Incomplete, "user 7 has backup 11 twice"),
        ([ONE, {"user_id": 8}], AdapterFault, r"ours\.usage gave dict, where UserUsage is needed"),
        ([ONE, KeyError("tokens")], AdapterFault, r"ours\.usage failed by a fault of its own: KeyError: 'tokens'"),
        ([ONE, Unavailable("the meter is down")], Unavailable, "^the meter is down"),
    ],
)
def test_what_a_source_yields_is_checked_whichever_source_it_is(
    rows: list[Any], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        list(UsageSource("ours", _Fixed(*rows)).read(JULY, AUGUST))


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: UsageItem("server", 11, "web-1", -1),
        lambda: UsageItem("server", 11, "web-1", 7.5),  # type: ignore[arg-type]
        lambda: UsageItem("server", 11, "web-1", 2**63),
        lambda: UsageItem("", 11, "web-1", 7),
        lambda: UsageItem("server", "11", "web-1", 7),  # type: ignore[arg-type]
        lambda: UserUsage(True, 1042, ()),
        lambda: UserUsage(7, "1042", ()),  # type: ignore[arg-type]
        lambda: UserUsage(7, 1042, ("web-1",)),  # type: ignore[arg-type]
    ],
)
def test_a_value_that_cannot_be_billed_cannot_be_made(wrong: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        wrong()
