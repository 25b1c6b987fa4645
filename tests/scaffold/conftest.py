"""A scaffold, written once for all tests."""

from pathlib import Path

import pytest

from tollbridge.cli import main


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new adapter's project, untouched."""
    folder = tmp_path_factory.mktemp("new") / "tollbridge-my-billing"
    assert main(["new-adapter", "my_billing", "--folder", str(folder)]) == 0
    return folder


@pytest.fixture(scope="session")
def project_of_several_calls(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Likewise, for a billing system that makes an invoice in several calls."""
    folder = tmp_path_factory.mktemp("new") / "tollbridge-my-billing"
    assert main(["new-adapter", "my_billing", "--several-calls", "--folder", str(folder)]) == 0
    return folder
