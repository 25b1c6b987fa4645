"""A small company on the sandbox, and the commands run on it."""

import hashlib
import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
import pytest

from tests.world import World
from tollbridge.cli import main

PUBLIC = 'public_url = "https://bridge.example.com"\n'


@attrs.frozen
class Told:
    """What a command ended with, and what it said."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output as the one JSON document that it is; a fraction in it would be a float."""

        def no_floats(text: str) -> None:
            raise AssertionError(f"{text} is not exact")

        return json.loads(self.out, parse_float=no_floats)


@attrs.frozen
class Operator:
    """Somebody who types commands."""

    world: World
    capsys: pytest.CaptureFixture[str]

    def __call__(self, *arguments: str, config: Path | None = None) -> Told:
        """Run one command on the world's bridge.toml, or on ``config``."""
        path = config or self.world.config
        if config is None:
            path.write_text(path.read_text().replace("[server]\n", f"[server]\n{PUBLIC}"))
        self.capsys.readouterr()
        code = main(["--config", str(path), *arguments])
        told = self.capsys.readouterr()
        return Told(code, told.out, told.err)

    def configured(self, **replaced: str) -> Path:
        """bridge.toml with some of its values changed."""
        path = self.world.config
        text = path.read_text()
        for key, value in replaced.items():
            (line,) = [each for each in text.splitlines() if each.startswith(f"{key} = ")]
            text = text.replace(line, f'{key} = "{value}"')
        path.write_text(text)
        return path


def open_for_business(world: World) -> World:
    """Two clients with June behind them: a capped plan in dollars, and an hourly one in yen."""
    world.add_client(1042, company="Ada Hosting")
    world.add_client(1043, "JPY", country="JP")
    world.run_server(world.add_user(1042), 720)
    world.run_server(world.add_user(1043), 100, name="kumo")
    world.panel.set_time(datetime(2026, 7, 1, 4, tzinfo=UTC))
    return world


def snapshot(world: World) -> tuple[object, ...]:
    """Everything that a dry run must leave as it is: the ledger, the billing database and the panel."""
    files = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in world.folder.iterdir()
        if path.suffix == ".db" or path.name.endswith("-wal")
    }
    users = sorted((user.id, user.email, str(user.status), user.billing_user_id) for user in world.panel.users)
    written = [entry for entry in world.panel.journal.list() if entry.method != "GET"]
    return files, users, written


def exact(text: str) -> Decimal:
    """Money as the documents have it: text."""
    assert isinstance(text, str)
    return Decimal(text)
