"""The conformance kit, on the WHMCS adapter, for each way an install may write its answers."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.plugins.whmcs_like.side import WhmcsSide
from tollbridge.conformance import AdapterTests
from tollbridge_whmcs_like.sandbox import Install, running

WAYS: dict[str, dict[str, Any]] = {
    "as_documented": {},
    "as_text": {"booleans": "text", "ids": "text", "empty": "text", "escaped_text": True, "flat_currencies": True},
    "as_words": {"booleans": "word", "empty": "missing", "single_row_as_object": True, "extra_warning": True},
    "as_json": {"booleans": "json", "ids": "number", "money": "number", "empty": "list", "client_at_top_level": False},
    "old": {"version": "7.10", "booleans": "on", "empty": "object", "status_on_errors": True, "error_status": 400},
}


class TestWhmcs(AdapterTests):
    """All of the kit."""

    @pytest.fixture(params=WAYS)
    def side(self, request: pytest.FixtureRequest) -> Iterator[WhmcsSide]:
        install = Install(access_key="sandbox-access-key", page_limit=5)
        for name, value in WAYS[request.param].items():
            setattr(install.quirks, name, value)
        install.quirks.refuse_unknown_fields = True
        with running(install) as url:
            yield WhmcsSide(install, url)
