"""What the documentation tells people to type works."""

import re
import shlex
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest
import typer.main

from tests.docs.walking import GAP, ROOT, Block, all_blocks, blocks, plain, tollbridge, walk
from tollbridge.cli import app
from tollbridge_generic_sql.commands import app as generic_sql

WALKS = [
    "README.md",
    "docs/generic_sql.md",
    "docs/whmcs_like.md",
    "docs/blesta.md",
    "docs/hostbill.md",
    "docs/ubersmith.md",
    "docs/solusio.md",
]
COMMAND = re.compile(r"(?:^|\s|/)tollbridge ((?:[a-z-]+|--[a-z])[^|&`]*)")


@pytest.mark.parametrize("page", WALKS)
def test_a_page_can_be_followed_from_top_to_bottom(page: str, tmp_path: Path) -> None:
    with walk(tmp_path) as walking:
        for block in blocks(ROOT / page):
            walking.take(block)


def test_every_shell_block_is_run_or_looked_up() -> None:
    strangers = [
        str(block)
        for block in all_blocks("sh")
        if block.word != "parse" and not (block.word in {"", "server"} and block.page in WALKS)
    ]
    assert strangers == []


def mentioned() -> list[tuple[str, str]]:
    """Every ``tollbridge …`` command line in shell blocks, units and running text."""
    found = []
    for block in [*all_blocks("sh"), *all_blocks("ini"), *all_blocks("text", "")]:
        for line in block.text.splitlines():
            found += [(str(block), match[1].strip()) for match in COMMAND.finditer(line.partition(" 2>")[0])]
    return found


@pytest.mark.parametrize(("place", "line"), mentioned())
def test_a_documented_command_line_has_only_what_the_command_takes(place: str, line: str) -> None:
    accepts(shlex.split(line), place)


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"] + [
    str(page.relative_to(ROOT)) for page in sorted((ROOT / "docs").glob("*.md"))
])  # fmt: skip
def test_commands_named_in_running_text_exist(page: str) -> None:
    text = re.sub(r"^```.*?^```$", "", (ROOT / page).read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    for line in re.findall(r"`tollbridge ([^`]+)`", text):
        words = [{"CLIENT": "1042", "REFERENCE": "TB-2026-07-1042", "M": "2026-07", "D": "2026-07-01"}.get(word, word)
                 for word in line.replace("--config FILE", "").split() if word not in {"…", "<name>"}]  # fmt: skip
        if words not in ([], ["--debug"]):
            accepts(words, page)


def accepts(arguments: list[str], place: str) -> None:
    """Parse a command line with the real commands, without running it."""
    root = typer.main.get_command(app)
    own = typer.main.get_command(generic_sql)
    command, words = root, [word for word in arguments if word != "--debug"]
    if words[:1] == ["--config"]:
        words = words[2:]
    if words[:1] == ["generic-sql"]:
        command, words = own, words[1:]
    assert words, place
    if words[0].startswith("--"):
        assert words in (["--help"], ["--version"]), f"{place}: {arguments}"
        return
    found = command.get_command(typer.Context(command), words[0])  # type: ignore[attr-defined]
    assert found is not None, f"{place}: there is no command {words[0]}"
    sandbox = sandboxes().get(words[1]) if words[0] == "sandbox" and len(words) > 1 else None
    if sandbox is not None:
        found, words = sandbox, words[1:]
    elif words[0] == "sandbox":
        assert all(word.startswith("-") for word in words[1:2]), f"{place}: there is no sandbox {words[1]}"
    mentions_only = len(words) == 1
    context = found.make_context(words[0], list(words[1:]), resilient_parsing=mentions_only)
    context.close()


def sandboxes() -> dict[str, Any]:
    """The adapters' own sandboxes, as commands."""
    found = {}
    for point in entry_points(group="tollbridge.sandboxes"):
        alone = typer.Typer()
        alone.command()(point.load())
        found[point.name] = typer.main.get_command(alone)
    return found


def test_the_demo_prints_what_the_readme_shows(tmp_path: Path) -> None:
    [shown] = all_blocks("text", "demo")
    done = tollbridge("demo", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    printed = plain(done.stdout)
    for part in shown.text.split(f"{GAP}\n"):
        assert plain(part) in printed


def test_blocks_have_a_language_that_says_how_they_are_tested() -> None:
    known = {"sh", "toml", "sql", "python", "json", "csv", "text", "ini", "nginx"}
    from tests.docs.walking import PAGES  # noqa: PLC0415

    strangers: list[Block] = [block for page in PAGES for block in blocks(page) if block.language not in known]
    assert [str(block) for block in strangers] == []
