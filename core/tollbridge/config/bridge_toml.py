"""Reading bridge.toml: variables filled in, every table checked, and everything that is wrong told at once."""

import os
import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cattrs

from tollbridge.config.settings import Settings
from tollbridge.config.value_problems import ValueProblem, explain, nearest
from tollbridge.config.values import make_converter
from tollbridge.errors import ConfigError
from tollbridge.secret import hide, redact

_VARIABLE = re.compile(r"\$\{([^}]*)\}")

AdapterSettings = Callable[[str], tuple[str, type[Any] | None]]
SourceSettings = Callable[[str], type[Any] | None]


def load_settings(
    path: Path, adapter_settings: AdapterSettings, source_settings: SourceSettings = lambda _source: None
) -> tuple[Settings, Any]:
    """Read ``path`` into settings and the adapter's own settings.

    Args:
        path: bridge.toml; relative files named in it are relative to its folder.
        adapter_settings: for the adapter named in ``use``, the name of its table and the class of its settings
            (None if it has none); raises ConfigError when there is no such adapter.
        source_settings: for the usage source named in ``solus.usage.source``, the class of its settings (None if it
            has none); raises ConfigError when there is no such source. What it makes of ``[solus.usage.settings]``
            stands in the settings' ``solus.usage.settings``.

    Raises:
        ConfigError: with every problem of the whole file.
    """
    unset: list[str] = []
    problems: list[str] = []
    tree = _fill(_parse(path), "", path.parent, unset)
    converter = make_converter(path.parent)
    chosen = tree.pop("adapter", None)
    name, own = _adapter(converter, chosen, adapter_settings, problems)
    _source(converter, tree, source_settings, problems)
    settings = _structured(converter, {**tree, "adapter": name}, Settings, "", problems)
    if unset or problems or settings is None:
        raise ConfigError(path.name, _told(unset, problems))
    return settings, own


def named_adapter(path: Path) -> str:
    """What ``adapter.use`` says, whatever else is in the file; empty if there is no such file or key."""
    try:
        use = tomllib.loads(path.read_text(encoding="utf-8"))["adapter"]["use"]
    except (OSError, ValueError, KeyError, TypeError):
        return ""
    return use if isinstance(use, str) else ""


def _told(unset: list[str], problems: list[str]) -> list[str]:
    """Every problem once, without secrets; a key whose variable is not set has no other problem."""
    hopeless = {_key_of(problem) for problem in unset}
    others = [problem for problem in problems if _key_of(problem) not in hopeless]
    return [
        f"{_key_of(problem)}{redact(problem.removeprefix(_key_of(problem)))}"
        for problem in dict.fromkeys([*unset, *others])
    ]


def _key_of(problem: str) -> str:
    return problem.partition(": ")[0]


def _parse(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(
            str(path), ["there is no such file: `tollbridge init` writes one, or name yours with --config"]
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(str(path), [f"it cannot be read: {error}"]) from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(path.name, [f"it is not valid TOML: {error}"]) from None


def _fill(value: Any, key: str, folder: Path, problems: list[str]) -> Any:
    """``value`` with ``${NAME}`` and ``${file:…}`` replaced in every text; what they held is hidden from now on."""
    if isinstance(value, dict):
        return {name: _fill(item, f"{key}.{name}".lstrip("."), folder, problems) for name, item in value.items()}
    if isinstance(value, list):
        return [_fill(item, f"{key}[{index}]", folder, problems) for index, item in enumerate(value)]
    if not isinstance(value, str):
        return value

    def replace(match: re.Match[str]) -> str:
        try:
            found = _variable(match[1], folder)
        except ValueProblem as problem:
            problems.append(f"{key}: {problem}")
            return ""
        hide(found)
        return found

    return _VARIABLE.sub(replace, value)


def _variable(name: str, folder: Path) -> str:
    if name.startswith("file:"):
        file = folder / name.removeprefix("file:")
        try:
            return file.read_text(encoding="utf-8").strip()
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not text, or not a file's name"
            raise ValueProblem(f"the file {file} cannot be read ({reason})") from None
    if name not in os.environ:
        raise ValueProblem(f"the environment variable {name} is not set")
    return os.environ[name]


def _adapter(
    converter: cattrs.Converter, chosen: Any, adapter_settings: AdapterSettings, problems: list[str]
) -> tuple[str, Any]:
    """The adapter's name and its own settings; problems are added to ``problems``."""
    if not isinstance(chosen, dict) or not isinstance(chosen.get("use"), str):
        problems.append('adapter.use: is missing: name an installed adapter, or "package.module:Class" of your own')
        return "", None
    try:
        table, settings_class = adapter_settings(chosen["use"])
    except ConfigError as error:
        problems.extend(f"adapter.use: {problem}" for problem in error.problems)
        return "", None
    strangers = sorted(chosen.keys() - {"use", table})
    problems.extend(f"adapter.{name}: is not known here{nearest(name, ['use', table])}" for name in strangers)
    if settings_class is None:
        return chosen["use"], None
    own = _structured(converter, chosen.get(table, {}), settings_class, f"adapter.{table}", problems)
    return chosen["use"], own


def _source(
    converter: cattrs.Converter, tree: dict[str, Any], source_settings: SourceSettings, problems: list[str]
) -> None:
    """Put the usage source's own settings in the place of their table; problems are added to ``problems``."""
    solus = tree.get("solus")
    usage = solus.get("usage") if isinstance(solus, dict) else None
    if not isinstance(usage, dict) or not isinstance(usage.get("source", ""), str):
        return
    own = usage.pop("settings", {})
    try:
        settings_class = source_settings(usage["source"]) if "source" in usage else None
    except ConfigError as error:
        problems.extend(f"solus.usage.source: {problem}" for problem in error.problems)
        return
    if settings_class is not None:
        usage["settings"] = _structured(converter, own, settings_class, "solus.usage.settings", problems)
    elif own:
        problems.append("solus.usage.settings: is not known here: the usage source has no settings of its own")


def _structured(converter: cattrs.Converter, tree: Any, wanted: type[Any], key: str, problems: list[str]) -> Any:
    try:
        return converter.structure(tree, wanted)
    except Exception as error:  # noqa: BLE001 - an author's own settings class may raise anything
        problems.extend(explain(error, key, wanted))
        return None
