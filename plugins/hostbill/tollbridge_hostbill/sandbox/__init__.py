"""A HostBill to try everything against: in memory, with quirks to switch and faults to order.

>>> install = Install()
>>> client = install.add_client("ada@example.com", currency="USD")
>>> with running(install) as url:  # then POST to f"{url}/admin/api.php"
...     install.change_quirks(errors="map")

It is written from HostBill's public documents alone. Where they say nothing, it is strict; where they leave a choice,
a quirk switches between the plausible ones.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tollbridge_hostbill.sandbox.app import create_app, running, serve
    from tollbridge_hostbill.sandbox.company import small_company
    from tollbridge_hostbill.sandbox.install import Install
    from tollbridge_hostbill.sandbox.quirks import Quirks
    from tollbridge_hostbill.sandbox.records import Client, InstallError, Invoice

__all__ = [
    "Client",
    "Install",
    "InstallError",
    "Invoice",
    "Quirks",
    "create_app",
    "running",
    "serve",
    "small_company",
]

_MODULES = {
    "Client": "records",
    "Install": "install",
    "InstallError": "records",
    "Invoice": "records",
    "Quirks": "quirks",
    "create_app": "app",
    "running": "app",
    "serve": "app",
    "small_company": "company",
}


def __getattr__(name: str) -> Any:
    """Import what is asked for only then: the command is loaded with every ``tollbridge`` call, and must be light."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
