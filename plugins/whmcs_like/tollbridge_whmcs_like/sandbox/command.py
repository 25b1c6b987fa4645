"""``tollbridge sandbox whmcs_like``."""

from typing import Annotated

import typer

_TOLD = """\
A WHMCS of your own at {root}/includes/api.php. In bridge.toml:

[adapter]
use = "whmcs_like"

[adapter.whmcs_like]
url = "{root}/"
identifier = "{identifier}"
secret = "{secret}"

What it can do: {root}/sandbox/"""


def whmcs_like(
    host: Annotated[str, typer.Option(help="Where to listen; its controls ask nobody for a password.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port.")] = 8498,
    page_limit: Annotated[int | None, typer.Option(min=1, help="The most rows any list gives.")] = None,
    empty: Annotated[bool, typer.Option("--empty", help="Without clients; USD is the only currency.")] = False,
) -> None:
    """A billing system of your own that answers like WHMCS's classic API, to try Tollbridge without a licence."""
    from tollbridge_whmcs_like.sandbox import Install, serve, small_company  # noqa: PLC0415 - uvicorn is slow to import

    install = Install(page_limit=page_limit)
    if not empty:
        small_company(install)
    told = _TOLD.replace("{identifier}", install.identifier).replace("{secret}", install.secret)
    serve(install, host=host, port=port, told=told)
