"""The conformance kit is still there under the name it had, and says which one it has now."""

import subprocess
import sys

import pytest

from tollbridge import conformance
from tollbridge.adapters import testing


@pytest.mark.parametrize("name", conformance.__all__)
def test_everything_is_there_with_a_warning(name: str) -> None:
    with pytest.warns(DeprecationWarning, match=r"tollbridge\.conformance"):
        assert getattr(testing, name) is getattr(conformance, name)


def test_what_never_was_there_is_not_there() -> None:
    with pytest.raises(ImportError, match="NoSuchTests"):
        from tollbridge.adapters.testing import NoSuchTests  # noqa: F401, PLC0415


def test_an_adapter_needs_no_pytest_to_be_used() -> None:
    """The kit is asked for by name only."""
    program = "import sys, tollbridge.adapters.testing, tollbridge.memory; sys.exit('pytest' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
