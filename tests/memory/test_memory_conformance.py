"""The billing system in memory passes the conformance kit, whether it makes an invoice in one call or in several."""

import pytest

from tests.memory.side import MemorySide
from tollbridge.conformance import AdapterTests


class TestMemoryBilling(AdapterTests):
    """All of the kit."""

    @pytest.fixture
    def side(self) -> MemorySide:
        return MemorySide(several_steps=False)


class TestMemoryBillingThatOnlyAsks(AdapterTests):
    """All of the kit, for a billing system whose lines take nothing back."""

    @pytest.fixture
    def side(self) -> MemorySide:
        side = MemorySide(several_steps=False)
        side.books.cannot["negative_lines"] = "these books only ever ask for money"
        return side

    @pytest.fixture
    def month(self) -> None:
        pytest.skip("months are billed where lines may be below zero")


class TestMemoryBillingInSteps(AdapterTests):
    """All of the kit, for a billing system that makes an invoice in several calls."""

    @pytest.fixture
    def side(self) -> MemorySide:
        return MemorySide(several_steps=True)
