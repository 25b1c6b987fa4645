"""The commands. Each one's module is imported when it is called, so that none waits for what the others need."""

import gc
import os
import sys
import traceback
from contextlib import suppress
from importlib import import_module
from importlib.metadata import entry_points
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.main import get_command, get_group

from tollbridge import __version__
from tollbridge.cli.session import Session
from tollbridge.errors import ConfigError, TollbridgeError, UsageError

_TRACEBACK = "TOLLBRIDGE_TRACEBACK"
_FEW_COLLECTIONS = (50_000, 20, 50)
_COMMANDS_GROUP = "tollbridge.commands"
_PANELS = {
    "Setting up": {"init": "setup", "check": "setup", "probe": "probe", "connect": "setup"},
    "Every day": {
        "run": "daily", "sync": "daily", "invoice": "daily", "overdue": "daily", "hold": "daily",
        "approve": "decisions", "write-off": "decisions", "reprice": "price", "meter": "meter",
        "serve": "serve", "worker": "worker", "ledger": "ledger",
    },
    "Looking": {
        "client": "client", "invoices": "books", "statement": "books", "explain": "reports", "revenue": "books",
        "log": "books", "runs": "runs", "audit": "audit", "usage": "reports", "price": "price", "plans": "reports",
        "adapters": "reports", "sso": "sso",
    },
    "Trying out": {"demo": "serve", "new-adapter": "new_adapter", "sandbox": "sandboxes"},
}  # fmt: skip
_PLACES = {name: (module, panel) for panel, commands in _PANELS.items() for name, module in commands.items()}


class Commands(TyperGroup):
    """Tollbridge's own commands, and those that adapters bring along."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002
        """Their names, in the order of the overview."""
        return [*_PLACES, *(point.name for point in entry_points(group=_COMMANDS_GROUP))]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002
        """The command, imported now; None if there is none, or if an adapter's own cannot be used."""
        if cmd_name in _PLACES:
            name, panel = _PLACES[cmd_name]
            return _made(cmd_name, panel, getattr(import_module(f"{__name__}.{name}"), cmd_name.replace("-", "_")))
        for point in entry_points(group=_COMMANDS_GROUP, name=cmd_name):
            return brought(point, f"the commands of {cmd_name}", "Adapters' own")
        return None


def _made(name: str, panel: str, what: Any) -> Any:
    """The click command of a function or of a Typer group."""
    if isinstance(what, typer.Typer):
        made: Any = get_group(what)
    else:
        alone = typer.Typer(add_completion=False)
        alone.command(name)(what)
        made = get_command(alone)
    made.name, made.rich_help_panel = name, panel
    for each in (*made.params, made.get_help_option(made.context_class(made))):
        if getattr(each, "is_flag", False):
            each.metavar = ""  # the help would say of what type a flag is
    return made


def brought(point: Any, what: str, panel: str = "Commands") -> Any:
    """What somebody else's package brings along; if it fails that is told, and Tollbridge's own commands still work."""
    try:
        return _made(point.name, panel, point.load())
    except (Exception, SystemExit) as error:  # noqa: BLE001 - that is the point
        _complain(f"{what} cannot be used: {type(error).__name__}: {error}")
        return None


app = typer.Typer(
    cls=Commands,
    name="tollbridge",
    help="A billing bridge between SolusIO and the billing system you already run.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"tollbridge {__version__}")
        raise typer.Exit


@app.callback()
def tollbridge(
    context: typer.Context,
    config: Annotated[Path, typer.Option("--config", "-c", metavar="FILE", help="The configuration.")] = Path(
        "bridge.toml"
    ),
    debug: Annotated[bool, typer.Option("--debug", help="Log every request to standard error.")] = False,
    version: Annotated[  # noqa: ARG001 - the callback has done it
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """A billing bridge between SolusIO and the billing system you already run."""
    from tollbridge.logs import configure_logs  # noqa: PLC0415 - slow to import

    configure_logs(verbose=debug)
    context.obj = Session(config)


def main(arguments: list[str] | None = None) -> int:
    """Run one command. Exit 0 done, 1 done but for some clients, 2 bad usage or configuration, 3 not reachable."""
    # Clients and invoices are many values and no cycles: to look for these as often as usual is a tenth of the time.
    gc.set_threshold(*_FEW_COLLECTIONS)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            with suppress(OSError):  # a terminal that cannot show a character ends no command
                stream.reconfigure(errors="backslashreplace")
    try:
        app(arguments)
    except TollbridgeError as error:
        _complain(str(error))
        return exit_code(error)
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except Exception as error:  # noqa: BLE001 - nobody at a terminal is helped by a traceback
        return _fault(error)
    return 0


def _fault(error: Exception) -> int:
    """Say that this is a fault of ours, or of an adapter's, and how to find out more."""
    if os.environ.get(_TRACEBACK):
        _complain("".join(traceback.format_exception(error)))
    _complain(
        f"a fault of Tollbridge, or of something installed beside it: {type(error).__name__}: {error}\n"
        f"Nothing is lost: run the command again. If it fails again, {_TRACEBACK}=1 shows where; please report it."
    )
    return 3


def _complain(text: str) -> None:
    from tollbridge.cli.output import complain  # noqa: PLC0415 - slow to import

    with suppress(BrokenPipeError):
        complain(text)


def exit_code(error: TollbridgeError) -> int:
    """What a command that ends with this error exits with."""
    return 2 if isinstance(error, ConfigError | UsageError) else 3


if __name__ == "__main__":
    sys.exit(main())
