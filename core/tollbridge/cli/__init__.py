"""The commands."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import Annotated

import typer

from tollbridge.cli import daily, entering, reports, scaffolding, serving, setup
from tollbridge.cli.output import complain
from tollbridge.cli.session import Session
from tollbridge.errors import ConfigError, TollbridgeError, UsageError
from tollbridge.logs import configure_logs

_COMMANDS_GROUP = "tollbridge.commands"
_SANDBOXES_GROUP = "tollbridge.sandboxes"

app = typer.Typer(
    name="tollbridge",
    help="A billing bridge between SolusIO and the billing system you already run.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

_PANELS = {
    "Setting up": (setup.init, setup.check, setup.connect),
    "Every day": (daily.run, daily.sync, daily.invoice, daily.overdue, serving.serve),
    "Looking": (reports.price, reports.plans, reports.usage, reports.explain, reports.adapters, entering.sso),
    "Trying out": (serving.demo, scaffolding.new_adapter),
}
for panel, commands in _PANELS.items():
    for command in commands:
        app.command(rich_help_panel=panel)(command)
app.add_typer(serving.sandboxes, name="sandbox", rich_help_panel="Trying out")


@app.callback()
def tollbridge(
    context: typer.Context,
    config: Annotated[Path, typer.Option("--config", "-c", metavar="FILE", help="The configuration.")] = Path(
        "bridge.toml"
    ),
    debug: Annotated[bool, typer.Option("--debug", help="Log every request to standard error.")] = False,
) -> None:
    """A billing bridge between SolusIO and the billing system you already run."""
    configure_logs(verbose=debug)
    context.obj = Session(config)


def main(arguments: list[str] | None = None) -> int:
    """Run one command. Exit 0 done, 1 done but for some clients, 2 bad usage or configuration, 3 not reachable."""
    _add_adapters_commands()
    try:
        app(arguments)
    except TollbridgeError as error:
        complain(str(error))
        return exit_code(error)
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else 0
    return 0


@cache
def _add_adapters_commands() -> None:
    for point in entry_points(group=_COMMANDS_GROUP):
        with _told(f"the commands of {point.name}"):
            app.add_typer(point.load(), name=point.name, rich_help_panel="Adapters' own")
    for point in entry_points(group=_SANDBOXES_GROUP):
        with _told(f"the sandbox {point.name}"):
            serving.sandboxes.command(point.name)(point.load())


@contextmanager
def _told(what: str) -> Iterator[None]:
    """Somebody else's code that fails is told of, and Tollbridge's own commands still work."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 - that is the point
        complain(f"{what} cannot be used: {type(error).__name__}: {error}")


def exit_code(error: TollbridgeError) -> int:
    """What a command that ends with this error exits with."""
    return 2 if isinstance(error, ConfigError | UsageError) else 3


if __name__ == "__main__":
    sys.exit(main())
