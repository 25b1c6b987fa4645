"""An Ubersmith to try everything against: in memory, with faults and quirks to order.

>>> install = Install()
>>> small_company(install)
>>> with running(install) as url:  # then ask f"{url}/api/2.0/?method=client.list" with install.user and install.token
...     install.change_quirks(version="4.6.1")

What it does follows Ubersmith's API documentation and what ``uber.method_get`` says of versions 4.6.1 and 5.0.3; what
those leave open is a quirk.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tollbridge_ubersmith.sandbox.app import create_app, running, serve
    from tollbridge_ubersmith.sandbox.company import small_company
    from tollbridge_ubersmith.sandbox.install import Install
    from tollbridge_ubersmith.sandbox.quirks import Quirks
    from tollbridge_ubersmith.sandbox.records import Client, Contact, Invoice, Pack, Rate, Rejected, Service

__all__ = [
    "Client",
    "Contact",
    "Install",
    "Invoice",
    "Pack",
    "Quirks",
    "Rate",
    "Rejected",
    "Service",
    "create_app",
    "running",
    "serve",
    "small_company",
]

_HOMES = {
    "app": ("create_app", "running", "serve"),
    "company": ("small_company",),
    "install": ("Install",),
    "quirks": ("Quirks",),
    "records": ("Client", "Contact", "Invoice", "Pack", "Rate", "Rejected", "Service"),
}


def __getattr__(name: str) -> Any:
    # The command line imports this package for its command alone; a web server would slow every command down.
    for home, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{home}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
