"""Each known fault still goes into the bridge as it is now, and names tests that there are; `make faults` runs them."""

import ast
from pathlib import Path

import pytest

from tests.faults.known import ROOT, DoesNotApply, Fault, known_faults

FAULTS = known_faults()


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_known_fault_can_be_put_into_the_bridge_as_it_is(fault: Fault) -> None:
    right = (ROOT / fault.file).read_text(encoding="utf-8")
    wrong = fault.put_into(ROOT)
    assert ast.dump(ast.parse(wrong)) != ast.dump(ast.parse(right)), "it must change what the code does"


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_the_tests_that_are_to_find_a_fault_are_there(fault: Fault) -> None:
    assert fault.found_by
    for test in fault.found_by:
        path, *names = test.split("::")
        text = (ROOT / path).read_text(encoding="utf-8")
        assert all(name in text or name.startswith("test_") for name in names), test
        defined = [text, *(each.read_text(encoding="utf-8") for each in KIT)] if len(names) > 1 else [text]
        assert any(f"def {names[-1]}(" in each for each in defined), test


KIT = sorted((ROOT / "core/tollbridge/conformance").glob("*.py"))  # whose tests are inherited


def test_there_are_twenty_of_them_each_with_a_name_of_its_own() -> None:
    names = {fault.name for fault in FAULTS}
    assert len(names) == len(FAULTS) >= 20


@pytest.mark.parametrize("text", ["receipt = None\n", "receipt = found()\nreceipt = found()\n"])
def test_a_fault_whose_place_is_gone_or_not_clear_any_more_is_told(text: str, tmp_path: Path) -> None:
    (tmp_path / "sending.py").write_text(text, encoding="utf-8")
    fault = Fault("nobody looks", "nowhere", "sending.py", "receipt = found()\n", "receipt = None\n", ())
    with pytest.raises(DoesNotApply, match=r"'nobody looks' does not apply: sending\.py has its old text [02] times"):
        fault.put_into(tmp_path)
