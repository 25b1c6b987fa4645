"""``tollbridge adapters``: what is installed, and what each can do."""

import json
from importlib.metadata import EntryPoint

import pytest

from tests.adapters.acme import ACME, configure, module
from tests.world import World
from tollbridge.adapters import loading
from tollbridge.cli import main


def test_the_installed_adapters_are_listed_with_their_hooks(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["adapters", "--json"]) == 0
    found = {each["name"]: each for each in json.loads(capsys.readouterr().out)}
    assert {
        "client",
        "clients",
        "currencies",
        "create_invoice",
        "find_invoice",
        "unpaid_invoices",
        "terms",
        "check",
    } <= set(found["generic_sql"]["hooks"])
    assert (found["generic_sql"]["distribution"], found["generic_sql"]["problem"]) == ("tollbridge", "")


def test_the_table_fits_eighty_columns(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["adapters"]) == 0
    out = capsys.readouterr().out
    assert "generic_sql" in out
    assert max(len(line) for line in out.splitlines()) <= 80


def test_one_that_cannot_be_used_is_listed_with_the_reason(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    points = [
        EntryPoint("broken", "no_such_module:Adapter", loading.ADAPTERS),
        EntryPoint("bare", "tollbridge.model:Client", loading.ADAPTERS),
    ]
    monkeypatch.setattr(loading, "entry_points", lambda **_: points)
    assert main(["adapters", "--json"]) == 0
    bare, broken = json.loads(capsys.readouterr().out)
    assert "no_such_module" in broken["problem"]
    assert "the required hook create_invoice is missing" in bare["problem"]


def test_what_the_settings_of_bridge_toml_leave_out_is_told(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An adapter may set ``cannot`` when it is made; without settings that can be used, its class says what it can."""
    setting = "self.cannot = {'terms': f'{settings.greeting}: no rules'}\n        "
    marker = "def __init__(self, settings: AcmeSettings) -> None:\n        "
    assert marker in ACME
    text = ACME.replace(marker, marker + setting)
    use = f"{module(world.folder, text)}:AcmeAdapter"
    path = configure(world, use, '[adapter.settings]\nfile = "acme.json"\ngreeting = "${GREETING}"')
    for greeting, told in (("good day", [{"what": "terms", "reason": "good day: no rules"}]), ("", [])):
        monkeypatch.setenv("GREETING", greeting)
        if not greeting:
            monkeypatch.delenv("GREETING")
        assert main(["--config", str(path), "adapters", "--json"]) == 0
        found = {each["name"]: each["cannot"] for each in json.loads(capsys.readouterr().out)}
        assert [each for each in found[use] if each["what"] == "terms" and each["reason"]] == told
