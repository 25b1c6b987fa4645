"""A Blesta to try everything against: in memory, with faults and quirks to order.

>>> install = Install()
>>> small_company(install)
>>> with running(install) as url:  # then talk to f"{url}/api/clients/get.json" with install.user and install.key
...     install.quirks.encoded_build = True

What it does follows Blesta's API documentation and source documentation; what those leave open is a quirk.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tollbridge_blesta.sandbox.app import create_app, running, serve
    from tollbridge_blesta.sandbox.company import small_company
    from tollbridge_blesta.sandbox.install import Install
    from tollbridge_blesta.sandbox.problems import Rejected
    from tollbridge_blesta.sandbox.quirks import Quirks
    from tollbridge_blesta.sandbox.records import Client, Currency, Group, Invoice, Line, User
    from tollbridge_blesta.sandbox.taxing import Tax

__all__ = [
    "Client",
    "Currency",
    "Group",
    "Install",
    "Invoice",
    "Line",
    "Quirks",
    "Rejected",
    "Tax",
    "User",
    "create_app",
    "running",
    "serve",
    "small_company",
]

_HOMES = {
    "app": ("create_app", "running", "serve"),
    "company": ("small_company",),
    "install": ("Install",),
    "problems": ("Rejected",),
    "quirks": ("Quirks",),
    "records": ("Client", "Currency", "Group", "Invoice", "Line", "User"),
    "taxing": ("Tax",),
}


def __getattr__(name: str) -> Any:
    # The command line imports this package for its command alone; a web server would slow every command down.
    for home, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{home}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
