"""The kit's last lines: what the adapter can do, what each hook costs in calls, and what was skipped and why."""

import re
from collections import Counter, defaultdict
from collections.abc import Mapping
from statistics import mode
from typing import Any

import attrs
import pytest

from tollbridge.adapters.hookspecs import ABILITIES, OPTIONAL

_NAME = "tollbridge-summary"


@attrs.define
class _Tested:
    """What is known of one test class."""

    cannot: Mapping[str, str]
    calls: dict[str, list[int]] = attrs.field(factory=lambda: defaultdict(list))
    skipped: Counter[str] = attrs.field(factory=Counter)


class Summary:
    """What all tests of one pytest found out, by the test class; a plugin of that pytest's, which tells it at its end.

    Where pytest-xdist runs the tests in other processes, nothing is told.
    """

    def __init__(self) -> None:
        self._tested: dict[str, _Tested] = {}

    @classmethod
    def of(cls, config: pytest.Config) -> "Summary":
        """The one of this pytest."""
        found = config.pluginmanager.get_plugin(_NAME)
        if found is None:
            found = cls()
            config.pluginmanager.register(found, _NAME)
        assert isinstance(found, Summary)
        return found

    def knows(self, tests: str) -> bool:
        """Whether the class was begun."""
        return tests in self._tested

    def begin(self, tests: str, cannot: Mapping[str, str]) -> None:
        """A class whose adapter cannot do this."""
        self._tested[tests] = _Tested(cannot)

    def add(self, tests: str, hook: str, calls: int) -> None:
        """One use of a hook made so many calls."""
        self._tested[tests].calls[hook].append(calls)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note why a test of a known class was skipped."""
        tested = self._tested.get((report.nodeid.split("::")[-2:] or [""])[0])
        if tested is not None and report.skipped and isinstance(report.longrepr, tuple):
            reason = report.longrepr[2].removeprefix("Skipped: ")
            tested.skipped[re.sub(r"\b\d+\b", "…", reason)] += 1

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """A few lines for each class; a hook's calls are what it costs most of the time."""
        for tests, tested in self._tested.items():
            able = [words for what, words in ABILITIES.items() if what not in tested.cannot]
            hooks = [hook for hook in OPTIONAL if hook not in tested.cannot]
            terminalreporter.write_line(f"{tests} can: {'; '.join(able)}; and has the hooks {', '.join(hooks)}")
            for what, reason in tested.cannot.items():
                why = reason or "no such hook"
                terminalreporter.write_line(f"  cannot {ABILITIES.get(what, what)}: {why}")
            if tested.calls:
                told = ", ".join(f"{hook} {mode(calls)}" for hook, calls in tested.calls.items())
                terminalreporter.write_line(f"  calls for each hook, as a rule: {told}")
            for reason, count in tested.skipped.most_common():
                terminalreporter.write_line(f"  skipped {count}: {reason}")
