"""``serve``, ``sandbox`` and ``demo``: the commands that bring a server of their own, imported only when needed."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from tollbridge.cli.output import say
from tollbridge.errors import UsageError


def serve(
    context: typer.Context,
    workers: Annotated[
        int, typer.Option(min=1, help="Worker processes; one serves some thousand look-ups a second.")
    ] = 1,
) -> None:
    """Answer SolusIO's price look-ups, at the host and port of bridge.toml."""
    from tollbridge.server.serving import serve as serve_http  # noqa: PLC0415 - slow to import

    with context.obj.parts() as parts:
        server = parts.settings.server
    serve_http(
        context.obj.config,
        server,
        workers=workers,
        on_listening=lambda: say(
            f"Listening on http://{server.host}:{server.port} with {workers} worker process(es); Ctrl+C ends it."
        ),
    )


def demo(
    context: typer.Context,
    pages: Annotated[bool, typer.Option("--pages", help="Serve the customers' pages to a browser instead.")] = False,
) -> None:
    """Two months of a small hosting company in one minute, on SQLite and the sandbox."""
    if pages:
        from tollbridge.cli.demo_pages import serve_pages  # noqa: PLC0415 - slow to import

        serve_pages(context)
    else:
        from tollbridge.cli.demo import tell  # noqa: PLC0415

        tell(context)


sandboxes = typer.Typer(invoke_without_command=True)


@sandboxes.callback()
def sandbox(
    context: typer.Context,
    host: Annotated[str, typer.Option(help="Where to listen; it asks nobody for a password.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port.")] = 8499,
    token: Annotated[str, typer.Option(help="The API token it accepts.")] = "sandbox-token",  # noqa: S107 - a toy's
    now: Annotated[
        str | None, typer.Option(help="Its clock, like 2026-07-01T00:00:00Z; default: the real one.")
    ] = None,
    per_page: Annotated[int, typer.Option(min=1, help="Rows on a page of a list.")] = 15,
    empty: Annotated[bool, typer.Option("--empty", help="Without the guide's plans and limit groups.")] = False,
) -> None:
    """A SolusIO of your own on a local port, with a clock you can move and faults you can switch on.

    Adapters bring sandboxes of their billing systems along; they are the commands below.
    """
    if context.invoked_subcommand is not None:
        return
    from tollbridge.solus.sandbox import Panel, small_company  # noqa: PLC0415 - uvicorn is slow to import
    from tollbridge.solus.sandbox import serve as serve_sandbox  # noqa: PLC0415

    panel = Panel(_moment(now), api_token=token, per_page=per_page)
    if not empty:
        small_company(panel)
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
