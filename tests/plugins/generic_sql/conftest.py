"""Companies on FOSSBilling to test with."""

from collections.abc import Iterator

import pytest
from argon2 import PasswordHasher

from tests.plugins.generic_sql.fossbilling import VERSIONS, Shop, a_shop
from tollbridge_generic_sql import passwords

CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
NOBODYS = {
    "bcrypt": "$2y$04$bPpniy4bv.mVXNigcCqT6uXhYbbshjopQe6ZwMy9uERO/L6173GJW",
    "argon2id": CHEAP.hash("nobody's"),
}


@pytest.fixture(autouse=True)
def cheap_hashes(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """What hashes cost is a matter of the tests of passwords; in all others they are made in no time."""
    if request.module.__name__.endswith("test_passwords"):
        return
    monkeypatch.setattr(passwords, "_BCRYPT_COST", 4)
    monkeypatch.setattr(passwords, "_argon2", CHEAP)
    monkeypatch.setattr(passwords, "_NOBODYS", NOBODYS)


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
