"""docs/configuration.md has every key of bridge.toml, and its examples can be used."""

import json
import re
import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import attrs
import pytest

from tests.docs.walking import ROOT, Block, all_blocks, as_toml, merged
from tollbridge.bridge import read_settings
from tollbridge.config.settings import (
    AccountsSettings,
    BillingSettings,
    DiscountSettings,
    DistributedSettings,
    LedgerSettings,
    MailSettings,
    MeterSettings,
    NotifySettings,
    OperatorSettings,
    PagesSettings,
    PriceChange,
    PricingSettings,
    ServerSettings,
    Settings,
    SolusSettings,
    TaxSettings,
    UsageFields,
    UsageSettings,
)
from tollbridge.config.value_problems import key_of
from tollbridge.secret import DatabaseUrl
from tollbridge_generic_sql.adapter import GenericSqlSettings

TABLES: dict[str, Any] = {
    "[solus]": SolusSettings,
    "[solus.usage]": UsageSettings,
    "[solus.usage.fields]": UsageFields,
    "[pricing]": PricingSettings,
    "[[pricing.changes]]": PriceChange,
    "[[pricing.discounts]]": DiscountSettings,
    "[[pricing.taxes]]": TaxSettings,
    "[billing]": BillingSettings,
    "[accounts]": AccountsSettings,
    "[server]": ServerSettings,
    "[pages]": PagesSettings,
    "[operator]": OperatorSettings,
    "[mail]": MailSettings,
    "[notify]": NotifySettings,
    "[ledger]": LedgerSettings,
    "[distributed]": DistributedSettings,
    "[meter]": MeterSettings,
    "[adapter.generic_sql]": GenericSqlSettings,
}
BASE = """
[solus]
url = "https://solus.example.com"
api_token = "token"
[pricing.tokens]
USD = "0.001"
[billing]
start = "2026-07"
[adapter]
use = "generic_sql"
[adapter.generic_sql]
url = "sqlite:///billing.db"
preset = "tollbridge"
"""
ACME = re.search(r"```python acme\.py\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)


def documented() -> dict[str, dict[str, str]]:
    """Per table, each documented key with its default."""
    sections = re.split(r"^## ", (ROOT / "docs/configuration.md").read_text(encoding="utf-8"), flags=re.MULTILINE)
    found: dict[str, dict[str, str]] = {}
    for section in sections:
        rows = re.findall(r"^\| `(\w+)` \| ([^|]*) \|", section, flags=re.MULTILINE)
        if rows:
            found[section.splitlines()[0].strip("`")] = dict(rows)
    return found


def default(field: "attrs.Attribute[Any]") -> str:
    """A field's default as the page writes it."""
    value = field.default
    if value is attrs.NOTHING:
        return "required"
    if value is None or isinstance(value, attrs.Factory):  # type: ignore[arg-type]
        return "none"
    if isinstance(value, ZoneInfo | DatabaseUrl | Decimal):
        value = str(value)
    if isinstance(value, bool | str | tuple):
        return f"`{json.dumps(value)}`"
    if attrs.has(type(value)):
        return "see below" if field.name in {"usage", "fields"} else "none"
    return f"`{value}`"


def test_every_table_and_every_key_is_documented_with_its_default() -> None:
    there = {table: {key_of(field): default(field) for field in attrs.fields(kind)} for table, kind in TABLES.items()}
    assert documented() == there


def test_no_table_is_forgotten() -> None:
    tables = {
        f"[{field.name}]" for field in attrs.fields(Settings) if isinstance(field.type, type) and attrs.has(field.type)
    }
    assert tables <= TABLES.keys()


def loaded(tree: dict[str, Any], folder: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """``tree`` as bridge.toml, with every variable that it names set."""
    text = as_toml(tree)
    for name in re.findall(r"\$\{([A-Z_]+)\}", text):
        monkeypatch.setenv(name, f"value-of-{name}-with-characters-enough")
    for name in re.findall(r"\$\{file:/run/secrets/(\w+)\}", text):
        (folder / name).write_text("a secret", encoding="utf-8")
    assert ACME is not None
    (folder / "acme.py").write_text(ACME[1], encoding="utf-8")
    path = folder / "bridge.toml"
    path.write_text(text.replace("/run/secrets/", f"{folder}/"), encoding="utf-8")
    return read_settings(path)[0]


@pytest.mark.parametrize("block", all_blocks("toml", "", "bridge.toml", "acme"), ids=str)
def test_a_documented_table_can_be_used(block: Block, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    base, tree = tomllib.loads(BASE), tomllib.loads(block.text)
    if "use" in tree.get("adapter", {}):
        del base["adapter"]
    loaded(merged(base, tree), tmp_path, monkeypatch)


@pytest.mark.parametrize("block", all_blocks("toml", "package"), ids=str)
def test_a_documented_package_uses_the_entry_point_groups_there_are(block: Block) -> None:
    groups = tomllib.loads(block.text)["project"]["entry-points"]
    assert set(groups) == {"tollbridge.adapters", "tollbridge.listeners", "tollbridge.commands"}


def test_the_repositorys_bridge_toml_shows_every_key() -> None:
    text = (ROOT / "bridge.toml").read_text(encoding="utf-8")
    shown = set(re.findall(r"^(?:# )?(\w+) = ", text, flags=re.MULTILINE))
    tables = set(re.findall(r"^(?:# )?\[+([\w.]+)\]+", text, flags=re.MULTILINE))
    keys = {key_of(field) for kind in TABLES.values() for field in attrs.fields(kind)}
    assert keys - shown - {table.rpartition(".")[2] for table in tables} == set()


def test_the_repositorys_bridge_toml_shows_true_defaults() -> None:
    """A key that is commented out and not called optional shows its default; one that is needed shows an example."""
    text = (ROOT / "bridge.toml").read_text(encoding="utf-8").partition("# [adapter.generic_sql.queries]")[0]
    table, wrong = "", []
    for line in text.splitlines():
        if match := re.match(r"(?:# )?(\[+[\w.]+\]+)", line):
            table = match[1]
        match = re.match(r"# (\w+) = (\"[^\"]*\"|\w+)(.*)", line)
        if match and "optional" not in match[3] and not table.startswith("[[pricing."):
            field = getattr(attrs.fields(TABLES[table]), match[1])
            if default(field) not in {f"`{match[2]}`", "required"}:
                wrong.append(line)
    assert wrong == []
