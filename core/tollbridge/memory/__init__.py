"""A billing system in memory: it keeps books as others do, and fails as others do, on request.

For tests that need a billing system and not one in particular, an author's as well as the core's own::

    books = Books()
    books.add_client(1042)
    billing = billing_system(books)
    books.troubles.add(Trouble("after", "create_invoice"))
    billing.create_invoice(invoice)         # OutcomeUnknown, and the invoice is there

In bridge.toml it is ``use = "tollbridge.memory:MemoryBilling"``, with ``books`` in ``[adapter.settings]``: all adapters
of one process with the same name share their books, as long as somebody holds them.
"""

from tollbridge.memory.adapter import MemoryBilling, MemorySettings, billing_system
from tollbridge.memory.books import Booked, Books, Call
from tollbridge.memory.troubles import KINDS, Kind, Trouble, Troubles

__all__ = [
    "KINDS",
    "Booked",
    "Books",
    "Call",
    "Kind",
    "MemoryBilling",
    "MemorySettings",
    "Trouble",
    "Troubles",
    "billing_system",
]
