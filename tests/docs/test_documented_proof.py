"""docs/proof.md names what is tried, and what it names can be repeated."""

import re

from tests.docs.walking import ROOT
from tests.faults.known import known_faults

PAGE = (ROOT / "docs/proof.md").read_text(encoding="utf-8")


def test_the_page_lists_the_known_faults_as_they_are_tried_and_no_others() -> None:
    table = PAGE.partition("| fault | seen in |\n| --- | --- |\n")[2].partition("\n\n")[0]
    assert table.splitlines() == [f"| {fault.name} | {fault.seen_in} |" for fault in known_faults()]
    assert f"{len(known_faults())} faults, [below]" in PAGE


def test_what_is_to_be_made_is_a_target_and_what_is_to_be_tested_is_there() -> None:
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE)
    named = set(re.findall(r"`make ([a-z]+)", PAGE)) | set(re.findall(r"^make ([a-z]+)", PAGE, flags=re.MULTILINE))
    assert named <= set(targets)
    for command in re.findall(r"`\.venv/bin/pytest ([^`]+)`", PAGE):
        assert all((ROOT / path).exists() for path in command.split()), command
