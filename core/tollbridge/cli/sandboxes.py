"""``sandbox``: a SolusIO of your own, and the billing systems that adapters bring along to try them against."""

from datetime import UTC, datetime
from importlib.metadata import entry_points
from typing import Annotated, Any, Literal

import typer
from typer.core import TyperGroup

from tollbridge.cli import brought
from tollbridge.cli.output import say
from tollbridge.errors import UsageError

_GROUP = "tollbridge.sandboxes"


class _Sandboxes(TyperGroup):
    """Those that adapters bring along."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002
        """Their names."""
        return [point.name for point in entry_points(group=_GROUP)]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002
        """The command, imported now; None if there is none that can be used."""
        for point in entry_points(group=_GROUP, name=cmd_name):
            return brought(point, f"the sandbox {cmd_name}")
        return None


sandbox = typer.Typer(cls=_Sandboxes, invoke_without_command=True)


@sandbox.callback()
def solus(
    context: typer.Context,
    host: Annotated[str, typer.Option(help="Where to listen; it asks nobody for a password.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port.")] = 8499,
    token: Annotated[str, typer.Option(help="The API token it accepts.")] = "sandbox-token",  # noqa: S107 - a toy's
    now: Annotated[
        str | None, typer.Option(help="Its clock, like 2026-07-01T00:00:00Z; default: the real one.")
    ] = None,
    per_page: Annotated[int, typer.Option(min=1, help="Rows on a page of a list.")] = 15,
    feed: Annotated[
        Literal["declared", "names", "flat", "totals", "text", "paging", "none"],
        typer.Option(
            help="The usage feed: as declared, with other names, flat, with sums only, with text for numbers, paged"
            " otherwise, or none.",
        ),
    ] = "declared",
    empty: Annotated[bool, typer.Option("--empty", help="Without the guide's plans and limit groups.")] = False,
) -> None:
    """A SolusIO of your own on a local port, with a clock you can move and faults you can switch on.

    Adapters bring sandboxes of their billing systems along; they are the commands below.
    """
    if context.invoked_subcommand is not None:
        return
    from tollbridge.loopback import listen  # noqa: PLC0415 - uvicorn is slow to import
    from tollbridge.solus.sandbox import Panel, small_company  # noqa: PLC0415
    from tollbridge.solus.sandbox import serve as serve_sandbox  # noqa: PLC0415

    panel = Panel(_moment(now), api_token=token, per_page=per_page, feed=feed)
    if not empty:
        small_company(panel)
    try:
        listen(host, port).close()
    except OSError as error:
        raise UsageError(f"cannot listen at {host}:{port} (--host, --port): {error.strerror or error}") from None
    say(f"A SolusIO at http://{host}:{port}/api/v1/, API token {token}. What it can do: http://{host}:{port}/sandbox/")
    serve_sandbox(panel, host=host, port=port)


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"--now {text} is not a moment like 2026-07-01T00:00:00Z") from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
