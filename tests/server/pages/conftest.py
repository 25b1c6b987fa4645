"""The pages' fixtures."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.server.pages.site import Browser, Cloud, a_cloud


@pytest.fixture(autouse=True)
def in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wrong passwords are answered at once: there are hundreds of them in these tests."""
    monkeypatch.setattr("tollbridge.server.pages.limits._SOONEST", 0.0)


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Cloud]:
    with a_cloud(tmp_path) as made:
        yield made


@pytest.fixture
def browser(cloud: Cloud) -> Browser:
    return cloud.browser()
