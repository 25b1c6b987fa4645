"""The world of the jobs: what they decide is no matter of any one billing system, nor of HTTP."""

import pytest

from tests.small_world import SmallWorld


@pytest.fixture
def world(small_world: SmallWorld) -> SmallWorld:
    """Billing in memory."""
    return small_world
