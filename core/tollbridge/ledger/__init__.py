"""The ledger: what the bridge decided and what it did, in a database of its own."""

from tollbridge.ledger.entries import Account, Entry, State
from tollbridge.ledger.store import Ledger

__all__ = ["Account", "Entry", "Ledger", "State"]
