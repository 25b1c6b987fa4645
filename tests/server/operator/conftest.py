"""One office for each module: it takes seconds to make, and looking changes nothing in it."""

from collections.abc import Iterator

import pytest

from tests.server.operator.office import Office, an_office


@pytest.fixture(autouse=True)
def in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wrong tokens are answered at once: there are many of them in these tests."""
    monkeypatch.setattr("tollbridge.server.pages.limits._SOONEST", 0.0)


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    with an_office(tmp_path_factory.mktemp("office")) as made:
        yield made
