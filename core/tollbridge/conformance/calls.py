"""How many calls of its billing system each hook makes: told at the end, where the other side counts them."""

from collections import defaultdict
from statistics import mode

import pytest

_NAME = "tollbridge-calls"


class CallCounts:
    """What all tests of one pytest counted, by the test class and the hook; a plugin of that pytest's."""

    def __init__(self) -> None:
        self._counts: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))

    @classmethod
    def of(cls, config: pytest.Config) -> "CallCounts":
        """The one of this pytest."""
        found = config.pluginmanager.get_plugin(_NAME)
        if found is None:
            found = cls()
            config.pluginmanager.register(found, _NAME)
        assert isinstance(found, CallCounts)
        return found

    def add(self, tests: str, hook: str, calls: int) -> None:
        """One use of a hook made so many calls."""
        self._counts[tests][hook].append(calls)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """A line for each test class: what a hook costs most of the time; a list's short ones are most."""
        for tests, hooks in self._counts.items():
            told = ", ".join(f"{hook} {mode(calls)}" for hook, calls in hooks.items())
            terminalreporter.write_line(f"{tests}: calls for each hook, as a rule: {told}")
