"""The conformance kit, on the HostBill adapter, for each way an install may write its answers."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.plugins.hostbill.side import HostBillSide
from tollbridge.conformance import AdapterTests
from tollbridge_hostbill.sandbox import Install, running

WAYS: dict[str, dict[str, Any]] = {
    "as_numbers": {"numbers": True, "errors": "map", "empty": "false", "first_page": 1, "tax_mode_told": False},
    "as_objects": {
        "keyed_lists": True,
        "errors": "text",
        "empty": "object",
        "client_invoices_counted": False,
        "whole_answers": False,
        "escaped_text": True,
    },
    "odd_pages": {
        "first_page": 1,
        "next_page": False,
        "oldest_first": True,
        "errors": "errMsg",
        "drafts": "filter",
        "exempt_rates": "none",
        "methods": "none",
        "autologin": "hmac_whole",
        "total_less_credit": True,
    },
}


@contextmanager
def a_side(way: dict[str, Any]) -> Iterator[HostBillSide]:
    """A HostBill that writes its answers in this way."""
    install = Install(page_size=5)
    install.change_quirks(**way)
    with running(install) as url:
        yield HostBillSide(install, url)


class TestHostBill(AdapterTests):
    """All of the kit."""

    @pytest.fixture
    def side(self) -> Iterator[HostBillSide]:
        with a_side({}) as side:
            yield side


class TestHostBillInOtherForms(AdapterTests):
    """What the form of an answer can change: every hook, and not how the daily job goes about it."""

    @pytest.fixture(params=WAYS)
    def side(self, request: pytest.FixtureRequest) -> Iterator[HostBillSide]:
        with a_side(WAYS[request.param]) as side:
            side.most_calls = {**side.most_calls, "create_invoice": 6}  # what was changed is read back
            yield side

    @pytest.fixture
    def month(self) -> None:
        pytest.skip("months are billed where answers are as documented")
