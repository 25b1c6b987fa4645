"""Builds the parts from bridge.toml, once."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tollbridge.adapters.billing import BillingSystem
from tollbridge.adapters.loading import adapter_class, plugin_manager
from tollbridge.config import Settings, load_settings

if TYPE_CHECKING:
    from tollbridge.jobs.parts import Parts


def read_settings(path: Path) -> tuple[Settings, Any]:
    """bridge.toml's settings, and the adapter's own.

    Raises:
        ConfigError: with every problem of the file.
    """
    return _read(path)[:2]


def read_configuration(path: Path) -> tuple[Settings, BillingSystem]:
    """bridge.toml's settings, and the billing system behind the adapter it names.

    Raises:
        ConfigError: with every problem of the file, or of an adapter that breaks the contract.
        AdapterFault: the adapter cannot be made.
    """
    settings, own, adapter = _read(path)
    return settings, BillingSystem(settings.adapter, plugin_manager(settings.adapter, adapter, own))


def _read(path: Path) -> tuple[Settings, Any, type[Any]]:
    found: dict[str, type[Any]] = {}

    def adapter_settings(use: str) -> tuple[str, type[Any] | None]:
        table, found["adapter"] = adapter_class(use, path.absolute().parent)
        return table, getattr(found["adapter"], "Settings", None)

    settings, own = load_settings(path.absolute(), adapter_settings)
    return settings, own, found["adapter"]


@contextmanager
def bridge(path: Path) -> "Iterator[Parts]":
    """All parts, ready for work, and closed at the end.

    Raises:
        ConfigError, AdapterFault: as :func:`read_configuration`.
        LedgerError: the ledger cannot be opened.
    """
    from tollbridge.jobs.parts import Parts  # noqa: PLC0415 - slow to import, and a look at a price needs none of it
    from tollbridge.ledger import Ledger  # noqa: PLC0415
    from tollbridge.solus import Solus  # noqa: PLC0415

    settings, billing = read_configuration(path)
    with closing(Ledger.open(settings.ledger.url)) as ledger, closing(Solus(settings.solus)) as solus:
        yield Parts(settings, solus, billing, ledger)
