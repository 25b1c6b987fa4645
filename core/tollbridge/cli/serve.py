"""``serve`` and ``demo``: the commands that bring a server of their own."""

import gc
from typing import Annotated

import typer

from tollbridge.cli.output import say
from tollbridge.errors import UsageError

_OFTEN = (700, 10, 10)  # as Python comes: a server's garbage is best found while it is still in the processor's cache


def serve(
    context: typer.Context,
    workers: Annotated[
        int, typer.Option(min=1, help="Worker processes; one serves some thousand look-ups a second.")
    ] = 1,
) -> None:
    """Answer SolusIO's price look-ups, at the host and port of bridge.toml."""
    from tollbridge.server.workers import serve as serve_http  # noqa: PLC0415 - slow to import

    with context.obj.parts() as parts:
        server = parts.settings.server
    gc.set_threshold(*_OFTEN)
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
    operator: Annotated[
        bool, typer.Option("--operator", help="Serve the operator's pages, with a year of a company behind them.")
    ] = False,
) -> None:
    """Two months of a small hosting company in one minute, on SQLite and the sandbox."""
    if pages and operator:
        raise UsageError("--pages and --operator are two demos: ask for one of them")
    if operator:
        from tollbridge.cli.demo_operator import serve_operator  # noqa: PLC0415 - slow to import

        serve_operator(context)
    elif pages:
        from tollbridge.cli.demo_pages import serve_pages  # noqa: PLC0415 - slow to import

        serve_pages(context)
    else:
        from tollbridge.cli.demo import tell  # noqa: PLC0415

        tell(context)
