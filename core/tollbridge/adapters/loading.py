"""Finding adapters and other plugins, and refusing one that does not keep the contract."""

import importlib
import sys
from collections.abc import Iterator
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

import attrs
import pluggy

from tollbridge.adapters.hookspecs import LISTENERS, OPTIONAL, REQUIRED, Hooks
from tollbridge.errors import AdapterFault, ConfigError

ADAPTERS = "tollbridge.adapters"
LISTENERS_GROUP = "tollbridge.listeners"
OWN_TABLE = "settings"


@attrs.frozen
class Installed:
    """An installed adapter, for ``tollbridge adapters``."""

    name: str
    distribution: str
    version: str
    hooks: tuple[str, ...]
    problem: str = ""


def installed_adapters() -> list[Installed]:
    """Every adapter that an installed distribution offers; one that cannot be imported is listed with its problem."""
    return [_described(point) for point in sorted(entry_points(group=ADAPTERS), key=lambda point: point.name)]


def _described(point: EntryPoint) -> Installed:
    distribution, version = (point.dist.name, point.dist.version) if point.dist else ("", "")
    try:
        adapter_class = point.load()
        return Installed(point.name, distribution, version, tuple(implemented(adapter_class)), faults(adapter_class))
    except Exception as error:  # noqa: BLE001 - somebody else's code
        return Installed(point.name, distribution, version, (), f"{type(error).__name__}: {error}")


def adapter_class(use: str, folder: Path) -> tuple[str, type[Any]]:
    """The name of the settings table and the class of the adapter that ``adapter.use`` names.

    Args:
        use: an installed adapter's name, or ``package.module:Class``.
        folder: bridge.toml's, put on the import path for an adapter of one's own.

    Raises:
        ConfigError: there is no such adapter, or it cannot be imported.
    """
    if ":" in use:
        return OWN_TABLE, _own_class(use, folder)
    points = {point.name: point for point in entry_points(group=ADAPTERS)}
    if use not in points:
        names = ", ".join(sorted(points)) or "none"
        raise ConfigError("bridge.toml", [f'there is no installed adapter "{use}"; installed: {names}'])
    try:
        return use, points[use].load()
    except Exception as error:
        raise ConfigError("bridge.toml", [f'"{use}" cannot be imported: {type(error).__name__}: {error}']) from error


def _own_class(use: str, folder: Path) -> type[Any]:
    module_name, _, class_name = use.partition(":")
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
    try:
        found = getattr(importlib.import_module(module_name), class_name)
    except ModuleNotFoundError as error:
        raise ConfigError("bridge.toml", [f'"{use}": {error}; it is looked for in {folder}']) from None
    except AttributeError:
        raise ConfigError("bridge.toml", [f'"{use}": the module has no class {class_name}']) from None
    except Exception as error:
        raise ConfigError("bridge.toml", [f'"{use}" cannot be imported: {type(error).__name__}: {error}']) from error
    if not isinstance(found, type):
        raise ConfigError("bridge.toml", [f'"{use}" is not a class'])
    return found


def implemented(adapter: type[Any]) -> Iterator[str]:
    """The names of the hooks that a class implements, in the contract's order."""
    for name in (*REQUIRED, *OPTIONAL, *LISTENERS):
        if hasattr(getattr(adapter, name, None), "tollbridge_impl"):
            yield name


def faults(adapter: type[Any]) -> str:
    """Why the class cannot be an adapter, naming the hook; empty if it can."""
    missing = [name for name in REQUIRED if name not in set(implemented(adapter))]
    if missing:
        forgotten = [name for name in missing if callable(getattr(adapter, name, None))]
        hint = f" ({', '.join(forgotten)} lacks @hookimpl)" if forgotten else ""
        return f"the required hook {', '.join(missing)} is missing{hint}"
    manager = pluggy.PluginManager("tollbridge")
    manager.add_hookspecs(Hooks)
    try:
        manager.register(_Unmade(adapter))
        manager.check_pending()
    except pluggy.PluginValidationError as error:
        return " ".join(str(error).split())
    return ""


class _Unmade:
    """An adapter class's hooks, bound to nothing, so that they can be checked before an adapter is made."""

    def __init__(self, adapter: type[Any]) -> None:
        for name in dir(adapter):
            function = getattr(adapter, name)
            if hasattr(function, "tollbridge_impl"):
                setattr(self, name, function.__get__(self))


def plugin_manager(name: str, adapter_type: type[Any], settings: Any) -> pluggy.PluginManager:
    """A manager with the one active adapter, made from its settings, and every installed listener.

    Raises:
        AdapterFault: the adapter breaks the contract, or cannot be made.
    """
    if fault := faults(adapter_type):
        raise AdapterFault(f"the adapter {name} cannot be used: {fault}")
    manager = pluggy.PluginManager("tollbridge")
    manager.add_hookspecs(Hooks)
    manager.register(adapter_type(settings) if hasattr(adapter_type, "Settings") else adapter_type(), name=name)
    for point in entry_points(group=LISTENERS_GROUP):
        plugin = point.load()
        manager.register(plugin() if isinstance(plugin, type) else plugin, name=point.name)
    return manager
