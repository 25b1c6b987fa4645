"""The trial of the kit: faults around an adapter, of which it tells what was found and what was missed."""

import pytest

from tests.memory.side import MemorySide
from tollbridge.adapters.loading import faults, implemented
from tollbridge.conformance.adapter_faults import FAULTS, broken
from tollbridge.conformance.mutants import main, tried
from tollbridge.memory import MemoryBilling

CUT = "test_create_invoice_is_made_once_and_whole_wherever_it_is_cut"
IN_STEPS = f"tests/memory/test_memory_conformance.py::TestMemoryBillingInSteps::{CUT}"


def test_there_are_fifty_faults_and_each_leaves_an_adapter_that_keeps_the_contract() -> None:
    assert len(FAULTS) == 50
    for fault in FAULTS.values():
        side = MemorySide(several_steps=True)
        adapter = broken(side.adapter(), side, fault)
        assert implemented(adapter) == implemented(MemoryBilling)
        assert faults(type(adapter)) == ""
        assert side.billing().client(side.some_client().id)


def test_what_a_test_finds_is_told_as_found_and_what_none_notices_as_missed(
    capsys: pytest.CaptureFixture[str], pytestconfig: pytest.Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(pytestconfig.rootpath)
    assert main([IN_STEPS, "--only", "drafts that people"]) == 1
    told = capsys.readouterr().out
    assert "MISSED    drafts that people began are deleted" in told
    assert "0 of 1 found; missed: drafts that people began are deleted" in told
    assert tried("a leftover draft is never found", IN_STEPS).found_by.startswith(CUT)


def test_a_fault_that_is_not_known_is_refused_with_those_that_are(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([IN_STEPS, "--only", "no such fault"])
    assert ended.value.code == 2
    assert "a client is asked for once more" in capsys.readouterr().err
