"""``sso``: a link that logs a client in to the customers' pages."""

from typing import Annotated

import typer

from tollbridge.cli.output import print_json, say
from tollbridge.cli.session import AsJson
from tollbridge.errors import NotFound, UsageError
from tollbridge.jobs.price_lists import RunningPrices


def sso(
    context: typer.Context,
    client: Annotated[int, typer.Argument(metavar="CLIENT", help="A client's id in the billing system.")],
    as_json: AsJson = False,
) -> None:
    """A link that logs a client in to the customers' pages: good once, and for a minute."""
    from tollbridge.server.pages import pages_of  # noqa: PLC0415 - slow to import

    with context.obj.parts() as parts:
        pages = pages_of(parts, RunningPrices(parts))
        if pages is None:
            raise UsageError("bridge.toml has no [pages], so there is nothing to log in to")
        try:
            parts.billing.client(client)
        except NotFound as error:
            raise UsageError(str(error)) from None
        url = pages.entry_url(client)
    if as_json:
        print_json({"client_id": client, "url": url})
    else:
        say(url, wrap=False)
