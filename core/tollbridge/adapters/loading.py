"""Finding adapters and other plugins, and refusing one that does not keep the contract.

Usage sources are found and judged by the same code (:mod:`tollbridge.usage.source`): :func:`plugin_class`,
:func:`hook_faults` and :func:`make`.
"""

import difflib
import importlib
import inspect
import sys
from collections.abc import Callable, Collection, Mapping
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

import attrs
import pluggy
import structlog

from tollbridge.adapters.hookspecs import ABILITIES, LISTENERS, MAY_LEAVE_OUT, OPTIONAL, REQUIRED, Hooks
from tollbridge.errors import AdapterFault, ConfigError, TollbridgeError

ADAPTERS = "tollbridge.adapters"
LISTENERS_GROUP = "tollbridge.listeners"
OWN_TABLE = "settings"
_HOOKS = (*REQUIRED, *OPTIONAL, *LISTENERS)

_log = structlog.get_logger("tollbridge.adapters")


@attrs.frozen
class Inability:
    """Something an adapter cannot do: an ability of :data:`ABILITIES` or an optional hook, and why, if it says so."""

    what: str
    reason: str


@attrs.frozen
class Installed:
    """An installed adapter, for ``tollbridge adapters``.

    Attributes:
        hooks: the names of those it implements.
        cannot_hangs_on_settings: whether it says more about what it cannot do once it knows its settings.
        problem: why it cannot be used, if so.
    """

    name: str
    distribution: str
    version: str
    hooks: tuple[str, ...]
    cannot: tuple[Inability, ...] = ()
    cannot_hangs_on_settings: bool = False
    problem: str = ""


def installed_adapters() -> list[Installed]:
    """Every adapter that an installed distribution offers; one that cannot be imported is listed with its problem."""
    return [_described(point) for point in sorted(entry_points(group=ADAPTERS), key=lambda point: point.name)]


def own_adapter(use: str, folder: Path) -> Installed:
    """The adapter of one's own that bridge.toml names as ``package.module:Class``."""
    return _looked_at(use, "bridge.toml", "", lambda: _own_class(use, folder))


def _described(point: EntryPoint) -> Installed:
    distribution, version = (point.dist.name, point.dist.version) if point.dist else ("", "")
    return _looked_at(point.name, distribution, version, point.load)


def _looked_at(name: str, distribution: str, version: str, load: Callable[[], type[Any]]) -> Installed:
    try:
        adapter_class = load()
        hooks = tuple(implemented(adapter_class))
        cannot = tuple(Inability(what, reason) for what, reason in inabilities(adapter_class).items())
        names = getattr(getattr(adapter_class.__init__, "__code__", None), "co_names", ())
        return Installed(name, distribution, version, hooks, cannot, "cannot" in names, faults(adapter_class))
    except (Exception, SystemExit) as error:  # noqa: BLE001 - somebody else's code
        problem = f"{type(error).__name__}: {error}"
        return Installed(name, distribution, version, (), problem=problem)


def adapter_class(use: str, folder: Path) -> tuple[str, type[Any]]:
    """The name of the settings table and the class of the adapter that ``adapter.use`` names.

    Args:
        use: an installed adapter's name, or ``package.module:Class``.
        folder: bridge.toml's, put on the import path for an adapter of one's own.

    Raises:
        ConfigError: there is no such adapter, or it cannot be imported.
    """
    return OWN_TABLE if ":" in use else use, plugin_class(use, folder, ADAPTERS, "adapter")


def plugin_class(use: str, folder: Path, group: str, kind: str) -> type[Any]:
    """The class that bridge.toml names: installed in the entry point ``group``, or one's own beside the file.

    Raises:
        ConfigError: there is no such thing, or it cannot be imported.
    """
    if ":" in use:
        return _own_class(use, folder)
    points = {point.name: point for point in entry_points(group=group)}
    if use not in points:
        names = ", ".join(sorted(points)) or "none"
        hint = 'one of your own is named "package.module:Class", with its module beside bridge.toml'
        raise ConfigError("bridge.toml", [f'there is no installed {kind} "{use}"; installed: {names}; {hint}'])
    try:
        found: type[Any] = points[use].load()
    except (Exception, SystemExit) as error:
        raise ConfigError("bridge.toml", [f'"{use}" cannot be imported: {type(error).__name__}: {error}']) from error
    return found


def _own_class(use: str, folder: Path) -> type[Any]:
    module_name, _, class_name = use.partition(":")
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        where = f"; it is looked for in {folder}" if error.name and module_name.startswith(error.name) else ""
        raise ConfigError("bridge.toml", [f'"{use}" cannot be imported: {error}{where}']) from None
    except (Exception, SystemExit) as error:
        raise ConfigError("bridge.toml", [f'"{use}" cannot be imported: {type(error).__name__}: {error}']) from error
    found = getattr(module, class_name, None)
    if found is None:
        raise ConfigError("bridge.toml", [f'"{use}": the module has no class {class_name}'])
    if not isinstance(found, type):
        raise ConfigError("bridge.toml", [f'"{use}" is not a class'])
    return found


def implemented(adapter: object) -> list[str]:
    """The names of the hooks that an adapter's class (or any plugin) implements, in the contract's order."""
    marked = _marked(adapter)
    return [name for name in _HOOKS if name in marked]


