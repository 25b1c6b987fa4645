"""Companies on FOSSBilling to test with."""

from collections.abc import Iterator

import pytest

from tests.plugins.generic_sql.fossbilling import VERSIONS, Shop, a_shop


@pytest.fixture(params=VERSIONS)
def shop(request: pytest.FixtureRequest, mariadb_url: str) -> Iterator[Shop]:
    """A FOSSBilling of each version in turn."""
    with a_shop(mariadb_url, request.param) as made:
        yield made


@pytest.fixture
def old_shop(mariadb_url: str) -> Iterator[Shop]:
    """A FOSSBilling whose prices are floating."""
    with a_shop(mariadb_url, "0.7.2") as made:
        yield made


@pytest.fixture
def main_shop(mariadb_url: str) -> Iterator[Shop]:
    """FOSSBilling as it is in development."""
    with a_shop(mariadb_url, "main") as made:
        yield made


@pytest.fixture
def newest_shop(mariadb_url: str) -> Iterator[Shop]:
    """FOSSBilling as it has lately become: with `issued`, several groups, and replaced invoices."""
    with a_shop(mariadb_url, "main with issued") as made:
        yield made
