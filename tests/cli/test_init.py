"""``tollbridge init``: a file that is whole as soon as it is filled in."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.adapters.acme import module
from tollbridge.bridge import read_settings
from tollbridge.cli import main
from tollbridge.rules.calendar import Month


@pytest.fixture
def secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOLUS_API_TOKEN", "sehr-geheim-1")
    monkeypatch.setenv("BRIDGE_TOKEN", "sehr-geheim-2")


def test_the_file_for_generic_sql_is_whole(tmp_path: Path, secrets: None) -> None:
    path = tmp_path / "bridge.toml"
    assert main(["--config", str(path), "init"]) == 0
    settings, own = read_settings(path)
    assert settings.adapter == "generic_sql"
    assert own.preset == "tollbridge"
    assert settings.solus.url.startswith("https://"), "not the demo's sandbox"
    now = datetime.now(UTC)
    assert settings.billing.start >= Month(now.year, now.month).previous, "no month is billed that nobody asked for"


def test_the_file_for_an_adapter_of_ones_own_names_its_settings(tmp_path: Path, secrets: None) -> None:
    use = f"{module(tmp_path)}:AcmeAdapter"
    path = tmp_path / "bridge.toml"
    assert main(["--config", str(path), "init", use]) == 0
    text = path.read_text()
    assert "[adapter.settings]" in text
    assert '# greeting = "hello"  # what it says' in text
    path.write_text(text.replace('file = ""', 'file = "acme.json"'))
    settings, own = read_settings(path)
    assert (settings.adapter, own.file, own.greeting) == (use, "acme.json", "hello")


def test_a_file_that_is_there_is_not_overwritten_unless_asked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "bridge.toml"
    path.write_text("mine")
    assert main(["--config", str(path), "init"]) == 2
    assert path.read_text() == "mine"
    assert "--force" in capsys.readouterr().err
    assert main(["--config", str(path), "init", "--force"]) == 0
    assert path.read_text() != "mine"


@pytest.mark.parametrize("adapter", ["acme", "nowhere:Adapter"])
def test_an_adapter_that_is_not_there_makes_no_file(
    tmp_path: Path, adapter: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "bridge.toml"
    assert main(["--config", str(path), "init", adapter]) == 2
    assert adapter in capsys.readouterr().err
    assert not path.exists()


def test_a_folder_that_is_not_there_is_said_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--config", str(tmp_path / "no" / "bridge.toml"), "init"]) == 2
    assert "bridge.toml" in capsys.readouterr().err


def test_unset_variables_are_all_named_before_anything_starts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SOLUS_API_TOKEN", raising=False)
    monkeypatch.delenv("BRIDGE_TOKEN", raising=False)
    path = tmp_path / "bridge.toml"
    main(["--config", str(path), "init"])
    capsys.readouterr()
    assert main(["--config", str(path), "check"]) == 2
    told = capsys.readouterr().err
    assert "SOLUS_API_TOKEN" in told
    assert "BRIDGE_TOKEN" in told
