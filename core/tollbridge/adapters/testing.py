"""The conformance kit's old name, which goes on working for one release: it is ``tollbridge.conformance`` now."""

import importlib
import warnings
from typing import Any

_KIT = "tollbridge.conformance"


def __getattr__(name: str) -> Any:
    """Whatever the kit offers, when it is asked for: the kit stands on top of everything, and nothing imports it."""
    kit = importlib.import_module(_KIT)
    if name not in kit.__all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    warnings.warn(f"{__name__} is {_KIT} now, and goes away in the next release", DeprecationWarning, stacklevel=2)
    return getattr(kit, name)
