"""A WHMCS to try everything against: in memory, with quirks to switch and faults to order.

>>> install = Install()
>>> client = install.add_client("ada@example.com", currency="USD")
>>> with running(install) as url:  # then POST to f"{url}/includes/api.php"
...     install.quirks.booleans = "on"

It is written from WHMCS's public API reference alone. Where that says nothing, it is strict.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tollbridge.sandbox import Fault
    from tollbridge_whmcs_like.sandbox.app import create_app, running, serve
    from tollbridge_whmcs_like.sandbox.company import small_company
    from tollbridge_whmcs_like.sandbox.install import Install
    from tollbridge_whmcs_like.sandbox.problems import InstallError
    from tollbridge_whmcs_like.sandbox.quirks import Quirks
    from tollbridge_whmcs_like.sandbox.records import Client, Invoice, Line

__all__ = [
    "Client",
    "Fault",
    "Install",
    "InstallError",
    "Invoice",
    "Line",
    "Quirks",
    "create_app",
    "running",
    "serve",
    "small_company",
]

_MODULES = {
    "Client": "records",
    "Install": "install",
    "InstallError": "problems",
    "Invoice": "records",
    "Line": "records",
    "Quirks": "quirks",
    "create_app": "app",
    "running": "app",
    "serve": "app",
    "small_company": "company",
}


def __getattr__(name: str) -> Any:
    """Import what is asked for only then: the command is loaded with every ``tollbridge`` call, and must be light."""
    if name == "Fault":
        return import_module("tollbridge.sandbox").Fault
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
