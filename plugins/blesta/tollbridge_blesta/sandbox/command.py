"""``tollbridge sandbox blesta``; what serves it is imported only when it is called."""

from typing import Annotated

import typer

_TOLD = """\
A Blesta at {root}, with the user {user} and the key {key}. In bridge.toml:

[adapter]
use = "blesta"

[adapter.blesta]
url = "{root}/"
user = "{user}"
key = "{key}"
company_id = {company}

What it can do: {root}/sandbox/"""


def blesta(
    host: Annotated[str, typer.Option(help="Where to listen; its controls ask nobody for a password.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port.")] = 8497,
    page_size: Annotated[int, typer.Option(min=1, help="Rows on a page of a list.")] = 25,
    empty: Annotated[bool, typer.Option("--empty", help="Without clients, taxes and all but one currency.")] = False,
) -> None:
    """A Blesta of your own on a local port, with clients, taxes, and faults and quirks you can switch on."""
    from tollbridge_blesta.sandbox import Install, serve, small_company  # noqa: PLC0415 - uvicorn is slow to import

    install = Install(page_size=page_size)
    if not empty:
        small_company(install)
    told = _TOLD.format(root="{root}", user=install.user, key=install.key, company=install.company_id)
    serve(install, host=host, port=port, told=told)
