"""The conformance kit, on the WHMCS adapter, for each way an install may write its answers."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.plugins.whmcs_like.side import WhmcsSide
from tollbridge.conformance import AdapterTests
from tollbridge_whmcs_like.sandbox import Install, running

WAYS: dict[str, dict[str, Any]] = {
    "as_text": {"booleans": "text", "ids": "text", "empty": "text", "escaped_text": True, "flat_currencies": True},
    "as_words": {"booleans": "word", "empty": "missing", "single_row_as_object": True, "extra_warning": True},
    "as_json": {"booleans": "json", "ids": "number", "money": "number", "empty": "list", "client_at_top_level": False},
    "old": {"version": "7.10", "booleans": "on", "empty": "object", "status_on_errors": True, "error_status": 400},
}


@contextmanager
def a_side(way: dict[str, Any]) -> Iterator[WhmcsSide]:
    """A WHMCS that writes its answers in this way."""
    install = Install(access_key="sandbox-access-key", page_limit=5)
    install.change_quirks(**way, refuse_unknown_fields=True)
    with running(install) as url:
        yield WhmcsSide(install, url)


class TestWhmcs(AdapterTests):
    """All of the kit."""

    @pytest.fixture
    def side(self) -> Iterator[WhmcsSide]:
        with a_side({}) as side:
            yield side


class TestWhmcsInOtherForms(AdapterTests):
    """What the form of an answer can change: every hook, and not how the daily job goes about it."""

    @pytest.fixture(params=WAYS)
    def side(self, request: pytest.FixtureRequest) -> Iterator[WhmcsSide]:
        with a_side(WAYS[request.param]) as side:
            yield side

    @pytest.fixture
    def month(self) -> None:
        pytest.skip("months are billed where answers are as documented")
