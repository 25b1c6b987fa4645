"""An operator at a terminal of eighty columns."""

import pytest

from tests.cli.company import Operator, open_for_business
from tests.world import World


@pytest.fixture(autouse=True)
def eighty_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")


@pytest.fixture
def operator(world: World, capsys: pytest.CaptureFixture[str]) -> Operator:
    """Commands on a company with two clients and one month to bill."""
    return Operator(open_for_business(world), capsys)
