"""A whole bridge.toml, and what is wrong with it."""

from pathlib import Path
from typing import Any, Literal

import attrs

from tollbridge.config import Settings, load_settings
from tollbridge.errors import ConfigError
from tollbridge.secret import DatabaseUrl, Secret

API_TOKEN = "kR7-api-token-of-the-panel"
BRIDGE_TOKEN = "Zq4-token-that-solusio-sends"
PASSWORD = "pW9-of-the-database"
SECRETS = (API_TOKEN, BRIDGE_TOKEN, PASSWORD)


@attrs.frozen
class Table:
    """A table inside the adapter's own."""

    depth: int = 1
    names: list[str] = attrs.Factory(list)


@attrs.frozen
class AcmeSettings:
    """An adapter author's settings."""

    url: DatabaseUrl
    secret: Secret
    mode: Literal["fast", "safe"] = "safe"
    pages: int | None = None
    table: Table = Table()


def acme(use: str) -> tuple[str, type[Any] | None]:
    """The installed adapters: ``acme`` with settings, ``bare`` without."""
    if use == "bare":
        return "bare", None
    if use != "acme":
        raise ConfigError("bridge.toml", [f'there is no installed adapter "{use}"; installed: acme, bare'])
    return "acme", AcmeSettings


def valid() -> dict[str, Any]:
    """Every table of a good file."""
    return {
        "solus": {"url": "https://solus.example.com", "api_token": "${SOLUS_API_TOKEN}", "limit_group": "postpaid"},
        "pricing": {
            "tokens": {"USD": "0.001", "EUR": "0.00091"},
            "discounts": [{"name": "Partners", "multiplier": "0.95", "client_group": "partners"}],
            "taxes": [{"label": "VAT", "rate": "20", "level": 1, "country": "GB"}],
        },
        "billing": {"start": "2026-07", "timezone": "Europe/Berlin", "lock_after_days": 7, "minimum": {"USD": "1.00"}},
        "accounts": {"provision": "clients", "on_closed": "keep"},
        "server": {"host": "127.0.0.1", "port": 8400, "token": "${BRIDGE_TOKEN}"},
        "ledger": {"url": "sqlite:///tollbridge.db"},
        "adapter": {
            "use": "acme",
            "acme": {
                "url": "mysql+pymysql://bridge:${DB_PASSWORD}@db.example.com/billing",
                "secret": "${file:acme.secret}",
                "table": {"depth": 2, "names": ["a", "b"]},
            },
        },
    }


def toml(value: Any) -> str:
    """``value`` as inline TOML."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{toml(str(key))} = {toml(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return '"' + "".join(f"\\U{ord(letter):08x}" if letter in '"\\' or not letter.isprintable() else letter
                             for letter in value) + '"'  # fmt: skip
    return str(value)


def write(folder: Path, tree: dict[str, Any]) -> Path:
    """bridge.toml with ``tree`` in it."""
    path = folder / "bridge.toml"
    path.write_text("\n".join(f"{toml(key)} = {toml(value)}" for key, value in tree.items()), encoding="utf-8")
    return path


def load(folder: Path, tree: dict[str, Any]) -> tuple[Settings, Any]:
    """``tree`` as settings and the adapter's own."""
    return load_settings(write(folder, tree), acme)


def problems(folder: Path, tree: dict[str, Any]) -> list[str]:
    """What is wrong with ``tree``; nothing if it loads."""
    try:
        load(folder, tree)
    except ConfigError as error:
        return error.problems
    return []


def changed(changes: dict[str, Any]) -> dict[str, Any]:
    """A good file with the values at dotted keys replaced; None takes the key out."""
    tree = valid()
    for key, value in changes.items():
        *path, last = key.split(".")
        table = tree
        for name in path:
            table = table.setdefault(name, {})
        if value is None:
            del table[last]
        else:
            table[last] = value
    return tree
