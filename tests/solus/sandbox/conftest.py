from collections.abc import Iterator
from datetime import UTC, datetime

import httpx
import pytest

from tollbridge.solus.sandbox import Panel, User, running, small_company


@pytest.fixture
def panel() -> Panel:
    panel = Panel(now=datetime(2026, 7, 1, tzinfo=UTC))
    small_company(panel)
    return panel


@pytest.fixture
def ada(panel: Panel) -> User:
    return panel.add_user("ada@example.com", billing_user_id=1042)


@pytest.fixture
def url(panel: Panel) -> Iterator[str]:
    with running(panel) as url:
        yield url


@pytest.fixture
def api(panel: Panel, url: str) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {panel.api_token}"}
    with httpx.Client(base_url=f"{url}/api/v1/", headers=headers) as client:
        yield client


@pytest.fixture
def controls(url: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"{url}/sandbox/") as client:
        yield client
