"""An Ubersmith, and the adapter on it."""

from collections.abc import Iterator

import pytest

from tests.plugins.ubersmith.side import UbersmithSide
from tollbridge_ubersmith.sandbox import Install, running


@pytest.fixture
def side() -> Iterator[UbersmithSide]:
    install = Install()
    with running(install) as url:
        made = UbersmithSide(install, url)
        yield made
        made.close_adapters()
