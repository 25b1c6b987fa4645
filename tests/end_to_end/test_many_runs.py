"""Processes of the daily job at once, killed, frozen and cut off: no invoice twice or lost, nobody locked wrongly.

``TOLLBRIDGE_TRIALS`` in the environment is how many trials there are of each kind; one unless it is set.
"""

import random
from pathlib import Path

import pytest

from tests import TRIALS
from tests.end_to_end.trials import a_trial


@pytest.mark.parametrize(("ledger", "hands"), [("sqlite", 2), ("postgresql", 2), ("postgresql", 4), ("postgresql", 8)])
@pytest.mark.parametrize("trial", range(TRIALS))
def test_runs_at_once_bill_everybody_once_and_lock_who_does_not_pay(
    ledger: str, hands: int, trial: int, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    if TRIALS == 1 and hands > 2:
        pytest.skip("four and eight at once take long: set TOLLBRIDGE_TRIALS")
    seed = random.SystemRandom().randrange(10**6)
    print(f"trial {trial}, seed {seed}")
    sqlite = f"sqlite:///{tmp_path}/tollbridge.db"
    ledger_url = sqlite if ledger == "sqlite" else request.getfixturevalue("postgresql_url")
    with a_trial(tmp_path, f"sqlite:///{tmp_path}/billing.db", ledger_url, seed, clients=45) as made:
        made.try_it(hands, cuts=ledger == "postgresql")
        print(made.done)
