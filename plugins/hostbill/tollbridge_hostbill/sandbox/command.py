"""``tollbridge sandbox hostbill``; what serves it is imported only when it is called."""

from typing import Annotated

import typer

_TOLD = """\
A HostBill at {root}, with its API at {root}/admin/api.php. In bridge.toml:

[adapter]
use = "hostbill"

[adapter.hostbill]
url = "{root}/admin/"
api_id = "{api_id}"
api_key = "{api_key}"

What it can do: {root}/sandbox/"""


def hostbill(
    host: Annotated[str, typer.Option(help="Where to listen; its controls ask nobody for a password.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port.")] = 8496,
    page_size: Annotated[int, typer.Option(min=1, help="Rows on a page of a list.")] = 25,
    empty: Annotated[bool, typer.Option("--empty", help="Without clients, taxes and all but one currency.")] = False,
) -> None:
    """A HostBill of your own on a local port, with clients, taxes, and faults and quirks you can switch on."""
    from tollbridge_hostbill.sandbox import Install, serve, small_company  # noqa: PLC0415 - uvicorn is slow to import

    install = Install(page_size=page_size)
    if not empty:
        small_company(install)
    told = _TOLD.format(root="{root}", api_id=install.api_id, api_key=install.api_key)
    serve(install, host=host, port=port, told=told)
