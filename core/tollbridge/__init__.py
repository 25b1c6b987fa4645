"""Tollbridge: a billing bridge between SolusIO and the billing system a hosting company already runs.

What stands here, with :mod:`tollbridge.http` for adapters that speak HTTP, is all that an adapter needs.
"""

from tollbridge.adapters.hookspecs import hookimpl
from tollbridge.errors import (
    AdapterFault,
    AddressTaken,
    Incomplete,
    NotFound,
    OutcomeUnknown,
    Refused,
    TollbridgeError,
    Unavailable,
)
from tollbridge.model import (
    NOBODY,
    Attempt,
    Check,
    Client,
    ClientStatus,
    Currency,
    Discount,
    Invoice,
    InvoiceLine,
    InvoiceStatus,
    PlanHours,
    Receipt,
    ServerMeter,
    Signup,
    TaxRate,
    Terms,
    UsageItem,
    UserStatus,
    UserUsage,
    tax_explains,
    tax_factor,
)
from tollbridge.secret import DatabaseUrl, Secret

__version__ = "0.1.0"

__all__ = [
    "NOBODY",
    "AdapterFault",
    "AddressTaken",
    "Attempt",
    "Check",
    "Client",
    "ClientStatus",
    "Currency",
    "DatabaseUrl",
    "Discount",
    "Incomplete",
    "Invoice",
    "InvoiceLine",
    "InvoiceStatus",
    "NotFound",
    "OutcomeUnknown",
    "PlanHours",
    "Receipt",
    "Refused",
    "Secret",
    "ServerMeter",
    "Signup",
    "TaxRate",
    "Terms",
    "TollbridgeError",
    "Unavailable",
    "UsageItem",
    "UserStatus",
    "UserUsage",
    "__version__",
    "hookimpl",
    "tax_explains",
    "tax_factor",
]