def inabilities(adapter: object) -> dict[str, str]:
    """What the adapter, or its class, cannot do and why: what it declares, and every optional hook it does not have."""
    declared = dict(getattr(adapter, "cannot", {}))
    hooks = implemented(adapter)
    missing = {name: "" for name in OPTIONAL if name not in hooks and name != "check"}
    if "terms" in missing:
        missing |= {"discounts": "bridge.toml's apply", "taxes": "bridge.toml's apply"}
    return {**missing, **declared}


def faults(adapter: type[Any]) -> str:
    """Why the class cannot be an adapter, naming each hook that is wrong; empty if it can."""
    problems = hook_faults(adapter, Hooks, REQUIRED, _HOOKS, MAY_LEAVE_OUT)
    known = (*ABILITIES, *OPTIONAL)
    problems += [
        f"cannot names {name}, which is none of {', '.join(known)}"
        for name in getattr(adapter, "cannot", {})
        if name not in known
    ]
    return "; ".join(problems)


def hook_faults(
    plugin: type[Any],
    specs: type[Any],
    required: Collection[str],
    known: Collection[str],
    may_leave_out: Mapping[str, set[str]] | None = None,
) -> list[str]:
    """What is wrong with a plugin's hooks, and with how it is made, each in a sentence that names the hook.

    Args:
        plugin: the class.
        specs: where the hooks' signatures stand.
        required: the hooks it must have.
        known: all it may have.
        may_leave_out: arguments that a hook may do without.
    """
    marked = _marked(plugin)
    problems = [_missing(plugin, name) for name in required if name not in marked]
    for name, function in marked.items():
        if name not in known:
            close = difflib.get_close_matches(name, known, 1)
            problems.append(f"there is no hook {name}{f'; did you mean {close[0]}?' if close else ''}")
            continue
        wanted = list(inspect.signature(getattr(specs, name)).parameters)
        if not _fits(plugin, name, function, wanted[1:], (may_leave_out or {}).get(name, set())):
            problems.append(f"the hook {name} must be a plain method that takes ({', '.join(wanted)})")
    if not hasattr(plugin, "Settings") and _needs_settings(plugin):
        problems.append("it has no Settings, so it is made without arguments, which its __init__ does not allow")
    return problems


def make(what: str, plugin: type[Any], settings: Any) -> Any:
    """The plugin, made from its settings if it has any.

    Raises:
        AdapterFault: it cannot be made; ``what`` names it there.
    """
    try:
        return plugin(settings) if hasattr(plugin, "Settings") else plugin()
    except TollbridgeError:
        raise
    except (Exception, SystemExit) as error:
        raise AdapterFault(f"{what} cannot be made: {type(error).__name__}: {error}") from error


def _needs_settings(adapter: type[Any]) -> bool:
    """Whether the class cannot be made without arguments."""
    try:
        inspect.signature(adapter).bind()
    except (TypeError, ValueError):
        return True
    return False


def _marked(adapter: object) -> dict[str, Any]:
    """Everything that carries @hookimpl, whatever its name."""
    found = ((name, getattr(adapter, name, None)) for name in dir(adapter))
    return {name: function for name, function in found if hasattr(function, "tollbridge_impl")}


def _missing(adapter: type[Any], name: str) -> str:
    lacks = " (it lacks @hookimpl)" if callable(getattr(adapter, name, None)) else ""
    return f"the required hook {name} is missing{lacks}"


def _fits(adapter: type[Any], name: str, function: Any, arguments: list[str], spare: set[str]) -> bool:
    """Whether a hook takes exactly its arguments; one with a default would never be given, so it counts as absent."""
    if inspect.iscoroutinefunction(function):
        return False
    taken = [
        parameter.name
        for parameter in inspect.signature(function).parameters.values()
        if parameter.default is parameter.empty and parameter.kind is parameter.POSITIONAL_OR_KEYWORD
    ]
    own = ["self"] if inspect.isfunction(inspect.getattr_static(adapter, name)) else []
    left_out = spare - set(taken)
    return taken[: len(own)] == own and sorted(taken) == sorted({*own, *arguments} - left_out)


def plugin_manager(name: str, adapter_type: type[Any], settings: Any) -> pluggy.PluginManager:
    """A manager with the one active adapter, made from its settings, and every installed listener.

    Raises:
        ConfigError: the adapter breaks the contract.
        AdapterFault: it cannot be made.
    """
    if fault := faults(adapter_type):
        raise ConfigError("bridge.toml", [f"adapter.use: the adapter {name} cannot be used: {fault}"])
    adapter = make(f"the adapter {name}", adapter_type, settings)
    manager = managed(name, adapter)
    for point in entry_points(group=LISTENERS_GROUP):
        try:
            _register_listener(manager, point)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - somebody else's code, and never a reason not to bill
            _log.warning("listener cannot be used", plugin=point.name, error=f"{type(error).__name__}: {error}")
    return manager


def managed(name: str, adapter: object) -> pluggy.PluginManager:
    """A manager with this adapter and nobody else."""
    manager = pluggy.PluginManager("tollbridge")
    manager.add_hookspecs(Hooks)
    manager.register(adapter, name=name)
    return manager


def _register_listener(manager: pluggy.PluginManager, point: EntryPoint) -> None:
    found = point.load()
    listener = found() if isinstance(found, type) else found
    strange = sorted(_marked(listener).keys() - set(LISTENERS))
    if strange:
        raise AdapterFault(f"a listener may only hear {', '.join(LISTENERS)}, not answer {', '.join(strange)}")
    manager.register(listener, name=point.name)
