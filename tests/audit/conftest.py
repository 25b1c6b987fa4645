"""Books in which differences are planted."""

import pytest

from tests.small_world import SmallWorld


@pytest.fixture
def world(small_world: SmallWorld) -> SmallWorld:
    """Billing in memory."""
    return small_world
