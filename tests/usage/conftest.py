"""What the tests of usage sources share."""

from collections.abc import Iterator

import pytest

from tests.solus.panels import Bank, a_bank


@pytest.fixture
def bank() -> Iterator[Bank]:
    """A small company's panel with pages of two rows, and a client for it."""
    with a_bank(per_page=2) as made:
        yield made
