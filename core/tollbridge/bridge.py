"""Builds the parts from bridge.toml, once."""

import os
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from tollbridge.adapters.billing import BillingSystem
from tollbridge.adapters.loading import adapter_class, plugin_manager
from tollbridge.config import FEED, METER, Settings, SolusSettings, load_settings

if TYPE_CHECKING:
    from tollbridge.jobs.parts import Parts
    from tollbridge.solus import Solus


@attrs.frozen
class _File:
    """bridge.toml as it was read, and the classes that it names; ``source`` is None for the feed and the meter."""

    settings: Settings
    own: Any
    adapter: type[Any]
    source: type[Any] | None

    def billing(self) -> BillingSystem:
        name = self.settings.adapter
        return BillingSystem(name, plugin_manager(name, self.adapter, self.own))


def read_settings(path: Path) -> tuple[Settings, Any]:
    """bridge.toml's settings, and the adapter's own.

    Raises:
        ConfigError: with every problem of the file.
    """
    file = _read(path)
    return file.settings, file.own


def read_configuration(path: Path) -> tuple[Settings, BillingSystem]:
    """bridge.toml's settings, and the billing system behind the adapter it names.

    Raises:
        ConfigError: with every problem of the file, or of an adapter that breaks the contract.
        AdapterFault: the adapter cannot be made.
    """
    file = _read(path)
    return file.settings, file.billing()


def _read(path: Path) -> _File:
    adapters: list[type[Any]] = []
    sources: list[type[Any]] = []
    folder = path.absolute().parent

    def adapter_settings(use: str) -> tuple[str, type[Any] | None]:
        table, found = adapter_class(use, folder)
        adapters.append(found)
        return table, getattr(found, "Settings", None)

    def source_settings(use: str) -> type[Any] | None:
        if use in {FEED, METER}:
            return None
        from tollbridge.usage.source import source_class  # noqa: PLC0415 - only for sources of one's own

        sources.append(source_class(use, folder))
        return getattr(sources[0], "Settings", None)

    settings, own = load_settings(path.absolute(), adapter_settings, source_settings)
    return _File(settings, own, adapters[0], sources[0] if sources else None)


@contextmanager
def bridge(
    path: Path, connect: "Callable[[SolusSettings], Solus] | None" = None, *, read_only: bool = False
) -> "Iterator[Parts]":
    """All parts, ready for work, and closed at the end; ``connect`` makes SolusIO's client.

    ``read_only``: for a command that only looks; nothing can be written to the ledger then.

    Raises:
        ConfigError, AdapterFault: as :func:`read_configuration`, or for a usage source that cannot be made.
        LedgerError: the ledger cannot be opened.
    """
    from tollbridge.jobs.parts import Parts  # noqa: PLC0415 - slow to import, and a look at a price needs none of it
    from tollbridge.ledger import Ledger  # noqa: PLC0415
    from tollbridge.solus import Solus  # noqa: PLC0415
    from tollbridge.usage import built_in_source  # noqa: PLC0415
    from tollbridge.usage.source import make_source  # noqa: PLC0415

    file = _read(path)
    settings, usage = file.settings, file.settings.solus.usage
    with (
        closing(file.billing()) as billing,
        closing(Ledger.open(settings.ledger.url, read_only=read_only)) as ledger,
        closing((connect or Solus)(settings.solus)) as solus,
    ):
        if file.source is None:
            source = built_in_source(settings, solus, ledger)
        else:
            source = make_source(usage.source, file.source, usage.settings)
        # Links are not followed: a file that is swapped by one is the same file with other words.
        yield Parts(settings, solus, billing, ledger, source, os.path.abspath(path))  # noqa: PTH100
