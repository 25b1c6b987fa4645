"""The conformance kit, on the Blesta adapter, for each way an install may write its answers."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.plugins.blesta.side import BlestaSide
from tollbridge.conformance import AdapterTests
from tollbridge_blesta.sandbox import Install, running

WAYS: dict[str, dict[str, Any]] = {
    "encoded": {"encoded_build": True, "client_settings": "objects", "booleans": "digit", "settings_lists": "values"},
    "as_numbers": {"numbers": True, "booleans": "json", "client_settings": "absent", "empty_lists": True},
    "as_objects": {"keyed_lists": True, "settings_lists": "objects", "client_settings": "list", "booleans": "number"},
    "old": {
        "errors_with_200": True,
        "nested_errors": "model",
        "without_balance": True,
        "lists_without_notes": True,
        "rewriting": False,
    },
}


@contextmanager
def a_side(way: dict[str, Any], timezone: str = "America/New_York") -> Iterator[BlestaSide]:
    """A Blesta that writes its answers in this way."""
    install = Install(page_size=5, timezone=timezone)
    install.change_quirks(**way)
    with running(install) as url:
        yield BlestaSide(install, url)


class TestBlesta(AdapterTests):
    """All of the kit."""

    @pytest.fixture
    def side(self) -> Iterator[BlestaSide]:
        with a_side({}) as side:
            yield side


class TestBlestaInOtherForms(AdapterTests):
    """What the form of an answer can change: every hook, and not how the daily job goes about it."""

    @pytest.fixture(params=WAYS)
    def side(self, request: pytest.FixtureRequest) -> Iterator[BlestaSide]:
        with a_side(WAYS[request.param], "Asia/Tokyo") as side:
            yield side

    @pytest.fixture
    def month(self) -> None:
        pytest.skip("months are billed where answers are as documented")
