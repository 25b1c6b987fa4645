"""Reading the documentation's fenced blocks, and walking through those of one page as its reader would.

The words after a block's language say what becomes of it:

- ``sh`` is run by bash; ``sh server`` is run in the background, on port 8499 or on the one named after it; of
  ``sh parse`` only the commands are looked up.
- ``text output`` is a part of what the last ``sh`` printed; a line with "…" alone stands for what is left out.
- ``toml`` is merged into a complete bridge.toml and loaded; with a file's name it is merged into that file, too.
- ``sql FILE`` is executed on a SQLite file; ``expect ROW`` after it is what it must answer.
- ``python`` is run, all blocks of a page one after the other; with a file's name it is written to that file.
- ``json NAME`` is compared in shape with what really comes out, and so is the header in ``csv NAME``.
- ``sql ledger`` is asked of an empty ledger.
- ``text demo`` is a part of what the demo prints. Other blocks are not run.
"""

import io
import json
import re
import socket
import sqlite3
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from contextlib import chdir, closing, contextmanager, redirect_stderr, redirect_stdout, suppress
from pathlib import Path
from typing import Any

import attrs

from tests.docs import forks
from tollbridge.cli import main

ROOT = Path(__file__).resolve().parents[2]
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))]
GAP = "…"
_PORTS = ("8400", "8495", "8496", "8497", "8498", "8499")
_FENCE = re.compile(r"^```(?P<info>[^\n]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_CURL = """\
#!{python}
import sys, urllib.parse, urllib.request
method, headers, data, url, rest = None, {{}}, [], "", iter(sys.argv[1:])
for argument in rest:
    if argument == "-H":
        name, _, value = next(rest).partition(": ")
        headers[name] = value
    elif argument == "-d":
        data.append(next(rest))
    elif argument == "-X":
        method = next(rest)
    else:
        url = argument
body = "&".join(data).encode() if data else None
with urllib.request.urlopen(urllib.request.Request(url, body, headers, method=method)) as answer:
    print(answer.read().decode())
"""


@attrs.frozen
class Block:
    """One fenced block: ``language``, the ``words`` after it, and its text."""

    page: str
    line: int
    language: str
    words: tuple[str, ...]
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"

    @property
    def word(self) -> str:
        """The first word after the language."""
        return self.words[0] if self.words else ""


def blocks(page: Path) -> list[Block]:
    """All fenced blocks of a page, in order."""
    text = page.read_text(encoding="utf-8")
    found = []
    for match in _FENCE.finditer(text):
        language, *words = match["info"].split() or [""]
        line = text.count("\n", 0, match.start()) + 1
        found.append(Block(str(page.relative_to(ROOT)), line, language, tuple(words), match["text"]))
    return found


def all_blocks(language: str, *words: str) -> list[Block]:
    """Every page's blocks in a language, with one of ``words`` after it (``""`` for none)."""
    return [
        block
        for page in PAGES
        for block in blocks(page)
        if block.language == language and (not words or block.word in words)
    ]


def merged(base: dict[str, Any], more: dict[str, Any]) -> dict[str, Any]:
    """``base`` with ``more`` written over it, table by table."""
    result = dict(base)
    for key, value in more.items():
        present = result.get(key)
        result[key] = merged(present, value) if isinstance(present, dict) and isinstance(value, dict) else value
    return result


def as_toml(tree: dict[str, Any], path: str = "") -> str:
    """``tree`` as TOML; enough of it for bridge.toml."""
    plain = {key: value for key, value in tree.items() if not isinstance(value, dict)}
    tables = {key: value for key, value in tree.items() if isinstance(value, dict)}
    lines = [f"{json.dumps(key)} = {_value(value)}" for key, value in plain.items()]
    for key, value in tables.items():
        inner = f"{path}{json.dumps(key)}"
        lines += [f"[{inner}]", as_toml(value, f"{inner}.")]
    return "\n".join(lines) + "\n"


def _value(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(_value(each) for each in value)}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)} = {_value(each)}" for key, each in value.items()) + "}"
    return json.dumps(value, ensure_ascii=False)


