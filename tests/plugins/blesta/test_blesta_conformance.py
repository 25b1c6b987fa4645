"""The conformance kit, on the Blesta adapter, for each way an install may write its answers."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.plugins.blesta.side import BlestaSide
from tollbridge.conformance import AdapterTests
from tollbridge_blesta.sandbox import Install, running

WAYS: dict[str, dict[str, Any]] = {
    "as_documented": {},
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


class TestBlesta(AdapterTests):
    """All of the kit."""

    @pytest.fixture(params=WAYS)
    def side(self, request: pytest.FixtureRequest) -> Iterator[BlestaSide]:
        install = Install(page_size=5, timezone="Asia/Tokyo" if request.param == "old" else "America/New_York")
        install.change_quirks(**WAYS[request.param])
        with running(install) as url:
            yield BlestaSide(install, url)
