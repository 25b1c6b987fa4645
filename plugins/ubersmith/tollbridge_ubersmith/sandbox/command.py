"""``tollbridge sandbox ubersmith``; what serves it is imported only when it is called."""

from typing import Annotated

import typer

_TOLD = """\
An Ubersmith at {root}, with the user {user} and the token {token}. In bridge.toml:

[adapter]
use = "ubersmith"

[adapter.ubersmith]
url = "{root}/"
user = "{user}"
token = "{token}"
currency = "USD"

What it can do: {root}/sandbox/"""


def ubersmith(
    host: Annotated[str, typer.Option(help="Where to listen; its controls ask nobody for a password.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port.")] = 8495,
    empty: Annotated[bool, typer.Option("--empty", help="Without clients and tax rates.")] = False,
) -> None:
    """An Ubersmith of your own on a local port, with clients, tax rates, and faults and quirks you can switch on."""
    from tollbridge_ubersmith.sandbox import Install, serve, small_company  # noqa: PLC0415 - uvicorn is slow to import

    install = Install()
    if not empty:
        small_company(install)
    serve(install, host=host, port=port, told=_TOLD.format(root="{root}", user=install.user, token=install.token))