@attrs.define
class Walk:
    """One reader's folder, environment and background processes."""

    folder: Path
    ports: dict[str, str]
    exports: list[str] = attrs.Factory(list)
    servers: list[subprocess.Popen[str]] = attrs.Factory(list)
    printed: str = ""

    def take(self, block: Block) -> None:
        """Do what the block says."""
        text = re.sub(r"(?<![\d.])84\d\d(?!\d)", lambda port: self.ports.get(port[0], port[0]), block.text)
        match block.language, block.word:
            case "sh", "":
                self._shell(text, block)
            case "sh", "server":
                self._serve(text, self.ports[block.words[1] if len(block.words) > 1 else "8499"])
            case "text", "output":
                shown = [plain(part) for part in text.split(f"{GAP}\n")]
                assert [part for part in shown if part not in self.printed] == [], f"{block}\n{self.printed}"
            case "toml", name if name.endswith(".toml"):
                path = self.folder / name
                present = tomllib.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
                path.write_text(as_toml(merged(present, tomllib.loads(text))), encoding="utf-8")
            case "sql", name:
                self._sql(text, self.folder / name, block)
            case "python", name if name.endswith(".py"):
                (self.folder / name).write_text(text, encoding="utf-8")

    def _shell(self, text: str, block: Block) -> None:
        script = "\n".join(["set -e", *self.exports, text])
        done = subprocess.run(
            ["/bin/bash", "-c", script], cwd=self.folder, env=self._environment(), capture_output=True, text=True,
            check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"{block}\n{done.stdout}\n{done.stderr}"
        self.printed = plain(f"{done.stdout}\n{done.stderr}")
        self.exports += [line for line in text.splitlines() if line.startswith("export ")]

    def _serve(self, text: str, port: str) -> None:
        process = subprocess.Popen(
            ["/bin/bash", "-c", f"exec {text.strip()} --port {port}"],
            cwd=self.folder, env=self._environment(forked=False), text=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        self.servers.append(process)
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            with suppress(OSError), socket.create_connection(("127.0.0.1", int(port)), 1):
                return
            time.sleep(0.05)
        raise AssertionError(f"{text} does not listen")

    def _sql(self, text: str, file: Path, block: Block) -> None:
        with closing(sqlite3.connect(file)) as connection, connection:
            if "expect" not in block.words:
                connection.executescript(text)
                return
            rows = ["|".join(map(str, row)) for row in connection.execute(text)]
        assert rows == [block.words[2]], f"{block}\n{rows}"

    def _environment(self, *, forked: bool = True) -> dict[str, str]:
        """The reader's commands; one that goes on in the background is no fork, so that it can be ended."""
        tools = self.folder / ".tools"
        if not tools.exists():
            tools.mkdir()
            _script(tools / "curl", _CURL.format(python=sys.executable))
            for name in ("forked", "real"):
                (tools / name).mkdir()
            _script(tools / "forked" / "tollbridge", forks.client())
            (tools / "real" / "tollbridge").symlink_to(Path(sys.executable).with_name("tollbridge"))
        own = tools / ("forked" if forked else "real")
        return {"PATH": f"{own}:{tools}:/usr/bin:/bin", "HOME": str(self.folder), "COLUMNS": "80"}


def _script(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)


@contextmanager
def walk(folder: Path) -> Iterator[Walk]:
    """A walk in ``folder``, on free ports in place of the documented ones; its servers end with it."""
    walking = Walk(folder, {port: _free_port() for port in _PORTS})
    try:
        yield walking
    finally:
        for server in walking.servers:
            server.kill()
            server.wait()


def plain(text: str) -> str:
    """Without what differs from terminal to terminal: blanks at the ends of lines, and empty lines."""
    return "\n".join(line.rstrip() for line in text.splitlines() if line.strip())


def _free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


@attrs.frozen
class Done:
    """What a command printed, and its exit code."""

    returncode: int
    stdout: str
    stderr: str


def tollbridge(*arguments: str, folder: Path) -> Done:
    """One command, as from a shell eighty columns wide, but within this process: its start takes a second."""
    printed, complained = io.StringIO(), io.StringIO()
    with chdir(folder), redirect_stdout(printed), redirect_stderr(complained):
        code = main(list(arguments))
    return Done(code, printed.getvalue(), complained.getvalue())
