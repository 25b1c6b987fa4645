"""Usage sources: the hook they implement, how they are found, and calling the one that bridge.toml names.

A source is a class with a ``Settings`` attrs class, if it has settings, and one ``@hookimpl`` method, ``usage``. It is
installed in the entry point group ``tollbridge.usage_sources``, or stands beside bridge.toml.
"""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from tollbridge.adapters.hookspecs import hookspec
from tollbridge.adapters.loading import hook_faults, make, plugin_class
from tollbridge.errors import AdapterFault, ConfigError, Incomplete, TollbridgeError
from tollbridge.model import UserUsage
from tollbridge.secret import redact

USAGE_SOURCES = "tollbridge.usage_sources"
_HOOKS = ("usage",)
_LARGEST = 2**63 - 1  # what the ledger keeps as an integer


class SourceHooks:
    """The hook specification."""

    @hookspec(firstresult=True)
    def usage(self, start: datetime, end: datetime) -> Iterator[UserUsage]:  # type: ignore[empty-body]
        """Every user's usage in ``[start, end)``, deleted servers included; each user once, with each item once.

        Raises:
            Incomplete: anything of it is missing; at the latest after the last user.
            Unavailable: it cannot be had just now.
        """


class UsageSource:
    """The usage source as the jobs see it. What a source yields is checked here, so that the jobs may rely on it."""

    def __init__(self, name: str, source: Any) -> None:
        self.name = name
        self._source = source

    def read(self, start: datetime, end: datetime) -> Iterator[UserUsage]:
        """Every user's usage in ``[start, end)``; use nothing of it before the iterator has ended by itself.

        Raises:
            Incomplete: something is missing, comes twice, or adds up to more than can be kept; this may show only
                after the last user.
            AdapterFault: the source broke its contract.
        """
        seen: set[int] = set()
        tokens = 0
        for row in self._rows(start, end):
            if not isinstance(row, UserUsage):
                raise AdapterFault(f"{self.name}.usage gave {type(row).__name__}, where UserUsage is needed")
            if row.user_id in seen:
                raise Incomplete(f"the usage of user {row.user_id} comes twice")
            seen.add(row.user_id)
            _check_items(row)
            tokens += row.tokens
            if tokens > _LARGEST:
                raise Incomplete(
                    f"the usage of user {row.user_id}, {row.tokens:,} tokens, makes {tokens:,} in all, which cannot be"
                    " right: have it corrected where it comes from"
                )
            yield row

    def _rows(self, start: datetime, end: datetime) -> Iterator[Any]:
        """What the source gives; an exception that is none of ours is a fault of the source's own."""
        try:
            yield from self._source.usage(start=start, end=end)
        except TollbridgeError:
            raise
        except Exception as error:
            words = redact(f"{type(error).__name__}: {error}")
            raise AdapterFault(f"{self.name}.usage failed by a fault of its own: {words}") from error


def _check_items(row: UserUsage) -> None:
    """An item that comes twice would be billed twice."""
    seen: set[tuple[str, int]] = set()
    for item in row.items:
        if (item.type, item.id) in seen:
            raise Incomplete(f"the usage of user {row.user_id} has {item.type} {item.id} twice")
        seen.add((item.type, item.id))


def source_class(use: str, folder: Path) -> type[Any]:
    """The class of the source that ``solus.usage.source`` names.

    Args:
        use: an installed source's name, or ``package.module:Class``.
        folder: bridge.toml's, put on the import path for a source of one's own.

    Raises:
        ConfigError: there is no such source, it cannot be imported, or it breaks the contract.
    """
    found = plugin_class(use, folder, USAGE_SOURCES, "usage source")
    if faults := "; ".join(hook_faults(found, SourceHooks, _HOOKS, _HOOKS)):
        raise ConfigError("bridge.toml", [f"the usage source {use} cannot be used: {faults}"])
    return found


def make_source(use: str, found: type[Any], settings: Any) -> UsageSource:
    """The source that was found, made from its settings.

    Raises:
        AdapterFault: it cannot be made.
    """
    return UsageSource(use, make(f"the usage source {use}", found, settings))
