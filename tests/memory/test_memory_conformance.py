"""The billing system in memory passes the conformance kit, whether it makes an invoice in one call or in several."""

import pytest

from tests.memory.side import MemorySide
from tollbridge.conformance import AdapterTests


class TestMemoryBilling(AdapterTests):
    """All of the kit."""

    @pytest.fixture
    def side(self) -> MemorySide:
        return MemorySide(several_steps=False)


class TestMemoryBillingInSteps(AdapterTests):
    """All of the kit, for a billing system that makes an invoice in several calls."""

    @pytest.fixture
    def side(self) -> MemorySide:
        return MemorySide(several_steps=True)
