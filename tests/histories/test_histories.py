"""Whatever happens to a company, its customers and its bridge: every token has one place, every sum is right.

``TOLLBRIDGE_HISTORIES`` in the environment is how many histories are tried; ``make histories N=10000`` sets it.
What fails is told as the shortest history that fails, step by step, with the line that replays it.
"""

import os

from hypothesis import HealthCheck, settings

from tests import HISTORIES
from tests.histories.machine import History

TestHistories = History.TestCase
TestHistories.settings = settings(
    max_examples=HISTORIES,
    stateful_step_count=30,
    deadline=None,
    derandomize="TOLLBRIDGE_HISTORIES" not in os.environ,  # in the suite always the same ones
    print_blob=True,
    suppress_health_check=list(HealthCheck),
)
