"""The reference of every helper says what the code says."""

import importlib
import inspect

import pytest

from tests.docs.helpers import MODULES, page
from tests.docs.walking import ROOT
from tollbridge.conformance import OtherSide

PAGE = (ROOT / "docs/adapter-helpers.md").read_text(encoding="utf-8")


def test_the_page_is_what_the_code_says() -> None:
    assert page() == PAGE, "make it anew: python -m tests.docs.helpers > docs/adapter-helpers.md"


@pytest.mark.parametrize("name", MODULES)
def test_every_name_that_a_module_offers_by_name_is_on_the_page(name: str) -> None:
    module = importlib.import_module(name)
    for each in getattr(module, "__all__", ()):
        if each != "__version__" and (name == "tollbridge" or inspect.isroutine(getattr(module, each))):
            assert f"- `{each}(" in PAGE or f"- `{each}`" in PAGE


def test_everything_that_the_kit_may_ask_of_another_side_is_on_the_guides_page() -> None:
    guide = (ROOT / "docs/writing-an-adapter.md").read_text(encoding="utf-8")
    ours = {
        "new_adapter",
        "billing",
        "counting",
        "counted",
        "close_adapters",
        "cannot",
        "is_dated",
        "needs",
        "some_client",
    }
    for name, value in vars(OtherSide).items():
        if (
            not name.startswith("_")
            and inspect.isfunction(value)
            and name not in {*ours, "charged_taxes", "the_invoice"}
        ):
            assert f"`{name}(" in guide, f"{name} is missing in section 3"
