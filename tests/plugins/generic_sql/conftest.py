"""Companies on FOSSBilling to test with."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager

import pytest
from argon2 import PasswordHasher

from tests.conftest import MARIADB, fresh_database
from tests.plugins.generic_sql.fossbilling import VERSIONS, KeptShop, Shop
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


@pytest.fixture(scope="session")
def kept_shops() -> Iterator[Mapping[str, KeptShop]]:
    """A FOSSBilling of each version."""
    with ExitStack() as stack:
        database = contextmanager(fresh_database)
        yield {version: KeptShop(stack.enter_context(database(MARIADB, "MariaDB")), version) for version in VERSIONS}


@pytest.fixture(params=VERSIONS)
def shop(request: pytest.FixtureRequest, kept_shops: Mapping[str, KeptShop]) -> Iterator[Shop]:
    """A FOSSBilling of each version in turn."""
    with kept_shops[request.param].cleared() as made:
        yield made


@pytest.fixture
def old_shop(kept_shops: Mapping[str, KeptShop]) -> Iterator[Shop]:
    """A FOSSBilling whose prices are floating."""
    with kept_shops["0.7.2"].cleared() as made:
        yield made


@pytest.fixture
def main_shop(kept_shops: Mapping[str, KeptShop]) -> Iterator[Shop]:
    """FOSSBilling as it is in development."""
    with kept_shops["main"].cleared() as made:
        yield made


@pytest.fixture
def newest_shop(kept_shops: Mapping[str, KeptShop]) -> Iterator[Shop]:
    """FOSSBilling as it has lately become: with `issued`, several groups, and replaced invoices."""
    with kept_shops["main with issued"].cleared() as made:
        yield made
